import math

import numpy as np
import pytest

from anchor.loudness import Meter, gain_to, limited, loudness
from anchor.media import SAMPLE_RATE, Samples


def tone(hertz: float, seconds: float, peak: float = 1.0) -> Samples:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize(("hertz", "lufs"), [(997.0, -3.01), (100.0, -4.78), (10_000.0, 0.34)])
def test_tones_are_as_loud_as_the_recommendation_says(hertz: float, lufs: float) -> None:
    """Values of FFmpeg's ebur128 for the same tones; 997 Hz is the recommendation's own calibration."""
    assert loudness([tone(hertz, 4)]) == pytest.approx(lufs, abs=0.1)


def test_pauses_do_not_count() -> None:
    talk = tone(997, 2, 0.1)
    assert loudness([talk, np.zeros(10 * SAMPLE_RATE, np.float32), talk]) == pytest.approx(loudness([talk]), abs=0.6)


def test_pieces_of_any_size_measure_the_same() -> None:
    sound = tone(500, 3, 0.3)
    meter = Meter()
    for start in range(0, sound.size, 777):
        meter.add(sound[start : start + 777])
    assert meter.lufs() == pytest.approx(loudness([sound]), abs=1e-6)


def test_a_sound_shorter_than_a_block_has_a_loudness() -> None:
    assert loudness([tone(997, 0.2)]) == pytest.approx(-3.0, abs=0.3)


def test_silence_is_not_made_louder() -> None:
    assert loudness([np.zeros(SAMPLE_RATE, np.float32)]) == -math.inf
    assert loudness([]) == -math.inf
    assert gain_to(-16, -math.inf) == 1.0


def test_a_quiet_sound_is_raised_only_so_far() -> None:
    assert gain_to(-16, -20) == pytest.approx(10 ** (4 / 20))
    assert gain_to(-16, -60) == pytest.approx(10 ** (15 / 20))


def test_nothing_is_clipped_and_what_is_soft_stays() -> None:
    wave = tone(50, 1, 3.0)
    bent = limited(wave)
    assert np.abs(bent).max() < 1.0
    soft = np.abs(wave) < 0.88
    assert np.array_equal(bent[soft], wave[soft])
    halves = np.concatenate([limited(wave[:1001]), limited(wave[1001:])])
    assert np.array_equal(halves, bent)
