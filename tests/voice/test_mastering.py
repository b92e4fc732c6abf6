"""The equaliser that synthetic voices go through."""

from __future__ import annotations

import time

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.languages import KLATT, SPEAKING
from anchor.voice.mastering import Equaliser, equalised, taps_of

TILT = ((0.0, 0.0), (1000.0, 0.0), (2000.0, -6.0), (6000.0, -6.0), (8000.0, 3.0), (24000.0, 3.0))


def noise(seconds: float) -> Samples:
    random = np.random.default_rng(0)
    return (random.standard_normal(round(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32)


def test_the_same_sound_comes_out_however_it_is_cut() -> None:
    sound = noise(2.0)
    whole = equalised(sound, TILT)
    random, equaliser, pieces, place = np.random.default_rng(1), Equaliser(TILT), [], 0
    while place < len(sound):
        size = int(random.integers(1, 7000))
        pieces.append(equaliser.process(sound[place : place + size]))
        place += size
    assert len(whole) == len(sound)
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5)


@pytest.mark.parametrize("curve", [TILT, KLATT])
def test_nothing_is_heard_before_it_comes_and_nothing_is_delayed(curve: tuple[tuple[float, float], ...]) -> None:
    click = np.zeros(SAMPLE_RATE // 2, np.float32)
    click[10_000] = 0.9
    answer = equalised(click, curve)
    assert int(np.argmax(np.abs(answer))) == 10_000
    assert np.abs(answer[:10_000]).max() < 1e-5


@pytest.mark.parametrize(("hertz", "decibels"), [(500, 0.0), (3000, -6.0), (5000, -6.0), (10_000, 3.0)])
def test_it_has_the_response_that_is_asked_for(hertz: int, decibels: float) -> None:
    spectrum = np.abs(np.fft.rfft(taps_of(TILT), SAMPLE_RATE))
    assert 20 * np.log10(spectrum[hertz]) == pytest.approx(decibels, abs=0.5)


def test_a_second_of_sound_costs_little_of_a_core() -> None:
    sound = noise(10.0)
    equalised(sound, TILT)
    begun = time.process_time()
    equalised(sound, TILT)
    assert (time.process_time() - begun) / 10 < 0.02


@pytest.mark.parametrize("length", [0, 1, 239, 240, 241])
def test_the_shortest_sounds_come_out_as_long_as_they_went_in(length: int) -> None:
    assert len(equalised(noise(1)[:length], TILT)) == length


def test_every_language_has_a_curve() -> None:
    assert all(speaking.curve for speaking in SPEAKING.values())
