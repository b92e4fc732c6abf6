"""Graphics that are drawn once in colour and then laid over many I420 pictures at little cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.media import Bytes, Picture

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255, sRGB."""

Field = NDArray[np.floating[Any]]
"""Float32 numbers, one for every pixel."""

Area = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; all four numbers are even, so that it covers whole pixels of chroma."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def inside(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """The largest even box within these edges."""
        x, y = ceil(left / 2) * 2, ceil(top / 2) * 2
        return cls(x, y, max(2, int((right - x) / 2) * 2), max(2, int((bottom - y) / 2) * 2))

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def overlaps(self, other: Box) -> bool:
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom


class Sheet:
    """A transparent sheet to draw on: premultiplied planes R, G, B and A, float32 0..1, shape (4, height, width)."""

    def __init__(self, width: int, height: int) -> None:
        # Even sides, because chroma has half the size.
        self.width, self.height = width + width % 2, height + height % 2
        self.paint: Field = np.zeros((4, self.height, self.width), np.float32)

    def plate(
        self,
        box: tuple[float, float, float, float],
        left: Colour,
        *,
        right: Colour | None = None,
        radius: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        """Lay a rounded rectangle (x, y, width, height) of one colour or a level gradient."""
        x, y, width, height = box
        area = (slice(max(0, int(y)), max(0, ceil(y + height))), slice(max(0, int(x)), max(0, ceil(x + width))))
        rows, columns = (np.arange(self.paint.shape[axis + 1], dtype=np.float32)[area[axis]] + 0.5 for axis in (0, 1))
        across = np.abs(columns - x - width / 2)[None, :] - width / 2 + radius
        down = np.abs(rows - y - height / 2)[:, None] - height / 2 + radius
        # Signed distance to a rounded box (I. Quilez, "2D distance functions"); half a pixel each side is the edge.
        outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0)) + np.minimum(np.maximum(across, down), 0)
        cover = np.clip(radius - outside + 0.5, 0, 1) * np.float32(alpha)
        share = np.clip((columns - x) / max(width, 1), 0, 1)[None, :]
        ends = zip(left, right or left, strict=True)
        self._over(area, cover, [first / 255 + (last - first) / 255 * share for first, last in ends])

    def text(self, mask: Bytes, x: int, y: int, colour: Colour, alpha: float = 1.0) -> None:
        """Lay a mask of coverage, its top left corner at (x, y); what falls off the sheet is cut."""
        left, top = max(0, x), max(0, y)
        part = mask[top - y : max(0, self.height - y), left - x : max(0, self.width - x)]
        if part.size:
            area = (slice(top, top + part.shape[0]), slice(left, left + part.shape[1]))
            self._over(area, part * np.float32(alpha / 255), [value / 255 for value in colour])

    def shadow(self, mask: Bytes, x: int, y: int, blur: float, alpha: float) -> None:
        """Lay a soft black shadow of a mask."""
        margin = int(3 * blur) + 1
        grown = cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(0,))
        soft = cv2.GaussianBlur(grown, (0, 0), blur).astype(np.float32) * 1.8
        self.text(np.clip(soft, 0, 255).astype(np.uint8), x - margin, y - margin, (0, 0, 0), alpha)

    def _over(self, area: Area, cover: Field, colours: Sequence[Field | float]) -> None:
        """Porter and Duff's "over" (1984) with premultiplied colours."""
        keep = 1 - cover
        for plane, colour in zip(self.paint, (*colours, 1.0), strict=True):
            part = plane[area]
            part *= keep
            part += cover * colour

    def finish(self, x: int, y: int) -> Overlay:
        """Make an overlay whose top left corner lies at (x, y), moved to even pixels."""
        red, green, blue, alpha = self.paint
        # ITU-R BT.601, limited range, as OpenCV converts; constants ride on alpha because colours are premultiplied.
        luma = 16 * alpha + 65.481 * red + 128.553 * green + 24.966 * blue
        chroma = (
            128 * alpha - 37.797 * red - 74.203 * green + 112 * blue,
            128 * alpha + 112 * red - 93.786 * green - 18.214 * blue,
        )
        planes = [_plane(luma, alpha), *(_plane(_halve(part), _halve(alpha)) for part in chroma)]
        return Overlay(x - x % 2, y - y % 2, self.width, self.height, tuple(planes))


@dataclass(frozen=True, slots=True)
class Plane:
    """One plane of an overlay: what it adds, what it keeps of the picture (255 all), and where it keeps nothing."""

    add: Bytes
    keep: Bytes
    opaque: Area | None
    rims: tuple[Area, ...]

    def blend(self, picture: Bytes, strength: float) -> None:
        """Change the part of a picture's plane that lies below, in place."""
        width = picture.shape[1]
        if strength < 1:
            keep = cv2.convertScaleAbs(self.keep[:, :width], alpha=strength, beta=255 * (1 - strength))
            add = cv2.convertScaleAbs(self.add[:, :width], alpha=strength)
            cv2.add(cv2.multiply(picture, keep, scale=1 / 255), add, dst=picture)
            return
        if self.opaque is not None:
            picture[self.opaque] = self.add[self.opaque][:, : max(0, width - self.opaque[1].start)]
        for rim in self.rims:
            below = picture[rim]
            if below.size:
                keep, add = self.keep[rim][:, : below.shape[1]], self.add[rim][:, : below.shape[1]]
                below[:] = cv2.add(cv2.multiply(below, keep, scale=1 / 255), add)


@dataclass(frozen=True, slots=True)
class Overlay:
    """A graphic ready to be laid over pictures at (x, y): planes Y, U and V."""

    x: int
    y: int
    width: int
    height: int
    planes: tuple[Plane, ...]

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.width, self.height)

    def blend(self, picture: Picture, *, strength: float = 1.0, width: int | None = None) -> None:
        """Lay it over a picture: faintly where `strength` is below 1, or only its first `width` pixels (even)."""
        across = self.width if width is None else width
        if across <= 0 or strength <= 0:
            return
        for plane, target, share in zip(self.planes, (picture.y, picture.u, picture.v), (1, 2, 2), strict=True):
            x, y = self.x // share, self.y // share
            plane.blend(target[y : y + self.height // share, x : x + across // share], strength)

    def blend_rows(self, picture: Picture, first: int, y: int, rows: int, *, strength: float = 1.0) -> None:
        """Lay only some of its rows, from `first` on, at a height of the picture. All numbers are even."""
        top, foot = max(0, first), min(self.height, first + rows)
        if foot <= top or strength <= 0:
            return
        y += top - first
        for plane, target, share in zip(self.planes, (picture.y, picture.u, picture.v), (1, 2, 2), strict=True):
            x, width = self.x // share, self.width // share
            part = target[y // share : (y + foot - top) // share, x : x + width]
            keep, add = plane.keep[top // share : foot // share], plane.add[top // share : foot // share]
            if strength < 1:
                keep = np.asarray(cv2.convertScaleAbs(keep, alpha=strength, beta=255 * (1 - strength)), np.uint8)
                add = np.asarray(cv2.convertScaleAbs(add, alpha=strength), np.uint8)
            part[:] = cv2.add(cv2.multiply(part, keep, scale=1 / 255), add)


def yuv(colour: Colour) -> tuple[int, int, int]:
    """A colour as Y, U and V (ITU-R BT.601, limited range)."""
    red, green, blue = (part / 255 for part in colour)
    return (
        round(16 + 65.481 * red + 128.553 * green + 24.966 * blue),
        round(128 - 37.797 * red - 74.203 * green + 112 * blue),
        round(128 + 112 * red - 93.786 * green - 18.214 * blue),
    )


def fill(picture: Picture, box: Box, colour: Colour) -> None:
    """Paint a rectangle of even edges; what lies outside the picture is cut."""
    for plane, value in zip((picture.y, picture.u, picture.v), yuv(colour), strict=True):
        share = picture.width // plane.shape[1]
        plane[max(0, box.y) // share : box.bottom // share, max(0, box.x) // share : box.right // share] = value


def _plane(add: Field, alpha: Field) -> Plane:
    keep = np.rint(255 * (1 - alpha)).astype(np.uint8)
    opaque, rims = _parts(keep)
    return Plane(np.clip(np.rint(add), 0, 255).astype(np.uint8), keep, opaque, rims)


def _parts(keep: Bytes) -> tuple[Area | None, tuple[Area, ...]]:
    """Split into one opaque rectangle, which is only copied, and the rims around it, which are mixed."""
    height, width = keep.shape
    whole = (slice(0, height), slice(0, width))
    solid = np.flatnonzero(keep[:, width // 2] == 0)
    if not solid.size:
        return None, (whole,)
    top, foot = int(solid[0]), int(solid[-1]) + 1
    clear = np.flatnonzero(keep[top:foot].max(axis=0) == 0)
    if not clear.size or keep[top:foot, clear[0] : clear[-1] + 1].any():
        return None, (whole,)
    left, right = int(clear[0]), int(clear[-1]) + 1
    rims = (
        (slice(0, top), slice(0, width)),
        (slice(foot, height), slice(0, width)),
        (slice(top, foot), slice(0, left)),
        (slice(top, foot), slice(right, width)),
    )
    kept = tuple(rim for rim in rims if keep[rim].size and (keep[rim] < 255).any())
    return (slice(top, foot), slice(left, right)), kept


def _halve(plane: Field) -> Field:
    """Mean of every 2x2 pixels, as 4:2:0 chroma is sited between them."""
    return np.asarray(cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
