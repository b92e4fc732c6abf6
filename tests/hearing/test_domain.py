"""Phrases as words, sounds and a language model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest

from anchor.hearing.domain import arpa, build, everywhere, words_of
from anchor.hearing.english import pronounced, said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What does it cost?", "what does it cost"),
        ("$50 a month", "fifty dollars a month"),
        ("$1,250.50", "one thousand two hundred fifty point five zero dollars"),
        ("at 9:30", "at nine thirty"),
        ("at 9:05, or 10:00", "at nine oh five or ten"),
        ("on May 3rd", "on may third"),
        ("the 21st", "the twenty first"),
        ("an ATM", "an a. t. m."),
        ("U.S. dollars", "u. s. dollars"),
        ("3.5% interest", "three point five percent interest"),
        ("call 95588", "call nine five five eight eight"),
        ("Mr. Wang's card", "mister wang's card"),
        ("Don’t", "don't"),
        ("你好", "你好"),
        ("", ""),
        ("!?", ""),
    ],
)
def test_a_text_becomes_the_words_in_which_it_is_said(text: str, words: str) -> None:
    assert said(text) == words.split()


@pytest.mark.parametrize(
    ("word", "phones"),
    [("fintech", "F IH N T EH CH"), ("crane", "K R EY N"), ("kiosk", "K IH AA S K"), ("ship", "SH IH P"), ("号", "")],
)
def test_a_word_that_no_dictionary_has_is_pronounced_by_rule(word: str, phones: str) -> None:
    assert pronounced(word) == phones


def grams(model: str, size: int) -> dict[tuple[str, ...], tuple[float, float]]:
    """The n-grams of a size: logarithms of chance and back-off."""
    block = model.split(f"\\{size}-grams:\n")[1].split("\n\n")[0]
    found = {}
    for line in block.splitlines():
        chance, *rest = line.split(" ")
        back = float(rest[size]) if len(rest) > size else 0.0
        found[tuple(rest[:size])] = (float(chance), back)
    return found


def chance(model: str, word: str, context: Sequence[str]) -> float:
    """Of a word after a context, by the rule of ARPA's form."""
    whole = (*context, word)
    known = grams(model, len(whole))
    if whole in known:
        return 10 ** known[whole][0]
    if not context:
        return 0.0
    back = grams(model, len(context)).get(tuple(context), (0.0, 0.0))[1]
    return 10**back * chance(model, word, context[1:])


@pytest.mark.parametrize("context", [(), ("<s>",), ("open",), ("<s>", "open"), ("open", "an"), ("account", "open")])
def test_the_chances_after_any_context_add_up_to_one(context: tuple[str, ...]) -> None:
    sentences = Counter({("open", "an", "account"): 4, ("open", "a", "door"): 1, ("account",): 2, ("yes",): 1})
    model = arpa(sentences)
    words = {word for sentence in sentences for word in sentence} | {"</s>"}
    assert sum(chance(model, word, context) for word in words) == pytest.approx(1, abs=2e-3)


def test_what_is_expected_is_likelier_than_its_words_in_any_other_order() -> None:
    model = build(["How do I open an account?"], lambda word: ["AH"]).arpa

    def score(text: str) -> float:
        words = ["<s>", *text.split(), "</s>"]
        return sum(math.log10(chance(model, words[i], words[max(0, i - 2) : i])) for i in range(1, len(words)))

    assert score("how do i open an account") > score("account an open i do how") + 4
    assert score("can i open an account") > score("open can account i an") + 2


def test_unknown_words_are_guessed_and_told_and_what_cannot_be_said_is_left_out() -> None:
    made = build(["What is WealthPlus?", "开户", "What is it?"], lambda word: ["AH"] if word != "wealthplus" else [])
    assert made.guessed == ("wealthplus",)
    assert "wealthplus W IY" in made.dictionary
    known = build(["开户"], lambda word: ["AH"] if word.isascii() else [])
    assert known.left_out == ("开户",)
    assert "开户" not in known.arpa


def test_every_domain_understands_digits_days_and_a_wish_for_a_person() -> None:
    phrases = {" ".join(phrase) for phrase in everywhere()}
    assert {"yes", "a person please", "tuesday", "tomorrow morning", "five five", "two hundred dollars"} <= phrases
    assert words_of(["Fees?"]) == {word for phrase in everywhere() for word in phrase} | {"fees"}


def test_a_second_pronunciation_is_kept() -> None:
    made = build(["either"], lambda word: ["IY DH ER", "AY DH ER"] if word == "either" else ["AH"])
    assert "either IY DH ER\neither(2) AY DH ER\n" in made.dictionary
