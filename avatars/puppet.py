"""A drawn figure moved by ARKit coefficients: layers of art, warped by fields and put together again for every frame.

The head is three layers at different depths: hair behind with the neck, face, hair in front. Each is sampled once per
frame through a backward map: the forward map ``pose(q + sum w_k u_k(q))`` is known on a coarse grid and inverted there
by fixed-point iteration. Lips are two layers of their own over the inside of the mouth, since skin is torn apart where
they part; eyes are drawn into the face before it is warped. See a figure: ``python -m avatars.puppet lin -o sheet.png``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import ARKIT_INDEX, Blendshapes, Bytes, Floats, HeadPose, Picture, VideoFormat
from anchor.ports import AvatarInfo, Placement
from avatars.package import Manifest, read_manifest
from avatars.puppet_draw import Box, Turn, affine, convert, enlarge, invert, over, paste, sample, sample_field
from avatars.puppet_eyes import Eyes, Look
from avatars.puppet_parts import Grid, Layer, Rig, Texture, join, read_layers

_FINER = 1.2
"""Texture pixels for one of the picture, each way: sampling between them costs sharpness, more of them costs time."""
_QUANTUM = 0.25
"""Smallest movement that is drawn, in pixels of the picture."""
_STEPS = 128
"""Steps in which a weight is drawn."""
_LIMIT = HeadPose(0.38, 0.34, 0.35, 0.20, 0.20)
"""The farthest pose the layers can show."""
_NODE = 8 / 0.288
"""Art pixels between the nodes of backward maps."""

_JAW, _TONGUE, _FUNNEL, _PUCKER = (ARKIT_INDEX[n] for n in ("jawOpen", "tongueOut", "mouthFunnel", "mouthPucker"))


class PuppetAvatar:
    """A package of kind ``puppet``, shared by all streams: nothing in it changes after loading."""

    def __init__(self, manifest: Manifest) -> None:
        self.layers: dict[str, Layer] = read_layers(manifest)
        self.rig = Rig.read(manifest)
        manifest.rest.done()
        left, top, right, bottom = self.rig.eyes.box
        size = (round(bottom - top) * len(self.rig.eyes.closures), round(right - left) * len(self.rig.eyes.rises))
        for name in ("lids_left", "lids_right"):
            if self.layers[name].pixels.shape[:2] != size:
                raise AvatarError(f"{manifest.where}: layers.{name}: must be {size[1]}x{size[0]} pixels to fit eyes.box")
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


@dataclass(frozen=True, slots=True)
class _State:
    """All that the picture depends on, in the steps in which it is drawn."""

    pose: Turn
    shape: bytes
    looks: tuple[Look, Look]
    breath: int


@dataclass(slots=True)
class _Warp:
    """A layer of the head: its texture, the grid of its movements, and these, in node units, for the state drawn."""

    texture: Texture
    grid: Grid
    solid: Floats
    rounds: int
    step: int
    moves: Floats
    bounds: tuple[float, float, float, float]


class PuppetView:
    """A puppet at one size over one backdrop, and what its canvas shows."""

    def __init__(self, avatar: PuppetAvatar, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        rig = self._rig = avatar.rig
        self._frame = Box(0, 0, video.width, video.height)
        self._scale = placement.head * video.height / (rig.chin - rig.crown)
        self._origin = (round(placement.x * video.width), round(placement.eyes * video.height))
        self._levels = max(1, round(rig.lift * self._scale / _QUANTUM))
        self._state: _State | None = None
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
        step = max(2, round(_NODE * self._scale / 2) * 2)
        coarse = replace(rig.grid, step=rig.grid.step * 2, shape=rig.solid("hair")[::2, ::2].shape[:2])

        def warp(texture: Texture, grid: Grid, solid: Floats, rounds: int, nodes: int) -> _Warp:
            still = np.zeros((*grid.shape, 2), np.float32)
            return _Warp(texture, grid, np.ascontiguousarray(solid), rounds, nodes, still, texture.bounds)

        behind = join(layers["back"], layers["neck"]).texture(fine)
        self._behind = warp(behind, coarse, rig.solid("back")[::2, ::2], 3, step)
        self._face = warp(face, rig.grid, rig.solid("face"), 6, step)
        self._hair = warp(layers["hair"].texture(fine), coarse, rig.solid("hair")[::2, ::2], 3, step)
        lips = (layers[name].texture(fine) for name in ("lip_upper", "lip_lower"))
        fine_step = max(2, step // 2)
        self._upper, self._lower = (warp(lip, rig.lip_grid, rig.lip_solid(), 6, fine_step) for lip in lips)
        self._inside = [layers[name].texture(fine) for name in ("cavity", "teeth_lower", "tongue", "teeth_upper")]
        self._body = layers["body"].texture(self._scale)
        top, bottom = rig.neck
        t = np.clip((coarse.points()[..., 1:] - top) / (bottom - top), 0, 1)
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

    def _box_of(self, left: float, top: float, right: float, bottom: float, margin: float = 2) -> Box:
        s, (x, y) = self._scale, self._origin
        return Box.around(left * s + x - margin, top * s + y - margin, right * s + x + margin, bottom * s + y + margin,
                          self._frame)  # fmt: skip

    def _state_of(self, face: Blendshapes) -> _State:
        rig, head = self._rig, face.head
        tall = rig.chin - rig.crown
        unit = _QUANTUM / self._scale
        # What stands out farthest, by some 300 art pixels, shall move by one quantum.
        turn = unit / 300

        def snap(value: float, limit: float, quantum: float) -> float:
            return round(min(limit, max(-limit, value)) / quantum) * quantum

        pose = Turn(
            snap(head.yaw, _LIMIT.yaw, turn), snap(head.pitch, _LIMIT.pitch, turn), snap(head.roll, _LIMIT.roll, turn / 2),
            snap(head.x * tall, _LIMIT.x * tall, unit), snap(-head.y * tall, _LIMIT.y * tall, unit), rig.pivot,
        )  # fmt: skip
        steps = np.rint(np.minimum(np.maximum(face.weights, 0), 1) * _STEPS).astype(np.uint8)
        looks = self._eyes.looks(steps * np.float32(1 / _STEPS), face.gaze)
        breath = round(min(1.0, max(0.0, face.breath)) * self._levels)
        return _State(pose, steps.tobytes(), looks, breath)

    # Drawing

    def draw(self, face: Blendshapes, canvas: Picture) -> None:
        """Bring `canvas` from the face drawn last to this one. The first call draws everything."""
        state, last = self._state_of(face), self._state
        if state == last:
            return
        self._state = state
        work = Box(0, 0, 0, 0)
        if last is None:
            convert(self._backdrop, self._frame, canvas)
        if last is None or state.breath != last.breath:
            self._draw_body(state.breath, canvas)
            work = self._head_box.meet(self._body_box)
        for side in self._eyes.draw(state.looks):
            work = work.union(self._moved_box(self._face, self._eyes.bounds()[side], state.pose))
        moved, shaped = last is None or state.pose != last.pose, last is None or state.shape != last.shape
        if moved or shaped:
            self._move(state, turned=moved)
        if moved:
            before, self._head_box = self._head_box, self._box_of_head(state.pose)
            work = before.union(self._head_box)
        elif shaped:
            work = work.union(self._moved_box(self._face, self._face.bounds, state.pose, self._rig.jaw_drop))
        work = work.meet(self._head_box.union(work)).meet(replace(self._frame, y1=self._neck_row))
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
        pose = state.pose
        if turned:
            for warp in (self._behind, self._hair):
                warp.moves = self._moves(warp, warp.solid, pose)
            self._behind.moves *= self._with_head
        for warp, basis in ((self._face, self._rig.head), (self._upper, self._rig.upper), (self._lower, self._rig.lower)):
            solid = warp.solid.copy()
            solid[..., :2] += (weights @ basis).reshape(*warp.grid.shape, 2)
            warp.moves = self._moves(warp, solid, pose)

    def _moves(self, warp: _Warp, solid: Floats, pose: Turn) -> Floats:
        rest = warp.solid[..., :2] + np.array(pose.pivot[:2], np.float32)
        return cast(Floats, (pose.move(solid) - rest) * np.float32(1 / warp.grid.step))

    def _moved_box(
        self, warp: _Warp, bounds: tuple[float, float, float, float], pose: Turn, drop: float = 0.0
    ) -> Box:
        """A box around art bounds of a layer after the head has turned, with room for skin to move."""
        left, top, right, bottom = bounds
        xs, ys = np.linspace(left, right, 5, dtype=np.float32), np.linspace(top, bottom, 5, dtype=np.float32)
        points = np.stack(np.meshgrid(xs, ys), axis=-1)
        nodes = warp.grid.nodes(points)
        moved = points + sample_field(warp.moves, nodes) * np.float32(warp.grid.step)
        x, y = moved[..., 0], moved[..., 1]
        return self._box_of(float(x.min()) - 10, float(y.min()) - 10, float(x.max()) + 10, float(y.max()) + 10 + drop)

    def _box_of_head(self, pose: Turn) -> Box:
        hair = self._moved_box(self._hair, self._hair.bounds, pose)
        behind = self._moved_box(self._behind, self._behind.bounds, pose)
        return hair.union(behind)

    def _draw_head(self, work: Box, state: _State, canvas: Picture) -> None:
        scene = work.of(self._backdrop, self._frame).copy()
        self._lay(scene, work, self._behind)
        collar = self._body_box.meet(work)
        if not collar.empty:
            over(collar.of(scene, work), collar.of(self._body_now, self._body_box))
        self._lay(scene, work, self._face)
        self._draw_mouth(scene, work, state)
        self._lay(scene, work, self._hair)
        convert(scene, work, canvas)

    def _lay(self, scene: Bytes, work: Box, warp: _Warp) -> None:
        """Sample a layer through the inverse of its movement and lay it over the scene, which covers `work`."""
        step, grid = warp.step, warp.grid
        # Nodes lie at fixed places of the picture, so that a part is drawn exactly like the whole.
        column, row = work.x0 // step - 1, work.y0 // step - 1
        columns, rows = -(-work.x1 // step) + 1 - column, -(-work.y1 // step) + 1 - row
        unit = np.float32(1 / (self._scale * grid.step))
        x = (np.arange(column, column + columns, dtype=np.float32) + 0.5) * step - self._origin[0]
        y = (np.arange(row, row + rows, dtype=np.float32) + 0.5) * step - self._origin[1]
        targets = np.empty((rows, columns, 2), np.float32)
        targets[..., 0] = x * unit - np.float32(grid.left / grid.step)
        targets[..., 1] = (y * unit - np.float32(grid.top / grid.step))[:, None]
        found = warp.texture.coordinates(grid.art(invert(targets, warp.moves, warp.rounds)))
        # Only where there is art to sample.
        height, width = warp.texture.pixels.shape[:2]
        inside = (found[..., 0] > -2 * step) & (found[..., 0] < width + 2 * step)
        inside &= (found[..., 1] > -2 * step) & (found[..., 1] < height + 2 * step)
        used_rows, used_columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(used_rows):
            return
        top, bottom, left, right = used_rows[0], used_rows[-1] + 1, used_columns[0], used_columns[-1] + 1
        at = enlarge(np.ascontiguousarray(found[top:bottom, left:right]), step)
        covered = Box((column + int(left)) * step, (row + int(top)) * step, (column + int(right)) * step, (row + int(bottom)) * step)
        part = covered.meet(work)
        if part.empty:
            return
        y0, x0 = part.y0 - covered.y0, part.x0 - covered.x0
        at = at[y0 : y0 + part.size[1], x0 : x0 + part.size[0]]
        over(part.of(scene, work), sample(warp.texture.pixels, np.ascontiguousarray(at)))

    def _draw_mouth(self, scene: Bytes, work: Box, state: _State) -> None:
        rig = self._rig
        nodes = rig.lip_grid.nodes(rig.mouth[None])
        step = np.float32(rig.lip_grid.step)
        above = self._pixels(rig.mouth + sample_field(self._upper.moves, nodes)[0] * step)
        below = self._pixels(rig.mouth + sample_field(self._lower.moves, nodes)[0] * step)
        box = self._moved_box(self._face, self._upper.bounds, state.pose)
        box = box.union(self._moved_box(self._lower, self._lower.bounds, state.pose)).meet(work)
        if box.empty:
            return
        part = box.of(scene, work)
        if float((below[:, 1] - above[:, 1]).max()) > 0.3:
            self._draw_inside(part, box, state, above, below)
        self._lay(part, box, self._lower)
        self._lay(part, box, self._upper)

    def _draw_inside(self, scene: Bytes, work: Box, state: _State, above: Floats, below: Floats) -> None:
        """Cavity, teeth and tongue between the lips, cut a little inside the red, which then covers the cut."""
        rig = self._rig
        reach = np.array([0, 2.0 * self._scale], np.float32)
        outline = np.concatenate([above - reach, (below + reach)[::-1]])
        (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
        box = Box.around(float(x0) - 1, float(y0) - 1, float(x1) + 1, float(y1) + 1, self._frame).meet(work)
        if box.empty:
            return
        mask = np.zeros((box.size[1], box.size[0]), np.uint8)
        corner = np.array([box.x0 + 0.5, box.y0 + 0.5], np.float32)
        cv2.fillPoly(mask, [np.rint((outline - corner) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        weight = np.frombuffer(state.shape, np.uint8) * np.float32(1 / _STEPS)
        drop, out = float(weight[_JAW]) * rig.jaw_drop, float(weight[_TONGUE])
        rounded = min(1.0, float(weight[_FUNNEL]) + float(weight[_PUCKER]))
        falls = (0.0, drop * 0.96 + 4, drop * (0.72 - 0.30 * out) + 8 - 6 * out, -22 * rounded)
        picture = np.zeros((*mask.shape, 3), np.uint8)
        corners = np.array([[[0, 290], [100, 290], [0, 390]]], np.float32)
        solid = np.concatenate([corners, np.full((1, 3, 1), rig.mouth_depth, np.float32)], axis=-1)
        turned = state.pose.move(solid - np.array(rig.pivot, np.float32))[0]
        for texture, fall in zip(self._inside, falls, strict=True):
            target = self._pixels(turned + np.array([0, fall], np.float32)) - corner
            matrix = cv2.getAffineTransform(texture.coordinates(corners[0]), target)
            over(picture, affine(texture.pixels, matrix, box.size))
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
