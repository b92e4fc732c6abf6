"""A panel that appears: one picture without the figures and one with them, and when each pixel turns."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.media import Bytes, Picture
from avatars.overlay import Area, Box, Colour, Sheet

SOFT = 14
"""How many of the 256 steps of time a pixel takes to turn."""

Points = NDArray[np.floating[Any]]
"""Float, shape (count, 2): x and y in pixels."""

_FINER = 4
"""Lines and slices are drawn so many times larger, and then averaged."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the picture: `before` and `after` are its planes Y, U and V, `turns` when each pixel turns (0..255)."""

    box: Box
    before: tuple[Bytes, Bytes, Bytes]
    after: tuple[Bytes, Bytes, Bytes]
    turns: tuple[Bytes, Bytes]
    """Of luma and of chroma."""
    changing: tuple[Area, Area]
    """The part in which the two differ, in luma and in chroma."""

    def draw(self, picture: Picture, phase: float) -> None:
        """Lay it over a picture, complete at phase 1."""
        table = None
        if phase < 1:
            turned = (phase * (255 + SOFT) - np.arange(256)) / SOFT
            table = np.rint(np.clip(turned, 0, 1) * 255).astype(np.uint8)
        for number, plane in enumerate((picture.y, picture.u, picture.v)):
            share = 1 if number == 0 else 2
            left, top = self.box.x // share, self.box.y // share
            target = plane[top : top + self.box.height // share, left : left + self.box.width // share]
            if table is None:
                target[:] = self.after[number]
                continue
            target[:] = self.before[number]
            area = self.changing[min(number, 1)]
            if not target[area].size:
                continue
            strength = cv2.LUT(self.turns[min(number, 1)][area], table)
            new = cv2.multiply(self.after[number][area], strength, scale=1 / 255)
            old = cv2.multiply(self.before[number][area], cv2.bitwise_not(strength), scale=1 / 255)
            target[area] = cv2.add(new, old)


class Painter:
    """Draws a panel. What is drawn on `ground` is there at once, what is drawn on `figures` when its time comes."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.ground = Sheet(box.width, box.height)
        self.figures = Sheet(box.width, box.height)
        # What nobody has said a time for comes last.
        self.turns: Bytes = np.full((box.height, box.width), 255, np.uint8)

    def turn(self, left: float, top: float, right: float, bottom: float, at: float | Bytes) -> None:
        """Say when the pixels of a rectangle turn, 0..1, or their times 0..255 by column, row or pixel."""
        area = _area(left, top, right, bottom)
        part = self.turns[area]
        if part.size:
            part[:] = at if isinstance(at, np.ndarray) else round(255 * min(1.0, max(0.0, at)))

    def sweep(
        self, left: float, top: float, right: float, bottom: float, *, axis: int, span: tuple[float, float]
    ) -> None:
        """Let a rectangle turn from one side to the other during a span of time.

        `axis` 1: from the left to the right, 0: from the top down; with a reversed span the other way.
        """
        area = _area(left, top, right, bottom)
        part = self.turns[area]
        if part.size:
            ramp = np.linspace(span[0] * 255, span[1] * 255, part.shape[axis])
            shaped = np.clip(np.rint(ramp), 0, 255).astype(np.uint8)
            part[:] = shaped[None, :] if axis == 1 else shaped[:, None]

    def finish(self) -> Panel:
        before = _planes(self.ground)
        keep = 1 - self.figures.paint[3]
        self.ground.paint *= keep
        self.ground.paint += self.figures.paint
        after = _planes(self.ground)
        differs = np.zeros((self.box.height // 2, self.box.width // 2), bool)
        for old, new in zip(before, after, strict=True):
            change = old != new
            if change.shape != differs.shape:
                change = change.reshape(differs.shape[0], 2, differs.shape[1], 2).any(axis=(1, 3))
            differs |= change
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        area = (slice(0, 0), slice(0, 0))
        if rows.size:
            area = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
        double = tuple(slice(2 * part.start, 2 * part.stop) for part in area)
        turns = (self.turns, np.ascontiguousarray(self.turns[::2, ::2]))
        return Panel(self.box, before, after, turns, ((double[0], double[1]), area))


def _area(left: float, top: float, right: float, bottom: float) -> Area:
    """All pixels that a rectangle touches, so that no soft edge turns before the rest."""
    return (
        slice(max(0, floor(top)), max(0, ceil(bottom))),
        slice(max(0, floor(left)), max(0, ceil(right))),
    )


def _planes(sheet: Sheet) -> tuple[Bytes, Bytes, Bytes]:
    """An opaque sheet as planes Y, U and V."""
    red, green, blue, _ = sheet.paint
    luma = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    small = [cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for part in (red, green, blue)]
    # Both pictures of a panel get the same grain: dark gradients show bands in chroma first.
    grain = np.random.default_rng(5).random((2, *small[0].shape), np.float32)
    noise = grain[0] - grain[1]
    u = noise + 128 - 37.797 * small[0] - 74.203 * small[1] + 112 * small[2]
    v = noise[::-1] + 128 + 112 * small[0] - 93.786 * small[1] - 18.214 * small[2]
    planes = [np.clip(np.rint(part), 0, 255).astype(np.uint8) for part in (luma, u, v)]
    return planes[0], planes[1], planes[2]


def shade(sheet: Sheet, box: Box, top: Colour, bottom: Colour) -> None:
    """Fill a part of a sheet from the top down, with a dither that leaves no bands."""
    share = np.linspace(0, 1, box.height, dtype=np.float32)[:, None]
    grain = np.random.default_rng(7).random((2, box.height, box.width), np.float32)
    noise = (grain[0] - grain[1]) * np.float32(1.2 / 255)
    area = (slice(box.y, box.bottom), slice(box.x, box.right))
    for plane, first, last in zip(sheet.paint[:3], top, bottom, strict=True):
        plane[area] = np.clip((first + (last - first) * share) / 255 + noise, 0, 1)
    sheet.paint[3][area] = 1


def stroke(points: Points, thickness: float) -> tuple[Bytes, int, int]:
    """A line through two points or more with round joints: a mask of coverage 0..255, and where it belongs (x, y)."""
    rim = int(np.ceil(thickness)) + 2
    left, top = (int(edge) - rim for edge in np.floor(points.min(axis=0)))
    right, bottom = (int(edge) + rim for edge in np.ceil(points.max(axis=0)))
    mask = np.zeros(((bottom - top) * _FINER, (right - left) * _FINER), np.uint8)
    fixed = np.rint((points - (left, top)) * _FINER * 16).astype(np.int32)
    thick = max(1, round(thickness * _FINER))
    cv2.polylines(mask, [fixed.reshape(-1, 1, 2)], False, (255,), thick, cv2.LINE_AA, 4)
    small = cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), left, top


def disc(radius: float) -> Bytes:
    """A mask of a disc in a square of 2 * ceil(radius) + 2 pixels."""
    side = 2 * int(np.ceil(radius)) + 2
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    return np.asarray(np.rint(np.clip(radius - np.hypot(x, y) + 0.5, 0, 1) * 255), np.uint8)
