"""The One-Euro filter: steady when still, quick when it moves (Casiez, Roussel and Vogel, CHI 2012)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SPEED_CUTOFF = 2.0
"""Hertz; how smooth the speed is that the cutoff follows."""


def _share(cutoff: Array | float, seconds: float) -> Array | float:
    turns = 2 * math.pi * seconds * cutoff
    return turns / (turns + 1)


@dataclass(slots=True)
class OneEuro:
    """Smooths arrays of shape (channels, ...) that come at any pace; the values of one channel share its cutoff.

    `cutoff` is in hertz for what rests, and rises by `rise` hertz for every unit a second that the channel moves.
    """

    cutoff: float
    rise: float
    _value: Array | None = field(default=None, init=False)
    _speed: Array | None = field(default=None, init=False)
    _at: float = field(default=0.0, init=False)

    def __call__(self, value: Array, at: float) -> Array:
        """The smoothed value; `at` is seconds, and grows."""
        if self._value is None or self._speed is None:
            self._value, self._speed, self._at = value, np.zeros_like(value), at
            return value
        seconds = max(1e-3, at - self._at)
        speed = (value - self._value) / seconds
        self._speed = self._speed + _share(_SPEED_CUTOFF, seconds) * (speed - self._speed)
        pace = np.abs(self._speed) if value.ndim < 2 else np.linalg.norm(self._speed, axis=-1, keepdims=True)
        self._value = self._value + _share(self.cutoff + self.rise * pace, seconds) * (value - self._value)
        self._at = at
        return self._value

    def forget(self) -> None:
        """Begin anew with the next value."""
        self._value = self._speed = None
