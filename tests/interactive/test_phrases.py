import pytest

from anchor.interactive.phrases import (
    SPOKEN,
    crisis,
    is_backchannel,
    is_crisis,
    says_again,
    says_bye,
    says_stop,
    wants_person,
)
from anchor.interactive.spoken import spoken
from tests.interactive import sayings


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_are_long_enough_to_mean_something(language: str) -> None:
    for table in (sayings.PERSON, sayings.NO_PERSON, sayings.CRISIS, sayings.NO_CRISIS):
        assert len(set(lines(table[language]))) >= 40


@pytest.mark.parametrize("text", lines(sayings.PERSON["en"] + sayings.PERSON["zh"] + sayings.PERSON["more"]))
def test_who_asks_for_a_person_is_understood(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", lines(sayings.NO_PERSON["en"] + sayings.NO_PERSON["zh"]))
def test_who_speaks_of_people_does_not_ask_for_one(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("line", lines(sayings.CRISIS["en"] + sayings.CRISIS["zh"] + sayings.CRISIS["more"]))
def test_an_emergency_is_understood_with_its_kind(line: str) -> None:
    kind, _, text = line.partition(": ")
    assert crisis(text) == kind


@pytest.mark.parametrize("text", lines(sayings.NO_CRISIS["en"] + sayings.NO_CRISIS["zh"]))
def test_ordinary_business_is_no_emergency(text: str) -> None:
    assert not is_crisis(text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_listeners_sounds_are_told_from_what_they_say(language: str) -> None:
    for text in lines(sayings.BACKCHANNEL[language]):
        assert is_backchannel(text, language), text
    for text in lines(sayings.NO_BACKCHANNEL[language]):
        assert not is_backchannel(text, language), text


def test_nothing_is_a_backchannel_in_every_language() -> None:
    for text in ("", "  ", "...", "[cough]", "(咳嗽)", "*laughs*", "<noise>"):
        assert is_backchannel(text, "fr")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_commands_are_understood_and_business_that_begins_like_one_is_not(language: str) -> None:
    for function, yes, no in (
        (says_stop, sayings.STOP, sayings.NO_STOP),
        (says_again, sayings.AGAIN, sayings.NO_AGAIN),
        (says_bye, sayings.BYE, sayings.NO_BYE),
    ):
        for text in lines(yes[language]):
            assert function(text), f"{function.__name__}: {text}"
        for text in lines(no[language]):
            assert not function(text), f"{function.__name__}: {text}"


def test_phrases_of_a_configuration_are_added() -> None:
    assert not wants_person("Where is the duty desk?")
    assert wants_person("Where is the Duty Desk?", ["duty desk"])
    assert crisis("There is a fire!", ["fire"]) == "told"
    assert not wants_person("hello", [""])


def test_no_text_makes_any_of_them_slow() -> None:
    for text in ("a" * 500, "stop " * 100, "嗯" * 500, "please " * 71 + "x", "了" * 499 + "x", "ok " * 166 + "q"):
        for function in (wants_person, is_crisis, says_stop, says_again, says_bye):
            function(text)
        is_backchannel(text, "zh")


def test_every_language_has_every_sentence() -> None:
    keys = set(SPOKEN["en"])
    for language, sentences in SPOKEN.items():
        assert set(sentences) == keys, language
        for key, text in sentences.items():
            assert text.strip() == text, (language, key)
            assert text[-1] in ".!?。！？", (language, key)


def test_the_first_sentence_says_that_it_is_an_ai() -> None:
    words = {"en": "AI", "zh-CN": "人工智能", "ja": "AI", "es": "inteligencia artificial",
             "fr": "intelligence artificielle", "de": "KI", "ko": "인공지능"}  # fmt: skip
    for language, word in words.items():
        assert word in spoken("greeting", language)


@pytest.mark.parametrize(("wanted", "found"), [("zh", "zh-CN"), ("zh-TW", "zh-CN"), ("en-GB", "en"), ("it", "en")])
def test_the_closest_language_is_spoken(wanted: str, found: str) -> None:
    assert spoken("goodbye", wanted) == SPOKEN[found]["goodbye"]
