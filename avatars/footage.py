"""A filmed person: a loop of footage plays, and in every picture of it the mouth is moved by ARKit coefficients.

The skin that moves is the picture's own: each picture is drawn once more around the mouth through the fields of the
figure that was measured on one of its pictures, brought to this picture by an affine map. So light, sharpness and
colour are always right, and where nothing moves, the footage is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import av
import cv2
import numpy as np
from av.error import FFmpegError

from anchor.errors import AvatarError
from anchor.media import ARKIT_INDEX, Blendshapes, Bytes, Floats, Picture, VideoFormat
from anchor.ports import AvatarInfo, Placement, Setting
from avatars.framing import frame
from avatars.package import MOST_SIDE, Manifest, member, read_arrays, read_manifest
from avatars.puppet_draw import Box, affine, convert, enlarge, invert, over, paste, sample, sample_field
from avatars.puppet_parts import Grid, Layer, Texture, read_layers

FPS = 25
"""Pictures of footage a second, in every package."""
MOUTH_LAYERS = ("cavity", "teeth_upper", "teeth_lower", "tongue")
_MOST_FRAMES = 2 * 60 * FPS
_STEPS = 128
# Brightness is stored between 16 and 235.
_UNFOLD: Bytes = np.clip((np.arange(256) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)
_STILL = 1e-3
"""Sum of weights under which the face is at rest, and the footage is shown as it is."""

_JAW, _FUNNEL, _PUCKER = (ARKIT_INDEX[name] for name in ("jawOpen", "mouthFunnel", "mouthPucker"))


@dataclass(frozen=True, slots=True)
class Footage:
    """Where the film of a package is, and what is known of each of its pictures.

    `maps`: float32, (frames, 2, 3), from art coordinates (of the measured picture) to pixels of each picture.
    `lines`: float32, (frames, 2, points, 2), the inner edges of the upper and the lower lip, in art coordinates.
    `own`: float32, (frames, shapes), how far the person's own mouth is open in each picture, as weights to take off.
    """

    path: Path
    width: int
    height: int
    keyed: bool
    """Whether the lower half of the film is a matte for the upper half."""
    maps: Floats
    lines: Floats
    own: Floats


class FootageAvatar:
    """A package of kind ``footage``, shared by all streams: nothing in it changes after loading."""

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
        width, height = (round(v) for v in film.numbers("size", 2))
        keyed = film.number("keyed", 0, 1) > 0
        self.film = Footage(
            member(manifest.folder, film.text("file")), width, height, keyed, take("maps", count, 2, 3),
            take("lines", count, 2, points, 2), take("own", count, len(shapes)),
        )  # fmt: skip
        for table in (figure, mouth, film):
            table.done()
        self.layers = read_layers(manifest, required=MOUTH_LAYERS, optional=())
        rest.done()
        with _Player(self.film) as player:
            self._first = player.next_picture().copy()
        self._info = manifest.info(frames=str(count))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a package folder. Raises `AvatarError` that names the file or key at fault."""
        return cls(read_manifest(folder))

    @property
    def info(self) -> AvatarInfo:
        return self._info

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


class _Player:
    """Decodes footage picture by picture, round and round; holds one picture and the decoder's own few."""

    def __init__(self, film: Footage, size: tuple[int, int] | None = None) -> None:
        self._film = film
        self._size = size or (film.width, film.height)
        try:
            self._container = av.open(str(film.path))
            streams = self._container.streams.video
            if not streams:
                raise AvatarError(f"{film.path}: holds no video")
            stream = streams[0]
            stream.codec_context.thread_count = 1
            size_of = (stream.codec_context.width, stream.codec_context.height)
        except FFmpegError as error:
            raise AvatarError(f"{film.path}: cannot be played ({error.strerror}); make the avatar again") from error
        wanted = (film.width, film.height * (2 if film.keyed else 1))
        if size_of != wanted or max(size_of) > 2 * MOST_SIDE:
            self._container.close()
            raise AvatarError(
                f"{film.path}: is {size_of[0]}x{size_of[1]} pixels, the manifest says {wanted[0]}x{wanted[1]}"
            )
        self._frames: Iterator[av.VideoFrame] = self._container.decode(stream)
        self.index = -1

    def next_picture(self) -> Bytes:
        """The next picture at this player's size: BGR, or premultiplied BGRA where footage is keyed; do not keep it."""
        found = next(self._frames, None)
        self.index += 1
        if found is None or self.index >= len(self._film.maps):
            if self.index == 0:
                raise AvatarError(f"{self._film.path}: holds no picture; make the avatar again")
            self._container.seek(0)
            self._frames = self._container.decode(video=0)
            self.index = 0
            found = next(self._frames, None)
            if found is None:
                raise AvatarError(f"{self._film.path}: cannot be played again from its start")
        film, planes = self._film, found.to_ndarray(format="yuv420p")
        if not film.keyed:
            return self._sized(cast(Bytes, cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)))
        rows = film.height
        chroma = planes[2 * rows :].reshape(2, rows, film.width // 2)[:, : rows // 2]
        upper = np.concatenate([planes[:rows], chroma.reshape(rows // 2, film.width)])
        matte = cv2.LUT(planes[rows : 2 * rows], _UNFOLD)
        colour = cv2.cvtColor(upper, cv2.COLOR_YUV2BGRA_I420)
        cv2.insertChannel(matte, colour, 3)
        return self._sized(cast(Bytes, cv2.cvtColor(colour, cv2.COLOR_RGBA2mRGBA)))

    def _sized(self, picture: Bytes) -> Bytes:
        if picture.shape[1::-1] == self._size:
            return picture
        way = cv2.INTER_AREA if self._size[1] < 0.8 * picture.shape[0] else cv2.INTER_LINEAR
        return cast(Bytes, cv2.resize(picture, self._size, interpolation=way))

    def close(self) -> None:
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FootageView:
    """Footage at one size over one backdrop, and what its canvas shows. It plays on with every face that is drawn."""

    def __init__(self, avatar: FootageAvatar, video: VideoFormat, backdrop: Bytes, placement: Placement) -> None:
        self._avatar, self._video = avatar, video
        self._frame = Box(0, 0, video.width, video.height)
        film = avatar.film
        scale = placement.head * video.height / avatar.tall
        width, height = max(2, round(film.width * scale)), max(2, round(film.height * scale))
        self._scale = np.array([width / film.width, height / film.height], np.float32)
        left = round(placement.x * video.width - avatar.middle[0] * self._scale[0])
        top = round(placement.eyes * video.height - avatar.middle[1] * self._scale[1])
        self._left, self._top = left, top
        # Colour has half the resolution of brightness: the footage is cut to whole pairs of pixels.
        self._box = Box(
            (max(0, left) + 1) & ~1, (max(0, top) + 1) & ~1,
            min(video.width, left + width) & ~1, min(video.height, top + height) & ~1,
        )  # fmt: skip
        if self._box.empty:
            raise AvatarError(f"{placement}: shows nothing of the footage")
        self._player = _Player(film, (width, height))
        self._backdrop = backdrop.copy()
        self._begun = False
        self._due = 0.0
        self._now: Bytes = np.zeros((0, 0, 3), np.uint8)
        self._step = max(2, round(avatar.tall * float(scale) / 72) * 2)
        bases = (avatar.head, avatar.upper, avatar.lower)
        self._bases = [np.ascontiguousarray(np.moveaxis(b, 3, 1)).reshape(len(b), -1) for b in bases]
        moved = np.argwhere(np.abs(avatar.head).max(axis=(0, 3)) > 0.02)
        grid = avatar.grid
        (y0, x0), (y1, x1) = moved.min(axis=0) - 1, moved.max(axis=0) + 1
        corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float32)
        self._moving = corners * np.float32(grid.step) + np.array([grid.left, grid.top], np.float32)
        self._textures = [avatar.layers[name].texture(min(1.0, float(scale) * 1.2)) for name in MOUTH_LAYERS]
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

    # Drawing

    def draw(self, face: Blendshapes, canvas: Picture) -> None:
        """Show the next picture of the footage with this face. The first call draws everything."""
        if not self._begun:
            convert(self._backdrop, self._frame, canvas)
            self._begun = True
        self._due += FPS / self._video.fps
        while self._due >= 1 or not self._now.size:
            self._now = self._player.next_picture()
            self._due -= 1
        index = self._player.index
        x, y = self._box.x0 - self._left, self._box.y0 - self._top
        width, height = self._box.size
        source = self._now
        weights = face.weights[self._avatar.columns] - self._avatar.film.own[index]
        weights = np.rint(weights * _STEPS) * np.float32(1 / _STEPS)
        if float(np.abs(weights).sum()) > _STILL:
            source = self._faced(source, index, weights, face)
        shown = source[y : y + height, x : x + width]
        scene = np.ascontiguousarray(shown)
        if self._avatar.film.keyed:
            below = self._box.of(self._backdrop, self._frame).copy()
            over(below, scene)
            scene = below
        convert(scene, self._box, canvas)

    def _map(self, index: int) -> Floats:
        """From art coordinates to pixels of this view's picture: (2, 3)."""
        return cast(Floats, self._avatar.film.maps[index] * self._scale[:, None])

    def _faced(self, picture: Bytes, index: int, weights: Floats, face: Blendshapes) -> Bytes:
        """This picture with the mouth moved: a copy."""
        avatar = self._avatar
        out = picture.copy()
        to_picture = self._map(index)
        frame = Box(0, 0, picture.shape[1], picture.shape[0])
        moves = []
        for basis, grid in zip(self._bases, (avatar.grid, avatar.lip_grid, avatar.lip_grid), strict=True):
            x, y = (weights @ basis).reshape(2, -1) * np.float32(1 / grid.step)
            moves.append(cast(Floats, cv2.merge((x.reshape(grid.shape), y.reshape(grid.shape)))))
        drop = float(max(0.0, float(face.weights[_JAW]))) * avatar.jaw_drop
        corners = self._placed(to_picture, self._moving)
        lowest = float(corners[:, 1].max()) + drop * float(self._scale[1])
        (x0, y0), (x1, _) = corners.min(axis=0), corners.max(axis=0)
        box = Box.around(float(x0), float(y0), float(x1), lowest, frame)
        if box.empty:
            return out
        self._lay(box.of(out, frame), picture, box, avatar.grid, moves[0], to_picture, None)
        lines = avatar.film.lines[index]
        nodes = avatar.lip_grid.nodes(lines)
        step = np.float32(avatar.lip_grid.step)
        above = self._placed(to_picture, lines[0] + sample_field(moves[1], nodes[:1])[0] * step)
        below = self._placed(to_picture, lines[1] + sample_field(moves[2], nodes[1:])[0] * step)
        if float((below[:, 1] - above[:, 1]).max()) > 0.3:
            self._draw_inside(out, frame, to_picture, above, below, face)
        patch = self._placed(to_picture, self._patch_corners())
        (x0, y0), (x1, y1) = patch.min(axis=0), patch.max(axis=0)
        box = Box.around(float(x0), float(y0), float(x1), float(y1) + drop * float(self._scale[1]), frame).meet(box)
        if box.empty:
            return out
        part = box.of(out, frame)
        for line, field, way in ((lines[1], moves[2], -1.0), (lines[0], moves[1], 1.0)):
            self._lay(part, picture, box, avatar.lip_grid, field, to_picture, self._side(line, way))
        return out

    def _patch_corners(self) -> Floats:
        grid = self._avatar.lip_grid
        rows, columns = grid.shape
        right, bottom = grid.left + (columns - 1) * grid.step, grid.top + (rows - 1) * grid.step
        return np.array([[grid.left, grid.top], [right, grid.top], [grid.left, bottom], [right, bottom]], np.float32)

    def _side(self, line: Floats, way: float) -> Bytes:
        """The patch's part above (`way` 1) or below (-1) the line of the mouth, a little to spare there; 0..255."""
        grid = self._avatar.lip_grid
        height, width = self._patch.shape
        level = np.interp(np.arange(width) + 0.5 + grid.left, line[:, 0], line[:, 1])[None] - grid.top
        y = np.arange(height, dtype=np.float32)[:, None] + 0.5
        return cast(Bytes, (self._patch * np.clip((level - y) * way + 1.5, 0, 1) * 255).astype(np.uint8))

    @staticmethod
    def _placed(matrix: Floats, points: Floats) -> Floats:
        return cast(Floats, points @ matrix[:, :2].T + matrix[:, 2])

    def _lay(
        self, part: Bytes, picture: Bytes, box: Box, grid: Grid, moves: Floats, to_picture: Floats, cover: Bytes | None
    ) -> None:
        """Draw the picture again into `part`, which covers `box`, through the inverse of a movement."""
        step = self._step
        columns, rows = -(-box.size[0] // step) + 2, -(-box.size[1] // step) + 2
        x = box.x0 + (np.arange(columns, dtype=np.float32) - 0.5) * step
        y = box.y0 + (np.arange(rows, dtype=np.float32) - 0.5) * step
        at = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
        back = cv2.invertAffineTransform(to_picture).astype(np.float32)
        art = self._placed(back, at)
        found = grid.art(invert(grid.nodes(art), moves, 6))
        height, width = box.size[1], box.size[0]

        def spread(points: Floats) -> Floats:
            # Node i lies at pixel (i - 0.5) * step of the box.
            whole = enlarge(points, step)
            return np.ascontiguousarray(whole[step : step + height, step : step + width])

        source = sample(picture, spread(self._placed(to_picture, found) - np.float32(0.5)))
        if cover is None:
            part[:] = source
            return
        corner = np.array([grid.left + 0.5, grid.top + 0.5], np.float32)
        mask = sample(cover, spread(cast(Floats, found - corner)))
        if part.shape[2] == 3:
            paste(part, source, mask)
            return
        wide = cv2.merge((mask, mask, mask, mask))
        cv2.multiply(part, cv2.bitwise_not(wide), part, 1 / 255)
        cv2.add(part, cv2.multiply(source, wide, None, 1 / 255), part)

    def _draw_inside(
        self, out: Bytes, frame: Box, to_picture: Floats, above: Floats, below: Floats, face: Blendshapes
    ) -> None:
        """Cavity, teeth and tongue between the lips."""
        avatar = self._avatar
        unit = avatar.tall * 1e-3
        reach = np.array([0, 2.0 * unit * self._scale[1]], np.float32)
        outline = np.concatenate([above - reach, (below + reach)[::-1]])
        (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
        box = Box.around(float(x0) - 1, float(y0) - 1, float(x1) + 1, float(y1) + 1, frame)
        if box.empty:
            return
        mask = np.zeros((box.size[1], box.size[0]), np.uint8)
        corner = np.array([box.x0 + 0.5, box.y0 + 0.5], np.float32)
        cv2.fillPoly(mask, [np.rint((outline - corner) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        drop = float(face.weights[_JAW]) * avatar.jaw_drop
        rounded = min(1.0, float(face.weights[_FUNNEL]) + float(face.weights[_PUCKER]))
        falls = {
            "cavity": 0.0, "tongue": drop * 0.72 + 8 * unit, "teeth_lower": drop * 0.96 + 4 * unit,
            "teeth_upper": -28 * rounded * unit,
        }  # fmt: skip
        inside = np.zeros((*mask.shape, 3), np.uint8)
        textures: dict[str, Texture] = dict(zip(MOUTH_LAYERS, self._textures, strict=True))
        corners = np.array([[0, 0], [100, 0], [0, 100]], np.float32)
        for name, fall in falls.items():
            target = self._placed(to_picture, corners + np.array([0, fall], np.float32)) - corner
            matrix = cv2.getAffineTransform(textures[name].coordinates(corners), target.astype(np.float32))
            over(inside, affine(textures[name].pixels, matrix, box.size))
        part = box.of(out, frame)
        if part.shape[2] == 3:
            paste(part, inside, mask)
            return
        wide = cv2.merge((mask, mask, mask, mask))
        solid = cv2.merge((*cv2.split(inside), np.full_like(mask, 255)))
        cv2.multiply(part, cv2.bitwise_not(wide), part, 1 / 255)
        cv2.add(part, cv2.multiply(solid, wide, None, 1 / 255), part)
