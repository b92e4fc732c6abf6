"""How many questions are answered from the right place, and how many that nobody can answer are told so."""

from __future__ import annotations

import asyncio
import csv
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anchor.bench.measure import Figure, Tell
from anchor.dialogue.answering import KnowledgeDialogue
from anchor.dialogue.knowledge import KnowledgeBase
from anchor.errors import MissingError
from anchor.tags import base
from anchor.talk import Cited, Dialogue, Knowledge, Message, NoAnswer, Question

KIOSK = Path(__file__).resolve().parents[2] / "configs" / "kiosk"
SAMPLE, SEED = 2000, 77


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the topic it should be answered from; empty when it should not be answered at all."""

    topic: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a question: the topic it was answered from, or whether it was not known or asked back about."""

    topic: str
    unknown: bool
    asked_back: bool
    first: str
    """The topic that was found first, however unlikely."""
    seconds: float
    """Processor time of the search."""


async def measure(tell: Tell, *, questions: Path | None = None) -> list[Figure]:
    """Ask the kiosk's knowledge its own held-out questions, and those of a banking77 CSV (text, category) if given.

    Of the CSV only the second half of each category is asked, `SAMPLE` of them by a seeded draw; the first halves were
    there to learn from. Raises `MissingError`.
    """
    folder, own = KIOSK / "knowledge", KIOSK / "questions.csv"
    for path in (folder, own, *([questions] if questions else [])):
        if not path.exists():
            raise MissingError(f"{path}: is not there; run this from a checkout, and give a CSV that exists")
    knowledge = await asyncio.to_thread(KnowledgeBase, [folder])
    tell(f"{len(knowledge)} pieces of knowledge")
    figures: list[Figure] = []
    times: list[float] = []
    asked = _own(own)
    for language in dict.fromkeys(one.language for one in asked):
        within = [one for one in asked if one.language == language and one.topic]
        outside = [one for one in asked if one.language == language and not one.topic]
        tell(f"{language}: {len(within)} questions, and {len(outside)} that nobody here can answer")
        told = await ask(knowledge, KnowledgeDialogue(), within)
        right = sum(one.topic == found.topic for one, found in zip(within, told, strict=True))
        figures.append(Figure(f"{language}_answered_rightly_min", right / len(within), "", 0.9))
        figures.append(Figure(f"{language}_asked_back", sum(one.asked_back for one in told) / len(told), ""))
        strange = await ask(knowledge, KnowledgeDialogue(), outside)
        figures.append(
            Figure(f"{language}_unknown_told_min", sum(one.unknown for one in strange) / len(outside), "", 0.9)
        )
        times += [one.seconds for one in (*told, *strange)]
    if questions is not None:
        figures += await _foreign(tell, knowledge, questions, times)
    times.sort()
    figures.append(Figure("search_cpu_ms", 1000 * times[len(times) // 2], "ms"))
    figures.append(Figure("search_p95_cpu_ms_max", 1000 * times[len(times) * 95 // 100], "ms", 10))
    return figures


async def _foreign(tell: Tell, knowledge: Knowledge, questions: Path, times: list[float]) -> list[Figure]:
    asked = _banking77(questions)
    tell(f"banking77: {len(asked)} questions of its customers")
    told = await ask(knowledge, KnowledgeDialogue(), asked)
    times += [one.seconds for one in told]
    answered = [(one, found) for one, found in zip(asked, told, strict=True) if found.topic]
    right = sum(one.topic == found.topic for one, found in answered)
    first = sum(one.topic == found.first for one, found in zip(asked, told, strict=True))
    return [
        Figure("banking77_found_first_min", first / len(asked), "", 0.6),
        Figure("banking77_answered_rightly", right / len(asked), ""),
        Figure("banking77_right_of_answered", right / max(1, len(answered)), ""),
    ]


async def ask(knowledge: Knowledge, dialogue: Dialogue, asked: Sequence[Asked]) -> list[Told]:
    """Put questions one by one, each a conversation of its own."""
    return [await _told(knowledge, dialogue, one) for one in asked]


async def _told(knowledge: Knowledge, dialogue: Dialogue, one: Asked) -> Told:
    start = time.thread_time()
    passages = knowledge.search(one.text, one.language)
    seconds = time.thread_time() - start
    question = Question((Message("user", one.text),), one.language, passages=tuple(passages))
    parts = [part async for part in dialogue.reply(question)]
    cited = next((part.passage.topic or part.passage.source for part in parts if isinstance(part, Cited)), "")
    unknown = any(isinstance(part, NoAnswer) for part in parts)
    return Told(cited, unknown, not cited and not unknown, passages[0].topic if passages else "", seconds)


def _own(path: Path) -> list[Asked]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [Asked(row["topic"], base(row["language"]), row["question"]) for row in csv.DictReader(file)]


def _banking77(path: Path) -> list[Asked]:
    """A sample of the second halves of the categories."""
    halves: dict[str, list[str]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if not {"text", "category"} <= row.keys():
                raise MissingError(f"{path}:1: should have the columns text and category")
            halves.setdefault(row["category"], []).append(row["text"])
    asked = [Asked(topic, "en", text) for topic, texts in halves.items() for text in texts[len(texts) // 2 :]]
    return random.Random(SEED).sample(asked, min(SAMPLE, len(asked)))
