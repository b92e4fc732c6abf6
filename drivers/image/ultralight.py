"""Ultralight Digital Human and FeatherTalk: small networks trained for one person, which hear HuBERT or WeNet.

A crop from the bridge of the nose down, 168 pixels a side; the inner 160 are what the network sees: as they are, and
with a black rectangle where it paints. HuBERT gives 1,024 numbers every 20 ms, WeNet 16 x 512 every 50 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from anchor.clock import Clock
from anchor.media import Bytes, Floats
from anchor.ports import FaceShape
from drivers.features import DECIMATION_SECONDS, RATE, Ear, kaldi_fbank, normalised
from drivers.image.blocks import Blocks, Stretch
from drivers.image.manifest import Manifest
from drivers.image.nets import Hearing, picture
from drivers.image.paste import Box
from drivers.image.signature import Bound, fixed
from drivers.runtime import batcher_for

_AROUND = 4
"""Moments of sound before a picture, and as many from it on."""
_BLACK = (5, 5, 155, 150)
"""Left, top, right and bottom of what is painted, of 160 pixels."""

_HUBERT_HOP, _HUBERT_WINDOW = 320, 400
_HUBERT_FPS = 25.0
_STRETCH = Stretch(_HUBERT_HOP * 10, _HUBERT_HOP * 50, _HUBERT_HOP * 9 + _HUBERT_WINDOW)
"""Blocks of 200 ms, with a second before them and what the last picture in them hears after it."""

_WENET_FPS = 20.0
_WENET_FRAMES = 67
_WENET_BEFORE = 32 * 160
"""Samples before a picture where the 67 spectra of its moment begin."""
_WENET_SAMPLES = (_WENET_FRAMES - 1) * 160 + 400


class Ultralight:
    family = "ultralight"

    def __init__(self, bound: Bound, encoder: Bound, manifest: Manifest, clock: Clock) -> None:
        self.bounds = (bound, encoder)
        self._bound, self._encoder = bound, encoder
        side = fixed(bound.spec("face"), 2)
        self.size = (side, side)
        self.painted: Box = tuple(edge / 160 for edge in _BLACK)  # type: ignore[assignment]
        self._rgb = manifest.colour == "rgb"
        self._as_it_is = manifest.audio == "waveform"
        self._wenet = encoder.part == "wenet"
        # WeNet's caches have no batch: its requests carry whole inputs.
        whole = dict.fromkeys([*encoder.model.inputs, *encoder.model.outputs]) if self._wenet else None
        self._batcher, self._hearer = batcher_for(bound.model, clock), batcher_for(encoder.model, clock, whole)
        self.batchers = (self._batcher, self._hearer)
        if self._wenet:
            self.lookahead = ((_AROUND - 1) / _WENET_FPS) + (_WENET_SAMPLES - _WENET_BEFORE) / RATE + DECIMATION_SECONDS
        else:
            self.lookahead = _STRETCH.lookahead + DECIMATION_SECONDS

    def box(self, shape: FaceShape) -> Box:
        """A square as wide as the face, down from the bridge of the nose, without the border of 4 of 168 pixels."""
        c, border = shape.chin, 4 / 168
        left, top, side = -0.62 * c, 0.12 * c, 1.24 * c
        return left + border * side, top + border * side, left + side * (1 - border), top + side * (1 - border)

    def hearing(self) -> Hearing:
        return _WenetHearing(self) if self._wenet else _HubertHearing(self)

    async def hubert(self, sound: Floats, deadline: float) -> Floats:
        """Features of sound, (steps, 1024)."""
        heard = sound if self._as_it_is else normalised(sound)
        async with self._hearer as batcher:
            given = await batcher.submit({self._encoder.inputs["sound"]: heard}, deadline=deadline)
        found = np.asarray(given[self._encoder.outputs["features"]], np.float32)
        return cast(Floats, found.reshape(-1, 1024))

    async def wenet(self, sound: Floats, deadline: float) -> Floats:
        """Features of one moment, (16, 512). The caches are empty, as they are in the source."""
        names = self._encoder.inputs
        chunk = kaldi_fbank(sound)
        spec = self._encoder.spec("chunk")
        request: dict[str, Any] = {
            names["chunk"]: chunk[None, None] if len(spec.shape) == 4 else chunk[None],
            names["offset"]: np.full([1] * len(self._encoder.spec("offset").shape), 100, np.int64),
            names["attention"]: np.zeros((3, 8, 16, 128), np.float32),
            names["convolution"]: np.zeros((3, 1, 512, 14), np.float32),
        }
        async with self._hearer as batcher:
            given = await batcher.submit(request, deadline=deadline)
        return cast(Floats, np.asarray(given[self._encoder.outputs["features"]], np.float32).reshape(16, 512))

    def look(self, crops: Sequence[Bytes]) -> list[None]:
        return [None] * len(crops)

    async def paint(self, cue: Any, crop: Bytes, seen: None, deadline: float) -> Bytes:
        whole = (crop[..., ::-1] if self._rgb else crop).transpose(2, 0, 1).astype(np.float32) / 255
        masked = whole.copy()
        left, top, right, bottom = (round(edge * self.size[0] / 160) for edge in _BLACK)
        masked[:, top:bottom, left:right] = 0
        request = {
            self._bound.inputs["face"]: np.concatenate([whole, masked]),
            self._bound.inputs["audio"]: cue,
        }
        async with self._batcher as batcher:
            given = await batcher.submit(request, deadline=deadline)
        found = picture(self._bound, given[self._bound.outputs["face"]])
        return cast(Bytes, found[..., ::-1] if self._rgb else found)


class _HubertHearing:
    """Eight moments of 40 ms around a picture, two steps of 1,024 numbers each: (16, 32, 32)."""

    def __init__(self, net: Ultralight) -> None:
        self._blocks: Blocks[Floats] = Blocks(_STRETCH, net.hubert)

    def needs(self, middle: float) -> int:
        return _STRETCH.end(middle)

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        steps, start = await self._blocks.at(ear, middle, deadline)
        first = 2 * (int(middle * _HUBERT_FPS + 1e-6) - _AROUND) - start // _HUBERT_HOP
        return _padded(steps, first, 4 * _AROUND).reshape(16, 32, 32)


class _WenetHearing:
    """Eight moments of 50 ms around a picture, 16 x 512 numbers each: (128, 16, 32)."""

    def __init__(self, net: Ultralight) -> None:
        self._net = net
        self._known: dict[int, Floats] = {}

    def needs(self, middle: float) -> int:
        return _wenet_start(int(middle * _WENET_FPS + 1e-6) + _AROUND - 1) + _WENET_SAMPLES

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        number = int(middle * _WENET_FPS + 1e-6)
        wanted = range(number - _AROUND, number + _AROUND)
        self._known = {index: value for index, value in self._known.items() if index in wanted}
        for index in wanted:
            if index < 0:
                self._known[index] = np.zeros((16, 512), np.float32)
            elif index not in self._known:
                start = _wenet_start(index)
                sound = ear.take(start, start + _WENET_SAMPLES)
                self._known[index] = await self._net.wenet(sound, deadline)
        return np.stack([self._known[index] for index in wanted]).reshape(128, 16, 32)


def _wenet_start(index: int) -> int:
    return index * round(RATE / _WENET_FPS) - _WENET_BEFORE


def _padded(steps: Floats, first: int, count: int) -> Floats:
    """Steps from `first` on, zeros where there are none."""
    out = np.zeros((count, steps.shape[1]), np.float32)
    low, high = max(0, first), min(len(steps), first + count)
    if low < high:
        out[low - first : high - first] = steps[low:high]
    return out
