"""Phrases that begin an action."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anchor.dialogue.intents import asks, asks_how, wonders
from anchor.dialogue.wording import bare

_GAP_WORDS = r"(?: [^ ]+){0,4} "
_GAP_HAN = r"[^，。！？]{0,8}"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A phrase, found anywhere as whole words, where ``*`` stands for a few; or ``/a regular expression/``.

    `wonders`: the phrase itself asks, so that a question may begin the action. `weight`: letters that must be there.
    """

    pattern: re.Pattern[str]
    weight: int
    wonders: bool
    phrase: str = ""
    """As somebody would say it, where it is no regular expression."""

    @classmethod
    def parse(cls, text: str) -> Trigger:
        """Raises `ValueError` for one that says nothing, or is no regular expression."""
        if len(text) > 2 and text.startswith("/") and text.endswith("/"):
            try:
                pattern = re.compile(text[1:-1])
            except re.error as error:
                raise ValueError(f"{text} is no regular expression: {error}") from error
            return cls(pattern, len(re.sub(r"\W|\\.", "", text)), wonders(text))
        words = [bare(part) for part in text.split("*")]
        if not all(words):
            raise ValueError(f"{text!r}: a * stands between words")
        han = bool(re.search(r"[一-龥]", text))
        inner = (_GAP_HAN if han else _GAP_WORDS).join(re.escape(part) for part in words)
        pattern = re.compile(inner if han else rf"(?<![a-z\d]){inner}(?![a-z\d])")
        phrase = ("" if han else " ").join(words)
        return cls(pattern, sum(map(len, words)) * (2 if han else 1), wonders(text), phrase)

    def strength(self, text: str, *, looks: bool = False) -> int:
        """How well a text begins the action, 0 for not at all: "how do I ..." only asks about it.

        `looks`: the action only looks something up, so that a question ("what is my balance?") begins it.
        """
        plain = bare(text)
        if not self.pattern.search(plain):
            return 0
        if self.wonders or not asks(text):
            return self.weight
        return 0 if (asks_how(text) if looks else wonders(text)) else self.weight
