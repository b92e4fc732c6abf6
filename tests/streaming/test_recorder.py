from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from anchor.errors import OutputError
from anchor.media import SAMPLE_RATE, Beat, Picture, VideoFormat
from streaming.recorder import Mp4Sink
from tests.streaming.beats import SMALL, beat, beats, click_and_flash

AIGC = json.dumps({"Label": "1", "ContentProducer": "示例", "ProduceID": "p-1"}, ensure_ascii=False)


def record(path: Path, shots: list[Beat], video: VideoFormat = SMALL, **options: object) -> None:
    async def main() -> None:
        async with Mp4Sink(path, video, **options) as sink:  # type: ignore[arg-type]
            for shot in shots:
                await sink.send(shot)

    asyncio.run(main())


def decoded(path: Path) -> tuple[list[tuple[float, np.ndarray]], list[tuple[float, np.ndarray]]]:
    """Pictures (grey) and sound of a file with the times a player shows them at."""
    pictures, sounds = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
            assert isinstance(frame, av.VideoFrame | av.AudioFrame)
            assert frame.time is not None
            if isinstance(frame, av.VideoFrame):
                pictures.append((frame.time, frame.to_ndarray(format="gray")))
            else:
                sounds.append((frame.time, frame.to_ndarray()[0]))
    return pictures, sounds


def test_every_beat_becomes_one_picture_and_its_samples(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    record(target, list(beats(SMALL, 50)))
    pictures, sounds = decoded(target)
    assert [round(time * 25) for time, _ in pictures] == list(range(50))
    played = sum(samples.size for time, samples in sounds if time >= 0)
    assert played == pytest.approx(50 * SMALL.samples_per_beat, abs=1024)


@pytest.mark.parametrize("fps", [24, 25, 30, 50])
def test_flash_and_click_of_one_beat_play_together(tmp_path: Path, fps: int) -> None:
    video = VideoFormat(160, 96, fps)
    target = tmp_path / "sync.mp4"
    record(target, [click_and_flash(video, index, every=20) for index in range(100)], video)
    pictures, sounds = decoded(target)
    flashes = [time for time, grey in pictures if grey.mean() > 128]
    sound = np.zeros(5 * SAMPLE_RATE)
    for time, samples in sounds:
        start = round(time * SAMPLE_RATE)
        kept = samples[max(0, -start) :]
        sound[max(0, start) : max(0, start) + kept.size] = kept
    clicks = []
    for flash in flashes:
        near = slice(max(0, round((flash - 0.1) * SAMPLE_RATE)), round((flash + 0.1) * SAMPLE_RATE))
        loud = np.flatnonzero(np.abs(sound[near]) > 0.3)
        clicks.append((near.start + loud[0]) / SAMPLE_RATE)
    assert len(flashes) == 5
    assert np.abs(np.array(clicks) - np.array(flashes)).max() <= 0.020


def test_labels_survive_in_the_file(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    record(target, list(beats(SMALL, 5)), metadata={"AIGC": AIGC, "title": "晚间新闻"})
    with av.open(str(target)) as container:
        assert container.metadata["AIGC"] == AIGC
        assert container.metadata["title"] == "晚间新闻"


def test_other_tools_read_label_colours_and_layout(tmp_path: Path) -> None:
    probe = shutil.which("ffprobe")
    if probe is None:
        pytest.skip("ffprobe is not installed")
    target = tmp_path / "out.mp4"
    record(target, list(beats(SMALL, 5)), metadata={"AIGC": AIGC})
    command = [probe, "-v", "error", "-of", "json", "-show_streams", "-show_format", str(target)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    video = next(stream for stream in found["streams"] if stream["codec_type"] == "video")
    audio = next(stream for stream in found["streams"] if stream["codec_type"] == "audio")
    assert found["format"]["tags"]["AIGC"] == AIGC
    assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
    assert (video["color_space"], video["color_range"]) == ("smpte170m", "tv")
    assert (audio["codec_name"], audio["sample_rate"]) == ("aac", "48000")


def test_index_comes_before_the_media(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    record(target, list(beats(SMALL, 5)))
    data = target.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_colours_come_back_as_they_went_in(tmp_path: Path) -> None:
    bars = np.zeros((96, 160, 3), np.uint8)
    white, grey, skin = (255, 255, 255), (128, 128, 128), (90, 140, 220)
    colours = [white, grey, skin, (0, 210, 210), (200, 60, 40), (40, 190, 60), (60, 40, 200)]
    for place, colour in enumerate(colours):
        bars[:, place * 22 : place * 22 + 28] = colour
    picture = Picture(np.asarray(cv2.cvtColor(bars, cv2.COLOR_BGR2YUV_I420), np.uint8))
    target = tmp_path / "bars.mp4"
    record(target, [Beat(index, picture, np.zeros(1920, np.float32)) for index in range(5)])
    with av.open(str(target)) as container:
        shown = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)][-1].astype(int)
    for place in range(len(colours)):
        middle = slice(place * 22 + 8, place * 22 + 15)
        assert np.abs(shown[20:76, middle] - bars[20:76, middle]).mean() < 3


def test_failed_render_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"yesterday")

    async def main() -> None:
        async with Mp4Sink(target, SMALL) as sink:
            for shot in beats(SMALL, 20):
                await sink.send(shot)
            raise RuntimeError("the script ends badly")

    with pytest.raises(RuntimeError, match="ends badly"):
        asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert target.read_bytes() == b"yesterday"


def test_cancelled_render_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def render() -> None:
            async with Mp4Sink(tmp_path / "out.mp4", SMALL) as sink:
                for index in range(1_000_000):
                    await sink.send(beat(SMALL, index))
                    if index == 20:
                        begun.set()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(render())
            await begun.wait()
            task.cancel()

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_a_render_cancelled_while_its_file_is_opened_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        for turns in range(4):
            opening = asyncio.get_running_loop().create_task(Mp4Sink(tmp_path / "film.mp4", SMALL).__aenter__())
            for _ in range(turns):
                await asyncio.wait([opening], timeout=0)
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled():
                await opening.result().__aexit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_render_without_a_picture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing to write"):
        record(tmp_path / "out.mp4", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["missing/out.mp4", ".", "file.txt/out.mp4"])
def test_unwritable_place_is_refused_before_any_work(tmp_path: Path, where: str) -> None:
    (tmp_path / "file.txt").touch()
    with pytest.raises(OutputError, match=r"out\.mp4|folder"):
        record(tmp_path / where, [])
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_full_disk_is_one_clear_error() -> None:
    target = Path("/dev/full/out.mp4")
    if not target.parent.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputError, match="cannot write"):
        record(target, list(beats(SMALL, 2)))


def test_beat_of_another_size_is_a_defect_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="320x240"):
        record(tmp_path / "out.mp4", [beat(VideoFormat(320, 240), 0)])
    with pytest.raises(ValueError, match="beat 5 came where 4"):
        record(tmp_path / "out.mp4", [beat(SMALL, 3), beat(SMALL, 5)])
    assert list(tmp_path.iterdir()) == []
