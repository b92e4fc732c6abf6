"""Sessions of ONNX Runtime: its providers by device name, with what is slower but there as the way out."""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from anchor.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import onnxruntime

log = logging.getLogger(__name__)

MOST_MEMORY = 4 << 30
"""Bytes that all networks together may take on the CPU. A file of a few bytes can ask for any."""
MOST_GPU_MEMORY = 8 << 30
"""Bytes that one network may take on a GPU."""

Kind = Literal["tensorrt", "cuda", "cpu"]
_PROVIDERS: dict[Kind, str] = {
    "tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider",
}  # fmt: skip
_MEMORY: dict[Kind, str] = {"tensorrt": "cuda", "cuda": "cuda", "cpu": ""}


@dataclass(frozen=True, slots=True)
class Device:
    kind: Kind
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"

    @property
    def provider(self) -> str:
        return _PROVIDERS[self.kind]

    @property
    def memory(self) -> str:
        """What ONNX Runtime calls the memory in which inputs and outputs are kept, if they are."""
        return _MEMORY[self.kind]


CPU = Device("cpu")


def check_device(name: str, where: str = "device") -> re.Match[str]:
    """The parts of a device's name. Raises `ConfigError`, which says `where` it stands."""
    match = re.fullmatch(r"auto|cpu|(cuda|tensorrt)(?::(\d{1,2}))?", name)
    if match is None:
        raise ConfigError(f"{where} = {name!r}: choose auto, cpu, cuda:0 or tensorrt:0, with the number of the GPU")
    return match


def devices(name: str) -> list[Device]:
    """What to try for ``auto``, ``cpu``, ``cuda:0`` or ``tensorrt:0``, best first. Raises `ConfigError`."""
    match = check_device(name)
    if name == "auto":
        return [Device("cuda"), CPU] if _PROVIDERS["cuda"] in _runtime().get_available_providers() else [CPU]
    if match[1] is None:
        return [CPU]
    kind, index = cast("Kind", match[1]), int(match[2] or 0)
    better = [Device("tensorrt", index)] if kind == "tensorrt" else []
    return [*better, Device("cuda", index), CPU]


def tell_device(who: str, wanted: str, runs_on: str) -> None:
    """Log where a network in another process runs, as a warning where that is not where it was wanted."""
    if wanted.startswith(("cuda", "tensorrt")) and runs_on == str(CPU):
        log.warning("%s: no GPU for device = %r, it runs on the CPU", who, wanted)
    else:
        log.info("%s runs on %s", who, runs_on)


def _runtime() -> Any:
    """ONNX Runtime, which takes its time to load: on the first use."""
    import onnxruntime

    return onnxruntime


def open_session(
    path: Path, data: bytes, wanted: str = "cpu", *, threads: int = 1, half: bool = False, varied: bool = False
) -> tuple[onnxruntime.InferenceSession, Device]:
    """A session for the ONNX file in `data` on the best device there is.

    `half`: with 16-bit numbers, where the device has them. `varied`: for inputs of all sizes, for each of which memory
    would be kept otherwise.
    Raises `ModelError`, which names `path`, and `ConfigError` for a device's name.
    """
    tried = devices(wanted)
    for device in tried:
        session, reason = _try(data, device, _options(threads, device, varied), half)
        if session is not None:
            return session, device
        if device != CPU:
            log.warning("%s does not run on %s: %s", path, device, reason)
    raise ModelError(f"{path}: ONNX Runtime cannot load it: {reason}")


def _try(
    data: bytes, device: Device, options: onnxruntime.SessionOptions, half: bool
) -> tuple[onnxruntime.InferenceSession | None, str]:
    onnxruntime = _runtime()
    if device.provider not in onnxruntime.get_available_providers():
        return None, f"this onnxruntime is without {device.provider}; see the extra 'gpu' in pyproject.toml"
    try:
        session = onnxruntime.InferenceSession(data, options, providers=_providers(device, half), enable_fallback=False)
    except Exception as error:  # the runtime's own classes have no base
        return None, reason_of(error)
    if session.get_providers()[0] != device.provider:
        return None, "the provider did not start; its libraries (CUDA, cuDNN, TensorRT) may be missing"
    return session, ""


def reason_of(error: Exception) -> str:
    """ONNX Runtime's own words, in one line and without its brackets."""
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))[:300]


def _providers(device: Device, half: bool) -> list[Any]:
    cuda = {
        "device_id": device.index,
        "gpu_mem_limit": MOST_GPU_MEMORY,
        "arena_extend_strategy": "kSameAsRequested",
        # Trying every algorithm takes seconds for each new size, in which all sessions would be late.
        "cudnn_conv_algo_search": "HEURISTIC",
        # Tensor cores want channels last; convolutions of 16-bit numbers would be turned round one by one.
        "prefer_nhwc": int(half),
    }
    tensorrt = {"device_id": device.index, "trt_fp16_enable": half}
    if device.kind == "cpu":
        return [_PROVIDERS["cpu"]]
    on_cuda = [(_PROVIDERS["cuda"], cuda)]  # the CPU, for what a GPU cannot do, is always there
    return on_cuda if device.kind == "cuda" else [(_PROVIDERS["tensorrt"], tensorrt), *on_cuda]


def _options(threads: int, device: Device, varied: bool) -> onnxruntime.SessionOptions:
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Its errors are raised as well, except why a provider did not start.
    options.log_severity_level = 4 if device == CPU else 3
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if varied:
        options.enable_mem_pattern = options.enable_cpu_mem_arena = False
    else:
        _limit_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
    # A thread that spins while it waits takes a core from drawing and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


@functools.cache
def _limit_memory() -> None:
    """One pool of CPU memory for all sessions, which fails what asks for more than there is to have."""
    onnxruntime = _runtime()
    info = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    same_as_requested = 1
    arena = onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY, "arena_extend_strategy": same_as_requested})
    onnxruntime.create_and_register_allocator(info, arena)
