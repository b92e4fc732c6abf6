from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.broadcast.prose import cut, directed
from anchor.broadcast.script import load_script, parse_text
from anchor.broadcast.segments import Segment
from anchor.errors import ScriptError
from anchor.events import Span


def test_spans_keep_their_words_when_cues_part_a_text() -> None:
    text = "Good [mood: warm] evening [gesture: nod] everyone."
    spans = (Span(0, 4, "emphasis", "strong"), Span(18, 49, "prosody", rate=1.2), Span(41, 41, "mark", "here"))
    parts = directed([Segment(text, "en", spans=spans, id="a")], "a.txt")
    assert [part.text for part in parts] == ["Good", "evening", "everyone."]
    assert [[(one.kind, part.text[one.start : one.end]) for one in part.spans] for part in parts] == [
        [("emphasis", "Good")], [("prosody", "evening")], [("prosody", "everyone"), ("mark", "")],
    ]  # fmt: skip
    assert [part.id for part in parts] == ["a", "a+2", "a+3"]


@given(st.text("ab \n", max_size=30), st.data())
def test_a_cut_out_span_says_the_same_characters(text: str, data: st.DataObject) -> None:
    places = st.integers(0, len(text))
    start, end = sorted((data.draw(places), data.draw(places)))
    begun, over = sorted((data.draw(places), data.draw(places)))
    piece, spans = cut(text, [Span(begun, over, "sub", "x")], start, end)
    assert piece == text[start:end].strip()
    for span in spans:
        assert 0 <= span.start <= span.end <= len(piece)
        assert piece[span.start : span.end] in text[begun:over]


def test_marks_in_plain_text_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text('First & plain, 1 < 2.\n\nThis is <emphasis level="strong">it</emphasis>.\n')
    first, second = load_script(path).segments
    assert (first.text, first.spans) == ("First & plain, 1 < 2.", ())
    assert (second.text, [span.kind for span in second.spans], second.line) == ("This is it.", ["emphasis"], 3)


def test_faulty_marks_in_plain_text_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("First.\n\nThis is\n<emphasis>it.\n\nThird.\n")
    with pytest.raises(ScriptError, match=r"a\.txt:4: "):
        load_script(path)


def test_segments_that_differ_in_their_line_only_are_the_same() -> None:
    assert parse_text("One.").segments == parse_text("\n\nOne.").segments
