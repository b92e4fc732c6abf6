"""How long to wait before what a visitor said counts as all of it: by whether the words are complete.

Pure, and by tables (``endings.toml``): a recogniser's text has often neither capitals nor marks, so words and their
order decide.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources

from anchor.tags import base

COMPLETE = 0.35
"""Seconds of silence after a whole sentence or question."""
NEUTRAL = 0.5
UNFINISHED = 1.2
"""After what cannot be the end: "I would like to". """
DICTATING = 1.5
"""Within a number that is being dictated, in groups, by heart."""

_TABLES = tomllib.loads(resources.files("anchor.hearing").joinpath("endings.toml").read_text("utf-8"))
_EN: dict[str, list[str]] = _TABLES["en"]
_ZH: dict[str, list[str]] = _TABLES["zh"]


def _any_of(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in words)


_ASKING = re.compile(rf"^(?:(?:{_any_of(_EN['openers'])}) )*(?:{_any_of(_EN['asking'])})\b")
_VERBS = re.compile(rf"\b(?:{_any_of(_EN['verbs'])})\b")
_NUMBERED = re.compile(rf"\b(?:{_any_of(_EN['numbered'])})\b")
_ZH_ASKING = re.compile(_any_of(_ZH["asking"]))
_ZH_NUMBERED = re.compile(_any_of(_ZH["numbered"]))
_ZH_DIGITS = re.compile(r"[零〇一二三四五六七八九幺两\d]+$")


def pause_after(text: str, language: str) -> float:
    """Seconds of silence, since the last voiced moment, after which a turn that reads `text` so far is closed."""
    plain = text.strip()
    if not plain:
        return NEUTRAL
    if base(language) in ("zh", "cmn", "yue"):
        return _mandarin(plain)
    return _english(plain)


def _english(text: str) -> float:
    mark = text[-1]
    if text.endswith(("...", "…")) or mark in ",;:-–—":
        return UNFINISHED
    words = re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'")).split()
    if not words:
        return NEUTRAL
    plain = " ".join(words)
    if _dictating(words, plain):
        return DICTATING
    if _ends(plain, _EN["whole"]):
        return COMPLETE
    # A recogniser that punctuates has heard the melody, but it also closes what only paused.
    open_end = words[-1] in _EN["hanging"] or _ends(plain, _EN["hanging_ends"])
    if open_end:
        return NEUTRAL if mark == "?" and len(words) > 3 else UNFINISHED
    if mark in "?!." or words[-1] in _EN["answers"]:
        return COMPLETE
    if _ASKING.match(plain) and len(words) >= 4:
        return COMPLETE
    if len(words) >= 4 and _VERBS.search(plain):
        return COMPLETE
    return NEUTRAL


def _dictating(words: list[str], plain: str) -> bool:
    digits = sum(len(word) if word.isdigit() else 1 for word in _trailing(words))
    if digits == 0:
        return False
    if _NUMBERED.search(plain):
        return digits < 11
    # Groups of three or four are said with pauses; one or two are an amount, a time, a choice.
    return 3 <= digits < 11 and not set(_EN["amounts"]) & set(words[-2:])


def _trailing(words: list[str]) -> list[str]:
    """The digits at the end."""
    place = len(words)
    while place and (words[place - 1] in _EN["digits"] or words[place - 1].isdigit()):
        place -= 1
    return words[place:]


def _ends(plain: str, ends: list[str]) -> bool:
    return any(plain == end or plain.endswith(f" {end}") for end in ends)


def _mandarin(text: str) -> float:
    mark = text[-1]
    if text.endswith(("...", "…")) or mark in "，,、；;：:—-":
        return UNFINISHED
    plain = re.sub(r"[^\w]", "", text)
    if not plain:
        return NEUTRAL
    digits = _ZH_DIGITS.search(plain)
    if digits is not None:
        size = len(digits[0])
        numbered = _ZH_NUMBERED.search(plain[: digits.start()]) is not None
        if (numbered and size < 11) or 3 <= size < 11:
            return DICTATING
        return NEUTRAL
    whole = max((len(end) for end in _ZH["whole"] if plain.endswith(end)), default=0)
    hanging = max((len(end) for end in _ZH["hanging_ends"] if plain.endswith(end)), default=0)
    if hanging > whole:
        return NEUTRAL if mark in "？?" and len(plain) > 4 else UNFINISHED
    if whole or mark in "。？！?!.":
        return COMPLETE
    if _ZH_ASKING.search(plain) and len(plain) >= 5:
        return COMPLETE
    return COMPLETE if len(plain) >= 6 else NEUTRAL
