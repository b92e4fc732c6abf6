"""Moods, gestures and states: they come and go smoothly, and leave nothing behind."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from anchor.clock import run_virtual
from anchor.errors import ScriptError
from anchor.events import Gesture, Mood
from anchor.media import ARKIT_INDEX, Blendshapes
from anchor.pipeline.manner import MOOD_SECONDS, Manner, gesture_named, mood_named
from tests.pipeline.stage import free_stage

FPS = 25
OPENERS = [
    ARKIT_INDEX[name]
    for name in ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLowerDownLeft", "mouthUpperUpLeft")
]


def numbers(face: Blendshapes) -> list[float]:
    head = face.head
    return [*face.weights.tolist(), head.yaw, head.pitch, head.roll, head.x, head.y, *face.gaze]


def run(manner: Manner, seconds: float, *, speaking: bool = True, mood: Mood | None = None) -> np.ndarray:
    return np.array([numbers(manner.frame(speaking=speaking, mood=mood)) for _ in range(round(seconds * FPS))])


@pytest.mark.parametrize("mood", [mood for mood in get_args(Mood) if mood != "neutral"])
def test_a_mood_comes_smoothly_and_leaves_no_trace(mood: Mood) -> None:
    manner = Manner(FPS)
    shown = np.vstack([run(manner, 2, mood=mood), run(manner, 2)])
    reached = np.abs(shown[round(MOOD_SECONDS * FPS)]).max()
    assert reached > 0.1
    assert np.abs(np.diff(shown, axis=0, prepend=0)).max() < 0.15 * reached
    assert np.abs(shown[-1]).max() == 0


@pytest.mark.parametrize("mood", get_args(Mood))
def test_no_mood_opens_or_shuts_the_lips(mood: Mood) -> None:
    shown = run(Manner(FPS, mood), 2)
    assert np.abs(shown[:, OPENERS]).max() == 0


def test_moods_are_told_apart() -> None:
    faces = [run(Manner(FPS), 1.5, mood=mood)[-1] for mood in get_args(Mood)]
    for index, one in enumerate(faces):
        assert all(np.abs(one - other).max() > 0.1 for other in faces[:index])


@pytest.mark.parametrize("gesture", get_args(Gesture))
def test_a_gesture_is_seen_and_over(gesture: Gesture) -> None:
    manner = Manner(FPS)
    manner.make(gesture)
    shown = run(manner, 3)
    assert np.abs(shown).max() > 0.05
    assert np.abs(shown[-10:]).max() == 0 and np.abs(shown[0]).max() < 0.8 * np.abs(shown).max()


def test_a_nod_goes_down_and_a_shake_to_both_sides() -> None:
    nod, shake = Manner(FPS), Manner(FPS)
    nod.make("nod")
    shake.make("shake")
    pitch, yaw = run(nod, 1)[:, 53], run(shake, 1.2)[:, 52]
    assert pitch.min() < -0.05 and pitch.max() <= 0
    assert yaw.min() < -0.03 and yaw.max() > 0.03


def test_a_listening_anchor_nods_now_and_then_until_it_speaks() -> None:
    manner = Manner(FPS)
    manner.state = "listening"
    pitch = run(manner, 12, speaking=False)[:, 53]
    settled = pitch[FPS:]
    nods = np.flatnonzero((settled[1:] < settled.max() - 0.02) & (settled[:-1] >= settled.max() - 0.02))
    assert 2 <= len(nods) <= 4
    assert np.abs(run(manner, 3, speaking=True)[-1]).max() == 0


def test_a_thinking_anchor_looks_aside() -> None:
    manner = Manner(FPS)
    manner.state = "thinking"
    right, up = run(manner, 2, speaking=False)[-1][-2:]
    assert right > 0.15 and up > 0.08


def test_an_utterance_brings_its_mood_and_gestures() -> None:
    async def main() -> None:
        stage = free_stage()
        async with stage.performer.open():
            stage.say("alpha beta gamma", mood="cheerful", gestures=("smile",))
            await stage.play()
        smiles = [look.face["mouthSmileLeft"] for look in stage.scene.looks]
        assert max(smiles) > 0.5 and smiles[0] < 0.1

    run_virtual(main())


def test_names_are_read_kindly_and_unknown_ones_refused_with_what_there_is() -> None:
    assert mood_named(" Warm ") == "warm" and gesture_named("glance_left") == "glance left"
    with pytest.raises(ScriptError, match="'angry' is unknown; there are neutral, warm"):
        mood_named("angry")
    with pytest.raises(ScriptError, match="gesture: 'jump' is unknown"):
        gesture_named("jump")
