from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.media import ARKIT_INDEX
from drivers.visemes import CHANNEL_COLUMNS, MATRIX, PULLS, SHAPES, VISEME_INDEX, VISEMES, VOWELS, columns, visemes_of

OCULUS = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
INVENTORY = Path(__file__).parents[1] / "voice" / "phone_inventory.json"


def names(symbol: str) -> list[str]:
    return [viseme for viseme, _ in visemes_of(symbol)]


def row(viseme: str, shape: str) -> float:
    return float(MATRIX[VISEME_INDEX[viseme], ARKIT_INDEX[shape]])


def test_the_table_has_the_fifteen_standard_visemes_first() -> None:
    assert VISEMES[:15] == OCULUS


def test_the_table_holds_weights_between_zero_and_one_equal_on_both_sides() -> None:
    assert MATRIX.shape == (len(VISEMES), 52) and MATRIX.min() >= 0 and MATRIX.max() <= 1
    for name, left in ARKIT_INDEX.items():
        if name.endswith("Left") and name.startswith("mouth") and name != "mouthLeft":
            assert np.array_equal(MATRIX[:, left], MATRIX[:, ARKIT_INDEX[name[:-4] + "Right"]])


def test_every_shape_of_a_vowel_belongs_to_an_articulator() -> None:
    owned = {column for channel in CHANNEL_COLUMNS for column in channel}
    for viseme in VOWELS:
        assert set(np.flatnonzero(MATRIX[VISEME_INDEX[viseme]])) <= owned


def test_no_pull_outlasts_what_the_driver_may_know() -> None:
    assert max(max(pull.attack) for pull in PULLS) <= 0.2


@pytest.mark.parametrize(
    ("symbol", "viseme"),
    [
        *((symbol, "PP") for symbol in ("p", "b", "m", "pʰ", "p͈", "p-", "m̩", "bː", "ɓ")),
        *((symbol, "FF") for symbol in ("f", "v", "ɱ", "ʋ")),
        *((symbol, "TH") for symbol in ("θ", "ð")),
        *((symbol, "CH") for symbol in ("ʃ", "ʒ", "tʃ", "dʒ", "t͡ʃ", "ʂ", "ʐ", "tʂʰ", "ts.h", "s.", "ʧ")),
        *((symbol, "SS") for symbol in ("s", "z", "ts", "tsʰ", "ɕ", "tɕ", "dʑ", "tɕʰ", "s͈", "t͡s")),
        *((symbol, "yy") for symbol in ("y", "yː", "ʏ", "ɥ")),
        *((symbol, "oe") for symbol in ("ø", "øː", "œ", "œ̃")),
        *((symbol, "im") for symbol in ("ɯ", "ɯᵝ", "ɨ", "i.")),
        *((symbol, "kk") for symbol in ("k", "ɡ", "g", "ŋ", "x", "ʁ", "q", "k͈")),
        *((symbol, "jj") for symbol in ("j", "ç", "ç")),
        *((symbol, "aa") for symbol in ("ɑ", "a", "ä", "ɑ̃", "ɑː", "ˈɑː", "a˥˩", "ɑ5")),
        *((symbol, "sil") for symbol in ("", "_", "|", "sil", "5", "ː")),
        ("w", "ww"), ("h", "hh"), ("ʔ", "hh"), ("ɸ", "bf"), ("β", "bf"), ("æ", "ae"), ("ɔ̃", "ao"), ("ə", "ax"),
        ("ɲ", "nn"), ("ʎ", "ll"), ("ɹ", "RR"), ("ɻ", "RR"), ("u", "U"), ("õ", "O"), ("ɛ̃", "E"), ("iː", "I"),
    ],
)  # fmt: skip
def test_a_sound_looks_like_its_class(symbol: str, viseme: str) -> None:
    assert names(symbol) == [viseme]


@pytest.mark.parametrize(
    ("symbol", "sequence"),
    [
        ("aɪ", ["aa", "I"]), ("aʊ", ["aa", "U"]), ("oʊ", ["O", "U"]), ("ɔʏ", ["ao", "yy"]), ("ɚ", ["ax", "RR"]),
        ("uei", ["U", "E", "I"]), ("iɛn", ["I", "E", "nn"]), ("pf", ["PP", "FF"]), ("kʷ", ["kk", "ww"]),
        ("ɔːɹ", ["ao", "RR"]), ("aɪə", ["aa", "I", "ax"]),
    ],
)  # fmt: skip
def test_what_lips_travel_through_is_a_sequence(symbol: str, sequence: list[str]) -> None:
    assert names(symbol) == sequence


def test_the_glide_before_a_vowel_is_shorter_than_the_vowel() -> None:
    (_, glide), (_, vowel) = visemes_of("ia")
    assert glide < vowel


def test_rounding_tells_german_from_japanese_high_vowels() -> None:
    assert row("yy", "mouthPucker") > 0.4 and row("U", "mouthPucker") > 0.4
    assert row("im", "mouthPucker") == 0 and row("I", "mouthPucker") == 0


def test_teeth_are_together_in_sibilants_and_apart_in_open_vowels() -> None:
    assert row("SS", "jawOpen") < 0.12 and row("CH", "jawOpen") < 0.16
    assert row("aa", "jawOpen") > 0.5


def test_closed_lips_have_as_much_close_as_jaw() -> None:
    assert SHAPES["PP"]["close"] == SHAPES["PP"]["jaw"]


@given(st.text(max_size=8))
def test_no_symbol_is_an_error_and_parts_fill_the_time(symbol: str) -> None:
    parts = visemes_of(symbol)
    assert parts and all(viseme in VISEME_INDEX and share > 0 for viseme, share in parts)
    assert sum(share for _, share in parts) == pytest.approx(1)


@given(st.sampled_from("ɓɠʘǀǃⱱꞎᶗƥᴀᴇɢʙᶑþßñξ"))
def test_rare_letters_are_some_mouth_and_not_silence(letter: str) -> None:
    if unicodedata.category(letter) in ("Ll", "Lu"):
        assert names(letter) != ["sil"]


def test_every_phone_a_voice_can_emit_has_a_viseme() -> None:
    if not INVENTORY.exists():
        pytest.skip("the voice's list of phones is not here")
    inventory: dict[str, list[str]] = json.loads(INVENTORY.read_text(encoding="utf-8"))
    for language, symbols in inventory.items():
        mouths = {symbol: names(symbol) for symbol in symbols}
        assert not [symbol for symbol, mouth in mouths.items() if "sil" in mouth], language
        assert {"PP"} <= {viseme for mouth in mouths.values() for viseme in mouth}, language


def test_an_entry_without_a_side_stands_for_both() -> None:
    assert columns("press") == [ARKIT_INDEX["mouthPressLeft"], ARKIT_INDEX["mouthPressRight"]]
