"""Networks of 32-bit numbers as ones of 16 bits: half the memory and several times the speed on a GPU."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def halved(path: Path, data: bytes) -> bytes:
    """The ONNX file in `data` with 16-bit numbers inside and its inputs and outputs as they were.

    They are converted on the device, where it costs nothing. As it was, with a line in the log, where that cannot be.
    """
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        log.warning("%s runs with 32-bit numbers: %s is not installed; see the extra 'gpu'", path, error.name)
        return data
    try:
        model: Any = convert_float_to_float16(onnx.load_from_string(data), keep_io_types=True)
    except Exception as error:  # whatever a converter stumbles over, the network runs without it
        log.warning("%s runs with 32-bit numbers: it cannot be converted: %s", path, error)
        return data
    converted: bytes = model.SerializeToString()
    return converted
