"""The fifteen visemes that drivers are scored in, of phones and of faces; see also `anchor.ports.Classifies`.

The project's own table is finer; it says itself how it folds into these.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor import registry
from anchor.bench.lips import opening
from anchor.events import Phone
from anchor.media import OCULUS, SAMPLE_RATE, Floats

CLASSES = OCULUS
INDEX = {name: index for index, name in enumerate(CLASSES)}
GROUPS = {
    "lips": ("PP",), "lip and teeth": ("FF",), "tongue": ("TH", "DD", "kk", "nn"), "hissing": ("CH", "SS"),
    "open": ("aa", "E"), "spread": ("I",), "round": ("RR", "O", "U"),
}  # fmt: skip
"""What can be told apart by eye."""
RATE = 100
"""Classes and openings a second."""

Classes = NDArray[np.int64]


def _table() -> Any:
    return registry.load("anchor.part", "visemes")


def folded(viseme: str) -> str:
    """The one of the fifteen that a viseme of the table is."""
    name: str = _table().FOLDED.get(viseme, viseme)
    return name


def _spread(phones: Sequence[Phone], frames: int) -> list[tuple[str, slice]]:
    """Visemes of the finer table with the 10 ms whose middles they hold."""
    found = []
    for phone in phones:
        parts = _table().visemes_of(phone.symbol)
        edges = np.cumsum([0.0, *(share for _, share in parts)]) * (phone.end - phone.start) + phone.start
        places = np.clip(np.round(edges * (RATE / SAMPLE_RATE)).astype(int), 0, frames).tolist()
        found += [
            (name, slice(low, high)) for (name, _), (low, high) in zip(parts, itertools.pairwise(places), strict=True)
        ]
    return found


def label_classes(phones: Sequence[Phone], frames: int) -> Classes:
    """The class of each of `frames` stretches of 10 ms: int64, indices into `CLASSES`."""
    classes = np.zeros(frames, np.int64)
    breath: slice | None = None
    for name, place in _spread(phones, frames):
        classes[place] = INDEX[folded(name)]
        if breath is not None and breath.stop == place.start:
            classes[breath] = classes[place][:1] if place.stop > place.start else 0
        breath = place if name == "hh" else None
    return classes


def label_openings(phones: Sequence[Phone], frames: int) -> tuple[Floats, NDArray[np.bool_]]:
    """How far the lips' own table opens them for each phone by itself, every 10 ms; and where phones are.

    Smoothed over 90 ms, as no mouth jumps.
    """
    table = _table()
    openings = dict(zip(table.VISEMES, opening(table.MATRIX).tolist(), strict=True))
    asked, spoken = np.zeros(frames), np.zeros(frames, bool)
    for name, place in _spread(phones, frames):
        asked[place], spoken[place] = openings[name], True
    window = np.hanning(11)[1:-1]
    smooth: Floats = np.convolve(asked, window / window.sum(), "same").astype(np.float32)[:frames]
    return smooth, spoken


def face_classes(weights: Floats) -> Classes:
    """The class whose shape in the table is nearest: `weights` has shape (faces, 52)."""
    table = _table()
    names = [name for name in table.VISEMES if name != "hh"]
    shapes: Floats = table.MATRIX[[table.VISEME_INDEX[name] for name in names]]
    used = np.flatnonzero(shapes.any(axis=0))
    away = ((weights[:, None, used] - shapes[None, :, used]) ** 2).sum(axis=2)
    their = np.array([INDEX[folded(name)] for name in names])
    classes: Classes = their[np.argmin(away, axis=1)]
    return classes
