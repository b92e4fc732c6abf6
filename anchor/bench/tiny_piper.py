"""A voice of Piper's shape with weights of chance: every symbol is a chord of its own, marks are silent.

It takes a thousandth of a real voice's time, so what is measured with it is what everything else takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.errors import MissingError

HOP = 256
"""Samples of a frame, as in VITS."""
SYMBOL_SECONDS = 0.08

_CHANNELS = 12
_SILENT = "_^$ !'(),-.:;?"
_SYMBOLS = (
    f"{_SILENT}abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙ"
    'ʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ0123456789\u0327\u0303\u032a\u032f\u0329ʰˤε↓#"↑\u033a\u033bg'
)
_MODIFIERS = "ˈˌːˑ˞ʲʰˤ\u0327\u0303\u032a\u032f\u0329\u033a\u033b"


def write_tiny_piper(
    folder: Path, *, sample_rate: int = 22_050, timings: bool = True, speakers: int = 1, language: str = "en_US",
    espeak: str = "en-us", kind: str = "espeak", seed: int = 1,
) -> Path:  # fmt: skip
    """Write ``tiny.onnx`` and ``tiny.onnx.json`` to a folder; the path of the first. Raises `MissingError` without the
    package ``onnx``.

    With `timings` durations can be found in the network as in Piper's own exports. `kind` is ``espeak`` or ``text``.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingError("a tiny voice is made with the package onnx: .venv/bin/pip install onnx") from error
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.onnx"
    facts = {
        "audio": {"sample_rate": sample_rate, "quality": "tiny"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": kind,
        "phoneme_map": {},
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(_SYMBOLS)},
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {f"speaker{number}": number for number in range(speakers)} if speakers > 1 else {},
        "language": {"code": language},
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False), "utf-8")
    onnx.save(_network(sample_rate, timings=timings, speakers=speakers, seed=seed), path)
    return path


def _frames(sample_rate: int) -> NDArray[np.float32]:
    """Frames of each id; those between symbols (pads) have one."""
    frames = np.full(256, SYMBOL_SECONDS * sample_rate / HOP - 1, np.float32)
    for symbol in _MODIFIERS:
        frames[_SYMBOLS.index(symbol)] = 0.5
    frames[:3] = (0.5, 8, 12)  # pad, beginning, end
    return frames


def _chords(rng: np.random.Generator) -> NDArray[np.float32]:
    """How much of each tone is in each id: some three of them."""
    chords = rng.random((256, _CHANNELS)) ** 6
    chords /= chords.sum(axis=1, keepdims=True)
    chords[: len(_SILENT)] = 0
    return np.asarray(chords, np.float32)


def _tones() -> NDArray[np.float32]:
    """Of each channel two frames of a tone whose waves fit a frame, rising and falling, to be laid over another."""
    places = np.arange(2 * HOP)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * places / (2 * HOP))
    waves = [np.sin(2 * np.pi * (number + 2) * places / HOP) for number in range(_CHANNELS)]
    return np.asarray(0.25 * window * np.array(waves), np.float32)[:, None, :]


def _network(sample_rate: int, *, timings: bool, speakers: int, seed: int) -> Any:
    from onnx import TensorProto, checker, helper, numpy_helper

    rng = np.random.default_rng(seed)
    weights: dict[str, NDArray[Any]] = {
        "frames": _frames(sample_rate), "chords": _chords(rng), "tones": _tones(),
        "speakers": rng.uniform(0.5, 1.5, (max(1, speakers), _CHANNELS)).astype(np.float32),
        "zero": np.array(0, np.int64), "one": np.array(1, np.int64), "two": np.array(2, np.int64),
        "first": np.array([0], np.int64), "second": np.array([1], np.int64), "axis": np.array(2, np.int64),
        "column": np.array([0, 2], np.int64), "flat": np.array([-1], np.int64), "last": np.array([2], np.int64),
        "little": np.array(0.02, np.float32), "ends": np.array([1, 2], np.int64), "almost": np.array(0.999, np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node(operator, takes.split(), gives.split(), name=f"/{gives}", **attributes)
        for operator, takes, gives, attributes in _OPERATORS
    ]
    if not timings:
        # Rounded up in another way, so that nobody finds the durations.
        place = next(index for index, node in enumerate(nodes) if node.op_type == "Ceil")
        nodes[place : place + 1] = [
            helper.make_node("Add", ["paced", "almost"], ["raised"]),
            helper.make_node("Floor", ["raised"], ["durations"]),
        ]
    if speakers > 1:
        nodes += [
            helper.make_node("Gather", ["speakers", "sid"], ["voice"], name="/emb_g/Gather"),
            helper.make_node("Unsqueeze", ["voice", "last"], ["timbre"], name="/Unsqueeze"),
            helper.make_node("Mul", ["latent", "timbre"], ["toned"], name="/dec/Mul"),
        ]
    nodes += [
        helper.make_node(
            "ConvTranspose", ["toned" if speakers > 1 else "latent", "tones"], ["sound"], name="/dec/ConvTranspose",
            strides=[HOP], pads=[HOP // 2, HOP // 2],
        ),
        helper.make_node("Unsqueeze", ["sound", "second"], ["output"], name="/Unsqueeze_1"),
    ]  # fmt: skip
    whole, real = TensorProto.INT64, TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("input", whole, ["batch", "phonemes"]),
        helper.make_tensor_value_info("input_lengths", whole, ["batch"]),
        helper.make_tensor_value_info("scales", real, [3]),
        *([helper.make_tensor_value_info("sid", whole, ["batch"])] if speakers > 1 else []),
    ]
    output = helper.make_tensor_value_info("output", real, ["batch", 1, 1, "samples"])
    used = {name for node in nodes for name in node.input}
    held = [numpy_helper.from_array(value, name) for name, value in weights.items() if name in used]
    graph = helper.make_graph(nodes, "tiny", inputs, [output], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    checker.check_model(model)
    return model


_OPERATORS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    # Durations: of each id by the table, a little by chance, times the length scale, rounded up.
    ("Gather", "scales zero", "noise_scale", {}),
    ("Gather", "scales one", "length_scale", {}),
    ("Gather", "scales two", "noise_w", {}),
    ("Gather", "frames input", "of_id", {}),
    ("Unsqueeze", "of_id second", "usual", {}),
    ("RandomNormalLike", "usual", "chance", {"dtype": 1}),
    ("Mul", "chance noise_w", "chance_w", {}),
    ("Mul", "chance_w little", "chance_little", {}),
    ("Add", "usual chance_little", "varied", {}),
    ("Mul", "varied length_scale", "paced", {}),
    ("Ceil", "paced", "durations", {}),
    # Frames: the id of each is how many ids have ended before it.
    ("CumSum", "durations axis", "ended", {}),
    ("ReduceSum", "durations ends", "total", {"keepdims": 0}),
    ("ReduceMax", "total", "longest", {"keepdims": 0}),
    ("Cast", "longest", "count", {"to": 7}),
    ("Range", "zero count one", "frame", {}),
    ("Cast", "frame", "frame_real", {"to": 1}),
    ("Unsqueeze", "frame_real column", "frame_column", {}),
    ("GreaterOrEqual", "frame_column ended", "past", {}),
    ("Cast", "past", "past_real", {"to": 1}),
    ("ReduceSum", "past_real last", "index_real", {"keepdims": 0}),
    ("Cast", "index_real", "index", {"to": 7}),
    ("Reshape", "index flat", "index_flat", {}),
    ("Reshape", "input flat", "ids", {}),
    ("Gather", "ids index_flat", "id_of_frame", {}),
    ("Gather", "chords id_of_frame", "chord", {}),
    ("Unsqueeze", "chord first", "chord_batch", {}),
    ("Transpose", "chord_batch", "chord_columns", {"perm": [0, 2, 1]}),
    ("RandomNormalLike", "chord_columns", "breath", {"dtype": 1}),
    ("Mul", "breath noise_scale", "breath_scaled", {}),
    ("Mul", "breath_scaled little", "breath_little", {}),
    ("Mul", "breath_little chord_columns", "breath_heard", {}),
    ("Add", "chord_columns breath_heard", "latent", {}),
)
