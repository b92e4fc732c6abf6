"""Motion capture against the truth: bundled people who do what is known, looked at as any performer would be."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import TakeError
from anchor.media import Blendshapes
from avatars.clip import pictures as clip_pictures
from avatars.landmarks import Tracker
from drivers.mocap.clip import read_clip
from drivers.mocap.euro import OneEuro
from drivers.mocap.live import REST_PICTURES, STALE_SECONDS, LiveCapture
from drivers.mocap.table import read_table, write_table
from drivers.mocap.take import Take
from tests.drivers.performers import ACT, ACTS, FPS, acted, column, filmed, mean_of, pictures

WHO = ("yue", "leo", "lin")
"""Two rendered people, by whom the solver's basis was measured, and a drawn one, whom it never saw."""
NAMES = [name for name, _ in ACTS]

MEASURES: dict[str, tuple[Callable[[Blendshapes], float], float]] = {
    "jawOpen": (mean_of("jawOpen"), 0.97),
    "blinks": (mean_of("eyeBlink"), 0.95),
    "smile": (mean_of("mouthSmile"), 0.92),
    "pucker": (mean_of("mouthPucker"), 0.90),
    "brows": (mean_of("browInnerUp", "browOuterUp"), 0.87),
    "yaw": (lambda one: one.head.yaw, 0.96),
    "pitch": (lambda one: one.head.pitch, 0.93),
    "roll": (lambda one: one.head.roll, 0.96),
    "gaze": (lambda one: one.gaze[0] + 0.55 * (one["eyeLookOutLeft"] - one["eyeLookInLeft"]), 0.89),
}
"""What is compared, and the correlation it must reach."""
FLAT = {("lin", "pitch"): 0.70}
"""A drawn head that nods is only shifted layers."""


@cache
def captured(who: str) -> Take:
    with Tracker() as tracker:
        return read_clip(Path(who), pictures(who), FPS, tracker)


def during(name: str) -> slice:
    """The pictures in the middle of an act."""
    start = NAMES.index(name) * ACT
    return slice(start + ACT // 3, start + ACT - ACT // 3)


def correlation(who: str, read: Callable[[Blendshapes], float]) -> float:
    return float(np.corrcoef(column(acted(), read), column(captured(who).faces(), read))[0, 1])


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("measure", MEASURES)
def test_performers_movements_are_told_from_their_pictures(who: str, measure: str) -> None:
    read, least = MEASURES[measure]
    assert correlation(who, read) > FLAT.get((who, measure), least)


@pytest.mark.parametrize("who", ["yue", "leo"])
def test_head_turns_as_far_as_it_was_turned(who: str) -> None:
    for read in (lambda one: one.head.yaw, lambda one: one.head.pitch, lambda one: one.head.roll):
        slope = np.polyfit(column(acted(), read), column(captured(who).faces(), read), 1)[0]
        assert 0.75 < slope < 1.3


@pytest.mark.parametrize("who", WHO)
def test_shut_lips_stay_shut_whatever_else_moves(who: str) -> None:
    faces = captured(who).faces()
    opened = column(faces, lambda one: max(0.0, one["jawOpen"] - one["mouthClose"]))
    for name in ("rest", "blink", "press", "brows up", "look right", "rest again"):
        assert max(opened[during(name)]) < 0.03
    assert min(opened[during("jaw")]) > 0.2


@pytest.mark.parametrize("who", WHO)
def test_shut_eyes_are_shut_and_open_eyes_are_open(who: str) -> None:
    blinks = column(captured(who).faces(), mean_of("eyeBlink"))
    assert max(blinks[during("blink")]) > 0.8
    assert max(blinks[during("rest")]) < 0.1


def test_clip_becomes_a_table_and_the_table_the_same_take(tmp_path: Path) -> None:
    clip = filmed(tmp_path / "yue.mp4", pictures("yue"))
    with Tracker() as tracker:
        take = read_clip(clip, clip_pictures(clip), FPS, tracker)
    table = tmp_path / "yue.csv"
    write_table(table, take)
    again = read_table(table)
    assert len(again.times) == len(acted())
    for read, least in (MEASURES["jawOpen"], MEASURES["yaw"], MEASURES["smile"]):
        assert np.corrcoef(column(acted(), read), column(again.faces(), read))[0, 1] > least
    assert again.values[:, :52] == pytest.approx(take.values[:, :52], abs=1e-5)


def test_clip_without_a_face_is_refused() -> None:
    blank = [np.full((240, 320, 3), 90, np.uint8)] * 5
    with Tracker() as tracker, pytest.raises(TakeError, match=r"wall\.mp4: a face is found in 0 of 5 pictures"):
        read_clip(Path("wall.mp4"), blank, FPS, tracker)


def test_live_performer_drives_after_their_rest_is_known_and_only_while_pictures_come() -> None:
    capture = LiveCapture(Tracker)
    assert capture.state(0.0) == "waiting"
    yaws, turned = [], []
    shown, truth = pictures("yue"), acted()
    still = [shown[0]] * REST_PICTURES
    turning = range(NAMES.index("turn right") * ACT, NAMES.index("nose up") * ACT)
    for number, picture in enumerate([*still, *(shown[place] for place in turning)]):
        at = number / FPS
        capture.look(picture, at)
        if number < REST_PICTURES - 1:
            assert (capture.face(at), capture.state(at)) == (None, "calibrating")
        elif number >= REST_PICTURES:
            found = capture.face(at)
            assert found is not None
            yaws.append(found.head.yaw)
            turned.append(truth[turning[number - REST_PICTURES]].head.yaw)
    assert capture.state(at) == "driving"
    # Smoothing that does not know what comes is late by a picture or two.
    assert max(np.corrcoef(turned[: len(turned) - late], yaws[late:])[0, 1] for late in range(4)) > 0.95
    assert capture.face(at + STALE_SECONDS - 0.01) is not None
    assert capture.face(at + STALE_SECONDS + 0.01) is None
    assert capture.state(at + STALE_SECONDS + 0.01) == "waiting"
    for more in range(20):
        capture.look(np.full((240, 320, 3), 90, np.uint8), at + (more + 1) / FPS)
    assert capture.state(at + 20 / FPS) == "no face"
    assert capture.face(at + 20 / FPS) is None
    capture.close()


def test_one_euro_filter_stills_what_rests_and_follows_what_moves() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 200)
    still = OneEuro(1.5, 10.0)
    rest = [float(still(np.array([value]), n / 25)[0]) for n, value in enumerate(noise)]
    assert np.std(rest[20:]) < 0.6 * np.std(noise)
    quick = OneEuro(1.5, 10.0)
    moved = [float(quick(np.array([float(n >= 50)]), n / 25)[0]) for n in range(60)]
    assert moved[49] == 0
    assert moved[52] > 0.9
