"""From landmarks to ARKit weights, head pose and gaze: pose first, then expressions as non-negative least squares.

The movements of a performer, measured from their own rest, are explained as the smallest sum of expressions that are
each between 0 and 1. What must be exact is measured instead: how far the lips are open, the lids, and the irises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, ARKIT_INDEX, Blendshapes
from drivers.mocap.euro import OneEuro
from drivers.mocap.measures import Measures
from drivers.mocap.model import Block, Model
from drivers.mocap.pose import fit, head_pose
from drivers.mocap.rest import Rest

Array = NDArray[np.float64]

LIPS_TOUCH = 0.022
"""Lips nearer than this to where they rest are shut, in distances between the irises: what landmarks jitter by."""

_ROUNDS = 40
_SIDEWAYS, _UPWARDS = 0.55, 0.45
"""Radians that the eyeLook coefficients turn an eye at full weight, as our avatars show them."""
_BALL = 0.19
"""Radius of an eyeball in distances between the irises (24 mm across to 63 mm)."""
_LID_OF_SQUINT, _LID_OF_DOWN, _LID_OF_UP = 0.26, 0.34, -0.20
"""What squinting and looking up or down close of an eye by themselves."""
_SQUINT_RISE = 0.05
"""How far squinting raises the lower lid, in distances between the irises."""
_WIDE_FROM, _WIDE_SHARE = 0.08, 0.4
"""How much wider than at rest eyes open before it counts, and then at most."""
_CHEEK_OF_SMILE = 0.5
_CHEEKS = [ARKIT_INDEX["cheekSquintLeft"], ARKIT_INDEX["cheekSquintRight"]]
_SMILES = [ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]
_JAW, _CLOSE = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
_PARTS = [place for place, name in enumerate(ARKIT) if name.startswith(("mouthLowerDown", "mouthUpperUp"))]


def least_squares(block: Block, wanted: Array, start: Array) -> Array:
    """Weights in 0..1 that explain `wanted` with as little as they can (FISTA: Beck and Teboulle 2009)."""
    gram = block.gram
    step = 1 / float(np.linalg.norm(gram, 2))
    pull = block.matrix.T @ wanted - block.cost
    now, ahead, t = start, start, 1.0
    for _ in range(_ROUNDS):
        last = now
        now = np.clip(ahead - step * (gram @ ahead - pull), 0, 1)
        t, before = (1 + math.sqrt(1 + 4 * t * t)) / 2, t
        ahead = now + (before - 1) / t * (now - last)
    return now


@dataclass(slots=True)
class _Filters:
    pose: OneEuro
    shape: OneEuro
    eyes: OneEuro

    @staticmethod
    def fresh() -> _Filters:
        return _Filters(OneEuro(1.6, 12.0), OneEuro(3.0, 12.0), OneEuro(4.0, 14.0))


class Solver:
    """One performer's face, picture after picture."""

    def __init__(self, model: Model, rest: Rest) -> None:
        self._model, self._rest = model, rest
        self._filters = _Filters.fresh()
        self._brows = np.zeros(len(model.brows.places))
        self._low = np.zeros(len(model.low.places))

    def forget(self) -> None:
        """Begin anew: the face was away."""
        self._filters = _Filters.fresh()

    def solve(self, points: Array, at: float) -> Blendshapes:
        """The face of landmarks seen at `at` seconds: (478, 3), pixels, x right, y down, z to the viewer."""
        model, rest = self._model, self._rest
        found = fit(rest.shape, points, model.steady)
        raw = found.undone(points)
        measures = Measures.of(raw)
        pose = self._filters.pose(found.pose - rest.pose, at)
        moved = self._filters.shape(raw, at) - rest.shape
        weights = np.zeros(len(ARKIT))
        self._brows = self._explain(model.brows, moved, self._brows, weights)
        self._low = self._explain(model.low, moved, self._low, weights)
        weights[_CHEEKS] = _CHEEK_OF_SMILE * weights[_SMILES]
        self._close_lips(weights, measures.lips - rest.measures.lips)
        eyes = np.stack([measures.lids, measures.lower, *measures.irises.T])
        self._look(weights, self._filters.eyes(eyes.T, at))
        return Blendshapes(np.clip(weights, 0, 1).astype(np.float32), head_pose(pose))

    def _explain(self, block: Block, moved: Array, start: Array, weights: Array) -> Array:
        found = least_squares(block, moved[block.points].ravel() * block.share, start)
        weights[block.places] = found
        return found

    def _close_lips(self, weights: Array, gap: float) -> None:
        """Make the lips exactly as far open as they were seen, and shut what was seen shut."""
        gaps = self._model.gaps
        wanted = gap * min(1.0, max(0.0, gap / LIPS_TOUCH - 1))
        told = float(gaps @ weights)
        if gap <= LIPS_TOUCH:
            # A jaw may hang behind shut lips; what parts the lips may not.
            weights[_PARTS] = 0
            weights[_JAW] *= 0.5
            told = float(gaps @ weights)
            weights[_CLOSE] = min(weights[_JAW], max(0.0, told / -gaps[_CLOSE]))
            rest = told + weights[_CLOSE] * gaps[_CLOSE]
            weights[_JAW] = max(0.0, weights[_JAW] - max(0.0, rest) / gaps[_JAW])
            return
        jaw = weights[_JAW] + (wanted - told) / gaps[_JAW]
        weights[_JAW] = min(1.0, max(0.0, jaw))
        if jaw < 0 and weights[_PARTS].any():
            parts = float(gaps[_PARTS] @ weights[_PARTS])
            weights[_PARTS] *= max(0.0, 1 + jaw * gaps[_JAW] / max(parts, 1e-6))

    def _look(self, weights: Array, eyes: Array) -> None:
        """Lids and gaze; `eyes` is (2, 4): gap of the lids, height of the lower lid, iris right and down."""
        rest = self._rest.measures
        gaps, lower, irises = eyes[:, 0], eyes[:, 1], eyes[:, 2:]
        moved = irises - rest.irises
        opened = gaps > 0.5 * rest.lids
        sides = opened if opened.any() else np.array([True, True])
        right, down = moved[sides].mean(axis=0)
        yaw = math.asin(max(-0.7, min(0.7, float(right) / _BALL)))
        pitch = -math.asin(max(-0.7, min(0.7, float(down) / (0.8 * _BALL))))
        if not opened.any():
            yaw = pitch = 0.0
        for side, (name, sign) in enumerate((("Left", 1), ("Right", -1))):
            outwards = sign * yaw / _SIDEWAYS
            up = max(0.0, pitch / _UPWARDS)
            down_ = max(0.0, -pitch / _UPWARDS)
            closing = float((rest.lids[side] - gaps[side]) / max(1e-3, rest.lids[side] - self._rest.shut[side]))
            squint = min(1.0, max(0.0, float(lower[side] - rest.lower[side]) / _SQUINT_RISE))
            by_themselves = _LID_OF_SQUINT * squint + _LID_OF_DOWN * down_ + _LID_OF_UP * up
            blink = (closing - by_themselves) / (1 - by_themselves)
            values = {
                "eyeLookOut": outwards, "eyeLookIn": -outwards, "eyeLookUp": up, "eyeLookDown": down_,
                "eyeBlink": blink if blink > 0.08 else 0.0, "eyeWide": (-closing - _WIDE_FROM) / _WIDE_SHARE,
                "eyeSquint": squint * (1 - min(1.0, max(0.0, blink))),
            }  # fmt: skip
            for key, value in values.items():
                weights[ARKIT_INDEX[key + name]] = min(1.0, max(0.0, value))
