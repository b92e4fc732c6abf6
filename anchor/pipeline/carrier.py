"""Carries the spans of a text over to the sentences that it is cut into.

A sentence has other white space than its text, and lacks its control characters; the letters that are left are the same
in both. So places are counted in those letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from anchor.events import Sentence, Span

_DYING_SECONDS = 0.02
"""Voices are silent already for so long when their sound ends."""

_WHOLE = ("say-as", "sub", "phoneme")
_POINTS = ("mark", "break")


def spaces(letter: str) -> bool:
    return letter in "\n\u2028\u2029\x0b\x0c\x85" or (letter.isspace() and letter != "\r")


def letter_of_text(letter: str) -> bool:
    """Whether a character is neither white space nor one that sentences leave out."""
    return not (
        spaces(letter)
        or unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn")
        or letter in "\u200b\u2060\ufeff\u00ad"
    )


class Carrier:
    """Takes the text in as it comes, and each sentence when it is cut; holds back one sentence.

    A break between two sentences is the pause of the first of them instead of its own.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        self._wide = [span for span in spans if span.kind not in _POINTS and span.end > span.start]
        self._points = sorted((span for span in spans if span.kind in _POINTS), key=lambda span: span.start)
        self._whole = [span for span in self._wide if span.kind in _WHOLE]
        self._before = [0]  # letters before each place of the text
        self._gone = 0  # letters that have left in sentences
        self._held: Sentence | None = None
        self._paused = False

    def take(self, letters: Sequence[bool]) -> None:
        """Take in more of the text: whether each of its characters is a letter of sentences."""
        self._before += list(accumulate(letters, initial=self._before[-1]))[1:]

    def lose(self, text: str) -> None:
        """Letters that no sentence will have."""
        self._gone += sum(map(letter_of_text, text))

    def around(self, text: str) -> tuple[int, int] | None:
        """What must stay whole and would be cut after `text`, which follows the last sentence.

        In letters from there: where it begins and where it ends.
        """
        if not self._whole:
            return None
        place = self._gone + sum(map(letter_of_text, text))
        for span in self._whole:
            start, end = self._letters(span.start), self._letters(span.end, beyond=1)
            if start < place < end:
                return start - self._gone, end - self._gone
        return None

    def carried(self, sentence: Sentence) -> Iterator[Sentence]:
        """The sentence before, now that it is known which breaks stand between the two."""
        places = [place for place, letter in enumerate(sentence.text) if letter_of_text(letter)]
        first, self._gone = self._gone, self._gone + len(places)
        spans = [self._inside(span, first, places) for span in self._wide]
        words = [place for place, letter in enumerate(sentence.text) if letter.isalnum()]
        pauses: list[float] = []
        while self._points and (letters := self._letters(self._points[0].start)) < self._gone:
            point, place = self._points.pop(0), places[max(0, letters - first)]
            if point.kind == "break" and place <= words[0] and self._held is not None:
                self._pause(point.seconds)
            elif point.kind == "break" and place > words[-1]:
                pauses.append(point.seconds)
            else:
                spans.append(replace(point, start=place, end=place))
        if self._held is not None:
            yield self._held
        found = sorted((span for span in spans if span is not None), key=lambda span: (span.start, -span.end))
        self._held, self._paused = replace(sentence, spans=tuple(found)), False
        for seconds in pauses:
            self._pause(seconds)

    def last(self) -> Iterator[Sentence]:
        """The last sentence, with what stands behind it."""
        if self._held is None:
            return
        for point in self._points:
            if point.kind == "break":
                self._pause(point.seconds)
            else:
                end = len(self._held.text)
                self._held = replace(self._held, spans=(*self._held.spans, replace(point, start=end, end=end)))
        self._points = []
        yield self._held

    def _pause(self, seconds: float) -> None:
        assert self._held is not None
        pause = seconds + self._held.pause if self._paused else max(0.0, seconds - _DYING_SECONDS)
        self._held = replace(self._held, pause=pause)
        self._paused = True

    def _letters(self, place: int, *, beyond: int = 0) -> int:
        """Letters before a place of the text; of one that has not come yet, all there are and `beyond`."""
        return self._before[place] if place < len(self._before) else self._before[-1] + beyond

    def _inside(self, span: Span, first: int, places: Sequence[int]) -> Span | None:
        """The part of a span that is in a sentence, which begins after `first` letters and has them at `places`."""
        start = max(0, self._letters(span.start) - first)
        end = min(len(places), self._letters(span.end, beyond=1) - first)
        return replace(span, start=places[start], end=places[end - 1] + 1) if start < end else None
