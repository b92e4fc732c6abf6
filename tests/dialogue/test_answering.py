"""The embedded dialogue says what was found, and nothing else."""

import asyncio
from dataclasses import replace

import pytest

from anchor.dialogue.answering import KnowledgeDialogue
from anchor.dialogue.following import standalone
from anchor.dialogue.phrases import small_talk
from anchor.errors import DialogueError
from anchor.talk import Message, NoAnswer, Passage, Question
from anchor.testing import FakeDialogue, check_dialogue
from tests.dialogue.asking import FEES, HOURS, cited, parts_of, question, text_of


def replied(*passages: Passage, text: str = "What does it cost?", language: str = "en") -> list[object]:
    return list(asyncio.run(parts_of(KnowledgeDialogue(), question(text, *passages, language=language))))


def test_the_embedded_and_the_fake_dialogue_keep_the_promises_of_dialogues() -> None:
    asyncio.run(check_dialogue(KnowledgeDialogue(), question("a fee?", FEES), question("when?", HOURS)))
    asyncio.run(check_dialogue(FakeDialogue(), question("one two"), question("three four")))


def test_the_best_passage_is_cited_and_said_as_it_was_written() -> None:
    parts = asyncio.run(parts_of(KnowledgeDialogue(), question("fee?", FEES, replace(HOURS, score=0.6))))
    assert cited(parts) == [FEES]
    assert text_of(parts) == FEES.answer


def test_what_is_not_known_is_said_to_be_so_in_the_visitors_language() -> None:
    parts = replied(replace(FEES, score=0.49))
    assert parts[0] == NoAnswer() and "do not know" in str(parts[1])
    assert "不清楚" in str(replied(text="天气如何", language="zh-CN")[1])


def test_two_topics_as_close_as_each_other_are_asked_back_about() -> None:
    parts = replied(FEES, replace(HOURS, score=FEES.score - 0.001))
    assert parts == ["Do you mean transfers, or opening hours?"]
    assert replied(FEES, replace(HOURS, score=FEES.score - 0.001, topic=FEES.topic))[-1] == FEES.answer


def test_of_a_page_the_sentences_that_answer_are_said() -> None:
    page = Passage(
        "The hall was built in 1921. The roof is green. Two towers stand beside it. Tours begin at 11 on Saturdays. "
        "The harbour is near. Ships come daily. Many people work there.",
        "leaflet.pdf#page=2", "The building", 0.8, "en",
    )  # fmt: skip
    said = asyncio.run(parts_of(KnowledgeDialogue(), question("When do tours begin?", page)))
    assert text_of(said) == "Tours begin at 11 on Saturdays."


def test_an_empty_question_is_an_error() -> None:
    with pytest.raises(DialogueError):
        replied(text="  ")
    with pytest.raises(DialogueError):
        asyncio.run(parts_of(KnowledgeDialogue(), Question((), "en")))


@pytest.mark.parametrize(
    ("text", "language", "holds"),
    [("Hello!", "en", "AI"), ("hi there", "en", "AI"), ("你好", "zh", "人工智能"), ("您好！", "zh-CN", "人工智能"),
     ("Are you human?", "en", "not a person"), ("Am I talking to a real person?", "en", "not a person"),
     ("你是真人吗？", "zh", "不是真人"), ("你是机器人吗", "zh", "不是真人"), ("Who are you?", "en", "AI"),
     ("你是谁", "zh", "人工智能"), ("Thank you very much.", "en", "welcome"), ("谢谢你", "zh", "不客气"),
     ("Bye bye", "en", "Goodbye"), ("再见啦", "zh", "再见"), ("hello", "zh", "AI"),
     ("你好，你是谁？", "zh", "人工智能")],
)  # fmt: skip
def test_small_talk_is_answered_without_pretending(text: str, language: str, holds: str) -> None:
    assert holds in (small_talk(text, language) or "")


@pytest.mark.parametrize(
    "text", ["Hello, I lost my card", "你好，怎么开户", "thanks to whom do I transfer", "who are you paying"]
)
def test_a_question_behind_a_greeting_is_a_question(text: str) -> None:
    assert small_talk(text, "en") is None


def conversation(*texts: str) -> list[Message]:
    """User and assistant in turns."""
    return [Message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("earlier", "text", "whole"),
    [("How much is a transfer?", "And for students?", "How much is a transfer? And for students?"),
     ("你们几点开门", "那周末呢", "你们几点开门 那周末呢"),
     ("How do I get a credit card?", "What does it cost?", "How do I get a credit card? What does it cost?"),
     ("怎么办信用卡", "要多久", "怎么办信用卡 要多久"),
     ("What does a transfer cost?", "Where is the toilet?", "Where is the toilet?"),
     ("转账收费吗", "厕所在哪里", "厕所在哪里")],
)  # fmt: skip
def test_a_question_that_leans_on_the_last_is_made_whole(earlier: str, text: str, whole: str) -> None:
    assert standalone(conversation(earlier, "An answer.", text)) == whole


def test_small_talk_between_is_skipped_and_chains_hold_together() -> None:
    messages = conversation(
        "How much is a transfer?", "Free.", "thanks", "Welcome.", "And abroad?", "0.1 %", "and how long?"
    )
    assert standalone(messages) == "How much is a transfer? And abroad? and how long?"


def test_after_being_asked_back_a_number_is_enough() -> None:
    asked = "Do you mean changing the PIN, or a blocked PIN?"
    assert standalone(conversation("my pin", asked, "the second one")) == "a blocked PIN"
    assert standalone(conversation("密码", "您是想问“修改密码”，还是“密码被锁”？", "第一个")) == "修改密码"


def test_the_first_question_stands_by_itself() -> None:
    assert standalone(conversation("And for students?")) == "And for students?"
    assert standalone([]) == ""
