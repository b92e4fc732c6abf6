"""A model's stream of text as parts of a reply: what may be said, what it stands on, and that it does not know."""

from __future__ import annotations

from anchor.dialogue.phrases import UNKNOWN
from anchor.dialogue.speakable import Piece, Reference, Speakable, Unknown
from anchor.tags import said
from anchor.talk import Cited, NoAnswer, Question, ReplyPart


class Grounded:
    """Turns pieces of one reply into parts; `answered` once something was said."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._speakable = Speakable()
        self._cited: set[int] = set()
        self._unknown = False
        self.answered = False

    def feed(self, text: str) -> list[ReplyPart]:
        return self._parts(self._speakable.feed(text))

    def end(self) -> list[ReplyPart]:
        """The rest. A model that only marked that it does not know gets words for it."""
        parts = self._parts(self._speakable.end())
        if self._unknown and not self.answered:
            self.answered = True
            parts.append(said(UNKNOWN, self._question.language))
        return parts

    def _parts(self, pieces: list[Piece]) -> list[ReplyPart]:
        parts: list[ReplyPart] = []
        for piece in pieces:
            if isinstance(piece, Reference):
                if 1 <= piece.number <= len(self._question.passages) and piece.number not in self._cited:
                    self._cited.add(piece.number)
                    parts.append(Cited(self._question.passages[piece.number - 1]))
            elif isinstance(piece, Unknown):
                if not self._unknown:
                    self._unknown = True
                    parts.append(NoAnswer())
            else:
                self.answered = self.answered or bool(piece.strip())
                parts.append(piece)
        return parts
