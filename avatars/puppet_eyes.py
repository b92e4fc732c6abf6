"""A puppet's eyes: ball, iris and lids, drawn into the texture of its face."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import ARKIT_INDEX, Bytes, Floats
from avatars.puppet_draw import affine, over_layer
from avatars.puppet_parts import EyeParts, Layer, Texture

Look = tuple[float, float, float, float]
"""Closure of the upper lid, rise of the lower lid, and the iris's place in texture pixels (right, down)."""

_SIDEWAYS, _UPWARDS = 0.55, 0.45
"""Radians that the eyeLook coefficients turn an eye at full weight."""


def _index(name: str) -> tuple[int, int]:
    return ARKIT_INDEX[name + "Left"], ARKIT_INDEX[name + "Right"]


_BLINK, _SQUINT, _WIDE = _index("eyeBlink"), _index("eyeSquint"), _index("eyeWide")
_UP, _DOWN, _IN, _OUT = _index("eyeLookUp"), _index("eyeLookDown"), _index("eyeLookIn"), _index("eyeLookOut")
_CHEEK, _SMILE = _index("cheekSquint"), _index("mouthSmile")
EYE_COLUMNS = frozenset(_BLINK + _SQUINT + _WIDE + _UP + _DOWN + _IN + _OUT + _CHEEK + _SMILE)


@dataclass(frozen=True, slots=True)
class _Eye:
    pictures: tuple[tuple[Bytes, ...], ...]
    place: tuple[slice, slice]
    under: Bytes
    white: Bytes
    iris: Bytes
    iris_at: tuple[float, float]


class Eyes:
    """Both eyes of one view; `draw` changes the face's texture in place."""

    def __init__(self, parts: EyeParts, layers: dict[str, Layer], face: Texture) -> None:
        self._parts, self._face = parts, face
        self._now: list[Look | None] = [None, None]
        self._eyes = [self._eye("left", parts.left, layers), self._eye("right", parts.right, layers)]

    def _eye(self, side: str, centre: tuple[float, ...], layers: dict[str, Layer]) -> _Eye:
        parts, scale, face = self._parts, self._face.scale, self._face
        left, top, right, bottom = parts.box
        height, width = round(bottom - top), round(right - left)
        sheet = layers[f"lids_{side}"].pixels
        x, y = centre

        def picture(row: int, column: int) -> Texture:
            cell = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
            return Layer(np.ascontiguousarray(cell), x + left, y + top).texture(scale)

        rows, columns = range(len(parts.closures)), range(len(parts.rises))
        frame = picture(0, 0)
        down, across = frame.top - face.top, frame.left - face.left
        place = (slice(down, down + frame.pixels.shape[0]), slice(across, across + frame.pixels.shape[1]))
        if min(down, across) < 0 or face.pixels[place].shape != frame.pixels.shape:
            raise AvatarError("eyes.box: the lids must lie inside the face layer")
        under = face.pixels[place].copy()
        white = layers[f"eyeball_{side}"].at(x, y).texture(scale).on(frame)
        over_layer(under, white)
        iris = layers[f"iris_{side}"].texture(scale)
        at = (iris.left + x * scale - frame.left, iris.top + y * scale - frame.top)
        alpha = white[..., 3]
        pictures = tuple(tuple(picture(row, column).pixels for column in columns) for row in rows)
        return _Eye(pictures, place, under, cast(Bytes, cv2.merge((alpha, alpha, alpha, alpha))), iris.pixels, at)

    def bounds(self) -> list[tuple[float, float, float, float]]:
        """The lid pictures of both eyes in art pixels: left, top, right, bottom."""
        left, top, right, bottom = self._parts.box
        return [(x + left, y + top, x + right, y + bottom) for x, y in (self._parts.left, self._parts.right)]

    def looks(self, weights: Floats, gaze: tuple[float, float]) -> tuple[Look, Look]:
        """What the left and the right eye show, in the steps in which it is drawn."""
        return self._look(weights, gaze, 0), self._look(weights, gaze, 1)

    def _look(self, weights: Floats, gaze: tuple[float, float], side: int) -> Look:
        blink, squint, wide = (float(weights[pair[side]]) for pair in (_BLINK, _SQUINT, _WIDE))
        up, down, inwards, outwards = (float(weights[pair[side]]) for pair in (_UP, _DOWN, _IN, _OUT))
        parts, scale = self._parts, self._face.scale
        # Outwards is the viewer's right for the anchor's left eye.
        yaw = gaze[0] + (-1 if side else 1) * _SIDEWAYS * (outwards - inwards)
        pitch = gaze[1] + _UPWARDS * (up - down)
        rest = 0.26 * squint + 0.34 * down - 0.20 * up + parts.closures[0] * wide
        closure = min(1.0, max(parts.closures[0], blink + rest * (1 - blink)))
        rise = 0.75 * squint + 0.55 * float(weights[_CHEEK[side]]) + 0.30 * float(weights[_SMILE[side]])
        yaw, pitch = min(0.7, max(-0.7, yaw)), min(0.55, max(-0.55, pitch))
        x = (parts.iris_rest[0] + parts.ball_radius * math.sin(yaw)) * scale
        y = (parts.iris_rest[1] - 0.62 * parts.ball_radius * math.sin(pitch)) * scale
        return round(closure * 64) / 64, round(min(1.0, rise) * 16) / 16, round(x * 4) / 4, round(y * 4) / 4

    def draw(self, looks: tuple[Look, Look]) -> list[int]:
        """Bring the texture to these looks; returns which eyes changed."""
        changed = [side for side in (0, 1) if looks[side] != self._now[side]]
        for side in changed:
            self._draw(self._eyes[side], looks[side])
            self._now[side] = looks[side]
        return changed

    def _draw(self, eye: _Eye, look: Look) -> None:
        closure, rise, x, y = look
        picture = eye.under.copy()
        if closure < 1:
            matrix = [[1, 0, eye.iris_at[0] + x], [0, 1, eye.iris_at[1] + y]]
            iris = affine(eye.iris, matrix, (picture.shape[1], picture.shape[0]))
            over_layer(picture, cast(Bytes, cv2.multiply(iris, eye.white, None, 1 / 255)))
        over_layer(picture, self._lids(eye, closure, rise))
        self._face.pixels[eye.place] = picture

    def _lids(self, eye: _Eye, closure: float, rise: float) -> Bytes:
        """Between four lid pictures: the nearest two closures and rises."""
        row, down = _between(self._parts.closures, closure)
        column, across = _between(self._parts.rises, rise)
        upper = _mix(eye.pictures[row][column], eye.pictures[row][column + 1], across)
        return _mix(upper, _mix(eye.pictures[row + 1][column], eye.pictures[row + 1][column + 1], across), down)


def _between(levels: tuple[float, ...], value: float) -> tuple[int, float]:
    """The level below `value`, and how far it is to the next."""
    index = min(max(bisect_right(levels, value) - 1, 0), len(levels) - 2)
    return index, (value - levels[index]) / (levels[index + 1] - levels[index])


def _mix(a: Bytes, b: Bytes, share: float) -> Bytes:
    if share <= 0:
        return a
    return b if share >= 1 else cast(Bytes, cv2.addWeighted(a, 1 - share, b, share, 0))
