"""Rules that read stretches of text which are not said as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from anchor.voice.text.tokens import Token

Reading = str | Sequence[Token] | None
"""How a match is said: all of it as one word, in tokens that cover it, or None where the rule does not hold."""


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    reading: Callable[[re.Match[str]], Reading]


class Rules:
    """Rules in order, the first that holds wins; tried only where `starts` matches."""

    def __init__(self, language: str, starts: str) -> None:
        self._language = language
        self._starts = re.compile(starts)
        self._rules: list[Rule] = []

    def rule(
        self, *patterns: str, flags: int = re.IGNORECASE
    ) -> Callable[[Callable[[re.Match[str]], Reading]], Callable[[re.Match[str]], Reading]]:
        """Decorate the function that reads what one of `patterns` matches."""

        def add(reading: Callable[[re.Match[str]], Reading]) -> Callable[[re.Match[str]], Reading]:
            self._rules += (Rule(re.compile(pattern, flags), reading) for pattern in patterns)
            return reading

        return add

    def apply(self, text: str, place: int) -> list[Token] | None:
        """Tokens for the text at `place`, or None where no rule holds."""
        if not self._starts.match(text, place):
            return None
        for rule in self._rules:
            match = rule.pattern.match(text, place)
            if match is None or not match[0]:
                continue
            reading = rule.reading(match)
            if isinstance(reading, str):
                return [Token(match[0], reading, self._language)]
            if reading is not None:
                return _covering(match[0], reading)
        return None


def _covering(text: str, tokens: Iterable[Token]) -> list[Token]:
    answer = list(tokens)
    assert "".join(token.text for token in answer) == text, text
    return answer
