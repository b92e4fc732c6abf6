"""What a batch costs, learnt from the batches that ran."""

from __future__ import annotations

from collections import deque

_KEPT = 15
"""Runs of one size that are remembered: the cost follows a device that gets slower or faster within these."""


class Costs:
    """Seconds for a batch of each size: the middle of what was measured, and a line through these for other sizes.

    The first run of a size is not counted, as devices choose their kernels and take their memory in it.
    """

    def __init__(self) -> None:
        self._runs: dict[int, deque[float]] = {}
        self._typical: dict[int, float] = {}
        self._base = 0.0
        self._item = 0.0

    @property
    def known(self) -> bool:
        return bool(self._typical)

    @property
    def base_seconds(self) -> float:
        """What a batch costs however small it is."""
        return self._base

    @property
    def item_seconds(self) -> float:
        """What each item adds."""
        return self._item

    def observe(self, size: int, seconds: float) -> None:
        runs = self._runs.get(size)
        if runs is None:
            self._runs[size] = deque(maxlen=_KEPT)
            return
        runs.append(seconds)
        # The middle one, so that one stall tells nothing; the lower of two, as stalls only ever add.
        self._typical[size] = sorted(runs)[(len(runs) - 1) // 2]
        self._fit()

    def seconds(self, size: int) -> float:
        """Expected cost of a batch of `size`; 0 as long as nothing is known."""
        typical = self._typical.get(size)
        return self._base + self._item * size if typical is None else typical

    def _fit(self) -> None:
        """Least squares over the sizes; neither part is ever negative."""
        points = self._typical.items()
        if len(points) == 1:
            # All of it for each item: what is not known is not promised.
            [(size, seconds)] = points
            self._base, self._item = 0.0, seconds / size
            return
        middle = sum(size for size, _ in points) / len(points)
        mean = sum(seconds for _, seconds in points) / len(points)
        slope = sum((size - middle) * (seconds - mean) for size, seconds in points) / sum(
            (size - middle) ** 2 for size, _ in points
        )
        if slope < 0:
            self._base, self._item = mean, 0.0
        elif mean < slope * middle:
            self._base = 0.0
            self._item = sum(size * seconds for size, seconds in points) / sum(size**2 for size, _ in points)
        else:
            self._base, self._item = mean - slope * middle, slope
