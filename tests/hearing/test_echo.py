"""The anchor's own voice in the microphone is known by its envelope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import soxr

from anchor.hearing.echo import UNKNOWN_SECONDS, Echo
from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE
from tests.hearing.sounds import noise, silence, spoken

BEAT = SAMPLE_RATE // 25
WINDOW = 512
START = 1000.0

TELLS = "Good morning. A transfer inside the country is free of charge, and one abroad costs ten euros."
ASKS = "I would like to know whether I can open an account here without a passport."


@cache
def anchor() -> Samples:
    return np.concatenate([silence(0.5), spoken(TELLS), silence(0.6), spoken(TELLS), silence(1)])


def room(seconds: float) -> Samples:
    count = round(seconds * SAMPLE_RATE)
    tail = np.random.default_rng(3).standard_normal(count) * 10 ** (-3 * np.arange(count) / count) * 0.02
    tail[0] = 1.0
    response: Samples = (tail / np.sqrt((tail**2).sum())).astype(np.float32)
    return response


def echo_of(sound: Samples, gain: float, delay: float, tail: float = 0.0) -> Samples:
    late: Samples = np.concatenate([silence(delay), sound])[: len(sound)] * np.float32(10 ** (gain / 20))
    if tail:
        size = 2 * len(late)
        reverberant = np.fft.irfft(np.fft.rfft(late, size) * np.fft.rfft(room(tail), size), size)
        late = reverberant[: len(sound)].astype(np.float32)
    return late


@dataclass
class Judged:
    echo: Echo
    loud: np.ndarray
    """Of each window, whether it is loud enough to begin speech."""
    blamed: np.ndarray
    """Of each window, whether it was taken for echo."""

    def let_through(self, begin: float, end: float) -> int:
        """How many windows between two moments are a visitor's."""
        return int((~self.blamed)[round(begin / 0.032) : round(end / 0.032)].sum())

    def share(self, begin: float, end: float) -> float:
        """Of the loud windows between two moments, how many were taken for echo."""
        part = slice(round(begin / 0.032), round(end / 0.032))
        return float(self.blamed[part][self.loud[part]].mean())


def judged(sent: Samples, microphone: Samples) -> Judged:
    echo, heard = Echo(), soxr.resample(microphone, SAMPLE_RATE, HEARING_RATE).astype(np.float32)
    loud, blamed, beats = [], [], 0
    for end in range(WINDOW, len(heard) + 1, WINDOW):
        at = end / HEARING_RATE
        while (beats + 1) * BEAT <= len(sent) and beats * BEAT / SAMPLE_RATE <= at:
            echo.sent(sent[beats * BEAT : (beats + 1) * BEAT], START + beats * BEAT / SAMPLE_RATE)
            beats += 1
        window = heard[end - WINDOW : end]
        loud.append(10 * np.log10(np.var(window) + 1e-12) > -52)
        blamed.append(echo.explains(window, START + at))
    return Judged(echo, np.array(loud), np.array(blamed))


@pytest.mark.parametrize("gain", [-10, -20, -30])
@pytest.mark.parametrize(("delay", "tail"), [(0.12, 0.0), (0.5, 0.0), (0.3, 0.3)])
def test_delay_and_gain_are_learnt_within_two_seconds_and_explain_what_is_heard(
    gain: float, delay: float, tail: float
) -> None:
    sent = anchor()
    there = judged(sent, echo_of(sent, gain, delay, tail) + noise(len(sent), -65))
    assert there.echo.delay == pytest.approx(delay, abs=0.017)
    assert there.echo.gain == pytest.approx(gain, abs=6)
    assert there.share(2.0 + delay, len(sent) / SAMPLE_RATE) > 0.97


def test_before_anything_is_known_soft_sound_may_be_echo_and_loud_sound_is_a_visitor() -> None:
    sent = anchor()
    assert judged(sent, echo_of(sent, -20, 0.3)).share(0.5, 1.3) > 0.9
    assert judged(sent, echo_of(spoken(ASKS), 3, 0.6)).let_through(0.8, 1.3) >= 5


def test_with_a_headset_nothing_is_taken_for_echo() -> None:
    sent = anchor()
    visitor = np.tile(spoken(ASKS), 4)[: len(sent)] * np.float32(0.2)
    there = judged(sent, visitor + noise(len(sent), -60))
    assert there.echo.delay is None
    assert not there.echo.likely
    assert not there.blamed[round((1 + UNKNOWN_SECONDS) / 0.032) :].any()


def test_while_the_anchor_is_silent_nothing_is_taken_for_echo_although_one_is_known() -> None:
    sent, visitor = anchor(), spoken(ASKS)
    sent = np.concatenate([sent, silence(1 + len(visitor) / SAMPLE_RATE)])
    microphone = echo_of(sent, -20, 0.2) + noise(len(sent), -65)
    begin = len(sent) - len(visitor)
    microphone[begin:] += visitor * np.float32(0.02)
    there = judged(sent, microphone)
    assert there.echo.delay is not None
    assert not there.blamed[round(begin / SAMPLE_RATE / 0.032) + 2 :].any()


def test_a_visitor_ten_decibels_over_the_echo_is_not_taken_for_it() -> None:
    sent, visitor = anchor(), spoken(ASKS)
    microphone = echo_of(sent, -25, 0.3, 0.3) + noise(len(sent), -65)
    begin = 4 * SAMPLE_RATE
    before = float(np.sqrt((microphone[begin - SAMPLE_RATE : begin] ** 2).mean()))
    loud = visitor * np.float32(10**0.5 * before / np.sqrt((visitor**2).mean()))
    microphone[begin : begin + len(loud)] += loud
    there = judged(sent, microphone)
    assert there.let_through(3.0, 4.0) == 0
    assert there.let_through(4.0, 4.2) >= 3
    assert there.echo.gain == pytest.approx(-25, abs=5)


def test_an_echo_that_comes_from_elsewhere_is_learnt_anew() -> None:
    sent = np.concatenate([anchor(), anchor()])
    half = len(anchor())
    microphone = echo_of(sent, -20, 0.15)
    microphone[half:] = echo_of(sent, -26, 0.45)[half:]
    there = judged(sent, microphone + noise(len(sent), -65))
    assert there.echo.delay == pytest.approx(0.45, abs=0.017)
    assert there.echo.gain == pytest.approx(-26, abs=5)


def test_beats_that_nobody_asks_for_are_bounded() -> None:
    echo = Echo()
    for place in range(10_000):
        echo.sent(silence(0.04), place / 25)
    assert len(echo._coming) <= 100
    assert not echo.explains(np.zeros(WINDOW, np.float32), 400.0)
