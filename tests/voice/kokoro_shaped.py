"""A tiny network with random weights in the shape of Kokoro's, as it is published: quantised, whole, without times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 512
SYMBOLS = 178


def network(path: Path) -> None:
    """Takes tokens, style and speed; gives 600 samples for each frame, and six frames for each symbol at speed 1."""
    chance = np.random.default_rng(1)
    frames = np.full(SYMBOLS, 6.0, np.float32)
    frames[0] = 12.0
    constants: dict[str, np.ndarray] = {
        "frames_of": frames,
        "letters": chance.normal(0, 1, (SYMBOLS, CHANNELS)).astype(np.float32),
        "f0_weight": chance.integers(0, 255, (1, CHANNELS, 1)).astype(np.uint8),
        "f0_zero": np.array(128, np.uint8), "f0_scale": np.array(1e-3, np.float32),
        "f0_bias": np.full((1, 1, 1), 200, np.float32), "n_weight": np.full((1, CHANNELS, 1), 0.01, np.float32),
        "body": chance.normal(0, 0.05, (4, CHANNELS, 3)).astype(np.float32),
        "lips": np.full((1, 4, 1), 0.3, np.float32),
        "least": np.array(1.0, np.float32), "none": np.array(0, np.int64), "one": np.array(1, np.int64),
        "first": np.array([0], np.int64), "second": np.array([1], np.int64), "third": np.array([2], np.int64),
        "double": np.array([1, 1, 2], np.float32), "loudly": np.array([1, 1, 600], np.float32),
        "f0_loudly": np.array([1, 1, 300], np.float32), "tiny": np.array(1e-5, np.float32),
        "turn": np.array(0.00026, np.float32), "flat": np.array([-1], np.int64), "last": np.array(2, np.int64),
    }  # fmt: skip
    nodes = [
        _node("Gather", ["frames_of", "tokens"], "wanted"), _node("Div", ["wanted", "speed"], "slower"),
        _node("Round", ["slower"], "rounded"), _node("Clip", ["rounded", "least"], "clipped"),
        _node("Squeeze", ["clipped", "first"], "counts"), _node("CumSum", ["counts", "none"], "ends"),
        _node("Sub", ["ends", "counts"], "starts"), _node("ReduceSum", ["counts"], "total", keepdims=0),
        _node("Range", ["zero_f", "total", "least"], "places"), _node("Unsqueeze", ["ends", "second"], "ends_column"),
        _node("Unsqueeze", ["starts", "second"], "starts_column"), _node("Less", ["places", "ends_column"], "early"),
        _node("GreaterOrEqual", ["places", "starts_column"], "late"), _node("And", ["early", "late"], "both"),
        _node("Cast", ["both"], "spread", to=TensorProto.FLOAT), _node("Gather", ["letters", "tokens"], "read"),
        _node("Transpose", ["read"], "/encoder/text_encoder/out", perm=[0, 2, 1]),
        _node("MatMul", ["/encoder/text_encoder/out", "spread"], "spread_text"),
        _node("Identity", ["/encoder/text_encoder/out"], "predicted"),
        _node("MatMul", ["predicted", "spread"], "melody"),
        _node("Resize", ["melody", "", "double"], "doubled"),
        helper.make_node("DynamicQuantizeLinear", ["doubled"], ["bytes", "bytes_scale", "bytes_zero"]),
        _node("ConvInteger", ["bytes", "f0_weight", "bytes_zero", "f0_zero"], "product"),
        _node("Cast", ["product"], "product_float", to=TensorProto.FLOAT),
        _node("Mul", ["bytes_scale", "f0_scale"], "product_scale"),
        _node("Mul", ["product_float", "product_scale"], "/encoder/F0_proj/Conv_output_0"),
        _node("Squeeze", ["/encoder/F0_proj/Conv_output_0", "second"], "hertz"),
        _node("Conv", ["doubled", "n_weight"], "/encoder/N_proj/Conv_output_0"),
        _node("Squeeze", ["/encoder/N_proj/Conv_output_0", "second"], "energy"),
        _node("Conv", ["spread_text", "body"], "bodily", pads=[1, 1]),
        _node("ReduceMean", ["bodily"], "middle", axes=[2]), _node("Sub", ["bodily", "middle"], "around"),
        _node("Mul", ["around", "around"], "squared"), _node("ReduceMean", ["squared"], "variance", axes=[2]),
        _node("Add", ["variance", "tiny"], "some"), _node("Sqrt", ["some"], "deviation"),
        _node("Div", ["around", "deviation"], "normal"), _node("Conv", ["normal", "lips"], "loudness"),
        _node("Resize", ["loudness", "", "loudly"], "envelope"), _node("Unsqueeze", ["hertz", "second"], "pitch_of"),
        _node("Resize", ["pitch_of", "", "f0_loudly"], "every"), _node("Mul", ["every", "turn"], "step"),
        _node("CumSum", ["step", "last"], "phase"), _node("Sin", ["phase"], "wave"),
        _node("ReduceMean", ["style"], "person", keepdims=0), _node("Unsqueeze", ["energy", "second"], "energies"),
        _node("Resize", ["energies", "", "f0_loudly"], "energy_of"), _node("Add", ["envelope", "energy_of"], "strong"),
        _node("Add", ["strong", "person"], "personal"), _node("Mul", ["personal", "wave"], "voiced"),
        _node("Tanh", ["voiced"], "bounded"), _node("Reshape", ["bounded", "flat"], "audio"),
    ]  # fmt: skip
    constants["zero_f"] = np.array(0.0, np.float32)
    graph = helper.make_graph(
        nodes, "kokoro",
        [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "sequence_length"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["audio_length"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _node(kind: str, takes: list[str], gives: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, takes, [gives], **attributes)


def speakers(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        chance = np.random.default_rng(sum(map(ord, name)))
        chance.normal(0, 1, (510, 1, 256)).astype("<f4").tofile(folder / f"{name}.bin")
