"""Set text into masks of coverage: any script the fonts know, never an empty box.

What no font can draw is spelled with a plainer character where there is one (“ becomes ", é becomes e), else left out
and logged once. Emoji, control and formatting characters are left out.
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np

from anchor.linebreak import penalties, wide
from anchor.media import Bytes
from avatars import glyphs
from avatars.fontbook import Face, FontBook, FontReport, fonts, installed, script_of

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

__all__ = ["FontReport", "Typesetter", "fonts"]

log = logging.getLogger(__name__)

ASCENT, DESCENT = 1.2, 0.35
"""Room above and below the baseline in ems; takes stacked accents on capitals and every descender."""

GAP = 0.13
"""Space set between ideographs and Latin letters or figures, in ems (W3C "Requirements for Chinese Text Layout")."""

_PLAINER = str.maketrans(
    {
        "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "·": "-", "×": "x", "−": "-", "、": ",",
        "。": ".", "「": '"', "」": '"', "『": '"', "』": '"', "《": '"', "》": '"', "€": "EUR", "£": "GBP", "¥": "CNY",
        "•": "-", "～": "~", "〜": "~", "\u3000": " ", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring characters drawn by one face; `face` None means our own glyphs."""

    face: Face | None
    text: str
    wide: bool


class Typesetter:
    """Sets text with the fonts of one book; `languages` are BCP 47 tags, the first decides the shape of ideographs."""

    def __init__(self, book: FontBook | None = None, languages: tuple[str, ...] = ("zh-CN", "en")) -> None:
        self._book = book or installed()
        asian = [language for language in languages if script_of(language) != "latin"]
        self._ideographs = asian[0] if asian else "zh-CN"
        self._dropped: set[str] = set()
        self._chains: dict[str, tuple[Face, ...]] = {}
        self._faces: dict[tuple[str, str], Face | None] = {}

    def clean(self, text: str) -> str:
        """What of `text` can be drawn, on one line, in NFC."""
        spaced = "".join(" " if character.isspace() else character for character in text)
        kept = "".join(self._drawable(character) for character in unicodedata.normalize("NFC", spaced))
        return " ".join(kept.split())

    def width(self, text: str, size: float) -> float:
        """Advance of one line of cleaned text in pixels, `size` pixels an em."""
        return self._layout(text, size)[1]

    def draw(self, text: str, size: float) -> Bytes:
        """Draw one line of cleaned text: coverage 0..255, uint8.

        The shape is (ceil(size * (ASCENT + DESCENT)), ceil(width) + 2 * margin) with the baseline at size * ASCENT
        and the text's origin at `margin(size)` from the left, so that no stroke is cut.
        """
        from PIL import Image, ImageDraw

        placed, advance = self._layout(text, size)
        margin, baseline = self.margin(size), round(size * ASCENT)
        sheet = Image.new("L", (ceil(advance) + 2 * margin, ceil(size * (ASCENT + DESCENT))), 0)
        pencil = ImageDraw.Draw(sheet)
        for run, x in placed:
            if run.face is None:
                for number, character in enumerate(run.text):
                    glyph = Image.fromarray(glyphs.draw(character, size))
                    corner = (round(margin + x + number * size), baseline - round(0.88 * size))
                    sheet.paste(glyph, corner)
                continue
            pencil.text(
                (margin + x, baseline), run.text, fill=255, font=_font(run.face, size), anchor="ls",
                stroke_width=_stroke(run.face, size),
            )  # fmt: skip
        return np.asarray(sheet, np.uint8)

    @staticmethod
    def margin(size: float) -> int:
        return ceil(size * 0.12)

    def ink_height(self, text: str, size: float) -> int:
        """The least height in pixels of a full-height character (a capital, or an ideograph) in cleaned text."""
        samples = [_reference(run) for run in self._runs(text)]
        masks = [self.draw(sample, size) for sample in dict.fromkeys(filter(None, samples))] or [self.draw("H", size)]
        return min(int(np.count_nonzero((mask > 127).any(axis=1))) for mask in masks)

    def fit(self, text: str, size: float, width: float, smallest: float) -> tuple[str, float]:
        """Make cleaned text fit `width` pixels: set it smaller, at most down to `smallest`, then cut it with "…"."""
        natural = self.width(text, size)
        if natural <= width:
            return text, size
        size = max(smallest, size * width / natural)
        if self.width(text, size) <= width + 1:
            return text, size
        return self._cut(text, size, width), size

    def wrap(self, text: str, size: float, width: float, lines: int) -> tuple[str, ...] | None:
        """Break cleaned text into at most `lines` lines of at most `width` pixels, or None where that cannot be."""
        costs = penalties(text)
        done: list[str] = []
        rest = 0
        while rest < len(text):
            end = self._longest(text, rest, size, width, costs)
            if end == rest or len(done) == lines:
                return None
            done.append(text[rest:end].strip())
            rest = end
        return tuple(done)

    def balanced(self, text: str, size: float, width: float, lines: int) -> tuple[str, ...] | None:
        """Like `wrap`, with lines about as long as each other and no single word left over for the last."""
        best = self.wrap(text, size, width, lines)
        if best is None or len(best) < 2:
            return best
        for share in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55):
            narrower = self.wrap(text, size, width * share, len(best))
            if narrower is None:
                break
            best = narrower
        return best

    def _longest(self, text: str, start: int, size: float, width: float, costs: list[float]) -> int:
        """Where the longest line from `start` that fits may end, preferring good breaks near that place."""
        best, reach = start, start
        scored = inf
        for end in [place for place in range(start + 1, len(text)) if costs[place] < inf] + [len(text)]:
            if self.width(text[start:end].strip(), size) > width:
                break
            reach = end
            score = -0.25 * (end - start) + (costs[end] if end < len(text) else -inf)
            if score <= scored:
                best, scored = end, score
        return best if reach > start else start

    def _cut(self, text: str, size: float, width: float) -> str:
        dots = self.clean("…") or "..."
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + dots, size) <= width:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + dots if low else ""

    def _drawable(self, character: str) -> str:
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Co", "Cn") or character in _SELECTORS:
            return ""
        if character == " " or self._face(character) is not None or character in glyphs.CHARACTERS:
            return character
        plainer = character.translate(_PLAINER)
        if plainer == character:
            plainer = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
        if plainer not in ("", character):
            return "".join(self._drawable(part) for part in plainer)
        self._report(character)
        return ""

    def _report(self, character: str) -> None:
        """Log what cannot be drawn once for every kind of character (CJK, HANGUL, ...), not for every character."""
        kind = unicodedata.name(character, "?").split()[0] if character.isalnum() else "symbol"
        if kind not in self._dropped:
            self._dropped.add(kind)
            log.warning("no font can draw U+%04X (%s) and its like: left out", ord(character), kind)

    def _face(self, character: str, language: str = "en") -> Face | None:
        key = (character, language)
        if key not in self._faces:
            if len(self._faces) > 8192:
                self._faces.clear()
            chain = self._chains.setdefault(language, self._book.chain(language))
            self._faces[key] = next((face for face in chain if character in face.coverage), None)
        return self._faces[key]

    def _runs(self, text: str) -> list[_Run]:
        language = self._flavour(text)
        kinds = _kinds(text)
        pieces: list[tuple[Face | None, bool, str]] = []
        for character, is_wide in zip(text, kinds, strict=True):
            if pieces and (character == " " or unicodedata.combining(character)):
                face = pieces[-1][0]
                if face is not None and character in face.coverage:
                    pieces.append((face, pieces[-1][1], character))
                    continue
            pieces.append((self._face(character, language if is_wide else "en"), is_wide, character))
        return [
            _Run(face, "".join(piece[2] for piece in group), is_wide)
            for (face, is_wide), group in groupby(pieces, key=lambda piece: (piece[0], piece[1]))
        ]

    def _flavour(self, text: str) -> str:
        """Kana means Japanese and hangul Korean; ideographs alone look as the stream's language wants them."""
        if any("\u3041" <= character <= "\u30ff" and character != "・" for character in text):
            return "ja"
        if any("\uac00" <= character <= "\ud7a3" for character in text):
            return "ko"
        return self._ideographs

    def _layout(self, text: str, size: float) -> tuple[list[tuple[_Run, float]], float]:
        placed: list[tuple[_Run, float]] = []
        x = 0.0
        before: _Run | None = None
        for run in self._runs(text):
            if before and before.wide != run.wide and before.text[-1].isalnum() and run.text[0].isalnum():
                x += GAP * size
            placed.append((run, x))
            x += size * len(run.text) if run.face is None else _font(run.face, size).getlength(run.text)
            before = run
        return placed, x


_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
"""Variation selectors and skin tones: they only change an emoji before them."""


@lru_cache(maxsize=64)
def _font(face: Face, size: float) -> FreeTypeFont:
    return face.load(size)


def _stroke(face: Face, size: float) -> float:
    """Thicken faces that are too light to be read over a moving picture."""
    return 0.0 if face.bold else size * 0.02


def _reference(run: _Run) -> str:
    """A character of full height that is drawn by the same face, or nothing where the run is only punctuation."""
    if not any(character.isalnum() for character in run.text):
        return ""
    if run.wide:
        return "生" if run.face is None or "生" in run.face.coverage else run.text[0]
    return "H"


def _kinds(text: str) -> list[bool]:
    """For every character whether it is set full width; punctuation that could be either follows its neighbours."""
    strong: list[bool | None] = [
        True if wide(character) else False if character.isalnum() else None for character in text
    ]
    previous = _carry(strong)
    following = _carry(strong[::-1])[::-1]
    kinds = []
    for number, character in enumerate(text):
        opening = unicodedata.category(character) in ("Ps", "Pi")
        order = (following, previous) if opening else (previous, following)
        first, second = order[0][number], order[1][number]
        known = first if first is not None else second
        kinds.append(bool(known) and character != " ")
    return kinds


def _carry(values: list[bool | None]) -> list[bool | None]:
    carried: list[bool | None] = []
    last: bool | None = None
    for value in values:
        last = value if value is not None else last
        carried.append(last)
    return carried
