"""What goes into a network and comes out of it, converted by the network itself where it runs.

NumPy takes 70 ms to turn a batch of 32 faces between floats of 16 and 32 bits, a GPU none; and a picture as bytes is a
quarter of what it is as floats, on its way there and back.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from anchor.onnxfile import MOST_FIELDS
from anchor.protobuf import Reader, Value, written

FLOAT, UINT8, FLOAT16 = 1, 2, 10
_INT_ATTRIBUTE = 2

GIVEN, TAKEN = "//given", "//taken"
"""Ends of the names of converted inputs and outputs in the file; no exporter writes such."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """How bytes stand for a network's numbers: byte * `scale` + `offset`."""

    scale: float = 1 / 255
    offset: float = 0.0


def visible(name: str) -> str:
    """The name that the file had."""
    return name.removesuffix(GIVEN).removesuffix(TAKEN)


def bordered(data: bytes, pixels: Mapping[str, Pixels]) -> bytes:
    """A checked ONNX file whose floats of 16 bits are of 32 outside, and those in `pixels` are bytes.

    Names in `pixels` that the file does not have are not looked for.
    """
    return b"".join(
        written(number, _graph(value, pixels)) if number == 7 and not isinstance(value, int) else written(number, value)
        for number, value in Reader(MOST_FIELDS).fields(memoryview(data))
    )


def _graph(data: memoryview, pixels: Mapping[str, Pixels]) -> bytes:
    fields = list(Reader(MOST_FIELDS).fields(data))
    before, after, outside = [], [], []
    for number, value in fields:
        wanted = None
        if number in (11, 12) and not isinstance(value, int):
            name = _name(value, 1)
            kind = _kind(value)
            if name in pixels and kind in (FLOAT, FLOAT16):
                wanted = UINT8
            elif kind == FLOAT16:
                wanted = FLOAT
        # An input that has a weight is none: nobody has to feed it.
        if wanted is None or (number == 11 and name in _weights(fields)):
            outside.append(written(number, value))
        elif number == 11:
            outside.append(written(11, _retyped(value, name + GIVEN, wanted)))
            before += _in(name, kind, pixels.get(name) if wanted == UINT8 else None)
        else:
            outside.append(written(12, _retyped(value, name + TAKEN, wanted)))
            after += _out(name, pixels.get(name) if wanted == UINT8 else None)
    # Nodes stand in the order in which they run.
    return b"".join([*before, *outside, *after])


def _weights(fields: list[tuple[int, Value]]) -> set[str]:
    return {_name(value, 8) for number, value in fields if number == 5}


def _name(value: Value, field: int) -> str:
    found = _parts(value, field)
    return "" if found is None or isinstance(found, int) else bytes(found).decode("utf-8", "replace")


def _parts(value: Value, field: int) -> Value | None:
    if isinstance(value, int):
        return None
    return next((one for number, one in Reader(MOST_FIELDS).fields(value) if number == field), None)


def _tensor(value: Value) -> Value | None:
    """The ``TypeProto.Tensor`` of a ``ValueInfoProto``."""
    kind = _parts(value, 2)
    return None if kind is None else _parts(kind, 1)


def _kind(value: Value) -> int:
    tensor = _tensor(value)
    kind = None if tensor is None else _parts(tensor, 1)
    return kind if isinstance(kind, int) else 0


def _retyped(value: Value, name: str, kind: int) -> bytes:
    tensor = _tensor(value)
    shape = None if tensor is None else _parts(tensor, 2)
    inside = written(1, kind) + (b"" if shape is None else written(2, shape))
    return written(1, name) + written(2, written(1, inside))


def _node(operator: str, inputs: list[str], output: str, to: int | None = None) -> bytes:
    parts = [written(1, one) for one in inputs] + [written(2, output), written(4, operator)]
    if to is not None:
        parts.append(written(5, written(1, "to") + written(3, to) + written(20, _INT_ATTRIBUTE)))
    return written(1, b"".join(parts))


def _number(name: str, number: float) -> bytes:
    return written(5, written(2, FLOAT) + written(8, name) + written(9, struct.pack("<f", number)))


def _in(name: str, kind: int, pixels: Pixels | None) -> list[bytes]:
    given = name + GIVEN
    if pixels is None:
        return [_node("Cast", [given], name, kind)]
    return [
        _number(given + "/scale", pixels.scale),
        _number(given + "/offset", pixels.offset),
        _node("Cast", [given], given + "/1", FLOAT),
        _node("Mul", [given + "/1", given + "/scale"], given + "/2"),
        _node("Add", [given + "/2", given + "/offset"], given + "/3"),
        _node("Cast", [given + "/3"], name, kind),
    ]


def _out(name: str, pixels: Pixels | None) -> list[bytes]:
    taken = name + TAKEN
    if pixels is None:
        return [_node("Cast", [name], taken, FLOAT)]
    return [
        _number(taken + "/scale", pixels.scale),
        # Half a step more, as a cast cuts off.
        _number(taken + "/offset", pixels.offset - pixels.scale / 2),
        _number(taken + "/least", 0),
        _number(taken + "/most", 255),
        _node("Cast", [name], taken + "/1", FLOAT),
        _node("Sub", [taken + "/1", taken + "/offset"], taken + "/2"),
        _node("Div", [taken + "/2", taken + "/scale"], taken + "/3"),
        _node("Max", [taken + "/3", taken + "/least"], taken + "/4"),
        _node("Min", [taken + "/4", taken + "/most"], taken + "/5"),
        _node("Cast", [taken + "/5"], taken, UINT8),
    ]
