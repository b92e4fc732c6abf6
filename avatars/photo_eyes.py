"""Eyes of a portrait: the ball without its iris, the whole iris, and pictures of the lids from wide open to shut."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from avatars.landmarks import IRIS_LEFT, IRIS_RIGHT, Face
from avatars.puppet_draw import sample
from avatars.puppet_parts import Layer

# From the corner at the viewer's left to the corner at the viewer's right.
_UPPER = {
    "left": (362, 398, 384, 385, 386, 387, 388, 466, 263),
    "right": (33, 246, 161, 160, 159, 158, 157, 173, 133),
}
_LOWER = {
    "left": (362, 382, 381, 380, 374, 373, 390, 249, 263),
    "right": (33, 7, 163, 144, 145, 153, 154, 155, 133),
}
_BROW = {"left": (285, 295, 282, 283, 276), "right": (46, 53, 52, 65, 55)}
"""The lower edges of the brows."""
_IRIS = {"left": IRIS_LEFT, "right": IRIS_RIGHT}
CLOSURES = (-0.35, -0.175, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RISES = (0.0, 0.5, 1.0)
_MEET = 0.80
"""Where the lids meet, from the upper (0) to the lower edge (1) of the open eye."""
_RISE = 0.30
"""How far the lower lid rises at most, in parts of the opening."""
_BALL = 2.04
"""Radius of the eyeball in radii of the iris."""


@dataclass(frozen=True, slots=True)
class PhotoEyes:
    """Layers and numbers of both eyes for a figure's package; positions in art pixels, images premultiplied BGRA."""

    centres: dict[str, tuple[float, float]]
    box: tuple[int, int, int, int]
    ball_radius: float
    layers: dict[str, Layer]
    sclera: Floats
    """Pixels (n, 3) of the whites, BGR."""


@dataclass(frozen=True, slots=True)
class _Eye:
    """One eye cut out of the portrait: pixel (row, column) of `picture` lies at `corner` + (column, row)."""

    picture: Floats
    corner: tuple[int, int]
    centre: tuple[float, float]
    radius: float
    upper: Floats
    lower: Floats
    brow: Floats
    """Rows of the lids' edges and of the brow, for each column; outside the corners both edges meet."""
    outer_right: bool
    """Whether the outer corner is at the viewer's right."""
    bare: Floats
    """The picture without what is dark and narrow: lashes, and the fold of the lid."""


def _curve(points: Floats, columns: Floats) -> Floats:
    """A smooth curve through landmarks as rows for columns, level beyond its ends."""
    fine = np.linspace(points[0, 0], points[-1, 0], 48)
    rough = np.interp(fine, points[:, 0], points[:, 1])
    kernel = np.hanning(9)[1:-1]
    smooth = np.convolve(np.pad(rough, 3, mode="reflect", reflect_type="odd"), kernel / kernel.sum(), mode="valid")
    return cast(Floats, np.interp(columns, fine, smooth).astype(np.float32))


def _eye(bgr: Bytes, face: Face, side: str, box: tuple[int, int, int, int], centre: tuple[int, int]) -> _Eye:
    left, top, right, bottom = box
    # A border around the box lets the lids be drawn from skin outside of it.
    corner = (centre[0] + left, centre[1] + top)
    x = np.arange(right - left, dtype=np.float32) + corner[0]
    y = np.arange(bottom - top, dtype=np.float32) + corner[1]
    at = np.stack(np.meshgrid(x, y), axis=-1)
    picture = cv2.remap(bgr, at, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    points = face.points[:, :2] - np.array([0.5, 0.5], np.float32)
    upper, lower, brow = (_curve(points[list(ring[side])], x) for ring in (_UPPER, _LOWER, _BROW))
    meet = (upper + lower) / 2
    upper, lower = np.minimum(upper, meet), np.maximum(lower, meet)
    brow = np.minimum(brow, upper - 0.10 * (right - left))
    ring = points[_IRIS[side] + 1 : _IRIS[side] + 5]
    iris = points[_IRIS[side]]
    radius = float(np.linalg.norm(ring - iris, axis=1).mean())
    middle = (float(iris[0] - corner[0]), float(iris[1] - corner[1]))
    upper, lower, brow = (cast(Floats, (curve - corner[1]).astype(np.float32)) for curve in (upper, lower, brow))
    picture = cast(Floats, picture.astype(np.float32))
    return _Eye(picture, corner, middle, radius, upper, lower, brow, side == "left", _bare(picture, radius))


def _bare(picture: Floats, radius: float) -> Floats:
    size = 2 * max(1, round(0.22 * radius)) + 1
    closed = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return cast(Floats, cv2.GaussianBlur(closed, (0, 0), max(0.6, 0.06 * radius)))


def _distance(eye: _Eye) -> Floats:
    rows, columns = eye.picture.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return cast(Floats, np.hypot(x - eye.centre[0], y - eye.centre[1]) / eye.radius)


def _opening(upper: Floats, lower: Floats, rows: int) -> Floats:
    """How much of each pixel lies between the lids' edges."""
    y = np.arange(rows, dtype=np.float32)[:, None]
    gap = np.clip((lower - upper)[None] - 0.5, 0, 1)
    return cast(Floats, (np.clip(y - upper + 0.5, 0, 1) * np.clip(lower - y + 0.5, 0, 1) * gap).astype(np.float32))


def _white(eye: _Eye) -> tuple[Floats, Floats]:
    """The ball without its iris, opaque over the whole box, and the pixels of its white that are seen."""
    opening, far = _opening(eye.upper + 1, eye.lower - 1, eye.picture.shape[0]), _distance(eye)
    seen = (opening > 0.9) & (far > 1.3)
    if seen.sum() < 12:
        seen = (opening > 0.9) & (far > 1.12)
    pixels = eye.picture[seen]
    if len(pixels) < 12:
        pixels = eye.picture[opening > 0.5] if (opening > 0.5).any() else eye.picture.reshape(-1, 3)
        pixels = pixels[pixels.sum(axis=1) >= np.percentile(pixels.sum(axis=1), 70)]
    fill = np.empty_like(eye.picture)
    fill[:] = np.median(pixels, axis=0)
    if seen.sum() >= 12:
        # Behind the iris the white goes on as beside it: a mean of what is near, weighted by distance.
        weight = seen.astype(np.float32)
        total: Any = 0
        mass: Any = 1e-3
        for reach, part in ((0.5, 1.0), (1.5, 0.05), (4.0, 0.002)):
            sigma = reach * eye.radius
            total = total + part * cv2.GaussianBlur(eye.picture * weight[..., None], (0, 0), sigma)
            mass = mass + part * cv2.GaussianBlur(weight, (0, 0), sigma)
        fill = (total + 1e-3 * fill) / mass[..., None]
    # The upper lid throws a shadow, which the iris's own place has not taught.
    below = np.maximum(0, np.arange(eye.picture.shape[0], dtype=np.float32)[:, None] - eye.upper)
    fill = fill * (1 - 0.30 * np.exp(-below / (0.5 * eye.radius)))[..., None]
    # What is seen stays as it is, up to the blurred rim of the iris.
    keep = np.clip((far - 1.10) / 0.25, 0, 1) * _opening(eye.upper, eye.lower, eye.picture.shape[0])
    return cast(Floats, fill + keep[..., None] * (eye.picture - fill)), pixels


def _iris(eye: _Eye) -> tuple[Floats, Floats]:
    """A whole disc, (n, n, 3) with its alpha: what is seen of the iris, completed where lids cover it."""
    reach = int(np.ceil(eye.radius * 1.2)) + 1
    offset = np.arange(-reach, reach + 1, dtype=np.float32)
    at = np.stack(np.meshgrid(offset + eye.centre[0], offset + eye.centre[1]), axis=-1)
    pixels = sample(eye.picture.astype(np.uint8), at).astype(np.float32)
    opening = sample((_opening(eye.upper + 1, eye.lower - 1, eye.picture.shape[0]) * 255).astype(np.uint8), at) / 255.0
    far = np.hypot(*np.meshgrid(offset, offset)) / eye.radius
    seen = (opening > 0.95) & (far < 1.1)
    # Rings of the mean colour that is seen at each distance from the pupil; the upper lid's shadow is not for the ring.
    grey = pixels.mean(axis=2)
    rings = np.zeros_like(pixels)
    edges = np.linspace(0, 1.25, 11)
    known, colours = [], []
    for inner, outer in itertools.pairwise(edges):
        ring = seen & (far >= inner) & (far < outer)
        if ring.sum() >= 3:
            values = pixels[ring]
            dull = values[grey[ring] <= np.percentile(grey[ring], 75)]
            known.append((inner + outer) / 2)
            colours.append(dull.mean(axis=0))
    if known:
        for channel in range(3):
            rings[..., channel] = np.interp(far, known, [colour[channel] for colour in colours])
    soft = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.8) * seen
    disc = rings + soft[..., None] * (pixels - rings)
    alpha = np.clip((1.10 - far) / 0.10, 0, 1)
    return disc, cast(Floats, alpha.astype(np.float32))


def _lids(eye: _Eye, closure: float, rise: float) -> Bytes:
    """Skin around the eye with the opening left out: premultiplied BGRA of the box's size."""
    rows, columns = eye.picture.shape[:2]
    gap = eye.lower - eye.upper
    edge_low = eye.lower - _RISE * rise * gap
    low_shut = eye.lower - (1 - _MEET) * gap * max(0.0, closure) ** 1.5
    edge_low = np.minimum(edge_low, low_shut)
    edge_up = eye.upper + np.float32(closure if closure < 0 else closure * _MEET) * gap
    if closure >= 0:
        edge_up = np.minimum(eye.upper + closure * (edge_low - eye.upper + 0.6), edge_low + 0.6)
    y = np.broadcast_to(np.arange(rows, dtype=np.float32)[:, None], (rows, columns))
    # Above: rows between brow and edge are pulled down with the edge. The rim with its lashes goes along as it is, and
    # the skin between gives, most of it just above the rim, where the fold of an open lid hides skin.
    room = np.maximum(3.0, eye.upper - eye.brow)
    rim = np.minimum(0.30 * room, 0.12 * eye.radius + 1.5)
    moved = np.maximum(-0.8 * room, edge_up - eye.upper)
    above = np.clip((edge_up - rim - y) / np.maximum(1.0, edge_up - rim - eye.brow), 0, 1)
    source_up = eye.upper - rim - above**1.0 * (room - rim)
    source_up = np.where(y > edge_up - rim, y - moved, source_up)
    source_up = np.where(y < eye.brow, y, source_up)
    # Below: the lower lid slides up and its bag gives.
    reach = 1.3 * gap.max() + 4
    lift = eye.lower - edge_low
    below = np.clip((y - edge_low) / (reach + lift), 0, 1)
    # The edge of the lower lid is wet and bright; shut lids do not show it.
    source_low = y + (lift + 0.10 * eye.radius * min(1.0, 2 * max(0.0, closure))) * (1 - below) ** 2
    x = np.broadcast_to(np.arange(columns, dtype=np.float32)[None], (rows, columns))
    seam = np.where(y < (edge_up + edge_low) / 2, source_up, source_low).astype(np.float32)
    at = np.stack([x, seam], axis=-1)
    skin = _taken(eye.picture, at)
    if closure > 0:
        skin = _smooth_lid(eye, skin, _taken(eye.bare, at), edge_up, rim, closure)
    opening = _opening(edge_up, edge_low, rows)
    if closure >= 1:
        opening = np.zeros_like(opening)
    alpha = 1 - opening
    out = np.concatenate([skin * alpha[..., None], 255 * alpha[..., None]], axis=-1)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _taken(picture: Floats, at: Floats) -> Floats:
    found = cv2.remap(picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(Floats, found)


def _smooth_lid(eye: _Eye, skin: Floats, bare: Floats, edge: Floats, rim: Floats, closure: float) -> Floats:
    """The skin that unfolds is smooth and round, and ends in a line of lashes.

    Stretched folds, shadows and lashes that stood up before the eye are evened out as the lid comes down. `skin` and
    `bare` are the picture with and without its lashes, moved along with the lid.
    """
    rows, columns = skin.shape[:2]
    y = np.arange(rows, dtype=np.float32)[:, None]
    down = min(1.0, 1.6 * closure)
    gap = eye.lower - eye.upper
    between = np.clip((gap - 1) / (0.25 * eye.radius), 0, 1)
    # Beyond the corners, too, lashes that stood up come down.
    near = cv2.dilate(between[None].astype(np.float32), np.ones((1, 2 * round(0.6 * eye.radius) + 1), np.uint8))
    near = cv2.GaussianBlur(near, (0, 0), 0.25 * eye.radius)[0]
    top, bottom = eye.upper - 0.35 * (eye.upper - eye.brow), edge - rim * (1 - 0.7 * down)
    wings: Any = np.clip((y - eye.brow) / (0.5 * eye.radius) - 0.5, 0, 1) * np.clip((bottom - y) / 2 + 1, 0, 1) * near
    skin = skin + (down * wings)[..., None] * (bare - skin)
    depth = np.clip((y - top) / np.maximum(1.0, bottom - top), 0, 1)
    inside: Any = np.clip((y - top) / 3, 0, 1) * np.clip((bottom - y) / 2 + 1, 0, 1) * between
    inside = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.08 * eye.radius + 0.6)
    # The colour of the skin between brow and fold, along the lid.
    band = np.clip(np.stack([eye.upper - f * (eye.upper - eye.brow) for f in (0.2, 0.3, 0.4, 0.5, 0.6)]), 0, rows - 1)
    at = np.stack(np.broadcast_arrays(np.arange(columns, dtype=np.float32)[None], band), axis=-1).astype(np.float32)
    colours = np.sort(_taken(eye.bare, at), axis=0)[2:4].mean(axis=0)
    colours = cv2.GaussianBlur(colours[None].astype(np.float32), (0, 0), 0.5 * eye.radius)[0]
    # A ball under the skin: lightest a little above its middle.
    shade = 1.0 + 0.05 * np.exp(-(((depth - 0.45) / 0.25) ** 2)) - 0.12 * depth**3
    grain = bare - cv2.GaussianBlur(bare, (0, 0), 1.2)
    smooth = colours[None] * shade[..., None] + 0.5 * grain
    skin = skin + (inside * down * 0.85)[..., None] * (smooth - skin)
    return cast(Floats, skin * (1 - 0.55 * closure**2 * _lashes(eye, y - edge, between))[..., None])


def _lashes(eye: _Eye, below: Floats, between: Floats) -> Floats:
    """How dark the line is in which shut lids end, 0..1, at distances below it: soft downwards, thinner by the nose."""
    columns = np.arange(below.shape[1], dtype=np.float32)
    open_at = np.flatnonzero(between > 0)
    if not len(open_at):
        return np.zeros_like(below)
    along = np.clip((columns - open_at[0]) / max(1, open_at[-1] - open_at[0]), 0, 1)
    outwards = along if eye.outer_right else 1 - along
    width = np.where(below > 0, 0.15 * eye.radius + 0.6, 0.05 * eye.radius + 0.5) * (0.7 + 0.5 * outwards)
    line = np.exp(-((below / width) ** 2)) * (0.55 + 0.45 * outwards) * between
    return cast(Floats, line.astype(np.float32))


def eyes(bgr: Bytes, face: Face, middle: Floats) -> PhotoEyes:
    """Take the eyes out of a portrait; `middle` is the picture's point at the art's origin, in whole pixels."""
    x0, y0 = round(float(middle[0])), round(float(middle[1]))
    centres, spans = {}, []
    for side in ("left", "right"):
        iris = face.points[_IRIS[side], :2]
        centre = (round(float(iris[0])), round(float(iris[1])))
        points = face.points[list(_UPPER[side] + _LOWER[side] + _BROW[side]), :2] - np.array(centre, np.float32)
        centres[side] = centre
        spans.append((*points.min(axis=0), *points.max(axis=0)))
    low, high = np.min(spans, axis=0), np.max(spans, axis=0)
    width = high[2] - low[0]
    box = (
        int(low[0] - 0.14 * width), int(low[1] - 0.05 * width), int(high[2] + 0.14 * width), int(high[3] + 0.30 * width)
    )  # fmt: skip
    layers: dict[str, Layer] = {}
    whites, radii = [], []
    for side in ("left", "right"):
        eye = _eye(bgr, face, side, box, centres[side])
        white, pixels = _white(eye)
        disc, alpha = _iris(eye)
        whites.append(pixels)
        radii.append(eye.radius)
        rows = [np.hstack([_lids(eye, closure, rise) for rise in RISES]) for closure in CLOSURES]
        layers[f"lids_{side}"] = Layer(np.vstack(rows), 0, 0)
        extent = _opening(eye.upper - 0.5 * eye.radius, eye.lower + 0.1 * eye.radius, eye.picture.shape[0])
        extent = extent * np.clip(eye.lower - eye.upper, 0, 1)
        ball = np.concatenate([white * extent[..., None], 255 * extent[..., None]], axis=-1)
        layers[f"eyeball_{side}"] = Layer(np.clip(ball + 0.5, 0, 255).astype(np.uint8), box[0], box[1])
        whole = np.concatenate([disc * alpha[..., None], 255 * alpha[..., None]], axis=-1)
        reach = disc.shape[0] // 2
        # The iris's place in the picture is not a whole pixel; its picture was sampled around it.
        dx, dy = eye.centre[0] + box[0] - reach, eye.centre[1] + box[1] - reach
        layers[f"iris_{side}"] = Layer(np.clip(whole + 0.5, 0, 255).astype(np.uint8), dx, dy)
    places = {side: (float(c[0] - x0), float(c[1] - y0)) for side, c in centres.items()}
    return PhotoEyes(places, box, _BALL * float(np.mean(radii)), layers, np.concatenate(whites))
