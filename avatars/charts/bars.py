"""Bar charts: upright where the labels fit below the bars, else lying, with the labels at their left."""

from __future__ import annotations

from collections.abc import Sequence

from anchor.graphics import Chart
from avatars.charts.axes import below, label_height, tick_style, value_axis, wrapped
from avatars.charts.frame import LINE, Area, Frame, legend, subline, ticks, unit_line
from avatars.charts.numbers import Axis, NumberStyle, axis, figure, style
from avatars.overlay import Colour

_STAGGER, _GROWN = 0.3, 0.88
"""Of the time of the whole: what lies between the first bar's beginning and the last one's, and when that is grown."""


def draw(drawn: Frame, chart: Chart) -> None:
    subline(drawn, unit_line(drawn, chart))
    if len(chart.series) > 1:
        names = [drawn.clean(series.name) for series in chart.series]
        legend(drawn, names, drawn.colours.series)
    labels = [drawn.clean(label) for label in chart.labels]
    values = [value for series in chart.series for value in series.values]
    scale = axis(values, zero=True, most=ticks(drawn, drawn.free.height - drawn.base * 2))
    numbers = style(values, drawn.words, chart.unit, exact=True)
    slot = drawn.free.width / max(1, len(labels))
    fitting = wrapped(drawn, labels, slot - drawn.base * 0.5, 2)
    row = drawn.base * max(1.35, 1.1 * len(chart.series))
    lines = max((len(broken) for broken in fitting), default=1) if fitting else 1
    upright = drawn.free.height - label_height(drawn, lines) - drawn.base * (1.3 if scale.low >= 0 else 2.6)
    if (fitting is None or upright < 3 * drawn.base) and len(labels) * row <= drawn.free.height:
        _lying(drawn, chart, labels, scale, numbers)
    else:
        _upright(drawn, chart, labels, fitting, scale, numbers)


def _inks(drawn: Frame, chart: Chart, label: int) -> list[Colour]:
    colours = drawn.colours
    if len(chart.series) > 1:
        return [colours.series[number % len(colours.series)] for number in range(len(chart.series))]
    if chart.highlight in chart.labels:
        return [colours.highlight if chart.labels[label] == chart.highlight else colours.muted]
    return [colours.series[0]]


def _times(number: int, count: int) -> tuple[float, float]:
    """When a bar begins to grow and when it has."""
    begins = _STAGGER * number / max(1, count - 1)
    return begins, begins + _GROWN - (_STAGGER if count > 1 else 0)


def _known(values: Sequence[float | None], number: int) -> float | None:
    return figure(values[number]) if number < len(values) else None


def _upright(
    drawn: Frame, chart: Chart, labels: list[str], fitting: list[tuple[str, ...]] | None, scale: Axis,
    numbers: NumberStyle,
) -> None:  # fmt: skip
    base, count, groups = drawn.base, max(1, len(labels)), max(1, len(chart.series))
    lines = max((len(broken) for broken in fitting), default=1) if fitting else 1
    area = Area(drawn.free.left, drawn.free.top, drawn.free.right, drawn.free.bottom - label_height(drawn, lines))
    written = [[_written(series.values, number, numbers) for series in chart.series] for number in range(len(labels))]
    widest = max((drawn.width(text, base) for row in written for text in row), default=0.0)
    thickest = min(area.width / count * (0.94 if groups == 1 else 0.78), drawn.unit * 0.2 * groups) / groups
    named = widest + base * 0.35 <= (area.width / count * 0.94 if groups == 1 else thickest)
    below_zero = scale.low < 0
    if named:
        area.top += base * 1.3
        area.bottom -= base * 1.3 if below_zero else 0
    else:
        area.top += base * 0.6
    value_axis(drawn, scale, tick_style(scale, drawn.words, chart.unit), area, named=not named)
    slot = area.width / count
    thick = max(2.0, min(slot * (0.62 if groups == 1 else 0.78), drawn.unit * 0.2 * groups) / groups)
    zero = area.bottom - scale.share(0) * area.height
    middles = [area.left + (number + 0.5) * slot for number in range(len(labels))]
    for number, middle in enumerate(middles):
        inks = _inks(drawn, chart, number)
        for group, series in enumerate(chart.series):
            value = _known(series.values, number)
            if value is None:
                continue
            left = round(middle + (group - groups / 2) * thick)
            right = max(left + 1, round(middle + (group + 1 - groups / 2) * thick) - (groups > 1))
            end = area.bottom - scale.share(value) * area.height
            top, foot = min(end, zero), max(end, zero)
            foot = max(foot, top + 2)
            begins, grown = _times(number, count)
            drawn.painter.figures.plate((left, top, right - left, foot - top), inks[group])
            span = (grown, begins) if value >= 0 else (begins, grown)
            drawn.painter.sweep(left, top, right, foot, axis=0, span=span)
            if named:
                y = top - base * 0.7 if value >= 0 else foot + base * 0.7
                alone = groups == 1 and chart.labels[number] == chart.highlight
                ink = drawn.colours.highlight if alone else drawn.colours.text
                place = ((left + right) / 2, y)
                drawn.write(
                    drawn.painter.figures, written[number][group], place, ink, anchor="middle",
                    turn=grown + 0.05,
                )  # fmt: skip
    foot_area = Area(area.left, area.top, area.right, drawn.free.bottom - label_height(drawn, lines))
    marked = chart.labels.index(chart.highlight) if chart.highlight in chart.labels else -1
    if fitting is None:
        below(drawn, labels, middles, foot_area, highlight=marked)
        return
    for number, (broken, middle) in enumerate(zip(fitting, middles, strict=True)):
        ink = drawn.colours.highlight if number == marked else drawn.colours.text
        for row, text in enumerate(broken):
            place = (middle, foot_area.bottom + base * (0.85 + row * LINE * 0.92))
            drawn.write(drawn.painter.ground, text, place, ink, anchor="middle")


def _lying(drawn: Frame, chart: Chart, labels: list[str], scale: Axis, numbers: NumberStyle) -> None:
    base, count, groups = drawn.base, len(labels), len(chart.series)
    area = Area(drawn.free.left, drawn.free.top, drawn.free.right, drawn.free.bottom)
    slot = area.height / count
    most = min(area.width * 0.5, max(drawn.width(label, base) for label in labels) + base * 0.2)
    rows = 2 if slot >= base * 2.5 else 1
    written = [[_written(series.values, number, numbers) for series in chart.series] for number in range(count)]
    widest = max((drawn.width(text, base) for row in written for text in row), default=0.0) + base * 0.5
    area.left += most + base * 0.6
    # What is below zero has its number at the other side of the line: there is nothing in its way.
    area.right -= widest
    zero = area.left + scale.share(0) * area.width
    drawn.rule((zero, area.top), area.height, upright=True, strong=True)
    thick = max(2.0, min(slot * (0.68 if groups == 1 else 0.84), drawn.unit * 0.085 * groups) / groups)
    for number, label in enumerate(labels):
        middle = area.top + (number + 0.5) * slot
        marked = chart.labels[number] == chart.highlight
        ink = drawn.colours.highlight if marked else drawn.colours.text
        broken = drawn.setter.balanced(label, base, most, rows) or (drawn.fitted(label, most),)
        for row, text in enumerate(broken):
            y = middle + (row - (len(broken) - 1) / 2) * base * 1.15
            drawn.write(drawn.painter.ground, text, (drawn.free.left + most, y), ink, anchor="right")
        inks = _inks(drawn, chart, number)
        for group, series in enumerate(chart.series):
            value = _known(series.values, number)
            if value is None:
                continue
            top = round(middle + (group - groups / 2) * thick)
            foot = max(top + 1, round(middle + (group + 1 - groups / 2) * thick) - (groups > 1))
            end = area.left + scale.share(value) * area.width
            left, right = min(end, zero), max(end, zero, min(end, zero) + 2)
            begins, grown = _times(number, count)
            drawn.painter.figures.plate((left, top, right - left, foot - top), inks[group])
            span = (begins, grown) if value >= 0 else (grown, begins)
            drawn.painter.sweep(left, top, right, foot, axis=1, span=span)
            if thick >= base * 0.95:
                x = (right if value >= 0 else zero) + base * 0.35
                one = groups == 1 and marked
                drawn.write(
                    drawn.painter.figures, written[number][group], (x, (top + foot) / 2),
                    drawn.colours.highlight if one else drawn.colours.text,
                    turn=grown + 0.05,
                )  # fmt: skip


def _written(values: Sequence[float | None], number: int, numbers: NumberStyle) -> str:
    value = _known(values, number)
    return "" if value is None else numbers.write(value)
