"""What a network takes and gives: names, types and shapes, and whether an array is one of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

TYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32), "tensor(float16)": np.dtype(np.float16), "tensor(double)": np.dtype(float),
    "tensor(int8)": np.dtype(np.int8), "tensor(int16)": np.dtype(np.int16), "tensor(int32)": np.dtype(np.int32),
    "tensor(int64)": np.dtype(np.int64), "tensor(uint8)": np.dtype(np.uint8), "tensor(uint16)": np.dtype(np.uint16),
    "tensor(uint32)": np.dtype(np.uint32), "tensor(uint64)": np.dtype(np.uint64), "tensor(bool)": np.dtype(bool),
}  # fmt: skip
"""NumPy's types by ONNX Runtime's names."""


FLOATS = frozenset({np.dtype(np.float16), np.dtype(np.float32)})
"""Types that become each other where a network has one and its user the other."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A named input or output. A size that is open is a name, the same for the same size, or None without a name."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name!r}: {self.dtype}[{sizes}]"

    def sized(self, named: Mapping[str, int]) -> tuple[int, ...] | None:
        """The shape where these names have these sizes, if that settles it."""
        sizes = [named.get(size) if isinstance(size, str) else size for size in self.shape]
        return tuple(size for size in sizes if size is not None) if None not in sizes else None


def fitted(specs: Mapping[str, TensorSpec], feeds: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, int]]:
    """The feeds as a network takes them, and the sizes of what is named in shapes.

    Floats of 32 and 16 bits become each other, nothing else is converted. Raises `ValueError`.
    """
    if feeds.keys() != specs.keys():
        raise ValueError(f"takes {', '.join(specs)}; was given {', '.join(feeds) or 'nothing'}")
    named: dict[str, int] = {}
    return {name: _fitted(spec, np.asarray(feeds[name]), named) for name, spec in specs.items()}, named


def _fitted(spec: TensorSpec, array: Array, named: dict[str, int]) -> Array:
    good = array.ndim == len(spec.shape)
    for wanted, size in zip(spec.shape, array.shape, strict=False):
        if isinstance(wanted, str):
            wanted = named.setdefault(wanted, size)
        good = good and wanted in (None, size)
    floats = {array.dtype, spec.dtype} <= FLOATS
    if not good or not (floats or array.dtype == spec.dtype):
        raise ValueError(f"takes {spec}; was given {array.dtype}{list(array.shape)}")
    return np.ascontiguousarray(array, spec.dtype).reshape(array.shape)  # which would make a scalar a list of one
