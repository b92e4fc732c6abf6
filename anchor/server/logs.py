"""The last records of the process's log, for operators: in memory, without secrets."""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT = 1000
LONGEST_MESSAGE = 2000

_HIDDEN = "•••"
_SECRETS = (
    # What follows a scheme of HTTP authentication, and values of keys that name a secret.
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {_HIDDEN}"),
    (
        re.compile(r"""(?i)\b([\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|stream[_-]?key)["']?\s*[=:]\s*)["']?[^\s"'&,;}]+"""),
        rf"\1{_HIDDEN}",
    ),
    # Passwords in addresses; stream keys, the last part of an RTMP address; keys of OpenAI's kind.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(rtmps?://[^\s/]+/[^\s/]+/)[^\s\"')\]>,]+"), rf"\1{_HIDDEN}"),
    (re.compile(r"\bsk-[\w-]{8,}"), _HIDDEN),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the log; `number` counts from 1, `at` is ISO 8601 in UTC."""

    number: int
    at: str
    level: str
    logger: str
    message: str


class RecentLog(logging.Handler):
    """A handler that keeps the last records. `secrets` are never shown, whatever stands around them."""

    def __init__(self, secrets: Sequence[str | None] = (), level: int = logging.INFO) -> None:
        super().__init__(level)
        self._secrets = sorted({one for one in secrets if one and len(one) >= 6}, key=len, reverse=True)
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._number = 0
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                error = record.exc_info[1]
                message = f"{message} ({type(error).__name__}: {error})"
        except Exception:
            self.handleError(record)
            return
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        with self._guard:
            self._number += 1
            self._records.append(Record(self._number, at, record.levelname, record.name, self.masked(message)))

    def masked(self, text: str) -> str:
        """A text without secrets, at most `LONGEST_MESSAGE` long."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, shown in _SECRETS:
            text = pattern.sub(shown, text)
        return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"

    def after(self, number: int) -> tuple[int, list[Record]]:
        """The number of the newest record, and those that came after `number`."""
        with self._guard:
            return self._number, [record for record in self._records if record.number > number]
