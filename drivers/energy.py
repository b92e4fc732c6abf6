"""How loud and how bright speech is, ten milliseconds at a time, and a face made from that alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, SAMPLE_RATE, Floats, Samples
from drivers.visemes import columns

HOP = SAMPLE_RATE // 100
"""Samples in one measurement."""

_RANGE = 30.0
"""Decibels below the slow peak that count as silence."""
_PEAK_FALL = 2.0
"""Decibels a second by which the slow peak forgets; slower than any phrase, faster than a change of speaker."""
_QUIETEST_PEAK = -40.0
_FIRST_PEAK = -22.0
_WINDOW = 6
_JAW, _LIPS = columns("jaw"), columns("lowerDown")
_WIDE, _ROUND = columns("stretch"), columns("funnel")


class Loudness:
    """Level and brightness of a growing sound, on a grid that does not depend on how it is cut into chunks.

    `levels` are 0..1 relative to a causal slow peak (the same normalisation offline and live); `brightness` is the
    spectral centroid in Hz as the ratio of the energies of the first difference and the sound gives it.
    """

    def __init__(self) -> None:
        self._left = np.zeros(0, np.float32)
        self._last = 0.0
        self._peak = _FIRST_PEAK
        # Running sums of levels, and of brightness weighted by them: a mean is then a difference.
        self._sums = np.zeros(1)
        self._weighted = np.zeros(1)
        self._dropped = 0

    def push(self, audio: Samples) -> None:
        sound = np.concatenate([self._left, audio]) if self._left.size else np.asarray(audio, np.float32)
        whole = sound.size // HOP * HOP
        self._left = sound[whole:].copy()
        if whole:
            self._measure(sound[:whole].astype(np.float64))

    def finish(self) -> None:
        """Measure what is left, as if silence followed."""
        if self._left.size:
            self.push(np.zeros(HOP - self._left.size, np.float32))

    def _measure(self, sound: NDArray[np.float64]) -> None:
        steps = np.empty_like(sound)
        steps[0] = sound[0] - self._last
        np.subtract(sound[1:], sound[:-1], out=steps[1:])
        self._last = float(sound[-1])
        rows, changes = sound.reshape(-1, HOP), steps.reshape(-1, HOP)
        energy = np.einsum("ij,ij->i", rows, rows) / HOP + 1e-10
        change = np.einsum("ij,ij->i", changes, changes) / HOP
        centroid = SAMPLE_RATE / math.pi * np.arcsin(np.minimum(1.0, np.sqrt(change / energy) / 2))
        decibels = 10 * np.log10(energy)
        # The peak sinks evenly until something is louder: the largest of all before, each sunk since then.
        sinking = np.arange(1, decibels.size + 1) * (_PEAK_FALL * HOP / SAMPLE_RATE)
        peak = np.maximum(np.maximum.accumulate(decibels + sinking), self._peak) - sinking
        np.maximum(peak, _QUIETEST_PEAK, out=peak)
        self._peak = float(peak[-1])
        levels = np.minimum(1.0, np.maximum(0.0, 1 + (decibels - peak) / _RANGE))
        self._sums = np.concatenate([self._sums, self._sums[-1] + np.cumsum(levels)])
        self._weighted = np.concatenate([self._weighted, self._weighted[-1] + np.cumsum(levels * centroid)])

    def forget(self, sample: int) -> None:
        """Let go of measurements before `sample`."""
        count = max(0, sample // HOP - self._dropped)
        if count > 200:
            self._sums, self._weighted = self._sums[count:], self._weighted[count:]
            self._dropped += count

    def around(self, middles: NDArray[np.float64], reach: int = _WINDOW) -> tuple[Floats, Floats]:
        """Mean level and brightness within `reach` hops of each time in `middles` (seconds); silence outside."""
        last = self._sums.size - 1
        centres = np.floor(middles * (SAMPLE_RATE / HOP)).astype(np.int64) - self._dropped
        low = np.minimum(np.maximum(centres - reach, 0), last)
        high = np.minimum(np.maximum(centres + reach + 1, 0), last)
        total = self._sums[high] - self._sums[low]
        mean = total / (2 * reach + 1)
        hertz = (self._weighted[high] - self._weighted[low]) / np.maximum(total, 1e-6)
        return mean.astype(np.float32), hertz.astype(np.float32)


def face_from_sound(levels: Floats, brightness: Floats) -> Floats:
    """Mouth weights, float32 of shape (frames, 52), from loudness and spectral tilt: the last resort, never frozen.

    Loudness alone follows real lips better (correlation .45 to .60) than the usual band-energy rules; brightness tells
    hissing, where the teeth are together, from vowels.
    """
    weights = np.zeros((levels.size, len(ARKIT)), np.float32)
    open_ = np.clip((levels - 0.35) / 0.6, 0, 1) ** 1.2
    hiss = np.clip((brightness - 2500) / 3500, 0, 1)
    dark = np.clip((700 - brightness) / 400, 0, 1)
    weights[:, _JAW] = (0.55 * open_ * (1 - 0.75 * hiss) * (1 - 0.4 * dark))[:, None]
    weights[:, _LIPS] = (0.22 * open_)[:, None]
    weights[:, _WIDE] = (0.25 * open_ * hiss)[:, None]
    weights[:, _ROUND] = (0.35 * open_ * dark)[:, None]
    return weights
