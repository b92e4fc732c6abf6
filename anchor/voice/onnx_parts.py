"""ONNX networks cut in two and given further inputs and outputs, on their bytes.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Weights are passed on unread; the
package ``onnx`` is not needed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from anchor.onnxfile import MOST_FIELDS
from anchor.protobuf import Damaged, Reader, Value, written

FLOAT, INT64 = 1, 7
"""TensorProto.DataType."""

_NODE, _WEIGHT, _INPUT, _OUTPUT = 1, 5, 11, 12


@dataclass(frozen=True, slots=True)
class Node:
    """An operator with the names of what it takes and gives; `simple` when nothing but a type is said of it."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    simple: bool = True
    data: memoryview | bytes = b""

    def written(self) -> bytes:
        if self.data:
            return written(_NODE, self.data)
        names = [written(1, name) for name in self.inputs] + [written(2, name) for name in self.outputs]
        return written(_NODE, b"".join((*names, written(3, self.name), written(4, self.operator))))


@dataclass(frozen=True, slots=True)
class Network:
    """A graph: its nodes in order, and by name the raw messages of its weights, inputs and outputs.

    `head` is what the file says besides, such as versions. `nested` when nodes hold graphs of their own, whose needs
    are not seen here.
    """

    head: bytes
    nodes: tuple[Node, ...]
    weights: Mapping[str, memoryview | bytes]
    inputs: Mapping[str, memoryview | bytes]
    outputs: Mapping[str, memoryview | bytes]
    nested: bool = False

    @classmethod
    def read(cls, data: memoryview) -> Network:
        """Raises `anchor.protobuf.Damaged`."""
        reader = Reader(MOST_FIELDS)
        head, graph = b"", None
        for number, value in reader.fields(data, once=(1, 7)):
            if number == 7:
                graph = _message(value)
            else:
                head += written(number, value)
        if graph is None:
            raise Damaged("is no ONNX file: no network in it")
        nodes, nested = list[Node](), False
        weights, inputs, outputs = dict[str, memoryview](), dict[str, memoryview](), dict[str, memoryview]()
        for number, value in reader.fields(graph):
            if number == _NODE:
                node, holds = _node(reader, _message(value))
                nodes.append(node)
                nested = nested or holds
            elif number == _WEIGHT:
                weights[_name(reader, _message(value), 8)] = _message(value)
            elif number in (_INPUT, _OUTPUT):
                (inputs if number == _INPUT else outputs)[_name(reader, _message(value), 1)] = _message(value)
        given = {name: value for name, value in inputs.items() if name not in weights}
        return cls(head, tuple(nodes), weights, given, outputs, nested)

    def of(self, operator: str) -> list[Node]:
        return [node for node in self.nodes if node.operator == operator]

    def with_nodes(self, changed: Mapping[str, Sequence[Node]], weights: Mapping[str, bytes]) -> Network:
        """With others in the place of the nodes that make what `changed` names, and further weights."""
        nodes: list[Node] = []
        for node in self.nodes:
            nodes += changed.get(node.outputs[0], (node,)) if node.outputs else (node,)
        return replace(self, nodes=tuple(nodes), weights={**self.weights, **weights})

    def with_inputs(self, floats: Iterable[str]) -> Network:
        return replace(self, inputs={**self.inputs, **{name: _value_info(name) for name in floats}})

    def part(self, outputs: Sequence[str], floats: Sequence[str] = ()) -> bytes:
        """A file of what makes `outputs`, where values named in `floats` are given from outside."""
        if self.nested:
            needed, kept = self.weights.keys() | self.inputs.keys(), self.nodes
        else:
            needed = self.needs(outputs, floats)
            kept = tuple(node for node in self.nodes if needed.intersection(node.outputs).difference(floats))
        graph = [
            *(node.written() for node in kept),
            written(2, "part"),
            *(written(_WEIGHT, value) for name, value in self.weights.items() if name in needed),
            *(written(_INPUT, value) for name, value in self.inputs.items() if name in needed and name not in floats),
            *(written(_INPUT, _value_info(name)) for name in floats),
            *(written(_OUTPUT, self.outputs.get(name) or _value_info(name)) for name in outputs),
        ]
        return self.head + written(7, b"".join(graph))

    def needs(self, outputs: Iterable[str], given: Iterable[str] = ()) -> set[str]:
        """Every value that has a part in making `outputs`, them included, when some are `given`."""
        makers = {name: node for node in self.nodes for name in node.outputs}
        wanted, needed = list(outputs), set[str]()
        while wanted:
            name = wanted.pop()
            if name not in needed:
                needed.add(name)
                wanted += makers[name].inputs if name in makers and name not in given else ()
        return needed


def numbers(name: str, values: Sequence[int]) -> bytes:
    """A weight of whole numbers, one dimension."""
    raw = struct.pack(f"<{len(values)}q", *values)
    return b"".join((written(1, len(values)), written(2, INT64), written(8, name), written(9, raw)))


def _value_info(name: str) -> bytes:
    return written(1, name) + written(2, written(1, written(1, FLOAT)))


def _node(reader: Reader, data: memoryview) -> tuple[Node, bool]:
    names: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
    simple, nested = True, False
    for number, value in reader.fields(data):
        if number in names:
            names[number].append(_text(value))
        elif number == 5:
            for field, told in reader.fields(_message(value)):
                nested = nested or field in (6, 11)
                simple = simple and not (field == 1 and _text(told) != "dtype")
    operator, name = ("".join(names[number][-1:]) for number in (4, 3))
    return Node(operator, name, tuple(names[1]), tuple(names[2]), simple, data), nested


def _name(reader: Reader, data: memoryview, number: int) -> str:
    return next((_text(value) for field, value in reader.fields(data) if field == number), "")


def _text(value: Value) -> str:
    try:
        return bytes(_message(value)).decode()
    except UnicodeDecodeError:
        raise Damaged("is damaged: a name that is no text") from None


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise Damaged("is no ONNX file, or is damaged: a number where a message must be")
    return value
