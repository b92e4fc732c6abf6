"""Which of a list a visitor means: by name, nearly by name, by sound in Mandarin, or by its place in the list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from anchor.dialogue.wording import Found, normal
from anchor.tags import base, said

_ALIKE = 0.76
"""Share of letters that must agree; measured on misspelt and misheard names in the tests."""


_LONGEST = 120
"""Letters of a text in which names are looked for that are not quite right."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list. `names` by language, the first of each is what is shown."""

    value: Any
    names: Mapping[str, tuple[str, ...]]

    def shown(self, language: str) -> str:
        names = {tag: listed[0] for tag, listed in self.names.items() if listed}
        return said(names, language, str(self.value))

    def spellings(self) -> Iterator[str]:
        for listed in self.names.values():
            yield from (normal(name) for name in listed)


_PLACES = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "5th": 5, "6th": 6, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "一": 1, "二": 2, "三": 3,
    "四": 4, "五": 5, "六": 6, **{str(number): number for number in range(1, 10)},
}  # fmt: skip
_ORDER = re.compile(
    r"\b(?:the\s+)?(?P<nth>first|second|third|fourth|fifth|sixth|1st|2nd|3rd|4th|5th|6th)(?:\s+(?:one|option|"
    r"choice))?\b"
    r"|\b(?:number|option|choice)\s+(?P<number>one|two|three|four|five|six|\d)\b"
    r"|第(?P<zh>[一二三四五六1-9])(?:个|家|种|项|张|位)?|(?P<last>\b(?:the\s+)?last(?:\s+(?:one|option))?\b|"
    r"最后(?:一个|一家)?)"
)


def chosen(text: str, choices: Sequence[Choice], *, lenient: bool = False) -> Found | None:
    """The choice that a normal text names, by value; several where it names more than one.

    `lenient`: a choice was asked for, so "the second one" is one, and a name need not be right in full.
    """
    exact = _longest([found for choice in choices for found in _exact(text, choice)])
    if exact:
        return _together(exact)
    if lenient and (order := _ORDER.search(text)):
        key = order["nth"] or order["number"] or order["zh"]
        place = len(choices) if order["last"] else _PLACES[key]
        if place <= len(choices):
            return Found((choices[place - 1].value,), order.start(), order.end())
        return Found((), order.start(), order.end(), "outside")
    alike = [(score, found) for choice in choices for score, found in _alike(text, choice, lenient=lenient)]
    if not alike:
        return None
    best = max(score for score, _ in alike)
    return _together(_longest([found for score, found in alike if score >= best - 0.05]))


def _exact(text: str, choice: Choice) -> Iterator[Found]:
    for name in choice.spellings():
        pattern = re.escape(name)
        if name[0].isascii():
            pattern = rf"(?<![a-z\d]){pattern}(?:'?s)?(?![a-z\d])"
        for match in re.finditer(pattern, text):
            yield Found((choice.value,), match.start(), match.end())


def _longest(found: Sequence[Found]) -> list[Found]:
    """Without those that lie within a longer one: "east central" is not "central"."""
    return [
        one
        for one in found
        if not any(
            other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
            for other in found
        )
    ]


def _together(found: Sequence[Found]) -> Found:
    values: list[Any] = []
    for one in sorted(found, key=lambda f: f.start):
        if one.values[0] not in values:
            values.append(one.values[0])
    return Found(tuple(values), min(f.start for f in found), max(f.end for f in found))


def _alike(text: str, choice: Choice, *, lenient: bool) -> Iterator[tuple[float, Found]]:
    if len(text) > _LONGEST:
        return
    for name in choice.spellings():
        if name[0].isascii():
            if len(name) < 4:
                continue
            words = list(re.finditer(r"[a-z\d']+", text))
            sizes = (len(name.split()), len(name.split()) + 1)
            for start, size in [(at, wide) for wide in sizes for at in range(len(words) - wide + 1)]:
                place = (words[start].start(), words[start + size - 1].end())
                piece = text[place[0] : place[1]].replace(" ", "")
                score = SequenceMatcher(None, piece, name.replace(" ", "")).ratio()
                if score >= (_ALIKE if lenient else 0.88):
                    yield score, Found((choice.value,), *place)
        elif re.fullmatch(r"[一-龥]{2,}", name):
            for start in range(len(text) - len(name) + 1):
                piece = text[start : start + len(name)]
                if re.fullmatch(r"[一-龥]+", piece) and all(
                    _sound(a) & _sound(b) for a, b in zip(piece, name, strict=True)
                ):
                    yield 0.9, Found((choice.value,), start, start + len(name))


@lru_cache(8192)
def _sound(letter: str) -> frozenset[str]:
    """The syllables that a character may be, without tones; endings that recognisers mix up count as one."""
    from pypinyin import Style, pinyin

    ways = pinyin(letter, style=Style.NORMAL, heteronym=True)
    return frozenset(way.replace("ng", "n") for way in ways[0])


def warm(choices: Iterable[Choice]) -> None:
    """Load what is needed to hear names by their sound, so that no conversation waits for it."""
    for choice in choices:
        for name in choice.spellings():
            for letter in re.findall(r"[一-龥]", name):
                _sound(letter)


def listed(names: Sequence[str], language: str, *, asked: bool = False) -> str:
    """Names in a row as they are said: "Central, Riverside or Airport"; `asked`: the row is a question."""
    zh = base(language) == "zh"
    if len(names) < 2:
        return "".join(names)
    last = ("还是" if asked else "或者") if zh else " or "
    return ("、" if zh else ", ").join(names[:-1]) + last + names[-1]
