"""Masking over the turns of a conversation: a number that is dictated piece by piece, or that was asked for."""

from __future__ import annotations

import re
from collections import deque

from anchor.trust.digits import Run, flat, runs
from anchor.trust.pii import Kind, Span, apart, counted, find, luhn, masked

_REMEMBERED = 50
"""Masked numbers that are hidden wherever they come again."""
_PATIENCE = 2
"""Turns without a digit after which a dictated number is taken to be over."""
_WORD = re.compile(r"[A-Za-z0-9]+")


class Masker:
    """What is hidden in one conversation. Holds digits of what it hid, in memory only: one for each conversation."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._tail = ""
        self._open: Kind | None = None
        self._quiet = 0
        self._asked: Kind | None = None

    def expect_secret(self, kind: Kind = "code") -> None:
        """A secret was asked for: the next turn of the visitor with digits in it keeps none of them."""
        self._asked = kind
        self._quiet = 0

    def mask(self, text: str, *, visitor: bool = True) -> str:
        """The text as it may be kept. Texts come in their order; those that are not the visitor's are no dictation."""
        spans = self.find(text, visitor=visitor)
        return masked(text, spans)

    def find(self, text: str, *, visitor: bool = True) -> list[Span]:
        """What `mask` hides."""
        plain = flat(text)
        spans = find(text)
        there = runs(plain)
        spans += [span for run in there if (span := self._again(run)) is not None]
        if visitor:
            if self._asked is not None:
                spans += self._secret(plain, there, self._asked)
            elif there:
                further = self._continued(plain, there, spans)
                spans = [span for span in spans if not any(_meet(span, other) for other in further)] + further
            self._heard(plain, there, spans)
        return apart(spans)

    def _again(self, run: Run) -> Span | None:
        """The same number as before, or a good part of it."""
        digits = run.digits
        if len(digits) >= 4 and any(digits == seen or (len(digits) > 4 and digits in seen) for seen in self._seen):
            return Span("number", run.start, run.end)
        return None

    def _secret(self, plain: str, there: list[Run], kind: Kind) -> list[Span]:
        hidden = [Span(kind, run.start, run.end) for run in there]
        # A password or passport number has letters beside its digits.
        hidden += [Span(kind, *word.span()) for word in _WORD.finditer(plain) if any(c.isdigit() for c in word[0])]
        if there:
            self._asked = None
        return hidden

    def _continued(self, plain: str, there: list[Run], spans: list[Span]) -> list[Span]:
        """The first run of this turn, where it goes on with what the turn before ended with."""
        numbers = [run for run in there if run.form == "digits"]
        first = next((run for run in numbers if self._open is not None or not _inside(run, spans)), None)
        if first is None or not self._tail or counted(plain, first):
            return []
        besides = _besides(plain, there)
        kind: Kind = self._open or "number"
        if self._open is not None:
            belongs = besides <= 24 and len(first.digits) >= 2 and len(self._tail) + len(first.digits) <= 19
        else:
            belongs = besides <= 12 and len(self._tail) + len(first.digits) >= 7
        return [Span(kind, first.start, first.end)] if belongs else []

    def _heard(self, plain: str, there: list[Run], spans: list[Span]) -> None:
        digits = [run for run in there if run.form == "digits" and len(run.digits) > 1 and not counted(plain, run)]
        for run in digits:
            if _inside(run, spans) and len(run.digits) >= 4:
                self._seen.append(run.digits)
        if not digits:
            self._quiet += 1
            if self._quiet > _PATIENCE:
                self._tail, self._open, self._asked = "", None, None
            return
        self._quiet = 0
        last = digits[-1]
        kind = next((span.kind for span in spans if span.start < last.end and last.start < span.end), None)
        goes_on = bool(self._tail) and (kind is not None or _besides(plain, there) <= 12)
        self._tail = (self._tail if goes_on else "") + last.digits
        if kind is None and _besides(plain, there) > 12:
            self._tail = ""
        self._open = None if kind in (None, "code", "password", "birthday") else kind
        if len(self._tail) >= 4 and kind is not None:
            self._seen.append(self._tail)
        if _complete(self._tail):
            self._tail, self._open = "", None


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _inside(run: Run, spans: list[Span]) -> bool:
    return any(span.start < run.end and run.start < span.end for span in spans)


def _besides(plain: str, there: list[Run]) -> int:
    """Letters of a turn that are no part of its numbers."""
    letters = sum(character.isalnum() for character in plain)
    return letters - sum(sum(c.isalnum() for c in plain[run.start : run.end]) for run in there)


def _complete(digits: str) -> bool:
    """Nothing is to follow: a whole mobile number, card or identity number."""
    count = len(digits)
    if count == 11 and re.fullmatch(r"1[3-9]\d{9}", digits):
        return True
    return count >= 19 or (count >= 14 and luhn(digits)) or count == 18
