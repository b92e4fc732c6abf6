"""A performer at rest: what all movements are measured from, found in what they showed themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.mocap.measures import Measures
from drivers.mocap.model import Model
from drivers.mocap.pose import Fit, fit

Array = NDArray[np.float64]

CLOSED_LIPS = 0.06
"""Lips farther apart than this, in distances between the irises, are not at rest, whoever's they are."""

_SHUT_SHARE, _REST_SHARE = 0.10, 0.35


@dataclass(frozen=True, slots=True)
class Rest:
    """`shape`: landmarks in distances between the irises, (478, 3); `pose`: as `Fit.pose`.

    `shut` is the gap between the lids when they are shut, as `Measures.lids` counts.
    """

    shape: Array
    measures: Measures
    pose: Array
    shut: Array


def find_rest(model: Model, faces: Sequence[Array]) -> Rest:
    """The rest of a performer, from the landmarks of some of their pictures, in any order.

    Rest is the median of the pictures in which the lips are most closed and the eyes as open as they mostly are: what
    moves now and then, such as brows, is found where it is most of the time.
    """
    undone, measures, fits = [], [], []
    for points in faces:
        found = fit(model.neutral, points, model.steady)
        undone.append(found.undone(points))
        measures.append(Measures.of(undone[-1]))
        fits.append(found)
    calm = _calm(measures)
    shape = np.median([undone[place] for place in calm], axis=0)
    # Once more, against the performer's own face.
    fits = [fit(shape, points, model.steady) for points in faces]
    undone = [found.undone(points) for found, points in zip(fits, faces, strict=True)]
    measures = [Measures.of(points) for points in undone]
    calm = _calm(measures)
    shape = np.median([undone[place] for place in calm], axis=0)
    middle = Measures.middle([measures[place] for place in calm])
    lips = min(middle.lips, float(np.quantile([one.lips for one in measures], _SHUT_SHARE)) + 0.01, CLOSED_LIPS)
    rest = Measures(max(0.0, lips), middle.lids, middle.lower, middle.irises)
    pose = np.median([_pose(fits[place]) for place in calm], axis=0)
    return Rest(shape, rest, pose, _shut(middle.lids, measures))


def _pose(found: Fit) -> Array:
    return found.pose


def _calm(measures: Sequence[Measures]) -> list[int]:
    lips = np.array([one.lips for one in measures])
    lids = np.array([one.lids.mean() for one in measures])
    still = lips <= np.quantile(lips, _REST_SHARE)
    usual = float(np.median(lids))
    awake = np.abs(lids - usual) <= 0.2 * abs(usual)
    both = np.flatnonzero(still & awake)
    return [int(place) for place in (both if both.size else np.flatnonzero(still))]


def _shut(opened: Array, measures: Sequence[Measures]) -> Array:
    """What shut lids measure: a sixth of the opening, or less where the performer was seen to shut them farther."""
    lowest = np.quantile([one.lids for one in measures], 0.005, axis=0)
    return np.minimum(0.22 * opened, np.where(lowest < 0.35 * opened, lowest + 0.03 * opened, np.inf))
