"""Eyes: how their lids are posed to be drawn, and the balls, irises and sheets of lids made of that."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from avatars.puppet_parts import Layer
from tools.people.head import Head
from tools.people.job import DOTS
from tools.people.view import Drawn, View, ramp

CLOSURES = (-0.35, -0.17, 0.0, 0.08, 0.16, 0.25, 0.34, 0.44, 0.54, 0.64, 0.74, 0.86, 1.0)
RISES = (0.0, 1.0)
BOX = (-80, -58, 80, 50)
"""Around the middle of an eye, in pixels."""
_IRIS = 0.60
"""Radius of an iris, in centimetres."""
_DIM = np.array([0.80, 0.84, 0.86, 1.0], np.float32)
"""Brightness of eyes in their sockets, where skin around them reflects; blue, green, red and alpha."""
_LASHES = (30.0, 36.0, 52.0)
"""BGR of what is seen between lashes of shut lids."""


def lid_pose(closure: float, rise: float) -> dict[str, float]:
    lids = {"eyeWide": closure / CLOSURES[0] * 0.8} if closure < 0 else {"eyeBlink": closure}
    return {**lids, "eyeSquint": 0.55 * rise, "cheekSquint": 0.35 * rise}


def eye_middles(rest: Head, view: View) -> dict[str, Any]:
    """Whole pixels of the picture."""
    out = {}
    for side in ("left", "right"):
        middle, radius = rest.eye(side)
        out[side] = np.rint(view.pixels(middle + np.array([0, 0, radius]))).astype(int)
    return out


def eyes_crop(rest: Head, view: View) -> list[int]:
    middles = eye_middles(rest, view)
    (x0, y0), (x1, y1) = middles["right"], middles["left"]
    return [
        int(x0 + BOX[0] - 2),
        int(min(y0, y1) + BOX[1] - 2),
        int(x1 + BOX[2] + 2),
        int(max(y0, y1) + BOX[3] + 2),
    ]


def eye_layers(drawn: Drawn, rest: Head, view: View) -> dict[str, Layer]:
    """Balls, irises and sheets of lids."""
    layers = {}
    whites, irises = drawn["whites"] * _DIM, drawn["irises"] * _DIM
    opened = np.max([1 - drawn[f"lids_{row}_0"][..., 3] / 255 for row in (0, 2)], axis=0)
    x0, y0, x1, y1 = eyes_crop(rest, view)
    inside = np.zeros_like(opened)
    inside[y0 + 8 : y1 - 8, x0 + 8 : x1 - 8] = 1
    opened *= inside
    whites *= np.clip(cv2.GaussianBlur(cv2.dilate(opened, np.ones((9, 9), np.uint8)), (0, 0), 1.5), 0, 1)[..., None]
    middles = eye_middles(rest, view)
    left, top, right, bottom = BOX
    rows, columns = bottom - top, right - left
    x, y = np.meshgrid(np.arange(columns) + 0.5 + left, np.arange(rows) + 0.5 + top)
    border = np.minimum.reduce([x - left, right - x, y - top, bottom - y])
    cover = ramp(border, 1.0, 13.0)[..., None]
    for side, (cx, cy) in middles.items():

        def cut(image: Any, cx: int = cx, cy: int = cy) -> Any:
            return image[cy + top : cy + bottom, cx + left : cx + right]

        layers[f"eyeball_{side}"] = Layer(np.clip(cut(whites) + 0.5, 0, 255).astype(np.uint8), left, top)
        out = view.pixels(rest.pupil(side) + np.array([0.09 if side == "left" else -0.09, 0, 0])) - np.array([cx, cy])
        far = np.hypot(x - out[0], y - out[1]) / DOTS
        disc = np.clip((_IRIS + 0.02 - far) / 0.05, 0, 1)[..., None] * cut(irises)
        reach = int((_IRIS + 0.12) * DOTS)
        px, py = round(out[0]) - left, round(out[1]) - top
        y0, x0 = py - reach, px - reach
        iris = disc[y0 : py + reach + 1, x0 : px + reach + 1]
        layers[f"iris_{side}"] = Layer(np.clip(iris + 0.5, 0, 255).astype(np.uint8), x0 + left, y0 + top)
    sheets: dict[str, list[Any]] = {"left": [], "right": []}
    for row in range(len(CLOSURES)):
        if CLOSURES[row] < 1:
            cells = [_shaded(drawn[f"lids_{row}_{column}"]) for column in range(len(RISES))]
        else:
            near = cv2.dilate(opened, np.ones((15, 15), np.uint8))
            before = drawn[f"lids_{row - 1}_0"]
            cells = [_shut(drawn[f"lids_{row}_{column}"], before, near) for column in range(len(RISES))]
        for side, (cx, cy) in middles.items():
            parts = [cell[cy + top : cy + bottom, cx + left : cx + right] * cover for cell in cells]
            sheets[side].append(np.hstack(parts))
    for side, rows_of in sheets.items():
        layers[f"lids_{side}"] = Layer(np.clip(np.vstack(rows_of) + 0.5, 0, 255).astype(np.uint8), 0, 0)
    return layers


def _shut(lids: Any, before: Any, near: Any) -> Any:
    """Lids that meet in a line of lashes, where a dark gap was `before` they met, `near` the open eye."""
    gap = np.clip((70 - before[..., :3].mean(axis=2)) / 40, 0, 1) * near
    gap = np.maximum(np.roll(gap, 2, axis=0) * 0.9, 1 - lids[..., 3] / 255)
    line = cv2.GaussianBlur(gap, (0, 0), 0.7)[..., None]
    out = lids.copy()
    out[..., :3] = lids[..., :3] * (1 - line) + np.array(_LASHES, np.float32) * line
    out[..., 3] = 255
    return out


def _shaded(lids: Any) -> Any:
    """Lids with the shadow that the upper one throws on the ball."""
    alpha = lids[..., 3] / 255
    fall = np.roll(cv2.GaussianBlur(alpha, (0, 0), 3.0), 4, axis=0)
    around = cv2.GaussianBlur(alpha, (0, 0), 5.0)
    shadow = np.clip(0.62 * fall + 0.30 * around, 0, 0.85) * (1 - alpha)
    out = lids.copy()
    out[..., 3] += 255 * shadow
    return out
