"""Kokoro's network, run whole or in its two halves (see `anchor.voice.kokoro_graph`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.media import Samples
from anchor.onnx_session import open_session
from anchor.onnxfile import read_checked
from anchor.voice.kokoro_graph import DURATIONS, HALVES, PITCH
from anchor.voice.kokoro_symbols import ids

_Floats = NDArray[np.float32]
_LEAST = {"sequence_length": 3, "speeds": 3, "frames": 2, "halves": 4}


@dataclass(frozen=True, slots=True)
class Planned:
    """What the first half gives. `content`: (1, 512, frames), `tune` and `strength`: (1, 2 * frames)."""

    durations: NDArray[np.int64]
    content: _Floats
    tune: _Floats
    strength: _Floats

    @property
    def frames(self) -> int:
        return int(self.content.shape[2])


class Network:
    """A loaded network. Raises `ModelError` for a file that ONNX Runtime does not load."""

    def __init__(self, path: Path, *, threads: int, device: str) -> None:
        self._session, self.device = open_session(path, read_checked(path), device, threads=threads, varied=True)
        self._inputs = {one.name: one for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]
        self.halved = HALVES[0] in self._inputs
        self._unused = {name: _anything(one) for name, one in self._inputs.items()} if self.halved else {}

    def whole(self, symbols: str, style: _Floats, speed: float) -> Samples:
        """The sound of symbols from a network as it is published. `style`: (1, 256)."""
        feeds = {
            "tokens" if "tokens" in self._inputs else "input_ids": np.array([list(ids(symbols))], np.int64),
            "style": style,
            "speed": np.array([speed], np.float32)
            if "float" in self._inputs["speed"].type
            else np.maximum(1, np.rint([speed])).astype(np.int32),
        }
        if PITCH in self._inputs:
            feeds[PITCH] = np.ones(len(symbols) + 2, np.float32)
        found = dict(zip(self._outputs, self._session.run(None, feeds), strict=True))
        found.pop(DURATIONS, None)
        return np.asarray(next(iter(found.values())), np.float32).ravel()

    def plan(self, symbols: str, style: _Floats, *, speed: _Floats, pitch: _Floats) -> Planned:
        """Run the first half; speed and pitch are of each symbol and the two ends."""
        feeds = {
            **self._unused, "tokens": np.array([list(ids(symbols))], np.int64), "style": style, "speed": speed,
            PITCH: pitch,
        }  # fmt: skip
        names = [DURATIONS, *(f"{half}_out" for half in HALVES)]
        durations, content, tune, strength = self._session.run(names, feeds)
        return Planned(np.asarray(durations).ravel().astype(np.int64), content, tune, strength)

    def sound(self, planned: Planned, style: _Floats, *, start: int = 0, end: int | None = None) -> Samples:
        """The sound of frames `start` to `end`, normalised by what it is itself."""
        feeds = self._second(planned, style, start, planned.frames if end is None else end)
        return np.asarray(self._session.run(["audio"], feeds)[0], np.float32).ravel()

    def _second(self, planned: Planned, style: _Floats, start: int, end: int) -> dict[str, Any]:
        return {
            **self._unused, "style": style, "content": planned.content[:, :, start:end],
            "tune": planned.tune[:, 2 * start : 2 * end], "strength": planned.strength[:, 2 * start : 2 * end],
        }  # fmt: skip


def _anything(one: Any) -> NDArray[Any]:
    """The least that the half which is not asked for can be given: it runs all the same, in a few milliseconds."""
    kind = np.int64 if one.type == "tensor(int64)" else np.float32
    return np.ones([size if isinstance(size, int) else _LEAST.get(size, 1) for size in one.shape], kind)
