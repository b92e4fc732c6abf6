"""Text for engines that read letters: what a reader of text made, in words again, cut where a voice may draw breath."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from anchor.tags import base
from anchor.voice.manner import USUAL, Manner
from anchor.voice.text import Token
from anchor.voice.text.scripts import is_cjk

# "A.I." is spelled by every front-end; "A I" would be an article and a pronoun.
_LETTERS = re.compile(r"\b[A-Z](?: [A-Z]\b(?!'))+")
_WIDE_MARKS = {",": "，", ";": "；", ":": "：", ".": "。", "?": "？", "!": "！"}


@dataclass(frozen=True, slots=True)
class Clause:
    """Words in one language that are said in one manner, with the mark that ends them."""

    text: str
    language: str
    manner: Manner = USUAL


def clauses(tokens: Sequence[Token], ways: Sequence[Manner]) -> list[Clause]:
    """What is said of tokens, each in its manner, cut after every mark and where language or manner change."""
    found: list[Clause] = []
    text, language, manner = "", "", USUAL
    for token, way in zip(tokens, ways, strict=True):
        if token.spoken and text and (token.language, way) != (language, manner):
            found.append(Clause(text, language, manner))
            text = ""
        if token.spoken:
            language, manner = token.language, way
            text += ("" if not text or token.joined or _tight(text, token) else " ") + _said(token)
        if token.mark and text:
            found.append(Clause(text + _mark(token.mark, language), language, manner))
            text = ""
    if text:
        found.append(Clause(text, language, manner))
    return found


def joined(clauses: Sequence[Clause]) -> str:
    """The text of clauses in one language."""
    return ("" if clauses and base(clauses[0].language) in ("zh", "ja") else " ").join(one.text for one in clauses)


def _said(token: Token) -> str:
    if base(token.language) == "ja" and not any(letter.isdigit() for letter in token.text):
        return token.text or token.spoken  # engines that know Japanese read kanji better than kana
    spoken = token.spoken.replace("\x01", " ").replace("’", "'")
    return _LETTERS.sub(lambda match: match[0].replace(" ", ".") + ".", spoken)


def _tight(text: str, token: Token) -> bool:
    return base(token.language) in ("zh", "ja") and is_cjk(text[-1]) and is_cjk(token.spoken[0])


def _mark(mark: str, language: str) -> str:
    return _WIDE_MARKS[mark] if base(language) in ("zh", "ja") else mark
