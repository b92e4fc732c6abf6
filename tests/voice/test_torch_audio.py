"""What stands in for torchaudio must hear as torchaudio does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch", reason="needs the extra tts")
soundfile: Any = pytest.importorskip("soundfile", reason="needs the extra tts")
pytest.importorskip("librosa", reason="needs the extra tts")

from anchor.voice import torch_audio  # noqa: E402

TONE = torch.sin(torch.arange(16000) / 16000 * 2 * np.pi * 1000)[None]

SPEAKER: dict[str, Any] = {"sample_rate": 16000, "n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 64}
STYLE: dict[str, Any] = {
    "sample_rate": 22050, "n_fft": 2048, "win_length": 1024, "hop_length": 256, "n_mels": 80, "f_max": 8000,
    "norm": "slaney",
}  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "window", "shape", "first", "expected"),
    [
        (SPEAKER, torch.hamming_window, (1, 64, 101), 20, [7.4284, 3962.899, 14800.809, 1569.058]),
        (STYLE, torch.hann_window, (1, 80, 63), 32, [0.02846, 282.2845, 2571.0632, 187.5471, 0.01753]),
    ],
)
def test_mel_bands_of_a_tone_are_those_of_torchaudio(
    settings: dict[str, Any], window: Any, shape: tuple[int, ...], first: int, expected: list[float]
) -> None:
    """The values are torchaudio 2.11.0's, for the settings of XTTS's two encoders."""
    bands = torch_audio.MelSpectrogram(window_fn=window, **settings)(TONE)
    assert tuple(bands.shape) == shape
    found = bands[0, first : first + len(expected), shape[2] // 2].tolist()
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_what_checkpoints_hold_has_the_names_that_torchaudio_gives_it() -> None:
    buffers = torch_audio.MelSpectrogram(**SPEAKER).state_dict()
    assert {name: tuple(value.shape) for name, value in buffers.items()} == {
        "spectrogram.window": (400,), "mel_scale.fb": (257, 64),
    }  # fmt: skip


def test_resampling_keeps_the_tone_and_its_length() -> None:
    for changed in (torch_audio.resample(TONE, 16000, 22050), torch_audio.Resample(16000, 22050)(TONE)):
        assert changed.shape == (1, 22050)
        spectrum = np.abs(np.fft.rfft(changed[0].numpy() * np.hanning(22050)))
        assert int(spectrum.argmax()) == 1000
    assert torch_audio.resample(TONE, 16000, 16000) is TONE


def test_clips_are_read_as_channels_of_floats(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    soundfile.write(path, np.stack([TONE[0].numpy() / 2, np.zeros(16000)], 1), 16000)
    sound, rate = torch_audio.load(str(path))
    assert (tuple(sound.shape), rate, sound.dtype) == ((2, 16000), 16000, torch.float32)
    assert float(sound[0].max()) == pytest.approx(0.5, abs=1e-3)
