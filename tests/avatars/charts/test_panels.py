"""Charts and tables as they are drawn: legible, within their place, nothing over anything, and animated in."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from anchor.graphics import Chart, Grid, Place, Series
from anchor.media import Bytes, Picture, VideoFormat
from avatars import graphics
from avatars.charts import panel
from avatars.charts.examples import EXAMPLES
from avatars.charts.frame import Frame
from avatars.charts.grids import numeric
from avatars.layout import Layout
from avatars.overlay import Colour, yuv
from avatars.template import HOUSE
from avatars.typeset import Typesetter

SETTER = Typesetter()
SIZES = [VideoFormat(640, 360), VideoFormat(360, 640), VideoFormat(360, 360)]
PLACES: tuple[Place, ...] = ("full", "shoulder", "corner")
MONTHS = tuple(f"{month}月" for month in range(1, 13))
FURTHER: dict[str, Chart | Grid] = {
    "gaps": Chart(
        "line", MONTHS, (Series("客流", (1, 2, None, None, 5, 4, None, 3, 2, 1, 4, 6)),), "每月客流", "万人次"
    ),
    "many lines": Chart(
        "line", MONTHS, tuple(Series(f"地区{n}", tuple(n + k * 0.1 for k in range(12))) for n in range(7)), "七个地区"
    ),
    "long labels": Chart(
        "bar", ("新能源汽车与动力电池", "集成电路与半导体设备", "高端装备制造业", "生物医药与医疗器械"),
        (Series("增速", (12.5, -8.1, 4, 30)),), "各行业同比增速", "%", "国家统计局", "高端装备制造业",
    ),
    "days": Chart("bar", tuple(f"9-{day:02}" for day in range(1, 31)), (Series("", tuple(range(30))),), "September"),
    "groups": Chart(
        "bar", ("North", "South", "East", "West"),
        (Series("2022", (3, 4, 2, 8)), Series("2023", (4, -2, 6, 1)), Series("2024", (5, 5, 5, None))), "By region",
    ),
    "slices": Chart("pie", tuple("甲乙丙丁戊己庚辛壬癸"), (Series("", tuple(range(1, 11))),), "十个部分", "%", "自测"),
    "wide table": Grid(
        tuple(f"Column number {n}" for n in range(7)),
        tuple(tuple(f"{row * n:,}" if n else f"A rather long row name {row}" for n in range(7)) for row in range(20)),
        "Everything", highlight="A rather long row name 15",
    ),
}  # fmt: skip
ALL = EXAMPLES | FURTHER


def layout(video: VideoFormat) -> Layout:
    plain = Layout.of(video)
    return replace(plain, label=graphics.label(graphics.DEFAULT_LABEL, plain, SETTER).box)


def drawn(content: Chart | Grid, video: VideoFormat, at: Place) -> Frame:
    shape = layout(video)
    return panel.drawn(replace(content, place=shape.seat(at)), shape, SETTER, "zh-CN")


def image(content: Chart | Grid, video: VideoFormat, phase: float = 1.0) -> Bytes:
    picture = Picture.black(video)
    panel.draw(content, layout(video), SETTER, "zh-CN").draw(picture, phase)
    return picture.data


def pixels_of(content: Chart | Grid, video: VideoFormat, colour: Colour, phase: float = 1.0) -> NDArray[np.bool_]:
    """Where a picture has a colour, by its chroma: bool, (rows / 2, columns / 2)."""
    data = image(content, video, phase)
    picture = Picture(data)
    _, u, v = yuv(colour)
    return np.asarray((np.abs(picture.u.astype(int) - u) < 9) & (np.abs(picture.v.astype(int) - v) < 9))


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("video", SIZES, ids=str)
@pytest.mark.parametrize("name", ALL)
def test_labels_are_large_and_none_lies_over_another_or_outside_its_place(
    name: str, video: VideoFormat, at: Place
) -> None:
    made = drawn(ALL[name], video, at)
    assert made.labels
    box = made.painter.box
    for text, left, top, right, bottom in made.labels:
        assert bottom - top >= 0.033 * video.shorter_side
        assert left >= -1, text
        assert top >= -1, text
        assert right <= box.width + 1, text
        assert bottom <= box.height + 1, text
    for (one, left, top, right, bottom), (other, x, y, r, b) in combinations(made.labels, 2):
        # Letters fill the middle of their em.
        across, down = min(right, r) - max(left, x), min(bottom, b) - max(top, y)
        assert across <= 1 or down <= made.base * 0.16, (one, other)


def test_a_line_has_a_gap_where_a_value_is_missing() -> None:
    video = VideoFormat(640, 360)
    whole = Chart("line", tuple("abcdefghi"), (Series("", (1, 1, 1, 1, 1, 1, 1, 1, 1)),))
    torn = replace(whole, series=(Series("", (1, 1, 1, None, None, None, 1, 1, 1)),))
    ink = HOUSE.colours.series[0]
    unbroken, broken = (np.flatnonzero(pixels_of(c, video, ink).any(axis=0)) for c in (whole, torn))
    # The number at its end has the colour of the line, a little way off.
    assert np.diff(unbroken).max() <= 8
    assert np.diff(broken).max() > 0.3 * (broken[-1] - broken[0])


def test_a_negative_bar_hangs_below_the_line_of_zero() -> None:
    video = VideoFormat(640, 360)
    chart = Chart("bar", ("up", "down"), (Series("", (5, -5)),), highlight="down")
    up = np.flatnonzero(pixels_of(chart, video, HOUSE.colours.muted).any(axis=1))
    down = np.flatnonzero(pixels_of(chart, video, HOUSE.colours.highlight).any(axis=1))
    assert down[-1] > up[-1]


def test_bars_are_as_long_as_their_values() -> None:
    video = VideoFormat(640, 360)
    heights = []
    for value in (4, 8):
        chart = Chart("bar", ("a", "top"), (Series("", (value, 10)),), highlight="a")
        columns = pixels_of(chart, video, HOUSE.colours.highlight).sum(axis=0)
        # The label has the highlight's colour, too; the bar is what is widest.
        heights.append(int(np.median(columns[columns > columns.max() * 0.6])))
    assert heights[1] / heights[0] == pytest.approx(2, rel=0.12)


def test_a_pie_merges_all_but_six_of_many_slices() -> None:
    made = drawn(FURTHER["slices"], VideoFormat(640, 360), "full")
    names = [text for text, *_ in made.labels]
    assert any(text.startswith("其他") for text in names)
    assert sum("%" in text for text in names) == 7


def test_a_table_says_how_many_rows_it_has_no_room_for_and_keeps_the_highlight() -> None:
    made = drawn(FURTHER["wide table"], VideoFormat(640, 360), "full")
    texts = [text for text, *_ in made.labels]
    rows = sum(text.startswith("A rather") for text in texts)
    assert f"and {20 - rows} more" in texts
    numbers = [text for text in texts if text.replace(",", "").isdigit()]
    assert {"15", "30", "45"} <= set(numbers)


@pytest.mark.parametrize("cell", ["3,286.41", "+0.42%", "\u22121.10%", "¥45", "12亿", "-", "1.2万"])
def test_figures_are_set_to_the_right(cell: str) -> None:
    assert numeric(cell)
    assert not numeric("A380")


@pytest.mark.parametrize("kind", ["line", "bar", "pie"])
@pytest.mark.parametrize(
    "values",
    [(), (None,), (None, None), (float("nan"),), (float("inf"), None)],
    ids=["none", "one", "two", "nan", "inf"],
)
def test_a_chart_without_figures_says_so(kind: Literal["line", "bar", "pie"], values: tuple[float | None, ...]) -> None:
    chart = Chart(kind, tuple("ab"[: len(values)]), (Series("", values),), title="Title")
    assert "No figures" in [text for text, *_ in drawn(chart, VideoFormat(640, 360), "full").labels]


@pytest.mark.parametrize("name", EXAMPLES)
def test_figures_come_in_bit_by_bit_and_then_stand_still(name: str) -> None:
    video = VideoFormat(640, 360)
    frames = [image(EXAMPLES[name], video, phase).astype(int) for phase in (0.0, 0.3, 0.7, 1.0)]
    left = [int(np.abs(frame - frames[-1]).sum()) for frame in frames]
    assert left[0] > left[1] > left[2] > left[3] == 0


def test_bars_grow_from_their_foot() -> None:
    video = VideoFormat(640, 360)
    chart = Chart("bar", ("a",), (Series("", (10,)),), highlight="a")
    tops = []
    for phase in (0.35, 0.6, 1.0):
        rows = np.flatnonzero(pixels_of(chart, video, HOUSE.colours.highlight, phase)[:, 60:].sum(axis=1) > 20)
        tops.append(int(rows[0]))
    assert tops[0] > tops[1] > tops[2]


VALUES = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=14)
WORDS = st.text(max_size=24) | st.sampled_from(["国" * 60, "W" * 90, "é" * 9, "😀", "\x00"])


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["line", "bar", "pie"]), st.lists(WORDS, max_size=14),
    st.lists(st.tuples(WORDS, VALUES), max_size=4), WORDS, WORDS, st.sampled_from(PLACES), st.sampled_from(SIZES),
)  # fmt: skip
def test_no_figures_or_words_make_drawing_fail(
    kind: Literal["line", "bar", "pie"], labels: list[str], rows: list[tuple[str, list[float | None]]], title: str,
    unit: str, at: Place, video: VideoFormat,
) -> None:  # fmt: skip
    series = tuple(Series(name, tuple(values)) for name, values in rows)
    chart = Chart(kind, tuple(labels), series, title, unit, title, labels[0] if labels else "")
    made = drawn(chart, video, at).painter.finish()
    assert made.after[0].shape == (made.box.height, made.box.width)


@settings(max_examples=10, deadline=None)
@given(st.lists(WORDS, max_size=8), st.lists(st.lists(WORDS, max_size=8), max_size=30), st.sampled_from(PLACES))
def test_no_table_makes_drawing_fail(columns: list[str], rows: list[list[str]], at: Place) -> None:
    cells = tuple(tuple((row + [""] * len(columns))[: len(columns)]) for row in rows)
    drawn(Grid(tuple(columns), cells, "t", "s", "x"), VideoFormat(640, 360), at).painter.finish()


# Viénot, Brettel and Mollon (1999), in linear RGB: what a protanope and a deuteranope see.
BLINDNESS = {
    "protan": np.array(((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1))),
    "deutan": np.array(((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1))),
}


@pytest.mark.parametrize("template", ["house", "newsroom", "market"])
@pytest.mark.parametrize("eyes", BLINDNESS)
def test_the_first_colours_of_series_differ_for_colour_blind_eyes(template: str, eyes: str) -> None:
    from avatars.template import load_template

    series = np.array(load_template(template).colours.series[:4], np.float64) / 255
    seen = np.clip((series**2.2) @ BLINDNESS[eyes].T, 0, 1) ** (1 / 2.2)
    lab = cv2.cvtColor(seen.astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    for one, other in combinations(lab, 2):
        assert float(np.linalg.norm(one - other)) > 12
