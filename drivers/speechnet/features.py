"""What the network hears: 40 log-mel bands every 10 ms, levelled by what came before and nothing that comes after.

Levelling by a whole utterance is what makes offline networks fail live (a quiet microphone leaves 14 % of frames right
instead of 43); here a slow mean of each band over active frames is taken off, kept by the stream and updated once every
`BLOCK` frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from anchor.media import SAMPLE_RATE, Floats, Samples
from drivers.features import thinned

RATE = 16_000
HOP = 160
WINDOW = 400
BANDS = 40
BLOCK = 4
"""Frames of 10 ms that are levelled together: one beat at 25 frames a second."""

_DECIMATE = SAMPLE_RATE // RATE
_FFT = 512
_LOWEST, _HIGHEST = 60.0, 7600.0
_FLOOR = 1e-7
_FALL = 0.03
"""Nepers of energy a frame that the tracked peak sinks: 13 dB in a second."""
_ACTIVE = 3.0
"""Nepers of energy under the peak (13 dB) within which a frame counts as speech."""
_MEMORY = 300
_PRIOR = 40


def _taps() -> Floats:
    """A low-pass for taking every third sample: windowed sinc, 7.4 kHz."""
    place = np.arange(-24, 25)
    cut = 7400 / SAMPLE_RATE
    taps = 2 * cut * np.sinc(2 * cut * place) * np.kaiser(place.size, 7.0)
    found: Floats = (taps / taps.sum()).astype(np.float32)
    return found


def _filters() -> Floats:
    """Triangles on the mel scale (O'Shaughnessy), float32 of shape (bins, bands)."""
    low, high = (2595 * math.log10(1 + edge / 700) for edge in (_LOWEST, _HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.arange(_FFT // 2 + 1) * RATE / _FFT
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    found: Floats = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return found


_TAPS = _taps()
_FILTERS = _filters()
_SHAPE = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def log_mel(sound: Samples) -> Floats:
    """Natural logarithm of band energies of 16 kHz sound, shape (frames, 40), for every whole window of it."""
    if sound.size < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * _SHAPE, _FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    mel: Floats = np.log(power @ _FILTERS + _FLOOR)
    return mel


PRIOR: Floats = np.linspace(1.0, -2.5, BANDS, dtype=np.float32)
"""About the mean of active frames of speech at -23 LUFS; a second of speech replaces it."""


@dataclass(slots=True)
class Leveller:
    """The slow mean of each band, from active frames; until some are heard, that of speech at broadcast loudness."""

    mean: Floats = field(default_factory=lambda: PRIOR.copy())
    heard: float = _PRIOR
    peak: float = float(PRIOR.mean())

    def level(self, mel: Floats) -> Floats:
        """Take the mean off a whole number of blocks, shape (frames, 40), each after it has moved the mean."""
        blocks = mel.reshape(-1, BLOCK, BANDS)
        loud = blocks.mean(axis=2).tolist()
        levelled = np.empty_like(blocks)
        for index, levels in enumerate(loud):
            self.peak = max(self.peak - _FALL * BLOCK, *levels)
            active = [frame for frame, level in enumerate(levels) if level > self.peak - _ACTIVE]
            if active:
                self.heard = min(_MEMORY, self.heard + len(active))
                mean = blocks[index, active].sum(axis=0) * np.float32(1 / len(active))
                self.mean += np.float32(len(active) / self.heard) * (mean - self.mean)
            np.subtract(blocks[index], self.mean, out=levelled[index])
        return levelled.reshape(-1, BANDS)


class Ear:
    """Sound of 48 kHz in, levelled frames out, a block at a time; belongs to one stream.

    Frame n is centred at 10 n ms of the sound.
    """

    def __init__(self) -> None:
        self._wide: Samples = np.zeros(_TAPS.size // 2, np.float32)
        self._sound: Samples = np.zeros(WINDOW // 2, np.float32)
        self._leveller = Leveller()
        self._waiting: Floats = np.zeros((0, BANDS), np.float32)

    def push(self, audio: Samples) -> Floats:
        """Take sound; give the frames, shape (frames, 40), of the blocks it completes."""
        wide = np.concatenate([self._wide, audio])
        narrow, self._wide = thinned(wide, _TAPS, _DECIMATE)
        self._sound = np.concatenate([self._sound, narrow])
        return self._blocks()

    def finish(self, frames: int) -> Floats:
        """Go on with silence for `frames` frames at least."""
        return self.push(np.zeros((frames + 2 * BLOCK) * HOP * _DECIMATE + WINDOW * _DECIMATE, np.float32))

    def _blocks(self) -> Floats:
        mel = log_mel(self._sound)
        self._sound = self._sound[len(mel) * HOP :]
        waiting = np.concatenate([self._waiting, mel]) if len(self._waiting) else mel
        whole = len(waiting) // BLOCK * BLOCK
        self._waiting = waiting[whole:]
        return self._leveller.level(waiting[:whole])
