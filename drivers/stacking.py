"""Requests of many sessions as one batch of a network, and its results as theirs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from anchor.errors import ModelError
from drivers.tensors import FLOATS, Array, TensorSpec

Request = Mapping[str, Array]
Result = dict[str, Array]
Axes = Mapping[str, int | None]

_MOST_ROOMS = 24
"""The inputs of a network at every bucket of a batcher, for up to four inputs."""


class Network(Protocol):
    @property
    def path(self) -> Path: ...
    @property
    def inputs(self) -> Mapping[str, TensorSpec]: ...
    @property
    def outputs(self) -> Mapping[str, TensorSpec]: ...

    def run(self, feeds: Mapping[str, Array]) -> Result: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """Which axis of each input and output counts the requests; None for one that all requests share.

    `fixed` is the only batch size there is, for a network that was exported with one.
    """

    axes: Axes
    fixed: int | None = None

    @classmethod
    def of(cls, network: Network, axes: Axes | None = None) -> Layout:
        """What the shapes tell, where `axes` does not. Raises `ModelError` for an output that it must tell.

        The batch is the first axis where that is open, else the only open one; an input without is shared. Outputs
        must name their batch as the inputs do or have one open axis: a guess could hand one session another's result.
        """
        given = dict(axes or {})
        firsts = {spec.shape[0] for spec in network.inputs.values() if spec.shape}
        if firsts and all(isinstance(size, int) for size in firsts) and len(firsts) == 1 and not given:
            [fixed] = firsts
            assert isinstance(fixed, int)
            return cls({**{n: 0 if s.shape else None for n, s in network.inputs.items()},
                        **dict.fromkeys(network.outputs, 0)}, fixed)  # fmt: skip
        # What is open first counts requests for certain, and says how the batch is called elsewhere.
        called = {spec.shape[0] for spec in network.inputs.values() if spec.shape} - {None}
        found = {n: given[n] if n in given else _of_input(network, s, called) for n, s in network.inputs.items()}
        batch = {network.inputs[name].shape[axis] for name, axis in found.items() if axis is not None} - {None}
        for name, spec in network.outputs.items():
            if name in given:
                found[name] = given[name]
                continue
            opened = _open(spec)
            named = [axis for axis in opened if spec.shape[axis] in batch]
            if len(named or opened) != 1:
                raise _unclear(network, spec)
            found[name] = (named or opened)[0]
        return cls(found)


def _open(spec: TensorSpec) -> list[int]:
    return [axis for axis, size in enumerate(spec.shape) if not isinstance(size, int)]


def _of_input(network: Network, spec: TensorSpec, called: Collection[object]) -> int | None:
    opened = _open(spec)
    if opened[:1] == [0] or not opened:
        return opened[0] if opened else None
    named = [axis for axis in opened if spec.shape[axis] in called]
    if len(named or opened) != 1:
        raise _unclear(network, spec)
    return (named or opened)[0]


def _unclear(network: Network, spec: TensorSpec) -> ModelError:
    return ModelError(f"{network.path}: {spec}: which axis is the batch? Give it in axes")


def stacked(network: Network, axes: Axes | None = None) -> Callable[[Sequence[Request]], list[Result | Exception]]:
    """A `run` for a batcher: each request maps an input's name to its array without the batch axis, so the results.

    What a request must carry for all (a sampling rate) is part of it, too: requests that differ in that or in shape
    run apart. One that does not fit gets its own error and harms no other.
    """
    layout = Layout.of(network, axes)
    room = _Room()

    def run(requests: Sequence[Request]) -> list[Result | Exception]:
        results: list[Result | Exception] = [ModelError(f"{network.path}: never ran")] * len(requests)
        groups: dict[object, list[int]] = {}
        for number, request in enumerate(requests):
            try:
                groups.setdefault(_kind(request, layout), []).append(number)
            except Exception as error:  # it holds something else than arrays
                results[number] = error
        for members in groups.values():
            for some in _pieces(members, layout.fixed):
                try:
                    parts: list[Result | Exception] = [*_run(network, layout, room, [requests[n] for n in some])]
                except Exception as error:
                    parts = [error] * len(some)
                for number, part in zip(some, parts, strict=True):
                    results[number] = part
        return results

    return run


def _kind(request: Request, layout: Layout) -> object:
    """Equal for requests that can be stacked."""
    return frozenset(
        (name, array.shape, array.dtype.str, array.tobytes() if layout.axes.get(name) is None else b"")
        for name, array in request.items()
    )


def _pieces(members: Sequence[int], fixed: int | None) -> list[Sequence[int]]:
    size = fixed or max(1, len(members))
    return [members[at : at + size] for at in range(0, len(members), size)]


class _Room:
    """Memory in which batches are put together, kept: fresh memory costs more than what is written into it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Array] = {}

    def stack(self, spec: TensorSpec | None, arrays: Sequence[Array], axis: int) -> Array:
        if spec is None or not (arrays[0].dtype == spec.dtype or {spec.dtype, arrays[0].dtype} <= FLOATS):
            return np.stack(arrays, axis)  # which is not what the network takes
        shape = (*arrays[0].shape[:axis], len(arrays), *arrays[0].shape[axis:])
        room = self._kept.pop((spec.name, shape), None)
        if room is None:
            room = np.empty(shape, spec.dtype)
        self._kept[spec.name, shape] = room
        if len(self._kept) > _MOST_ROOMS:
            del self._kept[next(iter(self._kept))]
        return np.stack(arrays, axis, out=room, casting="same_kind")


def _run(network: Network, layout: Layout, room: _Room, requests: Sequence[Request]) -> list[Result]:
    count = len(requests)
    filled = [*requests, *[requests[-1]] * ((layout.fixed or count) - count)]
    feeds = {}
    for name, array in requests[0].items():
        axis = layout.axes.get(name)
        if axis is None:
            feeds[name] = array
        elif axis > array.ndim:
            raise ModelError(f"{network.path}: {name!r} has too few axes: {list(array.shape)}, without the batch")
        else:
            feeds[name] = room.stack(network.inputs.get(name), [request[name] for request in filled], axis)
    outputs = network.run(feeds)
    parts: list[Result] = [{} for _ in requests]
    for name, array in outputs.items():
        axis = layout.axes[name]
        if axis is not None and (axis >= array.ndim or array.shape[axis] != len(filled)):
            raise ModelError(f"{network.path}: output {name!r} is {list(array.shape)} for {len(filled)} requests")
        if axis is None or any(np.may_share_memory(array, fed) for fed in feeds.values()):
            array = array.copy()  # what the network hands through would be written over by the next batch
        for number, part in enumerate(parts):
            part[name] = array.copy() if axis is None else np.moveaxis(array, axis, 0)[number]
    return parts


def example(network: Network, axes: Axes | None = None) -> Request:
    """A request of zeros. Raises `ModelError` for a size that the file leaves open."""
    layout = Layout.of(network, axes)
    request = {}
    for name, spec in network.inputs.items():
        shape = [size for axis, size in enumerate(spec.shape) if axis != layout.axes[name]]
        if not all(isinstance(size, int) for size in shape):
            raise ModelError(f"{network.path}: input {spec} can have any size; give an example")
        request[name] = np.zeros([size for size in shape if isinstance(size, int)], spec.dtype)
    return request
