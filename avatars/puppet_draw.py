"""Pixels for puppets: boxes, laying layers over each other, turning and inverting fields, I420."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats, Picture

_NOTHING: Any = None


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open rectangle of pixels with even corners, inside the picture."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, x0: float, y0: float, x1: float, y1: float, frame: Box) -> Box:
        """The smallest box with even corners that holds these bounds, cut at `frame`."""
        left, top = max(frame.x0, math.floor(x0)) & ~1, max(frame.y0, math.floor(y0)) & ~1
        right, bottom = min(frame.x1, (math.ceil(x1) + 1) & ~1), min(frame.y1, (math.ceil(y1) + 1) & ~1)
        return cls(left, top, right, bottom)

    @property
    def empty(self) -> bool:
        return self.x0 >= self.x1 or self.y0 >= self.y1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x1 - self.x0, self.y1 - self.y0

    def union(self, other: Box) -> Box:
        if self.empty or other.empty:
            return other if self.empty else self
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def meet(self, other: Box) -> Box:
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def of(self, image: Bytes, within: Box) -> Bytes:
        """This box's part of an image that covers `within`: a view."""
        return image[self.y0 - within.y0 : self.y1 - within.y0, self.x0 - within.x0 : self.x1 - within.x0]


def over(below: Bytes, layer: Bytes) -> None:
    """Lay premultiplied BGRA over BGR in place; `below` may be a view into a larger image."""
    rest = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(layer, 3)), cv2.COLOR_GRAY2BGR)
    cv2.multiply(below, rest, below, 1 / 255)
    cv2.add(below, cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR), below)


def over_layer(below: Bytes, layer: Bytes) -> None:
    """Lay premultiplied BGRA over premultiplied BGRA in place."""
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    cv2.multiply(below, cv2.merge((rest, rest, rest, rest)), below, 1 / 255)
    cv2.add(below, layer, below)


def paste(below: Bytes, picture: Bytes, mask: Bytes) -> None:
    """Mix BGR into BGR in place where `mask`, uint8 of one channel, says so."""
    wide = cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)
    cv2.multiply(below, cv2.bitwise_not(wide), below, 1 / 255)
    cv2.add(below, cv2.multiply(picture, wide, None, 1 / 255), below)


def sample(image: Bytes, at: Floats) -> Bytes:
    """Bilinear samples of an image at pixel coordinates (rows, columns, 2); outside it is transparent."""
    return cast(Bytes, cv2.remap(image, at, _NOTHING, cv2.INTER_LINEAR))


def sample_field(field: Floats, at: Floats) -> Floats:
    """Bilinear samples of a field at node coordinates; outside it goes on as at its edge."""
    return cast(Floats, cv2.remap(field, at, _NOTHING, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def enlarge(field: Floats, times: int) -> Floats:
    """Interpolate a coarse field: node i comes to lie at pixel ``(i + 0.5) * times - 0.5``."""
    size = (field.shape[1] * times, field.shape[0] * times)
    return cast(Floats, cv2.resize(field, size, interpolation=cv2.INTER_LINEAR))


def affine(image: Bytes, matrix: Any, size: tuple[int, int], *, backward: bool = False) -> Bytes:
    """Transform an image by a 2x3 matrix, from its pixels to the result's or `backward`; outside is transparent."""
    flags = cv2.INTER_LINEAR | (cv2.WARP_INVERSE_MAP if backward else 0)
    return cast(Bytes, cv2.warpAffine(image, np.asarray(matrix, np.float64), size, flags=flags))


def convert(image: Bytes, box: Box, canvas: Picture) -> None:
    """Write BGR of a box's size into that box of the canvas."""
    width, height = box.size
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    canvas.y[box.y0 : box.y1, box.x0 : box.x1] = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    x0, y0, x1, y1 = box.x0 // 2, box.y0 // 2, box.x1 // 2, box.y1 // 2
    canvas.u[y0:y1, x0:x1] = chroma[0]
    canvas.v[y0:y1, x0:x1] = chroma[1]


FAR = 4.2
"""Distance from which heads are seen, in head heights."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A head pose for drawing: radians about `pivot`, the place where the head sits on the neck, and art pixels."""

    yaw: float
    pitch: float
    roll: float
    x: float
    y: float
    pivot: tuple[float, ...]
    far: float
    """Distance of the viewer, in art pixels."""

    def matrix(self) -> Floats:
        """Rows for x, y and the change of depth, of points (x, y, depth) relative to the pivot: float32, (3, 3)."""
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(self.pitch), math.sin(self.pitch)
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        across = np.array([cy, 0.0, sy])
        down = np.array([sp * sy, cp, -sp * cy])
        near = np.array([-cp * sy, sp, cp * cy - 1.0])
        return np.array([cr * across - sr * down, sr * across + cr * down, near], np.float32)

    def move(self, solid: Floats) -> tuple[Floats, Floats]:
        """Where points relative to the pivot, (3, n), are seen: art x and y.

        Weak perspective by the change of depth alone: what does not turn stays exactly where it was drawn.
        """
        x, y, near = self.matrix() @ solid
        near *= np.float32(1 / self.far)
        near += np.float32(1)
        return x * near + np.float32(self.pivot[0] + self.x), y * near + np.float32(self.pivot[1] + self.y)


def planes(points: Floats) -> Floats:
    """Points of shape (..., n) as n rows of one coordinate each."""
    return np.ascontiguousarray(points.reshape(-1, points.shape[-1]).T)


def invert(targets: Floats, moves: Floats, rounds: int) -> Floats:
    """Solve ``q + moves(q) = target`` by fixed-point iteration; all in units of the grid that `moves` is given on."""
    q = targets
    for _ in range(rounds):
        q = cast(Floats, cv2.subtract(targets, sample_field(moves, q)))
    return q
