"""What networks hear: sound as the mel spectra and waveforms that the models people bring were trained on.

Each front end is computed as its source does, from 16 kHz mono float32, in numpy alone:

- `wav2lip_mel`: Wav2Lip (Prajwal et al. 2020), ``audio.py`` and ``hparams.py``: librosa's centred spectra, Slaney mel.
- `kaldi_fbank`: Kaldi's ``compute-fbank-feats`` with dither 0, as WeNet (25 ms / 10 ms) and DH_live (50 / 20) call it.
- `whisper_mel`: OpenAI Whisper's log-mel spectrum of a padded window.
- `normalised`: the zero mean and unit variance of wav2vec 2.0 and HuBERT.
"""

from __future__ import annotations

import functools
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from anchor.media import SAMPLE_RATE, Floats, Samples

RATE = 16_000
"""Samples a second that all of these hear."""

_RATIO = SAMPLE_RATE // RATE
_TAPS = 48
"""Samples at `SAMPLE_RATE` on each side that one at `RATE` is made of."""
DECIMATION_SECONDS = _TAPS / SAMPLE_RATE
"""How much later sound must be known for a sample at `RATE`."""

MEL_HOP, MEL_WINDOW = 200, 800
MEL_BINS = 80
_PRE_EMPHASIS = 0.97
_NOISE = 1e-5
"""Amplitude of what is put in place of digital silence, which no recording holds and no network has heard."""


@functools.cache
def _low_pass() -> Floats:
    """A windowed sinc (Kaiser, beta 8) that keeps what `RATE` can carry; of unit sum."""
    at = np.arange(-_TAPS, _TAPS + 1)
    taps = np.sinc(at * 0.94 / _RATIO) * np.kaiser(2 * _TAPS + 1, 8.0)
    return cast(Floats, (taps / taps.sum()).astype(np.float32))


def thinned(sound: Floats, taps: Floats, ratio: int) -> tuple[Floats, Floats]:
    """Low-pass `sound` by `taps` and take one sample in `ratio`; also what is left for the next time."""
    count = max(0, (sound.size - taps.size) // ratio + 1)
    if not count:
        return sound[:0], sound
    windows = np.lib.stride_tricks.sliding_window_view(sound, taps.size)[::ratio][:count]
    # A copy first: overlapping rows would keep the product from the fast library.
    return np.ascontiguousarray(windows) @ taps, sound[count * ratio :]


class Ear:
    """Sound at `SAMPLE_RATE` that arrives in chunks of any size, heard at `RATE`: the same whatever the chunks are.

    Before its beginning there is silence, and after `finish` too.
    """

    def __init__(self) -> None:
        self._left = np.zeros(_TAPS, np.float32)
        self._sound = np.zeros(0, np.float32)
        self._dropped = 0
        self._ended = False

    @property
    def known(self) -> int:
        """Samples at `RATE` that are known."""
        return self._dropped + self._sound.size

    @property
    def ended(self) -> bool:
        return self._ended

    def push(self, audio: Samples) -> None:
        sound = np.concatenate([self._left, np.asarray(audio, np.float32)])
        heard, self._left = thinned(sound, _low_pass(), _RATIO)
        self._sound = np.concatenate([self._sound, heard])

    def finish(self) -> None:
        if not self._ended:
            self.push(np.zeros(_TAPS + _RATIO, np.float32))
            self._ended = True

    def has(self, end: int) -> bool:
        """Whether everything before sample `end` is known."""
        return self._ended or end <= self.known

    def take(self, start: int, end: int) -> Floats:
        """Samples from `start` to `end`, silence where there are none."""
        out = np.zeros(end - start, np.float32)
        low, high = max(start, self._dropped), min(end, self.known)
        if low < high:
            out[low - start : high - start] = self._sound[low - self._dropped : high - self._dropped]
        return out

    def forget(self, sample: int) -> None:
        """Let go of what lies before `sample`."""
        count = min(sample, self.known) - self._dropped
        if count > RATE:
            self._sound = self._sound[count:].copy()
            self._dropped += count


def with_noise(sound: Floats) -> Floats:
    """Sound with faint noise, the same every time, where it is exactly nothing."""
    silent = sound == 0
    if not silent.any():
        return sound
    noise = np.random.default_rng(0).standard_normal(sound.size).astype(np.float32) * np.float32(_NOISE)
    return cast(Floats, np.where(silent, noise, sound))


# Mel scales


def _slaney(hertz: Any) -> Any:
    """Linear to 1 kHz, logarithmic above (Auditory Toolbox, Slaney 1998), as librosa has it."""
    hertz = np.asarray(hertz, np.float64)
    return np.where(hertz < 1000, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) * 27 / np.log(6.4))


def _from_slaney(mel: Any) -> Any:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


@functools.cache
def slaney_filters(size: int, bins: int, low: float, high: float) -> Floats:
    """Triangles of equal area over the bins of a real transform of `size` at `RATE`: float32, (bins, size // 2 + 1)."""
    edges = _from_slaney(np.linspace(_slaney(low), _slaney(high), bins + 2))
    hertz = np.linspace(0, RATE / 2, size // 2 + 1)
    slopes = edges[:, None] - hertz
    widths = np.diff(edges)
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return cast(Floats, filters.astype(np.float32))


def _hann(size: int) -> NDArray[np.float64]:
    """Periodic, as for spectra."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def _frames(sound: Any, size: int, hop: int) -> Any:
    return np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]


# Wav2Lip


def mel_reach(frame: int) -> tuple[int, int]:
    """The samples, first and end, that mel frame `frame` of a sound is made of, its pre-emphasis included."""
    middle = frame * MEL_HOP
    return middle - MEL_WINDOW // 2 - 1, middle + MEL_WINDOW // 2


def wav2lip_mel(sound: Floats) -> Floats:
    """Mel spectra -4..4 of sound that begins one sample before its first window: float32, (80, frames).

    `mel_reach` says which samples a frame needs. Sound before an utterance counts as silence; librosa pads likewise.
    """
    heard = with_noise(sound).astype(np.float64)
    emphasised = heard[1:] - _PRE_EMPHASIS * heard[:-1]
    spectra = np.abs(np.fft.rfft(_frames(emphasised, MEL_WINDOW, MEL_HOP) * _hann(MEL_WINDOW)))
    mel = spectra @ slaney_filters(MEL_WINDOW, MEL_BINS, 55.0, 7600.0).T.astype(np.float64)
    decibels = 20 * np.log10(np.maximum(1e-5, mel)) - 20
    return cast(Floats, np.clip(8 * (decibels + 100) / 100 - 4, -4, 4).T.astype(np.float32))


# Kaldi


@functools.cache
def _kaldi_filters(size: int, bins: int) -> NDArray[np.float64]:
    """Triangles on a mel scale of 1127 ln(1 + f / 700), from 20 Hz to half the rate, without the last bin."""

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0)

    low, high = mel(20.0), mel(RATE / 2)
    step = (high - low) / (bins + 1)
    left = low + step * np.arange(bins)[:, None]
    at = mel(np.arange(size // 2) * RATE / size)[None]
    filters = np.maximum(0, np.minimum((at - left) / step, (left + 2 * step - at) / step))
    return np.pad(filters, [(0, 0), (0, 1)])


def kaldi_fbank(sound: Floats, *, length: int = 400, hop: int = 160, bins: int = 80) -> Floats:
    """Log mel energies of windows of `length` samples: float32, (frames, bins).

    Kaldi's defaults with dither 0 and ``snip_edges``: no mean, pre-emphasis .97, Povey window, power spectrum. `sound`
    is -1..1 and taken to 16 bits as Kaldi reads them.
    """
    frames = _frames(sound.astype(np.float64) * 32768, length, hop)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames = frames - _PRE_EMPHASIS * before
    povey = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length - 1))) ** 0.85
    size = 1 << (length - 1).bit_length()
    power = np.abs(np.fft.rfft(frames * povey, size)) ** 2
    energies = power @ _kaldi_filters(size, bins).T
    return cast(Floats, np.log(np.maximum(energies, np.finfo(np.float32).eps)).astype(np.float32))


# Whisper

WHISPER_HOP, WHISPER_WINDOW = 160, 400
WHISPER_FRAMES = 3000
"""Frames of the 30 s that Whisper's encoder takes."""


def whisper_mel(sound: Floats, frames: int = WHISPER_FRAMES, bins: int = 80) -> Floats:
    """Log mel spectrum of sound, padded with silence to `frames`: float32, (bins, frames)."""
    padded = np.zeros(frames * WHISPER_HOP, np.float64)
    padded[: min(sound.size, padded.size)] = sound[: padded.size]
    # The window hangs over both ends; what is there is mirrored.
    padded = np.pad(padded, WHISPER_WINDOW // 2, mode="reflect")
    power = np.abs(np.fft.rfft(_frames(padded, WHISPER_WINDOW, WHISPER_HOP)[:frames] * _hann(WHISPER_WINDOW))) ** 2
    mel = power @ slaney_filters(WHISPER_WINDOW, bins, 0.0, RATE / 2).T.astype(np.float64)
    logs = np.log10(np.maximum(mel, 1e-10)).T
    return cast(Floats, ((np.maximum(logs, logs.max() - 8) + 4) / 4).astype(np.float32))


# wav2vec 2.0 and HuBERT


def normalised(sound: Floats) -> Floats:
    """Zero mean and unit variance, float32."""
    return cast(Floats, ((sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)).astype(np.float32))
