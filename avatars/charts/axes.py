"""Axes: few grid lines with round numbers, and labels that never overlap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from avatars.charts.frame import LINE, Area, Frame
from avatars.charts.numbers import Axis, NumberStyle, Wording, style


def tick_style(scale: Axis, words: Wording, unit: str) -> NumberStyle:
    return style(scale.ticks, words, unit)


def value_axis(drawn: Frame, scale: Axis, numbers: NumberStyle, area: Area, *, named: bool = True) -> None:
    """Level grid lines across an area, with their numbers at its left; takes the room of the numbers from it."""
    written = [numbers.write(tick) for tick in scale.ticks]
    if named:
        area.left += max(drawn.width(text, drawn.base) for text in written) + drawn.base * 0.5
    for tick, text in zip(scale.ticks, written, strict=True):
        y = area.bottom - scale.share(tick) * area.height
        drawn.rule((area.left, y), area.width, strong=tick == 0)
        if named:
            drawn.write(
                drawn.painter.ground, text, (area.left - drawn.base * 0.5, y), drawn.colours.dim, anchor="right"
            )


def thinned(widths: Sequence[float], distance: float, gap: float) -> list[int]:
    """Which of evenly spaced labels to write so that none touch: every one, every second..., the last one always."""
    count = len(widths)
    for step in range(1, count):
        chosen = list(range((count - 1) % step, count, step))
        near = pairwise(chosen)
        if all((widths[a] + widths[b]) / 2 + gap <= (b - a) * distance for a, b in near):
            return chosen
    return [count - 1] if count else []


def below(drawn: Frame, labels: Sequence[str], places: Sequence[float], area: Area, *, highlight: int = -1) -> None:
    """Labels below an area, thinned where they would touch, and kept within its panel's free width."""
    base = drawn.base
    distance = places[1] - places[0] if len(places) > 1 else drawn.free.width
    shown = [drawn.fitted(label, max(distance * 3, base * 8)) for label in labels]
    widths = [drawn.width(label, base) for label in shown]
    y = area.bottom + base * 1.0
    chosen = thinned(widths, distance, base * 0.6)
    if highlight >= 0 and highlight not in chosen:
        chosen = [
            number for number in chosen
            if (widths[number] + widths[highlight]) / 2 + base * 0.6 <= abs(number - highlight) * distance
        ] + [highlight]  # fmt: skip
    taken: list[tuple[float, float]] = []
    for number in sorted(chosen, key=lambda number: number != highlight):
        half = widths[number] / 2
        x = min(max(places[number], drawn.free.left + half), drawn.free.right - half)
        if any(x - half < right + base * 0.3 and x + half > left - base * 0.3 for left, right in taken):
            continue
        taken.append((x - half, x + half))
        colour = drawn.colours.highlight if number == highlight else drawn.colours.text
        drawn.write(drawn.painter.ground, shown[number], (x, y), colour, anchor="middle")


def wrapped(drawn: Frame, labels: Sequence[str], room: float, lines: int) -> list[tuple[str, ...]] | None:
    """Every label in at most so many lines of a width, or None where one does not fit."""
    found: list[tuple[str, ...]] = []
    for label in labels:
        broken = drawn.setter.balanced(label, drawn.base, room, lines) if label else ("",)
        if broken is None:
            return None
        found.append(broken)
    return found


def label_height(drawn: Frame, lines: int) -> float:
    return drawn.base * (0.55 + lines * LINE)
