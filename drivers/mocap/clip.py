"""A performer's clip as a take: landmarks of every picture, the performer's rest among them, and what moves from it.

Pictures are looked at one at a time and let go; a take holds no part of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anchor.errors import TakeError
from anchor.media import Blendshapes, Bytes
from anchor.ports import FaceTracker, SeenFace
from drivers.mocap.model import Model, load_model
from drivers.mocap.rest import Rest, find_rest
from drivers.mocap.solver import Solver
from drivers.mocap.take import Take, face_of, row_of

Array = NDArray[np.float64]

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
LONGEST_SECONDS = 600.0
_LOOKED_AT = 900
"""Pictures, evenly over the clip, from which the rest is found."""
_FEWEST = 0.2
"""Part of the pictures in which there must be a face."""


def upright(face: SeenFace) -> Array:
    """Landmarks as the solver takes them: z to the viewer."""
    return face.points.astype(np.float64) * (1, 1, -1)


def read_clip(
    path: Path, pictures: Iterable[Bytes], fps: int, tracker: FaceTracker, tell: Callable[[float], None] | None = None
) -> Take:
    """Read the face in a clip's pictures, `fps` of them a second. Raises `TakeError` for one without a face.

    `tell` hears how many seconds have been looked at.
    """
    seen: list[Array | None] = []
    for place, picture in enumerate(pictures):
        found = tracker.find(picture)
        seen.append(upright(found[0]).astype(np.float32) if found else None)
        if tell is not None and place % fps == 0:
            tell(place / fps)
    there = [points for points in seen if points is not None]
    if len(there) < max(1, _FEWEST * len(seen)):
        raise TakeError(
            f"{path}: a face is found in {len(there)} of {len(seen)} pictures; film it larger, from the front and lit"
        )
    model = load_model()
    rest = find_rest(model, [points.astype(np.float64) for points in there[:: max(1, len(there) // _LOOKED_AT)]])
    times = [place / fps for place in range(len(seen))]
    lost = len(seen) - len(there)
    notes = (f"{path}: no face in {lost} of {len(seen)} pictures; it eases to rest there",) if lost else ()
    return Take.of(times, _solved(model, rest, times, seen), notes)


def _solved(model: Model, rest: Rest, times: list[float], seen: list[Array | None]) -> list[Blendshapes | None]:
    """Each face as it is told forwards and backwards in time, so that smoothing does not delay it."""
    forwards = _one_way(model, rest, times, seen)
    backwards = _one_way(model, rest, [times[-1] - at for at in times[::-1]], seen[::-1])[::-1]
    return [
        face_of((row_of(a) + row_of(b)) / 2) if a is not None and b is not None else None
        for a, b in zip(forwards, backwards, strict=True)
    ]


def _one_way(model: Model, rest: Rest, times: list[float], seen: list[Array | None]) -> list[Blendshapes | None]:
    solver, faces = Solver(model, rest), list[Blendshapes | None]()
    for at, points in zip(times, seen, strict=True):
        if points is None:
            solver.forget()
        faces.append(None if points is None else solver.solve(points.astype(np.float64), at))
    return faces
