"""Kokoro's network at work: runs in the process of `anchor.voice.engine_host`.

A request is ``{"speaker": {name: share}, "pieces": [{"symbols", "speed", "pitch", "volume", "pause"}]}``: speed and
pitch (factors) and volume (decibels) of each symbol, or one for all, and the silence after the piece in seconds. Each
piece is answered with its sound, silence at both ends cut off, and ``{"durations", "begin"}``: frames of each symbol
with the two ends, and how many samples were cut off before it. Networks that tell no durations have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from anchor.errors import ConfigError, ModelError, VoiceError
from anchor.media import Samples
from anchor.voice import kokoro_files
from anchor.voice.kokoro_graph import DURATIONS, PITCH
from anchor.voice.kokoro_symbols import MARKS, MOST, ids

RATE = 24_000
FRAME = 600
"""Samples of a frame, of which the network predicts how many each symbol takes."""
LATE_SECONDS = 0.060
"""By how much the network's sound comes before the frames it predicts for it (against `drivers.speechnet.align`)."""
LEAD_SECONDS, TAIL_SECONDS = 0.04, 0.12
"""Sound kept before the first and after the last symbol."""
_FADE_SECONDS = 0.01
_QUIET = 0.003
"""Largest sample of what counts as silence, where there are no durations to tell."""


class KokoroEngine:
    """`anchor.voice.engine_host.Engine`. `device` is ``cpu``, ``auto`` or ``cuda:0``. Raises `AnchorError`."""

    def __init__(self, *, model: str, threads: int = 1, device: str = "cpu") -> None:
        self._files = kokoro_files.find(Path(model))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        # Sentences are of all lengths: patterns of memory are not worth remembering, each would be kept.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(str(self._files.network), options, providers=providers(device))
        except ConfigError:
            raise
        except Exception as error:
            raise ModelError(f"{self._files.network}: ONNX Runtime cannot load it: {error}") from None
        self._types = {one.name: one.type for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]
        self._each = PITCH in self._types
        self._styles: dict[str, NDArray[np.float32]] = {}

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": RATE, "provider": self._session.get_providers()[0]}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        style = self._style(request["speaker"])
        for piece in request["pieces"]:
            sound, durations = self._run(piece, style)
            told: dict[str, Any] = {}
            begin, end = self._edges(sound, durations, piece["symbols"])
            if durations is not None:
                told = {"durations": durations.tolist(), "begin": begin}
                sound = _louder(sound, durations, piece["volume"])
            sound = _faded(sound[begin:end])
            silence = np.zeros(round(float(piece["pause"]) * RATE), np.float32)
            yield told, np.concatenate([sound, silence])

    def _style(self, shares: dict[str, float]) -> NDArray[np.float32]:
        mixed = np.zeros((MOST, kokoro_files.STYLE), np.float32)
        for name, share in shares.items():
            if name not in self._styles:
                if name not in self._files.speakers:
                    raise VoiceError(f"Kokoro has no speaker {name!r}")
                rows = self._files.style(name)
                self._styles[name] = rows[np.minimum(np.arange(MOST), len(rows) - 1)]
            mixed += np.float32(share) * self._styles[name]
        return mixed

    def _run(self, piece: dict[str, Any], style: NDArray[np.float32]) -> tuple[Samples, NDArray[np.int64] | None]:
        numbers = np.array([list(ids(piece["symbols"]))], np.int64)
        count = numbers.shape[1]
        speed = _each(piece["speed"], count) if self._each else np.array([np.mean(piece["speed"])], np.float32)
        feeds = {
            "tokens" if "tokens" in self._types else "input_ids": numbers,
            "style": style[min(count - 2, MOST) - 1][None],
            "speed": speed if "float" in self._types["speed"] else np.maximum(1, np.rint(speed)).astype(np.int32),
        }
        if self._each:
            feeds[PITCH] = _each(piece["pitch"], count)
        found = dict(zip(self._outputs, self._session.run(None, feeds), strict=True))
        durations = found.pop(DURATIONS, None)
        sound = np.asarray(next(iter(found.values())), np.float32).ravel()
        if durations is None or np.size(durations) != count:
            return sound, None
        return sound, np.asarray(durations).ravel().astype(np.int64)

    def _edges(self, sound: Samples, durations: NDArray[np.int64] | None, symbols: str) -> tuple[int, int]:
        if durations is None:
            loud = np.flatnonzero(np.abs(sound) > _QUIET)
            first, last = (int(loud[0]), int(loud[-1])) if loud.size else (0, 0)
        else:
            last_symbol = max(
                (place for place, one in enumerate(symbols) if one not in MARKS and one != " "), default=0
            )
            times = np.cumsum(durations) * FRAME - round(LATE_SECONDS * RATE)
            first, last = int(times[0]), int(times[last_symbol + 1])
        begin = max(0, first - round(LEAD_SECONDS * RATE))
        return begin, max(begin, min(len(sound), last + round(TAIL_SECONDS * RATE)))


def _each(value: float | list[float], count: int) -> NDArray[np.float32]:
    """A value for each symbol and the two ends."""
    if isinstance(value, list):
        return np.array([1.0, *value, 1.0], np.float32)
    return np.full(count, value, np.float32)


def _louder(sound: Samples, durations: NDArray[np.int64], volume: float | list[float]) -> Samples:
    if not isinstance(volume, list):
        return sound * np.float32(10 ** (volume / 20)) if volume else sound
    if not any(volume):
        return sound
    middles = (np.cumsum(durations) - durations / 2) * FRAME - round(LATE_SECONDS * RATE)
    curve = np.interp(np.arange(len(sound)), middles, [0.0, *volume, 0.0])
    return np.asarray(sound * 10 ** (curve / 20), np.float32)


def _faded(sound: Samples) -> Samples:
    length = min(len(sound) // 2, round(_FADE_SECONDS * RATE))
    if not length:
        return sound
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
    faded = sound.copy()
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded


def providers(device: str) -> list[Any]:
    """ONNX Runtime's providers for ``cpu``, ``auto`` or ``cuda:0``, best first. Raises `ConfigError`."""
    match = re.fullmatch(r"cpu|auto|cuda(?::(\d{1,2}))?", device)
    if match is None:
        raise ConfigError(f"voice.options.device = {device!r}: choose cpu, auto or cuda:0")
    there = onnxruntime.get_available_providers()
    if device == "cpu" or (device == "auto" and "CUDAExecutionProvider" not in there):
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in there:
        raise ConfigError(f"voice.options.device = {device!r}: this ONNX Runtime has {', '.join(there)}")
    return [("CUDAExecutionProvider", {"device_id": int(match[1] or 0)}), "CPUExecutionProvider"]
