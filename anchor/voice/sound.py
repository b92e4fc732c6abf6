"""Sound of a voice: to the project's rate, to an even loudness, without clicks."""

from __future__ import annotations

import numpy as np
import soxr

from anchor.media import SAMPLE_RATE, Samples


def from_int16(sound: bytes, rate: int) -> Samples:
    """Mono int16 at `rate` as float32 at `SAMPLE_RATE`, keeping places: sample n lands at n * SAMPLE_RATE / rate."""
    wave: Samples = np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768)
    if rate == SAMPLE_RATE or not len(wave):
        return wave
    return np.asarray(soxr.resample(wave, rate, SAMPLE_RATE), np.float32)


def faded(sound: Samples, seconds: float = 0.005) -> Samples:
    """A copy whose ends rise from and fall to silence."""
    length = min(round(seconds * SAMPLE_RATE), len(sound) // 2)
    answer = sound.copy()
    if length:
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
        answer[:length] *= ramp
        answer[-length:] *= ramp[::-1]
    return answer
