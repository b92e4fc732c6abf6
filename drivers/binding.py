"""Runs of a session over buffers on its device that are kept from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnxruntime

from drivers.tensors import Array, TensorSpec

_KEPT = 16
"""Combinations of shapes whose buffers are kept: every bucket of a batcher, and some."""


@dataclass(slots=True)
class _Buffers:
    binding: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class Binding:
    """A session's inputs and outputs in memory of the device `kind` (``cuda`` or ``cpu``). For one thread at a time.

    `names` are the session's own for those in use.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        kind: str,
        index: int,
        outputs: Mapping[str, TensorSpec],
        names: Mapping[str, str],
    ) -> None:
        self._session = session
        self._names = names
        self._device = (kind, index)
        self._outputs = outputs
        self._buffers: dict[tuple[tuple[int, ...], ...], _Buffers] = {}

    def run(
        self, feeds: Mapping[str, Array], named: Mapping[str, int], options: onnxruntime.RunOptions | None = None
    ) -> dict[str, Array]:
        key = tuple(array.shape for array in feeds.values())
        buffers = self._buffers.pop(key, None) or self._allocate(feeds, named)
        self._buffers[key] = buffers  # the last used is the last in line
        if len(self._buffers) > _KEPT:
            del self._buffers[next(iter(self._buffers))]
        for name, array in feeds.items():
            buffers.inputs[name].update_inplace(array)
        names = self._bound(buffers)
        for name in names[len(buffers.outputs) :]:
            # Bound anew each time: its size may depend on what is fed.
            buffers.binding.bind_output(self._names[name], *self._device)
        self._session.run_with_iobinding(buffers.binding, options)
        values = zip(names, buffers.binding.get_outputs(), strict=True)
        return {name: _own(value.numpy()) for name, value in values}

    def _bound(self, buffers: _Buffers) -> list[str]:
        return [*buffers.outputs, *(name for name in self._outputs if name not in buffers.outputs)]

    def _allocate(self, feeds: Mapping[str, Array], named: Mapping[str, int]) -> _Buffers:
        binding = self._session.io_binding()
        inputs, outputs = {}, {}
        for name, array in feeds.items():
            inputs[name] = self._buffer(array.shape, array.dtype)
            binding.bind_ortvalue_input(self._names[name], inputs[name])
        for name, spec in self._outputs.items():
            shape = spec.sized(named)
            if shape is not None:
                outputs[name] = self._buffer(shape, spec.dtype)
                binding.bind_ortvalue_output(self._names[name], outputs[name])
        return _Buffers(binding, inputs, outputs)

    def _buffer(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, dtype.type, *self._device)


def _own(array: Array) -> Array:
    """From a GPU it is a copy; on the CPU it looks into the buffer, which the next run writes over."""
    return array if array.flags.owndata else array.copy()
