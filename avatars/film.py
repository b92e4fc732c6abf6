"""The film of a footage avatar, played round and round: decoded picture by picture and never held as a whole.

It is H.264 of `FPS` pictures a second in MP4; the lower half of a keyed film is a matte for its upper half. An open
film stays when its name goes, as that of a package unpacked from a zip does.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.error import FFmpegError

from anchor.errors import AvatarError
from anchor.media import Bytes

FPS = 25
# Brightness is stored between 16 and 235.
_UNFOLD: Bytes = np.clip((np.arange(256) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: brightness (height, width), two planes of colour at half the size, and its matte where it has one.

    All uint8: colours of limited range, BT.601, the matte from 0 to 255.
    """

    y: Bytes
    u: Bytes
    v: Bytes
    matte: Bytes | None

    def copy(self) -> Shot:
        return Shot(self.y.copy(), self.u.copy(), self.v.copy(), None if self.matte is None else self.matte.copy())

    def part(self, x: int, y: int, width: int, height: int) -> Shot:
        """An even rectangle of it: views."""
        whole = (slice(y, y + height), slice(x, x + width))
        half = (slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2))
        return Shot(self.y[whole], self.u[half], self.v[half], None if self.matte is None else self.matte[whole])

    def shown(self, size: tuple[int, int], corner: tuple[int, int], extent: tuple[int, int]) -> Shot:
        """It made (width, height) large, and from `corner` on so much of that; all numbers even."""
        whole, half = (size, corner, extent), tuple((a // 2, b // 2) for a, b in (size, corner, extent))
        matte = None if self.matte is None else _resized(self.matte, *whole)
        return Shot(_resized(self.y, *whole), _resized(self.u, *half), _resized(self.v, *half), matte)

    def bgr(self) -> Bytes:
        height, width = self.y.shape
        planes = np.concatenate([self.y.ravel(), self.u.ravel(), self.v.ravel()])
        return cast(Bytes, cv2.cvtColor(planes.reshape(height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420))


def _resized(plane: Bytes, size: tuple[int, int], corner: tuple[int, int], extent: tuple[int, int]) -> Bytes:
    across, down = size[0] / plane.shape[1], size[1] / plane.shape[0]
    if down > 2:
        # Only what is seen is made as large as that.
        matrix = np.array([[across, 0, 0.5 * across - 0.5 - corner[0]], [0, down, 0.5 * down - 0.5 - corner[1]]])
        return cast(Bytes, cv2.warpAffine(plane, matrix, extent, borderMode=cv2.BORDER_REPLICATE))
    if plane.shape[1::-1] != size:
        way = cv2.INTER_LINEAR
        if down < 0.5:
            way = cv2.INTER_AREA
        elif down < 0.9:
            # Softened a little, fine stripes do not flicker; the mean over areas takes four times as long.
            plane = cast(Bytes, cv2.GaussianBlur(plane, (3, 3), 0.45))
        plane = cast(Bytes, cv2.resize(plane, size, interpolation=way))
    return plane[corner[1] : corner[1] + extent[1], corner[0] : corner[0] + extent[0]]


class _File:
    """A file opened once and read by many, each at a place of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def read(self, size: int = -1) -> bytes:
        found = os.pread(self._descriptor, size if size >= 0 else 1 << 20, self._at)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        size = os.fstat(self._descriptor).st_size
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


class Film:
    """A film as its manifest describes it; `width` and `height` are those of its pictures, without the matte."""

    def __init__(self, path: Path, width: int, height: int, count: int, keyed: bool) -> None:
        self.path, self.width, self.height, self.count, self.keyed = path, width, height, count, keyed
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise self.error(f"cannot be read ({error.strerror})") from error
        weakref.finalize(self, os.close, self._descriptor)

    def error(self, problem: str) -> AvatarError:
        return AvatarError(f"{self.path}: {problem}; make the avatar again")

    def open(self) -> tuple[av.container.InputContainer, av.VideoStream]:
        """Raises `AvatarError` for a film that is not what the manifest says."""
        try:
            container = av.open(_File(self._descriptor), "r", format="mp4")
        except (FFmpegError, OSError) as error:
            raise self.error(f"cannot be played ({error.strerror})") from error
        if not container.streams.video:
            raise self.error("holds no video")
        stream = container.streams.video[0]
        context = stream.codec_context
        context.thread_count = 1
        found = (context.width, context.height, context.pix_fmt, stream.frames)
        wanted = (self.width, self.height * (2 if self.keyed else 1), "yuv420p", self.count)
        for is_, should, what in zip(found, wanted, ("wide", "high", "in colour", "pictures long"), strict=True):
            if is_ != should:
                raise self.error(f"is {is_} {what}, the manifest says {should}")
        return container, stream


class Player:
    """Decodes a film picture by picture, round and round; holds the decoder's own few pictures."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._container, self._stream = film.open()
        self._pictures: Iterator[av.VideoFrame] = self._container.decode(self._stream)
        self.index = -1

    def next(self) -> Shot:
        """The next picture. Raises `AvatarError` for a film that is damaged."""
        film = self._film
        self.index += 1
        try:
            if self.index == film.count:
                self._container.seek(0)
                self._pictures, self.index = self._container.decode(self._stream), 0
            found = next(self._pictures, None)
        except FFmpegError as error:
            raise film.error(f"is damaged at picture {self.index} ({error.strerror})") from error
        if found is None:
            raise film.error(f"ends after {self.index} of {film.count} pictures")
        y, u, v = (np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1) for plane in found.planes)
        matte = cv2.LUT(y[film.height :, : film.width], _UNFOLD) if film.keyed else None
        return Shot(y, u, v, cast(Bytes | None, matte)).part(0, 0, film.width, film.height)
