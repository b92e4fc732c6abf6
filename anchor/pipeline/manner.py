"""How a face says what it says: moods, gestures, and what it does while it listens or thinks.

All are ARKit offsets laid over driver and life, eased in and out, and gone without a trace when they end. Moods keep
off the coefficients that open and shut the lips, so that bilabials close under every one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np

from anchor.errors import ScriptError
from anchor.events import Gesture, Mood, State
from anchor.media import ARKIT_INDEX, Blendshapes, Floats, HeadPose

MOOD_SECONDS = 0.8
"""From one mood to the next, from first to last trace."""


@dataclass(frozen=True, slots=True)
class _Stance:
    """Offsets as one vector: 52 weights, then yaw, pitch, roll (radians), y (head heights) and gaze (radians)."""

    values: Floats

    @classmethod
    def of(
        cls, *, yaw: float = 0, pitch: float = 0, roll: float = 0, y: float = 0, right: float = 0, up: float = 0,
        **weights: float,
    ) -> _Stance:  # fmt: skip
        """Degrees, and coefficient names; a name without its side stands for both."""
        values = np.zeros(len(ARKIT_INDEX) + 6, np.float32)
        for name, weight in weights.items():
            for full in (name, f"{name}Left", f"{name}Right"):
                if full in ARKIT_INDEX:
                    values[ARKIT_INDEX[full]] = weight
        values[-6:] = [*np.radians([yaw, pitch, roll]), y, *np.radians([right, up])]
        return cls(values)


# A resting anchor smiles a little by itself; a negative weight takes that away.
_MOODS: dict[Mood, _Stance] = {
    "neutral": _Stance.of(),
    "warm": _Stance.of(mouthSmile=0.20, cheekSquint=0.14, browInnerUp=0.10, eyeSquint=0.05, roll=0.6),
    "serious": _Stance.of(mouthSmile=-0.20, mouthFrown=0.05, browDown=0.36, eyeSquint=0.12, cheekSquint=-0.1,
                          pitch=-0.8),
    "cheerful": _Stance.of(mouthSmile=0.34, cheekSquint=0.30, browOuterUp=0.16, browInnerUp=0.12, pitch=0.8),
    "concerned": _Stance.of(mouthSmile=-0.22, mouthFrown=0.18, browInnerUp=0.46, browDown=0.10, cheekSquint=-0.1,
                            eyeSquint=0.06, pitch=-1.0, roll=-1.2),
}  # fmt: skip
_STATES: dict[State, _Stance] = {
    "presenting": _Stance.of(),
    "listening": _Stance.of(browInnerUp=0.16, browOuterUp=0.14, eyeWide=0.06, pitch=-1.4, roll=2.0, y=-0.006),
    "thinking": _Stance.of(browInnerUp=0.10, browDown=0.14, mouthPress=0.10, yaw=2.5, roll=-1.5, right=13, up=8),
}
_LISTENING_NOD_SECONDS = 3.4


@dataclass(frozen=True, slots=True)
class _Motion:
    """A gesture: a stance that swells `waves` half turns of a sine within `seconds`."""

    seconds: float
    stance: _Stance
    waves: int = 1
    hold: float = 0.0
    """Part of the time for which a motion of one wave stays at its height."""

    def at(self, seconds: float) -> float:
        x = seconds / self.seconds
        if self.waves > 1:
            return math.sin(math.pi * self.waves * x) * math.sin(math.pi * x)
        edge = (1 - self.hold) / 2
        return math.sin(math.pi / 2 * min(1.0, min(x, 1 - x) / edge)) ** 2


_GESTURES: dict[Gesture, _Motion] = {
    "nod": _Motion(0.7, _Stance.of(pitch=-6.0)),
    "shake": _Motion(1.1, _Stance.of(yaw=6.0), waves=4),
    "tilt": _Motion(1.4, _Stance.of(roll=5.0, browOuterUp=0.1), hold=0.4),
    "blink": _Motion(0.28, _Stance.of(eyeBlink=1.0), hold=0.2),
    "brows": _Motion(0.7, _Stance.of(browInnerUp=0.55, browOuterUp=0.6, eyeWide=0.15), hold=0.3),
    "smile": _Motion(1.8, _Stance.of(mouthSmile=0.45, cheekSquint=0.3), hold=0.5),
    "glance left": _Motion(0.9, _Stance.of(right=-20, yaw=-1.5), hold=0.6),
    "glance right": _Motion(0.9, _Stance.of(right=20, yaw=1.5), hold=0.6),
    "glance up": _Motion(0.9, _Stance.of(up=14, eyeWide=0.1), hold=0.6),
    "glance down": _Motion(0.9, _Stance.of(up=-16, eyeBlink=0.25), hold=0.6),
}
_ATTENTION = _Motion(0.8, _Stance.of(pitch=-2.0))


def mood_named(name: str) -> Mood:
    """Raises `ScriptError` that lists the moods there are."""
    return cast(Mood, _one_of(name, "mood", get_args(Mood)))


def gesture_named(name: str) -> Gesture:
    """Raises `ScriptError` that lists the gestures there are."""
    return cast(Gesture, _one_of(name, "gesture", get_args(Gesture)))


def _one_of(name: str, what: str, known: tuple[str, ...]) -> str:
    found = " ".join(name.replace("_", " ").lower().split())
    if found not in known:
        raise ScriptError(f"{what}: {name!r} is unknown; there are {', '.join(known)}")
    return found


class Manner:
    """One stream's manner; call `frame` exactly once for every beat, in stream order.

    `mood` is what the anchor falls back to between utterances that bring none. `state` shows while nothing is said.
    """

    def __init__(self, fps: int, mood: Mood = "neutral") -> None:
        self.mood = mood
        self.state: State = "presenting"
        self._fps = fps
        self._from = self._to = self._now = _MOODS[mood].values
        self._beat = 0
        self._length = max(1, round(MOOD_SECONDS * fps))
        self._moving: list[tuple[_Motion, int]] = []
        self._listened = 0

    def make(self, gesture: Gesture) -> None:
        """Begin a gesture with the next beat."""
        self._moving.append((_GESTURES[gesture], 0))

    def frame(self, *, speaking: bool, mood: Mood | None = None) -> Blendshapes:
        """The next beat's offsets, to be added to the face after all else; weights may be negative."""
        state = self.state if not speaking else "presenting"
        target = _MOODS[mood or self.mood].values + _STATES[state].values
        if not np.array_equal(target, self._to):
            self._from, self._to, self._beat = self._now, target, 0
        if self._beat < self._length:
            self._beat += 1
            x = self._beat / self._length
            # Minimum jerk, as for heads and hands (Flash and Hogan 1985).
            share = np.float32(x**3 * (10 - 15 * x + 6 * x * x))
            self._now = self._to if self._beat == self._length else self._from + share * (self._to - self._from)
        self._listened = self._listened + 1 if state == "listening" else 0
        if self._listened and self._listened % round(_LISTENING_NOD_SECONDS * self._fps) == 0:
            self._moving.append((_ATTENTION, 0))
        return _face(self._now + self._gestures())

    def _gestures(self) -> Floats:
        total = np.zeros_like(self._now)
        going = []
        for motion, beat in self._moving:
            seconds = (beat + 1) / self._fps
            if seconds < motion.seconds:
                total += motion.stance.values * np.float32(motion.at(seconds))
                going.append((motion, beat + 1))
        self._moving = going
        return total


def _face(values: Floats) -> Blendshapes:
    yaw, pitch, roll, y, right, up = values[-6:].tolist()
    return Blendshapes(values[:-6], HeadPose(yaw, pitch, roll, 0.0, y), (right, up))
