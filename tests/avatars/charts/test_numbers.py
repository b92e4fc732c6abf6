"""Numbers on charts: round steps, short forms, and words in the language of the chart."""

from __future__ import annotations

from itertools import pairwise
from math import isclose, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchor.graphics import Chart, Grid, Series
from avatars.charts.axes import thinned
from avatars.charts.frame import apart
from avatars.charts.numbers import MOST_TICKS, axis, style, wording

ENGLISH = wording(Chart("bar", ("one",), ()), "zh-CN")
CHINESE = wording(Chart("bar", ("一月",), ()), "en")
FINITE = st.floats(-1e15, 1e15, allow_nan=False).map(lambda value: round(value, 6))


@given(st.lists(FINITE, min_size=1, max_size=12), st.booleans(), st.integers(2, MOST_TICKS))
def test_an_axis_has_few_ticks_at_round_steps_and_holds_all_values(values: list[float], zero: bool, most: int) -> None:
    scale = axis(values, zero=zero, most=most)
    assert scale.low < scale.high
    room = (scale.high - scale.low) * 1e-6
    assert all(scale.low - room <= value <= scale.high + room for value in values)
    assert 1 <= len(scale.ticks) <= most + 1
    if zero:
        assert scale.low <= 0 <= scale.high
    for one, other in pairwise(scale.ticks):
        step = other - one
        mantissa = step / 10 ** int(log10(step) // 1)
        assert any(isclose(mantissa, nice, rel_tol=1e-6) for nice in (1, 2, 2.5, 5, 10))


@pytest.mark.parametrize(
    ("values", "english", "chinese"),
    [
        ((0, 25, 50), "50", "50"),
        ((0, 2500, 5000), "5,000", "5,000"),
        ((0, 15_000), "15k", "1.5万"),
        ((0, 2_000_000), "2M", "200万"),
        ((0, 4_500_000_000), "4.5bn", "45亿"),
        ((0, 3_000_000_000_000), "3tn", "3万亿"),
        ((0.1, 0.25), "0.25", "0.25"),
        ((-12_000, 0), "0k", "0.0万"),
    ],
)
def test_ticks_are_short_in_both_languages(values: tuple[float, ...], english: str, chinese: str) -> None:
    assert style(values, ENGLISH).write(values[-1]) == english
    assert style(values, CHINESE).write(values[-1]) == chinese


def test_values_have_one_style_and_no_more_digits_than_a_viewer_takes_in() -> None:
    numbers = style((45.5, 312, 88), ENGLISH, exact=True)
    assert [numbers.write(value) for value in (45.5, 312, 88)] == ["45.5", "312.0", "88.0"]
    assert style((3.14159, 2.71828), ENGLISH, exact=True).write(3.14159) == "3.14"
    assert style((5.2, -6), ENGLISH, "%", exact=True).write(-6) == "\u22126.0%"


def test_the_words_of_a_chart_follow_its_own_script() -> None:
    assert wording(Grid(("国家",), (("中国",),)), "en").source == "来源：{}"
    assert wording(Grid(("国家",), (("中国",),)), "zh-TW").source == "來源：{}"
    assert wording(Grid(("くに",), (("日本",),)), "zh-CN").source == "出典：{}"
    assert wording(Grid(("국가",), (("한국",),)), "en").other == "기타"
    assert wording(Chart("bar", ("2023", "2024"), (Series("", (1, 2)),)), "zh-CN").other == "其他"
    assert wording(Chart("bar", ("2023", "2024"), (Series("", (1, 2)),)), "fr").other == "Other"


@given(st.lists(st.floats(4, 90), min_size=1, max_size=40), st.floats(5, 120))
def test_thinned_labels_never_touch_and_keep_the_last(widths: list[float], distance: float) -> None:
    chosen = thinned(widths, distance, 4)
    assert chosen[-1] == len(widths) - 1
    for one, other in pairwise(chosen):
        assert (other - one) * distance >= (widths[one] + widths[other]) / 2 + 4


@given(st.lists(st.floats(0, 100), max_size=6).map(sorted))
def test_names_at_the_ends_of_lines_are_moved_apart_in_order(places: list[float]) -> None:
    moved = apart(places, 15, 0, 100)
    assert all(other - one >= 15 - 1e-6 for one, other in pairwise(moved))
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in moved)
