from __future__ import annotations

from typing import Any

import pytest

from anchor.dialogue.templates import LONGEST_FIELD, Template
from anchor.voice.text import read
from tests.dialogue.test_values import TODAY

BRANCHES = {"branches": [{"name": name} for name in ("A", "B", "C", "D", "E")]}


def fill(text: str, answer: Any, language: str = "en", **slots: str) -> str:
    return Template.parse(text).fill(answer, slots, language=language, today=TODAY)


def spoken(text: str, language: str) -> str:
    """How the embedded voice reads a text."""
    words = [token.spoken for token in read(text, language) if token.spoken]
    return ("" if language == "zh" else " ").join(words)


@pytest.mark.parametrize(
    ("text", "answer", "told"),
    [
        ("{a.b.c}", {"a": {"b": {"c": "x"}}}, "x"),
        ("{a.1.b}", {"a": [{}, {"b": 2}]}, "2"),
        ("{it}", "word", "word"),
        ("{$name} has {n|number}", {"n": 1234.5}, "Bob has 1,234.5"),
        ("{each branches: {name} branch}.", BRANCHES, "A branch; B branch; C branch; and 2 more."),
        ("{each a: {x}: {each b: {y}}}", {"a": [{"x": 1, "b": [{"y": 2}, {"y": 3}]}]}, "1: 2; 3"),
        ("{ok}", {"ok": True}, "yes"),
        ("{a}", {"a": "line\n\n  break"}, "line break"),
        ("{a}", {"a": "x" * 999}, "x" * LONGEST_FIELD),
        ("{t|time}", {"t": "2026-11-27T15:30:00"}, "3:30 PM"),
    ],
)
def test_fields_are_put_in(text: str, answer: Any, told: str) -> None:
    assert fill(text, answer, name="Bob") == told


@pytest.mark.parametrize(
    ("text", "answer", "field"),
    [
        ("{a}", {}, "a"),
        ("{a}", [], "a"),
        ("{a}", {"a": {"b": 1}}, "a"),
        ("{a|amount CNY}", {"a": "much"}, "a"),
        ("{a|date}", {"a": "soon"}, "a"),
        ("{a|time}", {"a": 3}, "a"),
        ("{a|number}", {"a": "NaN?"}, "a"),
        ("{each a: {b}}", {"a": "text"}, "a"),
        ("{each a: {b}}", {"a": [{"c": 1}]}, "b"),
    ],
)
def test_a_field_that_is_missing_or_odd_is_named(text: str, answer: Any, field: str) -> None:
    with pytest.raises(ValueError, match=f"'{field}'"):
        fill(text, answer)


@pytest.mark.parametrize(
    ("text", "answer", "empty"),
    [
        ("{each a: {b}}", {"a": []}, True),
        ("{each a: {b}}", {"a": [{"b": 1}]}, False),
        ("{a}", {}, True),
        ("{a}", None, True),
        ("{a}", {"a": 0}, False),
        ("Done.", {"x": 1}, False),
    ],
)
def test_nothing_to_tell_is_noticed(text: str, answer: Any, empty: bool) -> None:
    assert Template.parse(text).empty(answer) is empty


@pytest.mark.parametrize(
    ("language", "text", "answer", "heard"),
    [
        ("en", "{b|amount CNY}", {"b": 12345.6}, "twelve thousand three hundred and forty five point six zero yuan"),
        ("en", "{b|amount USD}", {"b": 1200.5}, "one thousand two hundred dollars and fifty cents"),
        ("en", "{b|amount HKD}", {"b": 20}, "twenty Hong Kong dollars"),
        ("en", "{b|amount JPY}", {"b": 1500}, "one thousand five hundred yen"),
        ("en", "{b|amount EUR}", {"b": 1}, "one euro"),
        ("en", "{b|amount CNY}", {"b": -20}, "minus twenty yuan"),
        ("en", "{b|amount c}", {"b": 0.5, "c": "GBP"}, "fifty pence"),
        ("en", "{d|date}", {"d": "2026-11-27"}, "Friday November twenty seventh"),
        ("en", "{d|date}", {"d": "1985-05-03"}, "May third nineteen eighty five"),
        ("en", "{t|time}", {"t": "15:30"}, "three thirty PM"),
        ("en", "{t|time}", {"t": "09:00"}, "nine AM"),
        ("en", "{t|time}", {"t": "12:05"}, "twelve oh five PM"),
        ("en", "{r|digits}", {"r": "4821"}, "four eight two one"),
        ("en", "{r|number}", {"r": 7.12}, "seven point one two"),
        ("zh", "{b|amount CNY}", {"b": 12345.6}, "一万两千三百四十五点六元"),
        ("zh", "{b|amount USD}", {"b": 200}, "两百美元"),
        ("zh", "{b|amount CNY}", {"b": 0.05}, "零点零五元"),
        ("zh", "{b|amount CNY}", {"b": -20}, "负二十元"),
        ("zh", "{d|date}", {"d": "2026-11-27"}, "十一月二十七日星期五"),
        ("zh", "{d|date}", {"d": "1985-05-03"}, "一九八五年五月三日"),
        ("zh", "{t|time}", {"t": "15:30"}, "下午三点半"),
        ("zh", "{t|time}", {"t": "14:00"}, "下午两点"),
        ("zh", "{t|time}", {"t": "12:05"}, "中午十二点零五分"),
        ("zh", "{r|digits}", {"r": "4821"}, "四八二一"),
        ("zh", "1美元兑{r|number}元。", {"r": 7.12}, "一美元兑七点一二元"),
    ],
)
def test_the_voice_reads_values_as_meant(language: str, text: str, answer: Any, heard: str) -> None:
    assert spoken(fill(text, answer, language), language) == heard
