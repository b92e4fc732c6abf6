"""What is seen between parted lips: cavity, lower teeth and tongue, which fall with the jaw, and upper teeth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from anchor.media import ARKIT_INDEX, Bytes, Floats
from avatars.puppet_draw import Box, affine, over
from avatars.puppet_parts import Layer, Texture

MOUTH_LAYERS = ("cavity", "teeth_lower", "tongue", "teeth_upper")
"""Layers of a mouth, from the back to the front while the tongue lies in it."""
_TONGUE_SHOWN = 0.12
"""Weight of `tongueOut` from which the tongue lies on the lower teeth instead of behind them."""
_JAW, _TONGUE, _FUNNEL, _PUCKER = (ARKIT_INDEX[n] for n in ("jawOpen", "tongueOut", "mouthFunnel", "mouthPucker"))


@dataclass(frozen=True, slots=True)
class Inside:
    """The layers at working size, in the order of `MOUTH_LAYERS`; `unit` is a thousandth of the head in art pixels."""

    textures: tuple[Texture, ...]
    jaw_drop: float
    unit: float

    @classmethod
    def of(cls, layers: Mapping[str, Layer], scale: float, jaw_drop: float, tall: float) -> Self:
        """`scale` is that of the textures; `tall` the head from crown to chin in art pixels."""
        return cls(tuple(layers[name].texture(scale) for name in MOUTH_LAYERS), jaw_drop, tall * 1e-3)

    def draw(
        self, above: Floats, below: Floats, weights: Floats, frame: Box, corners: Floats,
        place: Callable[[float], Floats], zoom: float,
    ) -> tuple[Box, Bytes, Bytes] | None:  # fmt: skip
        """The box of `frame` that the opening covers, BGR of it, and a mask: uint8, 0..255; None outside the frame.

        `above` and `below` are the edges of the lips in pixels; the opening reaches well under the red of both,
        which then covers the cut. `corners`, (3, 2), are art positions, and `place` says at which pixels they are seen
        when they have fallen by so many art pixels; `zoom` is pixels for an art pixel.
        """
        reach = np.array([0, 8.0 * self.unit * zoom], np.float32)
        outline = np.concatenate([above - reach, (below + reach)[::-1]])
        (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
        box = Box.around(float(x0) - 1, float(y0) - 1, float(x1) + 1, float(y1) + 1, frame)
        if box.empty:
            return None
        mask = np.zeros((box.size[1], box.size[0]), np.uint8)
        corner = np.array([box.x0 + 0.5, box.y0 + 0.5], np.float32)
        cv2.fillPoly(mask, [np.rint((outline - corner) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        picture = np.zeros((*mask.shape, 3), np.uint8)
        parts = list(zip(self.textures, self._falls(weights), strict=True))
        if float(weights[_TONGUE]) < _TONGUE_SHOWN:
            # The tongue lies behind the lower teeth until it is put out over them.
            parts[1], parts[2] = parts[2], parts[1]
        for texture, fall in parts:
            target = np.asarray(place(fall) - corner, np.float32)
            over(
                picture, affine(texture.pixels, cv2.getAffineTransform(texture.coordinates(corners), target), box.size)
            )
        return box, picture, mask

    def _falls(self, weights: Floats) -> tuple[float, ...]:
        """By how many art pixels each layer lies lower than at rest."""
        drop, out = max(0.0, float(weights[_JAW])) * self.jaw_drop, float(weights[_TONGUE])
        rounded = min(1.0, float(weights[_FUNNEL]) + float(weights[_PUCKER]))
        unit = self.unit
        return 0.0, drop * 0.96 + 4 * unit, drop * (0.72 - 0.30 * out) + (8 - 6 * out) * unit, -28 * rounded * unit
