from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.broadcast.script import guess_language, load_script, parse_text
from anchor.errors import ScriptError
from anchor.events import LowerThird

RUNDOWN = """\
title: Evening news
language: en
segments:
  - text: Good evening.
    lower_third: {title: Lin, subtitle: Anchor}
  - text: 晚上好。
    language: zh-CN
    pause: 1.5
  - Just a line.
"""


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_blank_lines_part_the_segments_of_plain_text(tmp_path: Path) -> None:
    script = load_script(write(tmp_path, "news.txt", "One.\nstill one.\n\n\n二。\n"))
    assert [(s.text, s.language, s.line) for s in script.segments] == [
        ("One.\nstill one.", "en", 1),
        ("二。", "zh-CN", 5),
    ]


def test_a_rundown_keeps_language_graphics_and_pauses(tmp_path: Path) -> None:
    script = load_script(write(tmp_path, "news.yaml", RUNDOWN))
    assert script.title == "Evening news"
    assert script.segments[0].lower_third == LowerThird("Lin", "Anchor")
    assert [(s.language, s.pause, s.line) for s in script.segments] == [("en", 0, 4), ("zh-CN", 1.5, 6), ("en", 0, 9)]


@pytest.mark.parametrize(
    ("name", "text", "line", "named"),
    [
        ("a.yaml", "segments:\n  - txt: Hello", 2, "'txt'"),
        ("a.yaml", "segments:\n  - text: Hi\n    pause: soon", 3, "pause"),
        ("a.yaml", "segments:\n  - text: Hi\n    pause: -1", 3, "pause"),
        ("a.yaml", "segments:\n  - text: '!!!'", 2, "nothing to say"),
        ("a.yaml", "segments:\n  - text: [1, 2]", 2, "text is needed"),
        ("a.yaml", "segments: 3", 1, "list of segments"),
        ("a.yaml", "title: x", 1, "segments"),
        ("a.yaml", "a: [", 1, "YAML"),
        ("a.yaml", "- one", 1, "mapping"),
        ("a.yaml", "segments:\n  - text: Hi\n    lower_third: {subtitle: x}", 3, "title"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, name: str, text: str, line: int, named: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(ScriptError) as caught:
        load_script(path)
    assert f"{path}:{line}:" in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("empty.txt", b"", "nothing to say"),
        ("blank.txt", b" \n\n\t\n", "nothing to say"),
        ("emoji.txt", "🎉🎉".encode(), "nothing to say"),
        ("latin.txt", "caf\xe9".encode("latin-1"), "UTF-8"),
        ("script.docx", b"PK", ".docx"),
        ("empty.yaml", b"", "nothing to say"),
        ("long.txt", b"word " * 400_000, r"long.txt:1: .*2,000,000|1,999,999"),
        ("bell.txt", b"Hello.\n\nRing \x07 now.", r"bell.txt:3: .*U\+0007"),
        ("film.txt", b"\x00\x00\x01", r"film.txt:1: .*U\+0000"),
    ],
)
def test_a_file_with_nothing_to_say_or_unreadable_is_refused(
    tmp_path: Path, name: str, content: bytes, named: str
) -> None:
    with pytest.raises(ScriptError, match=named):
        load_script(write(tmp_path, name, content))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ScriptError, match=r"nowhere\.txt"):
        load_script(Path("nowhere.txt"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Good evening", "en"),
        ("晚上好，AI news", "zh-CN"),
        ("こんばんは、世界", "ja"),
        ("안녕하세요", "ko"),
        ("使用WebRTC技术直播", "zh-CN"),
        ("The word 龙 means dragon", "en"),
        ("12345", "en"),
    ],
)
def test_the_language_is_told_from_the_letters(text: str, language: str) -> None:
    assert guess_language(text) == language


@given(st.text(max_size=400))
def test_plain_text_never_crashes_and_loses_no_word(text: str) -> None:
    words = " ".join(segment.text for segment in parse_text(text).segments).split()
    for word in words:
        assert word in text


def test_cues_part_a_text_and_are_not_spoken() -> None:
    text = "[mood: warm] Good evening.\nHere is the news. [gesture: nod] Yes.\n\n[mood: serious]\nRates rise."
    first, second, third = parse_text(text).segments
    assert (first.text, first.mood, first.gestures) == ("Good evening.\nHere is the news.", "warm", ())
    assert (second.text, second.mood, second.gestures) == ("Yes.", "warm", ("nod",))
    assert (third.text, third.mood, third.gestures) == ("Rates rise.", "serious", ())


def test_a_rundown_takes_moods_and_gestures(tmp_path: Path) -> None:
    path = tmp_path / "news.yaml"
    path.write_text(
        "segments:\n- text: 'Good evening. [gesture: glance_left] Look there.'\n  mood: cheerful\n"
        "  gesture: [nod, smile]\n  pause: 2\n- text: Back to work.\n"
    )
    first, second, third = load_script(path).segments
    assert (first.mood, first.gestures, first.pause) == ("cheerful", ("nod", "smile"), 0)
    assert (second.text, second.gestures, second.pause) == ("Look there.", ("glance left",), 2)
    assert third.mood == "cheerful"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.txt", "Good evening.\nAnd so [mood: angry] on.", "a.txt:2: mood: 'angry' is unknown; there are neutral"),
        ("a.yaml", "segments:\n- text: Hello.\n  gesture: jump\n", "a.yaml:3: gesture: 'jump' is unknown"),
        ("a.yaml", "segments:\n- text: Hello.\n  mood: [warm]\n", "a.yaml:3: mood: text is needed"),
    ],
)
def test_a_mood_or_gesture_that_there_is_not_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ScriptError) as caught:
        load_script(tmp_path / name)
    assert problem in str(caught.value)
