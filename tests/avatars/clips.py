"""Clips that the project makes itself: its bundled anchor, filmed while she sways and blinks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from anchor.media import Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.ports import Placement
from avatars.package import load_avatar
from tests.avatars.mouths import face

SIZE = VideoFormat(480, 560, 25)
GREEN = (40, 190, 60)
SECONDS = 5.6
_PERIOD = 2.8


def wall() -> Bytes:
    """A backdrop with something to see on it."""
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    return np.dstack([170 + 20 * np.sin(x / 31), 150 + y / 40, 140 + 15 * np.cos(y / 27)]).astype(np.uint8)


def screen() -> Bytes:
    return np.full((SIZE.height, SIZE.width, 3), GREEN, np.uint8)


def listening(seconds: float) -> Blendshapes:
    """A head that goes round and round within a degree or two, and blinks."""
    t = 2 * math.pi * seconds / _PERIOD
    head = HeadPose(0.05 * math.sin(t), 0.03 * math.cos(t), 0.02 * math.sin(t), 0.01 * math.cos(t))
    return face(head, eyeBlink=1.0 if 1.0 < seconds % _PERIOD < 1.15 else 0.0)


def talking(seconds: float) -> Blendshapes:
    """The same with lips that open and shut by themselves."""
    return listening(seconds) + face(jawOpen=max(0.0, 0.5 * math.sin(2 * math.pi * seconds / 1.4)))


def filmed(
    how: Callable[[float], Blendshapes], backdrop: Bytes, *, seconds: float = SECONDS, fps: int = 25
) -> Iterable[Bytes]:
    """Pictures of the bundled anchor: I420."""
    view, canvas = load_avatar("lin").open(SIZE, backdrop, Placement(0.5, 0.44, 0.5)), Picture.black(SIZE)
    for index in range(round(seconds * fps)):
        view.draw(how(index / fps), canvas)
        yield canvas.data.copy()


def write(path: Path, pictures: Iterable[Bytes], *, fps: int = 25, codec: str = "libx264") -> Path:
    """Write I420 pictures as a clip; its format is by its name."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        quick = {"deadline": "realtime", "cpu-used": "8"} if "vp" in codec else {"preset": "ultrafast"}
        stream.options = {"crf": "16", **quick}
        for index, planes in enumerate(pictures):
            if index == 0:
                stream.width, stream.height = planes.shape[1], planes.shape[0] * 2 // 3
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
