"""AMF0, the values of RTMP's commands and of FLV's metadata ("Action Message Format -- AMF 0", Adobe 2007)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED, _ECMA_ARRAY, _END, _STRICT_ARRAY, _DATE, _LONG_STRING = (
    0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12,
)  # fmt: skip
_DEEPEST = 16
"""Receivers answer with objects in objects; deeper than this nobody means well."""


class EcmaArray(dict[str, Any]):
    """A mapping that is written as AMF's associative array, as ``onMetaData`` wants it."""


def encode(*values: Any) -> bytes:
    """Numbers, booleans, texts, None and mappings of them, one after another."""
    return b"".join(map(_encode, values))


def _encode(value: Any) -> bytes:
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_BOOLEAN, value])
    if isinstance(value, int | float):
        return struct.pack(">Bd", _NUMBER, value)
    if isinstance(value, str):
        text = value.encode()
        if len(text) > 0xFFFF:
            return struct.pack(">BI", _LONG_STRING, len(text)) + text
        return bytes([_STRING]) + _short(text)
    if isinstance(value, Mapping):
        head = struct.pack(">BI", _ECMA_ARRAY, len(value)) if isinstance(value, EcmaArray) else bytes([_OBJECT])
        pairs = b"".join(_short(str(key).encode()) + _encode(entry) for key, entry in value.items())
        return head + pairs + bytes([0, 0, _END])
    raise TypeError(f"AMF0 has no {type(value).__name__}")


def _short(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def decode(data: bytes) -> list[Any]:
    """All values of a message. Raises `ValueError` for what is not AMF0."""
    reader = _Reader(data)
    values = []
    try:
        while reader.place < len(data):
            values.append(reader.value(0))
    except (struct.error, IndexError) as error:
        raise ValueError("AMF0 that ends within a value") from error
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("AMF0 nested too deeply")
        (kind,) = self._unpack(">B")
        if kind == _NUMBER:
            return self._unpack(">d")[0]
        if kind == _BOOLEAN:
            return self._unpack(">?")[0]
        if kind == _STRING:
            return self._text(self._unpack(">H")[0])
        if kind == _LONG_STRING:
            return self._text(self._unpack(">I")[0])
        if kind in (_NULL, _UNDEFINED):
            return None
        if kind == _DATE:
            return self._unpack(">dh")[0]
        if kind == _ECMA_ARRAY:
            self._unpack(">I")
            return self._pairs(depth)
        if kind == _OBJECT:
            return self._pairs(depth)
        if kind == _STRICT_ARRAY:
            (count,) = self._unpack(">I")
            if count > len(self._data):
                raise ValueError("an AMF0 array that is longer than its message")
            return [self.value(depth + 1) for _ in range(count)]
        raise ValueError(f"AMF0 has no type {kind}")

    def _pairs(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            key = self._text(self._unpack(">H")[0])
            if not key and self._data[self.place] == _END:
                self.place += 1
                return found
            found[key] = self.value(depth + 1)

    def _unpack(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._data, self.place)
        self.place += struct.calcsize(form)
        return values

    def _text(self, size: int) -> str:
        end = self.place + size
        if end > len(self._data):
            raise ValueError("AMF0 that ends within a text")
        text = self._data[self.place : end].decode("utf-8", "replace")
        self.place = end
        return text
