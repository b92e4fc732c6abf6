"""What the bench of intelligibility compares."""

from __future__ import annotations

from anchor.bench import intelligibility
from anchor.bench.bulletin import BULLETIN, words


def test_there_are_fifty_sentences_and_all_of_them_end_as_words() -> None:
    assert len(BULLETIN) == len({text for text, _ in BULLETIN}) == 50
    assert all(any(character.isdigit() for character in text) == bool(heard) for text, heard in BULLETIN)
    assert words("The U-turn, isn't it?", "") == ["the", "u", "turn", "isn't", "it"]


def test_the_kinds_share_all_sentences_between_them() -> None:
    parts = [BULLETIN[part] for part in intelligibility.KINDS.values()]
    assert tuple(one for part in parts for one in part) == BULLETIN
    assert all(heard for _, heard in BULLETIN[intelligibility.KINDS["numbers"]])


def test_what_is_only_spelt_otherwise_is_no_error() -> None:
    written = intelligibility._written
    assert written(["doctor", "johnson"]) == written(["dr", "johnson"])
    assert written(["one", "hundred", "and", "twenty"]) == written(["one", "hundred", "twenty"])
    assert written(["salt", "and", "pepper"]) == ["salt", "and", "pepper"]
