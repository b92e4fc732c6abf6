"""A face that is alive: blinks, eyes that never quite rest, breath, and a head that drifts and settles.

Everything is drawn from one seeded generator, beat by beat, so nothing is a clip and nothing loops; the same seed gives
the same life. Rates and durations are of the literature on people in conversation: blinks 2 to 10 s apart,
log-normal, closing in 100-150 ms and opening in 150-250 ms (VanderWerf et al. 2003; Doughty 2001); fixations of 0.2 to
2 s; breath of 12 to 18 a minute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from anchor.media import ARKIT, ARKIT_INDEX, Blendshapes, HeadPose

SWAY_LIMIT = math.radians(1.2)
"""Farthest the resting head turns about any axis, radians."""

GLANCE_LIMIT = math.radians(11)
"""Farthest the eyes go from the viewer, radians."""

_BLINK = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]
_WIDE = [ARKIT_INDEX["eyeWideLeft"], ARKIT_INDEX["eyeWideRight"]]
_INNER_UP = ARKIT_INDEX["browInnerUp"]
_OUTER_UP = [ARKIT_INDEX["browOuterUpLeft"], ARKIT_INDEX["browOuterUpRight"]]
_CHEEKS = [ARKIT_INDEX["cheekSquintLeft"], ARKIT_INDEX["cheekSquintRight"]]
_SMILE = (ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"])

_SOONEST_BLINK = 1.2
"""Seconds after a blink before anything can bring the next."""

_LID_FOLLOWS_DOWN, _LID_FOLLOWS_UP = 1.6, 1.0
"""Lid weight for a radian of vertical gaze: lids go with the eyes (Becker and Fuchs 1988)."""


def _log_normal(random: Random, median: float, spread: float, low: float, high: float) -> float:
    """Draw until the value lies in low..high, so that the ends of the range do not pile up."""
    while not low <= (value := random.lognormvariate(math.log(median), spread)) <= high:
        pass
    return value


class _Lids:
    """Blinks: weights of one beat after another, always with at least one of exactly 1."""

    def __init__(self, random: Random, fps: int) -> None:
        self._random, self._fps = random, fps
        self._plan: list[float] = []
        self._wait = self._interval()
        self._since = 0

    def _interval(self) -> int:
        return round(_log_normal(self._random, 4.2, 0.45, 2.0, 10.0) * self._fps)

    def hurry(self, chance: float) -> None:
        """Blink now with this chance, as people do when the eyes jump or a phrase ends."""
        if not self._plan and self._since > _SOONEST_BLINK * self._fps and self._random.random() < chance:
            self._wait = 0

    def step(self) -> float:
        if self._plan:
            self._since = 0
            return self._plan.pop()
        self._since += 1
        if self._wait > 0:
            self._wait -= 1
            return 0.0
        self._wait = self._interval()
        blinks = self._blink()
        if self._random.random() < 0.08:
            blinks += [0.0] * max(1, round(0.08 * self._fps)) + self._blink()
        self._plan = blinks[::-1]
        return self._plan.pop()

    def _blink(self) -> list[float]:
        closing = max(1, round(self._random.uniform(0.10, 0.15) * self._fps))
        opening = max(1, round(self._random.uniform(0.15, 0.25) * self._fps))
        down = [math.sin(math.pi / 2 * (beat + 1) / closing) ** 2 for beat in range(closing - 1)]
        shut = [1.0] * max(1, round(0.04 * self._fps))
        up = [math.cos(math.pi / 2 * ((beat + 1) / opening) ** 0.8) ** 2 for beat in range(opening - 1)]
        return down + shut + up


class _Eyes:
    """Where the eyes look: the viewer, in small jumps, and now and then away; radians (right, up)."""

    def __init__(self, random: Random, fps: int) -> None:
        self._random, self._fps = random, fps
        self._at = (0.0, 0.0)
        self._target = (0.0, 0.0)
        self._wait = fps
        self._quiet = 0
        self._until_glance = self._glance_interval()
        self.jumped = False

    def _glance_interval(self) -> int:
        return round(self._random.uniform(6.0, 16.0) * self._fps)

    @property
    def away(self) -> bool:
        return math.hypot(*self._target) > math.radians(3)

    def step(self, speaking: bool) -> tuple[float, float]:
        self._quiet = 0 if speaking else self._quiet + 1
        self._until_glance -= 1
        self._wait -= 1
        self.jumped = False
        if self._wait <= 0:
            self._fixate(speaking)
        # A glance takes 50-80 ms, the small jumps of a fixation less than a beat of 25 a second (Bahill et al. 1975).
        far = math.dist(self._at, self._target) > math.radians(2)
        share = min(1.0, (18 if far else 30) / self._fps)
        (right, up), (to_right, to_up) = self._at, self._target
        self._at = (right + share * (to_right - right), up + share * (to_up - up))
        if math.dist(self._at, self._target) < 2e-4:
            self._at = self._target
        return self._at

    def _fixate(self, speaking: bool) -> None:
        random, before = self._random, self._target
        seconds = _log_normal(random, 0.75, 0.6, 0.2, 2.0)
        if self.away or not self._may_glance(speaking):
            self._target = (random.gauss(0, 0.007), random.gauss(0, 0.005))
        else:
            reach = math.radians(random.uniform(3, 5) if speaking else random.uniform(4, 9.5))
            angle = random.choice((0.0, math.pi)) + random.gauss(-0.15, 0.45)
            self._target = (reach * math.cos(angle), 0.6 * reach * math.sin(angle) - 0.01)
            seconds = random.uniform(0.4, 0.8) if speaking else random.uniform(0.6, 1.8)
            self._until_glance = self._glance_interval() * (2 if speaking else 1)
        self._wait = max(1, round(seconds * self._fps))
        self.jumped = math.dist(before, self._target) > math.radians(3)

    def _may_glance(self, speaking: bool) -> bool:
        return self._until_glance <= 0 and (speaking or self._quiet > 6 * self._fps)


@dataclass(frozen=True, slots=True)
class _Stance:
    """What drifts together: head pose (yaw, pitch, roll, x, y), brows, and the corners of the mouth."""

    pose: tuple[float, ...]
    brows: float
    smile: float
    uneven: float

    def towards(self, other: _Stance, share: float) -> _Stance:
        def mix(a: float, b: float) -> float:
            return a + share * (b - a)

        return _Stance(
            tuple(mix(a, b) for a, b in zip(self.pose, other.pose, strict=True)),
            mix(self.brows, other.brows),
            mix(self.smile, other.smile),
            mix(self.uneven, other.uneven),
        )


class _Posture:
    """Slow drifts from one stance to another, with rests between them in which nothing moves at all."""

    def __init__(self, random: Random, fps: int) -> None:
        self._random, self._fps = random, fps
        self._from = self._to = self._now = self._stance(speaking=False)
        self._beat = 0
        self._length = 0
        self._rest = fps

    def _angle(self, spread: float) -> float:
        while abs(value := self._random.gauss(0, spread)) > SWAY_LIMIT:
            pass
        return value

    def _stance(self, *, speaking: bool) -> _Stance:
        random, calm = self._random, 0.6 if speaking else 1.0
        yaw, pitch, roll = (self._angle(calm * math.radians(spread)) for spread in (0.6, 0.35, 0.45))
        pose = (yaw, pitch, roll, 0.25 * yaw + random.gauss(0, 0.0015 * calm), random.gauss(0, 0.001 * calm))
        smile = random.uniform(0.07, 0.12) if speaking else random.uniform(0.16, 0.25)
        return _Stance(pose, random.uniform(0.0, 0.06), smile, random.uniform(-0.02, 0.02))

    def step(self, speaking: bool) -> _Stance:
        if self._rest > 0:
            self._rest -= 1
            return self._now
        if self._beat >= self._length:
            self._from, self._to = self._now, self._stance(speaking=speaking)
            self._beat = 0
            self._length = max(2, round(self._random.uniform(1.1, 2.4) * self._fps))
        self._beat += 1
        x = self._beat / self._length
        # Minimum jerk (Flash and Hogan 1985): how unhurried limbs and heads move.
        self._now = self._from.towards(self._to, x**3 * (10 - 15 * x + 6 * x * x))
        if self._beat >= self._length:
            self._rest = round(self._random.uniform(1.0, 4.0) * self._fps)
        return self._now


class _Chest:
    """Breath, 0 (out) to 1 (in): in faster than out, a short rest after, no two alike."""

    def __init__(self, random: Random, fps: int) -> None:
        self._random, self._fps = random, fps
        self._beat = 0
        self._length = self._period()
        self._depth = 0.85

    def _period(self) -> int:
        return round(self._random.uniform(3.4, 4.9) * self._fps)

    def step(self) -> float:
        x = self._beat / self._length
        self._beat += 1
        if self._beat >= self._length:
            self._beat = 0
            self._length = self._period()
            self._depth = self._random.uniform(0.7, 1.0)
        if x < 0.38:
            return self._depth * math.sin(math.pi / 2 * x / 0.38) ** 2
        if x < 0.86:
            return self._depth * math.cos(math.pi / 2 * (x - 0.38) / 0.48) ** 2
        return 0.0


class Life:
    """The living face under whatever is said; call `frame` exactly once for every beat, in stream order."""

    def __init__(self, seed: int, fps: int) -> None:
        random = Random(seed)
        self._lids = _Lids(random, fps)
        self._eyes = _Eyes(random, fps)
        self._posture = _Posture(random, fps)
        self._chest = _Chest(random, fps)
        self._spoke = False

    def frame(self, speaking: bool) -> Blendshapes:
        """Give the next beat's face, to be added to the driver's; `speaking` calms the head and keeps the eyes here."""
        if self._spoke and not speaking:
            self._lids.hurry(0.6)
        self._spoke = speaking
        right, up = self._eyes.step(speaking)
        if self._eyes.jumped:
            self._lids.hurry(0.5)
        stance = self._posture.step(speaking)
        weights = np.zeros(len(ARKIT), np.float32)
        lid = max(self._lids.step(), min(0.3, _LID_FOLLOWS_DOWN * max(0.0, -up)))
        weights[_BLINK[0]] = weights[_BLINK[1]] = lid
        weights[_WIDE[0]] = weights[_WIDE[1]] = min(0.2, _LID_FOLLOWS_UP * max(0.0, up - 0.01))
        weights[_INNER_UP] = stance.brows
        weights[_OUTER_UP[0]] = weights[_OUTER_UP[1]] = 0.6 * stance.brows
        weights[_CHEEKS[0]] = weights[_CHEEKS[1]] = 0.5 * stance.smile
        weights[_SMILE[0]], weights[_SMILE[1]] = stance.smile + stance.uneven, stance.smile - stance.uneven
        return Blendshapes(weights, HeadPose(*stance.pose), (right, up), self._chest.step())
