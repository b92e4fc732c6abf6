"""The protobuf wire format (https://protobuf.dev/programming-guides/encoding), read in place and written.

The fields of a message are all that is needed to see what an ONNX file asks for. Reading them copies nothing and
believes no length. The package ``onnx`` would be 30 MB more to install, and would parse every weight before anything is
known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

Value = int | memoryview


class Damaged(Exception):  # noqa: N818 - says what is the case with a file
    """The bytes are no message of the kind that is read."""


class Reader:
    """Reads fields, and gives up after `most` of them, so that the time for a file is bounded."""

    def __init__(self, most: int) -> None:
        self._left = most

    def fields(self, data: memoryview, once: Collection[int] = ()) -> Iterator[tuple[int, Value]]:
        """Number and value of each field of a message; numbers in `once` may come only once.

        Where protobuf's own parser is lenient (a value that comes twice, a tag of too many bits), this is strict, so
        that no second reader can understand a file in another way.
        """
        seen: set[int] = set()
        at = 0
        while at < len(data):
            self._left -= 1
            if self._left < 0:
                raise Damaged("has too many parts")
            tag, at = varint(data, at)
            number, wire = tag >> 3, tag & 7
            if not 1 <= number < 1 << 29:
                raise Damaged("is no ONNX file, or is damaged: a field of no known number")
            if number in seen:
                raise Damaged(f"is damaged: field {number} comes twice")
            if number in once:
                seen.add(number)
            value: Value
            if wire == VARINT:
                value, at = varint(data, at)
            elif wire == LENGTH:
                length, at = varint(data, at)
                if length > len(data) - at:
                    raise Damaged("is damaged or cut short")
                value, at = data[at : at + length], at + length
            elif wire in (FIXED32, FIXED64):
                size = 4 if wire == FIXED32 else 8
                if size > len(data) - at:
                    raise Damaged("is damaged or cut short")
                value, at = data[at : at + size], at + size
            else:
                raise Damaged("is no ONNX file, or is damaged: a field of no known kind")
            yield number, value


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits at `at`, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise Damaged("is damaged or cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, at
    raise Damaged("is damaged: a number that is too long")


def written(number: int, value: int | str | bytes | memoryview) -> bytes:
    """A field as bytes; text and bytes are of wire type `LENGTH`."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return b"".join((_varint(number << 3 | LENGTH), _varint(len(data)), data))


def _varint(number: int) -> bytes:
    head = b""
    while number >= 0x80:
        head, number = head + bytes([number & 0x7F | 0x80]), number >> 7
    return head + bytes([number])
