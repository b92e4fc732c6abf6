"""The seven characters of 人工智能 and 生成/合成, drawn by us: the AI label needs them where no font has them.

Each is a list of strokes in an em of 100 x 100 units, y down, drawn with a round pen. They follow the standard stroke
order and structure, so that a reader of Chinese sees ordinary handwriting-sans characters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Stroke = tuple[tuple[float, float], ...]

PEN = 8.6
"""Pen width in units: the weight of a bold caption face."""

STROKES: dict[str, tuple[Stroke, ...]] = {
    "人": (
        ((50, 8), (49.5, 22), (46, 42), (37, 63), (24, 80), (7, 92)),
        ((50, 30), (55, 48), (64, 66), (77, 81), (94, 92)),
    ),
    "工": (((13, 17), (87, 17)), ((50, 17), (50, 86)), ((6, 86), (94, 86))),
    "生": (
        ((27, 8), (23, 22), (16, 37), (7, 50)),
        ((22, 29), (89, 29)),
        ((17, 58), (84, 58)),
        ((53, 7), (53, 91)),
        ((6, 91), (95, 91)),
    ),
    "成": (
        ((17, 25), (93, 25)),
        ((17, 25), (17, 55), (14, 76), (6, 92)),
        ((17, 46), (45, 46), (44, 66), (41, 76), (35, 79), (27, 77)),
        ((55, 7), (57, 34), (63, 57), (72, 76), (83, 89), (90, 91), (94, 76)),
        ((86, 41), (78, 58), (65, 76), (48, 91)),
        ((70, 8), (84, 18)),
    ),
    "合": (
        ((50, 7), (40, 21), (25, 35), (6, 47)),
        ((50, 7), (61, 21), (76, 35), (95, 47)),
        ((30, 43), (70, 43)),
        ((21, 61), (79, 61), (79, 92), (21, 92), (21, 61)),
    ),
    "智": (
        ((20, 6), (16, 15), (8, 26)),
        ((16, 16), (47, 16)),
        ((6, 31), (50, 31)),
        ((31, 16), (29, 33), (21, 44), (7, 52)),
        ((32, 36), (48, 49)),
        ((60, 14), (90, 14), (90, 45), (60, 45), (60, 14)),
        ((24, 60), (78, 60), (78, 94), (24, 94), (24, 60)),
        ((24, 77), (78, 77)),
    ),
    "能": (
        ((27, 6), (20, 18), (9, 32), (44, 28)),
        ((36, 16), (48, 36)),
        ((12, 46), (12, 94)),
        ((12, 46), (45, 46), (45, 89), (41, 94), (32, 93)),
        ((12, 61), (45, 61)),
        ((12, 76), (45, 76)),
        ((60, 7), (60, 36), (65, 43), (87, 43), (92, 39), (94, 30)),
        ((87, 15), (60, 25)),
        ((60, 53), (60, 85), (65, 93), (88, 93), (93, 88), (95, 79)),
        ((87, 62), (60, 73)),
    ),
}

CHARACTERS = frozenset(STROKES)


def draw(character: str, size: float) -> NDArray[np.uint8]:
    """Draw one of `CHARACTERS` in a square of `size` pixels: coverage 0..255, uint8, shape (ceil(size), ceil(size))."""
    from PIL import Image, ImageDraw

    side, finer = int(np.ceil(size)), 4
    scale = size * finer / 100
    sheet = Image.new("L", (side * finer, side * finer), 0)
    pencil = ImageDraw.Draw(sheet)
    width = PEN * scale
    for stroke in STROKES[character]:
        points = [(x * scale, y * scale) for x, y in stroke]
        pencil.line(points, fill=255, width=round(width), joint="curve")
        for x, y in (points[0], points[-1]):
            pencil.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(sheet.resize((side, side), Image.Resampling.BOX), np.uint8)
