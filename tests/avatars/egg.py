"""An avatar that is quickly drawn: an egg of one grey over a flat ground."""

from __future__ import annotations

import cv2

from anchor.media import Bytes, DrawnFace, Picture, VideoFormat
from anchor.ports import AvatarInfo, AvatarView, Placement, Setting


class Egg:
    """A head of one grey over a flat ground; the jaw moves its lower edge."""

    def __init__(self, ground: int = 200) -> None:
        self.ground = ground
        self.placed: Placement | None = None

    @property
    def info(self) -> AvatarInfo:
        return AvatarInfo("egg", "Egg", "test", ("blendshapes",), "Apache-2.0")

    def setting(self, video: VideoFormat, wanted: Placement, *, own_background: bool) -> Setting:
        return Setting(wanted)

    def open(self, video: VideoFormat, backdrop: Bytes, placement: Placement) -> AvatarView:
        self.placed = placement
        return EggView(video, self.ground, placement)


class EggView:
    def __init__(self, video: VideoFormat, ground: int, placement: Placement) -> None:
        self.video, self.ground, self.placement = video, ground, placement

    def base(self, ahead: int) -> int:
        return 0

    def draw(self, face: DrawnFace, canvas: Picture) -> None:
        canvas.y[:], canvas.u[:], canvas.v[:] = self.ground, 128, 128
        half = self.placement.head * self.video.height / 2
        centre = (round(self.placement.x * self.video.width), round(self.placement.eyes * self.video.height))
        size = (round(half * 0.7), round(half + 20 * face["jawOpen"]))
        cv2.ellipse(canvas.y, centre, size, 0, 0, 360, (120,), -1)
