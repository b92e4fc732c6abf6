"""Models of Coqui's with random weights: they say nothing anybody understands, but by the path that real ones take.

They are written by a process of its own, since coqui-tts is not to be imported here (`anchor.voice.torch_audio`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anchor.errors import MissingError


def write_tiny_vits(
    folder: Path,
    *,
    speakers: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    phonemes: bool = False,
    full_size: bool = False,
) -> Path:
    """Write a model into `folder`, which is made, and return it. Takes seconds. Raises `MissingError`.

    With `phonemes` it takes espeak-ng's, else letters. At `full_size` its layers are those of released models (their
    speed, their 100 MB).
    """
    asked = {"speakers": speakers, "languages": languages, "phonemes": phonemes, "full_size": full_size}
    write_tiny([("vits", folder, asked)])
    return folder


def write_tiny_xtts(folder: Path, *, speakers: Sequence[str] = ("Ann", "Bob"), tokens: int = 50) -> Path:
    """Write an XTTS v2 into `folder` that goes on for `tokens` of 46 ms; return the folder. Raises `MissingError`.

    Its GPT is small. Its decoder has a fixed size (90 MB).
    """
    write_tiny([("xtts", folder, {"speakers": speakers, "tokens": tokens})])
    return folder


def write_tiny(models: Sequence[tuple[str, Path, Mapping[str, Any]]]) -> None:
    """Write several in one go: for each ``vits`` or ``xtts``, its folder, and options as above."""
    asked = json.dumps([[kind, str(folder), dict(options)] for kind, folder, options in models])
    command = [sys.executable, "-m", "anchor.bench.tiny_vits", asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(
            f"a model of Coqui's cannot be made: {(done.stderr.strip() or 'no reason').splitlines()[-1]}"
        )


_SMALL: dict[str, Any] = {
    "hidden_channels": 32, "hidden_channels_ffn_text_encoder": 48, "num_layers_text_encoder": 2,
    "num_layers_posterior_encoder": 2, "num_layers_flow": 2, "upsample_initial_channel_decoder": 64,
    "resblock_kernel_sizes_decoder": [3, 5], "resblock_dilation_sizes_decoder": [[1, 3, 5], [1, 3, 5]],
}  # fmt: skip


def _vits(
    place: Path,
    *,
    speakers: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    phonemes: bool = False,
    full_size: bool = False,
) -> None:
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    from anchor.voice import coqui_espeak

    coqui_espeak.provide(languages)
    arguments: dict[str, Any] = {} if full_size else dict(_SMALL)
    if speakers:
        arguments |= {"use_speaker_embedding": True, "speaker_embedding_channels": 16}
    if len(languages) > 1:
        arguments |= {"use_language_embedding": True}
    config = VitsConfig(
        model_args=VitsArgs(init_discriminator=False, **arguments), text_cleaner="multilingual_cleaners",
        use_phonemes=phonemes, phonemizer="espeak" if phonemes else None,
        phoneme_language=languages[0] if phonemes else None, languages=list(languages), speakers=list(speakers),
        add_blank=True,
    )  # fmt: skip
    model = Vits(config)
    with torch.no_grad():
        # Of random numbers alone its sound would be a whisper, and its sounds would last a frame each.
        model.waveform_decoder.conv_post.weight.mul_(20)
    config.model_args.length_scale = 3.0
    (place / "config.json").write_text(json.dumps(config.to_dict()), "utf-8")
    torch.save({"model": model.state_dict()}, place / "model.pth")


def _xtts(place: Path, *, speakers: Sequence[str] = ("Ann",), tokens: int = 50) -> None:
    import torch
    from tokenizers import Tokenizer, models
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts

    letters = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[zh-cn]", "[de]", *"abcdefghijklmnopqrstuvwxyz.,?!"]
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, [], unk_token="[UNK]"))
    tokenizer.add_special_tokens(letters[:7])
    tokenizer.save(str(place / "vocab.json"))
    width = 64
    config = XttsConfig(
        model_args=XttsArgs(
            gpt_layers=2, gpt_n_model_channels=width, gpt_n_heads=2, gpt_max_audio_tokens=tokens + 3,
            gpt_num_audio_tokens=66, gpt_start_audio_token=64, gpt_stop_audio_token=65, decoder_input_dim=width,
            gpt_use_perceiver_resampler=True, gpt_number_text_tokens=len(letters), gpt_start_text_token=3,
            gpt_stop_text_token=0,
        ),
        languages=["en", "zh-cn", "de"],
    )  # fmt: skip
    model = Xtts(config)
    with torch.no_grad():
        model.hifigan_decoder.waveform_decoder.conv_post.weight.mul_(5)
        model.gpt.mel_head.bias[65] = -100  # it never says by itself that it has come to an end
    config.model_args.gpt_number_text_tokens = None
    (place / "config.json").write_text(json.dumps(config.to_dict()), "utf-8")
    torch.save({"model": model.state_dict()}, place / "model.pth")
    known = {
        name: {"gpt_cond_latent": torch.randn(1, 32, width), "speaker_embedding": torch.randn(1, 512, 1)}
        for name in speakers
    }
    torch.save(known, place / "speakers_xtts.pth")


if __name__ == "__main__":
    from anchor.voice import torch_audio

    torch_audio.provide()
    import torch

    for kind, folder, options in json.loads(sys.argv[1]):
        torch.manual_seed(7)
        Path(folder).mkdir(parents=True, exist_ok=True)
        if kind == "vits":
            _vits(Path(folder), **options)
        else:
            _xtts(Path(folder), **options)
