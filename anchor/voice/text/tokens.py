"""What a reader of text makes: tokens that carry display text and how it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anchor.voice.text.scripts import is_cjk

OPENING = frozenset("([{<“‘«‹„‚「『（［｛【〖《〈〔#$¥￥€£₩@¿¡")
"""Characters that belong to the word after them."""


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of display text.

    `spoken` is how it is read aloud in `language`, "" for text that is not said. `phonemes` says it exactly where the
    lexicon knows better: pinyin with tone digits for Mandarin, espeak-ng's mnemonics elsewhere. `mark` is the one of
    ``, ; : . ? !`` that the voice should heed after the token. `joined` makes one spoken word of it and the one before.
    """

    text: str
    spoken: str = ""
    language: str = ""
    phonemes: str = ""
    mark: str = ""
    joined: bool = False


def grouped(tokens: Sequence[Token]) -> list[tuple[str, list[int]]]:
    """Display words: text, and which tokens are said for it. The texts joined are the tokens' texts joined.

    Silent text goes with the word before it, except opening brackets and signs, which go with the word after. A Latin
    word broken in several tokens ("and/or") stays one. Empty where nothing is said.
    """
    words: list[tuple[str, list[int]]] = []
    text, said, opening = "", list[int](), ""
    for index, token in enumerate(tokens):
        if not token.spoken:
            body = token.text.rstrip("".join(OPENING))
            if body:
                text, opening = text + opening + body, ""
            opening += token.text[len(body) :]
            continue
        if said and token.text and _breaks(text + opening, token.text):
            words.append((text, said))
            text, said = "", []
        text, opening = text + opening + token.text, ""
        said.append(index)
    if not said:
        return []
    words.append((text + opening, said))
    return words


def _breaks(before: str, after: str) -> bool:
    return (
        before[-1].isspace()
        or before.rstrip("".join(OPENING))[-1:].isspace()
        or is_cjk(before[-1])
        or is_cjk(after[0])
        or not (before[-1].isalnum() or before[-1] in "-/'’.&@_+" + "".join(OPENING))
    )
