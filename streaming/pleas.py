"""Requests for keyframes, and which of them are granted (RFC 4585, RFC 5104)."""

from __future__ import annotations

import math


class Pleas:
    """Which of a viewer's requests for a keyframe are granted: one at once, the next ones less and less often.

    A viewer who asks on and on is not helped by a keyframe, and each costs all viewers as much as seconds of pictures.
    Who has been content for `content_seconds` is believed again.
    """

    def __init__(self, first_seconds: float, *, longest_seconds: float = 27.0, content_seconds: float = 2.0) -> None:
        self._first = self._wait = first_seconds
        self._longest = longest_seconds
        self._content = content_seconds
        self._next = self._heard = -math.inf

    def grants(self, now: float) -> bool:
        if now - self._heard > self._content:
            self._wait, self._next = self._first, now
        self._heard = now
        if now < self._next:
            return False
        self._next = now + self._wait
        return True

    def served(self, now: float) -> None:
        """A keyframe goes out, whoever asked for it: those who are asking have it as well."""
        if now - self._heard <= self._content:
            self._next = now + self._wait
            self._wait = min(3 * self._wait, self._longest)
