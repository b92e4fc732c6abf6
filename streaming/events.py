"""What a viewer's page and the stream say to each other on the data channel: JSON objects as texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiortc import RTCDataChannel

logger = logging.getLogger(__name__)

EVENTS = "events"
"""The data channel on which a viewer hears captions, words and state, and a visitor's page answers."""

LONGEST_MESSAGE = 16 * 1024
MESSAGES_A_SECOND = 50

_EVENT_BACKLOG = 64 * 1024


def event(kind: str, index: int | None, **values: object) -> str:
    """An event of the stream; `index` is the beat it belongs to."""
    where = {} if index is None else {"at": index}
    return written({"type": kind, **values, **where})


def written(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def tell(channel: RTCDataChannel | None, message: str) -> None:
    """Send a message, or drop it for a viewer who is not there or does not take them in."""
    if channel is not None and channel.readyState == "open" and channel.bufferedAmount < _EVENT_BACKLOG:
        channel.send(message)


class Mailbox:
    """Takes what a page sends and hands on what is a JSON object, short enough and not too often."""

    def __init__(self, told: Callable[[Mapping[str, Any]], None], now: Callable[[], float]) -> None:
        self.dropped = 0
        self._told = told
        self._now = now
        self._room = float(MESSAGES_A_SECOND)
        self._filled = now()

    def take(self, message: object) -> None:
        now = self._now()
        self._room = min(MESSAGES_A_SECOND, self._room + (now - self._filled) * MESSAGES_A_SECOND)
        self._filled = now
        read = read_object(message) if self._room >= 1 else None
        self._room = max(0.0, self._room - 1)
        if read is None:
            self.dropped += 1
            return
        try:
            self._told(read)
        except Exception:
            # Raised into aiortc it would end the visitor's connection.
            logger.exception("a message of a visitor's page could not be treated")


def read_object(message: object) -> dict[str, Any] | None:
    """The JSON object that a message is, or None for anything else."""
    if not isinstance(message, str) or len(message) > LONGEST_MESSAGE:
        return None
    try:
        if len(message.encode()) > LONGEST_MESSAGE:
            return None
        read = json.loads(message, parse_constant=_refuse)
        # Half a surrogate pair parses, and fails wherever it is written later.
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
