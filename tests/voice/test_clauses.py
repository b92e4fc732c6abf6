"""Text for engines that read letters."""

from __future__ import annotations

import pytest

from anchor.events import Span
from anchor.voice.clauses import clauses, joined
from anchor.voice.manner import manners
from anchor.voice.text import Lexicon, read
from anchor.voice.text.marked import read_marked


def said(text: str, language: str) -> list[str]:
    tokens = read(text, language)
    return [clause.text for clause in clauses(tokens, manners(tokens, ()))]


def test_numbers_become_words_and_marks_end_clauses() -> None:
    assert said("On May 3, it cost $5. Why?", "en") == ["On May third,", "it cost five dollars.", "Why?"]


def test_chinese_has_no_spaces_and_its_own_marks() -> None:
    assert said("增长3%。2025年！", "zh") == ["增长百分之三。", "二零二五年！"]


def test_letters_that_are_spelled_have_full_stops() -> None:
    assert said("The EU met", "en") == ["The E.U. met"]


def test_a_word_in_another_language_is_a_clause_of_its_own() -> None:
    tokens = read("用WiFi上网", "zh")
    found = [(clause.language, clause.text) for clause in clauses(tokens, manners(tokens, ()))]
    assert [language for language, _ in found] == ["zh", "en", "zh"]
    assert found[0][1] == "用"


def test_what_is_said_in_another_manner_is_cut_off() -> None:
    spans = (Span(6, 11, "prosody", rate=0.5),)
    tokens = read_marked("Hello there friend", "en", Lexicon(), spans, lambda tag: tag)
    found = clauses(tokens, manners(tokens, spans))
    assert [(clause.text, clause.manner.rate) for clause in found] == [("Hello", 1.0), ("there", 0.5), ("friend", 1.0)]


def test_japanese_keeps_its_kanji_except_in_numbers() -> None:
    text = "".join(said("東京で3人。", "ja"))
    assert text.startswith("東京で") and text.endswith("。") and "3" not in text


@pytest.mark.parametrize(("text", "language"), [("Hello, world.", "en"), ("你好。世界！", "zh")])
def test_clauses_join_to_their_sentence(text: str, language: str) -> None:
    tokens = read(text, language)
    assert joined(clauses(tokens, manners(tokens, ()))) == text


def test_nothing_to_say_has_no_clauses() -> None:
    assert said(" … ", "en") == []
