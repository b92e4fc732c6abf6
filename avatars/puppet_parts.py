"""What a puppet's package holds: layers of art, and the fields by which they move."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError
from anchor.media import ARKIT_INDEX, Bytes, Floats
from avatars.files import MOST_SIDE, image_size, read_arrays, read_image
from avatars.package import Manifest, Table
from avatars.puppet_draw import affine, over_layer, sample_field

LAYERS = (
    "face", "lip_upper", "lip_lower", "cavity", "teeth_upper", "teeth_lower", "tongue", "eyeball_left", "eyeball_right",
    "iris_left", "iris_right", "lids_left", "lids_right",
)  # fmt: skip
"""Layers that every figure has."""
FURTHER_LAYERS = ("background", "back", "neck", "body", "brows", "hair")
MOST_ART = 40 << 20
"""Most pixels of all layers together."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes `step` art pixels apart, the first at (left, top); `shape` is rows and columns."""

    left: float
    top: float
    step: float
    shape: tuple[int, int]

    @classmethod
    def read(cls, table: Table, key: str) -> Self:
        left, top, right, bottom, step = table.numbers(key, 5)
        if not (1 <= step <= 64 and step < right - left < 5000 and step < bottom - top < 5000):
            raise table.error(key, "must be [left, top, right, bottom, step] with a step from 1 to 64")
        return cls(left, top, step, (int((bottom - top) // step) + 1, int((right - left) // step) + 1))

    def points(self) -> Floats:
        """Art positions of the nodes: float32, shape (rows, columns, 2)."""
        rows, columns = self.shape
        x = self.left + self.step * np.arange(columns, dtype=np.float32)
        y = self.top + self.step * np.arange(rows, dtype=np.float32)
        return np.stack(np.meshgrid(x, y), axis=-1)

    def part(self, left: float, top: float, right: float, bottom: float) -> tuple[Grid, tuple[slice, slice]]:
        """The nodes around art bounds, with two to spare on each side, and where they are in this grid."""
        rows, columns = self.shape
        x0, y0 = max(0, int((left - self.left) // self.step) - 2), max(0, int((top - self.top) // self.step) - 2)
        x1 = min(columns, max(x0 + 2, int((right - self.left) // self.step) + 4))
        y1 = min(rows, max(y0 + 2, int((bottom - self.top) // self.step) + 4))
        found = Grid(self.left + x0 * self.step, self.top + y0 * self.step, self.step, (y1 - y0, x1 - x0))
        return found, (slice(y0, y1), slice(x0, x1))

    def nodes(self, points: Floats) -> Floats:
        """Node coordinates of art positions."""
        corner = np.array([self.left, self.top], np.float32)
        return cast(Floats, (points - corner) * np.float32(1 / self.step))

    def art(self, nodes: Floats) -> Floats:
        """Art positions of node coordinates."""
        return cast(Floats, nodes * np.float32(self.step) + np.array([self.left, self.top], np.float32))


@dataclass(frozen=True, slots=True)
class Texture:
    """A layer at working size: pixel (column, row) lies at art ((column + left + 0.5) / scale, ...)."""

    pixels: Bytes
    left: int
    top: int
    scale: float

    def coordinates(self, points: Floats) -> Floats:
        """Pixel coordinates of art positions, for sampling."""
        return cast(Floats, points * np.float32(self.scale) - np.array([self.left + 0.5, self.top + 0.5], np.float32))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in art pixels."""
        height, width = self.pixels.shape[:2]
        left, top, right, bottom = self.left, self.top, self.left + width, self.top + height
        return left / self.scale, top / self.scale, right / self.scale, bottom / self.scale

    def on(self, other: Texture) -> Bytes:
        """These pixels on the rectangle of another texture of the same scale."""
        out = np.zeros_like(other.pixels)
        y, x = self.top - other.top, self.left - other.left
        height, width = self.pixels.shape[:2]
        y0, x0, y1, x1 = max(y, 0), max(x, 0), min(y + height, out.shape[0]), min(x + width, out.shape[1])
        if y0 < y1 and x0 < x1:
            out[y0:y1, x0:x1] = self.pixels[y0 - y : y1 - y, x0 - x : x1 - x]
        return out


@dataclass(frozen=True, slots=True)
class Layer:
    """Art: premultiplied BGRA, uint8, and the art position of its upper left corner."""

    pixels: Bytes
    left: float
    top: float

    def at(self, x: float, y: float) -> Layer:
        return Layer(self.pixels, self.left + x, self.top + y)

    @classmethod
    def empty(cls) -> Self:
        """A layer with nothing on it, above the eyes."""
        return cls(np.zeros((1, 1, 4), np.uint8), 0, 0)

    def cropped(self, bottom: float = float("inf")) -> Layer:
        """Without empty margins, and without what lies below `bottom`."""
        rows = max(1, min(self.pixels.shape[0], math.ceil(min(bottom, 1e6) - self.top)))
        pixels = self.pixels[:rows]
        x, y, width, height = cv2.boundingRect(np.ascontiguousarray(pixels[..., 3]))
        if not width:
            return self
        return Layer(np.ascontiguousarray(pixels[y : y + height, x : x + width]), self.left + x, self.top + y)

    def texture(self, scale: float) -> Texture:
        """Scale by area to a pixel grid that all textures of this scale share."""
        height, width = self.pixels.shape[:2]
        x0, y0 = math.floor(self.left * scale), math.floor(self.top * scale)
        x1, y1 = math.ceil((self.left + width) * scale), math.ceil((self.top + height) * scale)
        # First to a few whole samples a pixel by interpolation, then the mean of each pixel's samples.
        fine = 1 if scale >= 1 else 2 if scale > 0.6 else math.ceil(1.4 / scale)
        k = scale * fine
        matrix = [[k, 0, self.left * k - x0 * fine + 0.5 * k - 0.5], [0, k, self.top * k - y0 * fine + 0.5 * k - 0.5]]
        large = affine(self.pixels, matrix, ((x1 - x0) * fine, (y1 - y0) * fine))
        if fine == 1:
            return Texture(large, x0, y0, scale)
        small = cv2.resize(large, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        return Texture(cast(Bytes, small), x0, y0, scale)


def join(*layers: Layer) -> Layer:
    """One layer of several, the first at the bottom; their corners must lie whole pixels apart."""
    left, top = min(item.left for item in layers), min(item.top for item in layers)
    right = max(item.left + item.pixels.shape[1] for item in layers)
    bottom = max(item.top + item.pixels.shape[0] for item in layers)
    pixels = np.zeros((round(bottom - top), round(right - left), 4), np.uint8)
    for item in layers:
        y, x = round(item.top - top), round(item.left - left)
        over_layer(pixels[y : y + item.pixels.shape[0], x : x + item.pixels.shape[1]], item.pixels)
    return Layer(pixels, left, top)


def premultiplied(image: Bytes) -> Bytes:
    """Straight-alpha BGRA to premultiplied."""
    return cast(Bytes, cv2.cvtColor(image, cv2.COLOR_RGBA2mRGBA))


@dataclass(frozen=True, slots=True)
class EyeParts:
    """Where eyes and lid pictures are, in art pixels; `left` is the anchor's own."""

    left: tuple[float, ...]
    right: tuple[float, ...]
    box: tuple[float, ...]
    closures: tuple[float, ...]
    rises: tuple[float, ...]
    iris_rest: tuple[float, ...]
    ball_radius: float

    @classmethod
    def read(cls, table: Table) -> Self:
        eyes = cls(
            table.numbers("left", 2), table.numbers("right", 2), table.numbers("box", 4), table.numbers("closures"),
            table.numbers("rises"), table.numbers("iris_rest", 2), table.number("ball_radius", 1, 4000),
        )  # fmt: skip
        for key, levels in (("closures", eyes.closures), ("rises", eyes.rises)):
            if len(levels) < 2 or any(b <= a for a, b in itertools.pairwise(levels)):
                raise table.error(key, "must be two or more rising numbers")
        if not (eyes.box[0] + 1 < eyes.box[2] and eyes.box[1] + 1 < eyes.box[3]):
            raise table.error("box", "must be [left, top, right, bottom]")
        table.done()
        return eyes


@dataclass(frozen=True, slots=True)
class Rig:
    """How the art moves.

    `columns` are the places in `anchor.media.ARKIT` of the coefficients that move skin; `head`, `upper` and `lower` are
    their displacements in art pixels at full weight, shape (coefficients, rows, columns, 2), on `grid` and, for the two
    lips, on `lip_grid`; after the coefficients comes one row that always applies, which shuts a mouth that is open in
    the art. `depth` says how far layers stand out, on `grid`; `share` how much of all movement the face layer follows.
    `mouth` and `mouth_below` are the inner edges of the upper and the lower lip, corner to corner, as drawn.
    """

    crown: float
    chin: float
    pivot: tuple[float, ...]
    neck: tuple[float, ...]
    chest: tuple[float, ...]
    lift: float
    grid: Grid
    lip_grid: Grid
    columns: NDArray[np.intp]
    head: Floats
    upper: Floats
    lower: Floats
    depth: dict[str, Floats]
    share: Floats | None
    mouth: Floats
    mouth_below: Floats
    mouth_depth: float
    jaw_drop: float
    eyes: EyeParts

    @classmethod
    def read(cls, manifest: Manifest, layers: Collection[str]) -> Self:
        """Read the rig of a figure with these layers."""
        figure, mouth, eyes = (manifest.rest.table(key) for key in ("figure", "mouth", "eyes"))
        shapes = figure.texts("shapes")
        for name in shapes:
            if name not in ARKIT_INDEX:
                raise figure.error("shapes", f"{name!r} is not an ARKit coefficient")
        file = figure.text("fields")
        arrays = read_arrays(manifest.folder, file)
        grid, lip_grid = Grid.read(figure, "grid"), Grid.read(mouth, "grid")

        def take(key: str, *shape: int) -> Floats:
            found = arrays.get(key)
            if found is None or found.shape != shape:
                raise AvatarError(f"{manifest.folder / file}: needs an array {key!r} of shape {shape}")
            return found

        def basis(key: str, on: Grid) -> Floats:
            always = take(f"rest_{key}", *on.shape, 2) if f"rest_{key}" in arrays else np.zeros((*on.shape, 2))
            return np.concatenate([take(key, len(shapes), *on.shape, 2), always[None]]).astype(np.float32)

        line, below = mouth.points("line"), mouth.points("line_below", optional=True)
        if below is not None and below.shape != line.shape:
            raise mouth.error("line_below", f"must have {len(line)} points, like line")
        rig = cls(
            figure.number("crown"), figure.number("chin"), figure.numbers("pivot", 3), figure.numbers("neck", 2),
            figure.numbers("chest", 2), figure.number("lift", 0, 100), grid, lip_grid,
            np.array([ARKIT_INDEX[name] for name in shapes], np.intp),
            basis("head", grid), basis("upper", lip_grid), basis("lower", lip_grid),
            {name: take(f"depth_{name}", *grid.shape) for name in ("face", "hair", "back") if name in layers},
            take("share", *grid.shape) if "share" in arrays else None,
            line, line if below is None else below, mouth.number("depth"), mouth.number("jaw_drop"),
            EyeParts.read(eyes),
        )  # fmt: skip
        if not 16 <= rig.chin - rig.crown <= 4000:
            raise figure.error("chin", "must lie 16 to 4000 art pixels below the crown")
        for key, (upper, lower) in (("neck", rig.neck), ("chest", rig.chest)):
            if lower - upper < 1:
                raise figure.error(key, "must be [top, bottom]")
        figure.done()
        mouth.done()
        return rig

    @property
    def tall(self) -> float:
        """Crown to chin, in art pixels."""
        return self.chin - self.crown

    def solid(self, name: str) -> Floats:
        """Nodes of `grid` with a layer's depth (the face's, where there is no such layer), relative to the pivot.

        Float32, shape (rows, columns, 3).
        """
        return self._solid(self.grid.points(), self.depth.get(name, self.depth["face"]))

    def lip_solid(self) -> Floats:
        """Nodes of `lip_grid` with the face's depth, relative to the pivot."""
        points = self.lip_grid.points()
        return self._solid(points, sample_field(self.depth["face"], self.grid.nodes(points)))

    def _solid(self, points: Floats, depth: Floats) -> Floats:
        return cast(Floats, np.concatenate([points, depth[..., None]], axis=-1) - np.array(self.pivot, np.float32))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer's picture is, in its package and in the art."""

    file: str
    left: float
    top: float

    @classmethod
    def read(cls, entry: Table) -> Self:
        left, top = entry.numbers("at", 2)
        if max(abs(left), abs(top)) > MOST_SIDE:
            raise entry.error("at", f"is farther than {MOST_SIDE} art pixels from the face")
        place = cls(entry.text("file"), left, top)
        entry.done()
        return place


def read_places(
    manifest: Manifest, required: Sequence[str] = LAYERS, optional: Sequence[str] = FURTHER_LAYERS
) -> dict[str, Place]:
    """The places of all layers that are required, and of those of the optional ones that there are.

    Raises `AvatarError` for one that is missing, unknown or wrong, and for too much art.
    """
    table = manifest.rest.table("layers")
    given = table.keys()
    names = (*required, *(name for name in optional if name in given))
    places = {name: Place.read(table.table(name)) for name in names}
    table.done()
    sizes = [image_size(manifest.folder, place.file) for place in places.values()]
    if sum(width * height for width, height in sizes) > MOST_ART:
        raise AvatarError(f"{manifest.where}: layers: more than {MOST_ART >> 20} million pixels in all")
    return places


def read_layers(
    manifest: Manifest, required: Sequence[str] = LAYERS, optional: Sequence[str] = FURTHER_LAYERS
) -> dict[str, Layer]:
    """The layers themselves. Raises `AvatarError` for one that is missing, unknown, or cannot be read."""
    return load_layers(manifest, read_places(manifest, required, optional))


def load_layers(manifest: Manifest, places: Mapping[str, Place]) -> dict[str, Layer]:
    return {
        name: Layer(premultiplied(read_image(manifest.folder, place.file)), place.left, place.top)
        for name, place in places.items()
    }
