"""A take: a performer's face as it was recorded, at any frame rate, read at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anchor.media import Blendshapes
from drivers.mocap.pose import head_pose

Array = NDArray[np.float64]

HOLD_SECONDS, EASE_SECONDS = 0.2, 0.4
"""A face that is lost stays as it was for so long, and is at rest so long after."""


@dataclass(frozen=True, slots=True)
class Take:
    """`times`: seconds that grow, from 0. `values`: (frames, 59): ARKit's 52 weights, then yaw, pitch, roll (radians),
    x, y (head heights) and gaze (radians right, up), as `Blendshapes` has them.

    `clipped` counts the values that were out of range when the take was read; `notes` say what else was found odd.
    """

    times: Array
    values: Array
    clipped: int = 0
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last, which is shown as long as frames are on the average."""
        count = len(self.times)
        return float(self.times[-1]) * count / (count - 1) if count > 1 else 0.0

    def at(self, seconds: float) -> Blendshapes | None:
        """The face then, between the frames around it."""
        if not 0 <= seconds <= self.seconds:
            return None
        after = int(np.searchsorted(self.times, seconds, side="right"))
        before = max(0, after - 1)
        after = min(after, len(self.times) - 1)
        span = self.times[after] - self.times[before]
        share = (seconds - self.times[before]) / span if span > 0 else 0.0
        return face_of(self.values[before] + share * (self.values[after] - self.values[before]))

    def faces(self) -> list[Blendshapes]:
        return [face_of(row) for row in self.values]

    @classmethod
    def of(cls, times: Sequence[float], faces: Sequence[Blendshapes | None], notes: tuple[str, ...] = ()) -> Self:
        """A take of faces, some of which may be missing: those before are held, then ease to rest."""
        return cls(np.asarray(times, np.float64), bridged(times, faces), notes=notes)


def row_of(face: Blendshapes) -> Array:
    head = face.head
    return np.array([*face.weights, head.yaw, head.pitch, head.roll, head.x, head.y, *face.gaze], np.float64)


def face_of(row: Array) -> Blendshapes:
    return Blendshapes(row[:52].astype(np.float32), head_pose(row[52:57]), (float(row[57]), float(row[58])))


def bridged(times: Sequence[float], faces: Sequence[Blendshapes | None]) -> Array:
    """Rows of faces, with what to show where there is none; a face that is found again comes in as it went."""
    rows = np.zeros((len(faces), 59))
    last, lost, share = np.zeros(59), 0.0, 0.0
    before = times[0] if len(times) else 0.0
    for place, (at, face) in enumerate(zip(times, faces, strict=True)):
        step, before = (at - before) / EASE_SECONDS, at
        if face is not None:
            last, lost = row_of(face), at
            # One that was there from the beginning need not come in.
            share = 1.0 if place == 0 else min(1.0, share + step)
        elif at - lost > HOLD_SECONDS:
            share = max(0.0, share - step)
        rows[place] = last * share * share * (3 - 2 * share)
    return rows
