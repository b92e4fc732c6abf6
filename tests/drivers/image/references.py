"""What the sources' own front ends make of a test sound, for `test_features.py`.

Written once by ``python tests/drivers/image/references.py`` where librosa 0.11, kaldi-native-fbank 1.23 and
transformers 5.24 are installed; the project needs none of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("front_ends.npz")
RATE = 16_000


def sound() -> Any:
    """One second of a rising voice with noise and a pause: float32."""
    t = np.arange(RATE) / RATE
    phase = 2 * np.pi * (120 * t + 40 * t * t)
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    noise = np.random.default_rng(1).standard_normal(RATE)
    loud = np.clip(np.minimum(t, 1 - t) * 8, 0, 1) * (np.abs(t - 0.5) > 0.05)
    return (0.15 * voice * loud + 0.002 * noise).astype(np.float32)


def main() -> None:
    import kaldi_native_fbank
    import librosa
    import librosa.filters as filters
    from transformers import WhisperFeatureExtractor

    heard = sound()
    # Wav2Lip, audio.py: preemphasis, _stft, _amp_to_db, _normalize of hparams.py.
    emphasised = np.append(heard[0], heard[1:] - 0.97 * heard[:-1])
    spectra = np.abs(librosa.stft(emphasised, n_fft=800, hop_length=200, win_length=800, pad_mode="constant"))
    basis = filters.mel(sr=RATE, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    decibels = 20 * np.log10(np.maximum(1e-5, basis @ spectra)) - 20
    mel = np.clip(8 * (decibels + 100) / 100 - 4, -4, 4)

    def kaldi(length: float, shift: float) -> Any:
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.dither = 0
        options.frame_opts.snip_edges = True
        options.frame_opts.samp_freq = RATE
        options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms = length, shift
        options.mel_opts.num_bins = 80
        computer = kaldi_native_fbank.OnlineFbank(options)
        computer.accept_waveform(RATE, (heard * 32768).tolist())
        computer.input_finished()
        return np.stack([computer.get_frame(index) for index in range(computer.num_frames_ready)])

    whisper = WhisperFeatureExtractor(feature_size=80)(heard, sampling_rate=RATE, return_tensors="np").input_features[0]
    np.savez_compressed(
        FILE, wav2lip=mel[:, ::9].astype(np.float32), kaldi_25=kaldi(25, 10)[::11].astype(np.float32),
        kaldi_50=kaldi(50, 20)[::7].astype(np.float32), whisper=whisper[:, :110:11].astype(np.float32),
        whisper_after=whisper[:, [150, 2999]].astype(np.float32),
    )  # fmt: skip


if __name__ == "__main__":
    main()
