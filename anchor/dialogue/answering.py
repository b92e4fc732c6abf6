"""The embedded dialogue: it says what was found, word for word, and never makes anything up."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator

from anchor.dialogue.folding import folded, has_han
from anchor.dialogue.following import standalone
from anchor.dialogue.knowledge import KNOWN
from anchor.dialogue.knowledge.pages import join, sentences
from anchor.dialogue.phrases import UNKNOWN, WHICH, small_talk
from anchor.errors import DialogueError
from anchor.tags import base, said
from anchor.talk import Cited, DialogueInfo, NoAnswer, Passage, Question, ReplyPart

__all__ = ["KnowledgeDialogue", "standalone"]

_SAID = {"zh": 130, "en": 420}
"""Characters of a page that are said at once, half a minute."""

_MOST_SENTENCES = 3
_WORD = re.compile(r"[a-z]{3,}|\d+|[\u3400-\u9fff]")


class KnowledgeDialogue:
    """Answers with the best passage there is; nothing a visitor says can make it say anything else.

    `threshold` is the score from which on a passage answers; two topics whose scores are less than `margin` apart are
    asked back about.
    """

    def __init__(self, *, threshold: float = KNOWN, margin: float = 0.02) -> None:
        if not 0 < threshold < 1:
            raise DialogueError(f"threshold: {threshold:g} is not between 0 and 1")
        self._threshold = threshold
        self._margin = margin

    @property
    def info(self) -> DialogueInfo:
        return DialogueInfo("knowledge", "passages", "Apache-2.0", tools=False)

    async def warm(self) -> None:
        pass

    async def reply(self, question: Question) -> AsyncIterator[ReplyPart]:
        asked = question.messages[-1].text if question.messages else ""
        if not asked.strip():
            raise DialogueError("there is no question to answer")
        polite = small_talk(asked, question.language)
        if polite is not None:
            yield polite
            return
        known = [passage for passage in question.passages if passage.score >= self._threshold]
        if not known:
            yield NoAnswer()
            yield said(UNKNOWN, question.language)
            return
        rival = self._rival(known)
        if rival is not None:
            yield said(WHICH, question.language).format(first=_name(known[0]), second=_name(rival))
            return
        yield Cited(known[0])
        for sentence in _aloud(known[0], asked):
            yield sentence

    def _rival(self, known: list[Passage]) -> Passage | None:
        """Another topic that answers as well, unless either answers perfectly."""
        if len(known) < 2:
            return None
        best, second = known[0], known[1]
        alike = (best.topic == second.topic and best.topic) or not (best.topic and second.topic)
        return None if alike or best.score - second.score >= self._margin or best.score > 0.98 else second

    async def close(self) -> None:
        pass


def _name(passage: Passage) -> str:
    """A title as it stands within a sentence."""
    title = passage.title.rstrip("?？.。")
    return title if has_han(title) or title[:2].isupper() else title[:1].lower() + title[1:]


def _aloud(passage: Passage, asked: str) -> list[str]:
    """What is said of a passage: an answer as it was written; of a page the sentences that have most to do with it."""
    parts = sentences(passage.answer)
    longest = _SAID.get(base(passage.language), _SAID["en"])
    if passage.topic or (len(passage.answer) <= longest and len(parts) <= _MOST_SENTENCES):
        return _joined(parts)
    wanted = set(_WORD.findall(folded(asked)))
    ranked = sorted(range(len(parts)), key=lambda number: (-_overlap(wanted, parts[number]), number))
    chosen: list[int] = []
    for number in ranked:
        if chosen and (
            len(chosen) >= _MOST_SENTENCES
            or sum(len(parts[one]) for one in chosen) + len(parts[number]) > longest
            or not _overlap(wanted, parts[number])
        ):
            break
        chosen.append(number)
    return _joined([parts[number] for number in sorted(chosen)])


def _overlap(wanted: set[str], sentence: str) -> float:
    words = set(_WORD.findall(folded(sentence)))
    return len(wanted & words) / math.sqrt(1 + len(words))


def _joined(parts: list[str]) -> list[str]:
    """Sentences that give, put together, the text again."""
    answer: list[str] = []
    for part in parts:
        before = answer[-1] if answer else ""
        answer.append(join([before, part])[len(before) :] if before else part)
    return answer
