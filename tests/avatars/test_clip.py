"""Clips people bring, read: their rates, sizes and turns, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import pytest

from anchor.errors import AvatarError
from anchor.media import Bytes
from avatars import clip
from avatars.clip import pictures
from tests.avatars import clips


def levels(count: int, width: int = 64, height: int = 96) -> Iterable[Bytes]:
    """Pictures of one grey each, a little brighter every time."""
    for index in range(count):
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = 20 + index % 200
        yield planes


@pytest.mark.parametrize("fps", [10, 15, 24, 25, 30, 50, 60])
def test_any_rate_becomes_ours_at_the_same_pace(tmp_path: Path, fps: int) -> None:
    path = clips.write(tmp_path / "clip.mp4", levels(2 * fps), fps=fps)
    found = [float(picture.mean()) for picture in pictures(path)]
    assert abs(len(found) - 50) <= 1
    shown = np.array(found)
    expected = shown[0] + (shown[-1] - shown[0]) * np.arange(len(shown)) / (len(shown) - 1)
    assert np.abs(shown - expected).max() < 1.2 * 255 / 219 * (fps / 25 + 1)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.webm", "libvpx-vp9")])
def test_the_formats_of_phones_and_browsers_are_read(tmp_path: Path, name: str, codec: str) -> None:
    path = clips.write(tmp_path / name, levels(30), codec=codec)
    assert len(list(pictures(path))) == 30


def test_tall_clips_are_made_smaller_and_none_are_made_larger(tmp_path: Path) -> None:
    tall = clips.write(tmp_path / "tall.mp4", levels(2, 1216, 2160))
    small = clips.write(tmp_path / "small.mp4", levels(2, 96, 64))
    assert next(pictures(tall)).shape == (1080, 608, 3)
    assert next(pictures(small)).shape == (64, 96, 3)
    assert next(pictures(small, longest=48)).shape == (32, 48, 3)


def test_a_turned_phone_gives_upright_pictures(tmp_path: Path) -> None:
    """The turn is a matrix in the track's header (ISO/IEC 14496-12, 8.3.2), here a quarter clockwise."""
    planes = np.full((96, 96), 128, np.uint8)
    planes[:64] = 30
    planes[:64, :48] = 200
    path = clips.write(tmp_path / "turned.mp4", [planes] * 3)
    data = path.read_bytes()
    plain = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(n.to_bytes(4, "big", signed=True) for n in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30))
    at = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:at] + turned + data[at + len(plain) :])
    picture = next(pictures(path))
    assert picture.shape == (96, 64, 3)
    assert picture[:40].mean() > 180 and picture[56:].mean() < 60


def test_a_name_is_never_taken_for_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips.write(tmp_path / "clip.mp4", levels(5))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").rename("concat:clip.mp4")
    assert len(list(pictures(Path("concat:clip.mp4")))) == 5


def test_a_clip_of_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48_000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(AvatarError, match="sound but no picture"):
        list(pictures(path))


def test_what_is_no_clip_and_what_lost_its_index_is_refused(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "clip.mp4", levels(30))
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(AvatarError, match="damaged or no clip"):
        list(pictures(path))


def test_a_clip_that_was_cut_off_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(16, 236, (50, 144, 64), np.uint8)
    whole = clips.write(tmp_path / "whole.mp4", noise)
    with (
        av.open(str(whole)) as source,
        av.open(str(tmp_path / "first.mp4"), "w", options={"movflags": "faststart"}) as to,
    ):
        stream = to.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                to.mux(packet)
    data = (tmp_path / "first.mp4").read_bytes()
    (tmp_path / "first.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(AvatarError, match=r"of 2\.0 s|damaged after"):
        list(pictures(tmp_path / "first.mp4"))


def test_a_clip_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "long.mp4", levels(65), fps=1)
    with pytest.raises(AvatarError, match="longer than 60 s"):
        next(pictures(path))


def test_too_many_pixels_a_side_are_refused(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "wide.mp4", levels(1, clip.MOST_SIDE + 2, 64))
    with pytest.raises(AvatarError, match="4098x64 pixels; at most 4096"):
        next(pictures(path))
