"""Line charts: few grid lines, names and last values at the ends of the lines, gaps where there are no numbers."""

from __future__ import annotations

import numpy as np

from anchor.graphics import Chart, Series
from avatars.charts.axes import below, tick_style, value_axis
from avatars.charts.frame import Area, Frame, apart, legend, subline, ticks, unit_line
from avatars.charts.numbers import Axis, axis, figure, style
from avatars.charts.paint import stroke
from avatars.overlay import Colour

_DRAWN = 0.82
"""By when the lines are drawn; their names follow."""


def draw(drawn: Frame, chart: Chart) -> None:
    base, colours = drawn.base, drawn.colours
    subline(drawn, unit_line(drawn, chart))
    values = [value for series in chart.series for value in series.values]
    numbers = style(values, drawn.words, chart.unit, exact=True)
    names = [drawn.clean(series.name) for series in chart.series]
    several = len(chart.series) > 1
    direct = not several or len(chart.series) * base * 1.25 <= drawn.free.height - base * 4
    inks = [colours.series[number % len(colours.series)] for number in range(len(chart.series))]
    ends = [_last(series) for series in chart.series]
    texts = [
        " ".join(filter(None, (name if several else "", numbers.write(end[1]) if end else "")))
        for name, end in zip(names, ends, strict=True)
    ]
    room = max((drawn.width(text, base) for text in texts), default=0.0)
    if several and direct and room > 0.28 * drawn.free.width:
        direct = False
    if several and not direct:
        legend(drawn, names, inks)
        texts = [numbers.write(end[1]) if end else "" for end in ends]
        room = max((drawn.width(text, base) for text in texts), default=0.0)
    area = Area(drawn.free.left, drawn.free.top + base * 0.6, drawn.free.right, drawn.free.bottom - base * 1.65)
    area.right -= room + base * 0.6
    scale = axis(values, zero=False, most=ticks(drawn, area.height))
    value_axis(drawn, scale, tick_style(scale, drawn.words, chart.unit), area)
    labels = [drawn.clean(label) for label in chart.labels]
    inset = base * 0.4
    steps = max(1, len(labels) - 1)
    places = [area.left + inset + (area.width - 2 * inset) * number / steps for number in range(len(labels))]
    marked = chart.labels.index(chart.highlight) if chart.highlight in chart.labels else -1
    if len(labels) == 1:
        places = [(area.left + area.right) / 2]
    if labels:
        below(drawn, labels, places, area, highlight=marked)
    drawn.painter.sweep(area.left, area.top - base, area.right + base, area.bottom + base, axis=1, span=(0, _DRAWN))
    for series, ink in reversed(list(zip(chart.series, inks, strict=True))):
        _line(drawn, series, ink, scale, area, places)
    _names(drawn, texts, inks, ends, scale, area, places)
    if marked >= 0:
        _mark(drawn, chart, marked, scale, area, places, inks)


def _line(drawn: Frame, series: Series, ink: Colour, scale: Axis, area: Area, places: list[float]) -> None:
    """One line in pieces, broken where a value is missing; a value between two gaps is a dot."""
    thick = max(2.0, drawn.unit * 0.0065)
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, value in zip(places, series.values, strict=False):
        known = figure(value)
        if known is None:
            pieces.append([])
        else:
            pieces[-1].append((x, area.bottom - scale.share(known) * area.height))
    sheet = drawn.painter.figures
    for piece in filter(None, pieces):
        if len(piece) == 1:
            drawn.dot(sheet, piece[0], thick * 1.3, ink)
        else:
            sheet.text(*stroke(np.array(piece), thick), ink)
    last = next((piece[-1] for piece in reversed(pieces) if piece), None)
    if last is not None:
        drawn.dot(sheet, last, thick * 1.35, ink)


def _names(
    drawn: Frame, texts: list[str], inks: list[Colour], ends: list[tuple[int, float] | None], scale: Axis, area: Area,
    places: list[float],
) -> None:  # fmt: skip
    """What the lines are and where they end, at their ends, never one over the other."""
    found = [
        (area.bottom - scale.share(end[1]) * area.height, text, ink)
        for text, ink, end in zip(texts, inks, ends, strict=True)
        if end is not None and text
    ]
    if (len(found) - 1) * drawn.base * 1.2 > area.height:
        return
    found.sort(key=lambda entry: entry[0])
    heights = apart([entry[0] for entry in found], drawn.base * 1.2, area.top, area.bottom)
    for height, (_, text, ink) in zip(heights, found, strict=True):
        drawn.write(drawn.painter.figures, text, (area.right + drawn.base * 0.5, height), ink, turn=_DRAWN + 0.04)


def _mark(
    drawn: Frame, chart: Chart, marked: int, scale: Axis, area: Area, places: list[float], inks: list[Colour]
) -> None:
    """The value that stands out, over its point."""
    series = chart.series[0]
    value = figure(series.values[marked]) if marked < len(series.values) else None
    end = _last(series)
    if value is None:
        return
    x, y = places[marked], area.bottom - scale.share(value) * area.height
    thick = max(2.0, drawn.unit * 0.0065)
    drawn.dot(drawn.painter.figures, (x, y), thick * 2.2, drawn.colours.highlight)
    drawn.dot(drawn.painter.figures, (x, y), thick * 1.1, drawn.colours.ground)
    if end is not None and end[0] == marked:
        return
    text = style([*series.values], drawn.words, chart.unit, exact=True).write(value)
    half = drawn.width(text, drawn.base * 1.15) / 2
    x = min(max(x, area.left + half), area.right - half)
    above = y - drawn.base * 1.2
    place = (x, above if above > area.top - drawn.base * 0.4 else y + drawn.base * 1.2)
    drawn.write(
        drawn.painter.figures,
        text,
        place,
        drawn.colours.highlight,
        size=drawn.base * 1.15,
        anchor="middle",
        turn=_DRAWN,
    )


def _last(series: Series) -> tuple[int, float] | None:
    """The last number of a series and where it is."""
    known = [(number, value) for number, entry in enumerate(series.values) if (value := figure(entry)) is not None]
    return known[-1] if known else None
