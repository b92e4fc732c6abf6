"""A contact sheet: what an avatar looks like at rest, in nine mouth shapes, and when it moves eyes, brows and head.

Only what it can show is on it: one that was filmed does not turn its head when asked to, but moves by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np

from anchor.media import ARKIT_INDEX, Blendshapes, Bytes, HeadPose, Picture, VideoFormat
from anchor.ports import Avatar, Placement


def face(head: HeadPose | None = None, gaze: tuple[float, float] = (0.0, 0.0), **weights: float) -> Blendshapes:
    """A face by coefficient names; a name without its side stands for both."""
    values = np.zeros(len(ARKIT_INDEX), np.float32)
    for name, weight in weights.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in ARKIT_INDEX:
                values[ARKIT_INDEX[full]] = weight
    return Blendshapes(values, head or HeadPose(), gaze)


MOUTHS = {
    "p b m": face(jawOpen=0.03, mouthClose=0.05, mouthPress=0.45, mouthRollLower=0.25),
    "f v": face(jawOpen=0.08, mouthRollLower=0.55, mouthUpperUp=0.15),
    "th": face(jawOpen=0.22, tongueOut=0.25, mouthLowerDown=0.15),
    "s": face(jawOpen=0.12, mouthStretch=0.25, mouthLowerDown=0.3, mouthUpperUp=0.15),
    "a": face(jawOpen=0.62, mouthLowerDown=0.25, mouthUpperUp=0.1),
    "e": face(jawOpen=0.45, mouthStretch=0.25, mouthSmile=0.1),
    "i": face(jawOpen=0.28, mouthStretch=0.3, mouthSmile=0.15),
    "o": face(jawOpen=0.38, mouthFunnel=0.45),
    "u": face(jawOpen=0.16, mouthPucker=0.65, mouthFunnel=0.2),
}
SHEET = {
    "rest": face(),
    "smile": face(mouthSmile=0.7, cheekSquint=0.4, mouthUpperUp=0.15, jawOpen=0.06, mouthLowerDown=0.1),
    "blink": face(eyeBlink=1.0),
    **MOUTHS,
    "glance left": face(gaze=(-0.4, 0.0)),
    "glance right": face(gaze=(0.4, 0.0)),
    "look up": face(eyeLookUp=0.7, browInnerUp=0.4),
    "look down": face(eyeLookDown=0.7),
    "brows up": face(browInnerUp=0.8, browOuterUp=0.8, eyeWide=0.4),
    "brows down": face(browDown=0.8, eyeSquint=0.4),
    "turn left": face(HeadPose(yaw=math.radians(-12))),
    "turn right": face(HeadPose(yaw=math.radians(12))),
    "nod": face(HeadPose(pitch=math.radians(-8))),
    "lean": face(HeadPose(roll=math.radians(7), pitch=math.radians(4))),
}
_LATER = (1, 2, 3, 4)
"""Seconds after which one that moves by itself is looked at again."""
_CELL = VideoFormat(320, 360)


class _Stage:
    """An avatar in front of a backdrop."""

    def __init__(self, avatar: Avatar, video: VideoFormat, placement: Placement) -> None:
        backdrop = np.empty((video.height, video.width, 3), np.uint8)
        backdrop[:] = np.linspace((150, 128, 108), (92, 74, 60), video.height)[:, None]
        setting = avatar.setting(video, placement, own_background=True)
        self._avatar, self._video, self._placement = avatar, video, setting.placement
        self._backdrop = backdrop if setting.background is None else setting.background

    def pictures(self, faces: Iterable[Blendshapes]) -> list[Bytes]:
        """One face after another, from the avatar's first picture on: BGR."""
        view, canvas = self._avatar.open(self._video, self._backdrop, self._placement), Picture.black(self._video)
        found = []
        for one in faces:
            view.draw(one, canvas)
            found.append(cast(Bytes, cv2.cvtColor(canvas.data, cv2.COLOR_YUV2BGR_I420)))
        return found


def _cells(avatar: Avatar) -> dict[str, Bytes]:
    """Pictures by their names, without those that look like rest."""
    stage = _Stage(avatar, _CELL, Placement(0.5, 0.47, 0.74))
    idle = stage.pictures([face()] * (max(_LATER) * _CELL.fps + 1))
    if (idle[0] == idle[-1]).all():
        pictures = stage.pictures(SHEET.values())
    else:
        # One that moves by itself begins anew with every face, so that the faces can be compared.
        pictures = [stage.pictures([one])[0] for one in SHEET.values()]
    cells = dict(zip(SHEET, pictures, strict=True))
    cells |= {f"after {time} s": idle[time * _CELL.fps] for time in _LATER}
    return {name: cell for name, cell in cells.items() if name == "rest" or (cell != cells["rest"]).any()}


def contact_sheet(avatar: Avatar) -> Bytes:
    """Draw the sheet: BGR, uint8; the whole figure on the left, faces with their names on the right."""
    named = _cells(avatar)
    for name, cell in named.items():
        cv2.putText(cell, name, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
    cells, columns = list(named.values()), 5
    cells += [np.full_like(cells[0], 60)] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    faces = np.vstack(rows)
    height = faces.shape[0] & ~1
    whole = VideoFormat(min(4096, height * 9 // 16 & ~1), height)
    figure = _Stage(avatar, whole, Placement(0.5, 0.30, 0.25)).pictures([face()])[0]
    return np.hstack([figure, faces[:height]])
