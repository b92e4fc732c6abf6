"""Kokoro's network as it is best run: with 32-bit numbers, telling its durations, and in two halves.

What is published is either quantised for size or tells no times, and gives a sentence all at once. Here integer
products are turned back into float ones. The first half (tokens, style, speed, pitch) tells the durations, in frames
of 25 ms for each symbol, and what the second half makes sound of; speed may differ from symbol to symbol, and so may
pitch, a factor on the fundamental frequency. The second half (`HALVES`, style) can be given a stretch of frames at a
time. A run asks for the outputs of one half and feeds the other with the least it takes. Needs `onnx`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from anchor.errors import MissingError, ModelError

DURATIONS, PITCH = "durations", "pitch"
HALVES = ("content", "tune", "strength")
"""What goes from the first half to the second: (1, 512, frames), and two curves of (1, 2 * frames), hertz and loudness.
Outputs of the first have ``_out`` behind their names."""


def float_with_durations(quantised: Path, target: Path) -> None:
    """Write the network in `quantised`, or in a float file, as described above.

    Raises `ModelError` for a file in which Kokoro's network is not found, and `MissingError` without `onnx`.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingError("preparing Kokoro needs onnx; run: .venv/bin/pip install -e '.[kokoro]'") from error
    try:
        model = onnx.load(quantised, load_external_data=False)
    except Exception as error:
        raise ModelError(f"{quantised}: is no ONNX file: {error}") from None
    try:
        to_float(model.graph)
        tell_durations(model.graph)
        _take_pitch(model.graph)
        _halve(model.graph)
        prune(model.graph)
    except (StopIteration, KeyError, IndexError):
        raise ModelError(
            f"{quantised}: Kokoro's network is not found in it, or not as it was exported so far"
        ) from None
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        onnx.save(model, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _makers(graph: Any) -> dict[str, Any]:
    return {output: node for node in graph.node for output in node.output}


def _users(graph: Any) -> dict[str, list[Any]]:
    users = defaultdict[str, list[Any]](list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    return users


def to_float(graph: Any) -> None:
    """Turn integer products back into float ones."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by, used_by = _makers(graph), _users(graph)

    def bias_of(name: str) -> str | None:
        if name in constants:
            return name if "bias" in name and constants[name].data_type == onnx.TensorProto.FLOAT else None
        maker = made_by.get(name)
        if maker is None or maker.op_type == "DynamicQuantizeLinear":
            return None
        return next((found for source in maker.input if (found := bias_of(source))), None)

    replaced: dict[int, Any] = {}
    gone: set[int] = set()
    for node in graph.node:
        if node.op_type not in ("ConvInteger", "MatMulInteger"):
            continue
        bias, cast = None, used_by[node.output[0]][0]
        if cast.op_type == "Add":
            gone.add(id(cast))
            bias = bias_of(next(name for name in cast.input if name != node.output[0]))
            cast = used_by[cast.output[0]][0]
        scaled = used_by[cast.output[0]][0]
        scales = made_by[next(name for name in scaled.input if name != cast.output[0])]
        scale = numpy_helper.to_array(constants[next(name for name in scales.input if name in constants)])
        weight = numpy_helper.to_array(constants[node.input[1]]).astype(np.float32)
        weight = (weight - numpy_helper.to_array(constants[node.input[3]]).astype(np.float32)) * scale
        name = f"{node.input[1]}_float"
        if name not in constants:
            constants[name] = numpy_helper.from_array(weight.astype(np.float32), name)
            graph.initializer.append(constants[name])
        inputs = [made_by[node.input[0]].input[0], name, *([bias] if bias else [])]
        product = helper.make_node("Conv" if node.op_type == "ConvInteger" else "MatMul", inputs, [scaled.output[0]])
        product.attribute.extend(node.attribute)
        replaced[id(node)] = product
        gone |= {id(cast), id(scaled)}
    nodes = [replaced.get(id(node), node) for node in graph.node if id(node) not in gone]
    del graph.node[:]
    graph.node.extend(nodes)


def _clipped(graph: Any) -> Any:
    """The node that gives whole frames: durations divided by the speed, rounded, and at least one."""
    used_by = _users(graph)
    divided = next(node for node in used_by["speed"] if node.op_type == "Div")
    rounded = next(node for node in used_by[divided.output[0]] if node.op_type == "Round")
    return next(node for node in used_by[rounded.output[0]] if node.op_type in ("Clip", "Max"))


def tell_durations(graph: Any) -> None:
    """Make `DURATIONS` an output, frames of 25 ms for each symbol, and let each symbol have its own speed."""
    from onnx import TensorProto, helper

    clipped = _clipped(graph)
    graph.node.append(helper.make_node("Identity", [clipped.output[0]], [DURATIONS]))
    graph.output.append(helper.make_tensor_value_info(DURATIONS, TensorProto.FLOAT, None))
    speed = next(one for one in graph.input if one.name == "speed")
    # One speed for all symbols, or one for each.
    speed.type.tensor_type.shape.dim[0].ClearField("dim_value")
    speed.type.tensor_type.shape.dim[0].dim_param = "speeds"


def _take_pitch(graph: Any) -> None:
    """Multiply the fundamental frequency, two values a frame, by the pitch of the symbol that each frame is of."""
    from onnx import TensorProto, helper, numpy_helper

    made_by, used_by = _makers(graph), _users(graph)
    curve = _projected(graph, used_by, "F0_proj")
    frames = _spread(_clipped(graph).output[0], used_by, made_by)
    import numpy as np

    graph.input.append(helper.make_tensor_value_info(PITCH, TensorProto.FLOAT, ["sequence_length"]))
    for name, value in (("one_axis", [1]), ("twice", [1, 2]), ("flat", [1, -1])):
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), f"pitch_{name}"))
    raised = [
        helper.make_node("MatMul", [PITCH, frames], ["pitch_of_frames"]),
        helper.make_node("Unsqueeze", ["pitch_of_frames", "pitch_one_axis"], ["pitch_column"]),
        helper.make_node("Concat", ["pitch_column", "pitch_column"], ["pitch_pairs"], axis=1),
        helper.make_node("Reshape", ["pitch_pairs", "pitch_flat"], ["pitch_curve"]),
        helper.make_node("Mul", [curve, "pitch_curve"], ["raised_curve"]),
    ]
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == curve:
                node.input[index] = "raised_curve"
    place = next(index for index, node in enumerate(graph.node) if curve in node.output) + 1
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes[:place], *raised, *nodes[place:]])


def _spread(durations: str, used_by: dict[str, list[Any]], made_by: dict[str, Any]) -> str:
    """The matrix (symbols, frames) that is 1 where a frame is of a symbol: what text is multiplied by to be spread."""
    waiting, seen = [durations], set[str]()
    while waiting:
        name = waiting.pop(0)
        for node in used_by[name]:
            if node.op_type == "MatMul" and node.input[1] == name and "text_encoder" in node.input[0]:
                return name
            for output in node.output:
                if output not in seen and node.op_type != "MatMul":
                    seen.add(output)
                    waiting.append(output)
    raise StopIteration


def _halve(graph: Any) -> None:
    """Cut between what is said and its sound; the sound's side takes as inputs what the other gives."""
    from onnx import TensorProto, helper

    made_by, used_by = _makers(graph), _users(graph)
    spread = _spread(_clipped(graph).output[0], used_by, made_by)
    content = next(
        node.output[0] for node in used_by[spread] if node.op_type == "MatMul" and "text_encoder" in node.input[0]
    )
    strength = _projected(graph, used_by, "N_proj")
    shapes: dict[str, list[str | int | None]] = {
        "content": [1, 512, "frames"],
        "tune": [1, "halves"],
        "strength": [1, "halves"],
    }
    for name, value in zip(HALVES, (content, "raised_curve", strength), strict=True):
        for node in used_by[value]:
            node.input[:] = [name if one == value else one for one in node.input]
        graph.node.append(helper.make_node("Identity", [value], [f"{name}_out"]))
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]))
        graph.output.append(helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, shapes[name]))
    _sort(graph)


def _projected(graph: Any, used_by: dict[str, list[Any]], name: str) -> str:
    """The curve that a projection makes, as its last user takes it."""
    value = next(node for node in graph.node if node.op_type == "Conv" and name in node.output[0]).output[0]
    while len(used_by[value]) == 1 and used_by[value][0].op_type in ("Squeeze", "Reshape"):
        value = used_by[value][0].output[0]
    return str(value)


def _sort(graph: Any) -> None:
    """Put nodes behind those that make what they take."""
    known = {one.name for one in (*graph.input, *graph.initializer)} | {""}
    waiting, ordered = list(graph.node), list[Any]()
    while waiting:
        ready = [node for node in waiting if all(name in known for name in node.input)]
        if not ready:
            raise StopIteration
        later = {id(node) for node in ready}
        known |= {output for node in ready for output in node.output}
        ordered += ready
        waiting = [node for node in waiting if id(node) not in later]
    del graph.node[:]
    graph.node.extend(ordered)


def prune(graph: Any) -> None:
    """Leave out what nothing needs."""
    nodes = list(graph.node)
    while True:
        used = {name for node in nodes for name in node.input} | {output.name for output in graph.output}
        living = [node for node in nodes if any(output in used for output in node.output)]
        if len(living) == len(nodes):
            break
        nodes = living
    del graph.node[:]
    graph.node.extend(nodes)
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(weights)
