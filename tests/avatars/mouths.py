"""Measure a mouth on drawn pixels, by colour alone: for every test that must see lips open and close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT_INDEX, Blendshapes, Bytes, Floats, HeadPose, Picture, VideoFormat
from anchor.ports import Placement

Mask = NDArray[np.bool_]


def face(
    head: HeadPose | None = None, gaze: tuple[float, float] = (0.0, 0.0), breath: float = 0.0, **weights: float
) -> Blendshapes:
    """A face by coefficient names; a name without its side stands for both."""
    return Blendshapes(weighted(weights), head or HeadPose(), gaze, breath)


def weighted(weights: Mapping[str, float]) -> Floats:
    """Weights by names, as `face` takes them."""
    values = np.zeros(len(ARKIT_INDEX), np.float32)
    for name, weight in weights.items():
        found = [full for full in (name, f"{name}Left", f"{name}Right") if full in ARKIT_INDEX]
        assert found, name
        values[[ARKIT_INDEX[full] for full in found]] = weight
    return values


def bgr(picture: Picture) -> Bytes:
    return np.asarray(cv2.cvtColor(picture.data, cv2.COLOR_YUV2BGR_I420), np.uint8)


@dataclass(frozen=True, slots=True)
class Mouth:
    """The part of a picture around the bundled anchor's mouth at rest, and what its colours are.

    `dark` is the cavity, `white` teeth, `red` lips and tongue, each a mask of the part's size.
    """

    dark: Mask
    white: Mask
    red: Mask
    unit: float
    """Pixels of the picture for one thousandth of a head."""

    @property
    def aperture(self) -> float:
        """Height of the opening between the lips in the middle of the mouth, in thousandths of a head.

        The mean over the middle eighth of the mouth of what is not lip between the outermost cavity or teeth pixels.
        """
        middle = self.dark.shape[1] // 2
        reach = max(1, round(12 * self.unit))
        inside = (self.dark | self.white)[:, middle - reach : middle + reach + 1]
        heights = [int(np.ptp(np.flatnonzero(column))) + 1 if column.any() else 0 for column in inside.T]
        return float(np.mean(heights)) / self.unit

    @property
    def open_pixels(self) -> int:
        """Pixels of cavity or teeth anywhere in the mouth."""
        return int((self.dark | self.white).sum())


def mouth_of(picture: Picture, video: VideoFormat, placement: Placement) -> Mouth:
    """Look at the mouth of an anchor with a still head, whose proportions are those of `avatars/library/lin`."""
    unit = placement.head * video.height / 1000
    x, y = placement.x * video.width, placement.eyes * video.height
    part = bgr(picture)[round(y + 225 * unit) : round(y + 445 * unit), round(x - 104 * unit) : round(x + 104 * unit)]
    hsv = cv2.cvtColor(part, cv2.COLOR_BGR2HSV).astype(np.int16)
    saturation, value = hsv[..., 1], hsv[..., 2]
    green, red = part[..., 1].astype(np.int16), part[..., 2].astype(np.int16)
    lips = (red - green > 55) & (green < 165) & (value >= 96)
    # Skin in full light is as pale as teeth: only what lies between lips can be the inside of the mouth.
    below, above = np.maximum.accumulate(lips, axis=0), np.maximum.accumulate(lips[::-1], axis=0)[::-1]
    between = below & above
    return Mouth(between & (value < 96), between & (saturation < 62) & (value > 140), lips, unit)
