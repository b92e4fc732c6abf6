"""Sessions of ONNX Runtime for voices, in the processes of their engines."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from anchor.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import onnxruntime

log = logging.getLogger(__name__)

MOST_BYTES = 2 << 30
"""Of a network that somebody brought; larger ones are kept in several files, which are not read."""


def check_device(name: str, where: str = "voice.options.device") -> str:
    """`name` if it is one of a device. Raises `ConfigError`."""
    if re.fullmatch(r"auto|cpu|cuda(:\d{1,2})?", name) is None:
        raise ConfigError(f"{where} = {name!r}: choose auto, cpu, cuda or cuda:1, with the number of the GPU")
    return name


def open_session(path: Path, data: bytes, device: str, *, threads: int) -> tuple[onnxruntime.InferenceSession, str]:
    """A session for a checked ONNX file, and the device that it runs on: a GPU that is not there is done without.

    Raises `ModelError`, which names `path`.
    """
    import onnxruntime

    reason = ""
    for provider, place, options in _choices(device):
        try:
            session = onnxruntime.InferenceSession(
                data, _options(threads), providers=[(provider, options)], enable_fallback=False
            )
        except Exception as error:  # the runtime's own classes have no base
            reason = " ".join(str(error).split())[:300]
        else:
            if session.get_providers()[0] == provider:
                return session, place
            reason = "the provider did not start; its libraries may be missing"
        log.warning("%s does not run on %s: %s", path, place, reason)
    raise ModelError(f"{path}: ONNX Runtime cannot load it: {reason}")


def _choices(device: str) -> list[tuple[str, str, dict[str, int | str]]]:
    import onnxruntime

    kind, _, number = device.partition(":")
    cpu: tuple[str, str, dict[str, int | str]] = ("CPUExecutionProvider", "cpu", {})
    gpu_there = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if kind == "cpu" or (kind == "auto" and not gpu_there):
        return [cpu]
    if not gpu_there:
        log.warning("this onnxruntime has no CUDA; see the extra 'gpu'")
        return [cpu]
    # Trying every algorithm takes seconds for each new size, and every sentence is one.
    cuda: dict[str, int | str] = {"device_id": int(number or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [("CUDAExecutionProvider", f"cuda:{number or 0}", cuda), cpu]


def _options(threads: int) -> onnxruntime.SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # A thread that spins while it waits takes a core from drawing and encoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
