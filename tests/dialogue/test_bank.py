"""What the kiosk's bank knows: complete, consistent, and found."""

import asyncio
import csv
import json
import re
from pathlib import Path

import pytest

from anchor.bench import answers
from anchor.dialogue.knowledge import KnowledgeBase
from anchor.dialogue.knowledge.documents import find

KNOWLEDGE = answers.KIOSK / "knowledge"


@pytest.fixture(scope="module")
def bank() -> KnowledgeBase:
    return KnowledgeBase([KNOWLEDGE])


@pytest.mark.shared
def test_every_intent_of_banking77_is_answered_in_both_languages(shared: Path) -> None:
    intents = set(json.loads((shared / "texts/banking77/categories.json").read_text()))
    entries = find([KNOWLEDGE]).entries()
    for language in ("en", "zh"):
        assert intents <= {entry.topic for entry in entries if entry.language == language}


def test_every_topic_has_both_languages_and_enough_ways_to_ask(bank: KnowledgeBase) -> None:
    topics: dict[str, dict[str, int]] = {}
    for entry in find([KNOWLEDGE]).entries():
        if entry.kind == "faq":
            topics.setdefault(entry.topic, {})[entry.language] = len(entry.asked)
    assert all(set(languages) == {"en", "zh"} and min(languages.values()) >= 3 for languages in topics.values())


def test_the_same_numbers_are_told_in_both_languages() -> None:
    pairs: dict[str, dict[str, str]] = {}
    for entry in find([KNOWLEDGE]).entries():
        if entry.kind == "faq":
            pairs.setdefault(entry.topic, {})[entry.language] = entry.answer
    # Round numbers may be words in Chinese (50,000 is 5万); others are told by their digits.
    exact = {
        topic: [
            {number for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")) if len(number.rstrip("0")) > 2}
            for text in (answers["en"], answers["zh"])
        ]
        for topic, answers in pairs.items()
    }
    assert {topic: numbers for topic, numbers in exact.items() if numbers[0] != numbers[1]} == {}


def test_the_held_out_questions_are_held_out(bank: KnowledgeBase) -> None:
    known = {question.casefold() for language in ("en", "zh") for question in bank.questions(language)}
    with (answers.KIOSK / "questions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["question"] for row in rows if row["question"].casefold() in known] == []
    assert sum(row["topic"] == "" for row in rows) >= 60


def test_the_figures_of_the_readme_hold() -> None:
    figures = {figure.name: figure for figure in asyncio.run(answers.measure(lambda _: None))}
    for name, figure in figures.items():
        if name.endswith("_min"):
            assert figure.value >= 0.88, (name, figure.value)


@pytest.mark.shared
def test_questions_of_real_customers_find_their_intent(shared: Path) -> None:
    figures = asyncio.run(answers.measure(lambda _: None, questions=shared / "texts/banking77/train.csv"))
    found = next(figure for figure in figures if figure.name == "banking77_found_first_min")
    assert found.value >= 0.6
