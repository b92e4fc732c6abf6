"""From espeak-ng's events to phones."""

from __future__ import annotations

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE
from anchor.voice.phones import Mark, sounded, symbols

RATE = 22_050


@pytest.mark.parametrize(
    ("name", "parts", "stress"),
    [
        ("p", ("p",), 0),
        ("ˈiː", ("i",), 2),
        ("ˌaɪ", ("a", "ɪ"), 1),
        ("aɪɚ", ("a", "ɪ", "ɚ"), 0),
        ("ˈɔːɹ", ("ɔ", "ɹ"), 2),
        ("əl", ("ə", "l"), 0),
        ("n̩", ("ə", "n"), 0),
        ("tʃ", ("tʃ",), 0),
        ("dʒ", ("dʒ",), 0),
        ("th", ("tʰ",), 0),
        ("ts.h", ("tʂʰ",), 0),
        ("s.", ("ʂ",), 0),
        ("i.", ("ɨ",), 0),
        ("ˈi̪", ("ɨ",), 2),
        ("o-", ("ɤ",), 0),
        ("χ", ("x",), 0),
        ("ˈuei", ("u", "e", "i"), 2),
        ("onɡ", ("u", "ŋ"), 0),
        ("ˈɑ̃", ("ɑ̃",), 2),
        ("ç", ("ç",), 0),
        ("ɯᵝ", ("ɯ",), 0),
        ("o̞", ("o",), 0),
        ("t-", ("t",), 0),
        ("ɔø", ("ɔ", "ʏ"), 0),
        ("", (), 0),
    ],
)
def test_names_become_plain_symbols(name: str, parts: tuple[str, ...], stress: int) -> None:
    assert symbols(name) == (parts, stress)


def _sound(*stretches: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Tone at a level for some seconds each."""
    parts = [level * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.1) for level, seconds in stretches]
    return np.concatenate(parts).astype(np.float32)


def _marks(*events: tuple[float, str]) -> list[Mark]:
    return [Mark(round(seconds * RATE), name, 0) for seconds, name in events]


def test_a_burst_is_pulled_back_over_the_silence_before_it() -> None:
    sound = _sound((0.3, 0.20), (0.0, 0.06), (0.1, 0.04), (0.3, 0.20))
    phones = sounded(_marks((0, "ɑː"), (0.26, "p"), (0.30, "ɑː"), (0.5, "")), RATE, sound)
    assert [one.phone.symbol for one in phones] == ["ɑ", "p", "ɑ"]
    assert phones[1].phone.start / SAMPLE_RATE == pytest.approx(0.20, abs=0.004)
    assert phones[0].phone.end == phones[1].phone.start


def test_a_closure_is_at_most_60_ms_after_a_pause() -> None:
    sound = _sound((0.3, 0.20), (0.0, 0.40), (0.1, 0.04), (0.3, 0.20))
    phones = sounded(_marks((0, "ɑː"), (0.20, ""), (0.60, "p"), (0.64, "ɑː")), RATE, sound)
    assert phones[1].phone.start / SAMPLE_RATE == pytest.approx(0.54, abs=0.004)
    assert phones[0].phone.end / SAMPLE_RATE == pytest.approx(0.20, abs=0.001)


def test_a_voiced_stop_stays_where_it_is() -> None:
    sound = _sound((0.3, 0.20), (0.0, 0.06), (0.1, 0.04), (0.3, 0.20))
    phones = sounded(_marks((0, "ɑː"), (0.26, "b"), (0.30, "ɑː"), (0.5, "")), RATE, sound)
    assert phones[1].phone.start / SAMPLE_RATE == pytest.approx(0.26, abs=0.001)


def test_a_short_gap_belongs_to_the_phone_before_and_a_pause_to_none() -> None:
    sound = _sound((0.3, 1.0))
    phones = sounded(_marks((0, "s"), (0.1, ""), (0.13, "a"), (0.3, ""), (0.5, "s"), (0.6, "")), RATE, sound)
    assert phones[0].phone.end == phones[1].phone.start
    assert phones[2].phone.start - phones[1].phone.end == pytest.approx(0.2 * SAMPLE_RATE, abs=3)


def test_parts_of_a_diphthong_share_its_time_and_its_stress() -> None:
    first, second = sounded(_marks((0, "ˈaɪ"), (0.2, "")), RATE, _sound((0.3, 0.3)))
    assert first.phone.end == second.phone.start
    assert first.phone.end - first.phone.start > second.phone.end - second.phone.start
    assert (first.phone.stress, second.phone.stress) == (2, 2)


def test_language_switches_and_empty_stretches_are_no_phones() -> None:
    assert sounded(_marks((0, "(en)"), (0.1, ""), (0.2, "")), RATE, _sound((0.1, 0.3))) == []
    assert sounded([], RATE, np.zeros(0, np.float32)) == []


def test_an_l_that_the_engine_leaves_in_its_vowel_has_the_end_of_that() -> None:
    phones = sounded(_marks((0, "w"), (0.1, "ˈɛ"), (0.4, "l"), (0.4, "")), RATE, _sound((0.3, 0.5)))
    assert [one.phone.symbol for one in phones] == ["w", "ɛ", "l"]
    assert phones[1].phone.end == phones[2].phone.start
    assert (phones[2].phone.end - phones[2].phone.start) / SAMPLE_RATE == pytest.approx(0.09, abs=0.002)
    assert phones[2].phone.stress == 0
