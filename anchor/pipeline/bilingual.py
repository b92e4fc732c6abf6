"""Captions with a further line in a second language: which part of a translation stands under which page.

A translation is paired with the text sentence by sentence where both have as many, else by length over the whole.
Within a sentence it is cut into as many parts as there are pages: each near the place that the length of the pages asks
for, at a place where a line of text may break, and no wider than a line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from math import ceil, inf

from anchor import chinese, linebreak
from anchor.events import Caption, Sentence, Word
from anchor.linebreak import columns
from anchor.pipeline.captions import CaptionStyle, paginate
from anchor.pipeline.segmenter import STOP_PAUSE, language_of, segment

_SLACK = 0.9
"""How much of a line parts of a translation fill on average, so that they can end where the sense does."""

_REACH = 40
"""Columns around the place that a part should end at, in which it may."""

_NARROWEST, _STEP = 16, 4
"""Columns that a page of text is not made narrower than for its translation to fit, and steps on the way there."""


async def paired(sentences: Sequence[Sentence], translation: str) -> list[str]:
    """For each sentence what of the translation stands under it; empty where there is less of it than of the text."""
    language = language_of(translation, "en")
    translated = [sentence async for sentence in segment(_whole(translation), language, eager=False)]
    theirs = ["".join(sentence.text for sentence in group) for group in _grouped(translated)]
    groups = _grouped(sentences)
    if len(groups) != len(theirs):
        return shared("".join(theirs), [columns(sentence.text) for sentence in sentences])
    return [
        part for group, theirs_of in zip(groups, theirs, strict=True)
        for part in shared(theirs_of, [columns(sentence.text) for sentence in group])
    ]  # fmt: skip


async def _whole(text: str) -> AsyncIterator[str]:
    yield text


def _grouped(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """The sentences that were cut at a comma put together again."""
    groups: list[list[Sentence]] = [[]]
    for sentence in sentences:
        groups[-1].append(sentence)
        if sentence.text.rstrip().endswith(_ENDS) or sentence.pause > STOP_PAUSE:
            groups.append([])
    return [group for group in groups if group]


_ENDS = tuple("。！？!?｡．.…”’」』\"'")


def bilingual(
    words: Sequence[Word], style: CaptionStyle, second: str, *, until: int | None = None
) -> tuple[Caption, ...]:
    """`paginate`, with parts of `second` as a further line; pages are shorter where it would not fit else."""
    pages = paginate(words, style, until=until)
    second = second.strip()
    if not second or not pages:
        return pages
    needed = ceil(columns(second) / (style.columns * _SLACK))
    for width in range(style.columns, _NARROWEST, -_STEP):
        if len(pages) >= needed:
            break
        pages = paginate(words, replace(style, columns=width, lines=1), until=until)
    parts = shared(second, [sum(map(columns, page.lines)) for page in pages], widest=style.columns)
    return tuple(
        replace(page, second=(part.strip(),)) if part.strip() else page for page, part in zip(pages, parts, strict=True)
    )


def shared(text: str, weights: Sequence[float], *, widest: int | None = None) -> list[str]:
    """Cut `text` into a part for each weight, as long as the weights ask for as far as it may be cut there.

    By dynamic programming over the places where a line may break, near those that the weights ask for. Parts wider than
    `widest` columns are taken only where nothing else can be. Some are empty where there are more weights than places.
    """
    if len(weights) < 2 or not text.strip():
        return [text, *[""] * (len(weights) - 1)]
    widths = [0, *accumulate(map(columns, text))]
    costs = linebreak.penalties(text, _words_of(text))
    places = [0, *(place for place in range(1, len(text)) if costs[place] < inf), len(text)]
    tops = [widths[place] for place in places]
    goals = [total / (sum(weights) or 1) * widths[-1] for total in accumulate(weights)][:-1]
    rows: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for goal in [*goals, None]:
        row = {}
        for place in [len(text)] if goal is None else _near(places, tops, goal):
            price = 0.0 if goal is None else ((widths[place] - goal) / 10) ** 2
            price += costs[place] if 0 < place < len(text) else 0.0
            options = [
                (cost + price + _over(text, widths, before, place, widest), before)
                for before, (cost, _) in rows[-1].items() if before <= place
            ]  # fmt: skip
            if options:
                row[place] = min(options)
        rows.append(row)
    cuts = [len(text)]
    for row in reversed(rows[1:]):
        cuts.append(row[cuts[-1]][1])
    return [text[start:end] for start, end in pairwise(reversed(cuts))]


def _near(places: Sequence[int], tops: Sequence[int], goal: float) -> Sequence[int]:
    low, high = bisect_left(tops, goal - _REACH), bisect_right(tops, goal + _REACH)
    return places[max(0, low - 1) : high + 1]


def _over(text: str, widths: Sequence[int], start: int, end: int, widest: int | None) -> float:
    """What it costs that a part is empty, or too wide for its line."""
    if end <= start:
        return 50.0
    width = widths[end] - widths[start] - (text[end - 1] == " ")
    return 0.0 if widest is None or width <= widest else 100.0 + 10 * (width - widest)


def _words_of(text: str) -> frozenset[int] | None:
    """Where words begin in text that has Chinese in it."""
    if not language_of(text, "en").startswith("zh") and not any("\u4e00" <= letter <= "\u9fff" for letter in text):
        return None
    return frozenset(accumulate(len(word) for word in chinese.words(text, guess=True)))
