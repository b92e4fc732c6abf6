"""Neural networks in ONNX files, ours and those that users bring: checked, loaded, and shared by all sessions."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime

from anchor.batching import BUCKETS, Batcher
from anchor.clock import Clock
from anchor.errors import ModelError
from anchor.onnx_session import CPU, Device, open_session, reason_of
from anchor.onnxfile import read_checked
from anchor.protobuf import Damaged
from drivers.binding import Binding
from drivers.border import Pixels, bordered, visible
from drivers.half import halved
from drivers.stacking import Axes, Layout, Request, Result, example, stacked
from drivers.tensors import TYPES, Array, TensorSpec, fitted
from drivers.watchdog import time_limit

__all__ = ["ModelBatcher", "OnnxModel", "Pixels", "TensorSpec", "batcher_for", "batchers", "stacked"]

log = logging.getLogger(__name__)

MOST_SECONDS = 30
"""No batch of a lip network takes a hundredth of it; what takes longer never ends."""

ModelBatcher = Batcher[Request, Result]


class OnnxModel:
    """A network that is loaded on a device. `device` and `provider` say which, after any fallback."""

    def __init__(
        self,
        path: Path,
        sha256: str,
        session: onnxruntime.InferenceSession,
        device: Device,
        *,
        half: bool = False,
        pixels: Mapping[str, Pixels] | None = None,
    ) -> None:
        self.path = path
        self.sha256 = sha256
        self.device = str(device)
        self.provider = device.provider
        self.half = half
        """Whether it was turned into one of 16-bit numbers."""
        self.pixels = dict(pixels or {})
        self.inputs = _specs(path, session.get_inputs())
        self.outputs = _specs(path, session.get_outputs())
        self._names = {visible(one.name): one.name for one in (*session.get_inputs(), *session.get_outputs())}
        self._session = session
        memory, index = device.memory, device.index
        self._binding = Binding(session, memory, index, self.outputs, self._names) if memory else None
        self._one_at_a_time = threading.Lock()
        # TensorRT builds its engine in the first run of a size, for minutes.
        self._most_seconds = 1800 if device.kind == "tensorrt" else MOST_SECONDS

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        device: str = "auto",
        half: bool = False,
        threads: int = 1,
        max_bytes: int = 1 << 30,
        pixels: Mapping[str, Pixels] | None = None,
    ) -> OnnxModel:
        """Check and load a file. Raises `ModelError` naming file and reason, and `ConfigError` for a device's name.

        `device` is ``auto``, ``cpu``, ``cuda:0`` or ``tensorrt:0``; what is not there is replaced by what is, with a
        line in the log. `half` asks for 16-bit numbers inside, on a GPU only. `threads` are of the CPU. `pixels` names
        inputs and outputs that are to be bytes (see `drivers.border`); floats are of 32 bits outside in any case.
        """
        data = read_checked(path, max_bytes)
        sha256 = hashlib.sha256(data).hexdigest()
        border = pixels or {}
        try:
            session, where = open_session(path, bordered(data, border), device, threads=threads, half=half)
            if half and where.kind == "cpu":
                log.warning("%s runs with 32-bit numbers: a CPU is no faster with 16", path)
            if half and where.kind == "cuda":
                smaller = halved(path, data)
                half = smaller is not data
                if half:
                    smaller = bordered(smaller, border)
                    session, where = open_session(path, smaller, str(where), threads=threads, half=True)
            model = cls(path, sha256, session, where, half=half and where != CPU, pixels=border)
        except Damaged as reason:
            raise ModelError(f"{path}: {reason}") from None
        except UnicodeDecodeError:  # by the runtime, for names that nobody else looks at
            raise ModelError(f"{path}: is damaged: a name that is no text") from None
        as_bytes = {name for name, spec in {**model.inputs, **model.outputs}.items() if spec.dtype == np.uint8}
        if not border.keys() <= as_bytes:
            missing = ", ".join(sorted(border.keys() - as_bytes))
            raise ModelError(f"{path}: has no floats named {missing} that could be bytes")
        return model

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run one batch; blocks. Raises `ModelError` for what it does not take, and when the runtime fails.

        Floats are of 32 bits, also where the file has 16.
        """
        try:
            arrays, named = fitted(self.inputs, feeds)
        except ValueError as error:
            raise ModelError(f"{self.path}: {error}") from None
        try:
            with time_limit(self._most_seconds) as options:
                if self._binding is None:
                    named_there = {self._names[name]: array for name, array in arrays.items()}
                    outputs = dict(zip(self.outputs, self._session.run(None, named_there, options), strict=True))
                else:
                    with self._one_at_a_time:
                        outputs = self._binding.run(arrays, named, options)
        except Exception as error:  # the runtime's own classes have no base
            raise ModelError(f"{self.path}: failed on {self.device}: {reason_of(error)}") from error
        return outputs

    def warm(self, batch_sizes: Iterable[int], request: Request | None = None, axes: Axes | None = None) -> None:
        """Run each size once, so that no session waits while kernels are chosen and memory is taken; blocks.

        With zeros if there is no `request`. Raises `ModelError`.
        """
        run = stacked(self, axes)
        sample = example(self, axes) if request is None else request
        for size in batch_sizes:
            for result in run([sample] * size):
                if isinstance(result, Exception):
                    raise result


def _specs(path: Path, found: Iterable[onnxruntime.NodeArg]) -> Mapping[str, TensorSpec]:
    specs = {}
    for one in found:
        if one.type not in TYPES:
            raise ModelError(f"{path}: {one.name!r} is a {one.type}; only tensors of numbers can be used")
        name = visible(one.name)
        specs[name] = TensorSpec(name, TYPES[one.type], tuple(one.shape))
    return MappingProxyType(specs)


_batchers: WeakValueDictionary[tuple[object, ...], ModelBatcher] = WeakValueDictionary()


def batchers() -> list[ModelBatcher]:
    """Those that some session holds now, for whoever counts."""
    return list(_batchers.values())


def batcher_for(model: OnnxModel, clock: Clock, axes: Axes | None = None) -> ModelBatcher:
    """The batcher of this network on its device: the same for every session of the process as long as one holds it.

    Live clocks all tell the event loop's time and share it; a clock that does not wait has deadlines of its own.
    """
    shared = None if clock.live else id(clock)
    options = frozenset(model.pixels.items()), frozenset((axes or {}).items())
    key = (model.sha256, model.device, model.half, options, shared)
    batcher = _batchers.get(key)
    if batcher is None:
        fixed = Layout.of(model, axes).fixed
        buckets = BUCKETS if fixed is None else (fixed,)
        batcher = Batcher(stacked(model, axes), clock, name=f"{model.path.stem} on {model.device}", buckets=buckets)
        _batchers[key] = batcher
    return batcher
