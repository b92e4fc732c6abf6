"""Speech as a driver gets it: sound alone, sound with its text, or sound with timed phones, 40 ms at a time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Literal, cast, get_args

import numpy as np

from anchor.bench.corpus import Item
from anchor.bench.lipsync.classes import Classes
from anchor.events import Phone, Sentence
from anchor.media import SAMPLE_RATE, Blendshapes, Floats, Samples
from anchor.ports import Classifies, Driver, SpeechChunk

Way = Literal["audio", "text", "timings"]
WAYS: tuple[Way, ...] = get_args(Way)

FPS = 50
"""Faces a second in scoring: the most that `anchor.media.VideoFormat` allows and 100 a second is a multiple of."""
LIVE_FPS = 25
_CHUNK = round(0.04 * SAMPLE_RATE)


def chunks(audio: Samples, way: Way, item: Item) -> list[SpeechChunk]:
    """`audio` cut as live speech comes, with what `way` tells of it."""
    starts = range(0, max(1, len(audio)), _CHUNK)
    cut = [SpeechChunk(audio[start : start + _CHUNK]) for start in starts]
    if way == "text":
        cut[0] = SpeechChunk(cut[0].audio, sentence=Sentence(item.text, item.language, 0.0))
    if way == "timings":
        heard: list[list[Phone]] = [[] for _ in cut]
        for phone in item.phones:
            heard[min(phone.start // _CHUNK, len(cut) - 1)].append(phone)
        cut = [SpeechChunk(chunk.audio, phones=tuple(phones)) for chunk, phones in zip(cut, heard, strict=True)]
    return cut


async def _stream(speech: Sequence[SpeechChunk]) -> AsyncIterator[SpeechChunk]:
    for chunk in speech:
        yield chunk


async def faces(driver: Driver, speech: Sequence[SpeechChunk], fps: int = FPS) -> Floats:
    """What the driver makes of it: weights, shape (faces, 52)."""
    found: list[Blendshapes] = [face async for face in driver.drive(_stream(speech), fps)]
    return np.array([face.weights for face in found], np.float32)


async def classes(driver: Driver, speech: Sequence[SpeechChunk]) -> Classes | None:
    """What the driver takes each 10 ms for, where it can say."""
    return await cast(Classifies, driver).classes(_stream(speech)) if isinstance(driver, Classifies) else None


async def processor_ms(driver: Driver, speech: Sequence[SpeechChunk]) -> float:
    """Milliseconds of processor time that driving takes at the frame rate of a live stream, all threads together."""
    start = time.process_time()
    async for _ in driver.drive(_stream(speech), LIVE_FPS):
        pass
    return 1000 * (time.process_time() - start)
