"""Clips that are shown: their pictures at the even times of a stream, decoded ahead in a thread of their own.

Whatever rate and time base a clip has, a beat shows the picture that the clip shows then. A reel holds `AHEAD` pictures
besides the decoder's own few; nothing reads a playlist, a list of files or an address.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Colorspace

from anchor.errors import AvatarError, MissingError
from anchor.media import FILES_ONLY, Bytes, Picture
from avatars.fitting import covers, fitted

AHEAD = 6
"""Pictures that are made before they are due: a quarter of a second."""
MOST_SIDE, MOST_PIXELS = 4096, 4096 * 2304
_FORWARD_SECONDS = 3.0
"""A jump as far as this is decoded through rather than sought."""
_LEAP_SECONDS = 86_400.0

# ISO/IEC 23091-2 code points. Clips that do not say are taken for what players take them for.
_COLOURS = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
            7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}  # fmt: skip
_LARGEST_601 = 576


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a clip says of itself: its size as it is to be seen, upright and with square pixels, and its seconds.

    `seconds` is 0 where it does not say.
    """

    width: int
    height: int
    seconds: float
    sounding: bool


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open clip. Raises `MissingError` and `AvatarError`."""
    if not path.is_file():
        raise MissingError(f"{path}: there is no such file")
    try:
        container = av.open(f"file:{path}", options=FILES_ONLY)
    except (FFmpegError, OSError, ValueError) as error:
        raise AvatarError(f"{path}: is no clip that can be played, or is damaged; export it as MP4 (H.264)") from error
    with container:
        if not container.streams.video:
            raise AvatarError(f"{path}: holds no picture; give a clip")
        size = container.streams.video[0].codec_context
        if size is None or not size.width or not size.height:
            raise AvatarError(f"{path}: its kind of video cannot be played here; export it as MP4 (H.264)")
        if max(size.width, size.height) > MOST_SIDE or size.width * size.height > MOST_PIXELS:
            raise AvatarError(f"{path}: is {size.width}x{size.height} pixels; at most 4096x2304. Make it smaller")
        # Pictures may grow after the first.
        size.options = {"max_pixels": str(MOST_PIXELS)}
        yield container


def inspect(path: Path) -> ClipInfo:
    """Look at a clip; its first picture is decoded. Raises `MissingError`, and `AvatarError` for one that has none."""
    with opened(path) as container:
        stream = container.streams.video[0]
        try:
            first = next(container.decode(stream), None)
        except FFmpegError as error:
            raise AvatarError(f"{path}: is damaged ({error.strerror}); export it again") from error
        if first is None:
            raise AvatarError(f"{path}: has not one picture; export it again")
        width, height = _seen(first, _aspect(stream))
        if _turns(first) % 2:
            width, height = height, width
        long = (
            float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / av.time_base
        )
        return ClipInfo(round(width), round(height), long, bool(container.streams.audio))


class Reel:
    """A clip opened at one rate: each picture fills `size` (width and height, even), as `avatars.fitting` does it.

    What is wrong with the clip is raised by `at` and `warm`. It belongs to one thread.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], *, fps: int, centre: tuple[float, float] = (0.5, 0.5)
    ) -> None:
        self._path, self._fps = path, fps
        self._shown = partial(_shown, size=size, centre=centre)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clip")
        self._picture: Picture | None = None
        self._start(0)

    def _start(self, number: int) -> None:
        """Decode from beat `number` on."""
        shots = _shots(self._path, self._shown, self._fps, number)
        self._shots, self._began = shots, number
        self._shot: _Shot | None = None
        self._next: deque[Future[_Shot | None]] = deque(self._thread.submit(next, shots, None) for _ in range(AHEAD))

    def at(self, number: int, *, wait: bool) -> Picture | None:
        """The picture of beat `number` since the clip's beginning; after its end, or damage, the last one.

        Without `wait` it may be the one before, or None while there is none yet. Raises `AvatarError` for a clip
        without one picture.
        """
        shot = self._shot
        first, last = (self._began, self._began) if shot is None else (shot.begin, shot.until)
        if not first <= number <= last + _FORWARD_SECONDS * self._fps:
            self._leave()
            self._start(number)
        while (self._shot is None or self._shot.until <= number) and self._next:
            if not (wait or self._next[0].done()):
                break
            found = self._next.popleft().result()
            if found is None:
                self._next.clear()
                break
            self._next.append(self._thread.submit(next, self._shots, None))
            self._shot, self._picture = found, found.picture
        return self._picture

    def warm(self) -> None:
        """Wait until the first picture is there. Raises `AvatarError` where there is none."""
        if self._next:
            self._next[0].result()

    def _leave(self) -> None:
        for waiting in self._next:
            waiting.cancel()
        self._thread.submit(self._shots.close)

    def close(self) -> None:
        """Stop decoding; no picture may be asked for any more."""
        self._leave()
        self._thread.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class _Shot:
    """A picture and the beats, from `begin` up to `until`, that show it."""

    begin: int
    until: float
    picture: Picture


def _shots(path: Path, shown: Callable[[Any, float], Picture], fps: int, number: int) -> Generator[_Shot, None, None]:
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type, aspect = "AUTO", _aspect(stream)
        stream.codec_context.thread_count = 2
        last, due = None, number
        try:
            for at, picture in _timed(container, stream, number / fps):
                # A picture is shown from the first beat that does not come before it.
                begin = math.ceil((at - 1e-3) * fps)
                if last is not None and begin > due:
                    yield _Shot(due, begin, shown(last, aspect))
                    due = begin
                last = picture
        except FFmpegError as error:
            if last is None:
                raise AvatarError(
                    f"{path}: is damaged after {due / fps:.1f} s ({error.strerror}); export it again"
                ) from error
        if last is None:
            if number == 0:
                raise AvatarError(f"{path}: has not one picture; export it again")
            return
        yield _Shot(due, math.inf, shown(last, aspect))


def _timed(container: Any, stream: Any, seconds: float) -> Iterator[tuple[float, Any]]:
    """Pictures and their seconds since the clip's first, from the one that is seen at `seconds` on at the latest."""
    base = float(stream.start_time * stream.time_base) if stream.start_time is not None else None
    if seconds > 0 and base is not None:
        container.seek(round((seconds + base) / stream.time_base), stream=stream, backward=True)
    gap = 1 / float(stream.average_rate or 25)
    last = 0.0
    for count, picture in enumerate(container.decode(stream)):
        at = picture.time if picture.time is not None else (last + gap if count else base or 0.0)
        base = float(at) if base is None else base
        # Times that jump by a day are broken; the picture follows the one before.
        now = float(at) - base
        last = now if last <= now < last + _LEAP_SECONDS else (last + gap if count else 0.0)
        yield last, picture


def _aspect(stream: Any) -> float:
    """Width of a pixel for its height."""
    found = float(stream.sample_aspect_ratio or 1)
    return found if 0.1 <= found <= 10 else 1.0


def _turns(picture: Any) -> int:
    return round(getattr(picture, "rotation", 0) / 90) % 4


def _seen(picture: Any, aspect: float) -> tuple[float, float]:
    return picture.width * aspect, float(picture.height)


def _shown(picture: Any, aspect: float, *, size: tuple[int, int], centre: tuple[float, float]) -> Picture:
    """Upright, made to fill the size, and in the project's own colours."""
    turns = _turns(picture)
    wanted = size[::-1] if turns % 2 else size
    wide, high = _seen(picture, aspect)
    way = max if covers(wide, high, *wanted) else min
    scale = way(wanted[0] / wide, wanted[1] / high)
    width, height = (max(2, round(side * scale)) for side in (wide, high))
    colours = _COLOURS.get(picture.colorspace) or (
        Colorspace.ITU709 if picture.height > _LARGEST_601 else Colorspace.ITU601
    )
    found: Bytes = picture.reformat(
        width=width, height=height, format="bgr24", src_colorspace=colours, dst_colorspace=Colorspace.ITU601,
        interpolation="AREA" if scale < 0.75 else "BICUBIC", threads=1,
    ).to_ndarray()  # fmt: skip
    upright = np.ascontiguousarray(np.rot90(found, turns)) if turns else found
    filled = np.ascontiguousarray(fitted(upright, *size, centre))
    return Picture(np.asarray(cv2.cvtColor(filled, cv2.COLOR_BGR2YUV_I420), np.uint8))
