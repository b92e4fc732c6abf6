"""From 48 kHz to 16 kHz as a stream."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.hearing.resample import Resampler
from anchor.media import SAMPLE_RATE
from anchor.talk import HEARING_RATE
from tests.hearing.sounds import noise


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=12))
def test_how_the_sound_is_cut_makes_no_difference(cuts: list[int]) -> None:
    sound = noise(max(1, sum(cuts)), -10)
    whole = Resampler().feed(sound, last=True)
    resampler, out, place = Resampler(), [], 0
    for cut in cuts:
        out.append(resampler.feed(sound[place : place + cut]))
        place += cut
    out.append(resampler.feed(sound[place:], last=True))
    assert np.array_equal(np.concatenate(out), whole)


def test_a_sample_that_comes_out_lies_under_the_one_that_went_in() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    out = Resampler().feed(np.sin(2 * np.pi * 440 * time).astype(np.float32), last=True)
    wanted = np.sin(2 * np.pi * 440 * np.arange(HEARING_RATE) / HEARING_RATE)
    assert len(out) == HEARING_RATE
    assert np.abs(out - wanted)[500:-500].max() < 1e-4


def test_what_16_khz_cannot_hold_is_taken_away() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    out = Resampler().feed(np.sin(2 * np.pi * 9500 * time).astype(np.float32), last=True)
    assert np.abs(out[500:-500]).max() < 1e-4


def test_little_is_held_back() -> None:
    resampler, given_samples, got = Resampler(), 0, 0
    for _ in range(100):
        got += len(resampler.feed(noise(960, -20)))
        given_samples += 960
        assert given_samples / SAMPLE_RATE - got / HEARING_RATE < 0.04


def test_after_the_last_piece_a_new_stream_begins() -> None:
    resampler, sound = Resampler(), noise(4800, -10)
    assert np.array_equal(resampler.feed(sound, last=True), resampler.feed(sound, last=True))
