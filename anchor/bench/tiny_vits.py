"""A VITS of Coqui's with random weights: says nothing anybody understands, but by the path that real ones take.

``python -m anchor.bench.tiny_vits FOLDER`` writes its config.json and weights, 3 MB. It is written by a process of its
own, since coqui-tts changes what Python finds (`anchor.voice.torch_audio`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
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
    asked = {
        "folder": str(folder), "speakers": list(speakers), "languages": list(languages), "phonemes": phonemes,
        "full_size": full_size,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "anchor.bench.tiny_vits", json.dumps(asked)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MissingError(
            f"a model of Coqui's cannot be made: {(done.stderr.strip() or 'no reason').splitlines()[-1]}"
        )
    return folder


_SMALL: dict[str, Any] = {
    "hidden_channels": 32, "hidden_channels_ffn_text_encoder": 48, "num_layers_text_encoder": 2,
    "num_layers_posterior_encoder": 2, "num_layers_flow": 2, "upsample_initial_channel_decoder": 64,
    "resblock_kernel_sizes_decoder": [3, 5], "resblock_dilation_sizes_decoder": [[1, 3, 5], [1, 3, 5]],
}  # fmt: skip


def _write(
    folder: str, speakers: Sequence[str], languages: Sequence[str], phonemes: bool, full_size: bool
) -> None:  # pragma: no cover - in a process of its own
    from anchor.voice import torch_audio

    torch_audio.provide()
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    from anchor.voice import coqui_espeak

    coqui_espeak.provide(languages)
    torch.manual_seed(7)
    arguments: dict[str, Any] = {} if full_size else dict(_SMALL)
    if speakers:
        arguments |= {"use_speaker_embedding": True, "num_speakers": len(speakers), "speaker_embedding_channels": 16}
    if len(languages) > 1:
        arguments |= {"use_language_embedding": True, "num_languages": len(languages)}
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
        model.length_scale = 1.0
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    config.model_args.length_scale = 4.0
    (place / "config.json").write_text(json.dumps(config.to_dict()), "utf-8")
    torch.save({"model": model.state_dict()}, place / "model.pth")


if __name__ == "__main__":
    _write(**json.loads(sys.argv[1]))
