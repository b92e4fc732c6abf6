"""Speech as a driver gets it: sound alone, sound with its text, or sound with timed phones, 40 ms at a time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from anchor import parts, registry
from anchor.bench.corpus import Item
from anchor.bench.lipsync.classes import Classes
from anchor.chain import READER
from anchor.config import VoiceConfig
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Blendshapes, Floats, Samples
from anchor.pipeline.segmenter import segment
from anchor.ports import Aligner, Classifies, Driver, SpeechChunk, SpelledWord, Voice
from anchor.voice.spelling import spell

Way = Literal["audio", "text", "timings"]
WAYS: tuple[Way, ...] = get_args(Way)

FPS = 50
"""Faces a second in scoring: the most that `anchor.media.VideoFormat` allows and 100 a second is a multiple of."""
LIVE_FPS = 25
_CHUNK = round(0.04 * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Speech:
    """What a driver is given: `chunks`, and with `words` what the aligner makes of them."""

    chunks: tuple[SpeechChunk, ...]
    words: tuple[SpelledWord, ...] = ()


def feed(audio: Samples, way: Way, item: Item, words: Sequence[SpelledWord] = ()) -> Speech:
    """`audio` cut as live speech comes, with what `way` tells of it; `words` are those of the item, spelled."""
    starts = range(0, max(1, len(audio)), _CHUNK)
    cut = [SpeechChunk(audio[start : start + _CHUNK]) for start in starts]
    if way == "timings":
        heard: list[list[Phone]] = [[] for _ in cut]
        for phone in item.phones:
            heard[min(phone.start // _CHUNK, len(cut) - 1)].append(phone)
        cut = [SpeechChunk(chunk.audio, phones=tuple(phones)) for chunk, phones in zip(cut, heard, strict=True)]
    return Speech(tuple(cut), tuple(words) if way == "text" else ())


async def spelled(items: Sequence[Item]) -> list[tuple[SpelledWord, ...]]:
    """How the embedded voice would say the text of each item; nothing for one without text."""
    reader = parts.open_voice(VoiceConfig(engine=READER))
    try:
        return [tuple([word async for word in _words(reader, item)]) for item in items]
    finally:
        await reader.close()


async def _words(reader: Voice, item: Item) -> AsyncIterator[SpelledWord]:
    async def text() -> AsyncIterator[str]:
        yield item.text

    async for sentence in segment(text(), item.language):
        for word in await spell(reader, sentence):
            yield word


async def _stream(speech: Speech) -> AsyncIterator[SpeechChunk]:
    async def bare() -> AsyncIterator[SpeechChunk]:
        for chunk in speech.chunks:
            yield chunk

    if not speech.words:
        async for chunk in bare():
            yield chunk
        return
    aligner: Aligner = registry.load("anchor.part", "aligner")()
    async for chunk in aligner.align(bare(), speech.words):
        yield chunk


async def faces(driver: Driver, speech: Speech, fps: int = FPS) -> Floats:
    """What the driver makes of it: weights, shape (faces, 52)."""
    found: list[Blendshapes] = [face async for face in driver.drive(_stream(speech), fps)]
    return np.array([face.weights for face in found], np.float32)


async def classes(driver: Driver, speech: Speech) -> Classes | None:
    """What the driver takes each 10 ms for, where it can say."""
    return await cast(Classifies, driver).classes(_stream(speech)) if isinstance(driver, Classifies) else None


async def processor_ms(driver: Driver, speech: Speech) -> float:
    """Milliseconds of processor time that driving takes at the frame rate of a live stream, all threads together."""
    start = time.process_time()
    async for _ in driver.drive(_stream(speech), LIVE_FPS):
        pass
    return 1000 * (time.process_time() - start)
