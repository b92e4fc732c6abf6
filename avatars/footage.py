"""A filmed person: a loop of footage plays, and in every picture of it the mouth is moved by ARKit coefficients.

The skin that moves is the picture's own: each picture is drawn once more around the mouth through the fields of the
figure that was measured on one of its pictures, brought to this picture by an affine map. So light, sharpness and
colour are always right, and where nothing moves, the footage is shown as it is, in the planes it was decoded to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self, cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import (
    ARKIT_INDEX,
    Blendshapes,
    Bytes,
    DrawnFace,
    Floats,
    MouthPatch,
    PatchedFace,
    Picture,
    VideoFormat,
)
from anchor.ports import AvatarInfo, FaceShape, Placement, Setting
from avatars.crops import Crops, footage_crops, laid
from avatars.film import FPS, Film, Player, Shot
from avatars.framing import frame
from avatars.mouth_inside import MOUTH_LAYERS, Inside
from avatars.package import MOST_SIDE, Manifest, member, read_arrays, read_manifest
from avatars.puppet_draw import Box, affine, enlarge, invert, sample, sample_field
from avatars.puppet_parts import Grid, Layer, read_layers

_MOST_FRAMES = 2 * 60 * FPS
_STEPS = 128
_STILL = 1e-3
"""Sum of weights under which the face is at rest, and the footage is shown as it is."""
_MOVED = 0.02
"""Art pixels by which a full weight must move a place for it to be drawn anew."""
_JAW = ARKIT_INDEX["jawOpen"]


class FootageAvatar:
    """A package of kind ``footage``, shared by all streams: nothing in it changes after loading.

    `maps`: float32, (frames, 2, 3), from art coordinates (of the measured picture) to pixels of each picture.
    `lines`: float32, (frames, 2, points, 2), the inner edges of the upper and the lower lip, in art coordinates.
    `own`: float32, (frames, shapes), how far the person's own mouth is open in each picture, as weights to take off.
    """

    def __init__(self, manifest: Manifest) -> None:
        rest = manifest.rest
        figure, mouth, film = (rest.table(key) for key in ("figure", "mouth", "footage"))
        self.crown, self.chin = figure.number("crown"), figure.number("chin")
        self.tall = self.chin - self.crown
        if not 16 <= self.tall <= 4000:
            raise figure.error("chin", "must lie 16 to 4000 pixels below the crown")
        shapes = figure.texts("shapes")
        for name in shapes:
            if name not in ARKIT_INDEX:
                raise figure.error("shapes", f"{name!r} is not an ARKit coefficient")
        self.columns = np.array([ARKIT_INDEX[name] for name in shapes], np.intp)
        self.grid, self.lip_grid = Grid.read(figure, "grid"), Grid.read(mouth, "grid")
        self.feather, self.jaw_drop = mouth.number("feather", 1, 500), mouth.number("jaw_drop", 0, 2000)
        self.middle = figure.numbers("middle", 2)
        fields = figure.text("fields")
        arrays = read_arrays(manifest.folder, fields)

        def take(key: str, *shape: int) -> Floats:
            found = arrays.get(key)
            if found is None or found.shape != shape:
                raise AvatarError(f"{manifest.folder / fields}: needs an array {key!r} of shape {shape}")
            return found

        count = round(film.number("frames", 2, _MOST_FRAMES))
        points = round(mouth.number("points", 2, 200))
        self.head = take("head", len(shapes), *self.grid.shape, 2)
        self.upper = take("upper", len(shapes), *self.lip_grid.shape, 2)
        self.lower = take("lower", len(shapes), *self.lip_grid.shape, 2)
        self.maps, self.lines = take("maps", count, 2, 3), take("lines", count, 2, points, 2)
        self.own = take("own", count, len(shapes))
        if float(np.linalg.det(self.maps[..., :2]).min()) < 1e-4:
            raise AvatarError(f"{manifest.folder / fields}: 'maps' holds one that cannot be inverted")
        if not (np.abs(self.head) > _MOVED).any():
            raise AvatarError(f"{manifest.folder / fields}: 'head' moves nothing")
        width, height = (round(v) for v in film.numbers("size", 2))
        if width % 2 or height % 2 or not (16 <= width <= MOST_SIDE and 16 <= height <= MOST_SIDE):
            raise film.error("size", f"sides must be even and from 16 to {MOST_SIDE}")
        path = member(manifest.folder, film.text("file"))
        self.film = Film(path, width, height, count, film.number("keyed", 0, 1) > 0)
        for table in (figure, mouth, film):
            table.done()
        self.layers = read_layers(manifest, required=MOUTH_LAYERS, optional=())
        rest.done()
        self._first = Player(self.film).next().bgr()
        corners = self.lines[:, :, [0, -1]].mean(axis=(0, 1))
        (left, _), (right, _) = corners.tolist()
        # The art's origin lies between the eyes, in the film `middle` away from its corner.
        self._shape = FaceShape(
            self.chin / self.zoom, ((left + right) / 2, float(corners[:, 1].mean())), max(1.0, right - left)
        )
        self._info = manifest.info(paintable=True, frames=str(count))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a package folder. Raises `AvatarError` that names the file or key at fault."""
        return cls(read_manifest(folder))

    @property
    def info(self) -> AvatarInfo:
        return self._info

    @property
    def shape(self) -> FaceShape:
        return self._shape

    def crops(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> Crops:
        """Plays the film once through: some milliseconds a picture."""
        return footage_crops(self.film, self.maps, box, size)

    @property
    def zoom(self) -> float:
        """Pixels of the film for an art pixel."""
        return float(np.sqrt(np.linalg.det(self.maps[0, :, :2])))

    def setting(self, video: VideoFormat, wanted: Placement, *, own_background: bool) -> Setting:
        """Footage that is not keyed brings its own background, always: the person cannot be taken out of it."""
        still = Layer(self._first, -self.middle[0], -self.middle[1])
        return frame(self.tall, self.chin, still, None if self.film.keyed else still, video, wanted)

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> FootageView:
        """Start the footage. Raises `AvatarError` for a backdrop of another size or a bad placement."""
        if backdrop.shape != (video.height, video.width, 3) or backdrop.dtype != np.uint8:
            raise AvatarError(f"the backdrop must be {video.width}x{video.height} BGR bytes, not {backdrop.shape}")
        if not (0.02 <= placement.head <= 3 and -2 <= placement.x <= 3 and -2 <= placement.eyes <= 3):
            raise AvatarError(f"{placement}: head must be 0.02 to 3, x and eyes -2 to 3, in parts of the picture")
        return FootageView(self, video, backdrop, placement)


def _placed(matrix: Floats, points: Floats) -> Floats:
    return cast(Floats, points @ matrix[:, :2].T + matrix[:, 2])


def _blend(out: Bytes, below: Bytes, plane: Bytes, mask: Bytes) -> None:
    """One plane laid over another where `mask`, uint8, says so; `out` may be `below`."""
    cv2.multiply(below, cv2.bitwise_not(mask), out, 1 / 255)
    cv2.add(out, cv2.multiply(plane, mask, None, 1 / 255), out)


def _paste(below: Bytes, plane: Bytes, mask: Bytes | None) -> None:
    if mask is None:
        below[:] = plane
    else:
        _blend(below, below, plane, mask)


def _corners(grid: Grid) -> Floats:
    """Art positions of a grid's corners, (4, 2)."""
    rows, columns = grid.shape
    return grid.art(np.array([[x, y] for y in (0, rows - 1) for x in (0, columns - 1)], np.float32))


def _halved(mask: Bytes) -> Bytes:
    return cast(Bytes, cv2.resize(mask, (mask.shape[1] // 2, mask.shape[0] // 2), interpolation=cv2.INTER_AREA))


class FootageView:
    """Footage at one size over one backdrop, and what its canvas shows. It plays on with every face that is drawn."""

    def __init__(self, avatar: FootageAvatar, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        self._avatar, self._video = avatar, video
        film = avatar.film
        scale = placement.head * video.height / avatar.tall
        # Colour has half the resolution of brightness: footage lies at whole pairs of pixels.
        self._size = (2 * max(1, round(film.width * scale / 2)), 2 * max(1, round(film.height * scale / 2)))
        ratio = np.array([self._size[0] / film.width, self._size[1] / film.height], np.float32)
        left = 2 * round((placement.x * video.width - avatar.middle[0] * float(ratio[0])) / 2)
        top = 2 * round((placement.eyes * video.height - avatar.middle[1] * float(ratio[1])) / 2)
        right, bottom = left + self._size[0], top + self._size[1]
        self._box = Box(max(0, left), max(0, top), min(video.width, right), min(video.height, bottom))
        if self._box.empty:
            raise AvatarError(f"{placement}: shows nothing of the footage")
        self._corner = (self._box.x0 - left, self._box.y0 - top)
        self._frame = Box(0, 0, *self._box.size)
        # From art coordinates to pixels of what is shown of the footage.
        self._maps = (avatar.maps * ratio[:, None]).astype(np.float32)
        self._maps[..., 2] -= np.array(self._corner, np.float32)
        self._zoom = avatar.zoom * float(scale)
        self._ground = Picture(np.asarray(cv2.cvtColor(backdrop, cv2.COLOR_BGR2YUV_I420), np.uint8))
        self._player = Player(film)
        self._shot: Shot | None = None
        self._due = 0.0
        self._step = max(2, round(avatar.tall * float(scale) / 72) * 2)
        moved = np.argwhere(np.abs(avatar.head).max(axis=(0, 3)) > _MOVED)
        bounds = avatar.grid.art(np.array([moved.min(axis=0)[::-1], moved.max(axis=0)[::-1]], np.float32))
        self._face, nodes = avatar.grid.part(*bounds.ravel().tolist())
        bases = (avatar.head[:, *nodes], avatar.upper, avatar.lower)
        # Each coefficient's displacements as one row: all of x, then all of y.
        self._bases = [np.ascontiguousarray(np.moveaxis(b, 3, 1)).reshape(len(b), -1) for b in bases]
        self._inside = Inside.of(avatar.layers, min(1.0, 1.2 * self._zoom), avatar.jaw_drop, avatar.tall / avatar.zoom)
        self._patch = self._feathered()

    def _feathered(self) -> Floats:
        """How much the lips' own fields count at each art pixel of the mouth's patch."""
        grid, feather = self._avatar.lip_grid, self._avatar.feather
        rows, columns = grid.shape
        width, height = int((columns - 1) * grid.step), int((rows - 1) * grid.step)
        x, y = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
        edge = np.minimum(np.minimum(x, width - x)[None], np.minimum(y, height - y))
        t = np.clip((edge - 0.15 * feather) / (0.8 * feather), 0, 1)
        return cast(Floats, (t * t * (3 - 2 * t)).astype(np.float32))

    def patch(self) -> Bytes:
        """How much of each pixel of the picture drawn last the lips' own fields move: uint8, (height, width)."""
        out = np.zeros((self._video.height, self._video.width), np.uint8)
        grid = self._avatar.lip_grid
        matrix = self._maps[max(0, self._player.index)].astype(np.float64)
        matrix[:, 2] += matrix[:, :2] @ (grid.left + 0.5, grid.top + 0.5) - 0.5
        self._box.of(out, Box(0, 0, self._video.width, self._video.height))[:] = affine(
            (self._patch * 255).astype(np.uint8), matrix, self._box.size
        )
        return out

    # Drawing

    def base(self, ahead: int) -> int:
        """Which picture of the film is shown `ahead` calls of `draw` from now."""
        due, index = self._due, self._player.index
        for _ in range(ahead):
            due += FPS / self._video.fps
            steps = max(int(due + 1e-6), 1 if index < 0 else 0)
            index, due = index + steps, due - steps
        return max(0, index) % self._avatar.film.count

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        """Show the next picture of the footage with this face. The first call draws everything."""
        patched = face if isinstance(face, PatchedFace) else None
        strength = patched.strength if patched else 0.0
        numbers = face.face if isinstance(face, PatchedFace) else face
        if self._shot is None:
            canvas.data[:] = self._ground.data
        shot = self._shot = self._next()
        index = self._player.index
        weights = (numbers.weights[self._avatar.columns] - self._avatar.own[index]) * np.float32(1 - strength)
        weights = np.rint(weights * _STEPS) * np.float32(1 / _STEPS)
        if float(np.abs(weights).sum()) > _STILL:
            shot = self._faced(shot, index, weights, numbers)
        if patched is not None:
            shot = self._patched(shot, index, patched.mouth, strength)
        self._show(shot, canvas)

    def _next(self) -> Shot:
        """The picture that is due, as large as it is shown."""
        self._due += FPS / self._video.fps
        shot = None
        while self._due >= 1 - 1e-6 or (shot is None and self._shot is None):
            shot = self._player.next()
            self._due -= 1
        if shot is None:
            assert self._shot is not None
            return self._shot
        return shot.shown(self._size, self._corner, self._box.size)

    def _show(self, shot: Shot, canvas: Picture) -> None:
        box = self._box
        whole = (slice(box.y0, box.y1), slice(box.x0, box.x1))
        half = (slice(box.y0 // 2, box.y1 // 2), slice(box.x0 // 2, box.x1 // 2))
        if shot.matte is None:
            canvas.y[whole], canvas.u[half], canvas.v[half] = shot.y, shot.u, shot.v
            return
        ground, faint = self._ground, _halved(shot.matte)
        _blend(canvas.y[whole], ground.y[whole], shot.y, shot.matte)
        _blend(canvas.u[half], ground.u[half], shot.u, faint)
        _blend(canvas.v[half], ground.v[half], shot.v, faint)

    def _faced(self, shot: Shot, index: int, weights: Floats, face: Blendshapes) -> Shot:
        """This picture with the mouth moved: a copy."""
        avatar, to_picture = self._avatar, self._maps[index]
        moves = []
        for basis, grid in zip(self._bases, (self._face, avatar.lip_grid, avatar.lip_grid), strict=True):
            # Not by BLAS, whose threads would wait for each other longer than this takes.
            x, y = np.einsum("i,ij->j", weights, basis).reshape(2, -1) * np.float32(1 / grid.step)
            moves.append(cast(Floats, cv2.merge((x.reshape(grid.shape), y.reshape(grid.shape)))))
        drop = max(0.0, float(face.weights[_JAW])) * avatar.jaw_drop * self._zoom
        box = self._around(_placed(to_picture, _corners(self._face)), drop)
        if box.empty:
            return shot
        out = shot.copy()
        self._lay(out, shot, box, self._face, moves[0], to_picture, None)
        lines, step = avatar.lines[index], np.float32(avatar.lip_grid.step)
        nodes = avatar.lip_grid.nodes(lines)
        above = _placed(to_picture, lines[0] + sample_field(moves[1], nodes[:1])[0] * step)
        below = _placed(to_picture, lines[1] + sample_field(moves[2], nodes[1:])[0] * step)
        if float((below[:, 1] - above[:, 1]).max()) > 0.3:
            self._draw_inside(out, to_picture, above, below, face)
        patch = self._around(_placed(to_picture, _corners(avatar.lip_grid)), drop).meet(box)
        for line, field, way in ((lines[1], moves[2], -1.0), (lines[0], moves[1], 1.0)):
            self._lay(out, shot, patch, avatar.lip_grid, field, to_picture, self._side(line, way))
        return out

    def _patched(self, shot: Shot, index: int, patch: MouthPatch, strength: float) -> Shot:
        """This picture with a painted mouth laid over it: a copy."""
        found = laid(patch, self._maps[index], self._frame)
        if found is None:
            return shot
        box, picture, mask = found
        if strength < 1:
            mask = cast(Bytes, cv2.convertScaleAbs(mask, alpha=strength))
        out = shot.copy()
        painted = Picture(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8))
        part, faint = out.part(box.x0, box.y0, *box.size), _halved(mask)
        _paste(part.y, painted.y, mask)
        _paste(part.u, painted.u, faint)
        _paste(part.v, painted.v, faint)
        return out

    def _around(self, corners: Floats, drop: float) -> Box:
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        return Box.around(float(x0), float(y0), float(x1), float(y1) + drop, self._frame)

    def _side(self, line: Floats, way: float) -> Bytes:
        """The patch's part above (`way` 1) or below (-1) the line of the mouth, a little to spare there; 0..255."""
        grid = self._avatar.lip_grid
        height, width = self._patch.shape
        level = np.interp(np.arange(width) + 0.5 + grid.left, line[:, 0], line[:, 1])[None] - grid.top
        y = np.arange(height, dtype=np.float32)[:, None] + 0.5
        return cast(Bytes, (self._patch * np.clip((level - y) * way + 1.5, 0, 1) * 255).astype(np.uint8))

    def _lay(
        self, out: Shot, shot: Shot, box: Box, grid: Grid, moves: Floats, to_picture: Floats, cover: Bytes | None
    ) -> None:
        """Draw `box` of a picture again through the inverse of a movement; all of it, or where `cover` says so."""
        if box.empty:
            return
        (width, height), step = box.size, self._step
        columns, rows = -(-width // step) + 2, -(-height // step) + 2
        x = box.x0 + (np.arange(columns, dtype=np.float32) - 0.5) * step
        y = box.y0 + (np.arange(rows, dtype=np.float32) - 0.5) * step
        at = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
        art = _placed(cv2.invertAffineTransform(to_picture).astype(np.float32), at)
        found = grid.art(invert(grid.nodes(art), moves, 6))
        seen = _placed(to_picture, found)

        def spread(points: Floats, times: int) -> Floats:
            # Node i lies at pixel (i - 0.5) * times of the box; colour has half the pixels.
            whole = enlarge(points, times)
            size = height * times // step, width * times // step
            return np.ascontiguousarray(whole[times : times + size[0], times : times + size[1]])

        half = np.float32(0.5)
        fine, coarse = spread(seen - half, step), spread(seen * half - half, step // 2)
        mask: Bytes | None = None
        faint: Bytes | None = None
        if cover is not None:
            mask = sample(cover, spread(found - np.array([grid.left + 0.5, grid.top + 0.5], np.float32), step))
            faint = _halved(mask)
        part = out.part(box.x0, box.y0, width, height)
        _paste(part.y, sample(shot.y, fine), mask)
        _paste(part.u, sample(shot.u, coarse), faint)
        _paste(part.v, sample(shot.v, coarse), faint)
        if part.matte is not None and shot.matte is not None:
            _paste(part.matte, sample(shot.matte, fine), mask)

    def _draw_inside(self, out: Shot, to_picture: Floats, above: Floats, below: Floats, face: Blendshapes) -> None:
        """Cavity, teeth and tongue between the lips."""
        corners = np.array([[0, 0], [100, 0], [0, 100]], np.float32)
        drawn = self._inside.draw(
            above, below, face.weights, self._frame, corners,
            lambda fall: _placed(to_picture, corners + np.array([0, fall], np.float32)), self._zoom,
        )  # fmt: skip
        if drawn is None:
            return
        box, picture, mask = drawn
        inside = Picture(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8))
        part, faint = out.part(box.x0, box.y0, *box.size), _halved(mask)
        _paste(part.y, inside.y, mask)
        _paste(part.u, inside.u, faint)
        _paste(part.v, inside.v, faint)
        if part.matte is not None:
            cv2.max(part.matte, mask, part.matte)
