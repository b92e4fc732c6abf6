"""A chart or table at its place as a `Panel`."""

from __future__ import annotations

from anchor.graphics import Chart, Grid
from avatars.charts import bars, grids, lines, pies
from avatars.charts.frame import Frame, frame
from avatars.charts.numbers import usable
from avatars.charts.paint import Panel
from avatars.layout import Layout
from avatars.typeset import Typesetter


def draw(content: Chart | Grid, layout: Layout, setter: Typesetter, language: str = "en") -> Panel:
    """Draw a chart or table; takes tens of milliseconds. `language`: of its few own words where it has no others."""
    return drawn(content, layout, setter, language).painter.finish()


def drawn(content: Chart | Grid, layout: Layout, setter: Typesetter, language: str = "en") -> Frame:
    """The frame with everything drawn in it."""
    made = frame(content, layout, setter, language)
    if isinstance(content, Grid):
        if content.columns and content.rows:
            grids.draw(made, content)
        else:
            _nothing(made)
    elif not content.labels or not usable(value for series in content.series for value in series.values):
        _nothing(made)
    else:
        {"line": lines.draw, "bar": bars.draw, "pie": pies.draw}[content.kind](made, content)
    return made


def _nothing(made: Frame) -> None:
    """Say that there is nothing to see, rather than show empty axes."""
    area = made.free
    place = ((area.left + area.right) / 2, (area.top + area.bottom) / 2)
    made.write(made.painter.ground, made.clean(made.words.nothing), place, made.colours.dim, anchor="middle")
