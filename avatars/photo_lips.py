"""Where the lips of a portrait meet or part, seen in its pixels: landmarks alone are off by more than a lip's rim."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from avatars.face_basis import INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER
from avatars.landmarks import Face

_CLOSED = 0.03
"""Gap between the lips, in eye distances, that still counts as shut."""
_POINTS = 41
_CREASE = 0.5
"""Where a mouth ends, between the inner (0) and the outer points (1) of its corners."""
_WITHIN = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Where, between open lips, what lies behind them is looked at."""


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
    else:
        above, below = _edges(bgr, face, above, below)
    return above - middle, below - middle


def _darkest(bgr: Bytes, line: Floats, unit: float) -> Floats:
    """Where shut lips meet is the darkest path along the mouth, near the landmarks' line."""
    grey = cast(Bytes, cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (0, 0), max(0.6, 0.012 * unit)))
    offsets = _offsets(unit)
    return _moved(line, _cheapest(_beside(grey, line, offsets), offsets, unit))


def _edges(bgr: Bytes, face: Face, above: Floats, below: Floats) -> tuple[Floats, Floats]:
    """Inner edges of open lips: where the colour of the lip gives way to that of teeth or of the dark between them."""
    unit, offsets = face.inter_ocular, _offsets(face.inter_ocular)
    lab = cast(Bytes, cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB))
    inside = np.concatenate([_beside(lab, above + t * (below - above), offsets[:1] * 0)[5:-5, 0] for t in _WITHIN])
    light = inside[:, 0] > np.median(inside[:, 0])
    found = []
    for line, inner, outer, way in ((above, INNER_UPPER, OUTER_UPPER, -1), (below, INNER_LOWER, OUTER_LOWER, 1)):
        # The lip's own colour, along it: halfway between its edges.
        half = (face.points[list(inner), :2] + face.points[list(outer), :2]) / 2
        x = np.interp(line[:, 0], half[:, 0], half[:, 0])
        along = np.stack([x, np.interp(x, half[:, 0], half[:, 1])], axis=1).astype(np.float32)
        lip = cv2.GaussianBlur(_beside(lab, along, offsets[:1] * 0)[:, 0], (1, 9), 0)[:, None]
        near = _beside(lab, line, offsets * np.float32(way))
        away = [np.linalg.norm(near - np.median(inside[part], axis=0), axis=2) for part in (light, ~light)]
        mouth, own = np.minimum(*away), np.linalg.norm(near - lip, axis=2)
        likeness = mouth / (mouth + own + 1e-3)
        # Cutting at an offset leaves what lies before it to the mouth and what lies after it to the lip.
        before = np.cumsum(likeness, axis=1) - likeness
        after = (1 - likeness)[:, ::-1].cumsum(axis=1)[:, ::-1]
        path = _cheapest(cast(Floats, 400 / len(offsets) * (before + after)), offsets, unit)
        # What of the teeth is mixed into the edge's own pixels goes with them.
        rim = np.interp(np.arange(len(path)), [0, 4, len(path) - 5, len(path) - 1], [0, 0.6, 0.6, 0]).astype(np.float32)
        found.append(_moved(line, np.float32(way) * (path + rim)))
    top, bottom = found
    bottom[:, 1] = np.maximum(bottom[:, 1], np.interp(bottom[:, 0], top[:, 0], top[:, 1]))
    return top, bottom


def _offsets(unit: float) -> Floats:
    """Rows across a line in which its true place is looked for."""
    reach = max(2, round(0.07 * unit))
    return np.arange(-reach, reach + 1, dtype=np.float32)


def _beside(image: Bytes, line: Floats, offsets: Floats) -> Floats:
    """Float samples of a picture at rows beside a line: shape (points, offsets, ...)."""
    at = np.stack(np.broadcast_arrays(line[:, None, 0], line[:, None, 1] + offsets[None]), axis=-1) - np.float32(0.5)
    found = cv2.remap(image.astype(np.float32), at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(Floats, found)


def _moved(line: Floats, rows: Floats) -> Floats:
    return cast(Floats, (line + np.stack([np.zeros_like(rows), rows], axis=1)).astype(np.float32))


def _cheapest(cost: Floats, offsets: Floats, unit: float) -> Floats:
    """The smooth path of least cost, (points, offsets), as offsets from the landmarks' line."""
    # Landmarks are trusted at the corners, the picture in the middle.
    trust = np.interp(np.linspace(-1, 1, len(cost)), [-1, -0.7, 0.7, 1], [3.0, 1.0, 1.0, 3.0])[:, None]
    cost = cast(Floats, cost + trust * 25 * (offsets[None] / offsets[-1]) ** 2)
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
    return cast(Floats, np.convolve(np.pad(path, 2, mode="edge"), kernel, mode="valid").astype(np.float32))
