"""A drawn figure moved by ARKit coefficients: layers of art, warped by fields and put together again for every frame.

The head is three layers at different depths: hair behind with the neck, face, hair in front. Each is sampled once per
frame through a backward map: the forward map ``pose(q + sum w_k u_k(q))`` is known on a coarse grid and inverted there
by fixed-point iteration. Lips are two layers of their own over the inside of the mouth, since skin is torn apart where
they part; eyes are drawn into the face before it is warped. To see one: ``python -m avatars.puppet lin -o sheet.png``.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import Blendshapes, Bytes, DrawnFace, Floats, HeadPose, PatchedFace, Picture, VideoFormat
from anchor.ports import AvatarInfo, FaceShape, Placement, Setting
from avatars.crops import Crops, cut
from avatars.framing import frame
from avatars.mouth_inside import Inside
from avatars.package import Manifest, read_manifest
from avatars.puppet_draw import (
    FAR,
    Box,
    Turn,
    affine,
    convert,
    enlarge,
    invert,
    over,
    paste,
    planes,
    sample,
    sample_field,
)
from avatars.puppet_eyes import Eyes, Look
from avatars.puppet_paint import SPOKEN, Painted
from avatars.puppet_parts import FURTHER_LAYERS, Grid, Layer, Rig, Texture, join, load_layers, read_places

_FINER = 1.2
"""Texture pixels for one of the picture, each way: sampling between them costs sharpness, more of them costs time."""
_QUANTUM = 0.25
"""Smallest movement that is drawn, in pixels of the picture."""
_STEPS = 128
"""Steps in which a weight is drawn."""
_LIMIT = HeadPose(0.38, 0.34, 0.35, 0.20, 0.20)
"""The farthest pose the layers can show."""
_NODE = 1 / 36
"""Distance between the nodes of backward maps, in head heights."""


class PuppetAvatar:
    """A package of kind ``puppet``, shared by all streams: nothing in it changes after loading."""

    def __init__(self, manifest: Manifest) -> None:
        places = read_places(manifest)
        self.rig = Rig.read(manifest, places)
        found = load_layers(manifest, places)
        self.background = found.pop("background", None)
        self.layers: dict[str, Layer] = {name: Layer.empty() for name in FURTHER_LAYERS} | found
        self._shape = _read_crop(manifest) if "crop" in manifest.rest else None
        manifest.rest.done()
        left, top, right, bottom = self.rig.eyes.box
        rows, columns = len(self.rig.eyes.closures), len(self.rig.eyes.rises)
        size = (round(bottom - top) * rows, round(right - left) * columns)
        for name in ("lids_left", "lids_right"):
            if self.layers[name].pixels.shape[:2] != size:
                raise AvatarError(
                    f"{manifest.where}: layers.{name}: must be {size[1]}x{size[0]} pixels to fit eyes.box"
                )
        face, parts = self.layers["face"], self.rig.eyes
        room = (face.left, face.top, face.left + face.pixels.shape[1], face.top + face.pixels.shape[0])
        for x, y in (parts.left, parts.right):
            if not (
                room[0] < x + left - 2
                and room[1] < y + top - 2
                and x + right + 2 < room[2]
                and y + bottom + 2 < room[3]
            ):
                raise AvatarError(f"{manifest.where}: eyes.box: the lids must lie inside the face layer")
        self._info = manifest.info(paintable=self._shape is not None, coefficients=str(len(self.rig.columns)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a package folder. Raises `AvatarError` that names the file or key at fault."""
        return cls(read_manifest(folder))

    @property
    def info(self) -> AvatarInfo:
        return self._info

    def as_photo(self) -> PuppetAvatar:
        """The same figure, but one that can be painted on: to try networks where no photo is at hand."""
        if self._shape is not None:
            return self
        twin = copy(self)
        (x, y), line = self.rig.mouth.mean(axis=0).tolist(), self.rig.mouth
        twin._shape = FaceShape(self.rig.chin, (x, y), float(line[-1, 0] - line[0, 0]))
        twin._info = replace(self.info, accepts=("blendshapes", "patch"))
        return twin

    @property
    def shape(self) -> FaceShape:
        """Raises `AvatarError` for a figure that was drawn: it has no skin that could be painted."""
        if self._shape is None:
            raise AvatarError(f"{self.info.name}: accepts no patches; make the avatar again from its photo")
        return self._shape

    def crops(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Crops:
        """The figure at rest, as it is drawn."""
        left, top, right, bottom = box
        scale = min(1.0, 2 * size[1] / (bottom - top))
        width, height = (max(64, round(scale * side / 2) * 2) for side in (right - left, bottom - top))
        video = VideoFormat(width, height)
        placement = Placement(-left * scale / width, -top * scale / height, self.rig.tall * scale / height)
        view, canvas = self.open(video, np.full((height, width, 3), 128, np.uint8), placement), Picture.black(video)
        view.draw(Blendshapes(), canvas)
        picture = cast(Bytes, cv2.cvtColor(canvas.data, cv2.COLOR_YUV2BGR_I420))
        return Crops.of(iter([cut(picture, view.to_picture(), box, size)]))

    def setting(self, video: VideoFormat, wanted: Placement, *, own_background: bool) -> Setting:
        """The figure's own background, where it has one and may show it, and the place nearest to the wanted one.

        The place is such that no edge of the art comes into the picture.
        """
        background = self.background if own_background else None
        return frame(self.rig.tall, self.rig.chin, self.layers["body"], background, video, wanted)

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> PuppetView:
        """Scale the layers for this picture. Raises `AvatarError` for a backdrop of another size or a bad placement."""
        if backdrop.shape != (video.height, video.width, 3) or backdrop.dtype != np.uint8:
            raise AvatarError(f"the backdrop must be {video.width}x{video.height} BGR bytes, not {backdrop.shape}")
        if not (0.02 <= placement.head <= 3 and -2 <= placement.x <= 3 and -2 <= placement.eyes <= 3):
            raise AvatarError(f"{placement}: head must be 0.02 to 3, x and eyes -2 to 3, in parts of the picture")
        return PuppetView(self, video, backdrop, placement)


def _read_crop(manifest: Manifest) -> FaceShape:
    """Where the face of a photo is: recorded when the avatar was made, and drawn figures have none."""
    table = manifest.rest.table("crop")
    x, y = table.numbers("mouth", 2)
    shape = FaceShape(table.number("chin", 8, 4000), (x, y), table.number("width", 1, 4000))
    table.done()
    return shape


@dataclass(frozen=True, slots=True)
class _State:
    """All that the picture depends on, in the steps in which it is drawn."""

    pose: Turn
    shape: bytes
    looks: tuple[Look, Look]
    breath: int
    painted: tuple[int, int] = (0, 0)
    """Which patch is laid over the mouth, and how strongly, of 255."""


class _Warp:
    """A layer of the head: its texture, and where the nodes of its grid go for the state that is drawn."""

    def __init__(self, texture: Texture, grid: Grid, solid: Floats, rounds: int, step: int) -> None:
        self.texture, self.grid, self.rounds, self.step = texture, grid, rounds, step
        self._solid = planes(solid)
        self._rest = planes(grid.points())
        self.moves: Floats = np.zeros((*grid.shape, 2), np.float32)
        """Displacements in node units."""
        corner = texture.coordinates(np.array([grid.left, grid.top], np.float32))
        self.to_texture = np.array(
            [[grid.step * texture.scale, 0, corner[0]], [0, grid.step * texture.scale, corner[1]]]
        )
        """From node coordinates to pixels of the texture."""
        self._edges = self.lattice(*texture.bounds)
        self.reach = texture.bounds
        """Art bounds of the layer where it is now."""

    @property
    def pixels(self) -> Bytes:
        return self.texture.pixels

    def lattice(self, left: float, top: float, right: float, bottom: float) -> tuple[Floats, Floats]:
        """A few points over art bounds, and their node coordinates, for `reach_of`."""
        x, y = np.linspace(left, right, 6, dtype=np.float32), np.linspace(top, bottom, 6, dtype=np.float32)
        points = np.stack(np.meshgrid(x, y), axis=-1)
        return points, self.grid.nodes(points)

    def move(self, pose: Turn, skin: Floats | None = None, share: Floats | None = None) -> None:
        """Set `moves` for a pose, with skin displaced first, and only a share of it all where that is given."""
        solid = self._solid
        if skin is not None:
            solid = solid.copy()
            solid[:2] += skin.reshape(2, -1)
        x, y = pose.move(solid)
        unit = np.float32(1 / self.grid.step)
        x, y = (x - self._rest[0]) * unit, (y - self._rest[1]) * unit
        if share is not None:
            x, y = x * share, y * share
        self.moves = cast(Floats, cv2.merge((x.reshape(self.grid.shape), y.reshape(self.grid.shape))))
        self.reach = self.reach_of(self._edges)

    def reach_of(self, lattice: tuple[Floats, Floats]) -> tuple[float, float, float, float]:
        """Art bounds of a part of the layer where it is now, with a little to spare."""
        points, nodes = lattice
        moved = planes(points + sample_field(self.moves, nodes) * np.float32(self.grid.step))
        (left, top), (right, bottom) = moved.min(axis=1).tolist(), moved.max(axis=1).tolist()
        return left - 8, top - 8, right + 8, bottom + 8


def _mixed(basis: Floats, weights: Floats) -> Floats:
    """The sum of the rows of a basis by their weights, of which most are zero: no product of matrices is as cheap."""
    total: Floats = np.zeros((1, basis.shape[1]), np.float32)
    for index in np.flatnonzero(weights):
        cv2.scaleAdd(basis[index : index + 1], float(weights[index]), total, total)
    return cast(Floats, total[0])


def _moved_bounds(grid: Grid, basis: Floats, face: Texture) -> tuple[float, float, float, float]:
    """Bounds of all that expressions move, in art pixels; the face's own where nothing does."""
    moved = np.argwhere(np.abs(basis).max(axis=(0, 3)) > 0.02)
    if not len(moved):
        return face.bounds
    (top, left), (bottom, right) = moved.min(axis=0) - 1, moved.max(axis=0) + 1
    x0, y0, x1, y1 = face.bounds
    return (
        max(x0, grid.left + grid.step * float(left)), max(y0, grid.top + grid.step * float(top)),
        min(x1, grid.left + grid.step * float(right)), min(y1, grid.top + grid.step * float(bottom)),
    )  # fmt: skip


class PuppetView:
    """A puppet at one size over one backdrop, and what its canvas shows."""

    def __init__(self, avatar: PuppetAvatar, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        rig = self._rig = avatar.rig
        self._frame = Box(0, 0, video.width, video.height)
        self._scale = placement.head * video.height / rig.tall
        self._origin = (round(placement.x * video.width), round(placement.eyes * video.height))
        self._levels = max(1, round(rig.lift * self._scale / _QUANTUM))
        self._state: _State | None = None
        self._patch: PatchedFace | None = None
        self._patch_box = Box(0, 0, 0, 0)
        self._head_box = Box(0, 0, 0, 0)
        fine = min(self._scale * _FINER, 1.0)
        self._dress(avatar.layers, fine)
        self._backdrop = backdrop.copy()
        self._body_box = self._box_of(*self._body.bounds)
        self._body_now: Bytes = np.zeros((0, 0, 4), np.uint8)
        self._ground = self._grounded(avatar.layers)

    def _dress(self, layers: dict[str, Layer], fine: float) -> None:
        """Make the textures, and what is needed to warp them."""
        rig = self._rig
        face = join(layers["face"], layers["brows"]).texture(fine)
        self._eyes = Eyes(rig.eyes, layers, face)
        step = max(2, round(_NODE * rig.tall * self._scale / 2) * 2)
        everywhere = (slice(None, None, 2), slice(None, None, 2))
        coarse = replace(rig.grid, step=rig.grid.step * 2, shape=rig.depth["face"][everywhere].shape)
        skin_grid, skin = rig.grid.part(*face.bounds)

        def warp(texture: Texture, grid: Grid, solid: Floats, rounds: int, nodes: int) -> _Warp:
            return _Warp(texture, grid, solid, rounds, nodes)

        behind = join(layers["back"], layers["neck"]).cropped(rig.neck[1] + 0.024 * rig.tall).texture(fine)
        self._behind = warp(behind, coarse, rig.solid("back")[everywhere], 3, step)
        self._face = warp(face, skin_grid, rig.solid("face")[skin], 6, step)
        # A patch is painted over the figure at rest, whose mouth is shut already.
        self._skin = warp(face, skin_grid, rig.solid("face")[skin], 6, step)
        self._followers = None if rig.share is None else np.ascontiguousarray(rig.share[skin]).reshape(-1)
        self._skin_frame = self._face.lattice(*_moved_bounds(skin_grid, rig.head[:, *skin], face))
        # Each coefficient's displacements as one row: all of x, then all of y.
        bases = (rig.head[:, *skin], rig.upper, rig.lower)
        self._bases = [np.ascontiguousarray(np.moveaxis(b, 3, 1)).reshape(len(b), -1) for b in bases]
        self._hair = warp(layers["hair"].cropped().texture(fine), coarse, rig.solid("hair")[everywhere], 3, step)
        lips = (layers[name].texture(fine) for name in ("lip_upper", "lip_lower"))
        self._upper, self._lower = (warp(lip, rig.lip_grid, rig.lip_solid(), 6, max(2, step // 2)) for lip in lips)
        self._eye_frames = [self._face.lattice(*bounds) for bounds in self._eyes.bounds()]
        self._inside = Inside.of(layers, fine, rig.jaw_drop, rig.tall)
        self._body = layers["body"].cropped().texture(self._scale)
        # Still a node's width above the neck's end, so that nothing is torn where what moves meets what does not.
        top, bottom = rig.neck[0], rig.neck[1]
        t = np.clip((planes(coarse.points())[1] - top) / (bottom - coarse.step - 0.008 * rig.tall - top), 0, 1)
        self._with_head: Floats = (1 - t * t * (3 - 2 * t)).astype(np.float32)
        self._neck_row = min(self._frame.y1, max(0, round(bottom * self._scale + self._origin[1]) & ~1))

    def _grounded(self, layers: dict[str, Layer]) -> Bytes:
        """The backdrop with what never moves: skin below the neck, under the collar."""
        ground = self._backdrop.copy()
        rest = join(layers["back"], layers["neck"]).texture(self._scale)
        box = self._box_of(*rest.bounds)
        box = replace(box, y0=max(box.y0, self._neck_row))
        if not box.empty:
            x, y = box.x0 - self._origin[0] - rest.left, box.y0 - self._origin[1] - rest.top
            over(box.of(ground, self._frame), affine(rest.pixels, [[1, 0, x], [0, 1, y]], box.size, backward=True))
        return ground

    # From faces to numbers

    def _pixels(self, points: Floats) -> Floats:
        """Picture positions of art positions."""
        return cast(Floats, points * np.float32(self._scale) + np.array(self._origin, np.float32))

    def to_picture(self) -> Floats:
        """From art coordinates to pixels of the picture, at rest: (2, 3)."""
        return np.array([[self._scale, 0, self._origin[0]], [0, self._scale, self._origin[1]]], np.float32)

    def _box_of(self, left: float, top: float, right: float, bottom: float, margin: float = 2) -> Box:
        s, (x, y) = self._scale, self._origin
        bounds = (left * s + x - margin, top * s + y - margin, right * s + x + margin, bottom * s + y + margin)
        return Box.around(*bounds, self._frame)

    def _state_of(self, drawn: DrawnFace) -> _State:
        face = drawn.face if isinstance(drawn, PatchedFace) else drawn
        rig, head, values, painted = self._rig, face.head, face.weights, (0, 0)
        if isinstance(drawn, PatchedFace):
            # Under the patch the mouth is at rest, as it was where the patch was painted.
            values = values * np.where(SPOKEN, np.float32(1 - drawn.strength), np.float32(1))
            painted = (id(drawn.mouth), round(255 * drawn.strength))
        tall = rig.tall
        unit = _QUANTUM / self._scale
        # What stands out farthest, by some 0.3 head heights, shall move by one quantum.
        turn = unit / (0.3 * tall)

        def snap(value: float, limit: float, quantum: float) -> float:
            return round(min(limit, max(-limit, value)) / quantum) * quantum

        pose = Turn(
            snap(head.yaw, _LIMIT.yaw, turn), snap(head.pitch, _LIMIT.pitch, turn),
            snap(head.roll, _LIMIT.roll, turn / 2),
            snap(head.x * tall, _LIMIT.x * tall, unit), snap(-head.y * tall, _LIMIT.y * tall, unit), rig.pivot,
            FAR * tall,
        )  # fmt: skip
        steps = np.rint(np.fmin(np.fmax(values, 0), 1) * _STEPS).astype(np.uint8)
        looks = self._eyes.looks(steps * np.float32(1 / _STEPS), face.gaze)
        breath = round(min(1.0, max(0.0, face.breath)) * self._levels)
        return _State(pose, steps.tobytes(), looks, breath, painted)

    # Drawing

    def base(self, ahead: int) -> int:
        return 0

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        """Bring `canvas` from the face drawn last to this one. The first call draws everything."""
        state, last = self._state_of(face), self._state
        if state == last:
            return
        self._state = state
        self._patch = face if isinstance(face, PatchedFace) else None
        work = Box(0, 0, 0, 0)
        if last is None:
            convert(self._backdrop, self._frame, canvas)
        if last is None or state.breath != last.breath:
            self._draw_body(state.breath, canvas)
            work = self._head_box.meet(self._body_box)
        changed = self._eyes.draw(state.looks)
        moved, shaped = (
            last is None or state.pose != last.pose,
            last is None or (state.shape, state.painted) != (last.shape, last.painted),
        )
        if moved or shaped:
            self._move(state, turned=moved)
        if moved:
            before = self._head_box
            self._head_box = self._box_of(*self._face.reach)
            for warp in (self._hair, self._behind):
                if warp.texture.pixels.size > 4:
                    self._head_box = self._head_box.union(self._box_of(*warp.reach))
            work = before.union(self._head_box)
        elif shaped:
            left, top, right, bottom = self._face.reach_of(self._skin_frame)
            work = work.union(self._box_of(left, top, right, bottom + self._rig.jaw_drop))
        else:
            for side in changed:
                work = work.union(self._box_of(*self._face.reach_of(self._eye_frames[side])))
        if shaped or moved:
            before, self._patch_box = self._patch_box, self._painted_box()
            work = work.union(before).union(self._patch_box)
        work = work.meet(replace(self._frame, y1=self._neck_row))
        if not work.empty:
            self._draw_head(work, state, canvas)

    def _draw_body(self, breath: int, canvas: Picture) -> None:
        """Raise the chest: rows move up by the lift at its top and less and less towards its bottom."""
        box, body = self._body_box, self._body
        if box.empty:
            return
        top, bottom = (v * self._scale for v in self._rig.chest)
        gain = self._rig.lift * self._scale * breath / self._levels / (bottom - top)
        # Below the chest nothing moves; texture rows count from the texture's top.
        x, y = box.x0 - self._origin[0] - body.left, box.y0 - self._origin[1] - body.top
        still, keep = bottom - body.top, 1 / (1 + gain)
        lower = min(box.y1, max(box.y0, round(bottom) + self._origin[1])) - box.y0
        self._body_now = np.empty((box.y1 - box.y0, box.x1 - box.x0, 4), np.uint8)
        if lower > 0:
            size = (box.size[0], lower)
            chest = affine(body.pixels, [[1, 0, x], [0, keep, still + keep * (y - still)]], size, backward=True)
            self._body_now[:lower] = chest
        if lower < box.size[1]:
            size = (box.size[0], box.size[1] - lower)
            self._body_now[lower:] = affine(body.pixels, [[1, 0, x], [0, 1, y + lower]], size, backward=True)
        stage = box.of(self._ground, self._frame).copy()
        over(stage, self._body_now)
        convert(stage, box, canvas)

    def _move(self, state: _State, *, turned: bool) -> None:
        """Work out where the nodes of every layer go."""
        weights = np.frombuffer(state.shape, np.uint8)[self._rig.columns] * np.float32(1 / _STEPS)
        if turned:
            self._behind.move(state.pose, share=self._with_head)
            self._hair.move(state.pose)
        weights = np.append(weights, np.float32(1))
        shares = (self._followers, None, None)
        for warp, basis, share in zip((self._face, self._upper, self._lower), self._bases, shares, strict=True):
            warp.move(state.pose, _mixed(basis, weights), share)
        if self._patch is not None:
            self._skin.move(state.pose, _mixed(self._bases[0], weights[:-1]), self._followers)

    def _draw_head(self, work: Box, state: _State, canvas: Picture) -> None:
        scene = work.of(self._backdrop, self._frame).copy()
        self._lay(scene, work, self._behind)
        collar = self._body_box.meet(work)
        if not collar.empty:
            over(collar.of(scene, work), collar.of(self._body_now, self._body_box))
        self._lay(scene, work, self._face)
        self._draw_mouth(scene, work, state)
        if self._patch is not None:
            self._lay(scene, work, Painted.on(self._skin, self._patch))
        self._lay(scene, work, self._hair)
        convert(scene, work, canvas)

    def _painted_box(self) -> Box:
        return Box(0, 0, 0, 0) if self._patch is None else self._box_of(*Painted.on(self._skin, self._patch).reach)

    def _lay(self, scene: Bytes, work: Box, warp: _Warp | Painted) -> None:
        """Sample a layer through the inverse of its movement and lay it over the scene, which covers `work`."""
        part = self._box_of(*warp.reach).meet(work)
        if part.empty:
            return
        step, grid = warp.step, warp.grid
        # Nodes lie at fixed places of the picture, so that a part is drawn exactly like the whole.
        column, row = part.x0 // step - 1, part.y0 // step - 1
        columns, rows = -(-part.x1 // step) + 1 - column, -(-part.y1 // step) + 1 - row
        unit = 1 / (self._scale * grid.step)
        x = ((np.arange(column, column + columns) + 0.5) * step - self._origin[0]) * unit - grid.left / grid.step
        y = ((np.arange(row, row + rows) + 0.5) * step - self._origin[1]) * unit - grid.top / grid.step
        targets = np.empty((rows, columns, 2), np.float32)
        targets[..., 0], targets[..., 1] = x, y[:, None]
        found = cv2.transform(invert(targets, warp.moves, warp.rounds), warp.to_texture)
        at = enlarge(cast(Floats, found), step)
        y0, x0 = part.y0 - row * step, part.x0 - column * step
        at = np.ascontiguousarray(at[y0 : y0 + part.size[1], x0 : x0 + part.size[0]])
        over(part.of(scene, work), sample(warp.pixels, at))

    def _draw_mouth(self, scene: Bytes, work: Box, state: _State) -> None:
        rig = self._rig
        nodes = rig.lip_grid.nodes(rig.mouth[None])
        step = np.float32(rig.lip_grid.step)
        nodes_below = rig.lip_grid.nodes(rig.mouth_below[None])
        above = self._pixels(rig.mouth + sample_field(self._upper.moves, nodes)[0] * step)
        below = self._pixels(rig.mouth_below + sample_field(self._lower.moves, nodes_below)[0] * step)
        box = self._box_of(*self._upper.reach).union(self._box_of(*self._lower.reach)).meet(work)
        if box.empty:
            return
        part = box.of(scene, work)
        if float((below[:, 1] - above[:, 1]).max()) > 0.3:
            self._draw_inside(part, box, state, above, below)
        self._lay(part, box, self._lower)
        self._lay(part, box, self._upper)

    def _draw_inside(self, scene: Bytes, work: Box, state: _State, above: Floats, below: Floats) -> None:
        """Cavity, teeth and tongue between the lips."""
        rig = self._rig
        corners = rig.mouth.mean(axis=0) + np.array([[0, 0], [100, 0], [0, 100]], np.float32) * self._inside.unit
        solid = np.concatenate([corners, np.full((3, 1), rig.mouth_depth, np.float32)], axis=1)
        turned = np.stack(state.pose.move(planes(solid - np.array(rig.pivot, np.float32))), axis=1)
        weights = np.frombuffer(state.shape, np.uint8) * np.float32(1 / _STEPS)
        drawn = self._inside.draw(
            above, below, weights, work, corners,
            lambda fall: self._pixels(turned + np.array([0, fall], np.float32)), self._scale,
        )  # fmt: skip
        if drawn is not None:
            box, picture, mask = drawn
            paste(box.of(scene, work), picture, mask)


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
