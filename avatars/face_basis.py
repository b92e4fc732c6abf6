"""How the ARKit expressions move the landmarks of a face: measured once, fitted to any portrait.

The numbers are this project's measurement (tools/measure_face_basis.py) of the expressions of ICT-FaceKit (MIT).
Landmarks are numbered as in MediaPipe's face mesh; left is the person's own, at positive x.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from anchor.media import ARKIT, Floats

FILE = Path(__file__).with_name("face_basis.npz")

# From the corner at the viewer's left to the corner at the viewer's right.
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_BETWEEN_UPPER = (183, 42, 41, 38, 12, 268, 271, 272, 407, 184, 74, 73, 72, 11, 302, 303, 304, 408)
_BETWEEN_LOWER = (96, 89, 179, 86, 15, 316, 403, 319, 325, 77, 90, 180, 85, 16, 315, 404, 320, 307)
UPPER_LIP = frozenset(INNER_UPPER[1:-1] + OUTER_UPPER[1:-1] + _BETWEEN_UPPER)
LOWER_LIP = frozenset(INNER_LOWER[1:-1] + OUTER_LOWER[1:-1] + _BETWEEN_LOWER)

STEADY = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 10, 151, 9, 8, 50, 280, 101, 330, 116, 345,
    67, 297, 103, 332, 54, 284,
)  # fmt: skip
"""Landmarks that no speech moves."""
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The outline of the face, clockwise from the middle of the forehead."""


@cache
def _arrays() -> dict[str, Floats]:
    with np.load(FILE, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def neutral() -> Floats:
    """The landmarks of the head that was measured: float32, (478, 3), x right, y down, z towards the viewer.

    In distances between the irises, from the point between them.
    """
    return _arrays()["neutral"]


def displacements() -> dict[str, Floats]:
    """How far each ARKit coefficient at full weight moves the landmarks: float32, (478, 3), as in `neutral`."""
    return {name: _arrays()[name] for name in ARKIT if name in _arrays()}


def fit(points: Floats) -> tuple[Floats, float]:
    """The rotation and scale, (3, 3), that turn the measured head to landmarks as MediaPipe gives them (Umeyama 1991).

    With it, how far the landmarks that no speech moves then still lie off in the picture: the root of the mean square,
    in distances between the irises. Well-found faces have 0.03 to 0.07.
    """
    steady = list(STEADY)
    a = neutral()[steady].astype(np.float64)
    b = points[steady].astype(np.float64) * (1, 1, -1)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    d = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = float((s * d).sum() / (a**2).sum())
    turn = scale * (u * d) @ vt
    off = (b - a @ turn.T)[:, :2] / scale
    return turn.astype(np.float32), float(np.sqrt((off**2).sum(axis=1).mean()))
