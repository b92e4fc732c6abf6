"""What surrounds every chart and table: ground, title, unit, legend and source, and the pen that writes in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from anchor.graphics import Chart, Grid
from avatars.charts.numbers import Wording, wording
from avatars.charts.paint import Painter, disc, shade
from avatars.layout import Layout
from avatars.overlay import Box, Colour, Sheet
from avatars.template import Colours
from avatars.typeset import ASCENT, Typesetter

LEAST = 0.0335
"""Smallest letters in a chart, as a share of the shorter side."""

ROOMY = 10.5
"""Height, in ems, from which on a panel has a line for its source."""

CRAMPED = 4.5
"""Height, in ems, below which what is free belongs to the figures alone."""

LINE = 1.3
"""Distance of baselines, in ems."""

Anchor = Literal["left", "middle", "right"]


@dataclass(slots=True)
class Area:
    """Edges of the part of a panel that is still free; floats, in pixels of the panel."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(slots=True)
class Frame:
    """A panel being drawn. `base` is the size of ordinary letters; `free` is what is left for the figures."""

    painter: Painter
    setter: Typesetter
    colours: Colours
    words: Wording
    unit: int
    base: float
    free: Area
    labels: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    """What was written where (left, top, right, bottom): what tests look at."""

    def clean(self, text: str) -> str:
        return self.setter.clean(text)

    def width(self, text: str, size: float) -> float:
        return self.setter.width(text, size)

    def write(
        self, sheet: Sheet, text: str, place: tuple[float, float], colour: Colour, *, size: float = 0.0,
        anchor: Anchor = "left", turn: float | None = None,
    ) -> None:  # fmt: skip
        """Write cleaned text; `place` is its left end, middle or right end, and the middle of its height."""
        if not text:
            return
        em = size or self.base
        width = self.width(text, em)
        x, y = place
        x -= {"left": 0.0, "middle": width / 2, "right": width}[anchor]
        mask = self.setter.draw(text, em)
        # Capitals and ideographs alike have their middle 0.37 em above the baseline.
        sheet.text(mask, round(x) - self.setter.margin(em), round(y + 0.37 * em - round(em * ASCENT)), colour)
        self.labels.append((text, x, y - em / 2, x + width, y + em / 2))
        if turn is not None:
            edge = em * 0.3
            self.painter.turn(x - edge, y - em * 0.75, x + width + edge, y + em * 0.75, turn)

    def fitted(self, text: str, room: float, *, size: float = 0.0) -> str:
        """Text cut with an ellipsis to what fits."""
        em = size or self.base
        return self.setter.fit(text, em, room, em)[0]

    def dot(self, sheet: Sheet, place: tuple[float, float], radius: float, colour: Colour) -> None:
        mask = disc(radius)
        sheet.text(mask, round(place[0] - mask.shape[1] / 2), round(place[1] - mask.shape[0] / 2), colour)

    def rule(self, place: tuple[float, float], length: float, *, upright: bool = False, strong: bool = False) -> None:
        """A fine line from a place to the right, or down."""
        thick = max(1.0, round(self.unit * (0.0028 if strong else 0.0016)))
        colour = self.colours.dim if strong else self.colours.line
        x, y = round(place[0]), round(place[1])
        box = (x, y, thick, length) if upright else (x, y - thick // 2, length, thick)
        self.painter.ground.plate(box, colour)


def frame(content: Chart | Grid, layout: Layout, setter: Typesetter, language: str) -> Frame:
    """Draw ground, title and source of a chart or table at its place."""
    colours, words = layout.template.colours, wording(content, language)
    inside = layout.inset_box(content.place)
    beside = content.place == "shoulder"
    whole = inside if beside else Box(0, 0, layout.video.width, layout.video.height)
    painter = Painter(whole)
    shade(painter.ground, Box(0, 0, whole.width, whole.height), colours.ground, colours.ground_end)
    base = float(max(layout.size("chart"), layout.unit * LEAST))
    title_size = float(layout.size("chart_title"))
    area = Area(inside.x - whole.x, inside.y - whole.y, inside.right - whole.x, inside.bottom - whole.y)
    if beside:
        base, title_size = max(layout.unit * LEAST, base * 0.92), max(base, title_size * 0.7)
        _edges(painter, layout, whole)
        rim = base * 0.55
        area = Area(rim, rim * 0.8, whole.width - rim, whole.height - rim * 0.8)
    drawn = Frame(painter, setter, colours, words, layout.unit, base, area)
    _title(drawn, setter.clean(content.title), title_size, None if beside else layout)
    source = setter.clean(content.source)
    if source and inside.height >= (ROOMY if beside else 0.8 * ROOMY) * base:
        if not source.lower().startswith(("source", "来源", "資料", "出典", "來源", "출처", "数据来源")):
            source = setter.clean(words.source.format(source))
        size = layout.unit * LEAST
        y = area.bottom - size * 0.5
        drawn.write(painter.ground, drawn.fitted(source, area.width, size=size), (area.left, y), colours.dim, size=size)
        area.bottom -= size * 1.55
    return drawn


def _edges(painter: Painter, layout: Layout, whole: Box) -> None:
    """The frame of a panel beside the anchor: an accent bar on top."""
    thick = max(2, round(layout.unit * layout.template.shapes.frame * 1.4))
    painter.ground.plate((0, 0, whole.width, thick), layout.template.colours.accent)


def _title(drawn: Frame, title: str, size: float, layout: Layout | None) -> None:
    """Beside the AI label where there is room, else on top of what is free."""
    area = drawn.free
    bar = max(3.0, round(size * 0.16))
    heading = None
    if layout is not None and layout.label is not None:
        heading = Area(layout.left, layout.below_row, layout.label.x - layout.gap, layout.below_label - layout.gap)
        if heading.width < 0.5 * layout.safe_width:
            heading = None
    if not title:
        return
    at = heading or Area(area.left, area.top, area.right, area.top + 2.2 * size * LINE)
    room = at.width - bar - size * 0.35
    lines: Sequence[str] | None = None
    for share in (1.0, 0.9, 0.8, 0.7):
        em = max(size * share, drawn.base)
        lines = drawn.setter.balanced(title, em, room, max(1, min(2, int((at.height + 0.1 * em) / (em * LINE)))))
        if lines:
            break
    lines = lines or (drawn.fitted(title, room, size=em),)
    height = len(lines) * em * LINE
    top = at.top if heading is None or len(lines) > 1 else at.top + max(0.0, (min(at.height, size * 2) - height) / 2)
    for number, words in enumerate(lines):
        place = (at.left + bar + size * 0.35, top + (number + 0.5) * em * LINE)
        drawn.write(drawn.painter.ground, words, place, drawn.colours.text, size=em)
    drawn.painter.ground.plate((at.left, round(top + em * 0.14), bar, round(height - em * 0.28)), drawn.colours.accent)
    area.top = max(area.top, top + height + size * 0.3)


def subline(drawn: Frame, words: str) -> None:
    """A small line above the figures: the unit, and what they are."""
    if words and drawn.free.height >= CRAMPED * drawn.base:
        place = (drawn.free.left, drawn.free.top + drawn.base * 0.6)
        drawn.write(drawn.painter.ground, drawn.fitted(words, drawn.free.width), place, drawn.colours.dim)
        drawn.free.top += drawn.base * 1.6


def legend(drawn: Frame, names: Sequence[str], colours: Sequence[Colour]) -> None:
    """Names with their colours, in as many rows as they need."""
    base, area = drawn.base, drawn.free
    if area.height < CRAMPED * base:
        return
    box, gap = base * 0.72, base * 0.4
    x, y = area.left, area.top + base * 0.65
    low = area.bottom - CRAMPED * base
    for name, colour in zip(names, colours, strict=False):
        if y > low:
            # The figures need the rest.
            return
        shown = drawn.fitted(name, area.width - box - gap)
        if not shown:
            continue
        width = box + gap + drawn.width(shown, base)
        if x > area.left and x + width > area.right:
            x, y = area.left, y + base * LINE
        drawn.painter.ground.plate((round(x), round(y - box / 2), round(box), round(box)), colour, radius=box * 0.15)
        drawn.write(drawn.painter.ground, shown, (x + box + gap, y), drawn.colours.text)
        x += width + base
        area.top = y + base * 1.05


def unit_line(drawn: Frame, chart: Chart) -> str:
    """The unit as a line of its own, unless every number carries it; the name of a lone series goes before it."""
    unit = drawn.clean(chart.unit)
    parts = [drawn.clean(chart.series[0].name)] if len(chart.series) == 1 else []
    if unit and unit not in ("%", "％"):
        parts.append(drawn.clean(drawn.words.unit.format(unit)))
    # "Visitors, visitors" says nothing twice.
    return "  ".join({part.casefold(): part for part in filter(None, parts)}.values())


def ticks(drawn: Frame, height: float) -> int:
    """How many numbers an axis has room for."""
    return max(2, min(6, int(height / (drawn.base * 1.6)) + 1))


def apart(places: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Move heights apart so that labels there do not overlap, each as near to its own as can be.

    `places` must be in order. They end up between `low` and `high` where that is possible.
    """
    moved = list(places)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + distance)
    if moved and moved[-1] > high:
        moved[-1] = high
        for number in range(len(moved) - 2, -1, -1):
            moved[number] = min(moved[number], moved[number + 1] - distance)
    if moved and moved[0] < low:
        moved[0] = low
        for number in range(1, len(moved)):
            moved[number] = max(moved[number], moved[number - 1] + distance)
    return moved
