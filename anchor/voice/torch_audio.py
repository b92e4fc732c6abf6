"""What coqui-tts uses of torchaudio, in PyTorch, librosa, soxr and soundfile alone.

coqui-tts does not start without the packages torchaudio and torchcodec. Their wheels on PyPI are built for CUDA: beside
a PyTorch for CPUs they fail to load, and take down transformers with them. Speaking needs four of their functions, so
`provide` puts those in their place, in the process of the engine only, and neither package has to be installed.

Parameters and buffers are named as torchaudio names them, since checkpoints hold them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from librosa.filters import mel


def provide() -> None:
    """Let ``import torchaudio`` and ``import torchcodec`` find what is here. Call it before coqui-tts is imported."""
    audio, functional, transforms = (_module(f"torchaudio{part}") for part in ("", ".functional", ".transforms"))
    audio.load, audio.functional, audio.transforms = load, functional, transforms  # type: ignore[attr-defined]
    functional.resample = resample  # type: ignore[attr-defined]
    transforms.MelSpectrogram, transforms.Resample = MelSpectrogram, Resample  # type: ignore[attr-defined]
    _module("torchcodec")


def _module(name: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    return module


def load(path: str) -> tuple[torch.Tensor, int]:
    """The sound of a WAV, FLAC or Ogg file, float32 (channels, samples), and its rate."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(np.ascontiguousarray(sound.T)), rate


def resample(waveform: torch.Tensor, orig_freq: int, new_freq: int) -> torch.Tensor:
    """Sound of shape (..., samples) at another rate."""
    if orig_freq == new_freq:
        return waveform
    flat = waveform.detach().cpu().reshape(-1, waveform.shape[-1]).numpy()
    changed = soxr.resample(np.ascontiguousarray(flat.T), orig_freq, new_freq).T
    return torch.from_numpy(np.ascontiguousarray(changed)).reshape(*waveform.shape[:-1], -1).to(waveform.device)


class Resample(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, orig_freq: int = 16000, new_freq: int = 16000) -> None:
        super().__init__()
        self._rates = orig_freq, new_freq

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        return resample(waveform, *self._rates)


class MelSpectrogram(torch.nn.Module):  # type: ignore[misc]
    """Mel bands by the HTK scale of frames centred every `hop_length`: (..., n_mels, frames)."""

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_mels: int = 128,
        window_fn: Callable[[int], torch.Tensor] = torch.hann_window,
        power: float = 2.0,
        normalized: bool = False,
        norm: Any = None,
    ) -> None:
        super().__init__()
        length = win_length or n_fft
        self.spectrogram = _Spectrogram(n_fft, length, hop_length or length // 2, window_fn(length), power, normalized)
        filters = mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=f_max, htk=True, norm=norm)
        self.mel_scale = _MelScale(torch.from_numpy(np.ascontiguousarray(filters.T)))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        return self.mel_scale(self.spectrogram(waveform))


class _Spectrogram(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, size: int, length: int, hop: int, window: torch.Tensor, power: float, normalized: bool) -> None:
        super().__init__()
        self._size, self._length, self._hop, self._power, self._normalized = size, length, hop, power, normalized
        self.register_buffer("window", window)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        flat = waveform.reshape(-1, waveform.shape[-1])
        frames = torch.stft(
            flat, self._size, self._hop, self._length, self.window, center=True, return_complex=True
        ).abs()
        if self._normalized:
            frames = frames / self.window.pow(2).sum().sqrt()
        return frames.pow(self._power).reshape(*waveform.shape[:-1], *frames.shape[-2:])


class _MelScale(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, filters: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("fb", filters)

    def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
        return torch.matmul(spectrum.transpose(-1, -2), self.fb).transpose(-1, -2)
