"""What the solver must know of faces: where landmarks are at rest, and how ARKit's expressions move them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, ARKIT_INDEX

Array = NDArray[np.float64]

FILE = Path(__file__).with_name("seen_basis.npz")

# Landmarks of MediaPipe's face mesh; the viewer's left and right, as they are seen.
LID_PAIRS = (((386, 374), (385, 380), (387, 373)), ((159, 145), (158, 153), (160, 144)))
"""Upper and lower lid of the performer's left and right eye."""
LOWER_LIDS = ((374, 380, 373), (145, 153, 144))
CORNERS = ((362, 263), (133, 33))
"""Inner and outer corner of the performer's left and right eye."""
IRISES = (473, 468)
LIP_PAIRS = ((13, 14), (82, 87), (312, 317))
"""Inner edges of the upper and the lower lip, in their middle."""

_BROWS = (
    70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285,
    9, 8, 108, 337, 69, 299, 104, 333,
)  # fmt: skip
_BROW_SHAPES = tuple(name for name in ARKIT if name.startswith("brow"))
_LOW_SHAPES = tuple(
    name
    for name in ARKIT
    # What one camera cannot tell: a jaw that comes nearer, and cheeks that rise (a smile says so).
    if name.startswith(("jaw", "mouth", "cheekPuff", "nose")) and name not in ("mouthClose", "jawForward")
)
_LOW_FROM = 0.35
"""Height under the eyes from which landmarks belong to the lower face, in distances between the irises."""


STEADY = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 10, 151, 9, 8, 50, 280, 101, 330, 116, 345,
    67, 297, 103, 332, 54, 284,
)  # fmt: skip
"""Landmarks that no speech moves."""
_LIPS = frozenset((
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375,
))  # fmt: skip
_RIDGE, _NOISE = 0.04, 0.02
"""Of expressions that could explain the same, many small ones beat a large one; none is told from noise this large."""
_FAINT = 0.12
"""What is hardly seen costs as much more as this, so that errors of the pose are not taken for it."""
_SELDOM, _DEAR = ("mouthLowerDown", "mouthFrown", "jawLeft", "jawRight", "noseSneer"), 3.0
"""What a dropping jaw or a turned head looks like too, and what is therefore believed last."""
_EVEN = 0.3
"""Faces are mostly even: what it costs when left and right differ."""
_UNSEEN = 0.02
"""Expressions that move no landmark farther than this, in distances between the irises, cannot be told."""


def _pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Where the left and the right half of an expression are."""
    # A jaw to the left is no half of anything.
    halves = [name[:-4] for name in names if name.endswith("Left") and name not in ("jawLeft", "mouthLeft")]
    return [(names.index(f"{one}Left"), names.index(f"{one}Right")) for one in halves if f"{one}Right" in names]


@dataclass(frozen=True, slots=True)
class Block:
    """Expressions that are solved for together, from some of the landmarks.

    `matrix` is (values, shapes) with the `share` of each value in it; `places` are the shapes' places among ARKit's.
    """

    points: NDArray[np.intp]
    share: Array
    matrix: Array
    places: NDArray[np.intp]
    gram: Array
    cost: Array
    """What a weight costs beside what it explains, by its shape."""

    @classmethod
    def of(cls, moves: Mapping[str, Array], names: Sequence[str], points: Sequence[int], weights: Array) -> Self:
        known = [name for name in names if name in moves]
        chosen = np.array(points)
        # How far away a landmark is, a single camera tells worst.
        share = (weights[:, None] * np.array([1.0, 1.0, 0.35])).ravel()
        matrix = np.stack([moves[name][chosen].ravel() * share for name in known], axis=1)
        places = np.array([ARKIT_INDEX[name] for name in known])
        size = np.linalg.norm(matrix, axis=0)
        gram = matrix.T @ matrix + np.diag(_RIDGE * size**2)
        for left, right in _pairs(known):
            both = _EVEN * float(size[left] * size[right])
            gram[[left, right], [left, right]] += both
            gram[[left, right], [right, left]] -= both
        dear = np.array([_DEAR if name.startswith(_SELDOM) else 1.0 for name in known])
        return cls(chosen, share, matrix, places, gram, _NOISE * dear * (size + _FAINT))


@dataclass(frozen=True, slots=True)
class Model:
    neutral: Array
    steady: NDArray[np.intp]
    brows: Block
    low: Block
    gaps: Array
    """How far each of ARKit's coefficients opens the lips, in distances between the irises."""


@cache
def load_model(path: Path = FILE) -> Model:
    """The model of the landmarks that MediaPipe finds; see ``tools/measure_seen_basis.py``."""
    with np.load(path, allow_pickle=False) as arrays:
        neutral = arrays["neutral"].astype(np.float64)
        moves = {name: arrays[name].astype(np.float64) for name in ARKIT}
    moves = {name: move for name, move in moves.items() if np.linalg.norm(move, axis=1).max() > _UNSEEN}
    low = [place for place in range(468) if neutral[place, 1] > _LOW_FROM and abs(neutral[place, 0]) < 0.95]
    weights = np.array([2.0 if place in _LIPS else 1.0 for place in low])
    gaps = np.zeros(len(ARKIT))
    for name, move in moves.items():
        gaps[ARKIT_INDEX[name]] = np.mean([move[below, 1] - move[above, 1] for above, below in LIP_PAIRS])
    brows = Block.of(moves, _BROW_SHAPES, _BROWS, np.ones(len(_BROWS)))
    return Model(neutral, np.array(STEADY), brows, Block.of(moves, _LOW_SHAPES, low, weights), gaps)
