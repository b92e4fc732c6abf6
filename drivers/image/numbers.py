"""Networks that give numbers of a face for sound, and so move every avatar.

- One face for a window of sound: Audio2Face-3D (8,320 samples around the moment, and an emotion), and any like it.
- A sequence of faces for a stretch of sound: LAM-A2E (64 faces at 30 a second), and any like it.

They give the 52 weights of ARKit in its order, or those and further ones after them, or coefficients of their own with
a linear map to ARKit beside them (``solver`` in ``driver.json``).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from anchor.clock import Clock
from anchor.errors import ModelError
from anchor.media import ARKIT, Floats
from drivers.features import (
    DECIMATION_SECONDS,
    MEL_BINS,
    MEL_HOP,
    MEL_WINDOW,
    RATE,
    Ear,
    kaldi_fbank,
    normalised,
    wav2lip_mel,
)
from drivers.image.blocks import Blocks, Stretch
from drivers.image.manifest import Manifest
from drivers.image.signature import Bound, feed_shape, fixed
from drivers.image.wav2lip import BEFORE, FRAMES
from drivers.runtime import batcher_for

_KNOWN = (len(ARKIT), 51, 55, 61, 68)
"""Counts of numbers that begin with ARKit's; 51 leaves out tongueOut, the further ones are of tongue, eyes and head."""
_SEQUENCE_FPS = 30.0
_HOP, _AFTER = 0.2, 0.2
"""Seconds of a sequence that are used, and seconds heard after them."""
_MIX = 0.06
"""Seconds over which one sequence goes over into the next."""
_MOST = 3.0
_LARGEST_SOLVER = 4 << 20


def read_solver(path: Path) -> tuple[Floats, Floats]:
    """``matrix``, (coefficients, 52), and ``offset``, (52,), of an ``.npz``. Raises `ModelError`."""
    try:
        if path.stat().st_size > _LARGEST_SOLVER:
            raise ModelError(f"{path}: larger than {_LARGEST_SOLVER >> 20} MB")
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > 4 * _LARGEST_SOLVER:
                raise ModelError(f"{path}: unpacks to more than {4 * _LARGEST_SOLVER >> 20} MB")
        with np.load(path, allow_pickle=False) as arrays:
            matrix = np.asarray(arrays["matrix"], np.float32)
            offset = np.asarray(arrays["offset"], np.float32) if "offset" in arrays else np.zeros(52, np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: needs an array 'matrix' of coefficients to {len(ARKIT)} weights ({error})"
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] != len(ARKIT) or offset.shape != (len(ARKIT),):
        raise ModelError(f"{path}: 'matrix' must have {len(ARKIT)} columns, and 'offset' {len(ARKIT)} numbers")
    if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
        raise ModelError(f"{path}: holds numbers that are not finite")
    return matrix, offset


class _Sound:
    """How a network takes sound: the samples that it needs, and what it is fed of them, without the batch axis."""

    def __init__(self, bound: Bound, manifest: Manifest, length: int) -> None:
        spec = bound.spec("sound")
        self.front = manifest.audio or ""
        self._shape = tuple(fixed(spec, axis) for axis in range(1, len(spec.shape)))
        mel = MEL_BINS in self._shape[-2:]
        self.frames = 0
        if mel:
            self.frames = next((n for n in reversed(self._shape) if n not in (MEL_BINS, 1)), 0) or FRAMES
            self._across = self._shape[-2] == MEL_BINS
            if not self.front and self.frames == FRAMES and self._across:
                self.front = "wav2lip-mel"
            if self.front not in ("wav2lip-mel", "kaldi-25-10", "kaldi-50-20"):
                raise ModelError(
                    f"{bound.model.path}: takes {self.frames} spectra of {MEL_BINS} bins; say in driver.json "
                    "which they are: audio: wav2lip-mel, kaldi-25-10 or kaldi-50-20"
                )
        elif self.front not in ("", "waveform", "waveform-normalised"):
            raise ModelError(f"{manifest.where}: audio: {self.front!r} does not fit {spec}: it takes samples")
        window, hop = {"wav2lip-mel": (MEL_WINDOW, MEL_HOP), "kaldi-50-20": (800, 320)}.get(self.front, (400, 160))
        self.samples = window + (self.frames - 1) * hop if mel else self._shape[-1] or length
        # Wav2Lip's own windows lie around their moment like this; all others have it in their middle.
        wav2lip = self.front == "wav2lip-mel" and self.frames == FRAMES
        self.before = round(BEFORE * RATE) + MEL_WINDOW // 2 if wav2lip else self.samples // 2

    def feed(self, ear: Ear, start: int) -> Floats:
        if self.front == "wav2lip-mel":
            mel = wav2lip_mel(ear.take(start - 1, start + self.samples))
        elif self.frames:
            length, hop = (800, 320) if self.front == "kaldi-50-20" else (400, 160)
            mel = kaldi_fbank(ear.take(start, start + self.samples), length=length, hop=hop).T
        else:
            return self.samples_of(ear.take(start, start + self.samples))
        return np.ascontiguousarray(mel if self._across else mel.T).reshape([n or -1 for n in self._shape])

    def samples_of(self, sound: Floats) -> Floats:
        heard = normalised(sound) if self.front == "waveform-normalised" else sound
        return heard.reshape((1, -1) if len(self._shape) == 2 else (-1,))


class _Numbers:
    """What both kinds share: what is fed besides sound, and how what comes is read."""

    def __init__(self, bound: Bound, manifest: Manifest, clock: Clock, solver: Path | None) -> None:
        self.bounds = (bound,)
        self._bound = bound
        self._batcher = batcher_for(bound.model, clock)
        self.batchers = (self._batcher,)
        self._solver = read_solver(solver) if solver is not None else None
        spec = bound.model.outputs[bound.outputs["face"]]
        width = fixed(spec, len(spec.shape) - 1)
        if self._solver is not None:
            if self._solver[0].shape[0] != width:
                raise ModelError(f"{solver}: maps {self._solver[0].shape[0]} coefficients, the network gives {width}")
        elif width not in _KNOWN:
            raise ModelError(
                f"{bound.model.path}: gives {width} numbers a face, not the {len(ARKIT)} of ARKit; put a linear map "
                'beside it and name it in driver.json: {"files": {"net": ..., "solver": "map.npz"}}'
            )
        self._extras: dict[str, Floats] = {}
        for role, name in bound.inputs.items():
            if role != "sound":
                value = np.zeros(feed_shape(bound, role), np.float32)
                if role == "identity":
                    value[..., 0] = 1
                self._extras[name] = value

    async def _run(self, sound: Floats, deadline: float) -> Floats:
        async with self._batcher as batcher:
            given = await batcher.submit({self._bound.inputs["sound"]: sound, **self._extras}, deadline=deadline)
        found = np.asarray(given[self._bound.outputs["face"]], np.float32)
        return self._arkit(found.reshape(-1, found.shape[-1]))

    def _arkit(self, numbers: Floats) -> Floats:
        """Weights, (faces, 52). Raises `ModelError` for numbers that cannot be any."""
        if not np.isfinite(numbers).all():
            raise ModelError(f"{self._bound.model.path}: gives numbers that are not finite (NaN or infinity)")
        if self._solver is not None:
            numbers = numbers @ self._solver[0] + self._solver[1]
        count = min(len(ARKIT), numbers.shape[1])
        weights = np.zeros((len(numbers), len(ARKIT)), np.float32)
        weights[:, :count] = numbers[:, :count]
        if float(np.abs(weights).max()) > _MOST:
            raise ModelError(
                f"{self._bound.model.path}: gives weights up to {float(np.abs(weights).max()):.3g}, not 0 to 1; "
                "export it so that 1 is a whole movement"
            )
        return cast(Floats, np.clip(weights, 0, 1))


class WindowNet(_Numbers):
    """One face for one window of sound."""

    family = "window-net"

    def __init__(self, bound: Bound, manifest: Manifest, clock: Clock, solver: Path | None = None) -> None:
        super().__init__(bound, manifest, clock, solver)
        self.sound = _Sound(bound, manifest, 8320)
        self.lookahead = (self.sound.samples - self.sound.before) / RATE + DECIMATION_SECONDS

    def hearing(self) -> _WindowHearing:
        return _WindowHearing(self)

    async def face(self, ear: Ear, middle: float, deadline: float) -> Floats:
        found = await self._run(self.sound.feed(ear, round(middle * RATE) - self.sound.before), deadline)
        return cast(Floats, found[0])


class _WindowHearing:
    def __init__(self, net: WindowNet) -> None:
        self._net = net

    def needs(self, middle: float) -> int:
        sound = self._net.sound
        return round(middle * RATE) - sound.before + sound.samples

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        return await self._net.face(ear, middle, deadline)


class SequenceNet(_Numbers):
    """Many faces for a stretch of sound; the last whole ones are used, as those have a past."""

    family = "sequence-net"

    def __init__(self, bound: Bound, manifest: Manifest, clock: Clock, solver: Path | None = None) -> None:
        super().__init__(bound, manifest, clock, solver)
        spec = bound.model.outputs[bound.outputs["face"]]
        self.fps = manifest.fps or _SEQUENCE_FPS
        count = fixed(spec, 1) or 64
        self.sound = _Sound(bound, manifest, round(count / self.fps * RATE))
        hop, after = round(_HOP * RATE), round(_AFTER * RATE)
        before = self.sound.samples - hop - after
        if before < 0 or self.sound.frames:
            raise ModelError(f"{bound.model.path}: must take samples of at least {_HOP + _AFTER:g} s: {spec}")
        self.stretch = Stretch(hop, before, after)
        self.lookahead = self.stretch.lookahead + DECIMATION_SECONDS

    def hearing(self) -> _SequenceHearing:
        return _SequenceHearing(self)

    async def faces(self, sound: Floats, deadline: float) -> Floats:
        return await self._run(self.sound.samples_of(sound), deadline)


class _SequenceHearing:
    def __init__(self, net: SequenceNet) -> None:
        self._net = net
        self._blocks: Blocks[Floats] = Blocks(net.stretch, net.faces)

    def needs(self, middle: float) -> int:
        return self._net.stretch.end(middle)

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        faces, start = await self._blocks.at(ear, middle, deadline)
        found = self._at(faces, start, middle)
        into = middle - self._net.stretch.number(middle) * self._net.stretch.hop / RATE
        if self._blocks.before is not None and into < _MIX:
            share = np.float32(into / _MIX)
            found = share * found + (1 - share) * self._at(*self._blocks.before, middle)
        return found

    def _at(self, faces: Floats, start: int, middle: float) -> Floats:
        """The face of a moment between two of the sequence."""
        place: Any = np.clip((middle - start / RATE) * self._net.fps - 0.5, 0, len(faces) - 1)
        low = int(place)
        high, share = min(low + 1, len(faces) - 1), np.float32(place - low)
        return cast(Floats, (1 - share) * faces[low] + share * faces[high])
