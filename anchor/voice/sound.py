"""Sound of a voice: to the project's rate, equalised, to an even loudness, without clicks."""

from __future__ import annotations

import numpy as np
import soxr

from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.mastering import Curve, equalised

LOUDNESS = -16.0
"""LUFS (ITU-R BS.1770-4) of a bulletin: what streaming services and podcasts settle at."""

CEILING = 10 ** (-2.0 / 20)
"""Largest sample. Voices hold nothing above 11 kHz, so the true peak is at most half a decibel more."""

_SHORTEST = 63
"""Samples; less is no speech."""


def from_int16(sound: bytes, rate: int, *, gain: float = 0.0, curve: Curve = ()) -> Samples:
    """Mono int16 at `rate` as float32 at `SAMPLE_RATE`, `gain` decibels louder, limited to `CEILING`.

    Places are kept: sample n lands at n * SAMPLE_RATE / rate, through the equaliser, too.
    """
    wave: Samples = np.frombuffer(sound, "<i2").astype(np.float32) * np.float32(10 ** (gain / 20) / 32768)
    if len(wave) < _SHORTEST:
        return np.zeros(len(wave) * SAMPLE_RATE // rate, np.float32)
    if rate != SAMPLE_RATE:
        wave = np.asarray(soxr.resample(wave, rate, SAMPLE_RATE), np.float32)
    return limited(equalised(wave, curve) if curve else wave)


def limited(sound: Samples, ceiling: float = CEILING) -> Samples:
    """Turn down what would pass `ceiling`, 5 ms ahead of it and 5 ms after; the rest stays as it is."""
    if not len(sound) or float(np.max(np.abs(sound))) <= ceiling:
        return sound
    block, reach = SAMPLE_RATE // 1000, 5
    blocks = -(-len(sound) // block)
    padded = np.zeros(blocks * block, np.float32)
    padded[: len(sound)] = np.abs(sound)
    need = np.minimum(1, ceiling / np.maximum(padded.reshape(blocks, block).max(axis=1), 1e-9))
    # The least over 2 * reach + 1 blocks, averaged over as many less one on each side, never passes what a block needs.
    wide = np.pad(need, 2 * reach, mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1).min(axis=1)
    gain = np.convolve(least, np.full(2 * reach - 1, 1 / (2 * reach - 1)), "valid")[1:-1]
    places = (np.arange(len(sound)) - block / 2) / block
    return (sound * np.interp(places, np.arange(blocks), gain)).astype(np.float32)


def faded(sound: Samples, seconds: float = 0.005) -> Samples:
    """A copy whose ends rise from and fall to silence."""
    length = min(round(seconds * SAMPLE_RATE), len(sound) // 2)
    answer = sound.copy()
    if length:
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
        answer[:length] *= ramp
        answer[-length:] *= ramp[::-1]
    return answer
