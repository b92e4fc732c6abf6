from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from anchor.media import ARKIT_INDEX, Blendshapes
from anchor.pipeline.idle import GLANCE_LIMIT, SWAY_LIMIT, Life

FPS = 25
TEN_MINUTES = 600 * FPS
Series = NDArray[np.float64]


def live(
    beats: int, *, seed: int = 3, fps: int = FPS, speaking: Callable[[int], bool] | None = None
) -> list[Blendshapes]:
    life = Life(seed, fps)
    return [life.frame(speaking(beat) if speaking else False) for beat in range(beats)]


@pytest.fixture(scope="module")
def idle() -> list[Blendshapes]:
    return live(TEN_MINUTES)


def lids(faces: Sequence[Blendshapes]) -> Series:
    return np.array([face["eyeBlinkLeft"] for face in faces])


def gaze(faces: Sequence[Blendshapes]) -> Series:
    return np.array([face.gaze for face in faces])


def pose(faces: Sequence[Blendshapes]) -> Series:
    return np.array([(f.head.yaw, f.head.pitch, f.head.roll, f.head.x, f.head.y) for f in faces])


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def blinks(faces: Sequence[Blendshapes]) -> list[tuple[int, int]]:
    return runs(lids(faces) > 0.5)


def largest_echo(series: Series, shortest_lag: int) -> float:
    centred = series - series.mean()
    spectrum = np.fft.rfft(centred, 2 * centred.size)
    echo = np.fft.irfft(np.abs(spectrum) ** 2)[: centred.size] / float(centred @ centred)
    return float(np.abs(echo[shortest_lag : centred.size // 2]).max())


def test_the_same_seed_lives_the_same_life() -> None:
    for one, other in zip(live(2000), live(2000), strict=True):
        assert np.array_equal(one.weights, other.weights)
        assert (one.head, one.gaze, one.breath) == (other.head, other.gaze, other.breath)


def test_another_seed_lives_another_life() -> None:
    assert not np.array_equal(lids(live(2000)), lids(live(2000, seed=4)))


def test_every_weight_stays_in_range(idle: list[Blendshapes]) -> None:
    weights = np.array([face.weights for face in idle])
    assert weights.dtype == np.float32 and weights.min() >= 0 and weights.max() <= 1
    breath = np.array([face.breath for face in idle])
    assert breath.min() == 0 and 0.8 < breath.max() <= 1


def test_the_mouth_stays_shut(idle: list[Blendshapes]) -> None:
    opening = [ARKIT_INDEX[name] for name in ("jawOpen", "mouthFunnel", "mouthLowerDownLeft", "mouthUpperUpLeft")]
    assert not np.array([face.weights[opening] for face in idle]).any()


def test_blinks_come_two_to_ten_seconds_apart_mostly_near_four(idle: list[Blendshapes]) -> None:
    starts = np.array([start for start, _ in blinks(idle)])
    gaps = np.diff(starts) / FPS
    apart = gaps[gaps > 0.8]
    assert apart.max() <= 10.7
    assert 3.0 < np.median(apart) < 5.5
    assert apart.min() >= 1.2 and (apart < 2).mean() < 0.2, "only a glance brings a blink sooner"
    assert 10 < len(starts) / 10 < 22, "blinks a minute"


def test_some_blinks_are_double_but_few(idle: list[Blendshapes]) -> None:
    gaps = np.diff([start for start, _ in blinks(idle)]) / FPS
    assert 0 < (gaps < 0.8).mean() < 0.25


def test_every_blink_shuts_the_eyes_and_opens_them_again(idle: list[Blendshapes]) -> None:
    closure = lids(idle)
    for start, end in blinks(idle):
        assert closure[start:end].max() == 1.0
        assert 1 <= end - start <= 9


@pytest.mark.parametrize("fps", [10, 25, 30, 60])
def test_eyes_shut_in_every_blink_at_every_frame_rate(fps: int) -> None:
    faces = live(120 * fps, fps=fps)
    closure = lids(faces)
    found = blinks(faces)
    assert len(found) >= 15
    assert all(closure[start:end].max() == 1.0 and (end - start) / fps <= 0.4 for start, end in found)


def test_a_blink_closes_faster_than_it_opens() -> None:
    closure = lids(live(TEN_MINUTES, fps=60))
    shapes = [(start, int(closure[start:end].argmax()), end - start) for start, end in runs(closure > 0.35)]
    assert np.mean([2 * crest < length for _, crest, length in shapes]) > 0.9


def test_the_anchor_mostly_looks_at_the_viewer(idle: list[Blendshapes]) -> None:
    away = np.hypot(*gaze(idle).T) > math.radians(3)
    assert 0.02 < away.mean() < 0.2
    assert np.hypot(*gaze(idle).T).max() <= GLANCE_LIMIT
    assert max(end - start for start, end in runs(away)) < 2.5 * FPS


def test_eyes_never_rest_longer_than_two_seconds(idle: list[Blendshapes]) -> None:
    still = np.hypot(*np.diff(gaze(idle), axis=0).T) < 1e-6
    lengths = np.array([end - start for start, end in runs(still)]) / FPS
    assert lengths.max() <= 2.1
    assert 0.2 < np.median(lengths) < 1.5


def test_a_speaker_looks_away_less() -> None:
    spoken = live(TEN_MINUTES, speaking=lambda beat: True)
    away = [(np.hypot(*gaze(faces).T) > math.radians(2.5)).mean() for faces in (spoken, live(TEN_MINUTES))]
    assert away[0] < 0.5 * away[1]


def test_nobody_looks_away_in_the_first_seconds_of_silence() -> None:
    faces = live(6 * FPS, seed=11)
    assert np.hypot(*gaze(faces).T).max() < math.radians(3)


def test_lids_follow_the_eyes_down(idle: list[Blendshapes]) -> None:
    up, closure = gaze(idle)[:, 1], lids(idle)
    resting = closure < 0.3
    low, level = resting & (up < -0.05), resting & (np.abs(up) < 0.003)
    assert closure[low].min() > 0.05 and closure[level].mean() < 0.02


def test_a_phrase_end_often_brings_a_blink() -> None:
    faces = live(TEN_MINUTES, speaking=lambda beat: beat % 200 < 150)
    closure = lids(faces)
    after = [closure[end : end + 8].max() == 1.0 for end in range(150, TEN_MINUTES - 10, 200)]
    before = [closure[end : end + 8].max() == 1.0 for end in range(80, TEN_MINUTES - 10, 200)]
    assert np.mean(after) > 0.4 > 2 * np.mean(before)


def test_sway_is_small_and_slow(idle: list[Blendshapes]) -> None:
    angles = pose(idle)[:, :3]
    assert np.abs(angles).max() <= SWAY_LIMIT
    assert np.abs(np.diff(angles, axis=0)).max() * FPS < math.radians(4)
    assert np.abs(pose(idle)[:, 3:]).max() < 0.015


def test_the_head_rests_between_drifts_and_never_for_long(idle: list[Blendshapes]) -> None:
    still = (np.diff(pose(idle), axis=0) == 0).all(axis=1)
    assert 0.4 < still.mean() < 0.75
    rests = [end - start for start, end in runs(still)]
    assert max(rests) <= 4.2 * FPS and np.median(rests) >= FPS


def test_ten_minutes_do_not_repeat_themselves(idle: list[Blendshapes]) -> None:
    for axis in range(3):
        assert largest_echo(pose(idle)[:, axis], 20 * FPS) < 0.3
    for axis in range(2):
        assert largest_echo(gaze(idle)[:, axis], 5 * FPS) < 0.3
    assert largest_echo(lids(idle), FPS) < 0.3


def test_breath_is_twelve_to_eighteen_a_minute_and_smooth(idle: list[Blendshapes]) -> None:
    breath = np.array([face.breath for face in idle])
    count = len(runs(breath > 0.3))
    assert 0.2 * 600 <= count <= 0.3 * 600
    assert np.abs(np.diff(breath)).max() < 0.06
    assert largest_echo(breath, 60 * FPS) < 0.4


def test_nothing_jumps_but_eyes_and_lids(idle: list[Blendshapes]) -> None:
    slow = [index for name, index in ARKIT_INDEX.items() if not name.startswith("eye")]
    weights = np.array([face.weights[slow] for face in idle])
    assert np.abs(np.diff(weights, axis=0)).max() < 0.01


def test_the_anchor_looks_friendly(idle: list[Blendshapes]) -> None:
    smile = np.array([(face["mouthSmileLeft"], face["mouthSmileRight"]) for face in idle])
    assert smile.min() > 0.04 and smile.max() < 0.3
    assert not np.array_equal(smile[:, 0], smile[:, 1]), "no face is symmetrical"
