"""Questions and their passages for tests of dialogues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from anchor.talk import Cited, Dialogue, Message, Passage, Question, ReplyPart

FEES = Passage("A transfer costs 5 yuan.", "fees.md#Transfers", "Transfers", 0.9, "en", "transfer_fee")
HOURS = Passage("We are open from 9 to 17.", "hall.csv#hours", "Opening hours", 0.8, "en", "hours")


def question(text: str, *passages: Passage, language: str = "en", earlier: Sequence[Message] = ()) -> Question:
    return Question((*earlier, Message("user", text)), language, passages=passages)


async def parts_of(dialogue: Dialogue, asked: Question) -> list[ReplyPart]:
    return [part async for part in dialogue.reply(asked)]


def text_of(parts: Sequence[ReplyPart]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def cited(parts: Sequence[ReplyPart]) -> list[Passage]:
    return [part.passage for part in parts if isinstance(part, Cited)]


async def first_of(reply: AsyncIterator[ReplyPart]) -> ReplyPart:
    return await anext(reply)
