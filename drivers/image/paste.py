"""How a painted face goes back over the one it was painted on: a soft mask of the lower face, one light for both."""

from __future__ import annotations

import math
from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from anchor.ports import FaceShape

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in art coordinates."""

SMOOTH_SECONDS = 0.5
"""Over how long the light of patches is matched: faster, and it would breathe with the mouth."""
_REACH = (0.54, 0.34, 0.40)
"""How far from the mouth's middle the mask reaches aside, up and down, in heights from eyes to chin."""
_SOFT = 0.34
"""The part of that reach over which the mask fades."""
_EDGE = 0.05
"""Part of the crop's sides at which the mask has ended, whatever the face."""
_LOOKED_AT = 1500
"""Pixels of the rim that are looked at: the mean of more is the same."""
_MOST_GAIN, _MOST_SHIFT = 1.3, 0.06
"""Limits of the match, in linear light: what is farther off is no matter of light."""


def _ramp(values: Any) -> Any:
    t = np.clip(values, 0, 1)
    return t * t * (3 - 2 * t)


def lower_face(shape: FaceShape, box: Box, size: tuple[int, int], painted: Box = (0, 0, 1, 1)) -> Bytes:
    """The mask of a crop of `size` (width, height) over `box`: uint8, whole around the mouth, 0 from its reach on.

    `painted`: what of the crop the network paints anew, in parts of its sides.
    """
    left, top, right, bottom = box
    width, height = size
    x = left + (np.arange(width) + 0.5) * (right - left) / width
    y = top + (np.arange(height) + 0.5)[:, None] * (bottom - top) / height
    aside, up, down = (reach * shape.chin for reach in _REACH)
    dx = np.abs(x - shape.mouth[0])[None] / aside
    dy = (y - shape.mouth[1]) / np.where(y < shape.mouth[1], up, down)
    # An ellipse of the fourth degree: as broad as a jaw, without its corners.
    away = (dx**3 + np.abs(dy) ** 3) ** (1 / 3)
    mask = _ramp((1 - away) / _SOFT)
    u, v = (np.arange(width) + 0.5)[None] / width, (np.arange(height) + 0.5)[:, None] / height
    sides = (u - painted[0], painted[2] - u, v - painted[1], painted[3] - v)
    edge = np.minimum(np.minimum(*np.broadcast_arrays(sides[0], sides[1])), np.minimum(sides[2], sides[3]))
    mask = mask * _ramp((edge - 0.2 * _EDGE) / (2 * _EDGE))
    return cast(Bytes, np.rint(255 * mask).astype(np.uint8))


_LINEAR: Floats = np.where(
    np.arange(256) <= 0.04045 * 255, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
"""Linear light of sRGB bytes (IEC 61966-2-1)."""
_BYTES: Bytes = np.rint(
    255 * np.where(
        np.linspace(0, 1, 4096) <= 0.0031308, 12.92 * np.linspace(0, 1, 4096),
        1.055 * np.linspace(0, 1, 4096) ** (1 / 2.4) - 0.055,
    )
).astype(np.uint8)  # fmt: skip


class LightMatch:
    """Brings painted pixels to the light of those around them: mean and spread of each colour on the mask's rim.

    One for each stream, as it remembers; moments come in order, some may be missing.
    """

    def __init__(self, mask: Bytes, fps: float) -> None:
        rim = np.flatnonzero((mask > 20) & (mask < 215))
        self._rim = rim[:: max(1, rim.size // _LOOKED_AT)]
        self._keep = math.exp(-1 / max(1.0, SMOOTH_SECONDS * fps))
        self._gain: Floats | None = None
        self._shift: Floats = np.zeros(3, np.float32)

    def match(self, painted: Bytes, base: Bytes) -> Bytes:
        """`painted` in the light of `base`; both BGR, uint8, of the mask's size."""
        if not self._rim.size:
            return painted
        here, there = (_LINEAR[pixels.reshape(-1, 3)[self._rim]] for pixels in (painted, base))
        gain = np.clip(there.std(axis=0) / np.maximum(here.std(axis=0), 1e-4), 1 / _MOST_GAIN, _MOST_GAIN)
        shift = np.clip(there.mean(axis=0) - gain * here.mean(axis=0), -_MOST_SHIFT, _MOST_SHIFT)
        if self._gain is None:
            self._gain, self._shift = gain, shift
        else:
            self._gain = cast(Floats, self._keep * self._gain + (1 - self._keep) * gain)
            self._shift = cast(Floats, self._keep * self._shift + (1 - self._keep) * shift)
        # The same for every byte of a colour: three tables instead of every pixel's powers.
        tables = _BYTES[np.rint(4095 * np.clip(_LINEAR[:, None] * self._gain + self._shift, 0, 1)).astype(np.intp)]
        return cast(Bytes, cv2.LUT(painted, tables[None]))
