"""Lips on real recordings with phone labels (some by hand, most by aligners): does what is heard show?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from anchor.bench.corpus import read_sound
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Blendshapes, Floats
from anchor.ports import SpeechChunk
from drivers.visemes import OPEN_VOWELS, visemes_of
from tests.drivers.speech import Recording, aperture, drive, lag, opening_asked, recordings, track

FPS = 25
SHUT = 0.12
"""Part of a recording's range under which lips count as closed."""

pytestmark = pytest.mark.shared


@dataclass(frozen=True)
class Driven:
    recording: Recording
    faces: list[Blendshapes]
    gap: Floats
    """Aperture of every frame in parts of its 97th percentile."""

    def phones(self, wanted: Callable[[str], bool]) -> Iterator[Phone]:
        return (phone for phone in self.recording.speech.phones if wanted(visemes_of(phone.symbol)[0][0]))

    def frames(self, phone: Phone, slack: float = 0.0) -> NDArray[np.intp]:
        middles = (np.arange(len(self.faces)) + 0.5) / FPS
        start, end = phone.start / SAMPLE_RATE - slack, phone.end / SAMPLE_RATE + slack
        return np.flatnonzero((middles >= start) & (middles <= end))


@pytest.fixture(scope="module")
def driven(shared: Path) -> list[Driven]:
    found = []
    for recording in recordings(shared):
        faces = drive(recording.speech, fps=FPS)
        gap = aperture(faces)
        found.append(Driven(recording, faces, gap / float(np.percentile(gap, 97))))
    assert len(found) > 40
    return found


def test_lips_close_on_every_bilabial(driven: list[Driven]) -> None:
    closed = [
        float(one.gap[one.frames(phone, 0.02)].min(initial=1.0)) < SHUT
        for one in driven
        for phone in one.phones("PP".__eq__)
    ]
    assert len(closed) > 150 and np.mean(closed) >= 0.98


def test_lips_stay_closed_for_two_frames(driven: list[Driven]) -> None:
    held = [int((one.gap[one.frames(phone, 0.05)] < SHUT).sum()) for one in driven for phone in one.phones("PP".__eq__)]
    assert np.mean(np.array(held) >= 2) >= 0.98


def test_lips_close_nowhere_else_in_speech(driven: list[Driven]) -> None:
    """Precision of closure: closed frames inside speech lie at a bilabial, or under the teeth at f and v."""
    at_lips, elsewhere = 0, 0
    for one in driven:
        allowed = np.zeros(len(one.faces), bool)
        speech = np.zeros(len(one.faces), bool)
        for phone in one.recording.speech.phones:
            speech[one.frames(phone)] = True
        for phone in one.phones(lambda viseme: viseme in ("PP", "FF")):
            allowed[one.frames(phone, 0.06)] = True
        shut = speech & (one.gap < SHUT)
        at_lips += int((shut & allowed).sum())
        elsewhere += int((shut & ~allowed).sum())
    assert at_lips / (at_lips + elsewhere) >= 0.9


def test_open_vowels_are_not_swallowed(driven: list[Driven]) -> None:
    swallowed = [
        float(one.gap[frames].max()) < SHUT
        for one in driven
        for phone in one.phones(lambda viseme: viseme in OPEN_VOWELS)
        if (frames := one.frames(phone)).size
    ]
    assert len(swallowed) > 200 and np.mean(swallowed) <= 0.02


def test_the_lower_lip_shows_at_every_labiodental(driven: list[Driven]) -> None:
    shown = [
        max((one.faces[frame]["mouthRollLower"] for frame in one.frames(phone, 0.02)), default=0.0) > 0.4
        for one in driven
        for phone in one.phones("FF".__eq__)
    ]
    assert len(shown) > 60 and np.mean(shown) >= 0.95


def test_the_opening_follows_the_labels_and_in_time(driven: list[Driven]) -> None:
    rate = 100
    correlations, lags = [], []
    for one in driven:
        asked, spoken = opening_asked(one.recording.speech, rate)
        shown = np.interp((np.arange(asked.size) + 0.5) / rate, (np.arange(one.gap.size) + 0.5) / FPS, one.gap)
        correlations.append(np.corrcoef(shown[spoken], asked[spoken])[0, 1])
        lags.append(lag(shown, asked, 15) * 1000 / rate)
    assert np.mean(correlations) >= 0.78
    assert abs(np.median(lags)) <= 20
    assert np.percentile(np.abs(lags), 90) <= 40


def test_loudness_alone_moves_the_jaw_as_a_captured_actor_does(shared: Path) -> None:
    """49 s of a Mandarin actor, captured at 30 frames a second; the capture follows its sound by one frame."""
    folder = shared / "aligned" / "facegood"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        names = [str(name) for name in np.load(folder / "bs_name.npy")]
        captured = np.load(folder / "bs_value_1114_3_15.npy")[:, names.index("mouth_stretch_c")]
    jaw = track(drive(SpeechChunk(read_sound(folder / "1114_3_15.wav")), fps=30), "jawOpen")
    size = min(len(jaw), len(captured)) - 10
    fits = [np.corrcoef(jaw[5 + lag : size + lag], captured[5:size])[0, 1] for lag in range(-5, 6)]
    assert max(fits) >= 0.55
    assert -2 <= int(np.argmax(fits)) - 5 <= 0


def test_the_mouth_moves_no_faster_than_a_captured_one(driven: list[Driven], shared: Path) -> None:
    folder = shared / "aligned" / "facegood"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        names = [str(name) for name in np.load(folder / "bs_name.npy")]
        captured = np.load(folder / "bs_value_1114_3_15.npy")[:, names.index("mouth_stretch_c")]
    natural = np.percentile(np.abs(np.diff(captured)), 99) * 30 / np.percentile(captured, 97)
    ours = np.percentile(np.concatenate([np.abs(np.diff(one.gap)) for one in driven]), 99) * FPS
    assert ours <= 1.5 * natural
