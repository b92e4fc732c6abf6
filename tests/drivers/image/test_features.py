"""Front ends give what their sources give, whatever pieces the sound comes in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE, Floats
from drivers import features
from drivers.features import RATE, Ear
from tests.drivers.image import references

SOUND: Floats = references.sound()


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    with np.load(references.FILE, allow_pickle=False) as arrays:
        return dict(arrays)


def test_wav2lip_mel_is_that_of_its_source(made: dict[str, Any]) -> None:
    first, _ = features.mel_reach(0)
    padded = np.concatenate([np.zeros(-first, np.float32), SOUND, np.zeros(features.MEL_WINDOW // 2, np.float32)])
    mel = features.wav2lip_mel(padded)
    assert mel.shape == (80, 81)
    assert mel.dtype == np.float32
    np.testing.assert_allclose(mel[:, ::9], made["wav2lip"], atol=2e-3)


def test_wav2lip_mel_of_a_window_is_the_same_as_within_the_whole_sound() -> None:
    start, end = features.mel_reach(20)[0], features.mel_reach(35)[1]
    window = features.wav2lip_mel(SOUND[start:end])
    first, last = features.mel_reach(10)[0], features.mel_reach(60)[1]
    whole = features.wav2lip_mel(SOUND[first:last])
    np.testing.assert_allclose(window, whole[:, 10:26], atol=1e-5)


@pytest.mark.parametrize(("length", "hop", "name", "step"), [(400, 160, "kaldi_25", 11), (800, 320, "kaldi_50", 7)])
def test_kaldi_features_are_those_of_kaldi(made: dict[str, Any], length: int, hop: int, name: str, step: int) -> None:
    found = features.kaldi_fbank(SOUND, length=length, hop=hop)
    assert found.shape == ((RATE - length) // hop + 1, 80)
    np.testing.assert_allclose(found[::step], made[name], atol=5e-3)


def test_whisper_mel_is_that_of_its_source(made: dict[str, Any]) -> None:
    found = features.whisper_mel(SOUND)
    assert found.shape == (80, 3000)
    np.testing.assert_allclose(found[:, :110:11], made["whisper"], atol=1e-3)
    np.testing.assert_allclose(found[:, [150, 2999]], made["whisper_after"], atol=1e-3)


def test_normalised_sound_has_no_mean_and_unit_variance() -> None:
    found = features.normalised(SOUND + 0.3)
    assert float(found.mean()) == pytest.approx(0, abs=1e-5)
    assert float(found.std()) == pytest.approx(1, abs=1e-3)


def test_digital_silence_becomes_faint_noise_and_its_mel_is_the_floor() -> None:
    silent = np.zeros(3001, np.float32)
    noisy = features.with_noise(silent)
    assert 0 < float(np.abs(noisy).max()) < 1e-4
    assert np.array_equal(noisy, features.with_noise(silent))
    mel = features.wav2lip_mel(silent)
    assert np.isfinite(mel).all()
    assert float(mel.max()) < -3


def heard(sound: Floats, *cuts: int) -> Ear:
    ear = Ear()
    for part in np.split(sound, cuts):
        ear.push(part)
    ear.finish()
    return ear


def test_an_ear_hears_the_same_in_whatever_pieces_sound_comes() -> None:
    sound = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * np.float32(0.1)
    whole, pieces = heard(sound), heard(sound, 1, 2, 50, 51, 1000, 30_001)
    assert whole.known == pieces.known >= RATE
    np.testing.assert_allclose(whole.take(0, RATE), pieces.take(0, RATE), atol=1e-6)


def test_an_ear_keeps_tones_in_place_and_drops_what_its_rate_cannot_hold() -> None:
    t, t16 = np.arange(SAMPLE_RATE) / SAMPLE_RATE, np.arange(RATE) / RATE
    low, high = (heard(np.sin(2 * np.pi * f * t).astype(np.float32)).take(100, RATE - 100) for f in (1000, 11_000))
    np.testing.assert_allclose(low, np.sin(2 * np.pi * 1000 * t16)[100:-100], atol=2e-3)
    assert float(np.abs(high).max()) < 2e-3


def test_an_ear_knows_no_more_than_it_was_given_and_has_silence_around() -> None:
    ear = Ear()
    ear.push(np.ones(4800, np.float32))
    assert not ear.has(1600)
    assert ear.has(ear.known)
    ear.finish()
    assert ear.has(10_000)
    assert float(np.abs(ear.take(-500, -50)).max()) == 0
    assert float(np.abs(ear.take(2000, 2500)).max()) == 0


def test_an_ear_forgets_what_is_past() -> None:
    ear = heard(np.ones(3 * SAMPLE_RATE, np.float32))
    ear.forget(2 * RATE)
    assert float(np.abs(ear.take(RATE, RATE + 100)).max()) == 0
    assert float(ear.take(2 * RATE, 2 * RATE + 100).min()) > 0.9
