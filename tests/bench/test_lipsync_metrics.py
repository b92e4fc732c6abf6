"""The numbers that mouths are judged by, on mouths of which the answer is known."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from anchor.bench.lipsync import metrics
from anchor.bench.lipsync.classes import CLASSES, INDEX, RATE, face_classes, label_classes, label_openings
from anchor.bench.lipsync.metrics import Range
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Floats
from drivers.visemes import MATRIX, VISEME_INDEX, visemes_of


def said(*sounds: tuple[str, float], lead: float = 0.5) -> tuple[Phone, ...]:
    """Phones one after another; ``_`` is a pause."""
    phones, at = [], lead
    for symbol, seconds in sounds:
        if symbol != "_":
            phones.append(Phone(symbol, round(at * SAMPLE_RATE), round((at + seconds) * SAMPLE_RATE)))
        at += seconds
    return tuple(phones)


SENTENCE = said(
    ("p", 0.1), ("a", 0.2), ("b", 0.08), ("i", 0.15), ("f", 0.1), ("ɔ", 0.2), ("_", 0.6), ("m", 0.1), ("u", 0.2),
    ("s", 0.1), ("ɛ", 0.15), ("k", 0.1), ("a", 0.2),
)  # fmt: skip
FRAMES = 350


def mouth(phones: Sequence[Phone], late: float = 0.0) -> Floats:
    """Openings that do exactly what the labels ask, `late` seconds after them."""
    asked, _ = label_openings(phones, FRAMES)
    times = np.arange(FRAMES) / RATE
    return np.interp(times - late, times, asked).astype(np.float32)


def exact(phones: Sequence[Phone]) -> Floats:
    """As `mouth`, without the smoothing: closed in every p, b, m, half open in silence."""
    parts = np.full(FRAMES, 0.5, np.float32)
    for phone in phones:
        parts[metrics.within(phone, FRAMES, 0.0)] = 0.0 if phone.symbol in ("p", "b", "m") else 0.9
    return parts


def test_labels_as_classes_hold_each_phone_for_its_time() -> None:
    classes = label_classes(SENTENCE, FRAMES)
    assert CLASSES[classes[49]] == "sil"
    assert [CLASSES[value] for value in classes[50:88]] == ["PP"] * 10 + ["aa"] * 20 + ["PP"] * 8
    assert (classes[300:] == 0).all()


def test_an_h_is_labelled_as_the_vowel_after_it() -> None:
    classes = label_classes(said(("h", 0.1), ("u", 0.2), ("h", 0.1)), 100)
    assert [CLASSES[value] for value in classes[50:80]] == ["U"] * 30
    assert (classes[80:] == 0).all()


def test_every_class_of_the_table_is_recognised_from_its_own_face() -> None:
    faces = MATRIX[[VISEME_INDEX[name] for name in CLASSES]]
    assert face_classes(faces).tolist() == list(range(15))


def test_finer_visemes_are_recognised_as_the_class_they_are_labelled_with() -> None:
    for symbol in ("æ", "ʌ", "ə", "y", "w", "l", "j"):
        face = MATRIX[[VISEME_INDEX[visemes_of(symbol)[0][0]]]]
        assert face_classes(face)[0] == label_classes((Phone(symbol, 0, 4800),), 10)[5], symbol


def test_a_driver_that_is_always_right_scores_one() -> None:
    classes = label_classes(SENTENCE, FRAMES)
    assert metrics.accuracy15([classes], [classes]) == 1
    assert metrics.group_recall([classes], [classes]) == 1
    assert metrics.best_lag([classes], [classes]) == 0


def test_a_constant_lag_is_found_and_forgiven() -> None:
    classes = label_classes(SENTENCE, FRAMES)
    late = np.concatenate([np.zeros(8, np.int64), classes[:-8]])
    assert metrics.best_lag([classes], [late]) == 8
    assert metrics.accuracy15([classes], [late]) == 1
    assert metrics.accuracy15([classes], [late], lag=0) < 0.6


def test_silence_shown_as_speech_costs_no_accuracy_but_speech_shown_as_silence_does() -> None:
    classes = label_classes(SENTENCE, FRAMES)
    assert metrics.accuracy15([classes], [np.maximum(classes, 1)]) == 1
    assert metrics.accuracy15([classes], [np.zeros_like(classes)]) == 0


def test_a_class_counts_as_its_group() -> None:
    labels = np.array([INDEX[name] for name in ("DD", "nn", "I", "I")])
    shown = np.array([INDEX[name] for name in ("kk", "TH", "I", "U")])
    assert metrics.accuracy15([labels], [shown], 0) == 0.25
    assert metrics.group_recall([labels], [shown]) == pytest.approx((1 + 0.5) / 2)


def test_lips_that_close_in_every_bilabial_and_nowhere_else_score_one() -> None:
    parts = exact(SENTENCE)
    assert metrics.bilabials_closed(parts, SENTENCE) == [True] * 3
    assert metrics.closures_meant(parts, SENTENCE) == [True] * 3
    assert metrics.closure_holds(parts, SENTENCE) == [0.10, 0.08, 0.10]


def test_a_mouth_that_stands_still_closes_nowhere() -> None:
    for height in (0.0, 0.4):
        still = np.full(FRAMES, height, np.float32)
        parts = Range.of([still]).parts(still)
        assert metrics.bilabials_closed(parts, SENTENCE) == [False] * 3
        assert metrics.closures_meant(parts, SENTENCE) == []
        asked, spoken = label_openings(SENTENCE, FRAMES)
        assert metrics.aperture_correlation([still], [asked], [spoken])[0] == 0
        assert math.isnan(metrics.offset(still, mouth(SENTENCE)))


def test_a_closure_on_an_open_vowel_costs_precision() -> None:
    parts = exact(SENTENCE)
    parts[70:75] = 0
    assert metrics.closures_meant(parts, SENTENCE) == [True, False, True, True]


def test_an_f_leaves_no_gap_between_the_lips_and_may() -> None:
    parts = exact(SENTENCE)
    parts[105:112] = 0
    assert metrics.closures_meant(parts, SENTENCE) == [True] * 4


def test_lips_shut_in_a_pause_are_meant() -> None:
    parts = exact(SENTENCE)
    parts[140:170] = 0
    assert metrics.closures_meant(parts, SENTENCE) == [True] * 4


def test_lips_that_close_too_late_are_missed() -> None:
    parts = np.roll(exact(SENTENCE), 13)
    assert metrics.bilabials_closed(parts, SENTENCE) == [False] * 3
    assert metrics.bilabials_closed(np.roll(exact(SENTENCE), 8), SENTENCE) == [True] * 3


@pytest.mark.parametrize("late", [-0.08, 0.0, 0.035, 0.08, 0.2])
def test_the_offset_of_a_late_mouth_is_how_late_it_is(late: float) -> None:
    assert metrics.offset(mouth(SENTENCE, late), mouth(SENTENCE)) == pytest.approx(late, abs=0.002)


def test_the_offset_does_not_depend_on_how_far_the_mouth_opens() -> None:
    assert metrics.offset(0.2 + 0.1 * mouth(SENTENCE, 0.05), mouth(SENTENCE)) == pytest.approx(0.05, abs=0.002)


def test_the_opening_that_is_asked_for_correlates_fully_after_its_lag() -> None:
    asked, spoken = label_openings(SENTENCE, FRAMES)
    fit, lag = metrics.aperture_correlation([mouth(SENTENCE, 0.08)], [asked], [spoken])
    assert fit == pytest.approx(1, abs=1e-3) and lag == 8
    fit, _ = metrics.aperture_correlation([-asked], [asked], [spoken])
    assert fit < 0.6


def test_one_lag_serves_all_recordings() -> None:
    asked, spoken = label_openings(SENTENCE, FRAMES)
    fit, _ = metrics.aperture_correlation(
        [mouth(SENTENCE, 0.1), mouth(SENTENCE, -0.1)], [asked, asked], [spoken, spoken]
    )
    assert fit < 0.8


def test_an_f_needs_the_lower_lip_under_a_raised_upper_one() -> None:
    faces = MATRIX[[VISEME_INDEX[name] for name in ("FF", "PP", "SS", "aa", "sil")]]
    assert metrics.lip_under_teeth(faces).tolist() == [True, False, False, False, False]
    shown = np.zeros(FRAMES, bool)
    assert metrics.labiodentals_shown(shown, SENTENCE) == [False]
    shown[105:107] = True
    assert metrics.labiodentals_shown(shown, SENTENCE) == [True]


def test_only_pauses_that_are_long_enough_are_looked_at_for_jitter() -> None:
    noise = np.random.default_rng(1).normal(0.3, 0.02, FRAMES).astype(np.float32)
    found = metrics.jitter(noise, SENTENCE)
    assert len(found) == 3 and np.mean(found) == pytest.approx(0.02, rel=0.3)
    assert metrics.jitter(exact(SENTENCE), SENTENCE) == [0.0] * 3
    assert metrics.jitter(noise, said(("a", 1.0), ("_", 0.2), ("a", 1.9), lead=0.1)[:2]) != []
