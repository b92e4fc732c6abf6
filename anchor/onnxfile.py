"""ONNX files that users bring, read as if whoever made them meant harm, before a runtime sees them.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from anchor.errors import ModelError
from anchor.protobuf import Damaged, Reader, Value, varint

MOST_BYTES = 2 << 30
"""Of a network, where nothing less is said; larger ones are kept in several files, which are not read."""
MOST_NODES = 100_000
MOST_FIELDS = 2_000_000
"""Bounds the time to check a file to about two seconds; the largest lip networks have a hundredth of it."""
MOST_DEPTH = 8
"""Networks in networks: branches and loops."""

DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Where operators may come from: the standard, and what ONNX Runtime has built in and writes itself when it optimizes
or quantizes a file. Any other would need a library of somebody's, which is a program and not a model."""

_OUTWARD = ("EPContext", "PythonOp", "ATen")
"""Built-in operators that load other files or call out."""

_OTHERS = {b"PK\3\4": "a zip", b"\x80\2": "a pickle", b"\x80\4": "a pickle", b"\x1f\x8b": "a gzip file"}
"""What files of networks also are, by how they begin."""

_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 8: 0, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
"""Bits of an element by TensorProto.DataType; strings have no size."""


def read_checked(path: Path, max_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of an ONNX file that is safe to load. Raises `ModelError`, which names the file and the reason.

    They are read once, so that what is checked is what runs.
    """
    data = _read(path, max_bytes)
    try:
        _Check(max_bytes).model(memoryview(data))
    except Damaged as reason:
        raise ModelError(f"{path}: {reason}") from None
    return data


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        if path.is_symlink() and path.resolve().parent != path.parent.resolve():
            raise ModelError(f"{path}: is a link that leads out of its folder; put the file itself there")
        # Without O_NONBLOCK a pipe would wait for somebody who writes into it.
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ModelError(f"{path}: is no file; name the .onnx file itself")
            if found.st_size > max_bytes:
                raise ModelError(f"{path}: is larger than {max_bytes >> 20} MB, the most that is read")
            data = file.read(found.st_size + 1)
    except IsADirectoryError:
        raise ModelError(f"{path}: is no file; name the .onnx file itself") from None
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
        raise ModelError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise ModelError(f"{path}: is empty")
    if len(data) > found.st_size:
        raise ModelError(f"{path}: is being written; try again when it is complete")
    for mark, kind in _OTHERS.items():
        if data.startswith(mark):
            raise ModelError(f"{path}: is {kind}, not an ONNX file")
    if data[4:8] == b"ORTM":  # the runtime would read it in its own format, whatever it also is
        raise ModelError(f"{path}: is in ONNX Runtime's own format; bring the .onnx file it was made from")
    return data


def _text(value: Value) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _shown(name: str) -> str:
    return repr(name[:60])


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise Damaged("is not an ONNX file, or damaged: a number where a message must be")
    return value


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise Damaged("is not an ONNX file, or damaged: a message where a number must be")
    return value


class _Check:
    def __init__(self, max_bytes: int) -> None:
        self._reader = Reader(MOST_FIELDS)
        self._nodes = 0
        self._weights = 0
        self._max_weights = max_bytes

    def model(self, data: memoryview) -> None:
        numbers = set()
        for number, value in self._reader.fields(data, once=(1, 7)):
            numbers.add(number)
            if number == 1:
                _number(value)
            elif number == 7:
                self._graph(_message(value), 0)
            elif number == 20:
                raise Damaged("has parts for training; export it for inference")
            elif number == 25:
                # Nested calls could unfold to any size.
                raise Damaged("has functions of its own; unfold them, e.g. with onnx.inliner.inline_local_functions")
        if not {1, 7, 8} <= numbers:
            raise Damaged("is not an ONNX file: no version, no network, or no set of operators in it")

    def _graph(self, data: memoryview, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise Damaged(f"has networks in networks, more than {MOST_DEPTH} deep")
        for number, value in self._reader.fields(data):
            if number == 1:
                self._node(_message(value), depth)
            elif number == 5:
                self._tensor(_message(value))
            elif number == 15:
                self._sparse()

    def _node(self, data: memoryview, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Damaged(f"has more than {MOST_NODES} nodes")
        operator = domain = ""
        for number, value in self._reader.fields(data, once=(4, 7)):
            if number == 4:
                operator = _text(value)
            elif number == 7:
                domain = _text(value)
            elif number == 5:
                self._attribute(_message(value), depth)
        if domain not in DOMAINS:
            raise Damaged(
                f"needs the operator {_shown(operator)} of {_shown(domain)}; "
                "only what ONNX and ONNX Runtime have themselves may run"
            )
        if operator in _OUTWARD or (domain == "com.microsoft" and operator.endswith("Grad")):
            raise Damaged(f"needs the operator {_shown(operator)}, which is not for inference from one file")

    def _attribute(self, data: memoryview, depth: int) -> None:
        for number, value in self._reader.fields(data, once=(5, 6)):
            if number in (5, 10):
                self._tensor(_message(value))
            elif number in (6, 11):
                self._graph(_message(value), depth + 1)
            elif number in (22, 23):
                self._sparse()

    @staticmethod
    def _sparse() -> None:
        # A runtime makes them dense, and a few bytes can claim any size.
        raise Damaged("has sparse weights; export it with dense ones")

    def _tensor(self, data: memoryview) -> None:
        sizes: list[int] = []
        name, kind, raw, other = "", 0, -1, 0
        for number, value in self._reader.fields(data, once=(2, 8, 9, 14)):
            if number == 1:
                sizes += [value] if isinstance(value, int) else self._packed(value)
            elif number == 2:
                kind = _number(value)
            elif number == 8:
                name = _text(value)
            elif number == 9:
                raw = len(_message(value))
            elif number in (4, 5, 6, 7, 10, 11):
                other += 1 if isinstance(value, int) else len(value) + 1
            elif number == 13 or (number == 14 and value != 0):
                raise Damaged("keeps weights in another file; save it as one: onnx.save(onnx.load(path), path)")
        if kind not in _BITS:
            raise Damaged(f"has a weight {_shown(name)} of an unknown type")
        self._claims(name, sizes, _BITS[kind], raw, other)

    def _claims(self, name: str, sizes: list[int], bits: int, raw: int, other: int) -> None:
        """What a weight says of its size must agree with the bytes that are there."""
        count = 1
        for size in sizes:
            if size >= 1 << 40 or (count := count * size) >= 1 << 40:
                raise Damaged(f"has a weight {_shown(name)} that claims a size that cannot be")
        needed = -(-count * bits // 8)
        held = needed == raw if raw >= 0 else count <= (other if bits >= 8 or not bits else 8 * other)
        if not held:
            raise Damaged(f"has a weight {_shown(name)} that claims {count} numbers and does not hold them")
        self._weights += needed
        if self._weights > self._max_weights:
            raise Damaged(f"holds weights of more than {self._max_weights >> 20} MB")

    @staticmethod
    def _packed(data: memoryview) -> list[int]:
        sizes: list[int] = []
        at = 0
        while at < len(data) and len(sizes) < 64:
            size, at = varint(data, at)
            sizes.append(size)
        if at < len(data):
            raise Damaged("has a weight of too many dimensions")
        return sizes
