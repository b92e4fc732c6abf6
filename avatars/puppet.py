"""A drawn figure moved by ARKit coefficients: layers of art, warped by fields and put together again for every frame.

The head is three layers at different depths (hair behind with the neck, face, hair in front). Each is sampled once per
frame through a backward map: the forward map ``pose(q + sum w_k u_k(q))`` is known on a coarse grid and inverted there by
fixed-point iteration. The lips are two layers of their own over the inside of the mouth, since skin is torn apart where
they part; eyes are drawn into the face before it is warped. Run it: ``python -m avatars.puppet lin -o sheet.png``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError
from anchor.media import ARKIT_INDEX, Blendshapes, Bytes, Floats, HeadPose, Picture, VideoFormat
from anchor.ports import AvatarInfo, Placement
from avatars.package import Manifest, Table, read_arrays, read_image, read_manifest

LAYERS = (
    "back", "neck", "body", "face", "brows", "hair", "lip_upper", "lip_lower", "cavity", "teeth_upper", "teeth_lower",
    "tongue", "eyeball", "iris", "lids_left", "lids_right",
)  # fmt: skip
_FINER = 1.2
"""Texture pixels for one of the picture, each way: sampling between them costs sharpness, more of them costs time."""
_QUANTUM = 0.25
"""Smallest movement that is drawn, in pixels of the picture."""
_STEPS = 128
"""Steps in which a weight is drawn."""
_FAR = 4200.0
"""Distance of the eye for perspective, in art pixels."""
_CALM = HeadPose(0.38, 0.34, 0.35, 0.20, 0.20)
"""The farthest pose the layers can show."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes `step` art pixels apart: the first at (left, top), `shape` rows and columns."""

    left: float
    top: float
    step: float
    shape: tuple[int, int]

    @classmethod
    def read(cls, table: Table, key: str) -> Grid:
        left, top, right, bottom, step = table.numbers(key, 5)
        if not (1 <= step <= 64 and left + step < right and top + step < bottom and right - left < 5000 > bottom - top):
            raise table.error(key, "must be [left, top, right, bottom, step] with a step from 1 to 64")
        return cls(left, top, step, (int((bottom - top) // step) + 1, int((right - left) // step) + 1))

    def points(self) -> Floats:
        """Art positions of the nodes: float32, shape (rows, columns, 2)."""
        rows, columns = self.shape
        x = self.left + self.step * np.arange(columns, dtype=np.float32)
        y = self.top + self.step * np.arange(rows, dtype=np.float32)
        return np.stack(np.meshgrid(x, y), axis=-1)

    def sample(self, field: Floats, points: Floats) -> Floats:
        """Interpolate a field given at the nodes at art positions of shape (rows, columns, 2)."""
        at = ((points - (self.left, self.top)) / self.step).astype(np.float32)
        return cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True, slots=True)
class Layer:
    """Art: premultiplied BGRA, uint8, and the art position of its upper left corner."""

    pixels: Bytes
    left: float
    top: float

    def texture(self, scale: float) -> Texture:
        """Scale to a grid that all textures of this scale share."""
        height, width = self.pixels.shape[:2]
        x0, y0 = math.floor(self.left * scale), math.floor(self.top * scale)
        x1, y1 = math.ceil((self.left + width) * scale), math.ceil((self.top + height) * scale)
        fine = 1 if scale >= 1 else 2 if scale > 0.6 else 4
        k = scale * fine
        matrix = np.array([[k, 0, self.left * k - x0 * fine], [0, k, self.top * k - y0 * fine]], np.float64)
        matrix[:, 2] += 0.5 * k - 0.5
        size = ((x1 - x0) * fine, (y1 - y0) * fine)
        large = cv2.warpAffine(self.pixels, matrix, size, flags=cv2.INTER_LINEAR)
        pixels = large if fine == 1 else cv2.resize(large, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        return Texture(pixels, x0, y0, scale)


@dataclass(frozen=True, slots=True)
class Texture:
    """A layer at working size: pixel (column, row) lies at art ((column + left + 0.5) / scale, ...)."""

    pixels: Bytes
    left: int
    top: int
    scale: float

    def coordinates(self, points: Floats) -> Floats:
        """Pixel coordinates of art positions, for cv2.remap."""
        return (points * np.float32(self.scale) - np.array([self.left + 0.5, self.top + 0.5], np.float32)).astype(np.float32)


def premultiplied(image: Bytes) -> Bytes:
    alpha = image[..., 3:].astype(np.uint16)
    out = image.copy()
    out[..., :3] = (image[..., :3].astype(np.uint16) * alpha + 127) // 255
    return out


@dataclass(frozen=True, slots=True)
class Eyes:
    """Where eyes and lid pictures are, in art pixels; `left` is the anchor's own."""

    left: tuple[float, ...]
    right: tuple[float, ...]
    box: tuple[float, ...]
    closures: tuple[float, ...]
    rises: tuple[float, ...]
    iris_rest: tuple[float, ...]
    ball_radius: float

    @classmethod
    def read(cls, table: Table) -> Eyes:
        eyes = cls(
            table.numbers("left", 2), table.numbers("right", 2), table.numbers("box", 4), table.numbers("closures"),
            table.numbers("rises"), table.numbers("iris_rest", 2), table.number("ball_radius", 1, 4000),
        )  # fmt: skip
        for key, levels in (("closures", eyes.closures), ("rises", eyes.rises)):
            if len(levels) < 2 or any(b <= a for a, b in zip(levels, levels[1:], strict=False)):
                raise table.error(key, "must be two or more rising numbers")
        table.done()
        return eyes


@dataclass(frozen=True, slots=True)
class Rig:
    """How the art moves: displacements in art pixels for each coefficient in `shapes`, and depths of the layers."""

    crown: float
    chin: float
    pivot: tuple[float, ...]
    neck: tuple[float, ...]
    chest: tuple[float, ...]
    grid: Grid
    lip_grid: Grid
    columns: NDArray[np.intp]
    head: Floats
    upper: Floats
    lower: Floats
    depth: dict[str, Floats]
    mouth: Floats
    jaw_drop: float
    tongue_out: float
    eyes: Eyes

    @classmethod
    def read(cls, manifest: Manifest) -> Rig:
        figure, mouth, eyes = (manifest.rest.table(key) for key in ("figure", "mouth", "eyes"))
        shapes = figure.texts("shapes")
        for name in shapes:
            if name not in ARKIT_INDEX:
                raise figure.error("shapes", f"{name!r} is not an ARKit coefficient")
        name = figure.text("fields")
        arrays = read_arrays(manifest.folder, name)
        grid, lip_grid = Grid.read(figure, "grid"), Grid.read(mouth, "grid")

        def take(key: str, shape: tuple[int, ...]) -> Floats:
            found = arrays.get(key)
            if found is None or found.shape != shape:
                raise AvatarError(f"{manifest.folder / name}: needs an array {key!r} of shape {shape}")
            return found

        count = len(shapes)
        rig = cls(
            figure.number("crown"), figure.number("chin"), figure.numbers("pivot", 3), figure.numbers("neck", 2),
            figure.numbers("chest", 2), grid, lip_grid, np.array([ARKIT_INDEX[s] for s in shapes], np.intp),
            take("head", (count, *grid.shape, 2)), take("upper", (count, *lip_grid.shape, 2)),
            take("lower", (count, *lip_grid.shape, 2)),
            {key: take(f"depth_{key}", grid.shape) for key in ("face", "hair", "back")},
            mouth.points("line"), mouth.number("jaw_drop"), mouth.number("tongue_out"), Eyes.read(eyes),
        )  # fmt: skip
        if not 16 <= rig.chin - rig.crown <= 4000:
            raise figure.error("chin", "must lie 16 to 4000 art pixels below the crown")
        figure.done()
        mouth.done()
        return rig


def read_layers(manifest: Manifest) -> dict[str, Layer]:
    table = manifest.rest.table("layers")
    layers = {}
    for name in LAYERS:
        entry = table.table(name)
        left, top = entry.numbers("at", 2)
        layers[name] = Layer(premultiplied(read_image(manifest.folder, entry.text("file"))), left, top)
        entry.done()
    table.done()
    return layers


class PuppetAvatar:
    """A package of kind ``puppet``, shared by all streams: nothing in it changes after loading."""

    def __init__(self, manifest: Manifest) -> None:
        self.layers = read_layers(manifest)
        self.rig = Rig.read(manifest)
        manifest.rest.done()
        for name in ("lids_left", "lids_right"):
            left, top, right, bottom = self.rig.eyes.box
            size = ((bottom - top) * len(self.rig.eyes.closures), (right - left) * len(self.rig.eyes.rises))
            if self.layers[name].pixels.shape[:2] != size:
                raise AvatarError(f"{manifest.where}: layers.{name}: the picture must be {size[1]:g}x{size[0]:g} pixels")
        self._info = manifest.info(coefficients=str(len(self.rig.columns)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a package folder. Raises `AvatarError` that names the file or key at fault."""
        return cls(read_manifest(folder))

    @property
    def info(self) -> AvatarInfo:
        return self._info

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> PuppetView:
        """Scale the layers for this picture. Raises `AvatarError` for a backdrop of another size or a bad placement."""
        if backdrop.shape != (video.height, video.width, 3) or backdrop.dtype != np.uint8:
            raise AvatarError(f"the backdrop must be {video.width}x{video.height} BGR bytes, not {backdrop.shape}")
        if not (0.02 <= placement.head <= 3 and -2 <= placement.x <= 3 and -2 <= placement.eyes <= 3):
            raise AvatarError(f"{placement}: head must be 0.02 to 3, x and eyes -2 to 3, in parts of the picture")
        return PuppetView(self, video, backdrop, placement)


# ------------------------------------------------------------------------------------------------ small tools


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open pixel rectangle with even sides."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, x0: float, y0: float, x1: float, y1: float, width: int, height: int) -> Box:
        """The smallest box with even corners around these numbers, inside the picture."""
        left, top = max(0, math.floor(x0)) & ~1, max(0, math.floor(y0)) & ~1
        right, bottom = min(width, math.ceil(x1) + 1 & ~1), min(height, math.ceil(y1) + 1 & ~1)
        return cls(min(left, width), min(top, height), max(right, min(left, width)), max(bottom, min(top, height)))

    @property
    def empty(self) -> bool:
        return self.x0 >= self.x1 or self.y0 >= self.y1

    def union(self, other: Box) -> Box:
        if self.empty or other.empty:
            return other if self.empty else self
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def meet(self, other: Box) -> Box:
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def of(self, image: Bytes) -> Bytes:
        return image[self.y0 : self.y1, self.x0 : self.x1]


def over(below: Bytes, layer: Bytes) -> None:
    """Lay premultiplied BGRA over BGR in place; `below` may be a view into a larger image."""
    alpha = cv2.extractChannel(layer, 3)
    rest = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    cv2.multiply(below, rest, below, 1 / 255)
    cv2.add(below, cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR), below)


def over4(below: Bytes, layer: Bytes) -> None:
    """Lay premultiplied BGRA over premultiplied BGRA in place."""
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    cv2.multiply(below, cv2.merge((rest, rest, rest, rest)), below, 1 / 255)
    cv2.add(below, layer, below)


def convert(image: Bytes, box: Box, canvas: Picture) -> None:
    """Write a box of a BGR image of that box's size into the canvas."""
    if box.empty:
        return
    height, width = box.y1 - box.y0, box.x1 - box.x0
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    canvas.y[box.y0 : box.y1, box.x0 : box.x1] = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    x0, y0, x1, y1 = box.x0 // 2, box.y0 // 2, box.x1 // 2, box.y1 // 2
    canvas.u[y0:y1, x0:x1] = chroma[0]
    canvas.v[y0:y1, x0:x1] = chroma[1]


@dataclass(frozen=True, slots=True)
class Turn:
    """A head pose as numbers for drawing: radians, and art pixels; `pivot` is where the head sits on the neck."""

    yaw: float
    pitch: float
    roll: float
    x: float
    y: float
    pivot: tuple[float, ...]

    def move(self, points: Floats, depth: Floats) -> Floats:
        """Turn art points that stand out by `depth`, and look at them in weak perspective: shape (..., 2)."""
        px, py, pz = self.pivot
        x, y, z = points[..., 0] - px, points[..., 1] - py, depth - pz
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(self.pitch), math.sin(self.pitch)
        x1, z1 = x * cy + z * sy, z * cy - x * sy
        y1, z2 = y * cp - z1 * sp, z1 * cp + y * sp
        # What does not move at rest must not move through perspective either, hence the difference.
        near = 1 + (z2 - z) / _FAR
        cr, sr = math.cos(self.roll), math.sin(self.roll)
        x2, y2 = x1 * near, y1 * near
        out = np.empty(points.shape, np.float32)
        out[..., 0] = x2 * cr - y2 * sr + (px + self.x)
        out[..., 1] = x2 * sr + y2 * cr + (py + self.y)
        return out


def invert(targets: Floats, moves: Floats, rounds: int) -> Floats:
    """Solve ``q + moves(q) = targets`` by fixed-point iteration; all in units of the grid that `moves` is given on."""
    q = targets
    for _ in range(rounds):
        shift = cv2.remap(moves, q, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        q = cv2.subtract(targets, shift)
    return q


# ------------------------------------------------------------------------------------------------ the view


class PuppetView:
    """The figure at one size over one backdrop. Textures, the state of the canvas, and what is on it."""

    def __init__(self, avatar: PuppetAvatar, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        rig = self._rig = avatar.rig
        self._width, self._height = video.width, video.height
        self._scale = placement.head * video.height / (rig.chin - rig.crown)
        self._origin = (round(placement.x * video.width), round(placement.eyes * video.height))
        self._backdrop = backdrop.copy()
        self._stage = backdrop.copy()
        fine = min(self._scale * _FINER, 1.0)
        layers = avatar.layers
        self._behind = self._behind_texture(layers, fine)
        self._hair = layers["hair"].texture(fine)
        self._face = layers["face"].texture(fine)
        over4(self._face.pixels, _aligned(layers["brows"].texture(fine), self._face))
        self._lips = {name: layers[f"lip_{name}"].texture(fine) for name in ("upper", "lower")}
        self._inside = {name: layers[name].texture(fine) for name in ("cavity", "teeth_upper", "teeth_lower", "tongue")}
        self._body = layers["body"].texture(self._scale)
        self._lids = Lids(avatar, self._face)
        self._points = rig.grid.points()
        self._step = max(2, round(8 * self._scale / 0.288 / 2) * 2) if self._scale < 0.6 else 16
        self._state: _State | None = None
        self._breath_levels = max(1, round(6.0 * self._scale / _QUANTUM))
        neck_top, neck_bottom = rig.neck
        t = np.clip((self._points[..., 1] - neck_top) / (neck_bottom - neck_top), 0, 1)
        self._neck_share: Floats = (1 - t * t * (3 - 2 * t)).astype(np.float32)
        self._lip_depth = rig.grid.sample(rig.depth["face"], rig.lip_grid.points())
        self._lip_points = rig.lip_grid.points()
        self._figure = self._outline()

    @staticmethod
    def _behind_texture(layers: dict[str, Layer], scale: float) -> Texture:
        back, neck = layers["back"], layers["neck"]
        left, top = min(back.left, neck.left), min(back.top, neck.top)
        right = max(item.left + item.pixels.shape[1] for item in (back, neck))
        bottom = max(item.top + item.pixels.shape[0] for item in (back, neck))
        joined = np.zeros((int(bottom - top), int(right - left), 4), np.uint8)
        for item in (back, neck):
            y, x = int(item.top - top), int(item.left - left)
            over4(joined[y : y + item.pixels.shape[0], x : x + item.pixels.shape[1]], item.pixels)
        return Layer(joined, left, top).texture(scale)

    def _outline(self) -> Floats:
        """Corners of everything that turns with the head, for finding its box: shape (1, n, 2), and depth 0."""
        left = min(t.left for t in (self._hair, self._behind)) / self._hair.scale
        top = min(t.top for t in (self._hair, self._behind)) / self._hair.scale
        right = max(t.left + t.pixels.shape[1] for t in (self._hair, self._behind)) / self._hair.scale
        bottom = max(t.top + t.pixels.shape[0] for t in (self._hair, self._behind)) / self._hair.scale
        return np.array([[left, top], [right, top], [left, 560], [right, 560], [left, bottom], [right, bottom]], np.float32)

    # -- from a face to numbers

    def _state_of(self, face: Blendshapes) -> _State:
        rig, head = self._rig, face.head
        tall = rig.chin - rig.crown
        unit = _QUANTUM / self._scale
        turn = unit / 300

        def snapped(value: float, limit: float, quantum: float) -> float:
            return round(min(limit, max(-limit, value)) / quantum) * quantum

        pose = Turn(
            snapped(head.yaw, _CALM.yaw, turn), snapped(head.pitch, _CALM.pitch, turn),
            snapped(head.roll, _CALM.roll, turn * 0.6), snapped(head.x * tall, _CALM.x * tall, unit),
            snapped(-head.y * tall, _CALM.y * tall, unit), rig.pivot,
        )  # fmt: skip
        weights = np.clip(face.weights, 0, 1)
        steps = np.rint(weights * _STEPS).astype(np.int16)
        looks = self._lids.looks(steps.astype(np.float32) / _STEPS, face.gaze)
        breath = round(min(1.0, max(0.0, face.breath)) * self._breath_levels)
        shape = steps[rig.columns]
        return _State(pose, tuple(shape.tolist()), int(steps[ARKIT_INDEX["tongueOut"]]), looks, breath)

    # -- drawing

    def draw(self, face: Blendshapes, canvas: Picture) -> None:
        state, last = self._state_of(face), self._state
        if last is None:
            whole = Box(0, 0, self._width, self._height)
            convert(self._backdrop, whole, canvas)
        if last is None or state.breath != last.breath:
            self._draw_body(state.breath, canvas)
        if last is None or state != last:
            self._draw_head(state, last, canvas)
        self._state = state

    def _draw_body(self, breath: int, canvas: Picture) -> None:
        body = self._body
        top, bottom = (v * self._scale for v in self._rig.chest)
        lift = 6.0 * self._scale * breath / self._breath_levels
        x0, y0 = self._origin[0] + body.left, self._origin[1] + body.top
        height, width = body.pixels.shape[:2]
        box = Box.around(x0, y0 - 4, x0 + width, self._height, self._width, self._height)
        if box.empty:
            return
        # Rows rise by `lift` at the top of the chest, fading to nothing at its bottom.
        gain = lift / max(bottom - top, 1)
        a = 1 / (1 + gain)
        matrix = np.array([[1, 0, box.x0 - x0], [0, a, 0]], np.float64)
        foot = bottom - body.top
        matrix[1, 2] = foot + a * (box.y0 - y0 - foot)
        size = (box.x1 - box.x0, box.y1 - box.y0)
        warped = cv2.warpAffine(body.pixels, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                borderMode=cv2.BORDER_REPLICATE if False else cv2.BORDER_CONSTANT)  # fmt: skip
        stage = box.of(self._stage)
        stage[:] = box.of(self._backdrop)
        self._body_now, self._body_box = warped, box
        over(stage, warped)
        convert(stage, box, canvas)

    def _draw_head(self, state: _State, last: _State | None, canvas: Picture) -> None:
        eyes_changed = self._lids.draw(state.looks)
        del eyes_changed
        box = self._head_box(state.pose)
        work = box if last is None else box.union(self._last_box)
        self._last_box = box
        if work.empty:
            return
        scene = work.of(self._backdrop).copy()
        weights = np.array(state.shape, np.float32) / _STEPS
        depth = self._rig.depth
        # behind the face
        share = self._neck_share[..., None]
        moved = (state.pose.move(self._points, depth["back"]) - self._points) * share
        self._lay(scene, work, self._behind, moved, 3)
        cut = self._body_box.meet(work)
        if not cut.empty:
            b = self._body_box
            piece = self._body_now[cut.y0 - b.y0 : cut.y1 - b.y0, cut.x0 - b.x0 : cut.x1 - b.x0]
            over(scene[cut.y0 - work.y0 : cut.y1 - work.y0, cut.x0 - work.x0 : cut.x1 - work.x0], piece)
        # the face
        skin = np.tensordot(weights, self._rig.head, 1)
        moved = state.pose.move(self._points + skin, depth["face"]) - self._points
        self._lay(scene, work, self._face, moved, 6)
        self._draw_mouth(scene, work, state, weights)
        moved = state.pose.move(self._points, depth["hair"]) - self._points
        self._lay(scene, work, self._hair, moved, 3)
        convert(scene, work, canvas)

    def _head_box(self, pose: Turn) -> Box:
        corners = self._figure
        flat = np.zeros(len(corners), np.float32)
        moved = pose.move(corners, flat)
        moved[4:] = corners[4:]
        x, y = moved[:, 0] * self._scale + self._origin[0], moved[:, 1] * self._scale + self._origin[1]
        margin = 8 * self._scale + 2
        return Box.around(float(x.min()) - margin, float(y.min()) - margin, float(x.max()) + margin, float(y.max()) + margin,
                          self._width, self._height)  # fmt: skip

    def _targets(self, box: Box, step: int) -> tuple[Floats, int, int]:
        """Art positions of coarse nodes over a box, and the size of the box they cover when enlarged by `step`."""
        columns, rows = -(-(box.x1 - box.x0) // step), -(-(box.y1 - box.y0) // step)
        x = (box.x0 + (np.arange(columns, dtype=np.float32) + 0.5) * step - self._origin[0]) / self._scale
        y = (box.y0 + (np.arange(rows, dtype=np.float32) + 0.5) * step - self._origin[1]) / self._scale
        return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32), columns * step, rows * step

    def _map(self, box: Box, step: int, grid: Grid, moves: Floats, texture: Texture, rounds: int) -> tuple[Bytes, Bytes]:
        targets, width, height = self._targets(box, step)
        corner = np.array([grid.left, grid.top], np.float32)
        found = invert((targets - corner) / np.float32(grid.step), moves / np.float32(grid.step), rounds)
        coordinates = texture.coordinates(found * np.float32(grid.step) + corner)
        full = cv2.resize(coordinates, (width, height), interpolation=cv2.INTER_LINEAR)
        full = full[: box.y1 - box.y0, : box.x1 - box.x0]
        first, second = cv2.convertMaps(full, None, cv2.CV_16SC2)
        return first, second

    def _lay(self, scene: Bytes, work: Box, texture: Texture, moves: Floats, rounds: int) -> None:
        maps = self._map(work, self._step, self._rig.grid, moves, texture, rounds)
        over(scene, cv2.remap(texture.pixels, *maps, cv2.INTER_LINEAR))

    def _draw_mouth(self, scene: Bytes, work: Box, state: _State, weights: Floats) -> None:
        rig, grid = self._rig, self._rig.lip_grid
        upper, lower = np.tensordot(weights, rig.upper, 1), np.tensordot(weights, rig.lower, 1)
        moves_up = state.pose.move(self._lip_points + upper, self._lip_depth) - self._lip_points
        moves_low = state.pose.move(self._lip_points + lower, self._lip_depth) - self._lip_points
        everything = np.concatenate([(self._lip_points + moves_up).reshape(-1, 2), (self._lip_points + moves_low).reshape(-1, 2)])
        low, high = everything.min(axis=0) * self._scale + self._origin, everything.max(axis=0) * self._scale + self._origin
        box = Box.around(*low, *high, self._width, self._height).meet(work)
        if box.empty:
            return
        part = scene[box.y0 - work.y0 : box.y1 - work.y0, box.x0 - work.x0 : box.x1 - work.x0]
        line = rig.mouth[None]
        above = grid.sample(moves_up, line)[0] + rig.mouth
        below = grid.sample(moves_low, line)[0] + rig.mouth
        if float((below - above)[:, 1].max()) * self._scale > 0.3:
            self._draw_inside(part, box, state, weights, above, below)
        step = max(2, self._step // 2)
        for name, moves in (("lower", moves_low), ("upper", moves_up)):
            texture = self._lips[name]
            maps = self._map(box, step, grid, moves, texture, 6)
            over(part, cv2.remap(texture.pixels, *maps, cv2.INTER_LINEAR))

    def _draw_inside(self, part: Bytes, box: Box, state: _State, weights: Floats, above: Floats, below: Floats) -> None:
        """Cavity, teeth and tongue between the lips, cut along their inner edges, which the lips then cover."""
        rig = self._rig
        inner = self._inside["cavity"]
        mask = np.zeros(part.shape[:2], np.uint8)
        centre = (above + below) / 2
        reach = 2.0
        outline = np.concatenate([above - (0, reach), below[::-1] + (0, reach)])
        del centre
        pixels = outline * self._scale + self._origin - (box.x0 + 0.5, box.y0 + 0.5)
        cv2.fillPoly(mask, [np.rint(pixels * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        jaw = float(weights[rig.columns == ARKIT_INDEX["jawOpen"]].sum()) if len(weights) else 0.0
        tongue = state.tongue / _STEPS
        drop = jaw * rig.jaw_drop
        picture = part.copy()
        for name, dy in (
            ("cavity", 0.0), ("teeth_upper", 0.0), ("tongue", drop * 0.92 + 12 - tongue * rig.tongue_out * 0.2),
            ("teeth_lower", drop * 0.96 + 4),
        ):  # fmt: skip
            texture = self._inside[name]
            corners = np.array([[[0, 290], [100, 290], [0, 390]]], np.float32)
            turned = state.pose.move(corners, np.full(corners.shape[:2], 190, np.float32))[0] + (0, dy)
            source = texture.coordinates(corners[0])
            target = (turned * self._scale + self._origin - (box.x0 + 0.5, box.y0 + 0.5)).astype(np.float32)
            matrix = cv2.getAffineTransform(source.astype(np.float32), target)
            layer = cv2.warpAffine(texture.pixels, matrix, (part.shape[1], part.shape[0]), flags=cv2.INTER_LINEAR)
            over(picture, layer)
        del inner
        wide = cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)
        cv2.multiply(picture, wide, picture, 1 / 255)
        cv2.multiply(part, cv2.bitwise_not(wide), part, 1 / 255)
        cv2.add(part, picture, part)


@dataclass(frozen=True, slots=True)
class _State:
    """All that the picture depends on, in the steps in which it is drawn."""

    pose: Turn
    shape: tuple[int, ...]
    tongue: int
    looks: tuple[tuple[float, float, float, float], ...]
    breath: int


def _aligned(texture: Texture, other: Texture) -> Bytes:
    """A texture's pixels on the rectangle of another of the same scale."""
    out = np.zeros_like(other.pixels)
    y, x = texture.top - other.top, texture.left - other.left
    height, width = texture.pixels.shape[:2]
    y0, x0, y1, x1 = max(y, 0), max(x, 0), min(y + height, out.shape[0]), min(x + width, out.shape[1])
    out[y0:y1, x0:x1] = texture.pixels[y0 - y : y1 - y, x0 - x : x1 - x]
    return out


class Lids:
    """Both eyes, drawn into the face's texture: ball, iris, lids."""

    def __init__(self, avatar: PuppetAvatar, face: Texture) -> None:
        self._eyes = eyes = avatar.rig.eyes
        self._face = face
        self._now: list[tuple[float, float, float, float] | None] = [None, None]
        left, top, right, bottom = eyes.box
        self._sides = []
        iris, ball = avatar.layers["iris"], avatar.layers["eyeball"]
        for name, (ex, ey) in (("left", eyes.left), ("right", eyes.right)):
            sheet = avatar.layers[f"lids_{name}"].pixels
            h, w = int(bottom - top), int(right - left)
            pictures = [
                [
                    Layer(np.ascontiguousarray(sheet[r * h : (r + 1) * h, c * w : (c + 1) * w]), ex + left, ey + top).texture(face.scale)
                    for c in range(len(eyes.rises))
                ]
                for r in range(len(eyes.closures))
            ]
            frame = pictures[0][0]
            y, x = frame.top - face.top, frame.left - face.left
            place = (slice(y, y + frame.pixels.shape[0]), slice(x, x + frame.pixels.shape[1]))
            if min(y, x) < 0 or face.pixels[place].shape != frame.pixels.shape:
                raise AvatarError("eyes.box: the lids must lie inside the face layer")
            under = face.pixels[place].copy()
            white = _aligned(Layer(ball.pixels, ball.left + ex, ball.top + ey).texture(face.scale), frame)
            over4(under, white)
            disc = Layer(iris.pixels, iris.left, iris.top).texture(face.scale)
            self._sides.append((pictures, place, under, cv2.merge([white[..., 3]] * 4), disc, (ex, ey), (frame.left, frame.top)))

    def looks(self, weights: Floats, gaze: tuple[float, float]) -> tuple[tuple[float, float, float, float], ...]:
        """For the left and the right eye: lid closure, lower lid rise, and the iris's place in texture pixels."""
        out = []
        eyes = self._eyes
        for side, sign in (("Left", 1), ("Right", -1)):
            def w(name: str, side: str = side) -> float:
                return float(weights[ARKIT_INDEX[name + side]])

            smile = float(weights[ARKIT_INDEX["mouthSmile" + side]])
            blink, squint, wide = w("eyeBlink"), w("eyeSquint"), w("eyeWide")
            # Outwards is to the anchor's left for the left eye: the viewer's right.
            yaw = gaze[0] + sign * 0.55 * (w("eyeLookOut") - w("eyeLookIn"))
            pitch = gaze[1] + 0.45 * (w("eyeLookUp") - w("eyeLookDown"))
            rest = 0.26 * squint + 0.34 * w("eyeLookDown") - 0.35 * wide * (1 - blink) - 0.20 * w("eyeLookUp")
            closure = min(1.0, max(eyes.closures[0], blink + rest * (1 - blink)))
            rise = min(1.0, 0.75 * squint + 0.55 * w("cheekSquint") + 0.30 * smile + 0.25 * max(0.0, blink - 0.5))
            yaw, pitch = min(0.7, max(-0.7, yaw)), min(0.55, max(-0.55, pitch))
            scale = self._face.scale
            x = (eyes.iris_rest[0] + eyes.ball_radius * math.sin(yaw)) * scale
            y = (eyes.iris_rest[1] - eyes.ball_radius * 0.62 * math.sin(pitch)) * scale
            out.append((round(closure * 64) / 64, round(rise * 16) / 16, round(x * 4) / 4, round(y * 4) / 4))
        return tuple(out)

    def draw(self, looks: tuple[tuple[float, float, float, float], ...]) -> bool:
        changed = False
        for index, look in enumerate(looks):
            if look != self._now[index]:
                self._draw_eye(index, look)
                self._now[index] = look
                changed = True
        return changed

    def _draw_eye(self, index: int, look: tuple[float, float, float, float]) -> None:
        pictures, place, under, white, disc, (ex, ey), (left, top) = self._sides[index]
        closure, rise, x, y = look
        picture = under.copy()
        if closure < 1:
            scale = self._face.scale
            dx, dy = disc.left + ex * scale + x - left, disc.top + ey * scale + y - top
            iris = cv2.warpAffine(disc.pixels, np.array([[1, 0, dx], [0, 1, dy]], np.float64), (picture.shape[1], picture.shape[0]))
            over4(picture, cv2.multiply(iris, white, None, 1 / 255))
        over4(picture, self._mixed(pictures, closure, rise))
        self._face.pixels[place] = picture

    def _mixed(self, pictures: list[list[Texture]], closure: float, rise: float) -> Bytes:
        """Between four lid pictures: the nearest two closures and rises."""
        eyes = self._eyes
        r = min(max(int(np.searchsorted(eyes.closures, closure, "right")) - 1, 0), len(eyes.closures) - 2)
        c = min(max(int(np.searchsorted(eyes.rises, rise, "right")) - 1, 0), len(eyes.rises) - 2)
        f = (closure - eyes.closures[r]) / (eyes.closures[r + 1] - eyes.closures[r])
        g = (rise - eyes.rises[c]) / (eyes.rises[c + 1] - eyes.rises[c])

        def between(a: Bytes, b: Bytes, share: float) -> Bytes:
            return a if share <= 0 else b if share >= 1 else cv2.addWeighted(a, 1 - share, b, share, 0)

        rows = [between(pictures[i][c].pixels, pictures[i][c + 1].pixels, g) for i in (r, r + 1)]
        return between(rows[0], rows[1], f)


def main() -> None:
    """``python -m avatars.puppet NAME -o sheet.png``: a contact sheet."""
    import argparse

    from avatars.package import load_avatar
    from avatars.sheet import contact_sheet

    parser = argparse.ArgumentParser(description="Draw a contact sheet of an avatar.")
    parser.add_argument("name", help="bundled name, folder or zip")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    if not cv2.imwrite(str(given.output), contact_sheet(load_avatar(given.name))):
        raise AvatarError(f"{given.output}: cannot be written")


if __name__ == "__main__":
    main()
