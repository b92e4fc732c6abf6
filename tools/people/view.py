"""What the camera sees: places of the head in the picture, and the passes that were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.people.head import Head
from tools.people.job import AWAY, CAMERA, DEPTH, DOTS, HIGH, TOP, WIDE


@dataclass(frozen=True)
class View:
    """What the camera makes of places in the head's space: pixels of the whole picture, and of the art."""

    middle: Any
    """The picture's pixel at the art's origin."""

    def pixels(self, points: Any) -> Any:
        nearer = AWAY / (AWAY + DEPTH - points[..., 2])
        x = points[..., 0] * nearer
        y = CAMERA + (points[..., 1] - CAMERA) * nearer
        return np.stack([(x + WIDE / 2) * DOTS, (TOP - y) * DOTS], axis=-1)

    def crop(self, left: float, top: float, right: float, bottom: float) -> list[int]:
        """Pixels of the picture around bounds in centimetres at the depth of the eyes."""
        corners = self.pixels(np.array([[left, top, DEPTH], [right, bottom, DEPTH]]))
        (x0, y0), (x1, y1) = np.rint(corners).astype(int).tolist()
        return [max(0, x0), max(0, y0), min(round(WIDE * DOTS), x1), min(round(HIGH * DOTS), y1)]

    def art(self, points: Any) -> Any:
        return self.pixels(points) - self.middle


def of_eyes(rest: Head) -> View:
    """The view whose origin lies between the pupils."""
    pupils = [View(np.zeros(2)).pixels(rest.pupil(side)) for side in ("left", "right")]
    return View(np.rint(np.mean(pupils, axis=0)))


class Drawn:
    """Passes as they came: premultiplied BGRA, float32 0..255, on the whole picture."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self._folder, self._job = folder, job

    def __getitem__(self, name: str) -> Any:
        found: Any = cv2.imread(str(self._folder / "drawn" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        if found is None:
            raise OSError(f"{self._folder / name}.png: was not drawn")
        image = found.astype(np.float32) / (257 if found.dtype == np.uint16 else 1)
        image[..., :3] *= image[..., 3:] / 255
        width, height = self._job["camera"]["size"]
        whole = np.zeros((height, width, 4), np.float32)
        left, top, right, bottom = self._job["passes"][name]["crop"]
        if "scale" in self._job["passes"][name]:
            image = cv2.resize(image, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC).clip(0, 255)
        whole[top : top + image.shape[0], left : left + image.shape[1]] = image
        return whole


def ramp(values: Any, start: float, end: float) -> Any:
    t = np.clip((values - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)
