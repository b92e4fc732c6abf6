"""Caption files: exact, ordered, readable by others, never half there."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.errors import OutputError
from anchor.events import Caption
from anchor.media import SAMPLE_RATE
from streaming.subtitles import write_srt, write_vtt

SHOW = (
    Caption(("大家好，", "欢迎收看。"), 0, 96_000),
    Caption(("Fish & chips < 5 > 3",), 96_000, 120_048),
    Caption(("Ends.",), 172_809_600, 172_857_600),
)
CLOCK = r"(\d\d):(\d\d):(\d\d)[.,](\d\d\d)"


def cues(text: str) -> list[tuple[int, int, list[str]]]:
    """Read cues back the way a player does: a time line, then text up to an empty line."""
    found = []
    for block in text.split("\n\n"):
        lines = block.strip("\n").split("\n")
        at = next((number for number, line in enumerate(lines) if " --> " in line), None)
        if at is None:
            continue
        times = [
            ((int(h) * 60 + int(m)) * 60 + int(s)) * 1000 + int(ms) for h, m, s, ms in re.findall(CLOCK, lines[at])
        ]
        found.append((times[0], times[1], lines[at + 1 :]))
    return found


def test_subrip_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_srt(tmp_path / "a.srt", SHOW)
    text = (tmp_path / "a.srt").read_text("utf-8")
    assert text.startswith("1\n00:00:00,000 --> 00:00:02,000\n大家好，\n欢迎收看。\n\n2\n")
    assert cues(text) == [
        (0, 2000, ["大家好，", "欢迎收看。"]),
        (2000, 2501, ["Fish & chips < 5 > 3"]),
        (3_600_200, 3_601_200, ["Ends."]),
    ]


def test_webvtt_escapes_what_a_player_would_take_for_markup(tmp_path: Path) -> None:
    write_vtt(tmp_path / "a.vtt", [Caption(("a --> b <i>&amp;",), 0, SAMPLE_RATE)])
    text = (tmp_path / "a.vtt").read_text("utf-8")
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na --&gt; b &lt;i&gt;&amp;amp;\n\n"


@pytest.mark.parametrize("order", ["<b>bold", "</font>", "{\\an8}top", "1 --> 2"])
def test_subrip_text_that_looks_like_an_order_stays_text(tmp_path: Path, order: str) -> None:
    write_srt(tmp_path / "a.srt", [Caption((order,), 0, SAMPLE_RATE)])
    (cue,) = cues((tmp_path / "a.srt").read_text("utf-8"))
    assert not re.search(r"</?\w|\{\\|-->", cue[2][0])
    assert cue[2][0].replace("\u2060", "") == order


def test_no_captions_give_valid_empty_files(tmp_path: Path) -> None:
    write_srt(tmp_path / "a.srt", [])
    write_vtt(tmp_path / "a.vtt", [])
    assert (tmp_path / "a.srt").read_bytes() == b""
    assert (tmp_path / "a.vtt").read_text() == "WEBVTT\n\n"


def test_overlapping_captions_give_way_to_the_next(tmp_path: Path) -> None:
    write_vtt(tmp_path / "a.vtt", [Caption(("one",), 0, 96_000), Caption(("two",), 48_000, 144_000)])
    assert cues((tmp_path / "a.vtt").read_text()) == [(0, 1000, ["one"]), (1000, 3000, ["two"])]


def test_a_gap_too_short_to_be_seen_as_one_is_closed(tmp_path: Path) -> None:
    show = [Caption(("words",), *times) for times in ((0, 48_000), (50_000, 96_000), (120_000, 144_000))]
    write_srt(tmp_path / "a.srt", show)
    assert [cue[:2] for cue in cues((tmp_path / "a.srt").read_text())] == [(0, 1042), (1042, 2000), (2500, 3000)]


def test_line_ends_and_control_characters_in_text_cannot_end_a_cue(tmp_path: Path) -> None:
    write_srt(tmp_path / "a.srt", [Caption(("one\n\n2\r\n\x00two\ud800", "\x07"), 0, 48_000)])
    assert cues((tmp_path / "a.srt").read_text("utf-8")) == [(0, 1000, ["one  2  two"])]


times = st.integers(0, 10_000_000)
captions = st.builds(Caption, st.lists(st.text(max_size=20), max_size=2).map(tuple), times, times)


@given(st.lists(captions, max_size=12))
def test_any_captions_give_ordered_cues_that_do_not_overlap(
    tmp_path_factory: pytest.TempPathFactory, show: list[Caption]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, write in (("a.srt", write_srt), ("a.vtt", write_vtt)):
        write(folder / name, show)
        text = (folder / name).read_text("utf-8")
        found = cues(text)
        assert all(start < end for start, end, _ in found)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(found))
        assert all(lines and all(html.unescape(line).strip() for line in lines) for _, _, lines in found)


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        write_srt(tmp_path / "nowhere" / "a.srt", SHOW)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").mkdir()
    (tmp_path / "a.vtt" / "keep").touch()
    with pytest.raises(OutputError):
        write_vtt(tmp_path / "a.vtt", SHOW)
    assert [path.name for path in tmp_path.iterdir()] == ["a.vtt"]


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize(("name", "write"), [("a.srt", write_srt), ("a.vtt", write_vtt)])
def test_ffprobe_reads_every_cue_at_its_time(tmp_path: Path, name: str, write: object) -> None:
    assert callable(write)
    write(tmp_path / name, SHOW)
    asked = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,duration_time", "-of", "json"]
    done = subprocess.run([*asked, str(tmp_path / name)], capture_output=True, check=True)
    packets = json.loads(done.stdout)["packets"]
    assert [float(packet["pts_time"]) for packet in packets] == [0, 2, 3600.2]
    assert [float(packet["duration_time"]) for packet in packets] == [2, 0.501, 1]


def test_a_second_language_stands_below_the_first(tmp_path: Path) -> None:
    captions = [Caption(("Good evening.",), 0, 48_000, ("晚上好 <b>。",)), Caption(("Bye.",), 48_000, 96_000)]
    write_srt(tmp_path / "a.srt", captions)
    write_vtt(tmp_path / "a.vtt", captions)
    track = (tmp_path / "a.vtt").read_text("utf-8")
    assert [lines for _, _, lines in cues(track)] == [["Good evening.", "晚上好 &lt;b&gt;。"], ["Bye."]]
    assert "Good evening.\n晚上好" in (tmp_path / "a.srt").read_text("utf-8")
