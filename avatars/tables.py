"""Tables of an avatar's manifest, with the numbers and points that its kinds need."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError
from anchor.packages import tables
from anchor.packages.tables import plain

__all__ = ["Table", "plain"]


class Table(tables.Table):
    fault = AvatarError

    def numbers(self, key: str, count: int = 0) -> tuple[float, ...]:
        """A list of numbers; of exactly `count`, when that is given."""
        value = self._take(key)
        if not isinstance(value, list) or not value or (count and len(value) != count):
            raise self.error(key, f"must be a list of {count or 'one or more'} numbers")
        return tuple(self._number(item, key) for item in value)

    @overload
    def points(self, key: str) -> NDArray[np.float32]: ...

    @overload
    def points(self, key: str, *, optional: bool) -> NDArray[np.float32] | None: ...

    def points(self, key: str, *, optional: bool = False) -> NDArray[np.float32] | None:
        """A list of two or more pairs of numbers: float32, shape (n, 2)."""
        if optional and key not in self._values:
            return None
        value = self._take(key)
        if not isinstance(value, list) or len(value) < 2 or any(not isinstance(p, list) or len(p) != 2 for p in value):
            raise self.error(key, "must be a list of two or more [x, y] pairs")
        return np.array([[self._number(v, key) for v in pair] for pair in value], np.float32)
