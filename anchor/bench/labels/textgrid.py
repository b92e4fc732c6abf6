"""Praat's TextGrid files, long and short.

In both forms only what stands free between blanks counts: numbers, "texts" and <flags> (Praat manual, "TextGrid file
formats"); names such as ``xmin =`` are decoration, so that one reader serves both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from anchor.bench.labels.label import Label, Labels, checked, read_text
from anchor.errors import LabelError

PHONE_TIERS = ("phones", "phone", "phonemes", "phoneme", "segments", "segment", "mau")
WORD_TIERS = ("words", "word")
_MACHINE_MADE = frozenset({"[SIL]", "spn", "sp", "<p:>"})
"""Marks for silence and noise that aligners write (Charsiu, the Montreal Forced Aligner, WebMAUS) and people do not."""
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(<\w+>|[-+]?[0-9.][0-9.eE+-]*)(?!\S)')


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool
    line: int


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._tokens: list[_Token] = []
        line, reached = 1, 0
        for found in _TOKEN.finditer(text):
            line += text.count("\n", reached, found.start())
            reached = found.start()
            quoted = found[1] is not None
            self._tokens.append(_Token((found[1] or "").replace('""', '"') if quoted else found[2], quoted, line))
        self._last_line = line
        self._at = 0

    @property
    def line(self) -> int:
        return self._tokens[self._at].line if self._at < len(self._tokens) else self._last_line

    @property
    def left(self) -> int:
        return len(self._tokens) - self._at

    def wrong(self, what: str) -> LabelError:
        return LabelError(f"{self._path}:{self.line}: {what}")

    def _next(self, wanted: str) -> _Token:
        if self._at >= len(self._tokens):
            raise self.wrong(f"the file ends where {wanted} should be")
        self._at += 1
        return self._tokens[self._at - 1]

    def text(self, wanted: str) -> str:
        token = self._next(f"{wanted}, a text in quotes,")
        if not token.quoted:
            self._at -= 1
            raise self.wrong(f"{token.text} stands where {wanted}, a text in quotes, should be")
        return token.text

    def number(self, wanted: str) -> float:
        token = self._next(f"{wanted}, a number,")
        try:
            if token.quoted:
                raise ValueError
            return float(token.text)
        except ValueError:
            self._at -= 1
            raise self.wrong(f"{token.text!r} stands where {wanted}, a number, should be") from None

    def flag(self) -> str:
        return self._next("<exists>").text

    def count(self, wanted: str) -> int:
        number = self.number(wanted)
        if not (number.is_integer() and 0 <= number <= self.left):
            self._at -= 1
            raise self.wrong(f"{wanted} is given as {number:g}, which is not how many follow")
        return int(number)


def read_tiers(path: Path) -> dict[str, list[Label]]:
    """Every tier by its name in small letters; a point of a point tier is a label without length."""
    reader = _Reader(path, read_text(path))
    if reader.left < 2 or (reader.text("the file type"), reader.text("the class")) != ("ooTextFile", "TextGrid"):
        raise LabelError(f"{path}:1: is no TextGrid of Praat's text forms; save it as a short or long text file")
    reader.number("the start")
    reader.number("the end")
    tiers: dict[str, list[Label]] = {}
    if reader.flag() != "<exists>":
        return tiers
    for _ in range(reader.count("the number of tiers")):
        kind, name = reader.text("the class of a tier"), reader.text("the name of a tier")
        reader.number("the start of a tier")
        reader.number("the end of a tier")
        if kind not in ("IntervalTier", "TextTier"):
            raise reader.wrong(f"tier {name!r} is a {kind!r}; IntervalTier and TextTier are known")
        labels = []
        for _ in range(reader.count("the number of labels")):
            line = reader.line
            start = reader.number("the start of a label")
            end = reader.number("the end of a label") if kind == "IntervalTier" else start
            labels.append(Label(reader.text("a label").strip(), start, end, line))
        tiers.setdefault(name.strip().lower(), labels)
    return tiers


def read(path: Path) -> Labels:
    """The phone tier. Raises `LabelError`."""
    tiers = read_tiers(path)
    phones = next((tiers[name] for name in PHONE_TIERS if name in tiers), None)
    if phones is None:
        raise LabelError(
            f"{path}: has no tier of phones; its tiers are {', '.join(tiers) or 'none'}, and one of "
            f"{', '.join(PHONE_TIERS)} is looked for"
        )
    return Labels(
        checked(path, phones), by_hand=not any(label.symbol in _MACHINE_MADE for label in phones), text=words(tiers)
    )


def words(tiers: dict[str, list[Label]]) -> str:
    """What the word tier says, or nothing where there is none."""
    spoken = next((tiers[name] for name in WORD_TIERS if name in tiers), [])
    found = [label.symbol for label in spoken if label.symbol and label.symbol[0] not in "[<{"]
    return ("" if any(ord(word[0]) > 0x2E80 for word in found) else " ").join(found)
