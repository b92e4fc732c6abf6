"""Pies of seven slices at most, with their names beside them or in a list."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from anchor.graphics import Chart
from avatars.charts.frame import Area, Frame, apart, subline, unit_line
from avatars.charts.numbers import figure
from avatars.charts.paint import stroke
from avatars.overlay import Colour, Field

MOST_SLICES = 7
_SWEPT = 0.85


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    share: float
    start: float
    ink: Colour
    marked: bool

    @property
    def middle(self) -> float:
        """Its middle as a share of the whole, clockwise from the top."""
        return self.start + self.share / 2


def draw(drawn: Frame, chart: Chart) -> None:
    subline(drawn, unit_line(drawn, chart))
    slices = _slices(drawn, chart)
    if not slices:
        return
    texts = [f"{part.name} {_percent(part.share, slices)}".strip() for part in slices]
    area, base = drawn.free, drawn.base
    widest = max(drawn.width(text, base) for text in texts)
    across = min(area.height, area.width - 2 * (widest + base * 2.6))
    if across >= min(area.height, area.width) * 0.72 and area.width > 1.5 * area.height:
        centre = ((area.left + area.right) / 2, (area.top + area.bottom) / 2)
        _disc(drawn, slices, centre, across / 2 * 0.98)
        _beside(drawn, slices, texts, centre, across / 2 * 0.98)
        return
    rows = len(slices) * base * 1.45
    if area.width > 1.15 * area.height:
        listed = max(drawn.width(text, base) for text in texts) + base * 4
        radius = min(area.height, max(area.width * 0.36, area.width - listed)) / 2 * 0.98
        _disc(drawn, slices, (area.left + radius, (area.top + area.bottom) / 2), radius)
        left = area.left + 2 * radius + base * 1.4
        middle = (area.top + area.bottom) / 2
        _list(drawn, slices, Area(left, middle - min(rows, area.height) / 2, area.right, area.bottom))
        return
    radius = min(area.width, area.height - rows - base) / 2 * 0.98
    if radius < base * 2.2:
        # No room for both: what is written says it all.
        _list(drawn, slices, area)
        return
    _disc(drawn, slices, ((area.left + area.right) / 2, area.top + radius), radius)
    _list(drawn, slices, Area(area.left, area.top + 2 * radius + base, area.right, area.bottom))


def _slices(drawn: Frame, chart: Chart) -> list[_Slice]:
    """The slices, the smallest merged where there are more than seven; what is not above zero has none."""
    values = chart.series[0].values if chart.series else ()
    known = [
        (drawn.clean(label), known, label == chart.highlight)
        for label, value in zip(chart.labels, values, strict=False)
        if (known := figure(value)) is not None and known > 0
    ]
    if len(known) > MOST_SLICES:
        order = sorted(range(len(known)), key=lambda number: (known[number][2], known[number][1]), reverse=True)
        kept = sorted(order[: MOST_SLICES - 1])
        rest = sum(known[number][1] for number in order[MOST_SLICES - 1 :])
        known = [known[number] for number in kept] + [(drawn.clean(drawn.words.other), rest, False)]
    total = sum(entry[1] for entry in known)
    colours = drawn.colours
    # The highlight's colour belongs to the highlight alone.
    free = [ink for ink in colours.series if ink != colours.highlight or not any(entry[2] for entry in known)]
    slices: list[_Slice] = []
    start = 0.0
    for number, (name, value, marked) in enumerate(known):
        share = value / total
        ink = colours.highlight if marked else free[number] if number < len(free) else colours.muted
        slices.append(_Slice(name, share, start, ink, marked))
        start += share
    return slices


def _percent(share: float, slices: list[_Slice]) -> str:
    whole = all(abs(part.share * 100 - round(part.share * 100)) < 0.05 for part in slices)
    return f"{share * 100:.0f}%" if whole else f"{share * 100:.1f}%"


def _disc(drawn: Frame, slices: list[_Slice], centre: tuple[float, float], radius: float) -> None:
    """The slices with seams of the ground between them; each pixel turns when the sweep comes by."""
    half = int(radius) + 2
    left, top = round(centre[0]) - half, round(centre[1]) - half
    y, x = np.mgrid[: 2 * half, : 2 * half].astype(np.float32) + 0.5 - half
    whole = np.clip(radius - np.hypot(x, y) + 0.5, 0, 1)
    seam = max(1.0, drawn.unit * 0.002)
    for part in slices:
        cover = whole * _wedge(x, y, part, seam) if len(slices) > 1 else whole
        drawn.painter.figures.text(np.rint(cover * 255).astype(np.uint8), left, top, part.ink)
    times = np.rint(np.mod(np.arctan2(x, -y) / (2 * pi), 1) * _SWEPT * 255).astype(np.uint8)
    area = (slice(max(0, top), top + 2 * half), slice(max(0, left), left + 2 * half))
    target = drawn.painter.turns[area]
    target[:] = times[area[0].start - top :, area[1].start - left :][: target.shape[0], : target.shape[1]]


def _wedge(x: Field, y: Field, part: _Slice, seam: float) -> Field:
    """Coverage of a slice without end: behind its first edge and before its last, clockwise."""

    def beyond(edge: float) -> Field:
        """Pixels from an edge, clockwise."""
        return np.asarray(x * cos(edge * 2 * pi) + y * sin(edge * 2 * pi))

    first = np.clip(beyond(part.start) - seam / 2 + 0.5, 0, 1)
    last = np.clip(-beyond(part.start + part.share) - seam / 2 + 0.5, 0, 1)
    return np.asarray(np.minimum(first, last) if part.share <= 0.5 else np.maximum(first, last))


def _beside(drawn: Frame, slices: list[_Slice], texts: list[str], centre: tuple[float, float], radius: float) -> None:
    """Names at both sides, led to by fine lines."""
    base, area, sheet = drawn.base, drawn.free, drawn.painter.figures
    for right in (True, False):
        chosen = [number for number, part in enumerate(slices) if (part.middle % 1 < 0.5) == right]
        chosen.sort(key=lambda number: -cos(slices[number].middle * 2 * pi))
        wanted = [centre[1] - cos(slices[number].middle * 2 * pi) * radius for number in chosen]
        heights = apart(wanted, base * 1.3, area.top + base * 0.6, area.bottom - base * 0.6)
        way = 1 if right else -1
        for number, height in zip(chosen, heights, strict=True):
            part = slices[number]
            angle = part.middle * 2 * pi
            rim = (centre[0] + sin(angle) * radius * 0.97, centre[1] - cos(angle) * radius * 0.97)
            elbow = (centre[0] + way * (radius + base * 1.0), height)
            end = (elbow[0] + way * base * 0.7, height)
            mask, left, top = stroke(np.array([rim, elbow, end]), max(1.5, drawn.unit * 0.0022))
            at = _SWEPT * part.middle + 0.06
            lows, highs = sorted((rim[0], end[0])), sorted((rim[1], end[1]))
            before = drawn.painter.turns.copy()
            drawn.painter.turn(lows[0] - 2, highs[0] - 2, lows[1] + 2, highs[1] + 3, at)
            # The slices below keep their own times.
            under = sheet.paint[3] > 0
            drawn.painter.turns[under] = before[under]
            sheet.text(mask, left, top, drawn.colours.dim)
            ink = drawn.colours.highlight if part.marked else drawn.colours.text
            place = (end[0] + way * base * 0.3, height)
            drawn.write(sheet, texts[number], place, ink, anchor="left" if right else "right", turn=at + 0.02)


def _list(drawn: Frame, slices: list[_Slice], area: Area) -> None:
    """Rows of colour, name and share."""
    base, sheet = drawn.base, drawn.painter.figures
    step = min(base * 1.6, area.height / len(slices))
    swatch = base * 0.72
    shares = [_percent(part.share, slices) for part in slices]
    widest = max(drawn.width(text, base) for text in shares)
    names = [drawn.fitted(part.name, area.width - swatch - widest - base * 1.3) for part in slices]
    right = min(area.right, area.left + swatch + max(drawn.width(name, base) for name in names) + widest + base * 2)
    shift = max(0.0, (area.width - (right - area.left)) / 2) if area.width < drawn.free.width * 1.01 else 0.0
    if area.left > drawn.free.left:
        shift = 0.0
    for number, part in enumerate(slices):
        y = area.top + (number + 0.5) * step
        at = _SWEPT * part.middle + 0.06
        ink = drawn.colours.highlight if part.marked else drawn.colours.text
        left = area.left + shift
        sheet.plate((round(left), round(y - swatch / 2), round(swatch), round(swatch)), part.ink, radius=swatch * 0.15)
        drawn.painter.turn(left - 2, y - step / 2, right + shift, y + step / 2, at)
        drawn.write(sheet, names[number], (left + swatch + base * 0.45, y), ink, turn=at)
        drawn.write(sheet, shares[number], (right + shift, y), ink, anchor="right", turn=at)
