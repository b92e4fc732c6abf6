"""Small networks with the signatures of the large ones, made so that mouths really follow what they hear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
MOUTH = (0.5, 0.75)
"""Where the mouth is in a crop of the Wav2Lip family, in parts of its sides."""


class Graph:
    """Puts a network together node by node; every call returns the name of what the node gives."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = self._name()
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def __call__(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = self._name()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def slice(self, value: str, start: int, end: int, axis: int) -> str:
        parts = (self.constant([number], np.int64) for number in (start, end, axis))
        return self("Slice", value, *parts)

    def mean(self, value: str, axes: Sequence[int], *, keep: int = 1) -> str:
        return self("ReduceMean", value, axes=list(axes), keepdims=keep)

    def save(self, path: Path, inputs: dict[str, Any], outputs: dict[str, tuple[str, Any]], kinds: Any = None) -> Path:
        """Write it; inputs and outputs are shapes by name, outputs with the value they give."""
        kinds = kinds or {}
        for name, (value, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name]))

        def info(name: str, shape: Any) -> Any:
            return helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), list(shape))

        graph = helper.make_graph(
            self.nodes, "tiny", [info(*item) for item in inputs.items()],
            [info(name, shape) for name, (_, shape) in outputs.items()], self.constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.save(model, str(path))
        return path


def opened(graph: Graph, picture: str, opening: str, side: int, mouth: tuple[float, float] = MOUTH) -> str:
    """A picture, (B, 3, side, side), whose lower lip and chin have gone down by `opening`, (B, 1, 1, 1)."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    across = np.sqrt(np.maximum(0, 1 - ((x - mouth[0]) / 0.13) ** 2))
    drop = 0.075 * across
    below = np.clip((y - mouth[1]) / 0.004, 0, 1) * np.clip((1.0 - y) / 0.14, 0, 1)
    base = np.stack([2 * x - 1, 2 * y - 1], axis=-1)[None]
    field = np.stack([np.zeros_like(x), -2 * drop * below], axis=-1)[None]
    grid = graph("Add", graph.constant(base), graph("Mul", opening, graph.constant(field)))
    moved = graph("GridSample", picture, grid, mode="bilinear", padding_mode="border", align_corners=0)
    # Between the lips it is dark.
    gap = graph(
        "Sub", graph("Mul", opening, graph.constant(drop[None, None])), graph.constant((y - mouth[1])[None, None])
    )
    sharp = graph.constant(220.0)
    dark = graph("Sigmoid", graph("Mul", graph("Sub", gap, graph.constant(0.006)), sharp))
    above = graph.constant((np.minimum(1, 3 * across) / (1 + np.exp(-220 * (y - mouth[1]))))[None, None])
    mask = graph("Mul", dark, above)
    light = graph("Mul", moved, graph("Sub", graph.constant(1.0), mask))
    inside = graph.constant(np.array([0.10, 0.06, 0.16]).reshape(1, 3, 1, 1))
    return graph("Add", light, graph("Mul", mask, inside))


def loudness(graph: Graph, mel: str, column: int, *, axis: int = 3, bins: int = 2) -> str:
    """0..1 by the energy of speech in two frames of Wav2Lip's mel spectra, (B, 1, 80, 16): (B, 1, 1, 1)."""
    part = graph.slice(graph.slice(mel, column, column + 2, axis), 6, 36, bins)
    level = graph.mean(part, [1, 2, 3])
    return graph("Clip", graph("Mul", graph("Add", level, graph.constant(0.6)), graph.constant(0.7)),
                 graph.constant(0.0), graph.constant(1.0))  # fmt: skip


def wav2lip(
    path: Path, side: int = 96, *, column: int = 4, always: float | None = None, scale: float = 1.0,
    broken: bool = False, swapped: bool = False, batch: Any = "batch",
    names: tuple[str, str, str] = ("mel", "face", "out"),
) -> Path:  # fmt: skip
    """The signature of Wav2Lip. `column`: which mel frames it listens to; `always`: how far it is open, whatever."""
    graph = Graph()
    mel, face, out = names
    opening = loudness(graph, mel, column)
    if always is not None:
        opening = graph("Add", graph("Mul", opening, graph.constant(0.0)), graph.constant(always))
    value = opened(graph, graph.slice(face, 3, 6, 1), opening, side)
    if scale != 1:
        value = graph("Mul", value, graph.constant(scale))
    if swapped:
        value = graph("Gather", value, graph.constant([2, 1, 0], np.int64), axis=1)
    if broken:
        value = graph("Div", value, graph.constant(0.0))
        value = graph("Sub", value, value)
    return graph.save(
        path, {mel: (batch, 1, 80, 16), face: (batch, 6, side, side)}, {out: (value, (batch, 3, side, side))}
    )


def _clipped(graph: Graph, value: str, shift: float, gain: float) -> str:
    moved = graph("Mul", graph("Add", value, graph.constant(shift)), graph.constant(gain))
    return graph("Clip", moved, graph.constant(0.0), graph.constant(1.0))


def _square(graph: Graph, value: str) -> str:
    return graph("Mul", value, value)


def hubert(path: Path) -> Path:
    """1,024 times the energy of every 20 ms."""
    graph = Graph()
    sound = graph("Unsqueeze", _square(graph, "sound"), graph.constant([1], np.int64))
    energy = graph("Conv", sound, graph.constant(np.full((1, 1, 400), 1 / 400)), strides=[320])
    steps = graph("Transpose", energy, perm=[0, 2, 1])
    value = graph("Tile", steps, graph.constant([1, 1, 1024], np.int64))
    return graph.save(path, {"sound": ("batch", "samples")}, {"features": (value, ("batch", "steps", 1024))})


def wenet(path: Path) -> Path:
    """512 times the level of every 40 ms; the caches go through."""
    graph = Graph()
    level = graph("Unsqueeze", graph.mean("chunk", [2], keep=0), graph.constant([1], np.int64))
    pooled = graph("AveragePool", level, kernel_shape=[4], strides=[4])
    steps = graph("Transpose", pooled, perm=[0, 2, 1])
    value = graph("Tile", steps, graph.constant([1, 1, 512], np.int64))
    caches = {"att_cache": (3, 8, 16, 128), "cnn_cache": (3, 1, 512, 14)}
    given = {f"r_{name}": (graph("Identity", name), shape) for name, shape in caches.items()}
    return graph.save(
        path, {"chunk": (1, 67, 80), "offset": (1,), **caches}, {"output": (value, (1, 16, 512)), **given},
        {"offset": TensorProto.INT64},
    )  # fmt: skip


def ultralight(path: Path, *, hears: str = "hubert", column: int = 0) -> Path:
    """The signature of Ultralight; it listens to the sound of the very moment, or to one `column` moments later."""
    graph = Graph()
    if hears == "hubert":
        shape, first, count, shift, gain = (16, 32, 32), 8 + 2 * column, 2, -0.15, 3.0
    else:
        shape, first, count, shift, gain = (128, 16, 32), 72 + 16 * column, 1, -14.0, 0.25
    opening = _clipped(graph, graph.mean(graph.slice("audio", first, first + count, 1), [1, 2, 3]), shift, gain)
    value = opened(graph, graph.slice("input", 0, 3, 1), opening, 160, (0.5, 0.42))
    return graph.save(
        path, {"input": ("batch", 6, 160, 160), "audio": ("batch", *shape)}, {"output": (value, ("batch", 3, 160, 160))}
    )


def musetalk(folder: Path) -> Path:
    """The five files of MuseTalk: a codec that blurs, and a painter whose fourth latent says how far to open."""
    folder.mkdir()
    graph = Graph()
    pooled = graph("AveragePool", "image", kernel_shape=[8, 8], strides=[8, 8])
    none = graph("Mul", graph.slice(pooled, 0, 1, 1), graph.constant(0.0))
    value = graph("Concat", pooled, none, axis=1)
    graph.save(folder / "a.onnx", {"image": ("batch", 3, 256, 256)}, {"latents": (value, ("batch", 4, 32, 32))})

    graph = Graph()
    level = graph.mean(graph.slice("audio_prompts", 20, 25, 1), [1, 2], keep=1)
    opening = _clipped(graph, graph("Unsqueeze", level, graph.constant([3], np.int64)), 0.35, 1.6)
    shown = graph.slice("input_latents", 4, 7, 1)
    spread = graph("Mul", opening, graph.constant(np.full((1, 1, 32, 32), 0.18215)))
    value = graph("Concat", shown, spread, axis=1)
    graph.save(
        folder / "b.onnx",
        {"input_latents": ("batch", 8, 32, 32), "timesteps": (1,), "audio_prompts": ("batch", 50, 384)},
        {"latents": (value, ("batch", 4, 32, 32))}, {"timesteps": TensorProto.INT64},
    )  # fmt: skip

    graph = Graph()
    colours = graph("Add", graph("Mul", graph.slice("latents", 0, 3, 1), graph.constant(0.5)), graph.constant(0.5))
    large = graph("Resize", colours, "", graph.constant([1, 1, 8, 8]), mode="cubic")
    opening = graph.mean(graph.slice("latents", 3, 4, 1), [2, 3])
    drawn = opened(graph, large, opening, 256, (0.5, 0.67))
    value = graph("Sub", graph("Mul", drawn, graph.constant(2.0)), graph.constant(1.0))
    graph.save(folder / "c.onnx", {"latents": ("batch", 4, 32, 32)}, {"image": (value, ("batch", 3, 256, 256))})

    graph = Graph()
    level = graph.mean("input_features", [1])
    pooled = graph("AveragePool", level, kernel_shape=[2], strides=[2])
    steps = graph("Unsqueeze", graph("Transpose", pooled, perm=[0, 2, 1]), graph.constant([3], np.int64))
    value = graph("Tile", steps, graph.constant([1, 1, 5, 384], np.int64))
    graph.save(folder / "d.onnx", {"input_features": ("batch", 80, 3000)}, {"states": (value, ("batch", 1500, 5, 384))})

    graph = Graph()
    value = graph("Identity", "audio_features")
    graph.save(folder / "e.onnx", {"audio_features": ("batch", 50, 384)}, {"encoded": (value, ("batch", 50, 384))})
    return folder


def _weights(graph: Graph, opening: str, width: int) -> str:
    """jawOpen, and the lips a little, by an opening of shape (..., 1)."""
    row = np.zeros((1, width), np.float32)
    row[0, 17], row[0, 37:41] = 0.7, 0.2
    return graph("MatMul", opening, graph.constant(row))


def audio2face(path: Path, *, width: int = 52, lag: int = 0, scale: float = 1.0) -> Path:
    """The signature of Audio2Face-3D; `lag`: how many samples before the moment it listens to."""
    graph = Graph()
    first = 8320 // 2 - 320 - lag
    energy = graph.mean(_square(graph, graph.slice("window", first, first + 640, 2)), [1, 2], keep=0)
    level = graph("Unsqueeze", energy, graph.constant([1], np.int64))
    value = graph("Mul", _weights(graph, _clipped(graph, level, -2e-4, 300.0), width), graph.constant(scale))
    return graph.save(
        path, {"window": ("batch", 1, 8320), "emotion": ("batch", 1, 26)}, {"result": (value, ("batch", width))}
    )


def lam(path: Path, *, lag: int = 0) -> Path:
    """The signature of LAM-A2E: 64 faces at 30 a second for 34,133 samples; `lag` in faces."""
    graph = Graph()
    sound = graph("Unsqueeze", _square(graph, "audio"), graph.constant([1], np.int64))
    energy = graph("Conv", sound, graph.constant(np.full((1, 1, 533), 1 / 533)), strides=[533])
    level = graph("Transpose", energy, perm=[0, 2, 1])
    if lag:
        late = graph.slice(level, 0, 64 - lag, 1)
        level = graph("Concat", graph.slice(level, 0, lag, 1), late, axis=1)
    value = _weights(graph, _clipped(graph, level, -2e-4, 300.0), 52)
    return graph.save(
        path, {"audio": ("batch", 34133), "identity": ("batch", 12)}, {"faces": (value, ("batch", 64, 52))}
    )
