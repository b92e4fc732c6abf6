"""Server-sent events (WHATWG HTML, 9.2) out of bytes that come in pieces of any size."""

from __future__ import annotations

from anchor.errors import DialogueError

LARGEST_EVENT = 1 << 20
"""Bytes of one event."""


class EventStream:
    """Assembles the data of events. Raises `DialogueError` for one without an end."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._rest = b""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[str]:
        """The data of every event that is whole by now."""
        self._rest += data
        events: list[str] = []
        *lines, self._rest = self._rest.replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            self._take(line, events)
        if self._size + len(self._rest) > LARGEST_EVENT:
            raise DialogueError(f"{self._where}: sent an event of more than {LARGEST_EVENT >> 20} MiB")
        return events

    def end(self) -> list[str]:
        """What came without its last line break."""
        events: list[str] = []
        for line in (self._rest, b""):
            self._take(line, events)
        self._rest = b""
        return events

    def _take(self, line: bytes, events: list[str]) -> None:
        line = line.rstrip(b"\r")
        if not line:
            if self._data:
                events.append("\n".join(self._data))
            self._data, self._size = [], 0
        elif line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
            self._size += len(line)
