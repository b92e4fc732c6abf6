"""HLS as players find it: every picture is there, times fit, lists and files agree at every moment, and it goes on."""

from __future__ import annotations

import io
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import av
import pytest

from anchor.errors import OutputError
from anchor.events import Caption
from anchor.media import VideoFormat
from anchor.trust.label import aigc_label, read_label
from streaming.hls import HlsWriter
from streaming.isobmff import AUDIO_TRACK, Run, fragment
from streaming.packets import Cue, Packet
from streaming.playlist import read_media_playlist
from tests.streaming.beats import click_and_flash
from tests.streaming.encoded import Encoded

VIDEO = VideoFormat(160, 96, 25)
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CAPTIONS = (
    Cue(10, Caption(("Good evening", "& welcome <all>"), 0, 1, ("晚上好",))),
    Cue(70, None),
    Cue(80, Caption(("今天上午，",), 0, 1)),
)


@cache
def program(beats: int = 110, first: int = 0) -> Encoded:
    return Encoded(VIDEO, beats, first=first, make=lambda video, index: click_and_flash(video, index, every=25))


def write(
    folder: Path, encoded: Encoded, *, cues: Sequence[Cue] = (), finish: bool = True, window: int | None = None
) -> HlsWriter:
    writer = HlsWriter(folder, window=window, metadata={"AIGC": aigc_label("x")}, language="en", now=lambda: NOON)
    writer.open(encoded.header)
    for cue in cues:
        writer.caption(cue)
    for packet in encoded.packets:
        writer.write(packet)
    if finish:
        writer.finish()
    return writer


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text("utf-8")


def uris(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def probe(path: Path) -> list[dict[str, str]]:
    if shutil.which("ffprobe") is None:
        pytest.skip("no ffprobe on this machine")
    command = ["ffprobe", "-v", "error", "-show_packets", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    packets: list[dict[str, str]] = json.loads(done.stdout)["packets"]
    return packets


def decoded(folder: Path, names: Sequence[str], init: str) -> tuple[list[float], list[float]]:
    """Times of the pictures and of the first samples of sounds in these segments, in media time."""
    data = (folder / init).read_bytes() + b"".join((folder / name).read_bytes() for name in names)
    frames = frames_of(data)
    pictures = [frame.time or 0.0 for frame in frames if isinstance(frame, av.VideoFrame)]
    sounds = [frame.time or 0.0 for frame in frames if isinstance(frame, av.AudioFrame)]
    return pictures, sounds


def frames_of(data: bytes) -> list[av.VideoFrame | av.AudioFrame]:
    with av.open(io.BytesIO(data), "r") as container:
        return [frame for frame in container.decode() if isinstance(frame, av.VideoFrame | av.AudioFrame)]


def test_every_picture_and_sound_is_there_in_order_and_without_a_gap(tmp_path: Path) -> None:
    encoded = program()
    write(tmp_path, encoded)
    packets = probe(tmp_path / "media.m3u8")
    video = [packet for packet in packets if packet["codec_type"] == "video"]
    audio = [packet for packet in packets if packet["codec_type"] == "audio"]
    assert len(video) == 110
    assert sorted(float(packet["pts_time"]) for packet in video) == pytest.approx([1 + n / 25 for n in range(110)])
    decoding = [float(packet["dts_time"]) for packet in video]
    assert decoding == sorted(decoding)
    times = [float(packet["pts_time"]) for packet in audio]
    assert times[0] == 1.0, "sound begins with the first picture"
    assert {round(48_000 * (b - a)) for a, b in itertools.pairwise(times)} == {1024}
    assert times[-1] >= 1 + 110 / 25 - 1024 / 48_000


def test_each_segment_is_two_seconds_begins_with_a_keyframe_and_decodes_alone(tmp_path: Path) -> None:
    write(tmp_path, program())
    playlist = text(tmp_path, "media.m3u8")
    assert re.findall(r"#EXTINF:([\d.]+),", playlist) == ["2.00000", "2.00000", "0.40000"]
    assert "#EXT-X-TARGETDURATION:2\n" in playlist and playlist.endswith("#EXT-X-ENDLIST\n")
    counts = []
    for place, name in enumerate(uris(playlist)):
        pictures, sounds = decoded(tmp_path, [name], "init-00000000.mp4")
        assert pictures[0] == pytest.approx(1 + 2 * place)
        assert abs(sounds[0] - pictures[0]) < 1024 / 48_000
        counts.append(len(pictures))
    assert counts == [50, 50, 10]


def test_extra_keyframes_make_no_segment_too_long_or_odd(tmp_path: Path) -> None:
    """Somebody else's connection asks for keyframes at beats 30 and 70; this output begins at beat 35."""
    write(tmp_path, Encoded(VIDEO, 150, first=35, extra=(35, 70, 130)))
    lengths = [float(value) for value in re.findall(r"#EXTINF:([\d.]+),", text(tmp_path, "media.m3u8"))]
    assert lengths == [0.6, 2, 2, 1.4]


def test_flashes_and_clicks_meet(tmp_path: Path) -> None:
    write(tmp_path, program())
    names = uris(text(tmp_path, "media.m3u8"))
    data = b"".join((tmp_path / name).read_bytes() for name in ["init-00000000.mp4", *names])
    frames = frames_of(data)
    flashes = [f.time for f in frames if isinstance(f, av.VideoFrame) and f.to_ndarray(format="gray").mean() > 200]
    clicks = []
    for frame in frames:
        if isinstance(frame, av.AudioFrame) and frame.time is not None:
            (loud,) = (abs(frame.to_ndarray()[0]) > 0.3).nonzero()
            if loud.size:
                clicks.append(frame.time + loud[0] / 48_000)
    assert flashes == pytest.approx([1, 2, 3, 4, 5])
    firsts = [next(click for click in clicks if click > flash - 0.01) for flash in flashes[1:] if flash is not None]
    assert firsts == pytest.approx([2, 3, 4, 5], abs=0.004)


def test_master_playlist_names_codecs_size_rate_and_what_it_takes(tmp_path: Path) -> None:
    write(tmp_path, program())
    master = text(tmp_path, "index.m3u8")
    found = re.search(
        r'BANDWIDTH=(\d+),CODECS="(avc1\.[0-9a-f]{6}),mp4a\.40\.2",RESOLUTION=160x96,FRAME-RATE=25\.000', master
    )
    assert found
    peak = max((tmp_path / name).stat().st_size * 4 for name in uris(text(tmp_path, "media.m3u8"))[:2])
    assert peak <= int(found[1]) < 2 * (400_000 + 64_000)
    assert 'TYPE=SUBTITLES,GROUP-ID="captions"' in master and 'LANGUAGE="en"' in master


def test_time_of_day_follows_stream_time(tmp_path: Path) -> None:
    write(tmp_path, program(110, 1000))
    at = [
        datetime.fromisoformat(value) for value in re.findall(r"PROGRAM-DATE-TIME:(.*)", text(tmp_path, "media.m3u8"))
    ]
    assert at == [NOON, NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)]


def cues_of(folder: Path) -> Iterator[tuple[float, float, str]]:
    """Begin and end in media time, and the text."""
    for name in uris(text(folder, "captions.m3u8")):
        content = text(folder, name)
        found = re.match(r"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:00:00:00.000\n\n", content)
        assert found
        origin = int(found[1]) / 90_000
        for cue in re.finditer(r"00:00:([\d.]+) --> 00:00:([\d.]+)\n(.*?)\n\n", content, re.DOTALL):
            yield origin + float(cue[1]), origin + float(cue[2]), cue[3]


def test_captions_meet_at_the_borders_of_segments_and_have_their_second_language(tmp_path: Path) -> None:
    write(tmp_path, program(), cues=CAPTIONS)
    first = "Good evening\n&amp; welcome &lt;all&gt;\n晚上好"
    found = [(round(begin, 3), round(end, 3), said) for begin, end, said in cues_of(tmp_path)]
    second = "今天上午，"
    assert found == [(1.4, 3.0, first), (3.0, 3.8, first), (4.2, 5.0, second), (5.0, 5.4, second)]
    assert "EXT-X-MAP" not in text(tmp_path, "captions.m3u8")


def test_hidden_label_is_in_each_header_and_beside_it(tmp_path: Path) -> None:
    write(tmp_path, program())
    label = json.loads(text(tmp_path, "aigc.json"))
    assert label["ContentProducer"] == "x" and len(label) == 7
    names = ["init-00000000.mp4", *uris(text(tmp_path, "media.m3u8"))]
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(b"".join((tmp_path / name).read_bytes() for name in names))
    assert read_label(whole) == label
    assert 'URI="aigc.json"' in text(tmp_path, "index.m3u8")


def test_window_moves_on_and_what_no_player_can_ask_for_is_removed(tmp_path: Path) -> None:
    encoded = Encoded(VIDEO, 25 * 24)
    writer = HlsWriter(tmp_path, window=3, now=lambda: NOON)
    writer.open(encoded.header)
    seen: list[int] = []
    for packet in encoded.packets:
        writer.write(packet)
        if packet.kind == "video" and packet.keyframe and packet.pts:
            playlist = text(tmp_path, "media.m3u8")
            assert "ENDLIST" not in playlist
            seen.append(int(re.findall(r"MEDIA-SEQUENCE:(\d+)", playlist)[0]))
            for name in (*uris(playlist), *uris(text(tmp_path, "captions.m3u8"))):
                assert (tmp_path / name).is_file(), "whatever a list names is there"
    assert seen == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    kept = sorted(int(file.stem) for file in tmp_path.glob("*.m4s"))
    assert kept == list(range(4, 11)), "a list's length more than the list"
    assert len(list(tmp_path.glob("*.vtt"))) == len(kept)
    assert (tmp_path / "init-00000000.mp4").is_file()
    assert not list(tmp_path.glob(".*"))


def test_new_writer_goes_on_behind_a_discontinuity(tmp_path: Path) -> None:
    write(tmp_path, program(), finish=False)
    for _ in range(2):
        write(tmp_path, program(), window=4)
    playlist = text(tmp_path, "media.m3u8")
    segments, before = read_media_playlist(playlist)
    assert [segment.number for segment in segments] == [4, 5, 6, 7]
    assert [segment.init for segment in segments] == ["init-00000002.mp4", *["init-00000005.mp4"] * 3]
    assert [segment.new_time_line for segment in segments] == [False, True, False, False]
    assert before == 1 and playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    times = [frame for name in ("00000005.m4s",) for frame in decoded(tmp_path, [name], "init-00000005.mp4")[0]]
    assert len(times) == 50


def test_discontinuities_are_counted_when_they_leave_the_list(tmp_path: Path) -> None:
    for _ in range(5):
        write(tmp_path, program(), window=4)
    playlist = text(tmp_path, "media.m3u8")
    # Five runs of three segments: the list shows the last of the fourth run and the fifth.
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:3\n" in playlist and "#EXT-X-MEDIA-SEQUENCE:11\n" in playlist
    inits = sorted(file.name for file in tmp_path.glob("init-*"))
    assert inits == ["init-00000006.mp4", "init-00000009.mp4", "init-00000012.mp4"], "older headers are removed"


@pytest.mark.parametrize("content", ["", "#EXTM3U\n#EXTINF:x\n", "#EXTM3U\nforeign.ts\n", "\0\0"])
def test_playlist_that_is_not_ours_is_replaced_and_no_number_is_used_twice(tmp_path: Path, content: str) -> None:
    (tmp_path / "media.m3u8").write_text(content)
    (tmp_path / "00000041.m4s").write_bytes(b"x")
    write(tmp_path, program())
    assert uris(text(tmp_path, "media.m3u8")) == ["00000042.m4s", "00000043.m4s", "00000044.m4s"]


def test_hole_in_time_is_a_discontinuity(tmp_path: Path) -> None:
    encoded = program()
    writer = write(tmp_path, encoded, finish=False)
    later = [
        replace(packet, pts=packet.pts + shift, dts=packet.dts + shift)
        for packet in encoded.packets
        for shift in [90_000 * 60 if packet.kind == "video" else 48_000 * 60]
    ]
    for packet in later:
        writer.write(packet)
    writer.finish()
    segments, _ = read_media_playlist(text(tmp_path, "media.m3u8"))
    assert [segment.new_time_line for segment in segments] == [False, False, False, True, False, False]
    assert sum(segment.seconds for segment in segments) == pytest.approx(8.8)
    assert segments[3].at == NOON + timedelta(seconds=60)


def test_times_after_days_keep_their_exactness(tmp_path: Path) -> None:
    first = 25 * 3600 * 72
    write(tmp_path, program(60, first))
    pictures, sounds = decoded(tmp_path, ["00000000.m4s"], "init-00000000.mp4")
    assert pictures[:2] == pytest.approx([1 + 3600 * 72, 1.04 + 3600 * 72], abs=1e-6)
    assert abs(sounds[0] - pictures[0]) < 1024 / 48_000
    assert int(re.findall(r"MPEGTS:(\d+)", text(tmp_path, "00000000.vtt"))[0]) == (90_000 * (3600 * 72 + 1)) % (1 << 33)


def test_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken: cannot be made"):
        HlsWriter(tmp_path / "taken").open(program().header)


def test_full_disk_leaves_no_half_file_and_lists_what_is_there(tmp_path: Path) -> None:
    encoded = program()
    writer = write(tmp_path, replace_packets(encoded, 60), finish=False)
    (tmp_path / ".00000001.m4s.part").mkdir()  # as if the file could not be made
    with pytest.raises(OutputError, match=r"00000001\.m4s: cannot write"):
        for packet in encoded.packets[len(replace_packets(encoded, 60).packets) :]:
            writer.write(packet)
    assert uris(text(tmp_path, "media.m3u8")) == ["00000000.m4s"]
    assert not (tmp_path / "00000001.m4s").exists()


def replace_packets(encoded: Encoded, beats: int) -> Encoded:
    """The same program, broken off."""
    cut = object.__new__(Encoded)
    cut.header = encoded.header
    limit = beats * encoded.video.ticks_per_beat
    end = next(place for place, packet in enumerate(encoded.packets) if packet.kind == "video" and packet.dts >= limit)
    cut.packets = encoded.packets[:end]
    return cut


def test_closed_writer_refuses_and_may_be_closed_again(tmp_path: Path) -> None:
    encoded = program()
    writer = write(tmp_path, replace_packets(encoded, 60), finish=False)
    writer.close()
    writer.close()
    with pytest.raises(OutputError, match="closed"):
        writer.write(encoded.packets[-1])
    writer.finish()
    assert "ENDLIST" not in text(tmp_path, "media.m3u8")


def test_fragment_before_time_began_is_refused() -> None:
    with pytest.raises(ValueError, match="before 0"):
        fragment(1, [Run(AUDIO_TRACK, [Packet("audio", b"x", -1, -1, 1024)])])
