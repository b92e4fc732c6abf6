"""Tiny networks in ONNX files, good ones and ones that mean harm."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]


def value(name: str, shape: Shape | None, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name: str, array: Any) -> Any:
    return numpy_helper.from_array(np.asarray(array), name)


def network(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], weights: Sequence[Any] = (), **more: Any
) -> Any:
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)


def doubling(kind: int = TensorProto.FLOAT, batch: int | str | None = "batch") -> Any:
    """``y`` is twice ``x``, which are of four numbers."""
    two = weight("two", np.array(2, helper.tensor_dtype_to_np_dtype(kind)))
    node = helper.make_node("Mul", ["x", "two"], ["y"])
    return network([node], [value("x", [batch, 4], kind)], [value("y", [batch, 4], kind)], [two])


def counting() -> Any:
    """Adds ``x`` to the state it is given, whose batch is the second axis, at a rate that is one for all."""
    nodes = [
        helper.make_node("Mul", ["x", "rate"], ["fast"]),
        helper.make_node("Add", ["state", "fast"], ["next"]),
        helper.make_node("ReduceSum", ["next", "axes"], ["sum"], keepdims=0),
    ]
    return network(
        nodes,
        [value("x", ["batch", 3]), value("state", [2, "batch", 3]), value("rate", [])],
        [value("sum", ["batch"]), value("next", [2, "batch", 3])],
        [weight("axes", np.array([0, 2], np.int64))],
    )


def saved(model: Any, path: Path) -> Path:
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def with_node(node: Any, *, weights: Sequence[Any] = ()) -> Any:
    """A network of that node, from ``x`` to ``y``."""
    return network([node], [value("x", ["batch", 4])], [value("y", ["batch", 4])], weights)


def in_branches(node: Any, depth: int) -> Any:
    """A network in which that node is in a branch of a branch, and so on."""
    for level in range(depth):
        inner = helper.make_graph([node], "inner", [], [value(node.output[0], None)])
        node = helper.make_node("If", ["yes"], [f"y{level}"], then_branch=inner, else_branch=inner)
    node.output[0] = "y"
    return with_node(node, weights=[weight("yes", np.array(True))])


def external(tensor: Any, location: str = "/etc/passwd") -> Any:
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return tensor
