"""A performer before a camera: each picture becomes a face, the newest of which is there to be taken.

Pictures are looked at in the thread that brings them and let go at once; none is stored or passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.media import Blendshapes, Bytes
from anchor.ports import FaceTracker
from drivers.mocap.clip import upright
from drivers.mocap.model import load_model
from drivers.mocap.rest import find_rest
from drivers.mocap.solver import Solver

Array = NDArray[np.float64]

STALE_SECONDS = 0.5
"""A face older than this drives nothing any more: the camera stalled, or the performer left the picture."""

REST_PICTURES = 20
"""Pictures from which a performer's rest is found at the beginning, while they look ahead with the mouth shut."""

_SIDE = 640
_AWAY_SECONDS = 0.3

State = Literal["waiting", "no face", "calibrating", "driving"]


@dataclass(frozen=True, slots=True)
class _Newest:
    face: Blendshapes
    at: float


class LiveCapture:
    """One performer. `look` is for one thread; `face` and `state` may be asked in any other at any time."""

    def __init__(self, make_tracker: Callable[[], FaceTracker]) -> None:
        self._make_tracker = make_tracker
        self._tracker: FaceTracker | None = None
        self._first: list[Array] = []
        self._solver: Solver | None = None
        self._newest: _Newest | None = None
        self._looked: float | None = None
        self._found: float | None = None

    def look(self, bgr: Bytes, at: float) -> None:
        """Take in a picture, seen at `at` seconds."""
        if self._tracker is None:
            self._tracker = self._make_tracker()
        found = self._tracker.find(_smaller(bgr))
        self._looked = at
        if not found:
            if self._solver is not None and self._found is not None and at - self._found > _AWAY_SECONDS:
                self._solver.forget()
            return
        self._found = at
        points = upright(found[0])
        if self._solver is None:
            self._first.append(points)
            if len(self._first) < REST_PICTURES:
                return
            model = load_model()
            self._solver = Solver(model, find_rest(model, self._first))
            self._first = []
        self._newest = _Newest(self._solver.solve(points, at), at)

    def face(self, now: float) -> Blendshapes | None:
        """The newest face, while it is fresh."""
        newest = self._newest
        return newest.face if newest is not None and now - newest.at <= STALE_SECONDS else None

    def state(self, now: float) -> State:
        if self._looked is None or now - self._looked > STALE_SECONDS:
            return "waiting"
        if self._found is None or now - self._found > STALE_SECONDS:
            return "no face"
        return "calibrating" if self._newest is None else "driving"

    def close(self) -> None:
        """In the thread that looked."""
        if self._tracker is not None:
            self._tracker.close()
            self._tracker = None


def _smaller(bgr: Bytes) -> Bytes:
    shrink = min(1.0, _SIDE / max(bgr.shape[:2]))
    if shrink == 1:
        return bgr
    return np.asarray(cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
