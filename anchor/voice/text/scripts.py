"""Which writing system a character belongs to, by Unicode block."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Script = Literal["han", "kana", "hangul", "latin", "other", ""]

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
LATIN = "A-Za-zªºÀ-ÖØ-öø-ʯ\u0300-\u036fḀ-ỿ"

_HAN, _KANA, _HANGUL, _LATIN = (re.compile(f"[{block}]") for block in (HAN, KANA, HANGUL, LATIN))

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def script(letter: str) -> Script:
    """The script of a letter, "" for what is no letter (digits, punctuation, symbols)."""
    for name, pattern in (("han", _HAN), ("kana", _KANA), ("hangul", _HANGUL), ("latin", _LATIN)):
        if pattern.match(letter):
            return name  # type: ignore[return-value]
    return "other" if unicodedata.category(letter)[0] == "L" else ""


def is_cjk(letter: str) -> bool:
    """Whether a letter is written without spaces around its words."""
    return bool(_HAN.match(letter) or _KANA.match(letter))


def narrow(text: str) -> str:
    """Full-width ASCII as ASCII, character for character."""
    return text.translate(_WIDE)
