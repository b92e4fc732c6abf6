"""Performers for tests: bundled people, drawn with movements that are known, and filmed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from anchor.media import ARKIT, Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.ports import Placement
from avatars.package import load_avatar
from tests.avatars.mouths import face

SIZE = VideoFormat(480, 480, 25)
PLACE = Placement(0.5, 0.43, 0.6)
FPS = SIZE.fps

# What a performer does in turn, each swelling and fading within `ACT` pictures.
ACTS: tuple[tuple[str, Blendshapes], ...] = (
    ("rest", face()),
    ("jaw", face(jawOpen=0.6)),
    ("blink", face(eyeBlink=1.0)),
    ("smile", face(mouthSmile=0.7)),
    ("pucker", face(mouthPucker=0.8)),
    ("brows up", face(browInnerUp=0.8, browOuterUp=0.8)),
    ("press", face(mouthPress=0.5, mouthRollLower=0.3)),
    ("look right", face(gaze=(0.35, 0.0))),
    ("look left", face(gaze=(-0.35, 0.0))),
    ("turn right", face(HeadPose(yaw=0.22))),
    ("turn left", face(HeadPose(yaw=-0.22))),
    ("nose up", face(HeadPose(pitch=0.18))),
    ("nose down", face(HeadPose(pitch=-0.18))),
    ("lean right", face(HeadPose(roll=0.18))),
    ("lean left", face(HeadPose(roll=-0.18))),
    ("smile and talk", face(mouthSmile=0.6, jawOpen=0.4)),
    ("rest again", face()),
)
ACT = 14


def scaled(one: Blendshapes, share: float) -> Blendshapes:
    head = one.head
    pose = HeadPose(*(share * value for value in (head.yaw, head.pitch, head.roll, head.x, head.y)))
    return Blendshapes(one.weights * np.float32(share), pose, (share * one.gaze[0], share * one.gaze[1]))


def acted() -> list[Blendshapes]:
    """All acts, picture by picture."""
    swell = [math.sin(math.pi * (place + 0.5) / ACT) for place in range(ACT)]
    return [scaled(one, share) for _, one in ACTS for share in swell]


def swaying(seconds: float) -> Blendshapes:
    """At rest for two seconds, then a head that turns to and fro."""
    return face(HeadPose(yaw=0.3 * math.sin(math.pi * (seconds - 2)) if seconds > 2 else 0.0))


def drawn(who: str, faces: Iterable[Blendshapes], video: VideoFormat = SIZE) -> Iterator[Bytes]:
    """Pictures of a bundled person: BGR."""
    avatar = load_avatar(who)
    setting = avatar.setting(video, PLACE, own_background=True)
    wall = np.full((video.height, video.width, 3), (120, 112, 104), np.uint8)
    view = avatar.open(video, wall if setting.background is None else setting.background, setting.placement)
    canvas = Picture.black(video)
    for one in faces:
        view.draw(one, canvas)
        yield np.asarray(cv2.cvtColor(canvas.data, cv2.COLOR_YUV2BGR_I420), np.uint8)


@cache
def pictures(who: str) -> tuple[Bytes, ...]:
    """Someone who does all acts."""
    return tuple(drawn(who, acted()))


def filmed(path: Path, shown: Iterable[Bytes], *, codec: str = "libx264", sound: Bytes | None = None) -> Path:
    """Write pictures as a clip; its format is by its name. `sound` is float32, mono, 48 kHz."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE.width, SIZE.height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "mjpeg":
            stream.codec_context.options = {"qmin": "2", "qmax": "4"}
        voice = container.add_stream("aac", rate=48_000) if sound is not None else None
        if voice is not None:
            voice.layout = "mono"
        for number, picture in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None and sound is not None:
            heard = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "flt", "mono")
            heard.sample_rate, heard.pts = 48_000, 0
            container.mux(voice.encode(heard))
            container.mux(voice.encode(None))
    return path


def column(faces: Iterable[Blendshapes], read: Callable[[Blendshapes], float]) -> list[float]:
    return [read(one) for one in faces]


def mean_of(*names: str) -> Callable[[Blendshapes], float]:
    """The mean of some coefficients; a name without its side stands for both."""
    full = [name for stem in names for name in (stem, f"{stem}Left", f"{stem}Right") if name in ARKIT]
    return lambda one: float(np.mean([one[name] for name in full]))
