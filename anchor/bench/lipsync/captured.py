"""Speech of which a face was captured: sound beside ``bs_value_NAME.npy`` and ``bs_name.npy``.

The layout is that of FACEGOOD's Audio2Face material: 30 faces a second of 116 channels, whose names are a list of
their own, and of which one is the opening of the jaw.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.bench.corpus import read_sound
from anchor.bench.lipsync.classes import RATE
from anchor.bench.lipsync.metrics import EARLIEST, LATEST, correlation
from anchor.errors import LabelError
from anchor.media import Floats, Samples

NAMES = "bs_name.npy"
JAW = "mouth_stretch_c"
CAPTURE_FPS = 30


@dataclass(frozen=True, slots=True)
class Capture:
    """A recording and how far the jaw was open in it, `RATE` times a second."""

    sound: Path
    jaw: Floats

    def audio(self) -> Samples:
        return read_sound(self.sound)


def captures(folder: Path) -> list[Capture]:
    """Every captured recording under `folder`. Raises `LabelError`."""
    found = []
    for names in sorted(folder.rglob(NAMES)):
        channels = [str(name) for name in _load(names).ravel()]
        if JAW not in channels:
            raise LabelError(f"{names}: has no channel {JAW}")
        for values in sorted(names.parent.glob("bs_value_*.npy")):
            sound = values.with_name(values.stem.removeprefix("bs_value_") + ".wav")
            weights = _load(values)
            if weights.ndim != 2 or weights.shape[1] != len(channels) or weights.dtype.kind not in "fiu":
                raise LabelError(
                    f"{values}: is no table of {len(channels)} numbers a frame, as {names.name} names them"
                )
            if not sound.is_file():
                raise LabelError(f"{values}: needs {sound.name} beside it")
            jaw = weights[:, channels.index(JAW)].astype(np.float64)
            if not np.isfinite(jaw).all():
                raise LabelError(f"{values}: holds numbers that are none")
            times = (np.arange(len(jaw)) + 0.5) / CAPTURE_FPS
            steps = (np.arange(len(jaw) * RATE // CAPTURE_FPS) + 0.5) / RATE
            found.append(Capture(sound, np.interp(steps, times, jaw).astype(np.float32)))
    return found


def _load(path: Path) -> NDArray[Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Old files say "(Bool) align"; they are read all the same.
            return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise LabelError(f"{path}: cannot be read as an array: {error}") from error


def jaw_correlation(jaws: list[Floats], captured: list[Capture]) -> tuple[float, int]:
    """How jaws, `RATE` times a second, follow the captured ones after one constant lag, and that lag in steps."""
    fits = {
        lag: float(
            np.mean([correlation(jaw, capture.jaw, lag=lag) for jaw, capture in zip(jaws, captured, strict=True)])
        )
        for lag in sorted(range(-LATEST, LATEST - EARLIEST), key=abs)
    }
    lag = max(fits, key=lambda each: -1.0 if np.isnan(fits[each]) else fits[each])
    return fits[lag], lag
