"""What every voice's raw sound goes through: to the project's rate, an even loudness, pieces, and sanity."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import numpy as np
import soxr

from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.loudness import Meter
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk
from anchor.voice.sound import LOUDNESS, limited

CHUNK_SECONDS = 0.5
"""Longest stretch of sound handed out at once."""
LARGEST_GAIN = 15.0
"""Decibels: a quieter voice is noise when it is raised further."""
GLIDE = 3.0
"""Decibels a second by which the gain may change within a sentence."""
LEARNING_GLIDE = 12.0
"""The same while the loudness of a voice is being learnt, in its first sentence."""
LEARNT_SECONDS = 0.4
"""How much of a voice must be heard to know anything of its loudness."""
PRESUMED = -20.0
"""LUFS of a voice of which nothing is known; most lie within a few decibels of it."""
INAUDIBLE = 1e-4

_GRID = SAMPLE_RATE // 1000
_HELD = 20 * _GRID
"""Twice as far as the limiter looks."""

_LATIN_RATE, _WIDE_RATE = 13.0, 4.5
"""Characters a second of unhurried reading, in letters and in Chinese, Japanese or Korean."""
_LONGEST = 6.0
"""Times the expected length, and 10 seconds on top, after which a voice counts as endless."""


def expected_seconds(text: str) -> float:
    """How long an unhurried reader takes for a text."""
    wide = sum(ord(character) > 0x2E7F for character in text)
    return wide / _WIDE_RATE + (len(text) - wide) / _LATIN_RATE


class Level:
    """How loud a voice is by itself, learnt over its sentences, and the gain that brings it to `LOUDNESS`."""

    def __init__(self, lufs: float | None = None) -> None:
        """`lufs` is the voice's own loudness, where it is known."""
        self._lufs = lufs

    @property
    def known(self) -> bool:
        return self._lufs is not None

    @property
    def gain(self) -> float:
        """Decibels."""
        lufs = PRESUMED if self._lufs is None else self._lufs
        return float(np.clip(LOUDNESS - lufs, -LARGEST_GAIN, LARGEST_GAIN))

    def learn(self, lufs: float) -> None:
        """Take what was measured from the beginning of the voice's first sentence for all that is known."""
        if np.isfinite(lufs) and lufs > -50:
            self._lufs = lufs

    def hear(self, lufs: float, seconds: float) -> None:
        """Take in what was measured over so many seconds of the voice, before any gain."""
        if np.isfinite(lufs) and lufs > -50:
            trust = 1.0 if self._lufs is None else min(0.5, seconds / 20)
            self._lufs = lufs if self._lufs is None else self._lufs + trust * (lufs - self._lufs)


class Limiter:
    """`anchor.voice.sound.limited` for sound that comes in pieces: its gain goes over from each into the next.

    What lies within `_HELD` of the end waits for what follows.
    """

    def __init__(self) -> None:
        self._known = np.zeros(0, np.float32)
        self._given = 0
        """Samples of what is known that have been given."""

    def push(self, sound: Samples, *, last: bool = False) -> Samples:
        """The sound that is settled now; with `last` all that is left."""
        known = np.concatenate((self._known, sound))
        # Whole milliseconds, which is what the limiter counts in.
        until = len(known) if last else max(self._given, (len(known) - _HELD) // _GRID * _GRID)
        ready: Samples = limited(known)[self._given : until].copy()
        start = max(0, until - _HELD) // _GRID * _GRID
        self._known, self._given = known[start:], until - start
        return ready


async def sounding(
    pieces: AsyncIterator[Samples], rate: int, sentence: Sentence, level: Level, *, name: str
) -> AsyncGenerator[SpeechChunk, None]:
    """Sound as a voice made it, float32 mono at `rate`, as chunks without words.

    Raises `VoiceError` for sound that is none, has no end, or cannot be heard.
    """
    learning = not level.known
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32") if rate != SAMPLE_RATE else None
    longest = _LONGEST * expected_seconds(sentence.text) + 10
    meter, limiter, heard, audible, gain = Meter(), Limiter(), 0, False, None
    async with aclosing(cast("AsyncGenerator[Samples, None]", _ending(pieces))) as source:
        async for raw, last in source:
            if not np.isfinite(raw).all():
                raise VoiceError(f"voice {name!r} gave sound that is no sound")
            audible = audible or bool(raw.size and np.abs(raw).max() > INAUDIBLE)
            sound = raw if resampler is None else resampler.resample_chunk(raw, last=last)
            heard += len(sound)
            if heard > longest * SAMPLE_RATE:
                raise VoiceError(
                    f"voice {name!r} does not end: {heard / SAMPLE_RATE:.0f} s for {len(sentence.text)} characters"
                )
            if not len(sound):
                continue
            meter.add(sound)
            if learning and heard >= LEARNT_SECONDS * SAMPLE_RATE:
                level.learn(meter.lufs())
            gain = level.gain if gain is None else gain
            for start in range(0, len(sound), round(CHUNK_SECONDS * SAMPLE_RATE)):
                piece = sound[start : start + round(CHUNK_SECONDS * SAMPLE_RATE)]
                step = (LEARNING_GLIDE if learning else GLIDE) * len(piece) / SAMPLE_RATE
                after = gain + float(np.clip(level.gain - gain, -step, step))
                curve = 10 ** (np.linspace(gain, after, len(piece), dtype=np.float32) / 20)
                ready = limiter.push(np.asarray(piece * curve, np.float32))
                gain = after
                if len(ready):
                    yield SpeechChunk(ready)
    if not audible and any(character.isalnum() for character in sentence.text):
        raise VoiceError(f"voice {name!r} gave no sound for {sentence.text[:60]!r}")
    if len(rest := limiter.push(np.zeros(0, np.float32), last=True)):
        yield SpeechChunk(rest)
    level.hear(meter.lufs(), heard / SAMPLE_RATE)


async def _ending(pieces: AsyncIterator[Samples]) -> AsyncGenerator[tuple[Samples, bool], None]:
    """Pieces, and with an empty one the end."""
    async with aclosing(cast("AsyncGenerator[Samples, None]", pieces)) as source:
        async for piece in source:
            yield np.asarray(piece, np.float32), False
    yield np.zeros(0, np.float32), True
