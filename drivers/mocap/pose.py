"""Where the head is: a rotation, a scale and a place that lay a face at rest over the landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.media import HeadPose

Array = NDArray[np.float64]

HEAD = 3.6
"""Crown to chin of a head, in distances between its irises (Farkas 1994: 228 to 63 mm)."""

_PIVOT = np.array([0.0, 1.2, 0.4])
"""What nods and turns leave in its place, in distances between the irises from between the eyes; z from the ears."""


@dataclass(frozen=True, slots=True)
class Fit:
    """`place` = `scale` * `turn` @ point + `at`, pixels; x right, y down, z to the viewer."""

    turn: Array
    scale: float
    at: Array

    def undone(self, points: Array) -> Array:
        """Landmarks as they would be with the head at rest, in distances between the irises."""
        return (points - self.at) @ self.turn / self.scale

    @property
    def pose(self) -> Array:
        """Yaw, pitch and roll in radians with the signs of `HeadPose`, and the place in head heights: x right, y up."""
        turn = self.turn
        yaw = math.asin(float(np.clip(turn[0, 2], -1, 1)))
        pitch = math.atan2(-float(turn[1, 2]), float(turn[2, 2]))
        roll = math.atan2(-float(turn[0, 1]), float(turn[0, 0]))
        place = (self.scale * turn @ _PIVOT + self.at) / (HEAD * self.scale)
        return np.array([yaw, pitch, roll, place[0], -place[1]])


def fit(rest: Array, points: Array, steady: NDArray[np.intp]) -> Fit:
    """The similarity from `rest` to `points` by the landmarks that nothing moves (Umeyama 1991)."""
    a, b = rest[steady], points[steady]
    middle_a, middle_b = a.mean(axis=0), b.mean(axis=0)
    a, b = a - middle_a, b - middle_b
    u, s, vt = np.linalg.svd(b.T @ a)
    d = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = (u * d) @ vt
    scale = float((s * d).sum() / (a**2).sum())
    return Fit(turn, scale, middle_b - scale * turn @ middle_a)


def head_pose(values: Array) -> HeadPose:
    return HeadPose(*(float(value) for value in values))
