"""Where faces are, point by point, and which pixels are a person: MediaPipe's models, which its wheel carries.

Landmarks are those of MediaPipe Face Mesh with irises: 478 points, the numbering of its canonical face model (Kartynnik
et al. 2019). Nothing is downloaded.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import cv2
import numpy as np

from anchor.errors import MissingError
from anchor.media import Bytes, Floats

INSTALL = "python -m pip install --no-deps mediapipe==0.10.14"
MOST_FACES = 5
_WORKING_SIDE = 1280
_SEGMENTED_SIDE = 512
_PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (93, 323), (132, 361), (172, 397), (50, 280))
"""Landmarks that mirror each other: the viewer's left, right."""
IRIS_RIGHT, IRIS_LEFT = 468, 473
"""Middles of the irises; "left" is the anchor's own."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face in a picture.

    `points`: float32, shape (478, 3), pixels; x to the right, y down, z away from the viewer, as MediaPipe gives them.
    Angles are degrees: positive yaw is turned to the viewer's right, positive pitch looks up, positive roll leans to
    the viewer's right.
    """

    points: Floats
    yaw: float
    pitch: float
    roll: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the landmarks, pixels."""
        (left, top), (right, bottom) = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def inter_ocular(self) -> float:
        """Distance between the middles of the irises, pixels."""
        return float(np.linalg.norm(self.points[IRIS_LEFT, :2] - self.points[IRIS_RIGHT, :2]))

    @property
    def lip_gap(self) -> float:
        """Distance between the inner edges of the lips in their middle, in parts of `inter_ocular`."""
        pairs = ((13, 14), (82, 87), (312, 317))
        gaps = [np.linalg.norm(self.points[a, :2] - self.points[b, :2]) for a, b in pairs]
        return float(np.mean(gaps)) / self.inter_ocular

    @property
    def eye_gaps(self) -> tuple[float, float]:
        """Openings of the left and the right eye, in parts of their widths."""
        gaps = []
        for upper, lower, inner, outer in ((386, 374, 362, 263), (159, 145, 133, 33)):
            height = np.linalg.norm(self.points[upper, :2] - self.points[lower, :2])
            gaps.append(float(height / np.linalg.norm(self.points[inner, :2] - self.points[outer, :2])))
        return gaps[0], gaps[1]

    @classmethod
    def of(cls, points: Floats) -> Self:
        return cls(points, *_angles(points))


def _angles(points: Floats) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, from pairs that mirror each other and the line from forehead to chin."""
    left, right = points[[a for a, _ in _PAIRS]], points[[b for _, b in _PAIRS]]
    across = (right - left).mean(axis=0)
    across /= np.linalg.norm(across)
    down = points[152] - points[10]
    down = down - across * float(down @ across)
    down /= np.linalg.norm(down)
    yaw = math.degrees(math.asin(float(np.clip(across[2], -1, 1))))
    roll = math.degrees(math.atan2(float(across[1]), float(across[0])))
    pitch = -math.degrees(math.asin(float(np.clip(down[2], -1, 1))))
    return yaw, pitch, roll


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow Lite's chatter off the standard error, and protobuf's warnings off ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.stderr.flush()
        keep, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(sink, 2)
            yield
        finally:
            os.dup2(keep, 2)
            os.close(keep)
            os.close(sink)


def _solutions() -> Any:
    try:
        with _quiet():
            from mediapipe.python import solutions
    except ImportError as error:
        raise MissingError(f"finding faces needs MediaPipe ({error}): {INSTALL}") from error
    return solutions


class Tracker:
    """Landmarks of one picture after another: `moving` follows one face through a film, otherwise each stands alone."""

    def __init__(self, *, moving: bool = True, faces: int = 1) -> None:
        with _quiet():
            self._mesh = _solutions().face_mesh.FaceMesh(
                static_image_mode=not moving, max_num_faces=faces, refine_landmarks=True,
                min_detection_confidence=0.5, min_tracking_confidence=0.5,
            )  # fmt: skip
            # Its threads write to the standard error until a first picture is through.
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, bgr: Bytes) -> list[Face]:
        """Faces in a picture: BGR, uint8, shape (height, width, 3)."""
        with _quiet():
            found = self._mesh.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)).multi_face_landmarks or ()
        size = np.array([bgr.shape[1], bgr.shape[0], bgr.shape[1]], np.float32)
        return [Face.of(np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * size) for face in found]

    def close(self) -> None:
        with _quiet():
            self._mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _boxes(bgr: Bytes) -> list[tuple[float, float, float, float]]:
    """Rough boxes of faces, near and far: left, top, right, bottom in pixels."""
    height, width = bgr.shape[:2]
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    boxes: list[tuple[float, float, float, float]] = []
    for model in (0, 1):
        with _quiet(), _solutions().face_detection.FaceDetection(0.5, model) as detector:
            for one in detector.process(rgb).detections or ():
                box = one.location_data.relative_bounding_box
                left, top = box.xmin * width, box.ymin * height
                boxes.append((left, top, left + box.width * width, top + box.height * height))
    return boxes


def find_faces(bgr: Bytes) -> list[Face]:
    """All faces of a picture (BGR, uint8), the largest first; at most `MOST_FACES`.

    Raises `MissingError` where MediaPipe is not installed.
    """
    shrink = min(1.0, _WORKING_SIDE / max(bgr.shape[:2]))
    small = (
        bgr if shrink == 1 else cast(Bytes, cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
    )
    faces: list[Face] = []
    with Tracker(moving=False, faces=MOST_FACES) as tracker:
        for face in tracker.find(small):
            _add(faces, face)
        # A face that is small in the picture is found in a part of it.
        for left, top, right, bottom in _boxes(small):
            x, y, reach = (left + right) / 2, (top + bottom) / 2, 1.1 * max(right - left, bottom - top)
            x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
            part = np.ascontiguousarray(small[y0 : int(y + reach), x0 : int(x + reach)])
            if min(part.shape[:2]) < 16:
                continue
            for face in tracker.find(part):
                _add(faces, Face.of(face.points + np.array([x0, y0, 0], np.float32)))
    whole = [Face.of(face.points / np.float32(shrink)) for face in faces]
    return sorted(whole, key=lambda face: -face.inter_ocular)[:MOST_FACES]


def _add(faces: list[Face], face: Face) -> None:
    """Keep a face unless it is one that is there already."""
    middle = face.points[:, :2].mean(axis=0)
    for other in faces:
        reach = max(face.inter_ocular, other.inter_ocular)
        if float(np.linalg.norm(other.points[:, :2].mean(axis=0) - middle)) < reach:
            return
    faces.append(face)


class Segmenter:
    """Which pixels are a person, in one picture after another."""

    def __init__(self) -> None:
        with _quiet():
            self._model = _solutions().selfie_segmentation.SelfieSegmentation(0)
            # Its threads write to the standard error until a first picture is through.
            self._model.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, bgr: Bytes) -> Floats:
        """How surely each pixel belongs to a person: float32, 0..1, shape (height, width)."""
        # The model sees 256 pixels a side.
        shrink = min(1.0, _SEGMENTED_SIDE / max(bgr.shape[:2]))
        small = cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        with _quiet():
            mask = self._model.process(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)).segmentation_mask
        return cast(Floats, cv2.resize(mask, bgr.shape[1::-1], interpolation=cv2.INTER_LINEAR))

    def close(self) -> None:
        with _quiet():
            self._model.close()


def person_mask(bgr: Bytes) -> Floats:
    """How surely each pixel of a single picture belongs to a person, as `Segmenter.find` says it."""
    with contextlib.closing(Segmenter()) as segmenter:
        return segmenter.find(bgr)
