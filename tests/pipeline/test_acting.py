"""A performer's face over the anchor's own, region by region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from anchor.clock import FreeClock
from anchor.media import ARKIT, Blendshapes, HeadPose, VideoFormat
from anchor.pipeline.acting import CROSS_SECONDS, REGIONS, Acted, Acting
from anchor.pipeline.idle import Life
from anchor.pipeline.utterance import LEAD_IN_SECONDS, Part, Performance, Utterance
from anchor.testing import FakeDriver, FakeVoice
from tests.avatars.mouths import face

VIDEO = VideoFormat(64, 64, 25)
CROSS = round(CROSS_SECONDS * VIDEO.fps)

OWN = face(HeadPose(yaw=-0.1), jawOpen=0.7, eyeBlink=1.0, browDown=0.5)
PERFORMED = face(HeadPose(yaw=0.3, pitch=0.1), gaze=(0.2, -0.1), jawOpen=0.2, browInnerUp=0.9, eyeBlinkLeft=0.4)


@dataclass
class Script:
    """An actor who shows what is written, then nothing."""

    faces: Iterable[Acted | None]

    def __post_init__(self) -> None:
        self._rest = iter(self.faces)

    def act(self) -> Acted | None:
        return next(self._rest, None)


@dataclass(frozen=True)
class StillTake:
    """Shows one face, with the time as its smile."""

    seconds: float = 2.0
    notes: tuple[str, ...] = ()

    def at(self, seconds: float) -> Blendshapes | None:
        return face(jawOpen=0.1, browInnerUp=seconds / 4) if 0 <= seconds <= self.seconds else None


def performance(part: Part | None) -> Performance:
    return Performance(
        Utterance("hello", "en", FakeVoice(), part=part), FakeDriver(), VIDEO, FreeClock(), ahead_seconds=1
    )


def test_every_shape_has_a_region() -> None:
    assert tuple(REGIONS) == ARKIT
    assert Counter(REGIONS.values()) == {"eyes": 14, "brows": 5, "cheeks": 4, "mouth": 29}


def test_without_a_performer_the_face_is_the_anchors_own() -> None:
    assert Acting(VIDEO).frame(OWN, None) is OWN


def test_performer_drives_all_but_the_mouth() -> None:
    acting = Acting(VIDEO, Script([Acted(PERFORMED, "one")] * 20))
    for _ in range(20):
        shown = acting.frame(OWN, None)
    assert (shown.head.yaw, shown.head.pitch) == pytest.approx((0.3, 0.1))
    assert shown.gaze == pytest.approx((0.2, -0.1))
    assert shown["jawOpen"] == pytest.approx(0.7)
    assert shown["browInnerUp"] == pytest.approx(0.9)
    assert shown["browDownLeft"] == 0
    # The anchor's own blink is not blinked.
    assert (shown["eyeBlinkLeft"], shown["eyeBlinkRight"]) == pytest.approx((0.4, 0))


def test_performer_with_the_sound_drives_the_mouth_too() -> None:
    acting = Acting(VIDEO, Script([Acted(PERFORMED, "one", mouth=True)] * 20))
    shown = [acting.frame(OWN, None) for _ in range(20)][-1]
    assert np.array_equal(shown.weights, PERFORMED.weights)


def test_idle_blinks_are_not_seen_while_a_performer_has_the_eyes() -> None:
    life, open_eyes = Life(seed=3, fps=25), Acted(face(), "one")
    acting = Acting(VIDEO, Script([open_eyes] * 1000))
    own, shown = [], []
    for _ in range(1000):
        own.append(life.frame(speaking=False))
        shown.append(acting.frame(own[-1], None))
    assert max(one["eyeBlinkLeft"] for one in own[CROSS:]) == 1
    assert max(one["eyeBlinkLeft"] for one in shown[CROSS:]) == 0


def test_faces_cross_at_both_ends_without_a_jump() -> None:
    acting = Acting(VIDEO, Script([None] * 5 + [Acted(PERFORMED, "one")] * 30))
    still = replace(OWN, weights=face(jawOpen=0.3).weights)
    yaws = np.array([acting.frame(still, None).head.yaw for _ in range(60)])
    assert yaws[:5] == pytest.approx(-0.1)
    assert yaws[5 + CROSS : 35] == pytest.approx(0.3)
    assert yaws[35 + CROSS :] == pytest.approx(-0.1)
    assert np.abs(np.diff(yaws)).max() < 0.4 * 2 / CROSS


def test_one_performer_follows_another_without_a_jump() -> None:
    other = Acted(face(HeadPose(yaw=-0.3)), "two")
    acting = Acting(VIDEO, Script([Acted(PERFORMED, "one")] * 30 + [other] * 30))
    yaws = np.array([acting.frame(face(), None).head.yaw for _ in range(60)])
    assert yaws[29] == pytest.approx(0.3)
    assert yaws[30 + CROSS :] == pytest.approx(-0.3)
    assert np.abs(np.diff(yaws)).max() < 0.6 * 2 / CROSS


def test_take_begins_with_the_first_word_and_goes_on_over_utterances_that_share_it() -> None:
    part = Part(StillTake())
    one, two = performance(part), performance(part)
    acting = Acting(VIDEO)
    for beat in range(30):
        shown = acting.frame(face(), one if beat < 15 else two)
    assert shown["browInnerUp"] == pytest.approx((29.5 / 25 - LEAD_IN_SECONDS) / 4, abs=1e-5)


def test_take_that_ends_before_the_speech_gives_the_face_back() -> None:
    acting, speaking = Acting(VIDEO), performance(Part(StillTake(seconds=1.0), mouth=True))
    faces = [acting.frame(OWN, speaking) for _ in range(60)]
    assert faces[24]["jawOpen"] == pytest.approx(0.1)
    assert faces[-1] is OWN


def test_performer_before_a_camera_goes_before_a_take() -> None:
    acting = Acting(VIDEO, Script([Acted(PERFORMED, "camera")] * 20))
    shown = [acting.frame(face(), performance(Part(StillTake()))) for _ in range(20)][-1]
    assert shown.head.yaw == pytest.approx(0.3)
