from dataclasses import replace

import numpy as np
import pytest

from anchor.media import VideoFormat
from anchor.ports import Placement
from avatars.compositor import place
from avatars.framing import frame
from avatars.package import LIBRARY, read_manifest
from avatars.puppet_parts import Layer, Rig, read_layers


@pytest.fixture(scope="module")
def rig() -> Rig:
    manifest = read_manifest(LIBRARY / "lin")
    return Rig.read(manifest, read_layers(manifest))


def layer(left: float, top: float, right: float, bottom: float, shade: int = 200) -> Layer:
    pixels = np.full((round(bottom - top), round(right - left), 4), 255, np.uint8)
    pixels[..., :3] = shade
    return Layer(pixels, left, top)


def covered(picture: Layer, rig: Rig, video: VideoFormat, at: Placement) -> bool:
    scale = at.head * video.height / rig.tall
    x, y = at.x * video.width, at.eyes * video.height
    height, width = picture.pixels.shape[:2]
    return (
        x + picture.left * scale <= 0.5
        and x + (picture.left + width) * scale >= video.width - 0.5
        and y + picture.top * scale <= 0.5
        and y + (picture.top + height) * scale >= video.height - 0.5
    )


@pytest.mark.parametrize("size", ["1280x720", "720x1280", "512x512"])
def test_a_picture_with_room_fills_the_frame(rig: Rig, size: str) -> None:
    video = VideoFormat.parse(size)
    photo = layer(-1700, -900, 1700, 1500)
    setting = frame(rig.tall, rig.chin, Layer.empty(), photo, video, place(video))
    assert covered(photo, rig, video, setting.placement)
    assert setting.background is not None and setting.background.shape == (video.height, video.width, 3)
    assert 0.3 < setting.placement.head <= 0.62 and (setting.background > 190).all()


def test_beside_a_narrow_picture_its_blurred_copy_is_seen(rig: Rig) -> None:
    video = VideoFormat(1280, 720)
    photo = layer(-520, -700, 520, 800)
    setting = frame(rig.tall, rig.chin, Layer.empty(), photo, video, place(video))
    assert setting.background is not None
    assert setting.placement.head <= 0.7 and setting.placement.x == 0.5
    middle, side = setting.background[300, 640], setting.background[300, 10]
    assert (middle == 200).all() and (side < 160).all() and (side > 120).all()


@pytest.mark.parametrize("top", range(-420, -400, 3))
def test_no_dark_line_runs_along_a_picture_that_is_shown_whole(rig: Rig, top: int) -> None:
    video = VideoFormat(1280, 720)
    setting = frame(rig.tall, rig.chin, Layer.empty(), layer(-430, top, 430, 467), video, place(video))
    assert setting.background is not None
    assert (setting.background[:, 640] == 200).all()


def test_a_figure_cut_off_at_the_chest_hides_the_cut_below_the_frame(rig: Rig) -> None:
    video = VideoFormat(1280, 720)
    body = layer(-800, 500, 800, 1100)
    placement = frame(rig.tall, rig.chin, body, None, video, place(video)).placement
    assert placement.eyes + placement.head * 1100 / rig.tall >= 1 - 1e-6
    long = replace(body, pixels=np.zeros((3000, 1600, 4), np.uint8))
    assert frame(rig.tall, rig.chin, long, None, video, place(video)).placement == place(video)
