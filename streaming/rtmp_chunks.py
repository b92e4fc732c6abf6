"""RTMP's chunk stream: messages cut into chunks, and put together again (section 5.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CHUNK = 4096
"""Bytes of a message between two chunk headers that we send; 128 until we say so."""

LARGEST_MESSAGE = 1 << 20
"""Bytes of a message that a receiver sends us; all it has to say are commands."""

SET_CHUNK_SIZE = 1
_ABORT = 2


@dataclass(slots=True)
class _Message:
    """What has come of a message on one chunk stream."""

    kind: int = 0
    size: int = 0
    extended: bool = False
    data: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Puts messages together from what a receiver sends, whatever the pieces it comes in."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._size = 128
        self._streams: dict[int, _Message] = {}

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Messages that are now whole: type and body. Raises `ValueError` for what is not RTMP."""
        self._bytes += data
        found = []
        while (chunk := self._chunk()) is not None:
            kind, body = chunk
            if kind == SET_CHUNK_SIZE and len(body) >= 4:
                self._size = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
                if not 1 <= self._size <= LARGEST_MESSAGE * 16:
                    raise ValueError(f"chunks of {self._size} bytes")
            elif kind == _ABORT and len(body) >= 4:
                self._streams.pop(int.from_bytes(body[:4], "big"), None)
            elif kind:
                found.append((kind, body))
        return found

    def _chunk(self) -> tuple[int, bytes] | None:
        """Take one chunk off; (0, b"") where it does not complete its message, None where it is not all here."""
        data = self._bytes
        if not data:
            return None
        form, number, place = data[0] >> 6, data[0] & 63, 1
        if number < 2:
            wide = number + 1
            if len(data) < 1 + wide:
                return None
            number = 64 + int.from_bytes(data[1 : 1 + wide], "little")
            place += wide
        head = (11, 7, 3, 0)[form]
        if len(data) < place + head:
            return None
        message = self._streams.get(number) or _Message()
        if form == 3 and number not in self._streams:
            raise ValueError("a chunk that goes on with nothing")
        fields = data[place : place + head]
        place += head
        size, kind, extended = message.size, message.kind, message.extended
        if form < 3:
            extended = fields[:3] == b"\xff\xff\xff"
        if form < 2:
            size, kind = int.from_bytes(fields[3:6], "big"), fields[6]
        if size > LARGEST_MESSAGE:
            raise ValueError(f"a message of {size} bytes")
        if extended:
            if len(data) < place + 4:
                return None
            place += 4
        part = min(self._size, size - len(message.data))
        if len(data) < place + part:
            return None
        message.size, message.kind, message.extended = size, kind, extended
        self._streams[number] = message
        message.data += data[place : place + part]
        del data[: place + part]
        if len(message.data) < size:
            return 0, b""
        body = bytes(message.data)
        message.data.clear()
        return kind, body


def chunks(number: int, kind: int, stream: int, timestamp: int, body: bytes, *, size: int = CHUNK) -> bytes:
    """A message, cut into chunks with a full header first; `timestamp` in milliseconds, modulo 2**32."""
    timestamp &= 0xFFFFFFFF
    extended = timestamp.to_bytes(4, "big") if timestamp >= 0xFFFFFF else b""
    short = min(timestamp, 0xFFFFFF).to_bytes(3, "big")
    head = short + len(body).to_bytes(3, "big") + bytes([kind]) + struct.pack("<I", stream)
    parts = [bytes([number]), head, extended, body[:size]]
    for place in range(size, len(body), size):
        parts += [bytes([0xC0 | number]), extended, body[place : place + size]]
    return b"".join(parts)
