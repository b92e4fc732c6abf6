"""What brings a synthetic voice nearer to a recorded one: an equaliser. `anchor.voice.sound.limited` comes after it.

More was tried and left out, since it measured no better. Sibilants lie no higher than in recordings, so there is no
de-esser; syllables are more even than a reader's (3 to 5 dB of spread, a reader's 4.5 to 5.5), so there is no
compression; and early reflections of -30 dB already make phones less certain in most languages (by our own network).

Causal and without delay: sample n of the sound stays sample n, so timings hold, and however a sound is cut into pieces,
the same samples come out.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from anchor.media import SAMPLE_RATE, Samples

VERSION = "1"
"""Changes whenever the same voice comes out of here otherwise."""

TAPS = 384
"""Of every filter: 8 ms."""

Curve = tuple[tuple[float, float], ...]
"""A response: hertz and decibels, in order; straight lines between."""


class Equaliser:
    """A response for one stretch of sound that comes in pieces."""

    def __init__(self, curve: Curve) -> None:
        self._taps = taps_of(curve)
        self._before = np.zeros(TAPS - 1, np.float32)

    def process(self, sound: Samples) -> Samples:
        """As much sound as is given."""
        if not len(sound):
            return sound
        held = np.concatenate([self._before, sound])
        self._before = held[len(held) - len(self._before) :]
        size = 1 << (len(held) + TAPS).bit_length()
        product = np.fft.rfft(held, size) * np.fft.rfft(self._taps, size)
        return np.asarray(np.fft.irfft(product, size)[TAPS - 1 : TAPS - 1 + len(sound)], np.float32)


def equalised(sound: Samples, curve: Curve) -> Samples:
    """The whole of a sound."""
    return Equaliser(curve).process(sound)


@functools.cache
def taps_of(curve: Curve) -> NDArray[np.float32]:
    """Taps of minimum phase with a response, so that nothing is delayed (by the cepstrum: Oppenheim and Schafer)."""
    size = 8192
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    decibels = np.interp(frequencies, [place for place, _ in curve], [level for _, level in curve])
    cepstrum = np.fft.irfft(decibels * (math.log(10) / 20))
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:TAPS]
    taps[TAPS // 2 :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(TAPS - TAPS // 2) / (TAPS - TAPS // 2))
    return taps.astype(np.float32)
