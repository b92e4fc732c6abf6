"""Tables: a head row, figures to the right, rows that come in one by one, and what does not fit said in a line."""

from __future__ import annotations

import re

from anchor.graphics import Grid
from avatars.charts.frame import LEAST, Frame

_NUMBER = re.compile(r"[+\-\u2212±]?[¥$€£]?\s?\d[\d,. ]*\s?(?:%|‰|[万亿萬億兆kKM]|bn|tn)?")


def draw(drawn: Frame, grid: Grid) -> None:
    area, painter, colours = drawn.free, drawn.painter, drawn.colours
    columns = [drawn.clean(name) for name in grid.columns]
    rows = [[drawn.clean(cell) for cell in row] for row in grid.rows]
    figures = [
        any(row[column] for row in rows) and all(not row[column] or numeric(row[column]) for row in rows)
        for column in range(len(columns))
    ]  # fmt: skip
    wanted = (area.height - drawn.base * 0.2) / (len(rows) + 1)
    step = min(max(wanted, drawn.base * 1.4), drawn.base * 2.2)
    fit = max(1, int(area.height / step) - 1)
    marked = next((number for number, row in enumerate(grid.rows) if row and row[0] == grid.highlight), -1)
    shown = list(range(len(rows)))
    if len(rows) > fit:
        shown = list(range(max(0, fit - 1)))
        if marked >= len(shown) and shown:
            shown[-1] = marked
    visible = [columns, *(rows[number] for number in shown)]
    least = drawn.unit * LEAST
    base = max(least, min(drawn.base * 1.3, step * 0.62))
    while base > least and sum(_needed(drawn, visible, base)) > area.width:
        base = max(least, base * 0.94)
    needed = _needed(drawn, visible, base)
    if sum(needed) > area.width:
        # The heads of figures may be cut, the figures not.
        bare = _needed(drawn, visible[1:], base) if len(visible) > 1 else needed
        needed = [few if figure else full for few, full, figure in zip(bare, needed, figures, strict=True)]
    widths = _widths(needed, figures, area.width, base)
    edges = [area.left]
    for width in widths:
        edges.append(edges[-1] + width)
    pad = base * 0.5

    def put(cells: list[str], top: float, number: int, *, head: bool, turn: float | None) -> None:
        ink = colours.dim if head else colours.text
        sheet = painter.ground if head else painter.figures
        for column, cell in enumerate(cells):
            text = drawn.fitted(cell, widths[column] - 2 * pad, size=base)
            right = figures[column]
            place = (edges[column + 1] - pad if right else edges[column] + pad, top + step / 2)
            drawn.write(sheet, text, place, ink, size=base, anchor="right" if right else "left", turn=turn)

    put(columns, area.top, -1, head=True, turn=None)
    painter.ground.plate(
        (area.left, round(area.top + step) - 2, edges[-1] - area.left, max(2.0, round(drawn.unit * 0.003))),
        colours.accent,
    )
    for place, number in enumerate(shown):
        top = area.top + (place + 1) * step
        turn = 0.92 * place / max(1, len(shown) - 1)
        painter.turn(area.left, top, edges[-1], top + step, turn)
        if number == marked:
            painter.figures.plate((area.left, top, edges[-1] - area.left, step), colours.strip)
            bar = max(3.0, base * 0.16)
            painter.figures.plate((area.left, top, bar, step), colours.highlight)
        elif place % 2:
            painter.figures.plate((area.left, top, edges[-1] - area.left, step), colours.line, alpha=0.28)
        put(rows[number], top, number, head=False, turn=turn)
    if len(shown) < len(rows):
        y = area.top + (len(shown) + 1.5) * step
        more = drawn.clean(drawn.words.more.format(len(rows) - len(shown)))
        drawn.write(painter.figures, more, (area.left + pad, y), colours.dim, size=base, turn=0.95)


def numeric(cell: str) -> bool:
    """Whether a cell is set to the right."""
    return _NUMBER.fullmatch(cell.strip()) is not None or cell.strip() in ("-", "\u2013", "\u2014", "n/a", "N/A")


def _needed(drawn: Frame, rows: list[list[str]], base: float) -> list[float]:
    """Widths of the columns at a size of letters."""
    return [max(drawn.width(row[column], base) for row in rows) + base * 1.05 for column in range(len(rows[0]))]


def _widths(needed: list[float], figures: list[bool], room: float, base: float) -> list[float]:
    """Widths of the columns: words are cut before figures are, the widest first; what is left over is shared out."""
    if sum(needed) > room:
        numbers = sum(width for width, figure in zip(needed, figures, strict=True) if figure)
        words = [width for width, figure in zip(needed, figures, strict=True) if not figure]
        if words and room - numbers >= 3 * base * len(words):
            cap = _cap(words, room - numbers)
            return [width if figure else min(width, cap) for width, figure in zip(needed, figures, strict=True)]
        cap = _cap(needed, room)
        return [min(width, cap) for width in needed]
    spare = (room - sum(needed)) / len(needed)
    # A table far wider than its words falls apart for the eye.
    return [width + min(spare, base * 5) for width in needed]


def _cap(needed: list[float], room: float) -> float:
    """The width at which the widest columns are cut so that all fit."""
    left, rest = room, sorted(needed)
    for number, width in enumerate(rest):
        even = left / (len(rest) - number)
        if width > even:
            return even
        left -= width
    return rest[-1]
