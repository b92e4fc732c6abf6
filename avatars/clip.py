"""Clips that people bring, read as pictures of one rate, upright and of bounded size, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.error import FFmpegError

from anchor.errors import AvatarError
from anchor.media import FILES_ONLY, Bytes
from avatars.film import FPS

SHORTEST, LONGEST = 5.0, 60.0
"""Seconds of clip that can be used; a shorter one is for whoever reads it to refuse."""
MOST_SIDE = 4096
_HEIGHT = 1080
"""Taller clips are made this high."""
_CUT_OFF = 0.4
"""Seconds by which a clip may end before it says it does."""


@contextmanager
def _clip(path: Path, most: float) -> Iterator[Any]:
    """The open clip, its streams checked. Raises `AvatarError` for what is no clip."""
    try:
        # So that no name is taken for an address.
        container = av.open(f"file:{path}", options=FILES_ONLY)
    except (FFmpegError, OSError) as error:
        raise AvatarError(f"is damaged or no clip ({error.strerror}); export it again") from error
    with container:
        if not container.streams.video:
            raise AvatarError("holds sound but no picture; give a clip of a person")
        stream = container.streams.video[0]
        size = stream.codec_context
        if max(size.width, size.height) > MOST_SIDE:
            raise AvatarError(f"is {size.width}x{size.height} pixels; at most {MOST_SIDE} a side")
        _check_length(_seconds(stream), most)
        yield container


def _seconds(stream: Any) -> float:
    """How long a clip says it is; 0 where it does not."""
    return float((stream.duration or 0) * (stream.time_base or 0))


def _check_length(seconds: float, most: float) -> None:
    if seconds > most + 0.1:
        raise AvatarError(f"is longer than {most:g} s; cut it" + (" to 10 to 30 s" if most == LONGEST else ""))


def pictures(path: Path, *, longest: int | None = None, most: float = LONGEST) -> Iterator[Bytes]:
    """The clip's pictures `FPS` times a second, upright: BGR, not to be written to. Raises `AvatarError`.

    They are at most `_HEIGHT` high, or `longest` on their longer side; a clip has at most `most` seconds.
    """
    with _clip(path, most) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        aspect = float(stream.sample_aspect_ratio or 1)
        due, last, begin = 0, None, 0.0
        try:
            for picture in container.decode(stream):
                at = float(picture.time or 0)
                begin = begin if due or last is not None else at
                if last is not None and due / FPS < at - begin - 1e-3:
                    shown = _upright(last, aspect, longest)
                    while due / FPS < at - begin - 1e-3:
                        yield shown
                        due += 1
                        _check_length(due / FPS, most)
                last = picture
        except FFmpegError as error:
            raise AvatarError(f"is damaged after {due / FPS:.1f} s ({error.strerror}); export it again") from error
        if last is None:
            return
        yield _upright(last, aspect, longest)
        if due / FPS < _seconds(stream) - _CUT_OFF:
            raise AvatarError(
                f"ends after {due / FPS:.1f} of {_seconds(stream):.1f} s; export it again, it was cut off"
            )


def _upright(picture: Any, aspect: float, longest: int | None) -> Bytes:
    turns = round(getattr(picture, "rotation", 0) / 90) % 4
    wide, high = picture.width * aspect, picture.height
    scale = min(1.0, longest / max(wide, high) if longest else _HEIGHT / (wide if turns % 2 else high))
    width, height = (max(2, round(v * scale / 2) * 2) for v in (wide, high))
    found = picture.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(np.rot90(found, turns)) if turns else cast(Bytes, found)
