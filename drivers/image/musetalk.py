"""MuseTalk 1.5: a folder of networks that repaint the lower half of a face in the latent space of an image codec.

Whisper's encoder (tiny) hears, all five of its inner states; `unet` paints in one step; `vae_decoder` makes pixels.
`vae_encoder` makes latents of every picture of the footage, once. Pictures are RGB, -1..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from anchor.clock import Clock
from anchor.errors import ModelError
from anchor.media import Bytes, Floats
from anchor.ports import FaceShape
from drivers.features import DECIMATION_SECONDS, RATE, Ear, whisper_mel
from drivers.image.blocks import Blocks, Stretch
from drivers.image.manifest import Manifest
from drivers.image.nets import picture
from drivers.image.paste import Box
from drivers.image.signature import Bound, feed_shape
from drivers.runtime import batcher_for, stacked

SIDE = 256
_SCALE = 0.18215
"""Of the latents of the codec of Stable Diffusion 1."""
_STEP = RATE // 50
"""Samples for one of Whisper's states."""
_STATES, _WIDTH = 5, 384
_BACK, _STEPS = 4, 10
"""States before a picture and in all that it hears: two pictures before and two after it, at 25 a second."""
_STRETCH = Stretch(10 * _STEP, 100 * _STEP, (_STEPS - _BACK) * _STEP + 400)
"""Blocks of 200 ms, with two seconds before them; Whisper takes 30 s, of which the rest is silence."""
_MARGIN = 0.06
"""What is seen under the chin, in heights from eyes to chin."""


def positions(length: int, width: int) -> Floats:
    """The sinusoidal encoding of places (Vaswani et al. 2017): float32, (length, width)."""
    at = np.arange(length)[:, None] * np.exp(np.arange(0, width, 2) * (-np.log(10000.0) / width))
    out = np.empty((length, width), np.float32)
    out[:, 0::2], out[:, 1::2] = np.sin(at), np.cos(at)
    return out


class MuseTalk:
    family = "musetalk"
    lookahead = _STRETCH.lookahead + DECIMATION_SECONDS
    size = (SIDE, SIDE)
    painted: Box = (0, 0.5, 1, 1)

    def __init__(self, parts: dict[str, Bound], manifest: Manifest, clock: Clock) -> None:
        self.bounds = tuple(parts.values())
        self._parts = parts
        self._bgr = manifest.colour == "bgr"
        self._batchers = {part: batcher_for(bound.model, clock) for part, bound in parts.items()}
        self.batchers = tuple(self._batchers.values())
        self._time = np.zeros(feed_shape(parts["unet"], "time"), np.int64)
        self._positions = positions(_STEPS * _STATES, _WIDTH)

    def box(self, shape: FaceShape) -> Box:
        """As wide as a face; from under the chin to as far above the middle of the nose."""
        c = shape.chin
        return -0.62 * c, -0.30 * c, 0.62 * c, (1 + _MARGIN) * c

    def hearing(self) -> _WhisperHearing:
        return _WhisperHearing(self)

    async def _ask(self, part: str, role: str, feeds: dict[str, Any], deadline: float) -> Floats:
        bound = self._parts[part]
        request = {bound.inputs[key]: value for key, value in feeds.items()}
        async with self._batchers[part] as batcher:
            given = await batcher.submit(request, deadline=deadline)
        return np.asarray(given[bound.outputs[role]], np.float32)

    async def states(self, sound: Floats, deadline: float) -> Floats:
        """All states of Whisper's encoder for sound, (steps, 5, 384)."""
        found = await self._ask("whisper", "states", {"mel": whisper_mel(sound)}, deadline)
        found = found.reshape([n for n in found.shape if n != 1])
        if found.ndim != 3 or _STATES not in found.shape[:2] or found.shape[2] != _WIDTH:
            raise ModelError(f"{self._parts['whisper'].model.path}: gives states of {found.shape}, not T x 5 x 384")
        if found.shape[0] == _STATES:
            found = found.transpose(1, 0, 2)
        return found[: -(-sound.size // _STEP)]

    async def prompt(self, states: Floats, deadline: float) -> Floats:
        """Ten states in a row, (10, 5, 384), as the network takes them: (50, 384), with their places."""
        rows = np.ascontiguousarray(states.reshape(_STEPS * _STATES, _WIDTH))
        if "positions" in self._parts:
            return await self._ask("positions", "audio", {"audio": rows}, deadline)
        return cast(Floats, rows + self._positions)

    def look(self, crops: Sequence[Bytes]) -> list[Floats]:
        """Latents of every crop with its lower half black, and of the crop as it is: (8, 32, 32) each."""
        bound = self._parts["vae_encoder"]
        run = stacked(bound.model)
        latents = []
        for crop in crops:
            whole = (crop if self._bgr else crop[..., ::-1]).transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
            masked = whole.copy()
            masked[:, SIDE // 2 :] = -1
            parts = []
            for result in run([{bound.inputs["picture"]: values} for values in (masked, whole)]):
                if isinstance(result, Exception):
                    raise result
                # Some exports give mean and spread of a distribution, of which the mean is wanted.
                parts.append(np.asarray(result[bound.outputs["latents"]], np.float32)[:4] * np.float32(_SCALE))
            latents.append(np.concatenate(parts))
        return latents

    async def paint(self, cue: Any, crop: Bytes, seen: Floats, deadline: float) -> Bytes:
        feeds = {"latents": seen, "audio": cue, "time": self._time}
        painted = await self._ask("unet", "latents", feeds, deadline)
        made = await self._ask("vae_decoder", "picture", {"latents": painted / np.float32(_SCALE)}, deadline)
        found = picture(self._parts["vae_decoder"], made, 127.5, 127.5)
        return cast(Bytes, found if self._bgr else found[..., ::-1])


class _WhisperHearing:
    def __init__(self, net: MuseTalk) -> None:
        self._net = net
        self._blocks: Blocks[Floats] = Blocks(_STRETCH, net.states)

    def needs(self, middle: float) -> int:
        return _STRETCH.end(middle)

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        states, start = await self._blocks.at(ear, middle, deadline)
        first = 2 * int(middle * 25 + 1e-6) - _BACK - start // _STEP
        heard = np.zeros((_STEPS, _STATES, _WIDTH), np.float32)
        low, high = max(0, first), min(len(states), first + _STEPS)
        heard[low - first : high - first] = states[low:high]
        return await self._net.prompt(heard, deadline)
