"""An anchor from one portrait: the face measured, cut into layers, and given the displacements of every expression.

``make`` writes a package of kind ``puppet``; see avatars/puppet.py for how it moves. Nothing is learned or downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import Bytes, Floats
from avatars import cutout
from avatars.face_basis import OUTER_LOWER, OUTER_UPPER
from avatars.landmarks import Face
from avatars.mouth_art import interior, light_of
from avatars.photo_eyes import CLOSURES, RISES, eyes
from avatars.photo_fields import SHAPES, fields, jaw_drop
from avatars.photo_lips import lip_lines
from avatars.puppet_draw import sample_field
from avatars.puppet_parts import Grid, Layer

Background = Literal["keep", "remove", "key"]
_TALLEST = 900.0
"""Art pixels from crown to chin at most: more than any picture shows of a face."""
_CHEEKS = (50, 280, 205, 425, 101, 330, 36, 266)
_LIPS = (37, 267, 84, 314, 17, 0, 181, 405)
_CHIN = 152
_RIM = 6.0
"""Pixels of a lip's rim under which teeth and lip cannot be told apart in it."""
_TINTED = 12.0
"""Distance in a and b of CIE L*a*b* from which lips are told from teeth by their colour."""


@dataclass(frozen=True, slots=True)
class Figure:
    """All that a package holds: layers (premultiplied BGRA), arrays, and the tables of the manifest."""

    layers: dict[str, Layer]
    arrays: dict[str, Floats]
    tables: dict[str, dict[str, Any]]
    middle: Floats
    """The point of the picture at the art's origin, in pixels of the picture made `shrink` times as large."""
    shrink: float
    feather: float
    moves: Floats
    """Displacements of the landmarks in art pixels by each shape: (shapes, 478, 2)."""


def _scaled(bgr: Bytes, face: Face, unit_tall: float) -> tuple[Bytes, Face]:
    shrink = min(1.0, _TALLEST / unit_tall)
    if shrink == 1:
        return bgr, face
    small = cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    ratio = np.array([small.shape[1] / bgr.shape[1], small.shape[0] / bgr.shape[0], shrink], np.float32)
    return cast(Bytes, small), Face.of(face.points * ratio)


def _near(bgr: Bytes, face: Face, points: tuple[int, ...], reach: float) -> Floats:
    """Pixels (n, 3) around landmarks."""
    r = max(1, round(reach))
    parts = []
    for x, y in face.points[list(points), :2]:
        part = bgr[max(0, int(y) - r) : int(y) + r + 1, max(0, int(x) - r) : int(x) + r + 1]
        parts.append(part.reshape(-1, 3))
    return cast(Floats, np.concatenate(parts).astype(np.float32))


def _seen_teeth(bgr: Bytes, above: Floats, below: Floats, middle: Floats) -> Floats | None:
    """Pixels of the teeth between open lips."""
    if float((below - above)[:, 1].max()) < 4:
        return None
    mask = np.zeros(bgr.shape[:2], np.uint8)
    inset = np.array([0, 1.5], np.float32)
    outline = np.concatenate([above + inset, (below - inset)[::-1]]) + middle
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], (255,))
    pixels = bgr[mask > 0].astype(np.float32)
    if len(pixels) < 40:
        return None
    bright = pixels[pixels.sum(axis=1) >= np.percentile(pixels.sum(axis=1), 60)]
    pale = bright.min(axis=1) > 0.55 * bright.max(axis=1)
    return cast(Floats, bright[pale]) if pale.mean() > 0.5 else None


def _without(teeth: Floats, bgr: Bytes, face: Face, lines: tuple[Floats, Floats], middle: Floats) -> Bytes:
    """The picture with the rims of its lips cleaned of teeth that landmarks left on them."""
    reach = 0.10 * face.inter_ocular
    if reach < _RIM:
        return bgr
    outline = np.concatenate([lines[0] - (0, reach), (lines[1] + (0, reach))[::-1]]) + middle
    (left, top), (right, bottom) = outline.min(axis=0).astype(int), outline.max(axis=0).astype(int) + 1
    part = np.ascontiguousarray(bgr[top:bottom, left:right])
    near, between = np.zeros(part.shape[:2], np.uint8), np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(near, [np.rint(outline - (left, top)).astype(np.int32)], (1,))
    gap = np.concatenate([lines[0], lines[1][::-1]]) + middle - (left, top)
    cv2.fillPoly(between, [np.rint(gap).astype(np.int32)], (1,))
    tint = cv2.cvtColor(part, cv2.COLOR_BGR2LAB)[..., 1:].astype(np.float32)
    white = cv2.cvtColor(np.median(teeth, axis=0)[None, None].astype(np.uint8), cv2.COLOR_BGR2LAB)[0, 0, 1:]
    lip = np.median(tint[(near > 0) & (between == 0)], axis=0)
    towards = white - lip
    if float(np.linalg.norm(towards)) < _TINTED:
        return bgr
    toothed = ((tint - lip) @ towards > 0.5 * float(towards @ towards)) & (near > 0)
    toothed = cv2.dilate((toothed | (between > 0)).astype(np.uint8), np.ones((3, 3), np.uint8))
    out = bgr.copy()
    out[top:bottom, left:right] = cv2.inpaint(part, toothed, 3, cv2.INPAINT_TELEA)
    return out


def _cut(bgr: Bytes, face: Face, background: Background) -> tuple[Bytes, Floats]:
    """The picture to take the person's layers from, and how much of each pixel is the person."""
    if background == "key":
        screen = cutout.screen_colour(bgr)
        if screen is None:
            raise AvatarError("no green or blue screen is found behind the person; remove or keep the background")
        return cutout.keyed(bgr, screen)
    mask = cutout.matte(bgr, face)
    return (bgr if background == "keep" else cutout.decontaminated(bgr, mask)), mask


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the parts of the person are, in art pixels."""

    crown: float
    chin: float
    neck: tuple[float, float]
    bounds: tuple[float, float, float, float]
    """The picture's own bounds."""

    @property
    def tall(self) -> float:
        return self.chin - self.crown


def _framed(face: Face, mask: Floats, middle: Floats) -> _Frame:
    """Find the crown in the matte; where hair hides or the picture cuts it, heads have common proportions."""
    height, width = mask.shape
    chin = float(face.points[_CHIN, 1] - middle[1])
    columns = slice(max(0, int(middle[0] - 0.3 * chin)), int(middle[0] + 0.3 * chin) + 1)
    rows = np.flatnonzero(mask[: int(middle[1]), columns].max(axis=1) > 0.5)
    seen = float(rows[0] - middle[1]) if len(rows) else -chin
    crown = min(-0.95 * chin, max(-1.35 * chin, seen))
    bounds = (-float(middle[0]), -float(middle[1]), width - float(middle[0]), height - float(middle[1]))
    tall = chin - crown
    top = min(chin + 0.04 * tall, bounds[3] - 4)
    return _Frame(crown, chin, (top, min(chin + 0.36 * tall, bounds[3] - 2)), bounds)


def _followers(grid: Grid, frame: _Frame, around: Floats, middle: Floats) -> Floats:
    """How much of the head's movement each node follows.

    None below the neck, little of it on shoulders, and none where the picture cuts off the layer, of alpha `around`.
    """
    points, tall = grid.points(), frame.tall
    x, y = points[..., 0], points[..., 1]
    share = 1 - _ramp(y, frame.neck[0], frame.neck[1] - 4)
    aside = _ramp(np.abs(x), 0.38 * tall, 0.70 * tall) * _ramp(y, frame.chin - 0.1 * tall, frame.chin + 0.15 * tall)
    share = share * (1 - aside)
    left, top, right, _ = frame.bounds
    rows = slice(0, max(1, int(middle[1] + frame.neck[1])))
    for touches, distance in (
        (around[0].max() > 0.02, y - top),
        (around[rows, 0].max() > 0.02, x - left),
        (around[rows, -1].max() > 0.02, right - x),
    ):
        if touches:
            share = share * _ramp(distance, 0, 0.16 * tall)
    return cast(Floats, share.astype(np.float32))


def _ramp(values: Floats, start: float, end: float) -> Floats:
    """0 before `start`, 1 after `end`, smooth between."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return cast(Floats, (t * t * (3 - 2 * t)).astype(np.float32))


def _layer(bgr: Bytes, alpha: Floats, middle: Floats) -> Layer:
    """Pixels with an alpha as a layer, without empty margins."""
    pixels = np.dstack([bgr, np.clip(alpha * 255 + 0.5, 0, 255).astype(np.uint8)])
    whole = Layer(cast(Bytes, cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA)), -float(middle[0]), -float(middle[1]))
    return whole.cropped()


def lip_layers(
    bgr: Bytes, middle: Floats, grid: Grid, lines: tuple[Floats, Floats], feather: float
) -> dict[str, Layer]:
    """The skin above and below the line of the mouth, each with a little to spare there."""
    rows, columns = grid.shape
    x0, y0 = round(float(middle[0]) + grid.left), round(float(middle[1]) + grid.top)
    width, height = int((columns - 1) * grid.step), int((rows - 1) * grid.step)
    x, y = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
    # The lips' own fields begin at `feather` from the border, so there the patch must be whole.
    edge = np.minimum(np.minimum(x, width - x)[None], np.minimum(y, height - y))
    alpha = _ramp(edge, 0.15 * feather, 0.95 * feather)
    at = np.stack(np.meshgrid(np.arange(width) + x0, np.arange(height) + y0), axis=-1).astype(np.float32)
    patch = cv2.remap(bgr, at, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    layers = {}
    for name, line, way in (("lip_upper", lines[0], 1.0), ("lip_lower", lines[1], -1.0)):
        level = np.interp(x + grid.left, line[:, 0], line[:, 1])[None] - grid.top
        side = np.clip((level - y) * way + 1.5, 0, 1)
        pixels = np.dstack([patch, np.clip(255 * alpha * side + 0.5, 0, 255).astype(np.uint8)])
        layers[name] = Layer(cast(Bytes, cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA)), grid.left, grid.top)
    return layers


def mouth_grid(face: Face, middle: Floats, lines: tuple[Floats, Floats], tall: float) -> Grid:
    unit = face.inter_ocular
    upper, lower = face.points[list(OUTER_UPPER), 1].min(), face.points[list(OUTER_LOWER), 1].max()
    left, right = min(line[:, 0].min() for line in lines), max(line[:, 0].max() for line in lines)
    step = max(2, round(tall / 125))
    x0, y0 = round(float(left) - 0.42 * unit), round(float(upper - middle[1]) - 0.26 * unit)
    columns = int((float(right) + 0.42 * unit - x0) // step) + 2
    rows = int((float(lower - middle[1]) + 0.40 * unit - y0) // step) + 2
    return Grid(x0, y0, step, (rows, columns))


def _numbers(grid: Grid) -> list[float]:
    rows, columns = grid.shape
    bounds = (grid.left, grid.top, grid.left + (columns - 1) * grid.step, grid.top + (rows - 1) * grid.step)
    return [round(float(v), 2) for v in (*bounds, grid.step)]


def figure(bgr: Bytes, face: Face, background: Background) -> Figure:
    """Make a portrait into a figure. `face` is one that `avatars.source.check_face` let pass.

    Raises `AvatarError` for a person who cannot be cut out of the background, when that is to be removed.
    """
    given = bgr.shape[1]
    bgr, face = _scaled(bgr, face, 2.15 * float(face.points[_CHIN, 1] - face.points[[468, 473], 1].mean()))
    shrink = bgr.shape[1] / given
    middle = np.rint(face.points[[468, 473], :2].mean(axis=0)).astype(np.float32)
    skin, mask = _cut(bgr, face, background)
    frame = _framed(face, mask, middle)
    unit, tall = face.inter_ocular, frame.tall
    if background != "keep":
        _check_whole(mask, frame, middle)
    lines = lip_lines(bgr, face, middle)
    lip_grid = mouth_grid(face, middle, lines, tall)
    feather = 0.13 * unit
    teeth = _seen_teeth(bgr, *lines, middle)
    clean = bgr if teeth is None else _without(teeth, bgr, face, lines, middle)
    layers = lip_layers(clean, middle, lip_grid, lines, feather)
    y = np.arange(bgr.shape[0], dtype=np.float32)[:, None] + 0.5 - middle[1]
    top, bottom = frame.neck
    if background == "keep":
        # Wisps of hair that the matte missed go with the head; behind it there is no trace of them.
        around = cutout.widened(mask, 0.20 * unit, 0.14 * unit)
        behind = cutout.filled(bgr, cutout.widened(mask, 0.12 * unit, 0.08 * unit))
        layers["background"] = _layer(behind, np.ones_like(mask), middle)
    else:
        around = mask
    reach = bottom - top
    layers["face"] = _layer(skin, around * (1 - _ramp(y, bottom, bottom + 0.12 * reach)), middle)
    layers["body"] = _layer(skin, around * _ramp(y, top + 0.62 * reach, top + 0.9 * reach), middle)
    found = eyes(bgr, face, middle)
    layers |= found.layers
    left, right = layers["face"].left - 0.03 * tall, layers["face"].left + layers["face"].pixels.shape[1] + 0.03 * tall
    step = max(2, round(tall / 60))
    low, high = frame.bounds[1] - 0.03 * tall, min(frame.bounds[3], bottom + 0.15 * reach) + 0.03 * tall
    low = max(low, layers["face"].top - 0.03 * tall)
    grid = Grid(round(left), round(low), step, (int((high - low) // step) + 2, int((right - left) // step) + 2))
    moved = fields(face, middle, lines, grid, lip_grid, feather)
    cheeks, red = _near(bgr, face, _CHEEKS, 0.05 * unit), _near(bgr, face, _LIPS, 0.02 * unit)
    light = light_of(bgr, found.sclera, cheeks, red, teeth)
    shut = shut_line(lines)
    layers |= interior(shut, shut, unit, light)
    arrays = {
        "head": moved.head, "upper": moved.upper, "lower": moved.lower, "depth_face": moved.depth,
        "share": _followers(grid, frame, around, middle), **moved.rest,
    }  # fmt: skip
    lips_depth = float(sample_field(moved.depth, grid.nodes(shut[None, len(shut) // 2 :][:, :1])).item())
    chest = (bottom + 0.13 * reach, max(bottom + 0.13 * reach + 8, min(frame.chin + 1.4 * tall, frame.bounds[3])))
    tables: dict[str, dict[str, Any]] = {
        "figure": {
            "crown": frame.crown, "chin": frame.chin, "pivot": [0.0, 0.68 * frame.chin, -0.06 * tall],
            "neck": list(frame.neck), "chest": list(chest),
            "lift": min(0.0065 * tall, 0.05 * max(0.0, frame.bounds[3] - bottom)),
            "fields": "fields.npz", "grid": _numbers(grid), "shapes": list(SHAPES),
        },
        "mouth": {
            "line": lines[0].round(2).tolist(), "line_below": lines[1].round(2).tolist(), "grid": _numbers(lip_grid),
            "depth": lips_depth - 0.1 * unit, "jaw_drop": jaw_drop(unit),
        },
        "eyes": {
            "left": list(found.centres["left"]), "right": list(found.centres["right"]), "box": list(found.box),
            "closures": list(CLOSURES), "rises": list(RISES), "iris_rest": [0.0, 0.0],
            "ball_radius": found.ball_radius,
        },
        "crop": {
            "chin": frame.chin, "mouth": shut.mean(axis=0).tolist(), "width": float(shut[-1, 0] - shut[0, 0]),
        },
    }  # fmt: skip
    return Figure(layers, arrays, tables, middle, shrink, feather, moved.landmarks)


def shut_line(lines: tuple[Floats, Floats]) -> Floats:
    """Where the lips meet once an open mouth is shut."""
    return cast(Floats, lines[0] + np.float32(0.3) * (lines[1] - lines[0]))


def _check_whole(mask: Floats, frame: _Frame, middle: Floats) -> None:
    """Without its background a head must be whole. Raises `AvatarError`."""
    width = 2 * frame.chin
    cut = float((mask[0] > 0.5).sum())
    if cut > 0.08 * width:
        raise AvatarError(
            f"the picture cuts the top of the head over {cut:.0f} px; keep its background, or give one with room above"
        )
    rows = slice(max(0, int(middle[1] + frame.crown)), int(middle[1] + frame.chin))
    covered = float((mask[rows].max(axis=0) > 0.5).sum()) / width
    if not 0.4 < covered < 3.0:
        raise AvatarError(
            f"the person cannot be told from the background (the head covers {100 * covered:.0f} % of its usual width, "
            "40 to 300 % are fine); keep the background"
        )
