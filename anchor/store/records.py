"""What is kept of a conversation, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said. `heard`: what of it reached the visitor, where that is less than `text`."""

    who: str
    text: str
    language: str
    at: datetime
    turn: int = 0
    heard: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A conversation. `closed_at` is None while it lasts, or when the process ended before it did."""

    id: str
    channel: str
    language: str
    opened_at: datetime
    closed_at: datetime | None
    why: str
    turns: int


@dataclass(frozen=True, slots=True)
class Row:
    """Something to be written: into `table`, or over the row that `key` names."""

    table: str
    values: Mapping[str, Any]
    key: str = ""
