"""Reading Japanese text."""

from __future__ import annotations

from collections.abc import Iterator

from anchor.voice.text.lexicon import Lexicon
from anchor.voice.text.tokens import Token


def tokens(run: str, lexicon: Lexicon) -> Iterator[Token]:
    yield Token(run, run, "ja")
