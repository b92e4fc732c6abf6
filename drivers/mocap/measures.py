"""What is read off landmarks directly: how far lips and lids are open, and where the irises are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drivers.mocap.model import CORNERS, IRISES, LID_PAIRS, LIP_PAIRS, LOWER_LIDS

Array = NDArray[np.float64]


def _gap(points: Array, pairs: tuple[tuple[int, int], ...]) -> float:
    return float(np.mean([points[below, 1] - points[above, 1] for above, below in pairs]))


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one face, its head brought to rest. Arrays are of the performer's left and right eye.

    All in distances between the irises. `lips`, `lids`: gaps; `lower`: how high the lower lids are over the corners;
    `irises`: (2, 2), right and down from between the corners.
    """

    lips: float
    lids: Array
    lower: Array
    irises: Array

    @classmethod
    def of(cls, points: Array) -> Self:
        lids, lower, irises = [], [], []
        for pairs, below, (inner, outer), iris in zip(LID_PAIRS, LOWER_LIDS, CORNERS, IRISES, strict=True):
            middle = (points[inner] + points[outer]) / 2
            lids.append(_gap(points, pairs))
            lower.append(float(middle[1] - points[list(below), 1].mean()))
            irises.append(points[iris, :2] - middle[:2])
        return cls(_gap(points, LIP_PAIRS), np.array(lids), np.array(lower), np.array(irises))

    @classmethod
    def middle(cls, many: list[Self]) -> Self:
        """The medians of many."""
        return cls(
            float(np.median([one.lips for one in many])),
            np.median([one.lids for one in many], axis=0),
            np.median([one.lower for one in many], axis=0),
            np.median([one.irises for one in many], axis=0),
        )
