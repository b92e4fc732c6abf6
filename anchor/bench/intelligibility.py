"""How well English voices are understood: word errors of pocketsphinx over fifty sentences of a bulletin.

The recogniser is a weak listener, which is what makes it a measure: it mistakes a tenth of what a clear voice says. The
embedded voice is compared with espeak-ng as it comes, and with every other English voice that can speak here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import cast

import numpy as np
import soxr

from anchor import registry
from anchor.bench.bulletin import BULLETIN, words
from anchor.bench.hearing import distance
from anchor.bench.measure import Figure, Tell
from anchor.errors import AnchorError
from anchor.events import Sentence
from anchor.hearing.sphinx import SphinxRecognizer
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, Voice
from anchor.talk import HEARING_RATE, Hearing
from anchor.voice import choice, espeak, sound
from anchor.workers import WorkerPool

KINDS = {"news": slice(0, 30), "numbers": slice(30, 42), "names": slice(42, None)}
EMBEDDED = "espeak"
ROOM = -60.0
"""Noise under what is spoken, in dB of full scale."""
PLAIN = {"voice": "gmw/en-US", "timbre": "", "rate": 175, "pitch": 50, "range": 50, "phonemes": False}
"""espeak-ng as it comes."""
GAIN = 6.0
"""Decibels that bring it to the loudness of the others."""

_SPELT = {"doctor": "dr", "mister": "mr", "okay": "ok"}


async def measure(tell: Tell) -> list[Figure]:
    """Figures of all English voices here."""
    recognizer = SphinxRecognizer(mode="free", workers=2)
    try:
        await recognizer.warm(["en"])
        tell("espeak-ng as it comes")
        plain = await errors(recognizer, await _plain())
        figures = _figures("plain_espeak", plain)
        for engine in reversed(choice.preferred("en")):
            tell(f"the voice {engine}")
            try:
                spoken = await _spoken(engine)
            except AnchorError as error:
                tell(f"{engine} is left out: {error}")
                continue
            found = await errors(recognizer, spoken)
            if engine == EMBEDDED:
                figures.append(Figure("embedded_to_plain_max", _share(found) / max(1e-9, _share(plain)), "ratio", 1.0))
            figures += _figures("embedded" if engine == EMBEDDED else engine, found)
    finally:
        await recognizer.close()
    return figures


async def errors(recognizer: SphinxRecognizer, sounds: Sequence[Samples]) -> list[tuple[int, int]]:
    """For each sentence of `BULLETIN`, words to mend in what is heard, and words said."""
    gate = asyncio.Semaphore(2)

    async def one(said: tuple[str, str], audio: Samples) -> tuple[int, int]:
        async with gate:
            wanted, got = _written(words(*said)), _written((await _heard(recognizer, audio)).split())
        return distance(wanted, got), len(wanted)

    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(one(said, audio)) for said, audio in zip(BULLETIN, sounds, strict=True)]
    return [task.result() for task in found]


def _written(heard: Sequence[str]) -> list[str]:
    """Without the "and" of hundreds, and as the recogniser spells."""
    kept = [word for place, word in enumerate(heard) if not (word == "and" and place and heard[place - 1] == "hundred")]
    return [_SPELT.get(word, word) for word in kept]


async def _heard(recognizer: SphinxRecognizer, audio: Samples) -> str:
    rng = np.random.default_rng(len(audio))
    padded = np.pad(audio, SAMPLE_RATE // 2)
    noisy = padded + rng.standard_normal(len(padded)) * 10 ** (ROOM / 20)
    heard: Hearing = soxr.resample(noisy.astype(np.float32), SAMPLE_RATE, HEARING_RATE)

    async def pieces() -> AsyncIterator[Hearing]:
        for place in range(0, len(heard), 4096):
            yield heard[place : place + 4096]

    texts = [told.text async for told in recognizer.listen(pieces(), "en")]
    # A final that the recogniser doubts is empty; what it heard is told before.
    return next((text for text in reversed(texts) if text), "").lower()


async def _plain() -> list[Samples]:
    pool = WorkerPool("espeak-ng", espeak.command, 1)
    found = []
    try:
        for text, _ in BULLETIN:
            answer, pcm = await pool.run(lambda text=text: pool.ask({**PLAIN, "text": text}))  # type: ignore[misc]
            found.append(sound.from_int16(pcm, answer["rate"], gain=GAIN))
    finally:
        await pool.close()
    return found


async def _spoken(engine: str) -> list[Samples]:
    factory = registry.load("anchor.voice", engine)
    voice: Voice = factory(**choice.options_for(engine, "en"))
    try:
        return [await _said(voice, text) for text, _ in BULLETIN]
    finally:
        await voice.close()


async def _said(voice: Voice, text: str) -> Samples:
    async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", voice.speak(Sentence(text, "en")))) as speech:
        return np.concatenate([chunk.audio async for chunk in speech])


def _share(found: Sequence[tuple[int, int]]) -> float:
    return 100 * sum(wrong for wrong, _ in found) / sum(said for _, said in found)


def _figures(name: str, found: Sequence[tuple[int, int]]) -> list[Figure]:
    return [
        Figure(f"{name}_word_errors", _share(found), "%"),
        *(Figure(f"{name}_word_errors_{kind}", _share(found[part]), "%") for kind, part in KINDS.items()),
    ]
