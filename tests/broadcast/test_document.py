import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anchor.broadcast.document import ensure_ids, read_document, to_document, to_yaml
from anchor.broadcast.rundown import check_rundown, read_rundown
from anchor.broadcast.script import load_script
from anchor.errors import RundownError

PATH = Path("show.yaml")
LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\n\t")
LINE = st.text(LETTERS, max_size=40)
SAID = st.text(LETTERS, max_size=60).map(lambda text: f"Say {text}".replace("<", "‹").replace("[", "("))
WORD = st.sampled_from(
    ["yes", "no", "null", "~", "1.10", "007", "12:30", "2026-11-26", "- x", "a: b", "#", "'", "", " x"]
)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.one_of(LINE, WORD, st.integers(-(10**9), 10**9), st.just(None), st.sampled_from([0.5, -2.25, 12.0])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(LINE, WORD), inner, max_size=3)),
    max_leaves=12,
)
SEGMENT = st.fixed_dictionaries(
    {"text": SAID},
    optional={
        "headline": st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=30).filter(str.strip),
        "pause": st.sampled_from([0, 1, 2.5]),
        "mood": st.sampled_from(["warm", "serious"]),
        "ticker": st.lists(st.sampled_from(["One", "二", "1.10", "yes"]), min_size=1, max_size=3),
        "chart": st.just({"kind": "bar", "labels": ["2023", "yes"], "values": [1, None]}),
        "lower_third": st.just({"title": "007", "subtitle": "on"}),
    },
)


@given(st.dictionaries(st.one_of(LINE, WORD), PLAIN, max_size=4))
def test_plain_data_comes_back_from_yaml_as_it_was(document: dict[str, Any]) -> None:
    assert to_document(to_yaml(document)) == document


@given(st.lists(SEGMENT, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_rundown_says_the_same_after_a_round_through_the_console(
    segments: list[dict[str, Any]], chance: random.Random
) -> None:
    written = yaml.safe_dump(
        {"language": "en", "segments": segments},
        allow_unicode=chance.random() < 0.5,
        default_flow_style=chance.random() < 0.5,
        default_style=chance.choice([None, "'", '"', "|"]),
    )
    first = read_rundown(written, PATH)
    again = read_rundown(to_yaml(to_document(written)), PATH)
    assert again == first
    assert read_rundown(to_yaml(ensure_ids(to_document(written))), PATH) == first


def test_keys_have_their_order_and_text_of_several_lines_is_a_block() -> None:
    document = {
        "segments": [{"pause": 1, "text": "One.\nTwo.\n", "id": "a", "own": "x"}],
        "title": "T",
        "language": "en",
    }
    assert to_yaml(document) == (
        "title: T\nlanguage: en\nsegments:\n  - id: a\n    text: |\n      One.\n      Two.\n    pause: 1\n    own: x\n"
    )


def test_ids_are_given_once_and_stay_when_segments_move() -> None:
    document = ensure_ids({"segments": ["One", {"text": "Two"}, {"id": "mine", "text": "Three"}, "One"]})
    ids = [segment["id"] for segment in document["segments"]]
    assert ids[2] == "mine" and len(set(ids)) == 4
    turned = ensure_ids({"segments": document["segments"][::-1]})
    assert [segment["id"] for segment in turned["segments"]] == ids[::-1]
    assert [segment.id for segment in read_rundown(to_yaml(document), PATH).segments] == ids


def test_ids_are_those_that_the_rundown_has_when_it_is_read() -> None:
    text = "languages: [zh, en]\nsegments:\n- {zh: 一, en: One}\n- text: {zh: 二, en: Two}\n  pause: 1.0\n"
    ids = [segment["id"] for segment in ensure_ids(to_document(text))["segments"]]
    assert [segment.id for segment in read_rundown(text, PATH, "en").segments] == ids
    assert [segment.id for segment in read_rundown(to_yaml(ensure_ids(to_document(text))), PATH).segments] == ids


@given(PLAIN)
def test_any_document_is_checked_without_a_crash(value: Any) -> None:
    for document in ({"segments": value}, {"segments": [value]}, {"segments": [{"text": "x", "chart": value}]},
                     {"segments": [{"text": "x", "cues": [value]}]}, {"languages": value, "segments": ["x"]},
                     {"title": value, "ticker": value, "voices": value, "segments": [{"text": value}]},
                     {"segments": [{"picture": value, "table": value, "headline": value}]}):  # fmt: skip
        for problem in check_rundown(to_yaml(ensure_ids(document)), PATH):
            assert problem.message and problem.line >= 1


@pytest.mark.parametrize("document", [{"a": object()}, {"segments": [{"a": b"x"}]}, ["x"]])
def test_what_is_no_plain_data_is_refused(document: Any) -> None:
    with pytest.raises(RundownError):
        to_yaml(document)


def test_a_document_without_end_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(RundownError, match="too large"):
        to_yaml({"segments": deep})
    with pytest.raises(RundownError, match="too large"):
        to_yaml({"segments": ["x"] * 300_000})


@pytest.mark.parametrize("text", ["- a", "a: [", "just words", "a: b\na: c"])
def test_yaml_that_is_no_mapping_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(RundownError, match=r"show\.yaml:\d+: ") as caught:
        to_document(text, PATH)
    assert caught.value.problems


def test_plain_text_and_ssml_become_rundowns_that_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("[mood: warm] Good evening.\nStill one.\n\n晚上好。\n", "utf-8")
    (tmp_path / "b.ssml").write_text(
        '<speak xml:lang="en"><p>One <emphasis>two</emphasis>.</p>\n<p xml:lang="zh-CN">三。</p></speak>', "utf-8"
    )
    for name in ("a.txt", "b.ssml"):
        script = load_script(tmp_path / name)
        again = read_rundown(to_yaml(read_document(tmp_path / name)), tmp_path / name)
        assert again.title == script.title
        assert [(one.text, one.language, one.mood, one.spans) for one in again.segments] == [
            (one.text, one.language, one.mood, one.spans) for one in script.segments
        ]
