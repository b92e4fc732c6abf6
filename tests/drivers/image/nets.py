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
    broken: bool = False, batch: Any = "batch", names: tuple[str, str, str] = ("mel", "face", "out"),
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
    if broken:
        value = graph("Div", value, graph.constant(0.0))
        value = graph("Sub", value, value)
    return graph.save(
        path, {mel: (batch, 1, 80, 16), face: (batch, 6, side, side)}, {out: (value, (batch, 3, side, side))}
    )
