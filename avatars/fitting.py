"""Pictures of any shape made to fill a frame."""

from __future__ import annotations

import cv2
import numpy as np

from anchor.media import Bytes

_ALIKE = 0.7
"""Shapes this much alike are cropped to fill; less alike, much of the picture would be lost."""
_DIM = 0.45
_HEADS = 0.3
"""Of what is cut off above and below, how much is cut above: heads are in the upper half of pictures."""


def covers(width: float, height: float, to_width: float, to_height: float) -> bool:
    """Whether a picture is cropped to fill a frame, rather than shown whole."""
    ratio = (width / height) / (to_width / to_height)
    return min(ratio, 1 / ratio) >= _ALIKE


def fitted(bgr: Bytes, width: int, height: int, centre: tuple[float, float] = (0.5, 0.5)) -> Bytes:
    """The picture filling `width` by `height`: cropped, rather from below, or shown whole where that would lose much.

    Around it is then a dim, blurred enlargement of itself, and its middle comes as near as it can to `centre`, in
    shares of the frame. Sizes are even.
    """
    if covers(bgr.shape[1], bgr.shape[0], width, height):
        return _cover(bgr, width, height)
    small = _cover(bgr, max(8, width // 16), max(8, height // 16))
    soft = cv2.GaussianBlur(small, (0, 0), 2.0).astype(np.float32) * _DIM
    ground = cv2.resize(soft.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    scale = min(width / bgr.shape[1], height / bgr.shape[0])
    wide, high = min(width, round(bgr.shape[1] * scale)), min(height, round(bgr.shape[0] * scale))
    x, y = (
        min(max(0, round(at * side - length / 2)), side - length)
        for at, side, length in zip(centre, (width, height), (wide, high), strict=True)
    )
    ground[y : y + high, x : x + wide] = _resized(bgr, wide, high)
    return np.asarray(ground, np.uint8)


def _cover(bgr: Bytes, width: int, height: int) -> Bytes:
    scale = max(width / bgr.shape[1], height / bgr.shape[0])
    across, down = width / scale, height / scale
    x, y = (bgr.shape[1] - across) / 2, (bgr.shape[0] - down) * _HEADS
    part = bgr[round(y) : round(y + down), round(x) : round(x + across)]
    return _resized(part, width, height)


def _resized(bgr: Bytes, width: int, height: int) -> Bytes:
    if bgr.shape[:2] == (height, width):
        return bgr
    way = cv2.INTER_AREA if width < bgr.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(bgr, (width, height), interpolation=way), np.uint8)
