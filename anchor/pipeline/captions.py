"""Page the timed words of a sentence into captions of one or two lines. Pure functions of their input.

Pages are chosen by dynamic programming over all places where text may break (`anchor.linebreak`): every page and line
ends where the sense does as far as widths allow, lines of a page are balanced, and no page is too short to be read.
The figures follow common broadcast practice (BBC Subtitle Guidelines; Netflix Timed Text Style Guide): at most two
lines of about 42 letters or 20 ideographs, on screen for a second or more, and no blink between pages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest
from math import inf

from anchor import linebreak
from anchor.events import Caption, Word
from anchor.media import SAMPLE_RATE, VideoFormat

LONG_SECONDS = 5.0
"""A page that stands longer than this is better broken in two."""


@dataclass(frozen=True, slots=True)
class CaptionStyle:
    """How captions are paged.

    `columns`: half-width columns a line may have (an ideograph takes two). `lines`: 1 or 2. `shortest`: seconds a page
    should stand at least. `gap`: a shorter pause between two pages, in seconds, does not clear the screen.
    """

    columns: int = 42
    lines: int = 2
    shortest: float = 1.0
    gap: float = 0.5

    @classmethod
    def suits(cls, video: VideoFormat) -> CaptionStyle:
        """The style whose lines fit the title-safe width of a picture with legible letters."""
        aspect = video.width / video.height
        return cls(columns=42 if aspect > 1.5 else 36 if aspect > 0.8 else 32)


DEFAULT_STYLE = CaptionStyle()


def paginate(
    words: Sequence[Word],
    style: CaptionStyle = DEFAULT_STYLE,
    *,
    until: int | None = None,
    cuts: frozenset[int] | None = None,
) -> tuple[Caption, ...]:
    """Page the words of one sentence; times of the captions are on the time line of the words.

    Joining the lines gives the display text back, but for white space at breaks. A page begins at the start of its
    first word and stands until the next one, or until its last word ends where a pause follows. The last page may stay
    up to `until` (where the sentence's pause ends), by default until the last word ends.
    `cuts`: places in the joined text where a word segmenter begins words of an unspaced script; by default the words
    themselves say so when the voice times words and not single characters.
    """
    script = _Script(words, style, cuts)
    if not script.text.strip():
        return ()
    pages = _pages(script)
    last = len(pages) - 1
    captions = []
    for number, (lines, start, end) in enumerate(pages):
        room = pages[number + 1][1] if number < last else max(end, end if until is None else until)
        captions.append(Caption(lines, start, _hold(start, end, room, style)))
    return tuple(captions)


def close_gaps(captions: Sequence[Caption], style: CaptionStyle = DEFAULT_STYLE) -> tuple[Caption, ...]:
    """Let captions of a finished show stand until the next where the pause is short, and none overlap another."""
    closed = []
    for caption, following in zip_longest(captions, captions[1:]):
        if following is None:
            closed.append(caption)
        elif caption.start < following.start:
            end = min(caption.end, following.start)
            closed.append(replace(caption, end=_hold(caption.start, end, following.start, style)))
    return tuple(closed)


def _hold(start: int, end: int, room: int, style: CaptionStyle) -> int:
    """When a page goes: at `room` when that is soon after its last word, else when it has been read."""
    if room - end <= style.gap * SAMPLE_RATE:
        return max(room, start + 1)
    return max(start + 1, min(room, max(end, start + round(style.shortest * SAMPLE_RATE))))


class _Script:
    """The joined text with a time for every character and a price for every break."""

    def __init__(self, words: Sequence[Word], style: CaptionStyle, cuts: frozenset[int] | None) -> None:
        self.style = style
        self.text = "".join(word.text for word in words)
        self.starts: list[int] = []
        self.ends: list[int] = []
        begins: list[int] = []
        clock = 0
        for word in words:
            begins.append(len(self.starts))
            clock = max(clock, word.start)
            length, end = len(word.text), max(clock, word.end)
            self.starts += [clock + (end - clock) * number // length for number in range(length)]
            self.ends += [clock + (end - clock) * (number + 1) // length for number in range(length)]
        if cuts is None and any(map(_whole_word, words)):
            cuts = frozenset(begins)
        self.widths = [0, *accumulate(linebreak.columns(character) for character in self.text)]
        self.costs = [*linebreak.penalties(self.text, cuts), linebreak.SENTENCE]
        self.places = self._places(set(begins))
        self.tops = [self.widths[place] for place in self.places]

    def width(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return self.widths[end] - self.widths[start]

    def seconds(self, start: int, end: int) -> float:
        return (self.ends[end - 1] - self.starts[start]) / SAMPLE_RATE

    def _places(self, begins: set[int]) -> list[int]:
        """Where pages and lines may begin and end, with emergency breaks inside what is wider than a line."""
        allowed = [place for place in range(1, len(self.text)) if self.costs[place] < inf]
        places = [0]
        for place in [*allowed, len(self.text)]:
            while self.width(places[-1], place) > self.style.columns:
                limit = self.widths[places[-1]] + self.style.columns
                cut = max(places[-1] + 1, bisect_right(self.widths, limit) - 1)
                cut = next((c for c in range(cut, places[-1], -1) if c in begins), cut)
                self.costs[cut] = 3 * linebreak.AWKWARD
                places.append(cut)
            if place > places[-1]:
                places.append(place)
        return places


def _whole_word(word: Word) -> bool:
    """Whether a word has more than one ideograph, so that the voice times words and not single characters."""
    return sum(linebreak.wide(character) and character.isalnum() for character in word.text) > 1


_Page = tuple[tuple[str, ...], int, int]


def _pages(script: _Script) -> list[_Page]:
    """The cheapest way to cut the text into pages (Bellman's recursion over `places`)."""
    places, style = script.places, script.style
    best: list[float] = [0.0] + [inf] * (len(places) - 1)
    came: list[tuple[int, int | None]] = [(0, None)] * len(places)
    for first, start in enumerate(places[:-1]):
        reach = script.widths[start] + style.columns * style.lines + 4
        for last in range(first + 1, len(places)):
            if script.tops[last] > reach and last > first + 1:
                break
            cost, middle = _page_cost(script, first, last)
            if best[first] + cost < best[last]:
                best[last], came[last] = best[first] + cost, (first, middle)
    pages: list[_Page] = []
    last = len(places) - 1
    while last:
        first, middle = came[last]
        marks = [places[first], *([places[middle]] if middle is not None else []), places[last]]
        lines = tuple(script.text[a:b].strip() for a, b in pairwise(marks))
        if lines := tuple(line for line in lines if line):
            pages.append((lines, script.starts[places[first]], script.ends[places[last] - 1]))
        last = first
    return pages[::-1]


def _page_cost(script: _Script, first: int, last: int) -> tuple[float, int | None]:
    """The price of a page between two places, and the place of its line break if it has two lines."""
    start, end, columns = script.places[first], script.places[last], script.style.columns
    seconds = script.seconds(start, end)
    cost = 2.0 + 1.5 * script.costs[end] + max(0.0, seconds - LONG_SECONDS)
    cost += 20 * max(0.0, 1 - seconds / script.style.shortest) if script.style.shortest else 0.0
    if script.width(start, end) <= columns:
        return cost, None
    if script.style.lines < 2:
        return inf, None
    low = bisect_left(script.tops, script.tops[last] - columns - 2, first + 1, last)
    high = bisect_right(script.tops, script.widths[start] + columns + 2, first + 1, last)
    chosen, cheapest = None, inf
    for middle in range(low, high):
        place = script.places[middle]
        upper, lower = script.width(start, place), script.width(place, end)
        if upper > columns or lower > columns:
            continue
        price = 0.8 * script.costs[place] + 6 * ((upper - lower) / columns) ** 2 + 0.4 * (upper > lower)
        if price < cheapest:
            chosen, cheapest = middle, price
    return cost + 0.5 + cheapest, chosen
