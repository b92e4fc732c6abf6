"""What the network hears does not depend on how sound is cut, nor on how loud it is for long."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE
from drivers.speechnet.features import BANDS, BLOCK, Ear, Leveller, log_mel


def _sound(seconds: float = 2.0) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(3).normal(0, 0.02, time.size)
    return (0.2 * np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 3 * time) > 0) + noise).astype(np.float32)


def _heard(sound: np.ndarray, sizes: list[int]) -> np.ndarray:
    ear = Ear()
    found, at, turn = [], 0, 0
    while at < len(sound):
        size = sizes[turn % len(sizes)]
        found.append(ear.push(sound[at : at + size]))
        at, turn = at + size, turn + 1
    return np.concatenate([*found, ear.finish(10)])


@pytest.mark.parametrize("sizes", [[1920], [480], [7, 5000, 1], [48_000]])
def test_frames_do_not_depend_on_how_sound_is_cut(sizes: list[int]) -> None:
    sound = _sound()
    whole = _heard(sound, [len(sound)])
    found = _heard(sound, sizes)
    shared = min(len(whole), len(found))
    assert shared >= 200
    np.testing.assert_allclose(found[:shared], whole[:shared], atol=2e-4)


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    time = np.arange(16_000) / 16_000
    for hertz in (200, 1000, 5000):
        mel = log_mel((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32))
        low, high = (2595 * math.log10(1 + edge / 700) for edge in (60.0, 7600.0))
        mels = np.linspace(low, high, BANDS + 2)[1:-1]
        nearest = int(np.argmin(np.abs(700 * (10 ** (mels / 2595) - 1) - hertz)))
        assert abs(int(mel.mean(axis=0).argmax()) - nearest) <= 1


def test_a_quiet_microphone_is_levelled_within_two_seconds() -> None:
    rng = np.random.default_rng(1)
    mel = rng.normal(0, 1, (800, BANDS)).astype(np.float32)
    loud, quiet = Leveller().level(mel), Leveller().level(mel - 5)
    away = np.abs(loud - quiet).mean(axis=1)
    assert away[200:].mean() < 0.1 * 5
    assert away[400:].max() < away[:BLOCK].max()


def test_levelling_looks_at_nothing_that_comes_after() -> None:
    mel = np.random.default_rng(2).normal(0, 1, (200, BANDS)).astype(np.float32)
    other = mel.copy()
    other[100:] += 7
    np.testing.assert_array_equal(Leveller().level(mel)[:100], Leveller().level(other)[:100])
