"""The Wav2Lip family (Prajwal et al. 2020): a mel spectrum and a face whose lower half is blacked give a face.

In the source's training the window of sound for picture i begins at that of picture i - 1 (``get_segmented_mels``), in
its inference at that of i: there the lips lead by a picture. Here it begins as in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from anchor.clock import Clock
from anchor.media import Bytes, Floats
from anchor.ports import FaceShape
from drivers.features import DECIMATION_SECONDS, MEL_HOP, MEL_WINDOW, RATE, Ear, mel_reach, wav2lip_mel
from drivers.image.manifest import Manifest
from drivers.image.nets import picture
from drivers.image.paste import Box
from drivers.image.signature import Bound, fixed
from drivers.runtime import batcher_for

FRAMES = 16
BEFORE = 0.06
"""Seconds from the window's begin to the middle of its picture: at 25 pictures a second, one and a half of them."""
_WINDOW = (FRAMES - 1) * MEL_HOP / RATE + MEL_WINDOW / 2 / RATE
"""Seconds from the window's begin to the end of what its last spectrum hears."""


class MelHearing:
    """Windows of 16 mel spectra, 200 ms."""

    def __init__(self, before: float = BEFORE) -> None:
        self._before = before

    def needs(self, middle: float) -> int:
        return mel_reach(self._first(middle) + FRAMES - 1)[1]

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Floats:
        first = self._first(middle)
        return wav2lip_mel(ear.take(mel_reach(first)[0], mel_reach(first + FRAMES - 1)[1]))

    def _first(self, middle: float) -> int:
        """The mel frame where the window of a moment begins; a hair more, so that 80 / 25 stays what it is."""
        return int(np.floor((middle - self._before) * RATE / MEL_HOP + 1e-6))


class Wav2Lip:
    family = "wav2lip"

    def __init__(self, bound: Bound, manifest: Manifest, clock: Clock) -> None:
        self._bound = bound
        self.bounds = (bound,)
        side = fixed(bound.spec("face"), 2)
        self.size = (side, side)
        # The mouth lies in the lower half, which is all that is painted.
        self.painted: Box = (0, 0.5, 1, 1)
        self._before = 1.5 / manifest.fps if manifest.fps else BEFORE
        self.lookahead = _WINDOW - self._before + DECIMATION_SECONDS
        self._rgb = manifest.colour == "rgb"
        self._batcher = batcher_for(bound.model, clock)
        self.batchers = (self._batcher,)

    def box(self, shape: FaceShape) -> Box:
        """As the S3FD detector of the source frames faces, with its margin below the chin."""
        c = shape.chin
        return -0.64 * c, -0.76 * c, 0.64 * c, 1.07 * c

    def hearing(self) -> MelHearing:
        return MelHearing(self._before)

    def faces(self, crop: Bytes) -> Floats:
        """What the network sees: the crop with its lower half black, and the crop; float32, (6, side, side), 0..1."""
        seen = (crop[..., ::-1] if self._rgb else crop).transpose(2, 0, 1).astype(np.float32) / 255
        masked = seen.copy()
        masked[:, self.size[1] // 2 :] = 0
        return cast(Floats, np.concatenate([masked, seen]))

    def look(self, crops: Sequence[Bytes]) -> list[None]:
        return [None] * len(crops)

    async def paint(self, cue: Any, crop: Bytes, seen: None, deadline: float) -> Bytes:
        request = {self._bound.inputs["mel"]: cue[None], self._bound.inputs["face"]: self.faces(crop)}
        async with self._batcher as batcher:
            given = await batcher.submit(request, deadline=deadline)
        found = picture(self._bound, given[self._bound.outputs["face"]])
        return cast(Bytes, found[..., ::-1] if self._rgb else found)
