"""Recordings: what a player finds in them, and what is left after a crash or on a full disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from anchor.bench.ingest import arrived
from anchor.clock import run_virtual
from anchor.config import OutputConfig
from anchor.errors import OutputError, RefusedError
from anchor.events import Caption
from anchor.media import SAMPLE_RATE, VideoFormat
from streaming.archive import FileWriter
from streaming.encoding import ProgramEncoder
from streaming.outputs import open_program
from streaming.packets import Cue, Header, Packet
from streaming.profiles import PROFILES
from streaming.recorder import Mp4Sink
from tests.streaming.beats import beat, beats

VIDEO = VideoFormat(160, 96, 25)
LABEL = '{"Label":"1","ContentProducer":"示例"}'


def encoded(count: int, profile: str = "live") -> tuple[Header, list[Packet]]:
    encoder = ProgramEncoder(VIDEO, PROFILES[profile])
    packets = [
        packet for shot in beats(VIDEO, count) for packet in encoder.encode(shot.index, shot.picture, shot.audio)
    ]
    return encoder.header, packets + encoder.finish()


def from_keyframe(packets: list[Packet]) -> list[Packet]:
    """As an output gets them: a keyframe first."""
    first = next(packet for packet in packets if packet.keyframe)
    return [first, *(packet for packet in packets if packet is not first)]


class Wall:
    """A clock on the wall that follows the stream, and can be set."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


def record(writer: FileWriter, count: int, wall: Wall | None = None, profile: str = "live") -> None:
    header, packets = encoded(count, profile)
    writer.open(header)
    start = wall.now if wall is not None else None
    for packet in from_keyframe(packets):
        if wall is not None and start is not None and packet.kind == "video":
            wall.now = start + timedelta(seconds=packet.pts / 90_000)
        writer.write(packet)
    writer.finish()
    writer.close()


def played(path: Path) -> tuple[list[str], np.ndarray]:
    """Hashes of all pictures, and the sound from time 0 on."""
    pictures: list[str] = []
    sounds: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pictures.append(hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest())
    with av.open(str(path)) as container:
        for heard in container.decode(audio=0):
            assert heard.pts is not None and heard.time_base is not None
            start = round(heard.pts * heard.time_base * SAMPLE_RATE)
            sounds.append(heard.to_ndarray()[0][max(0, -start) :])
    return pictures, np.concatenate(sounds)


@pytest.mark.parametrize("count", [1, 40, 137])
def test_a_recording_is_picture_for_picture_and_sample_for_sample_what_render_writes(
    tmp_path: Path, count: int
) -> None:
    async def both() -> None:
        async with Mp4Sink(tmp_path / "rendered.mp4", VIDEO) as sink:
            for shot in beats(VIDEO, count):
                await sink.send(shot)
        wish = OutputConfig(to=f"file:{tmp_path / 'recorded.mp4'}")
        async with open_program(VIDEO, [wish], live=False) as program:
            for shot in beats(VIDEO, count):
                await program.send(shot)

    run_virtual(both())
    rendered, recorded = played(tmp_path / "rendered.mp4"), played(tmp_path / "recorded.mp4")
    assert len(recorded[0]) == count
    assert recorded[0] == rendered[0]
    assert np.array_equal(recorded[1], rendered[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recorded.mp4", "rendered.mp4"]


def test_parts_begin_with_the_clock_and_each_plays_alone_from_a_keyframe(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 26, 8, 59, 55).astimezone())
    record(FileWriter(tmp_path / "news.mp4", wall=wall, metadata={"AIGC": LABEL}), 400, wall)
    first, second = sorted(tmp_path.iterdir())
    assert (first.name, second.name) == ("news-20261126-0859.mp4", "news-20261126-0900.mp4")
    one, two = played(first), played(second)
    assert len(one[0]) + len(two[0]) == 400
    assert len(one[0]) == 150  # the first keyframe at or after 09:00:00
    for part, pictures in ((first, one), (second, two)):
        found = arrived(part)
        assert found.keyframes[0] and found.video[0] == 0
        assert found.metadata["AIGC"] == LABEL
        assert abs(pictures[1].size / SAMPLE_RATE - len(pictures[0]) / 25) <= 1024 / SAMPLE_RATE


def test_the_sound_of_two_parts_is_that_of_the_whole(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 26, 8, 59, 57).astimezone())
    record(FileWriter(tmp_path / "parts" / "news.mp4", wall=wall), 250, wall)
    record(FileWriter(tmp_path / "whole.mp4", part_seconds=None), 250)
    whole = played(tmp_path / "whole.mp4")[1]
    first, second = (played(path)[1] for path in sorted((tmp_path / "parts").iterdir()))
    cut = 100 * VIDEO.samples_per_beat
    assert np.array_equal(first[:cut], whole[:cut])
    # The first 1,024 samples of a part are decoded without what overlaps them, like those of any file.
    assert np.allclose(second[1024:40_000], whole[cut + 1024 : cut + 40_000], atol=1e-4)


def test_a_clock_that_is_set_back_neither_cuts_twice_nor_loses_a_name(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 26, 8, 59, 58).astimezone())
    header, packets = encoded(500)
    writer = FileWriter(tmp_path / "news.mp4", wall=wall)
    writer.open(header)
    for packet in from_keyframe(packets):
        if packet.kind == "video":
            wall.now += timedelta(seconds=0.04)
            if packet.pts == 300 * 3600:
                wall.now -= timedelta(seconds=60)
        writer.write(packet)
    writer.finish()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["news-20261126-0859.mp4", "news-20261126-0900.mp4"]


def test_a_short_recording_has_the_name_it_was_given_and_a_second_one_does_not_replace_it(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 26, 9, 10).astimezone())
    for _ in range(3):
        record(FileWriter(tmp_path / "news.mp4", wall=wall), 30)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["news-20261126-0910-2.mp4", "news-20261126-0910.mp4", "news.mp4"]


def test_captions_lie_beside_each_part_in_its_own_time(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 26, 8, 59, 57).astimezone())
    header, packets = encoded(250)
    writer = FileWriter(tmp_path / "news.mp4", wall=wall)
    writer.open(header)
    cues = [
        Cue(25, Caption(("Good evening.",), 0, 0)),
        Cue(75, None),
        Cue(90, Caption(("Over the hour.",), 0, 0)),
        Cue(125, None),
    ]
    for packet in from_keyframe(packets):
        while packet.kind == "video" and cues and cues[0].begin * 3600 <= packet.pts:
            writer.caption(cues.pop(0))
        if packet.kind == "video":
            wall.now = datetime(2026, 11, 26, 8, 59, 57).astimezone() + timedelta(seconds=packet.pts / 90_000)
        writer.write(packet)
    writer.finish()
    first = (tmp_path / "news-20261126-0859.vtt").read_text()
    second = (tmp_path / "news-20261126-0900.srt").read_text()
    assert "00:00:01.000 --> 00:00:03.000\nGood evening." in first
    assert "00:00:03.600 --> 00:00:04.000\nOver the hour." in first
    assert "00:00:00,000 --> 00:00:01,000\nOver the hour." in second


@pytest.mark.parametrize("ending", [".mkv", ".flv", ".ts", ".mov"])
def test_every_container_keeps_the_label_or_has_it_beside(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"news{ending}"
    record(FileWriter(target, part_seconds=None, metadata={"AIGC": LABEL}), 60)
    assert len(played(target)[0]) == 60
    if ending == ".ts":
        assert json.loads((tmp_path / "news.aigc.json").read_text())["Label"] == "1"
    else:
        assert arrived(target).metadata["AIGC"] == LABEL


CRASHING = """
import os, sys
from pathlib import Path
from streaming.archive import FileWriter
from tests.streaming.test_archive import encoded, from_keyframe
header, packets = encoded(200)
writer = FileWriter(Path(sys.argv[1]), metadata={"AIGC": "{}"})
writer.open(header)
for packet in from_keyframe(packets):
    writer.write(packet)
with next(Path(sys.argv[1]).parent.iterdir()).open("ab") as file:
    file.write(bytes.fromhex("000100006d646174") + bytes(1000))
os.kill(os.getpid(), 9)
"""


def test_a_crash_costs_the_last_seconds_and_the_next_recording_gives_the_rest_its_name(tmp_path: Path) -> None:
    target = tmp_path / "news.mp4"
    crashed = subprocess.run([sys.executable, "-c", CRASHING, str(target)], env={**os.environ, "PYTHONPATH": "."})
    assert crashed.returncode == -signal.SIGKILL
    (growing,) = tmp_path.iterdir()
    assert growing.name.endswith(".part.mp4")
    assert arrived(growing).metadata["AIGC"] == "{}"
    kept = played(growing)[0]
    record(FileWriter(target), 30)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"news.mp4", growing.name.replace(".part", "")}
    rest = tmp_path / growing.name.replace(".part", "")
    whole = len(played(rest)[0])
    assert played(rest)[0] == kept[:whole]
    assert whole == 150


def test_a_part_that_somebody_else_writes_is_left_alone(tmp_path: Path) -> None:
    header, packets = encoded(60)
    one = FileWriter(tmp_path / "news.mp4")
    one.open(header)
    for packet in from_keyframe(packets):
        one.write(packet)
    (growing,) = tmp_path.iterdir()
    two = FileWriter(tmp_path / "news.mp4")
    two.open(header)
    assert growing.exists()
    one.finish()
    assert len(played(tmp_path / "news.mp4")[0]) == 60


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_what_was_written_stays_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    header, packets = encoded(1500, "archive")
    disk = tmp_path / "disk"
    with small_disk(disk, 1):
        (disk / "ballast").write_bytes(bytes(500_000))
        writer = FileWriter(disk / "news.mp4", least_free_bytes=100_000)
        writer.open(header)
        with pytest.raises(OutputError, match="No space left on device"):
            for packet in from_keyframe(packets):
                writer.write(packet)
        writer.close()
        (rest,) = (path for path in disk.iterdir() if path.name != "ballast")
        assert ".part" not in rest.name
        assert len(played(rest)[0]) >= 100
        again = FileWriter(disk / "news.mp4", least_free_bytes=100_000)
        with pytest.raises(OutputError, match="the disk is full"):
            again.open(header)
        again.close()
        (disk / "ballast").unlink()
        record(FileWriter(disk / "news.mp4", least_free_bytes=100_000), 60, profile="archive")
        assert len(played(disk / "news.mp4")[0]) == 60


def test_a_program_that_fails_leaves_no_file_and_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "news.mp4"
    target.write_text("yesterday's")

    async def main() -> None:
        wish = OutputConfig(to=f"file:{target}")
        async with open_program(VIDEO, [wish], live=False) as program:
            for index in range(80):
                await program.send(beat(VIDEO, index))
            raise RuntimeError("the show fell")

    with pytest.raises(RuntimeError):
        asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == ["news.mp4"]
    assert target.read_text() == "yesterday's"


def test_a_program_that_is_not_live_says_at_once_that_it_cannot_write() -> None:
    async def main() -> None:
        wish = OutputConfig(to="file:/dev/full/news.mp4")
        async with open_program(VIDEO, [wish], live=False) as program:
            for index in range(300):
                await program.send(beat(VIDEO, index))

    with pytest.raises(OutputError, match="/dev/full/news"):
        asyncio.run(main())


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "news.mp4").mkdir()
    with pytest.raises(RefusedError, match="is a folder"):
        FileWriter(tmp_path / "news.mp4").open(encoded(1)[0])


def test_names_are_of_the_local_day(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC))
    record(FileWriter(tmp_path / "news.mp4", wall=wall), 100, wall)
    local = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC).astimezone()
    assert (tmp_path / f"news-{local:%Y%m%d-%H%M}.mp4").exists()
