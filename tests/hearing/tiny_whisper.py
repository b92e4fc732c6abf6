"""A Whisper of random weights: the whole path of the real one, in two megabytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LANGUAGES = 99
END = 50_257
TOKENS = 51_865
"""What CTranslate2 tells a multilingual model by."""


def make(folder: Path) -> Path:
    """Write the model, converted for CTranslate2. Skips the test where torch or transformers are missing."""
    torch = pytest.importorskip("torch", reason="a Whisper of random weights is made with torch")
    transformers = pytest.importorskip("transformers", reason="a Whisper of random weights is made with transformers")
    converters = pytest.importorskip("ctranslate2.converters", reason="it is converted by CTranslate2")
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    torch.manual_seed(3)
    source = folder / "source"
    config = transformers.WhisperConfig(
        vocab_size=TOKENS, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=80, bos_token_id=END,
        eos_token_id=END, pad_token_id=END, decoder_start_token_id=END + 1,
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config)
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in _LANGUAGE_CODES[:LANGUAGES])]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{place * 0.02:.2f}|>" for place in range(1501))]
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = []
    model.generation_config.lang_to_id = {token: END + place for place, token in enumerate(special) if 2 <= place < 101}
    model.generation_config.alignment_heads = [[0, 0]]
    model.generation_config.no_timestamps_token_id = special.index("<|notimestamps|>") + END
    model.save_pretrained(source)
    tokenizer = json.dumps(_tokenizer(special))
    (source / "tokenizer.json").write_text(tokenizer, "utf-8")
    (source / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (source / "preprocessor_config.json").write_text('{"feature_size": 80}')
    converter = converters.TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    made = folder / "model"
    converter.convert(str(made))
    return made


def _tokenizer(special: list[str]) -> dict[str, Any]:
    """Bytes and made-up words; no merges, so text becomes bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
    words = [f"Ġword{place}" for place in range(END - len(letters))]
    vocabulary = {token: place for place, token in enumerate([*letters, *words])}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": END + place, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
            for place, token in enumerate(special)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary,
                  "merges": []},
    }  # fmt: skip
