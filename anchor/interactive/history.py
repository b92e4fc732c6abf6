"""What was said in a conversation. Of the anchor's words only those that were heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from anchor.pipeline.utterance import Performance
from anchor.talk import Message

Who = Literal["visitor", "anchor", "person"]

LONGEST_HISTORY = 40
"""Lines that are remembered: what a dialogue is given, and what a page that comes back is shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is said in a turn: `sentences` as far as they have passed to the voice.

    Of a `performance`, the text is what has been heard of it so far.
    """

    who: Who
    language: str
    turn: int
    at: float
    """Seconds of the loop's clock."""
    sentences: list[str] = field(default_factory=list)
    performance: Performance | None = None

    @property
    def said(self) -> str:
        return "".join(self.sentences).strip()

    @property
    def text(self) -> str:
        return self.performance.heard_text.strip() if self.performance is not None else self.said


class History:
    def __init__(self) -> None:
        self._lines: list[Line] = []

    def __iter__(self) -> Iterator[Line]:
        """Lines of which something was said, oldest first."""
        return (line for line in self._lines if line.text)

    def add(self, line: Line) -> None:
        self._lines.append(line)
        del self._lines[:-LONGEST_HISTORY]

    def of(self, performance: Performance) -> Line | None:
        return next((line for line in self._lines if line.performance is performance), None)

    def last_of_anchor(self) -> str:
        """What the anchor meant to say last, heard in full or not."""
        return next((line.said for line in reversed(self._lines) if line.who != "visitor" and line.text), "")

    def retract(self, turn: int) -> None:
        """Take back what the visitor said in a turn: it went on, and is said again, longer."""
        self._lines = [line for line in self._lines if line.turn != turn or line.who != "visitor"]

    def messages(self) -> tuple[Message, ...]:
        """For a dialogue, in turns: lines of one side in a row are joined."""
        messages: list[Message] = []
        for line in self:
            role: Literal["user", "assistant"] = "user" if line.who == "visitor" else "assistant"
            if messages and messages[-1].role == role:
                messages[-1] = Message(role, f"{messages[-1].text} {line.text}")
            else:
                messages.append(Message(role, line.text))
        return tuple(messages)
