"""Words of the anchor that come back: what a recogniser makes of the anchor's own voice in the microphone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from anchor.events import Word
from anchor.interactive.wording import plain

KEPT_SECONDS = 6.0
LEEWAY = 0.25
"""Seconds of words before those that the delay points to."""
UNKNOWN_DELAY = 0.5
WRONG = 0.25
"""Share of the words that a recogniser may mistake: one of four."""

_ANSWERS = frozenset(
    ("yes", "no", "yeah", "nope", "是", "不", "好", "对", "不是", "是的", "好的", "对的", "不要", "可以")
)


class OwnWords:
    """What the anchor has just said aloud. Times are seconds of the event loop's clock."""

    def __init__(self) -> None:
        self._words: deque[tuple[float, str]] = deque()
        self._spoke = float("-inf")

    def said(self, words: Sequence[Word], at: float, *, speaking: bool) -> None:
        """A beat with the ends of these words has gone out at `at`."""
        if speaking:
            self._spoke = at
        self._words.extend((at, token) for word in words for token in _tokens(word.text))
        while self._words and self._words[0][0] < at - KEPT_SECONDS:
            self._words.popleft()

    def has(self, text: str, began: float, delay: float | None) -> bool:
        """Whether what was heard from `began` on is a run of words that had then gone out, `delay` seconds before.

        An answer of one word is none: the anchor says "yes or no" itself. Nor is what begins after the anchor's voice
        has died away.
        """
        tokens = _tokens(text)
        if not tokens or "".join(tokens) in _ANSWERS or began > self._spoke + (delay or UNKNOWN_DELAY) + LEEWAY:
            return False
        since = began - (UNKNOWN_DELAY if delay is None else delay) - LEEWAY
        said = [token for at, token in self._words if at >= since]
        if delay is None and len(tokens) < 3:
            return False
        return _distance(tokens, said) <= WRONG * len(tokens)


def _tokens(text: str) -> list[str]:
    """Words, or characters of scripts without spaces."""
    spaced = "".join(f" {letter} " if ord(letter) > 0x2E7F else letter for letter in plain(text))
    return spaced.split()


def _distance(tokens: Sequence[str], said: Sequence[str]) -> int:
    """How many words must change to make `tokens` a run of what was said."""
    row = [0] * (len(said) + 1)
    for count, token in enumerate(tokens, 1):
        before, row = row, [count]
        for place, other in enumerate(said, 1):
            row.append(min(before[place - 1] + (token != other), before[place] + 1, row[place - 1] + 1))
    return min(row)
