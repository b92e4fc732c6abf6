"""Where the lips of a portrait meet or part: by the landmarks and, for a shut mouth, the dark line in the picture."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from avatars.face_basis import INNER_LOWER, INNER_UPPER, OUTER_UPPER
from avatars.landmarks import Face

_CLOSED = 0.03
"""Gap between the lips, in eye distances, that still counts as shut."""
_POINTS = 41
_CREASE = 0.5
"""Where a mouth ends, between the inner (0) and the outer points (1) of its corners."""


def lip_lines(bgr: Bytes, face: Face, middle: Floats) -> tuple[Floats, Floats]:
    """Inner edges of the upper and the lower lip, (n, 2) in art pixels, from corner to corner; one line where shut."""
    upper, lower = face.points[list(INNER_UPPER), :2], face.points[list(INNER_LOWER), :2]
    # The crease goes on beyond the innermost points of the corners.
    for line in (upper, lower):
        line[[0, -1]] += np.float32(_CREASE) * (face.points[[OUTER_UPPER[0], OUTER_UPPER[-1]], :2] - line[[0, -1]])
    t = np.linspace(0, 1, _POINTS)

    def spaced(points: Floats) -> Floats:
        # Landmarks stand closer together towards the corners.
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        at = t * along[-1]
        line = np.stack([np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1])], axis=1)
        return line.astype(np.float32)

    above, below = spaced(upper), spaced(lower)
    if face.lip_gap < _CLOSED:
        above = below = _darkest(bgr, cast(Floats, (above + below) / 2), face.inter_ocular)
    return above - middle, below - middle


def _darkest(bgr: Bytes, line: Floats, unit: float) -> Floats:
    """Where shut lips meet is the darkest path along the mouth, near the landmarks' line: found by least cost."""
    reach = max(2, round(0.07 * unit))
    grey = cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (0, 0), max(0.6, 0.012 * unit)).astype(np.float32)
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    at = np.stack(np.broadcast_arrays(line[:, None, 0], line[:, None, 1] + offsets[None]), axis=-1) - np.float32(0.5)
    values = cv2.remap(grey, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    # Landmarks are trusted at the corners, the picture in the middle.
    trust = np.interp(np.linspace(-1, 1, len(line)), [-1, -0.7, 0.7, 1], [3.0, 1.0, 1.0, 3.0])[:, None]
    cost = values + trust * 25 * (offsets[None] / reach) ** 2
    jump = 18 * ((offsets[:, None] - offsets[None]) / max(1.0, 0.02 * unit)) ** 2
    total, back = cost[0], []
    for row in cost[1:]:
        steps = total[:, None] + jump
        back.append(steps.argmin(axis=0))
        total = steps.min(axis=0) + row
    best = [int(total.argmin())]
    for choice in reversed(back):
        best.append(int(choice[best[-1]]))
    path = offsets[np.array(best[::-1])]
    kernel = np.array([1, 2, 3, 2, 1], np.float32) / 9
    smooth = np.convolve(np.pad(path, 2, mode="edge"), kernel, mode="valid")
    return cast(Floats, (line + np.stack([np.zeros_like(smooth), smooth], axis=1)).astype(np.float32))
