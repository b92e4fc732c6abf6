"""Texts as phrases are looked for in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def plain(text: str) -> str:
    """Lower case, every sign but the apostrophe a space, and no spaces at Chinese characters."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    words = re.sub(r"[^\w']+", " ", folded).strip()
    return re.sub(r"(?<=[\u3040-\u9fff]) | (?=[\u3040-\u9fff])", "", words)


def any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_POLITE = (
    "please|ok|okay|no|yes|yeah|hey|hi|hello|um|uh|oh|ah|well|so|sorry|just|now|can you|could you|would you|will you|"
    "you can|you|thanks|thank you|very much|then|there|dear|all right|alright|for now|i said|"
    "请|麻烦|你|您|先|好|好的|好了|那|哎|喂|嘿|嗯|啊|呃|吧|了|啦|呀|哦|噢|谢谢|对不起|不好意思|抱歉|能不能|可以|能|可不可以|吗|行|呢"
)
_LONGEST_COMMAND = 120


class Whole:
    """Texts that are nothing but pieces of a kind, and pieces of `around` before, between and after them.

    All ways to read a text are followed at once, so no text makes it slow.
    """

    def __init__(self, *pieces: str, around: str = "") -> None:
        self._pieces = [re.compile(rf"(?:{piece})\s*") for piece in pieces]
        self._around = [re.compile(rf"(?:{piece})\s*") for piece in around.split("|") if piece]

    def matches(self, text: str) -> bool:
        if len(text) > _LONGEST_COMMAND:
            return False
        reached, todo = set[tuple[int, bool]](), [(0, False)]
        while todo:
            place = todo.pop()
            if place in reached or not _at_word(text, place[0]):
                continue
            if place == (len(text), True):
                return True
            reached.add(place)
            at, found = place
            todo += [(match.end(), found) for each in self._around if (match := each.match(text, at))]
            todo += [(match.end(), True) for each in self._pieces if (match := each.match(text, at))]
        return False


def _at_word(text: str, at: int) -> bool:
    """Not within a word of letters; between Chinese characters a word may begin anywhere."""
    return not (0 < at < len(text) and (text[at - 1] + text[at]).isascii() and (text[at - 1] + text[at]).isalnum())


def whole(*pieces: str) -> Whole:
    return Whole(*pieces, around=_POLITE)


def holds(text: str, phrases: Sequence[str]) -> bool:
    """Whether one of the phrases that were configured is in a plain text."""
    return any(wanted in text for phrase in phrases if (wanted := plain(phrase)))
