"""An anchor from a clip: tracked, steadied, cut into a loop without a seam, and measured like a portrait.

The clip is decoded twice and never held as a whole: once to follow the face, once to write the loop.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError
from anchor.media import Bytes, Floats
from anchor.packages.consent import Consent
from avatars import cutout
from avatars.clip import LONGEST, SHORTEST, pictures
from avatars.face_basis import INNER_LOWER, INNER_UPPER, STEADY
from avatars.film import FPS
from avatars.landmarks import Face, Segmenter, Tracker
from avatars.mouth_inside import MOUTH_LAYERS
from avatars.package_writer import write_arrays, write_image, write_manifest
from avatars.photo import Background, figure
from avatars.photo_fields import SHAPES
from avatars.source import check_face

_LOOKED_AT = 640
"""Longer side of the pictures in which the face is followed."""
_LONGEST_LOSS = 0.4
"""Seconds for which the face may be lost, as behind a hand that passes."""
_SHUT, _OPEN = 0.03, 0.07
"""Gaps between the lips, in eye distances, from which a mouth counts as a little and as quite open."""
_AT_A_TIME = 2
"""Pictures that are cut out side by side."""
_FADE = 10
"""Pictures over which the end of a loop becomes its beginning."""
_ALIKE = 2.2
"""How much more than two neighbours the ends of a loop may differ."""
_DRIVEN = tuple(index for index, name in enumerate(SHAPES) if name.startswith(("jaw", "mouth", "cheekPuff")))
"""Shapes that are moved by speech; brows and eyes move as they were filmed."""
_Shot = tuple[Bytes, Floats | None]
"""BGR, and the matte, 0..1, where the person is cut out."""
_LIPS = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
_OPENERS = tuple(SHAPES.index(name) for name in ("jawOpen", "mouthFunnel", *_LIPS))
"""The coefficients by which a mouth opens, as columns of the fields."""


@dataclass(frozen=True, slots=True)
class _Track:
    """What the first pass found; arrays run over the clip's pictures."""

    points: Floats
    """(n, 478, 3), pixels."""
    thumbs: Floats
    """(n, pixels): small grey pictures, to compare."""
    shift: Floats
    """(n, 2, 3): maps that bring each picture onto the first, where the camera moved."""


def _follow(path: Path, note: Callable[[str], None]) -> _Track:
    points: list[Floats | None] = []
    thumbs: list[Floats] = []
    camera = _Camera()
    height, width = next(pictures(path)).shape[:2]
    with Tracker() as tracker:
        for index, small in enumerate(pictures(path, longest=_LOOKED_AT)):
            scale = small.shape[0] / height
            found = tracker.find(small)
            ratio = np.array([width / small.shape[1], 1 / scale, width / small.shape[1]], np.float32)
            points.append(found[0].points * ratio if found else None)
            grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
            camera.see(grey, found[0] if found else None, scale)
            thumbs.append(cv2.resize(grey, (36, 48), interpolation=cv2.INTER_AREA).astype(np.float32).ravel())
            if index % 125 == 124:
                note(f"followed the face for {(index + 1) / FPS:.0f} s")
    seconds = len(points) / FPS
    if seconds < SHORTEST - 0.1:
        raise AvatarError(f"is {seconds:.1f} s long; give {SHORTEST:g} to {LONGEST:g} s")
    return _Track(_without_gaps(points), np.stack(thumbs), camera.maps())


def _without_gaps(points: list[Floats | None]) -> Floats:
    """Fill short losses of the face from both sides. Raises `AvatarError` for a long one."""
    seen = [index for index, found in enumerate(points) if found is not None]
    if len(seen) < 0.5 * len(points):
        share = 100 * len(seen) / max(1, len(points))
        raise AvatarError(f"no face is found in most of it (found in {share:.0f} % of its pictures)")
    edges = [-1, *seen, len(points)]
    for before, after in itertools.pairwise(edges):
        lost = (after - before - 1) / FPS
        if lost > _LONGEST_LOSS:
            raise AvatarError(
                f"the face is lost for {lost:.1f} s from {(before + 1) / FPS:.1f} s on (at most {_LONGEST_LOSS:g} s); "
                "give a clip in which it is seen throughout"
            )
    known = np.stack([found for found in points if found is not None])
    flat = known.reshape(len(known), -1)
    filled = np.stack([np.interp(np.arange(len(points)), seen, column) for column in flat.T], axis=1)
    return cast(Floats, filled.reshape(len(points), *known.shape[1:]).astype(np.float32))


class _Camera:
    """Follows corners of the background, to take out a camera that sways."""

    _LEAST = 24
    _STEADY = 0.6
    """Pixels of sway that are left alone."""

    def __init__(self) -> None:
        self._first: Bytes | None = None
        self._corners: Any = None
        self._maps: list[Floats] = []

    def see(self, grey: Any, face: Face | None, scale: float) -> None:
        still = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
        if self._first is None:
            self._first = grey
            mask = np.full(grey.shape, 255, np.uint8)
            if face is not None:
                left, top, right, _ = face.box
                wide = right - left
                mask[int(max(0, top - wide)) :, int(max(0, left - 1.2 * wide)) : int(right + 1.2 * wide)] = 0
            self._corners = cv2.goodFeaturesToTrack(grey, 200, 0.02, 8, mask=mask)
        found = still
        if self._corners is not None and len(self._corners) >= self._LEAST:
            there, good, _ = cv2.calcOpticalFlowPyrLK(self._first, grey, self._corners, None)  # type: ignore[call-overload]
            keep = good.ravel() > 0
            if keep.sum() >= self._LEAST:
                matrix, inside = cv2.estimateAffinePartial2D(
                    there[keep], self._corners[keep], ransacReprojThreshold=1.5
                )
                if matrix is not None and inside.mean() > 0.6:
                    found = matrix.astype(np.float32)
        found = found.copy()
        found[:, 2] /= np.float32(scale)
        self._maps.append(found)

    def maps(self) -> Floats:
        """Maps of all pictures onto the first; plain ones for a camera that stood still."""
        maps = np.stack(self._maps)
        still = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (len(maps), 1, 1))
        return still if float(np.abs(maps - still)[..., 2].max()) < self._STEADY else _smooth(maps, 1.0)


def _smooth(values: Floats, sigma: float) -> Floats:
    """Over the first axis, by a bell of `sigma` places."""
    reach = math.ceil(3 * sigma)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    parts = [w * padded[i : i + len(values)] for i, w in enumerate(bell / bell.sum())]
    return cast(Floats, np.sum(parts, axis=0).astype(np.float32))


def _steadied(track: _Track) -> Floats:
    """Landmarks in the steadied pictures."""
    turned = np.einsum("nij,nkj->nki", track.shift[:, :, :2], track.points[..., :2]) + track.shift[:, None, :, 2]
    return np.concatenate([turned, track.points[..., 2:]], axis=2).astype(np.float32)


def _reference(points: Floats) -> int:
    """The picture to measure: shut lips, open eyes, and the head as it mostly is. Raises `AvatarError`."""
    faces = [Face.of(one) for one in points]
    gaps = np.array([face.lip_gap for face in faces])
    eyes = np.array([min(face.eye_gaps) for face in faces])
    poses = np.array([(face.yaw, face.pitch, face.roll) for face in faces])
    if gaps.min() > _SHUT:
        raise AvatarError(
            f"the mouth is never shut (the lips are at least {gaps.min():.2f} eye distances apart, {_SHUT:g} once is "
            "needed); give a clip of someone who listens"
        )
    away = np.linalg.norm(poses - np.median(poses, axis=0), axis=1) + 0.3 * np.abs(poses).sum(axis=1)
    cost = away + 400 * np.maximum(0, gaps - _SHUT) + 60 * np.maximum(0, 0.9 * np.median(eyes) - eyes)
    return int(cost.argmin())


@dataclass(frozen=True, slots=True)
class _Loop:
    """Pictures `first` to `last`, the last few fading into those before `first`; or to and fro."""

    first: int
    last: int
    to_and_fro: bool

    def order(self) -> NDArray[np.intp]:
        """The pictures of the clip in the order in which the loop shows them."""
        there = np.arange(self.first, self.last + 1)
        return np.concatenate([there, there[-2:0:-1]]) if self.to_and_fro else there


def _loop(thumbs: Floats, points: Floats) -> _Loop:
    """The longest cut whose ends are as like as neighbours are; to and fro where there is none."""
    count = len(thumbs)
    steady = points[:, list(STEADY), :2]
    size = float(np.linalg.norm(steady[0, 0] - steady[0, 3])) or 1.0
    # Pose and picture, each in units of what changes between neighbours; and the direction in which they change.
    looks = [thumbs, 400 * _smooth((steady / np.float32(size)).reshape(count, -1), 1.0)]
    distance = np.zeros((count, count), np.float32)
    for values in looks:
        values = values - values.mean(axis=0)
        square = (values**2).sum(axis=1)
        gaps = np.sqrt(np.maximum(0, square[:, None] + square[None] - 2 * values @ values.T))
        usual = float(np.median(np.diagonal(gaps, 3))) + 1e-3
        distance += gaps / usual / len(looks)
    first, last = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    usable = (first >= _FADE) & (last - first >= max(0.5 * count, 3 * FPS)) & (distance <= _ALIKE)
    if not usable.any():
        return _Loop(0, count - 1, to_and_fro=True)
    gain = np.where(usable, (last - first) / count - 0.25 * distance / _ALIKE, -np.inf)
    i, j = np.unravel_index(int(gain.argmax()), gain.shape)
    return _Loop(int(i), int(j), to_and_fro=False)


def _affines(points: Floats, middle: Floats, measured: Floats) -> Floats:
    """Maps from art coordinates to every picture, (n, 2, 3), by the landmarks that no speech moves."""
    steady = list(STEADY)
    art = np.column_stack([measured[steady, :2] - middle, np.ones(len(steady))])
    solve = np.linalg.pinv(art)
    maps = np.einsum("ij,njk->nki", solve, points[:, steady, :2])
    return _smooth(maps.astype(np.float32), 1.0)


def _mouths(
    points: Floats, maps: Floats, drawn: Floats, moves: Floats, measured: Floats, middle: Floats
) -> tuple[Floats, Floats]:
    """Lip lines, (n, 2, points, 2), and how far each mouth is open by itself, (n, shapes)."""
    count, size = len(points), drawn.shape[1]
    back = np.stack([cv2.invertAffineTransform(one) for one in maps]).astype(np.float32)
    art = np.einsum("nij,nkj->nki", back[:, :, :2], points[..., :2]) + back[:, None, :, 2]
    gaps = np.array([Face.of(one).lip_gap for one in points])
    t = np.clip((gaps - _SHUT) / (_OPEN - _SHUT), 0, 1)
    open_by = _smooth((t * t * (3 - 2 * t)).astype(np.float32), 1.0)
    own = np.zeros((count, len(SHAPES)), np.float32)
    own[:, list(_OPENERS)] = open_by[:, None] * _openings(art - (measured[:, :2] - middle), moves[list(_OPENERS)])
    lines = np.tile(drawn, (count, 1, 1, 1))
    at = np.linspace(0, 1, size)
    for index in np.flatnonzero(open_by > 0.01):
        for row, ring in enumerate((INNER_UPPER, INNER_LOWER)):
            edge = art[index, list(ring)]
            along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
            found = np.stack([np.interp(at * along[-1], along, edge[:, i]) for i in (0, 1)], axis=1)
            lines[index, row] += open_by[index] * (found - lines[index, row])
    return _smooth(lines, 0.8), own


def _openings(away: Floats, moves: Floats) -> Floats:
    """Weights from 0 to 1, (n, shapes), that explain displacements of landmarks, (n, 478, 2), above all parted lips."""
    lips = sorted({*INNER_UPPER, *INNER_LOWER, 0, 17, 152, 61, 291, 37, 267, 84, 314})

    def seen(values: Floats) -> Floats:
        gaps = values[:, list(INNER_LOWER)] - values[:, list(INNER_UPPER)]
        return np.concatenate([values[:, lips], 2 * gaps], axis=1).reshape(len(values), -1)

    basis = seen(moves)
    system = basis @ basis.T + (0.05 * float(np.abs(basis).max())) ** 2 * np.eye(len(basis))
    wanted = seen(away) @ basis.T
    weights = np.zeros_like(wanted)
    # Coordinate descent keeps each within its bounds.
    for column in 40 * [*range(len(basis))]:
        rest = wanted[:, column] - weights @ system[:, column] + weights[:, column] * system[column, column]
        weights[:, column] = np.clip(rest / system[column, column], 0, 1)
    return cast(Floats, weights.astype(np.float32))


class _Cutter:
    """Takes the person out of one picture after another: by a screen's colour, or by what a network sees."""

    def __init__(self, background: Background, first: Bytes) -> None:
        self._screen = cutout.screen_colour(first) if background == "key" else None
        if background == "key" and self._screen is None:
            raise AvatarError("no green or blue screen is found behind the person; remove or keep the background")
        self._segmenter = Segmenter() if background == "remove" else None
        self._last: Floats | None = None

    @property
    def cuts(self) -> bool:
        return self._screen is not None or self._segmenter is not None

    def cut(self, given: Iterable[Bytes]) -> Iterator[_Shot]:
        """Pictures as they go into the film, each with its matte where it is cut out; a few are worked on at a time."""
        waiting: deque[Future[_Shot]] = deque()
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            for bgr in given:
                waiting.append(pool.submit(self._cut, bgr, self._seen(bgr)))
                if len(waiting) > _AT_A_TIME:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _seen(self, bgr: Bytes) -> Floats | None:
        """Roughly where the network sees a person; what it sees flickers from picture to picture."""
        if self._segmenter is None:
            return None
        found = self._segmenter.find(bgr)
        self._last = found if self._last is None else cast(Floats, 0.5 * self._last + 0.5 * found)
        return self._last

    def _cut(self, bgr: Bytes, seen: Floats | None) -> _Shot:
        if self._screen is not None:
            return cutout.keyed(bgr, self._screen)
        if seen is None:
            return bgr, None
        mask = cutout.sharpened(bgr, seen, max(2, bgr.shape[0] // 120))
        return cutout.decontaminated(bgr, mask), mask

    def close(self) -> None:
        if self._segmenter is not None:
            self._segmenter.close()


class _Writer:
    """Writes pictures, and their matte below them where there is one, as the film of a package."""

    def __init__(self, path: Path, size: tuple[int, int], keyed: bool) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=FPS)
        self._stream.width, self._stream.height = size[0], size[1] * (2 if keyed else 1)
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "18", "preset": "superfast", "g": str(2 * FPS), "bf": "0", "tune": "fastdecode"}
        self._stream.codec_context.time_base = Fraction(1, FPS)
        self._index = 0

    def add(self, bgr: Bytes, matte: Floats | None) -> None:
        planes = cast(Bytes, cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420))
        if matte is not None:
            height, width = matte.shape
            u, v = planes[height:].reshape(2, height // 2, width // 2)
            none = np.full_like(u, 128)
            grey = (matte * np.float32(219) + np.float32(16.5)).astype(np.uint8)
            # Away from the person nothing is seen: one flat grey is the quickest to read.
            near = cv2.dilate(
                cv2.resize(grey, u.shape[::-1], interpolation=cv2.INTER_AREA), np.ones((13, 13), np.uint8)
            )
            away = near == 16
            u[away] = v[away] = 128
            planes[:height][cv2.resize(away.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0] = (
                128
            )
            chroma = np.concatenate([u, none, v, none]).reshape(height, width)
            planes = np.concatenate([planes[:height], grey, chroma])
        self.add_planes(planes)

    def add_planes(self, planes: Bytes) -> None:
        """I420 of the film's own size."""
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts, picture.time_base = self._index, Fraction(1, FPS)
        self._index += 1
        for packet in self._stream.encode(picture):
            self._container.mux(packet)

    def close(self) -> None:
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        self._container.close()


def _backwards(path: Path, count: int) -> Iterator[Bytes]:
    """Pictures of a film from its last to its first, a few in memory at a time: I420."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = float(stream.time_base or 1)
        end = count
        while end > 0:
            begin = max(0, end - 2 * FPS)
            container.seek(round(begin / FPS / base), stream=stream)
            part = []
            for picture in container.decode(stream):
                index = round(float(picture.time or 0) * FPS)
                if index >= end:
                    break
                if index >= begin:
                    part.append(cast(Bytes, picture.to_ndarray()))
            yield from reversed(part)
            end = begin


def make(
    source: Path, folder: Path, head: dict[str, Any], background: Background, consent: Consent,
    note: Callable[[str], None],
) -> None:  # fmt: skip
    """Write a package of kind ``footage`` into a folder. Raises `AvatarError` that says what is wrong with the clip."""
    # What cannot be cut is known before anything takes long.
    cutter = _Cutter(background, next(pictures(source)))
    note("following the face")
    track = _follow(source, note)
    points = _steadied(track)
    reference = _reference(points)
    loop = _loop(track.thumbs, points)
    order = loop.order()
    way = "there and back" if loop.to_and_fro else "over a cut that is faded"
    note(f"a loop of {len(order) / FPS:.1f} s, {way}")
    note("measuring the face")
    measured = _steady_picture(source, track, reference)
    face = check_face(measured)
    made = figure(measured, face, "keep")
    shrink, middle = made.shrink, made.middle
    scaled = face.points * np.float32(shrink)
    maps = _affines(points, middle, scaled)
    lines = np.array([made.tables["mouth"]["line"], made.tables["mouth"]["line_below"]], np.float32)
    moved_lines, own = _mouths(points, maps, lines, made.moves, scaled, middle)
    note("writing the loop")
    size = (measured.shape[1] & ~1, measured.shape[0] & ~1)
    _write(source, folder / "footage.mp4", track, loop, cutter, size)
    if not loop.to_and_fro:
        maps, moved_lines, own = (_faded(values, loop) for values in (maps, moved_lines, own))
    arrays = {
        **{key: made.arrays[key][list(_DRIVEN)] for key in ("head", "upper", "lower")},
        "maps": maps[order], "lines": moved_lines[order], "own": own[order][:, list(_DRIVEN)],
    }  # fmt: skip
    write_arrays(folder / "fields.npz", arrays, exact=("maps", "lines"))
    inside = {name: made.layers[name] for name in MOUTH_LAYERS}
    for name, layer in inside.items():
        write_image(folder / f"{name}.webp", layer.pixels)
    old = made.tables
    tables = {
        "figure": {
            **{key: old["figure"][key] for key in ("fields", "grid")},
            "shapes": [SHAPES[index] for index in _DRIVEN],
            **{key: old["figure"][key] / shrink for key in ("crown", "chin")},
            "middle": [float(v) for v in maps[order[0]][:, 2]],
        },
        "mouth": {
            "grid": old["mouth"]["grid"], "points": lines.shape[1], "feather": made.feather,
            "jaw_drop": old["mouth"]["jaw_drop"],
        },
        "footage": {"file": "footage.mp4", "frames": len(order), "size": list(size), "keyed": int(cutter.cuts)},
        "layers": {name: {"file": f"{name}.webp", "at": [layer.left, layer.top]} for name, layer in inside.items()},
    }  # fmt: skip
    write_manifest(folder, {**head, "kind": "footage"}, consent, tables)


def _steady_picture(source: Path, track: _Track, wanted: int) -> Bytes:
    for index, picture in enumerate(pictures(source)):
        if index == wanted:
            return _moved(picture, track.shift[index])
    raise AvatarError("is shorter the second time it is read; copy it and try again")


def _moved(picture: Bytes, matrix: Floats) -> Bytes:
    if np.array_equal(matrix, [[1, 0, 0], [0, 1, 0]]):
        return picture
    size = (picture.shape[1], picture.shape[0])
    return cast(Bytes, cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101))


def _faded(values: Floats, loop: _Loop) -> Floats:
    """Values of each picture, those at the end of the loop faded like its pictures."""
    out = values.copy()
    for back in range(_FADE):
        share = np.float32((_FADE - back) / (_FADE + 1))
        out[loop.last - back] += share * (values[loop.first - 1 - back] - values[loop.last - back])
    return out


def _write(source: Path, target: Path, track: _Track, loop: _Loop, cutter: _Cutter, size: tuple[int, int]) -> None:
    width, height = size
    first = 0 if loop.to_and_fro else loop.first - _FADE

    def steadied() -> Iterator[Bytes]:
        for index, picture in enumerate(itertools.islice(pictures(source), loop.last + 1)):
            if index >= first:
                yield np.ascontiguousarray(_moved(picture, track.shift[index])[:height, :width])

    before: list[_Shot] = []
    with closing(_Writer(target, size, cutter.cuts)) as film, closing(cutter):
        for index, shot in enumerate(cutter.cut(steadied()), first):
            back = loop.last - index
            if index < loop.first:
                before.append(shot)
            elif not loop.to_and_fro and back < _FADE:
                film.add(*_between(shot, before[-1 - back], (_FADE - back) / (_FADE + 1)))
            else:
                film.add(*shot)
    if loop.to_and_fro:
        _there_and_back(target, size, cutter.cuts)


def _between(a: _Shot, b: _Shot, share: float) -> _Shot:
    """A picture `share` of the way from one to another: both are bent to where things then are, and mixed there.

    Mixed as they are, a head that has moved by a few pixels would be seen twice.
    """
    near, far = (cast(Bytes, cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)) for picture, _ in (a, b))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(near, far, cast(Any, None))
    rows, columns = near.shape
    at = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)

    def bent(values: Any, by: float) -> Any:
        where = at + np.float32(by) * flow
        return cv2.remap(values, where, cast(Any, None), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    picture = cast(Bytes, cv2.addWeighted(bent(a[0], -share), 1 - share, bent(b[0], 1 - share), share, 0))
    if a[1] is None or b[1] is None:
        return picture, None
    return picture, cast(Floats, (1 - share) * bent(a[1], -share) + share * bent(b[1], 1 - share))


def _there_and_back(target: Path, size: tuple[int, int], keyed: bool) -> None:
    """Write the film anew, with its pictures from the last but one to the second after it."""
    forth = target.with_name("forth.mp4")
    target.replace(forth)
    film = _Writer(target, size, keyed)
    with av.open(str(forth)) as container:
        count = container.streams.video[0].frames
        for picture in container.decode(video=0):
            film.add_planes(cast(Bytes, picture.to_ndarray()))
    for index, planes in enumerate(_backwards(forth, count)):
        if 0 < index < count - 1:
            film.add_planes(planes)
    film.close()
    forth.unlink()
