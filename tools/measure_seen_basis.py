"""Measure how a landmark model sees the ARKit expressions: what the motion capture takes apart faces with.

Landmark models soften what they see: a pucker or a frown shows in their points as a part of what the lips did. Bundled
people are drawn with each expression by itself, landmarks are found in the pictures, heads are brought to rest, and the
movement at full weight is written down. ``python tools/measure_seen_basis.py`` writes drivers/mocap/seen_basis.npz.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anchor.media import ARKIT, ARKIT_INDEX, Blendshapes, Picture, VideoFormat
from anchor.ports import Placement
from avatars import face_basis
from avatars.landmarks import Tracker
from avatars.package import load_avatar
from drivers.mocap.model import FILE
from drivers.mocap.pose import fit

WHO = ("yue", "leo")
_VIDEO = VideoFormat(640, 640, 25)
_PLACES = (Placement(0.5, 0.42, 0.5), Placement(0.5, 0.42, 0.7))
_SETTLE = 8
"""Pictures of one face before its landmarks count: the model follows with some delay."""
_WEIGHTS = (0.35, 0.7)
# Lips must part for what moves one of them to be seen.
_WITH = {"mouthClose": {"jawOpen": 1.0}}


def _face(weights: dict[str, float]) -> Blendshapes:
    values = np.zeros(len(ARKIT), np.float32)
    for name, weight in weights.items():
        values[ARKIT_INDEX[name]] = weight
    return Blendshapes(values)


class _Eye:
    """A person and what looks at them."""

    def __init__(self, who: str, place: Placement) -> None:
        avatar = load_avatar(who)
        setting = avatar.setting(_VIDEO, place, own_background=True)
        backdrop = setting.background
        if backdrop is None:
            backdrop = np.full((_VIDEO.height, _VIDEO.width, 3), 120, np.uint8)
        self._view, self._canvas = avatar.open(_VIDEO, backdrop, setting.placement), Picture.black(_VIDEO)
        self._tracker = Tracker()

    def sees(self, face: Blendshapes) -> Any:
        """Landmarks with the head at rest, in distances between the irises."""
        self._view.draw(face, self._canvas)
        bgr = np.asarray(cv2.cvtColor(self._canvas.data, cv2.COLOR_YUV2BGR_I420), np.uint8)
        for _ in range(_SETTLE):
            found = self._tracker.find(bgr)
        points = found[0].points.astype(np.float64) * (1, 1, -1)
        return fit(face_basis.neutral().astype(np.float64), points, np.array(face_basis.STEADY)).undone(points)


def measure(who: Iterable[str]) -> dict[str, Any]:
    """The neutral face and, for each ARKit name that is seen, the movement of the landmarks at full weight."""
    moves: dict[str, list[Any]] = {name: [] for name in ARKIT}
    for person in who:
        for place in _PLACES:
            eye = _Eye(person, place)
            for name in ARKIT:
                for weight in _WEIGHTS:
                    others = {key: share * weight for key, share in _WITH.get(name, {}).items()}
                    rest = eye.sees(_face(others))
                    moves[name].append((eye.sees(_face({**others, name: weight})) - rest) / weight)
    return {"neutral": face_basis.neutral(), **{name: np.mean(found, axis=0) for name, found in moves.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how landmarks show the ARKit expressions.")
    parser.add_argument("--who", nargs="+", default=WHO, help="bundled people to look at")
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    basis = measure(given.who)
    np.savez_compressed(given.out, **{name: value.astype(np.float16) for name, value in basis.items()})
    for name in ARKIT:
        print(f"{name:20} moves its farthest landmark by {np.linalg.norm(basis[name], axis=1).max():.3f}")


if __name__ == "__main__":
    main()
