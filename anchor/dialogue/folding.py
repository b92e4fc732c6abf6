"""Text as it is compared: one width, one case, simplified Chinese, and nothing that cannot be seen."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, for use inside a character class."""

_HAN_LETTER = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_BREAKS = str.maketrans({"\t": " ", "\n": "\n", "\r": "\n", "\u2028": "\n", "\u2029": "\n"})


@functools.cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def visible(text: str) -> str:
    """Drop controls, bidirectional overrides, zero-width signs and lone surrogates; line breaks stay."""
    return "".join(
        letter for letter in text.translate(_BREAKS) if letter == "\n" or unicodedata.category(letter)[0] != "C"
    )


def folded(text: str) -> str:
    """Visible, compatibility-composed (NFKC), case-folded, Traditional as Simplified."""
    plain = visible(unicodedata.normalize("NFKC", text)).casefold()
    return str(_simplifier().convert(plain)) if _HAN_LETTER.search(plain) else plain


def has_han(text: str) -> bool:
    return _HAN_LETTER.search(text) is not None


def language_of(text: str) -> str:
    """``zh`` for a text that is as much Chinese as Latin, a character weighing as much as a word; otherwise ``en``."""
    return "zh" if len(_HAN_LETTER.findall(text)) >= max(1, len(_LATIN_WORD.findall(text))) else "en"
