"""Sounds to listen to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from anchor.events import Sentence
from anchor.hearing.audio_file import read_audio
from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE, Hearing
from anchor.voice.espeak import EspeakVoice


@cache
def spoken(text: str, language: str = "en", variant: str | None = None) -> Samples:
    """What the embedded voice says, at 48 kHz, as the presenter or in another timbre of espeak-ng."""

    async def main() -> Samples:
        voice = EspeakVoice(workers=1, variant=variant)
        try:
            return np.concatenate([chunk.audio async for chunk in voice.speak(Sentence(text, language))])
        finally:
            await voice.close()

    with ThreadPoolExecutor(1) as thread:  # a test's own event loop may be running in this one
        return thread.submit(lambda: asyncio.run(main())).result()


@cache
def heard(text: str, language: str = "en", variant: str | None = None) -> Hearing:
    """The same at the rate of listening, in a quiet room, with a pause before and after."""
    sound: Hearing = soxr.resample(spoken(text, language, variant), SAMPLE_RATE, HEARING_RATE)
    quiet: Hearing = noise(len(sound) + HEARING_RATE * 6 // 10, -65)
    quiet[HEARING_RATE * 3 // 10 :][: len(sound)] += sound
    return quiet


def noise(samples: int, level: float, seed: int = 1) -> Samples:
    """White noise of so many dB of full scale."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(samples) * 10 ** (level / 20)).astype(np.float32)


def silence(seconds: float, rate: int = SAMPLE_RATE) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


def recording(path: Path) -> Hearing:
    return read_audio(path.read_bytes(), path.name)
