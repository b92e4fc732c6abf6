"""Neural networks in ONNX files, ours and those that users bring: checked, loaded, and shared by all sessions."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from weakref import WeakValueDictionary

import onnxruntime

from anchor.batching import BUCKETS, Batcher
from anchor.clock import Clock
from anchor.errors import ModelError
from drivers.binding import Binding
from drivers.devices import CPU, Device, open_session, reason_of
from drivers.half import halved
from drivers.onnxfile import read_checked
from drivers.stacking import Axes, Layout, Request, Result, example, stacked
from drivers.tensors import TYPES, Array, TensorSpec, fitted

__all__ = ["ModelBatcher", "OnnxModel", "TensorSpec", "batcher_for", "stacked"]

log = logging.getLogger(__name__)

ModelBatcher = Batcher[Request, Result]


class OnnxModel:
    """A network that is loaded on a device. `device` and `provider` say which, after any fallback."""

    def __init__(
        self, path: Path, sha256: str, session: onnxruntime.InferenceSession, device: Device, *, half: bool = False
    ) -> None:
        self.path = path
        self.sha256 = sha256
        self.device = str(device)
        self.provider = device.provider
        self.half = half
        """Whether it was turned into one of 16-bit numbers."""
        self.inputs = _specs(path, session.get_inputs())
        self.outputs = _specs(path, session.get_outputs())
        self._session = session
        kept_there = device != CPU
        self._binding = Binding(session, "cuda", device.index, self.outputs) if kept_there else None
        self._one_at_a_time = threading.Lock()

    @classmethod
    def load(
        cls, path: Path, *, device: str = "auto", half: bool = False, threads: int = 1, max_bytes: int = 1 << 30
    ) -> OnnxModel:
        """Check and load a file. Raises `ModelError` naming file and reason, and `ConfigError` for a device's name.

        `device` is ``auto``, ``cpu``, ``cuda:0`` or ``tensorrt:0``; what is not there is replaced by what is, with a
        line in the log. `half` asks for 16-bit numbers inside, on a GPU only. `threads` are of the CPU.
        """
        data = read_checked(path, max_bytes)
        sha256 = hashlib.sha256(data).hexdigest()
        session, where = open_session(path, data, device, threads=threads, half=half)
        if half and where.kind == "cpu":
            log.warning("%s runs with 32-bit numbers: a CPU is no faster with 16", path)
        if half and where.kind == "cuda":
            smaller = halved(path, data)
            half = smaller is not data
            if half:
                session, where = open_session(path, smaller, str(where), threads=threads, half=True)
        return cls(path, sha256, session, where, half=half and where != CPU)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run one batch; blocks. Raises `ModelError` for what it does not take, and when the runtime fails.

        Floats of 32 bits are taken and given also where the file has 16.
        """
        try:
            arrays, named = fitted(self.inputs, feeds)
        except ValueError as error:
            raise ModelError(f"{self.path}: {error}") from None
        try:
            if self._binding is None:
                outputs = dict(zip(self.outputs, self._session.run(None, arrays), strict=True))
            else:
                with self._one_at_a_time:
                    outputs = self._binding.run(arrays, named)
        except Exception as error:  # the runtime's own classes have no base
            raise ModelError(f"{self.path}: failed on {self.device}: {reason_of(error)}") from error
        return {name: array.astype("f4") if array.dtype == "f2" else array for name, array in outputs.items()}

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
        specs[one.name] = TensorSpec(one.name, TYPES[one.type], tuple(one.shape))
    return MappingProxyType(specs)


_batchers: WeakValueDictionary[tuple[object, ...], ModelBatcher] = WeakValueDictionary()


def batcher_for(model: OnnxModel, clock: Clock, axes: Axes | None = None) -> ModelBatcher:
    """The batcher of this network on its device: the same for every session of the process as long as one holds it.

    Live clocks all tell the event loop's time and share it; a clock that does not wait has deadlines of its own.
    """
    shared = None if clock.live else id(clock)
    key = (model.sha256, model.device, model.half, tuple(sorted((axes or {}).items())), shared)
    batcher = _batchers.get(key)
    if batcher is None:
        fixed = Layout.of(model, axes).fixed
        buckets = BUCKETS if fixed is None else (fixed,)
        batcher = Batcher(stacked(model, axes), clock, name=f"{model.path.stem} on {model.device}", buckets=buckets)
        _batchers[key] = batcher
    return batcher
