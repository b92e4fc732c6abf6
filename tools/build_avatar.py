"""Draw the bundled anchor "lin" and write her package: ``python tools/build_avatar.py avatars/library/lin``.

An authoring tool: it needs skia-python, which the project does not depend on. The figure is our own drawing and shows
no real person. Skin is a height field lit by soft boxes, hair is combed strand by strand along guide curves, the rest
is airbrush work over splines. Units are art pixels: x to the viewer's right from the middle of the face, y down from
the eye line; a head is 1000 tall from crown to chin.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Points = Sequence[tuple[float, float]]
Colour = tuple[float, float, float]


def rgb(code: str) -> Colour:
    """Read "#RRGGBB" as three numbers 0..1."""
    return (int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255)


def smooth(low: float, high: float, value: Floats) -> Floats:
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def spline(points: Points, samples: int = 24, closed: bool = False) -> Floats:
    """Centripetal-free Catmull-Rom through `points`: float32, shape (n, 2)."""
    p = np.asarray(points, np.float32)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, samples, endpoint=False, dtype=np.float32)[:, None]
    out = []
    for i in range(1, len(p) - 2):
        a, b, c, d = p[i - 1], p[i], p[i + 1], p[i + 2]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    curve = np.vstack(out)
    return curve if closed else np.vstack([curve, p[-2:-1]])


def along(curve: Floats, count: int) -> Floats:
    """Resample a polyline at `count` points of equal arc length."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, curve[:, i]) for i in range(2)], axis=1).astype(np.float32)


def path_of(points: Floats, closed: bool = True) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(float(x), float(y)) for x, y in points], closed)
    return path


class Sheet:
    """A premultiplied RGBA layer, float32, in sRGB values 0..1, over the art rectangle (left, top, right, bottom)."""

    def __init__(self, left: int, top: int, right: int, bottom: int) -> None:
        self.left, self.top = left, top
        self.shape = (bottom - top, right - left)
        self.pixels: Floats = np.zeros((*self.shape, 4), np.float32)
        self.yy, self.xx = np.mgrid[top:bottom, left:right].astype(np.float32) + np.float32(0.5)

    def raster(self, draw: Callable[[skia.Canvas], None]) -> Floats:
        """What `draw` paints, as premultiplied float RGBA of this sheet's size."""
        array = np.zeros((*self.shape, 4), np.uint8)
        surface = skia.Surface(array, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType)
        with surface as canvas:
            canvas.translate(-self.left, -self.top)
            draw(canvas)
        return np.asarray(array / 255, np.float32)

    def mask(self, points: Floats, blur: float = 0.0) -> Floats:
        """Coverage of a filled outline, softened by a Gaussian of `blur` pixels."""
        path = path_of(points)
        paint = skia.Paint(AntiAlias=True, Color=skia.ColorWHITE)
        cover = self.raster(lambda canvas: canvas.drawPath(path, paint))[..., 3]
        return np.asarray(cv2.GaussianBlur(cover, (0, 0), blur), np.float32) if blur else cover

    def line(self, points: Floats, widths: Floats | float, blur: float = 0.0) -> Floats:
        """Coverage of a stroke whose width follows `widths` along it."""
        p = np.asarray(points, np.float32)
        tangent = np.gradient(p, axis=0)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
        half = np.broadcast_to(np.asarray(widths, np.float32), (len(p),))[:, None] / 2
        return self.mask(np.vstack([p + normal * half, (p - normal * half)[::-1]]), blur)

    def blob(self, x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Floats:
        """A Gaussian spot with standard deviations rx, ry, turned clockwise by `turn` degrees."""
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        u, v = (self.xx - x) * c + (self.yy - y) * s, (self.yy - y) * c - (self.xx - x) * s
        return np.asarray(np.exp(-0.5 * ((u / rx) ** 2 + (v / ry) ** 2)), np.float32)

    def fill(self, mask: Floats, colour: Colour | Floats, opacity: float = 1.0) -> None:
        """Paint over."""
        a = (mask * opacity)[..., None]
        self.pixels[..., :3] = self.pixels[..., :3] * (1 - a) + np.asarray(colour, np.float32) * a
        self.pixels[..., 3:] = self.pixels[..., 3:] * (1 - a) + a

    def tint(self, mask: Floats, colour: Colour | Floats, opacity: float = 1.0) -> None:
        """Paint inside what is there already."""
        a = (mask * opacity)[..., None]
        self.pixels[..., :3] += a * (np.asarray(colour, np.float32) * self.pixels[..., 3:] - self.pixels[..., :3])

    def shade(self, mask: Floats, colour: Colour, opacity: float = 1.0) -> None:
        """Multiply by a colour."""
        self.pixels[..., :3] *= 1 - (mask * opacity)[..., None] * (1 - np.asarray(colour, np.float32))

    def light(self, mask: Floats, colour: Colour, opacity: float = 1.0) -> None:
        """Screen with a colour, inside what is there."""
        a = (mask * opacity)[..., None] * np.asarray(colour, np.float32)
        self.pixels[..., :3] += a * (self.pixels[..., 3:] - self.pixels[..., :3])

    def over(self, rgba: Floats, opacity: float = 1.0) -> None:
        self.pixels = self.pixels * (1 - rgba[..., 3:] * opacity) + rgba * opacity

    def cut(self, mask: Floats) -> None:
        self.pixels *= mask[..., None]

    def image(self) -> NDArray[np.uint8]:
        """Straight-alpha BGRA bytes, colour bled under transparent pixels so that scaling finds no black fringe."""
        alpha = self.pixels[..., 3:]
        colour = self.pixels[..., :3] / np.maximum(alpha, 1e-4)
        solid = np.ascontiguousarray(self.pixels)
        for sigma in (2, 6, 18):
            soft = cv2.GaussianBlur(solid, (0, 0), sigma)
            bled = soft[..., :3] / np.maximum(soft[..., 3:], 1e-5)
            colour = np.where((alpha < 0.004) & (soft[..., 3:] > 1e-3), bled, colour)
        straight = np.concatenate([colour[..., ::-1], alpha], axis=2)
        return np.clip(straight * 255 + 0.5, 0, 255).astype(np.uint8)


# ---------------------------------------------------------------- face

SKIN = [  # ramp from deep shadow to full light
    (0.00, rgb("#96513F")), (0.20, rgb("#C2836C")), (0.40, rgb("#DFAC95")), (0.58, rgb("#EFC9B5")),
    (0.76, rgb("#F8DBCA")), (0.90, rgb("#FCE6D8")), (1.00, rgb("#FFF2E9")),
]  # fmt: skip
HAIR_DARK, HAIR_MID, HAIR_LIGHT = rgb("#120D0D"), rgb("#2B1E1B"), rgb("#8A6350")
EYE_X, EYE_Y = 127.0, 4.0
FACE_RIGHT: Points = [  # right half of the outline, from the top of the skull to the chin
    (0, -470), (130, -452), (226, -385), (278, -270), (292, -140), (292, -20), (287, 80), (273, 180), (241, 278),
    (192, 362), (129, 430), (70, 470), (32, 484), (0, 487),
]  # fmt: skip
DOME_RIGHT: Points = [  # the same for the relief, wider, so that no cusp falls inside the face
    (0, -560), (190, -520), (290, -400), (328, -270), (338, -140), (338, -20), (334, 80), (322, 180), (298, 280),
    (264, 364), (222, 440), (170, 510), (110, 560), (60, 590), (0, 600),
]  # fmt: skip
MOUTH_LINE: Points = [
    (-100, 274), (-86, 282.5), (-58, 289.5), (-28, 291.5), (-10, 293.5), (0, 295), (10, 293.5), (28, 291.5),
    (58, 289.5), (86, 282.5), (100, 274),
]  # fmt: skip
LIP_TOP: Points = [
    (-100, 274), (-80, 270.5), (-52, 264.5), (-23, 258), (-9, 260), (0, 262.5), (9, 260), (23, 258), (52, 264.5),
    (80, 270.5), (100, 274),
]  # fmt: skip
LIP_BOTTOM: Points = [
    (-100, 274), (-84, 291.5), (-58, 312), (-29, 325.5), (0, 328.5), (29, 325.5), (58, 312), (84, 291.5), (100, 274),
]  # fmt: skip


def face_outline() -> Floats:
    right = np.asarray(FACE_RIGHT, np.float32)
    left = right[-2:0:-1] * (-1, 1)
    return spline([tuple(p) for p in np.vstack([right, left])], closed=True)


def bump(s: Sheet, x: float, y: float, rx: float, ry: float, height: float, turn: float = 0.0) -> Floats:
    both = s.blob(x, y, rx, ry, turn)
    return height * (both + s.blob(-x, y, rx, ry, -turn)) if x else height * both


def face_height(s: Sheet) -> Floats:
    """The relief of the face in art pixels towards the viewer; also the depth map for turning the head."""
    outline = spline(DOME_RIGHT)
    y = s.yy[:, 0]
    half = np.interp(y, outline[:, 1], outline[:, 0]).astype(np.float32)[:, None]
    r = np.clip(np.abs(s.xx) / np.maximum(half, 1), 0, 1)
    profile = np.interp(
        y, [-480, -440, -380, -300, -200, -90, 0, 100, 220, 300, 380, 440, 490, 520],
        [90, 150, 200, 236, 258, 268, 264, 264, 264, 264, 260, 250, 222, 180],
    ).astype(np.float32)  # fmt: skip
    profile = cv2.GaussianBlur(profile[:, None], (0, 0), 24)
    z: Floats = profile * (1 - r**2.6) ** 0.62
    x = s.xx
    ridge = np.interp(y, [-90, -40, 0, 60, 120, 158, 182, 200], [2, 9, 15, 27, 42, 50, 33, 0]).astype(np.float32)
    wide = np.interp(y, [-90, -20, 60, 120, 165], [34, 19, 19, 25, 34]).astype(np.float32)[:, None]
    ridge = cv2.GaussianBlur(ridge[:, None], (0, 0), 7)
    z = z + ridge * np.exp(-0.5 * (x / wide) ** 2)
    z += bump(s, 0, 153, 23, 20, 14) + bump(s, 36, 170, 14, 13, 15) + bump(s, 57, 178, 12, 18, -6, 15)
    z += bump(s, EYE_X, 2, 84, 44, -27) + bump(s, 56, -12, 24, 34, -13) + bump(s, EYE_X, 8, 58, 34, 19)
    z += bump(s, 125, -86, 100, 24, 9) + bump(s, 120, -250, 110, 90, 8)
    z += bump(s, 188, 112, 82, 66, 20) + bump(s, 216, 262, 62, 84, -8) + bump(s, 110, 190, 46, 60, 5)
    z += bump(s, 0, 292, 104, 66, 22) + bump(s, 0, 232, 8, 22, -5) + bump(s, 15, 234, 7, 22, 2.4)
    z += bump(s, 0, 352, 62, 13, -10) + bump(s, 0, 424, 62, 42, 22) + bump(s, 116, 284, 15, 24, -7, -12)
    return z.astype(np.float32)


def ramp(value: Floats) -> Floats:
    stops = np.array([s for s, _ in SKIN], np.float32)
    tones = np.array([c for _, c in SKIN], np.float32)
    return np.stack([np.interp(value, stops, tones[:, i]) for i in range(3)], axis=-1).astype(np.float32)


def lit(z: Floats, relief: float = 1.0) -> Floats:
    """Shade a relief 0..1: large key from the upper left, fill from the right, light pooling in hollows removed."""
    soft = cv2.GaussianBlur(z, (0, 0), 3.0)
    gx, gy = np.gradient(soft, axis=1) * relief, np.gradient(soft, axis=0) * relief
    norm = np.sqrt(gx**2 + gy**2 + 1)
    nx, ny, nz = -gx / norm, -gy / norm, 1 / norm

    def lamp(x: float, y: float, depth: float, wrap: float) -> Floats:
        size = np.sqrt(x * x + y * y + depth * depth)
        return np.asarray(np.clip((nx * x + ny * y + nz * depth) / size * (1 - wrap) + wrap, 0, 1), np.float32)

    key, fill, front = lamp(-0.55, -0.62, 0.75, 0.25), lamp(0.8, -0.1, 0.7, 0.3), lamp(0, -0.15, 1, 0.1)
    hollow = cv2.GaussianBlur(z, (0, 0), 20) - z
    crease = cv2.GaussianBlur(z, (0, 0), 7) - z
    shade = (
        0.40 * key + 0.20 * fill + 0.36 * front - 0.0 - np.clip(hollow, 0, 40) * 0.007 - np.clip(crease, 0, 20) * 0.012
    )
    return np.asarray(shade, np.float32)


def skin(s: Sheet) -> tuple[Floats, Floats]:
    """The lit skin of the whole face without features, RGB, and its relief."""
    z = face_height(s)
    shade = np.clip((lit(z) - 0.305) / 0.70, 0, 1)
    for x, y, rx, ry, floor in (
        (0, 180, 64, 26, 0.50),
        (0, 470, 190, 60, 0.42),
        (60, -14, 34, 40, 0.60),
        (-60, -14, 34, 40, 0.66),
    ):
        lifted = np.maximum(shade, floor + 0.25 * shade)
        shade += (lifted - shade) * s.blob(x, y, rx, ry)
    colour = ramp(shade)
    warm = np.zeros(s.shape, np.float32)
    for x, y, rx, ry, turn, amount in (
        (176, 136, 72, 42, -20, 0.15), (0, 160, 30, 20, 0, 0.07), (0, 430, 50, 26, 0, 0.07),
         (125, -14, 84, 26, 0, 0.13),
        (250, 60, 40, 120, 0, 0.02),
    ):  # fmt: skip
        warm += bump(s, x, y, rx, ry, amount, turn)
    blush = np.asarray(rgb("#E88F8A"), np.float32)
    flushed = colour * (1 - warm[..., None]) + blush * colour**0.3 * warm[..., None]
    return np.asarray(np.clip(flushed, 0, 1), np.float32), z


def paint_face(s: Sheet, base: Floats) -> None:
    """Skin with nose and mouth surroundings; brows, lips and lids are layers of their own."""
    outline = face_outline()
    s.fill(s.mask(outline), base)
    edge = 1 - cv2.GaussianBlur(s.mask(outline), (0, 0), 9)
    s.shade(np.clip(edge * 1.6, 0, 1) * smooth(-200, 300, s.yy), rgb("#E0AC98"), 0.30)
    for x, y, rx, ry, amount in (
        (-24, -214, 120, 62, 0.22), (-168, 84, 46, 22, 0.26), (168, 84, 42, 20, 0.16), (-10, 416, 34, 18, 0.26),
        (-64, 46, 44, 20, 0.12), (64, 46, 44, 20, 0.10),
    ):  # fmt: skip
        s.light(s.blob(x, y, rx, ry), rgb("#FFF4EA"), amount)
    nose(s)


def nose(s: Sheet) -> None:
    for side in (-1, 1):
        nostril = spline([(side * x, y) for x, y in ((10, 184.5), (17, 180.5), (27, 180), (33, 184), (27, 188.5),
            (17, 189))],
                         closed=True)  # fmt: skip
        s.shade(s.mask(nostril, 4.5), rgb("#B0604F"), 0.50)
        s.shade(s.mask(nostril, 1.5), rgb("#6E3229"), 0.72)
        wing = spline([(side * x, y) for x, y in ((46, 155), (52.5, 166), (51, 179), (43, 186.5), (36, 185))])
        taper = np.sin(np.linspace(0.1, np.pi, len(wing))).astype(np.float32)
        s.shade(s.line(wing, 5 * taper, 2.2), rgb("#C38A74"), 0.40 if side > 0 else 0.28)
    under = spline([(-22, 188), (-9, 193), (0, 195), (9, 193), (22, 188)])
    s.shade(s.line(under, 7, 4), rgb("#B9755F"), 0.36)
    s.shade(s.blob(6, 204, 32, 9), rgb("#D29A82"), 0.32)
    s.light(s.blob(-3, 148, 8, 8), rgb("#FFF8F2"), 0.50)
    s.light(s.blob(-3, 78, 6, 40), rgb("#FFF5EE"), 0.16)
    s.light(s.blob(0, 251, 30, 3.5), rgb("#FFEFE4"), 0.28)


def lip_colours(s: Sheet) -> Sheet:
    """Both lips closed, on a sheet of their own."""
    top, line, bottom = spline(LIP_TOP), spline(MOUTH_LINE), spline(LIP_BOTTOM)
    lips = Sheet(s.left, s.top, s.left + s.shape[1], s.top + s.shape[0])
    upper = s.mask(np.vstack([top, line[::-1]]), 1.8)
    lower = s.mask(np.vstack([line, bottom[::-1]]), 2.0)
    lips.fill(np.clip(upper + lower, 0, 1), rgb("#CB6B68"))
    rise = smooth(258, 294, s.yy)
    lips.shade(upper * rise, rgb("#B4504F"), 0.75)
    lips.light(upper * s.blob(-18, 267, 20, 4) + upper * s.blob(22, 267, 15, 4), rgb("#FFD9D0"), 0.28)
    lips.shade(lower * smooth(318, 332, s.yy), rgb("#B35552"), 0.55)
    lips.shade(lower * (1 - smooth(290, 301, s.yy)), rgb("#A14644"), 0.45)
    lips.light(lower * (s.blob(-16, 310, 27, 6) + 0.6 * s.blob(26, 311, 16, 5)), rgb("#FFE3DC"), 0.50)
    for side in (-1, 1):
        lips.shade(smooth(60, 98, side * s.xx), rgb("#B4605A"), 0.35)
    rng = np.random.default_rng(5)
    grain = cv2.GaussianBlur(rng.normal(size=s.shape).astype(np.float32), (0, 0), sigmaX=1.4, sigmaY=9)
    lips.shade(np.clip(grain / grain.std() * 0.5 + 0.5, 0, 1), rgb("#C96E69"), 0.16)
    return lips


def paint_mouth(s: Sheet) -> None:
    for side in (-1, 1):
        crease = spline([(side * 66, 196), (side * 92, 222), (side * 112, 252), (side * 119, 274)])
        taper = np.sin(np.linspace(0.2, np.pi, len(crease))).astype(np.float32)
        s.shade(s.line(crease, 9 * taper, 5), rgb("#C98E7A"), 0.10)
        s.light(s.line(crease + np.array([side * 13, -6], np.float32), 12 * taper, 8), rgb("#FFEFE6"), 0.08)
    s.shade(s.blob(0, 343, 44, 7), rgb("#C07C67"), 0.42)
    lips = lip_colours(s)
    cover = lips.pixels[..., 3]
    s.shade(np.clip(cv2.GaussianBlur(cover, (0, 0), 5) - cover, 0, 1), rgb("#C97A6A"), 0.35)
    s.over(lips.pixels, 0.95)
    s.shade(corner_shadow(s), rgb("#B4705E"), 0.34)


def seam(s: Sheet) -> Floats:
    line = spline(MOUTH_LINE)
    width = 1.2 + 3.2 * np.sin(np.linspace(0, np.pi, len(line))) ** 0.6
    return s.line(line, width.astype(np.float32), 1.1)


def corner_shadow(s: Sheet) -> Floats:
    return np.asarray(np.clip(s.blob(-103, 273, 6, 5) + s.blob(103, 273, 6, 5), 0, 1), np.float32)


def paint_brows(s: Sheet) -> None:
    rng = np.random.default_rng(3)
    for side in (-1, 1):
        spine = spline([(side * x, y) for x, y in ((57, -88), (96, -93.5), (140, -99), (180, -96), (219, -79))])
        run = np.linspace(0, 1, len(spine))
        width = np.interp(run, [0, 0.10, 0.45, 0.75, 1], [6, 15, 15.5, 10.5, 1.5]).astype(np.float32)
        s.fill(s.line(spine, width * 0.92, 2.6), rgb("#55413A"), 0.66)
        s.fill(s.line(spine + np.array([0, 1.5], np.float32), width * 0.45, 3.0), rgb("#3A2A26"), 0.40)
        s.cut(1 - 0.75 * s.blob(side * 52, -82, 16, 20))
        s.over(s.raster(brow_hairs(spine, width, side, rng)), 0.9)


def brow_hairs(spine: Floats, width: Floats, side: int, rng: np.random.Generator) -> Callable[[skia.Canvas], None]:
    """Single brow hairs: upright at the nose, lying down towards the temple."""

    def draw(canvas: skia.Canvas) -> None:
        for _ in range(420):
            run = float(rng.random())
            i = min(int(run * (len(spine) - 1)), len(spine) - 2)
            across = float(rng.uniform(-0.42, 0.42))
            start = spine[i] + np.array([0, across * width[i]])
            slope = np.arctan2(spine[i + 1, 1] - spine[i, 1], abs(spine[i + 1, 0] - spine[i, 0]))
            lean = np.interp(run, [0, 0.12, 0.4, 1], [0.9, 0.42, 0.12, 0.0]) - across * 0.7 - slope
            length = np.interp(run, [0, 0.3, 1], [8, 12, 9]) * rng.uniform(0.7, 1.1)
            tip = start + length * np.array([side * np.cos(lean), -np.sin(lean)])
            middle = (start + tip) / 2 + np.array([side * 0.8, -0.8])
            shade = (0.19 + 0.07 * rng.random(), 0.135, 0.115)
            stroke(
                canvas,
                np.array([start, middle, tip], np.float32),
                float(rng.uniform(1.0, 1.9)),
                float(rng.uniform(0.25, 0.5)),
                shade,
            )

    return draw


# ---------------------------------------------------------------- eyes

LID_LEVELS = (
    -0.35, -0.28, -0.21, -0.14, -0.07, 0.0, 0.07, 0.14, 0.21, 0.28, 0.36, 0.44, 0.52, 0.60, 0.68, 0.76, 0.84, 0.92, 1.0,
)  # fmt: skip
"""Closure of the upper lid in each row of the lid sheet; negative is wide open."""
LOWER_LEVELS = (0.0, 0.33, 0.67, 1.0)
"""Rise of the lower lid in each column."""
LID_BOX = (-120, -80, 120, 68)
"""One lid picture, relative to the middle of the eye."""

LID_X = (-69, -56, -34, 0, 33, 58.5, 75)
UPPER_OPEN = (13, -2.5, -18.5, -28, -24.5, -12, 0)
UPPER_CLOSED = (14, 19, 24.5, 28, 25, 16.5, 5)
LOWER_OPEN = (13, 19, 25, 28, 24, 13.5, 0)


def upper_margin(closure: float) -> Floats:
    opened, closed = np.array(UPPER_OPEN, np.float32), np.array(UPPER_CLOSED, np.float32)
    arc = np.sin(np.linspace(0, np.pi, len(opened))).astype(np.float32)
    y = opened + (closed - opened) * closure if closure >= 0 else opened + arc * closure * 28
    return spline([(x, float(v)) for x, v in zip(LID_X, y, strict=True)])


def lower_margin(rise: float, closure: float) -> Floats:
    arc = np.sin(np.linspace(0, np.pi, len(LOWER_OPEN))).astype(np.float32)
    y = np.array(LOWER_OPEN, np.float32) - arc * rise * 13 * (1 - 0.75 * max(closure, 0.0))
    return spline([(x, float(v)) for x, v in zip(LID_X, y, strict=True)])


def placed(curve: Floats, side: int) -> Floats:
    return (curve + np.array([EYE_X, EYE_Y], np.float32)) * np.array([side, 1], np.float32)


def paint_lids(s: Sheet, base: Floats, side: int, closure: float, rise: float) -> None:
    """Lids over an eyeball: skin with a hole, crease, lash lines, and the shade the upper lid throws on the eye."""
    closed = max(closure, 0.0)
    up, low = upper_margin(closure), lower_margin(rise, closure)
    up = np.stack([up[:, 0], np.minimum(up[:, 1], np.interp(up[:, 0], low[:, 0], low[:, 1]) + 1.0)], axis=1)
    ex, ey = side * EYE_X, EYE_Y
    hole = s.mask(placed(np.vstack([up, low[::-1]]), side), 0.7) if closed < 0.97 else np.zeros(s.shape, np.float32)
    # The lid's own shade on the eyeball.
    shade = s.line(placed(up + np.array([0, 4], np.float32), side), 17, 4.5)
    s.fill(shade * hole, rgb("#3A2220"), 0.62)
    u, v = (s.xx - ex) / 112, (s.yy - ey + 6) / 66
    feather = smooth(1.0, 0.70, np.sqrt(u * u + v * v))
    s.fill(feather * (1 - hole), base)
    skin_only = feather * (1 - hole)
    # Eye shadow, denser at the lashes and the outer corner.
    s.tint(skin_only * s.line(placed(up + np.array([4, -7], np.float32), side), 20, 7), rgb("#A0604F"), 0.50)
    s.tint(skin_only * s.blob(ex + side * 52, ey - 14, 24, 15, side * -20), rgb("#9A5A4C"), 0.30)
    s.light(skin_only * s.blob(ex, ey - 8 + 12 * closed, 34, 9) * closed, rgb("#FFE3D2"), 0.30)
    s.light(skin_only * s.blob(ex + side * 14, ey - 66, 52, 8), rgb("#FFE9DC"), 0.22)
    crease_points = up[4:-1] * np.array([1.04, 1], np.float32) + np.array([0, -13.0], np.float32)
    arch = -22 - 13 * np.sin(np.linspace(0.2, np.pi - 0.1, len(crease_points)))
    crease_points[:, 1] = crease_points[:, 1] * (1 - 0.8 * closed) + arch * 0.8 * closed
    bend = np.linspace(-1, 1, len(crease_points), dtype=np.float32)
    crease_points[:, 1] += np.where(bend < 0, 7 * bend**2, 9 * bend**4)
    crease = placed(crease_points, side)
    width = np.sin(np.linspace(0.15, np.pi - 0.05, len(crease))).astype(np.float32)
    s.tint(skin_only * s.line(crease, 5.5 * width, 2.6), rgb("#8C4B3C"), 0.60 - 0.2 * closed)
    s.tint(skin_only * s.line(crease, 2.2 * width, 0.8), rgb("#6E352B"), 0.62 - 0.25 * closed)
    s.light(skin_only * s.line(crease + np.array([0, -7], np.float32), 5 * width, 3), rgb("#FFE6D8"), 0.20)
    # Waterline, tear duct, and the soft pouch below the eye.
    water = placed(low + np.array([0, 1.6], np.float32), side)
    s.tint(skin_only * s.line(water, 4.2, 1.0), rgb("#F0B8A8"), 0.75 * (1 - closed))
    s.tint(s.blob(ex - side * 63.5, ey + 12.5, 5.5, 3.6) * s.pixels[..., 3], rgb("#D98A80"), 0.65 * (1 - closed))
    under = placed(low[8:-8] + np.array([0, 13.0 + 2 * rise], np.float32), side)
    s.tint(skin_only * s.line(under, 4.5 + 2 * rise, 4), rgb("#B5735F"), 0.30 + 0.30 * rise)
    s.light(skin_only * s.line(placed(low[8:-8] + np.array([0, 7], np.float32), side), 5, 3), rgb("#FFEADF"), 0.22)
    paint_lashes(s, side, up, low, closed)


def paint_lashes(s: Sheet, side: int, up: Floats, low: Floats, closed: float) -> None:
    n = len(up)
    t = np.linspace(0, 1, n, dtype=np.float32)
    width = np.interp(t, [0, 0.08, 0.4, 0.8, 1.0], [0.6, 2.6, 6.0, 7.0, 2.0]).astype(np.float32)
    edge = up + np.stack([np.zeros(n), -width * 0.35], axis=1).astype(np.float32)
    wing = np.array([[76.0, up[-1, 1] - 1.5], [81.0, up[-1, 1] - 5.0], [87.0, up[-1, 1] - 9.5]], np.float32)
    wing[:, 1] += closed * np.array([1, 4, 8], np.float32)
    band = np.vstack([edge, wing])
    widths = np.concatenate([np.maximum(width, np.where(t > 0.8, 5.2, 0)), [4.6, 3.2, 0.6]]).astype(np.float32)
    s.fill(s.line(placed(band, side), widths * 1.5, 2.2), rgb("#3A221C"), 0.38)
    s.fill(s.line(placed(band, side), widths, 0.6), rgb("#1C1110"), 0.93)
    lower_t = np.linspace(0, 1, len(low), dtype=np.float32)
    faint = np.interp(lower_t, [0, 0.3, 0.9, 1], [0.2, 0.7, 2.4, 1.5]).astype(np.float32)
    s.fill(s.line(placed(low + np.array([0, 3.2], np.float32), side), faint, 0.9), rgb("#5A352C"), 0.55)
    rng = np.random.default_rng(17)

    def draw(canvas: skia.Canvas) -> None:
        for i in range(46):
            f = 0.10 + 0.88 * i / 45
            k = f * (n - 1)
            x, y = up[int(k)]
            length = np.interp(f, [0.1, 0.5, 0.85, 1], [7, 12.5, 17, 13]) * rng.uniform(0.8, 1.1)
            out = np.interp(f, [0, 0.45, 1], [-0.55, 0.1, 0.98])
            rise = (1 - 1.72 * smooth(0.25, 0.9, np.array(closed, np.float32))) * np.sqrt(
                max(0.05, 1 - out * out * 0.8)
            )
            tip = np.array([x + out * length, y - rise * length])
            mid = np.array([x + out * length * 0.62, y - rise * length * 0.34])
            stroke(canvas, placed(np.array([[x, y], mid, tip], np.float32), side), float(rng.uniform(1.3, 2.0)), 0.85)
        for i in range(22):
            f = 0.36 + 0.6 * i / 21
            x, y = low[int(f * (len(low) - 1))]
            short = rng.uniform(4.5, 7.0)
            out = np.interp(f, [0.3, 1], [0.1, 0.75])
            points = np.array(
                [[x, y + 3], [x + out * 2, y + 3 + short * 0.6], [x + out * short, y + 3 + short]], np.float32
            )
            stroke(canvas, placed(points, side), 0.9, 0.40)

    s.over(s.raster(draw))


def stroke(
    canvas: skia.Canvas, points: Floats, width: float, opacity: float, tone: Colour = (0.1, 0.065, 0.06)
) -> None:
    """A quadratic stroke through a control point that thins out towards its tip."""
    (x0, y0), (x1, y1), (x2, y2) = ((float(x), float(y)) for x, y in points)
    dx, dy = x2 - x0, y2 - y0
    size = max((dx * dx + dy * dy) ** 0.5, 1e-3)
    nx, ny = -dy / size * width / 2, dx / size * width / 2
    path = skia.Path()
    path.moveTo(x0 + nx, y0 + ny)
    path.quadTo(x1 + nx * 0.6, y1 + ny * 0.6, x2, y2)
    path.quadTo(x1 - nx * 0.6, y1 - ny * 0.6, x0 - nx, y0 - ny)
    path.close()
    canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=skia.Color4f(*tone, opacity).toColor()))


def lid_sheet(base: Floats, face: Sheet, side: int) -> Sheet:
    """All lid pictures of one eye side by side: rows are `LID_LEVELS`, columns `LOWER_LEVELS`."""
    left, top, right, bottom = LID_BOX
    w, h = right - left, bottom - top
    atlas = Sheet(0, 0, w * len(LOWER_LEVELS), h * len(LID_LEVELS))
    ox, oy = round(side * EYE_X), round(EYE_Y)
    patch = base[oy + top - face.top : oy + bottom - face.top, ox + left - face.left : ox + right - face.left]
    for row, closure in enumerate(LID_LEVELS):
        for column, rise in enumerate(LOWER_LEVELS):
            one = Sheet(ox + left, oy + top, ox + right, oy + bottom)
            paint_lids(one, patch, side, closure, rise)
            atlas.pixels[row * h : (row + 1) * h, column * w : (column + 1) * w] = one.pixels
    return atlas


def eyeball() -> Sheet:
    """The white of an eye, relative to its middle; the iris is drawn over it."""
    s = Sheet(-96, -52, 96, 52)
    widest = np.vstack([upper_margin(-0.35), lower_margin(0, 0)[::-1]])
    s.fill(np.clip(s.line(np.vstack([widest, widest[:1]]), 7, 0.8) + s.mask(widest), 0, 1), rgb("#EFE7E3"))
    r = np.sqrt((s.xx / 80) ** 2 + (s.yy / 40) ** 2)
    s.shade(smooth(0.45, 1.05, r), rgb("#BFA29A"), 0.75)
    s.light(s.blob(0, 8, 50, 14), rgb("#FFFFFF"), 0.25)
    return s


def iris() -> Sheet:
    """Iris, pupil and catchlights, relative to the pupil."""
    s = Sheet(-40, -40, 40, 40)
    r = np.sqrt(s.xx**2 + s.yy**2)
    angle = np.arctan2(s.yy, s.xx)
    radius = 31.0
    s.fill(smooth(radius + 1.6, radius - 1.6, r), rgb("#4A2E22"))
    rng = np.random.default_rng(11)
    spokes = sum(np.sin(angle * k + rng.uniform(0, 6.28)) * rng.uniform(0.3, 1) for k in (17, 23, 31, 41, 57))
    glow = smooth(radius, 13, r) * smooth(8, 15, r) * (0.55 + 0.45 * smooth(-12, 22, s.yy))
    s.light(glow * np.clip(0.75 + 0.14 * np.asarray(spokes, np.float32), 0, 1.2), rgb("#9A6238"), 0.75)
    s.light(s.blob(6, 15, 12, 7) * smooth(radius, 16, r), rgb("#C98A50"), 0.42)
    s.shade(smooth(radius - 7.5, radius, r), rgb("#2A1712"), 0.80)
    s.shade(smooth(6, -22, s.yy), rgb("#3B241C"), 0.60)
    s.fill(smooth(13.4, 11.2, r), rgb("#0C0707"))
    s.over(np.concatenate([np.ones((*s.shape, 3), np.float32), np.ones((*s.shape, 1), np.float32)], 2)
           * (smooth(7.0, 5.2, np.sqrt(((s.xx + 10) / 1.0) ** 2 + ((s.yy + 11) / 1.15) ** 2)))[..., None],
               0.95)  # fmt: skip
    s.light(s.blob(11, 11, 4.2, 3.2), rgb("#FFFFFF"), 0.50)
    return s


# ---------------------------------------------------------------- hair

Guides = Sequence[Points]
HAIR_LEFT: Guides = [  # viewer's left, from the face outwards; each from root to tip
    [(70, -354), (12, -342), (-66, -314), (-146, -262), (-210, -184), (-251, -84), (-272, 30), (-280, 160), (-277, 300),
     (-266, 420), (-240, 530)],
    [(68, -386), (-8, -384), (-106, -360), (-200, -318), (-262, -230), (-298, -110), (-314, 30), (-320, 180),
     (-312, 320),
     (-290, 446), (-252, 543)],
    [(66, -444), (-30, -454), (-138, -434), (-234, -370), (-300, -262), (-332, -130), (-345, 30), (-348, 184),
     (-338, 330),
     (-314, 456), (-266, 549)],
    [(58, -523), (-30, -527), (-146, -508), (-254, -440), (-328, -328), (-364, -180), (-376, 10), (-378, 180),
     (-366, 336),
     (-338, 464), (-284, 548)],
]  # fmt: skip
HAIR_RIGHT: Guides = [
    [(72, -354), (110, -338), (156, -303), (201, -250), (239, -174), (263, -76), (278, 40), (284, 170), (279, 310),
     (266, 424),
     (240, 528)],
    [(71, -386), (126, -374), (190, -334), (246, -276), (284, -184), (306, -70), (316, 50), (320, 190), (310, 330),
     (288, 446),
     (252, 541)],
    [(66, -444), (140, -436), (220, -390), (282, -304), (320, -190), (337, -60), (344, 60), (344, 200), (332, 340),
     (308, 456),
     (264, 547)],
    [(54, -523), (138, -515), (234, -464), (310, -370), (352, -230), (368, -80), (373, 60), (371, 210), (356, 350),
     (328, 466),
     (280, 546)],
]  # fmt: skip


def comb(guides: Sequence[Floats], across: float) -> Floats:
    """A strand between the guides: shape (n, 2)."""
    place = across * (len(guides) - 1)
    i = min(int(place), len(guides) - 2)
    return guides[i] * (1 - place + i) + guides[i + 1] * (place - i)


def paint_hair(s: Sheet, guides: Guides, side: int, seed: int) -> None:
    """One half of the hair: a dark body, then strands whose tone follows the light along them."""
    rng = np.random.default_rng(seed)
    curves = [along(spline(g), 48) for g in guides]
    inner, outer = curves[0][:45], curves[-1][:44]
    s.fill(s.mask(np.vstack([inner, outer[::-1]]), 2.2), HAIR_DARK)
    clumps, gloss = wave(rng, 20), wave(rng, 13)

    def draw(canvas: skia.Canvas) -> None:
        for i in range(3000):
            across = float(rng.uniform(0, 1))
            points = comb(curves, across).copy()
            free = min(1.0, 5 * across * (1 - across))  # strands at the edges keep to the outline
            points += rng.normal(size=2).astype(np.float32) * np.float32(1.1 * free)
            tip = np.linspace(0, 1, len(points), dtype=np.float32)[:, None] ** 3
            stray = rng.normal(size=2).astype(np.float32) * (3 * free, 5) + (0, wave_at(clumps, across) * 9)
            points += tip * stray.astype(np.float32)
            strand(
                canvas,
                points,
                across,
                wave_at(clumps, across),
                wave_at(gloss, across) * 0.035,
                rng,
                fine=i > 1900,
                side=side,
            )
        for _ in range(90):  # short hairs that soften the hairline
            points = comb(curves, float(rng.uniform(0, 0.08)))[2:30].copy()
            bow = np.sin(np.linspace(0, np.pi, len(points)))[:, None] * rng.uniform(0, 1) ** 2 * 15
            points += (bow * np.array([-side * 0.75, 0.65])).astype(np.float32)
            first = int(rng.integers(0, 8))
            strand(
                canvas,
                points[first : first + int(rng.integers(12, 20))],
                0.2,
                -0.2,
                0.0,
                rng,
                fine=True,
                side=side,
                thin=True,
            )
        for _ in range(18):  # loose hairs along the silhouette and the face
            across = float(rng.choice((0.0, 1.0)))
            points = comb(curves, across).copy()
            drift = np.sin(np.linspace(0, np.pi, len(points))) * (
                rng.uniform(0.2, 1.0) if across else rng.uniform(0.5, 3)
            )
            points[:, 0] += drift * side * (1 if across else -0.8)
            points[:, 1] -= drift * (0.5 if across else 0)
            strand(canvas, points, 0.5, -0.3, 0.0, rng, fine=True, side=side, thin=True)

    s.over(s.raster(draw))


def wave(rng: np.random.Generator, width: int) -> Floats:
    """Smooth noise over 0..1 in -1..1: locks of hair."""
    noise = np.convolve(rng.normal(size=400), np.hanning(width), "same")
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def wave_at(noise: Floats, across: float) -> float:
    return float(noise[int(np.clip(across, 0, 0.999) * 399)])


def tone(value: float, opacity: float) -> int:
    low, high, f = (HAIR_DARK, HAIR_MID, value / 0.3) if value < 0.3 else (HAIR_MID, HAIR_LIGHT, (value - 0.3) / 0.7)
    return int(skia.Color4f(*[a + (b - a) * f for a, b in zip(low, high, strict=True)], opacity).toColor())


def glow(run: Floats, across: float, clump: float, shift: float, side: int) -> Floats:
    """How light a strand is along its run from root 0 to tip 1."""
    lit_side = 1.0 if side < 0 else 0.86
    crown = np.exp(-0.5 * ((run - 0.27 - shift - 0.04 * across) / 0.060) ** 2) * np.sin(
        np.pi * np.clip(0.10 + across * 0.8, 0, 1)
    )
    bowl = np.exp(-0.5 * ((run - 0.72 - shift * 1.5) / 0.085) ** 2) * np.sin(np.pi * np.clip(across, 0, 1)) * 0.55
    edge = np.clip((across - 0.86) / 0.14, 0, 1) ** 2
    rim = 0.30 * edge * np.exp(-0.5 * ((run - 0.45) / 0.22) ** 2)
    value = (
        0.16 + 0.12 * clump + (0.80 + 0.42 * clump) * crown * lit_side + (0.55 + 0.35 * clump) * bowl * lit_side + rim
    )
    roots = 0.58 + 0.42 * np.clip(run / 0.12, 0, 1)
    tips = 0.55 + 0.45 * np.clip((1 - run) / 0.2, 0, 1)
    return np.asarray(value * roots * tips * (0.55 + 0.45 * np.clip(across / 0.14, 0, 1)), np.float32)


def strand(canvas: skia.Canvas, points: Floats, across: float, clump: float, shift: float, rng: np.random.Generator,
           *, fine: bool, side: int, thin: bool = False) -> None:  # fmt: skip
    n = len(points)
    start, end = (
        (float(rng.uniform(0, 0.25)), float(rng.uniform(0.75, 1.0))) if fine else (0.0, float(rng.uniform(0.96, 1.0)))
    )
    piece = points[int(start * (n - 1)) : int(end * (n - 1)) + 1]
    run = np.linspace(start, end, 14, dtype=np.float32)
    value = glow(run, across, clump, shift, side) + rng.normal() * 0.035
    fade = np.clip((1.0 - run) / 0.06, 0.25, 1) * np.clip((run - start) / 0.03 + 0.5, 0, 1)
    opacity = 0.22 if thin else 0.34 if fine else 0.52
    tones = [tone(float(v), float(opacity * f)) for v, f in zip(np.clip(value, 0, 1), fade, strict=True)]
    reach = np.cumsum(np.concatenate([[0], np.linalg.norm(np.diff(piece, axis=0), axis=1)]))
    axis = (piece[-1] - piece[0]) / max(float(np.linalg.norm(piece[-1] - piece[0])), 1e-3)
    project = np.maximum.accumulate((piece - piece[0]) @ axis)
    stops = np.interp(np.linspace(0, 1, 14), reach / reach[-1], np.clip(project / max(float(project[-1]), 1e-3), 0, 1))
    ends = [skia.Point(float(p[0]), float(p[1])) for p in (piece[0], piece[-1])]
    shader = skia.GradientShader.MakeLinear(ends, tones, [float(v) for v in stops])
    width = 1.1 if thin else float(rng.uniform(1.0, 2.2) if fine else rng.uniform(2.2, 4.8))
    canvas.drawPath(path_of(piece, closed=False), skia.Paint(AntiAlias=True, Shader=shader,
        Style=skia.Paint.kStroke_Style,
                    StrokeWidth=width, StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join))  # fmt: skip


def front_hair() -> Sheet:
    s = Sheet(-430, -570, 430, 600)
    # The shadow on the skin belongs to the hair, so that it moves with it.
    inner_left, inner_right = (along(spline(g[0]), 48) for g in (HAIR_LEFT, HAIR_RIGHT))
    opening = np.vstack([inner_left, inner_right[::-1]])
    face = s.mask(face_outline() * np.array([0.97, 0.985], np.float32), 4)
    near = 1 - s.mask(opening + np.array([7, 15], np.float32), 15)
    close = 1 - s.mask(opening + np.array([3, 6], np.float32), 5)
    s.fill(face * np.clip(near, 0, 1), rgb("#8A4B39"), 0.42)
    s.fill(face * np.clip(close, 0, 1), rgb("#5A2C22"), 0.40)
    paint_hair(s, HAIR_RIGHT, 1, 21)
    paint_hair(s, HAIR_LEFT, -1, 22)
    part = spline([(72, -356), (69, -400), (63, -452), (55, -512)])
    s.shade(s.line(part, 6, 3), rgb("#000000"), 0.30)
    # Light from behind, as studios hang it, along the outer edges.
    cover = s.pixels[..., 3]
    soft = cv2.GaussianBlur(cover, (0, 0), 9)
    rim = np.clip((0.86 - soft) * 1.8, 0, 1) * smooth(215, 330, np.hypot(s.xx, np.minimum(s.yy, 0) * 0.72))
    s.light(rim * smooth(440, 200, s.yy), rgb("#8FA6C8"), 0.30)
    s.light(np.clip(rim, 0, 1) * smooth(0, 160, s.xx) * smooth(440, 200, s.yy), rgb("#A9BEDD"), 0.22)
    return s


def back_hair() -> Sheet:
    s = Sheet(-430, -300, 430, 600)
    right = [
        (0, -260),
        (230, -230),
        (326, -60),
        (340, 150),
        (326, 330),
        (292, 460),
        (262, 520),
        (190, 527),
        (95, 520),
        (0, 518),
    ]
    outline = spline([*right, *[(-x, y) for x, y in right[-2:0:-1]]], closed=True)
    s.fill(s.mask(outline, 2.5), rgb("#0F0A0A"))
    rng = np.random.default_rng(9)

    def draw(canvas: skia.Canvas) -> None:
        for _ in range(900):
            x = float(rng.uniform(-330, 330))
            shade = 0.07 + 0.05 * rng.random() + 0.06 * (abs(x) / 330) ** 3
            points = np.array(
                [[x, 120], [x * 1.04, 330], [x * 0.94, 516 + 8 * abs(x) / 330 + rng.uniform(-22, 3)]], np.float32
            )
            stroke(canvas, points[::-1], float(rng.uniform(2, 5)), 0.35, (shade * 1.2, shade * 0.85, shade * 0.78))

    s.over(s.raster(draw) * s.mask(outline, 2)[..., None])
    return s


# ---------------------------------------------------------------- neck and body


def mirrored(points: Points) -> Floats:
    """A closed outline from its right half, given from top to bottom."""
    right = spline(points)
    return np.vstack([right, right[::-1] * np.array([-1, 1], np.float32)])


def neck() -> Sheet:
    s = Sheet(-420, 300, 420, 1010)
    outline = mirrored(
        [(160, 300), (150, 420), (141, 530), (145, 592), (164, 638), (204, 676), (238, 704), (254, 760), (258, 1180)]
    )
    x, y = s.xx, s.yy
    half = np.interp(y[:, 0], [300, 530, 600, 660, 720, 820, 1180], [190, 174, 184, 250, 340, 460, 540]).astype(
        np.float32
    )[:, None]
    z = 150 * (1 - np.clip(np.abs(x) / half, 0, 1) ** 2.4) ** 0.7
    z = z + bump(s, 0, 770, 22, 26, -12)  # the pit of the throat
    for side in (-1, 1):
        muscle = s.line(spline([(side * 148, 520), (side * 104, 640), (side * 38, 768)]), 34, 12)
        bone = s.line(spline([(side * 44, 792), (side * 130, 786), (side * 250, 770), (side * 380, 752)]), 26, 9)
        z = z + 11 * muscle + 8 * bone
        z = z - 5 * s.line(spline([(side * 60, 826), (side * 150, 822), (side * 280, 812)]), 30, 14)
        z = z + 12 * s.blob(side * 150, 1010, 120, 110)
    shade = np.clip((lit(z.astype(np.float32)) - 0.30) / 0.66, 0, 1) * 0.93
    s.fill(s.mask(outline), ramp(shade))
    chin = spline(
        [(-205, 360), (-150, 500), (-60, 592), (10, 610), (90, 594), (180, 510), (205, 360), (0, 280)], closed=True
    )
    s.shade(s.mask(chin, 20), rgb("#A8654F"), 0.72)
    s.shade(s.mask(chin + np.array([0, -46], np.float32), 14), rgb("#8A4A3C"), 0.55)
    for side in (-1, 1):
        s.shade(smooth(84, 160, side * x) * smooth(760, 640, y), rgb("#B57860"), 0.50 if side > 0 else 0.34)
    s.light(s.blob(-70, 900, 110, 60), rgb("#FFF0E4"), 0.16)
    necklace(s)
    return s


def necklace(s: Sheet) -> None:
    """A fine gold chain with a small pendant."""
    chain = spline(
        [(-196, 712), (-160, 780), (-96, 842), (-34, 876), (0, 884), (34, 876), (96, 842), (160, 780), (196, 712)]
    )
    s.shade(s.line(chain + np.array([2, 5], np.float32), 4, 2), rgb("#A8654F"), 0.45)
    s.fill(s.line(chain, 3.0, 0.6), rgb("#C79A50"), 0.95)
    s.light(s.line(chain[: len(chain) // 2] + np.array([0, -0.8], np.float32), 1.2, 0.5), rgb("#FFF0C8"), 0.6)
    s.shade(s.blob(2, 903, 11, 12), rgb("#A8654F"), 0.5)
    s.fill(smooth(11.0, 9.6, np.hypot(s.xx, s.yy - 896)), rgb("#F2EDE6"))
    pearl = smooth(11.0, 9.6, np.hypot(s.xx, s.yy - 896))
    s.shade(pearl * smooth(3, 13, np.hypot(s.xx + 3, s.yy - 893)), rgb("#9C8F88"), 0.7)
    s.light(s.blob(-3, 892.5, 3, 3), rgb("#FFFFFF"), 0.9)


SUIT, SUIT_DARK, SUIT_LIGHT = rgb("#67233D"), rgb("#2C0D1A"), rgb("#B4708A")


def cloth(s: Sheet, outline: Floats, tone: Colour, soft: float = 1.0) -> Floats:
    """Fill an outline with cloth that darkens towards its right edge; returns its coverage."""
    cover = s.mask(outline, soft)
    s.fill(cover, tone)
    return cover


def fold(s: Sheet, cover: Floats, points: Points, width: float, amount: float) -> None:
    """A soft valley with a lit ridge beside it."""
    curve = spline(points)
    taper = np.sin(np.linspace(0.05, np.pi - 0.05, len(curve))).astype(np.float32)
    s.shade(cover * s.line(curve, width * taper, width * 0.45), rgb("#220A14"), amount)
    s.light(cover * s.line(curve + np.array([-width * 0.9, -width * 0.3], np.float32),
        width * 0.8 * taper, width * 0.5),
            SUIT_LIGHT, amount * 0.45)  # fmt: skip


def sleeve(s: Sheet, side: int) -> None:
    outer = [(560, 840), (600, 806), (660, 824), (722, 866), (762, 940), (784, 1050), (802, 1250), (818, 1500),
        (826, 1800),
             (818, 2150), (796, 2500), (772, 2900), (762, 3300)]  # fmt: skip
    inner = [(524, 3300), (548, 2900), (568, 2500), (586, 2150), (598, 1860), (594, 1600), (566, 1300), (480, 1000)]
    outline = spline([(side * a, b) for a, b in outer + inner], closed=True)
    cover = cloth(s, outline, SUIT)
    depth = s.xx * side
    s.shade(cover * smooth(650, 850, depth + (s.yy - 900) * 0.02), SUIT_DARK, 0.75 if side > 0 else 0.45)
    s.shade(cover * smooth(660, 530, depth) * smooth(1050, 1450, s.yy), SUIT_DARK, 0.80)
    s.light(cover * s.line(spline([(side * 676, 890), (side * 708, 1100), (side * 724, 1450), (side * 726, 1850),
        (side * 694, 2450)]),
                           70, 40), SUIT_LIGHT, 0.34 if side < 0 else 0.20)  # fmt: skip
    for y, dx in ((1650, 30), (1780, -30), (1860, 25), (1970, -18)):
        fold(s, cover, [(side * 606, y), (side * 676, y + 26 + dx), (side * 756, y + 22)], 17, 0.24)
    edge = s.mask(outline) - s.mask(outline - np.array([side * 9, -6], np.float32), 5)
    s.light(np.clip(edge, 0, 1) * cover * smooth(540, 640, depth), rgb("#E3B4C6"), 0.34 if side < 0 else 0.20)
    fold(s, cover, [(side * 600, 1140), (side * 626, 1220), (side * 618, 1360)], 22, 0.4)


def torso(s: Sheet) -> Floats:
    right: Points = [
        (150, 600), (196, 650), (300, 704), (470, 762), (580, 793), (632, 812), (656, 870), (662, 960), (644, 1110),
        (608, 1300), (564, 1530), (520, 1760), (496, 1940), (506, 2120), (552, 2380), (598, 2710), (620, 3020),
         (626, 3300),
    ]  # fmt: skip
    cover = cloth(s, mirrored(right), SUIT)
    x = s.xx
    for side in (-1, 1):
        s.shade(cover * smooth(400, 670, side * x) * smooth(960, 1350, s.yy), SUIT_DARK, 0.80 if side > 0 else 0.6)
        s.light(cover * s.blob(side * 300, 1230, 130, 150), SUIT_LIGHT, 0.30 if side < 0 else 0.18)
        s.shade(cover * s.blob(side * 250, 1480, 170, 70), SUIT_DARK, 0.35)
        s.light(cover * s.line(spline([(side * 320, 742), (side * 500, 800), (side * 610, 836)]), 36, 18), SUIT_LIGHT,
                0.42 if side < 0 else 0.26)  # fmt: skip
        # The seam where the sleeve is set in, and the fold at the armpit.
        seam_line = spline(
            [(side * 630, 814), (side * 656, 880), (side * 658, 980), (side * 640, 1110), (side * 614, 1220)]
        )
        s.shade(cover * s.line(seam_line, 4, 1.2), rgb("#14050B"), 0.55)
        s.light(cover * s.line(seam_line - np.array([side * 6, 0], np.float32), 4, 2), SUIT_LIGHT, 0.22)
        fold(s, cover, [(side * 640, 1230), (side * 560, 1300), (side * 470, 1330)], 26, 0.45)
        fold(s, cover, [(side * 620, 1320), (side * 520, 1440), (side * 400, 1520)], 22, 0.34)
        fold(s, cover, [(side * 60, 1690), (side * 220, 1730), (side * 420, 1700)], 20, 0.38)
        fold(s, cover, [(side * 80, 1730), (side * 240, 1850), (side * 420, 1900)], 20, 0.30)
        dart = spline([(side * 300, 1420), (side * 270, 1700), (side * 262, 2050)])
        s.shade(cover * s.line(dart, 3, 1.0), rgb("#14050B"), 0.45)
        pocket = spline([(side * 215, 2230), (side * 330, 2212), (side * 450, 2222)])
        s.shade(cover * s.line(pocket, 6, 1.5), rgb("#14050B"), 0.55)
        flap = np.vstack([pocket, (pocket + np.array([0, 54], np.float32))[::-1]])
        s.shade(
            np.clip(s.mask(flap + np.array([0, 7], np.float32), 5) - s.mask(flap), 0, 1) * cover, rgb("#14050B"), 0.5
        )
        s.light(cover * s.mask(flap, 1), SUIT_LIGHT, 0.10)
        s.light(cover * s.line(pocket + np.array([0, 53], np.float32), 2.5, 1), SUIT_LIGHT, 0.35)
    return cover


def blouse(s: Sheet) -> None:
    """An ivory blouse with a soft round neckline, seen between the lapels."""
    neckline = [
        (-236, 716),
        (-206, 800),
        (-140, 882),
        (-62, 926),
        (0, 938),
        (62, 926),
        (140, 882),
        (206, 800),
        (236, 716),
    ]
    outline = np.vstack([spline(neckline), np.array([(330, 1000), (60, 1720), (-60, 1720), (-330, 1000)], np.float32)])
    cover = s.mask(outline, 0.8)
    s.fill(cover, rgb("#F4EEE6"))
    edge = spline(neckline)
    s.shade(cover * s.line(edge + np.array([0, 9], np.float32), 2.2, 0.8), rgb("#A79A8E"), 0.55)
    s.shade(cover * s.line(edge + np.array([0, 1], np.float32), 5, 1.5), rgb("#BBAEA2"), 0.5)
    s.light(cover * s.line(edge + np.array([0, 5], np.float32), 4, 1.2), rgb("#FFFFFF"), 0.7)
    grey = rgb("#A59C9A")
    for points, width, amount in (
        ([(-120, 930), (-92, 1080), (-40, 1290)], 22, 0.40), ([(118, 930), (100, 1080), (58, 1270)], 22, 0.46),
        ([(-30, 960), (-36, 1150), (-16, 1420)], 16, 0.28), ([(44, 965), (52, 1120), (30, 1330)], 15, 0.30),
        ([(-180, 890), (-160, 1000), (-110, 1140)], 20, 0.34), ([(180, 890), (160, 1010), (116, 1150)], 20, 0.4),
        ([(-6, 1300), (8, 1440), (0, 1600)], 16, 0.3),
    ):  # fmt: skip
        curve = spline(points)
        taper = np.sin(np.linspace(0.05, np.pi - 0.05, len(curve))).astype(np.float32)
        s.shade(cover * s.line(curve, width * taper, width * 0.5), grey, amount)
        s.light(
            cover * s.line(curve + np.array([-width, 0], np.float32), width * taper, width * 0.5),
            rgb("#FFFFFF"),
            amount,
        )
    s.shade(cover * smooth(1150, 1700, s.yy), rgb("#9C9496"), 0.55)
    s.shade(cover * smooth(60, 260, np.abs(s.xx) + (s.yy - 938) * 0.22), rgb("#A39B9E"), 0.45)


def lapels(s: Sheet) -> None:
    for side in (1, -1):  # the anchor's right front (viewer's left) lies on top
        lapel = [(150, 646), (214, 668), (300, 850), (352, 948), (470, 930), (478, 950), (436, 1130), (322, 1370),
            (160, 1580),
                 (24, 1716), (-14, 1716), (20, 1610), (90, 1420), (168, 1190), (214, 980), (222, 860),
                  (196, 740)]  # fmt: skip
        # Straight edges are kept straight by doubling the points at corners.
        outline = np.array([(side * a, b) for a, b in rounded(lapel)], np.float32)
        shadow = s.mask(outline + np.array([side * 4 + 4, 12], np.float32), 13)
        s.shade(shadow * s.pixels[..., 3], rgb("#16060D"), 0.62)
        cover = s.mask(outline, 0.8)
        s.fill(cover, rgb("#742A47") if side < 0 else rgb("#612039"))
        s.light(cover * s.line(spline([(side * 250, 800), (side * 350, 1010), (side * 300, 1240),
            (side * 120, 1540)]), 60, 34),
                SUIT_LIGHT, 0.34 if side < 0 else 0.16)  # fmt: skip
        s.shade(cover * s.line(spline([(side * 196, 740), (side * 222, 860), (side * 214, 980), (side * 168, 1190),
            (side * 90, 1420),
                                       (side * 10, 1640)]), 34, 15), rgb("#1C0810"), 0.55)  # fmt: skip
        closing = np.vstack([outline, outline[:1]])
        s.light(cover * s.line(closing, 3.0, 0.9), SUIT_LIGHT, 0.50 if side < 0 else 0.30)
        inset = outline * 0.965 + outline.mean(axis=0) * 0.035
        s.shade(cover * s.line(np.vstack([inset, inset[:1]]), 2.0, 0.8), rgb("#2A0C18"), 0.35)
        collar = np.array([(side * a, b) for a, b in rounded(
            [(146, 640), (212, 664), (296, 836), (402, 872), (392, 902), (352, 948), (226, 900),
             (196, 740)])], np.float32)  # fmt: skip
        s.shade(s.mask(collar + np.array([side * 2, 8], np.float32), 6) * s.pixels[..., 3] * cover, rgb("#16060D"), 0.5)
        top = s.mask(collar, 0.8)
        s.fill(top, rgb("#7B2E4C") if side < 0 else rgb("#68243F"))
        s.shade(
            top * s.line(spline([(side * 196, 740), (side * 214, 830), (side * 240, 905)]), 30, 12), rgb("#1C0810"), 0.5
        )
        s.light(top * s.line(np.vstack([collar, collar[:1]]), 3.0, 0.9), SUIT_LIGHT, 0.5 if side < 0 else 0.28)
        s.light(top * s.line(spline([(side * 220, 700), (side * 290, 850), (side * 370, 885)]), 22, 12), SUIT_LIGHT,
                0.4 if side < 0 else 0.22)  # fmt: skip
    front = spline([(-6, 1716), (2, 1900), (14, 2200), (60, 2600), (120, 3000), (140, 3300)])
    s.shade(s.line(front + np.array([8, 0], np.float32), 12, 6), rgb("#14050B"), 0.6)
    s.light(s.line(front, 3, 1), SUIT_LIGHT, 0.4)
    for y in (1790, 2010):
        s.shade(s.blob(-36, y + 6, 20, 19), rgb("#12050A"), 0.7)
        s.fill(smooth(19, 17.4, np.hypot(s.xx + 40, s.yy - y)), rgb("#3C1223"))
        s.light(s.blob(-45, y - 6, 8, 6), SUIT_LIGHT, 0.7)


def rounded(points: Points) -> Points:
    """An outline whose corners are kept, with gently curved sides."""
    p = np.asarray(points, np.float32)
    out = []
    for a, b in zip(p, np.roll(p, -1, axis=0), strict=True):
        for t in np.linspace(0, 1, 10, endpoint=False):
            out.append(tuple(a + (b - a) * t))
    q = np.asarray(out, np.float32)
    kernel = np.hanning(9) / np.hanning(9).sum()
    wrapped = np.vstack([q[-4:], q, q[:4]])
    return [
        (float(np.dot(wrapped[i : i + 9, 0], kernel)), float(np.dot(wrapped[i : i + 9, 1], kernel)))
        for i in range(len(q))
    ]


def pin(s: Sheet) -> None:
    """A small gold lapel pin."""
    x, y = -372.0, 1090.0
    s.shade(s.blob(x + 5, y + 8, 17, 15), rgb("#12050A"), 0.6)
    r = np.hypot(s.xx - x, s.yy - y)
    s.fill(smooth(18.5, 17, r), rgb("#B98A3E"))
    s.light(s.blob(x - 6, y - 7, 8, 7), rgb("#FFF3C8"), 0.85)
    s.shade(smooth(11.5, 10, r) * smooth(7.5, 9, r), rgb("#7A5520"), 0.7)
    s.light(s.blob(x, y, 4, 4), rgb("#FFF6DA"), 0.7)


def body() -> Sheet:
    s = Sheet(-930, 560, 930, 3300)
    sleeve(s, -1)
    sleeve(s, 1)
    torso(s)
    opening = np.array([(-196, 560), (-196, 740), (-222, 860), (-214, 980), (-168, 1190), (0, 1716), (168, 1190),
        (214, 980), (222, 860),
                        (196, 740), (196, 560)], np.float32)  # fmt: skip
    s.cut(1 - s.mask(opening, 1))
    below = Sheet(-930, 560, 930, 3300)
    blouse(below)
    s.pixels = below.pixels * (1 - s.pixels[..., 3:]) + s.pixels
    lapels(s)
    pin(s)
    return s


# ---------------------------------------------------------------- rig: how the face moves

HEAD_GRID = (-448, -592, 448, 688, 16)
"""Left, top, right, bottom and step of the nodes on which head displacements and depths are given."""
LIP_GRID = (-168, 204, 168, 420, 8)

Brush = tuple[float, float, float, float, float, float]
"""Centre x, y, radii x, y, and the displacement there: fades to nothing at the radii."""


def nodes(grid: tuple[int, int, int, int, int]) -> tuple[Floats, Floats]:
    left, top, right, bottom, step = grid
    yy, xx = np.mgrid[top : bottom + 1 : step, left : right + 1 : step].astype(np.float32)
    return xx, yy


def mouth_y(x: Floats) -> Floats:
    line = spline(MOUTH_LINE)
    return np.interp(x, line[:, 0], line[:, 1]).astype(np.float32)


def brushed(xx: Floats, yy: Floats, brushes: Sequence[Brush]) -> Floats:
    out = np.zeros((*xx.shape, 2), np.float32)
    for x, y, rx, ry, dx, dy in brushes:
        weight = np.clip(1 - ((xx - x) / rx) ** 2 - ((yy - y) / ry) ** 2, 0, 1) ** 2
        out += weight[..., None] * np.array([dx, dy], np.float32)
    return out


def lip_shape(xx: Floats, yy: Floats, *, upper: bool, edge: float, border: float, reach: float = 60.0, side: int = 0,
              power: float = 0.7) -> Floats:  # fmt: skip
    """Vertical movement of one lip: `edge` at the mouth line, `border` at the edge of the red, nothing `reach` beyond.

    Nothing moves at the corners of the mouth, where both lips meet.
    """
    across = np.clip(1 - (xx / 100) ** 2, 0, 1) ** power
    if side:
        across = across * smooth(-60, 60, side * xx)
    line = mouth_y(xx)
    outline = spline(LIP_TOP if upper else LIP_BOTTOM)
    red = np.abs(np.interp(xx, outline[:, 0], outline[:, 1]) - line) + 1.0
    away = (line - yy) if upper else (yy - line)
    inside = edge + (border - edge) * np.clip(away / red, 0, 1)
    amount = np.where(away <= red, inside, border * smooth(reach, 0, (away - red).astype(np.float32)))
    out = np.zeros((*xx.shape, 2), np.float32)
    out[..., 1] = amount * across
    return out


JAW_SHARE = ([180, 240, 284, 330, 380, 440, 500, 700], [0.0, 0.08, 0.25, 0.50, 0.77, 0.95, 1.0, 1.0])
JAW_DROP = 84.0


def jaw(xx: Floats, yy: Floats, *, upper: bool, drop: float, slide: float = 0.0) -> Floats:
    """The lower jaw opened by `drop` or slid sideways: lower lip, chin and cheeks follow, the upper lip does not."""
    share = np.interp(yy, *JAW_SHARE).astype(np.float32) * (1 - 0.30 * smooth(120, 300, np.abs(xx)))
    sideways = share * slide
    across = np.clip(1 - (xx / 100) ** 2, 0, 1)
    if upper:
        share = share * (1 - across**0.8) - 0.035 * across * smooth(230, 285, yy)
    else:
        near = smooth(470, 350, yy)
        share = share + across**0.62 * near * (1.16 - share)
    out = np.zeros((*xx.shape, 2), np.float32)
    out[..., 1] = share * drop
    out[..., 0] = sideways
    return out


def shape_field(name: str, xx: Floats, yy: Floats, *, upper: bool) -> Floats:
    """Displacement of skin by one coefficient at full weight, for the upper or the lower lip's side of the mouth."""
    side = 1 if name.endswith("Left") else -1
    kind = name.removesuffix("Left").removesuffix("Right")

    def lip(*, edge_up: float = 0, border_up: float = 0, edge_low: float = 0, border_low: float = 0, one: int = 0,
            reach: float = 60, power: float = 0.7) -> Floats:  # fmt: skip
        edge, border = (edge_up, border_up) if upper else (edge_low, border_low)
        return lip_shape(xx, yy, upper=upper, edge=edge, border=border, side=one, reach=reach, power=power)

    def paint(*brushes: Brush) -> Floats:
        return brushed(xx, yy, brushes)

    def both(*brushes: Brush) -> Floats:
        return brushed(xx, yy, [*brushes, *((-x, y, rx, ry, -dx, dy) for x, y, rx, ry, dx, dy in brushes)])

    x = side
    if name in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
        x = 1 if name.endswith("Left") else -1
        if name.startswith("jaw"):
            return jaw(xx, yy, upper=upper, drop=0, slide=x * 34)
        return paint((0, 294, 190, 110, x * 30, 0))

    def pinch(amount: float) -> Floats:
        """Narrow the mouth evenly, so that lips stay round."""
        fade = smooth(215, 96, np.abs(xx)) * smooth(140, 50, np.abs(yy - 292))
        return np.stack([-amount * np.clip(xx, -98, 98) * fade, np.zeros_like(xx)], axis=-1)

    recipes: dict[str, Callable[[], Floats]] = {
        "jawOpen": lambda: jaw(xx, yy, upper=upper, drop=JAW_DROP) + both((104, 286, 80, 70, -7, 0)),
        "jawForward": lambda: paint((0, 430, 170, 150, 0, 9)) + lip(edge_low=2, border_low=5),
        "mouthClose": lambda: lip(edge_up=12, border_up=9, edge_low=-86, border_low=-80, reach=120, power=0.62),
        "mouthFunnel": lambda: pinch(0.37) + lip(edge_up=-23, border_up=-19, edge_low=19, border_low=20, reach=70,
            power=0.4)
        + both((98, 286, 66, 62, 0, 19)),
        "mouthPucker": lambda: pinch(0.46) + lip(edge_up=-5, border_up=-11, edge_low=4, border_low=12, reach=60,
            power=0.4)
        + both((98, 286, 60, 50, 0, 7)),
        "mouthSmile": lambda: paint((x * 104, 278, 80, 84, x * 15, -21), (x * 178, 205, 120, 110, x * 7, -16),
                                    (x * 50, 292, 62, 60, x * 5, 0)),
        "mouthFrown": lambda: paint((x * 100, 286, 78, 76, x * -1, 19), (x * 80, 340, 80, 60, 0, 5)),
        "mouthDimple": lambda: paint((x * 104, 285, 74, 70, x * 14, -4), (x * 150, 270, 80, 80, x * 5, -2)),
        "mouthStretch": lambda: paint((x * 102, 286, 90, 80, x * 21, 5), (x * 150, 350, 110, 110, x * 6, 5)),
        "mouthRollLower": lambda: lip(edge_low=3, border_low=-22, reach=80) if not upper else paint(),
        "mouthRollUpper": lambda: lip(edge_up=5, border_up=21, reach=60) if upper else paint(),
        "mouthShrugLower": lambda: paint((0, 420, 120, 100, 0, -14)) + lip(edge_low=-12, border_low=-15, edge_up=-9,
            border_up=-7),
        "mouthShrugUpper": lambda: lip(edge_up=-9, border_up=-11) + paint((0, 230, 60, 50, 0, -3)),
        "mouthPress": lambda: lip(edge_up=5, border_up=9, edge_low=-7, border_low=-12, one=x)
        + paint((x * 102, 285, 60, 60, x * 4, 0)),
        "mouthLowerDown": lambda: lip(edge_low=36, border_low=34, one=x, reach=80, power=0.6) + paint((x * 60, 350,
            90, 70, 0, 5)),
        "mouthUpperUp": lambda: lip(edge_up=-33, border_up=-29, one=x, reach=60, power=0.6) + paint((x * 64, 200, 60,
            60, x * 2, -7)),
        "browDown": lambda: paint((x * 82, -88, 90, 80, x * -7, 21), (x * 165, -96, 100, 76, x * -2, 13),
                                  (x * 60, -40, 50, 50, x * -2, 6)),
        "browInnerUp": lambda: both((66, -84, 92, 96, 1, -31), (125, -104, 70, 80, 0, -9), (0, -170, 120, 110, 0, -6)),
        "browOuterUp": lambda: paint((x * 172, -96, 112, 92, x * 2, -31), (x * 160, -180, 130, 110, 0, -7)),
        "cheekPuff": lambda: both((190, 270, 150, 150, 24, 2), (110, 300, 80, 80, 6, 0)),
        "cheekSquint": lambda: paint((x * 140, 90, 120, 90, x * 2, -15), (x * 190, 150, 130, 100, x * 3, -11)),
        "noseSneer": lambda: paint((x * 52, 168, 50, 58, x * 4, -15), (x * 36, 90, 60, 90, 0, -6),
            (x * 66, 262, 50, 40, 0, -9)),
        "tongueOut": lambda: lip(edge_low=16, border_low=14, edge_up=-5, border_up=-4),
        "eyeBlink": lambda: paint((x * 130, -98, 110, 46, 0, 3)),
        "eyeWide": lambda: paint((x * 130, -92, 120, 62, 0, -5)),
        "eyeSquint": lambda: paint((x * 135, 66, 96, 50, 0, -6), (x * 130, -92, 110, 60, 0, 3)),
    }  # fmt: skip
    return recipes[kind]()


SHAPES = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward",
    "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip


def bases() -> dict[str, NDArray[np.float16]]:
    """Displacements for every coefficient in `SHAPES` on the two grids: (shapes, rows, columns, 2) in art pixels."""
    hx, hy = nodes(HEAD_GRID)
    lx, ly = nodes(LIP_GRID)
    below = (hy > mouth_y(hx))[..., None]
    head, upper, lower = [], [], []
    for name in SHAPES:
        above = shape_field(name, hx, hy, upper=True)
        head.append(np.where(below, shape_field(name, hx, hy, upper=False), above))
        upper.append(shape_field(name, lx, ly, upper=True))
        lower.append(shape_field(name, lx, ly, upper=False))
    return {k: np.stack(v).astype(np.float16) for k, v in (("head", head), ("upper", upper), ("lower", lower))}


def depths() -> dict[str, NDArray[np.float16]]:
    """How far each layer stands out towards the viewer, on the head grid, in art pixels from the plane of the ears."""
    left, top, right, bottom, step = HEAD_GRID
    s = Sheet(left, top, right + step, bottom + step)
    face = cv2.GaussianBlur(face_height(s), (0, 0), 9)[::step, ::step] - 40
    xx, yy = nodes(HEAD_GRID)
    face = np.where(yy > 500, np.minimum(face, 150), face)
    hair = 290 * np.sqrt(np.clip(1 - (np.abs(xx) / 430) ** 2.2, 0, 1)) * (1 - 0.55 * smooth(-330, -560, yy)) - 96
    hair = hair * (1 - 0.35 * smooth(100, 500, yy))
    inside = smooth(240, 130, np.abs(xx)) * smooth(330, 480, yy)
    back = -85 + inside * 125
    return {
        "depth_face": face.astype(np.float16),
        "depth_hair": hair.astype(np.float16),
        "depth_back": back.astype(np.float16),
    }


# ---------------------------------------------------------------- inside of the mouth


def cavity() -> Sheet:
    s = Sheet(-130, 200, 130, 460)
    s.fill(np.ones(s.shape, np.float32), rgb("#4A1518"))
    s.shade(smooth(330, 255, s.yy), rgb("#200608"), 0.9)
    s.shade(smooth(30, 90, np.abs(s.xx)), rgb("#4A2022"), 0.6)
    return s


def teeth_upper() -> Sheet:
    s = Sheet(-100, 240, 100, 330)
    edge = spline(
        [(-92, 283), (-70, 294), (-46, 301), (-22, 306.5), (0, 308), (22, 306.5), (46, 301), (70, 294), (92, 283)]
    )
    outline = np.vstack([np.array([(-92, 240)], np.float32), edge, np.array([(92, 240)], np.float32)])
    s.fill(s.mask(outline, 0.8), rgb("#F6F0EA"))
    for x in (0, -21, 21, -40, 40, -57, 57, -72, 72):
        s.shade(s.line(np.array([(x, 262), (x * 1.0, 285), (x, 309)], np.float32), 1.6, 0.9), rgb("#B9A59B"), 0.42)
    s.shade(smooth(30, 92, np.abs(s.xx)), rgb("#6E4A45"), 0.85)
    s.cut(smooth(94, 62, np.abs(s.xx)))
    s.shade(smooth(292, 262, s.yy), rgb("#A88980"), 0.75)
    s.light(s.blob(0, 298, 34, 5), rgb("#FFFFFF"), 0.4)
    return s


def teeth_lower() -> Sheet:
    s = Sheet(-90, 270, 90, 350)
    edge = spline([(-74, 309), (-50, 301), (-24, 297.5), (0, 297), (24, 297.5), (50, 301), (74, 309)])
    outline = np.vstack([edge, np.array([(74, 350), (-74, 350)], np.float32)])
    s.fill(s.mask(outline, 0.8), rgb("#E4D8D0"))
    for x in (0, -15, 15, -30, 30, -46, 46, -60, 60):
        s.shade(s.line(np.array([(x, 295), (x, 320), (x, 345)], np.float32), 1.5, 0.9), rgb("#A08A80"), 0.5)
    s.shade(smooth(22, 74, np.abs(s.xx)), rgb("#6E4A45"), 0.9)
    s.shade(smooth(300, 335, s.yy), rgb("#8A6A62"), 0.6)
    return s


def tongue() -> Sheet:
    s = Sheet(-80, 270, 80, 390)
    outline = spline(
        [(-64, 390), (-62, 336), (-46, 303), (-20, 291), (0, 293), (20, 291), (46, 303), (62, 336), (64, 390)]
    )
    cover = s.mask(outline, 2.0)
    s.fill(cover, rgb("#C4606A"))
    s.shade(cover * smooth(26, 62, np.abs(s.xx)), rgb("#7A2B35"), 0.65)
    s.shade(cover * s.line(spline([(0, 296), (0, 330), (0, 390)]), 7, 3), rgb("#8A333D"), 0.5)
    s.light(cover * s.blob(-18, 306, 18, 7), rgb("#FFC9C4"), 0.35)
    s.shade(cover * smooth(310, 380, s.yy), rgb("#6A2029"), 0.5)
    return s


def lip_sprite(face: Sheet, *, upper: bool) -> Sheet:
    """One lip with the skin around it, cut at the mouth line; the upper one reaches a little below it."""
    left, top, right, bottom, _ = LIP_GRID
    s = Sheet(left, top, right, bottom)
    y0, x0 = top - face.top, left - face.left
    s.pixels = face.pixels[y0 : y0 + s.shape[0], x0 : x0 + s.shape[1]].copy()
    line = mouth_y(s.xx)
    inner = np.clip(1 - (s.xx / 100) ** 2, 0, 1) ** 0.5
    # Beyond the line lies the lip's wet inside, which shows only when the mouth opens.
    if upper:
        s.shade(np.exp(-0.5 * ((s.yy - line) / 3.0) ** 2) * inner, rgb("#6A2426"), 0.75)
        keep = smooth(3.0, 1.4, s.yy - line - 1.0 * inner)
        far = smooth(-1.0, -0.62, (s.yy - line) / 84)
    else:
        s.light(np.exp(-0.5 * ((s.yy - line - 3) / 3.0) ** 2) * inner, rgb("#C66A66"), 0.18)
        keep = smooth(-2.6, -1.0, s.yy - line + 0.7 * inner)
        far = smooth(1.0, 0.62, (s.yy - line) / 118)
    sides = smooth(1.0, 0.80, np.abs(s.xx) / 166)
    s.cut(keep * far * sides)
    return s


# ---------------------------------------------------------------- the package

MANIFEST = """\
# The bundled anchor. Drawn by tools/build_avatar.py; change the tool, not the files.
name = "lin"
title = "Lin"
kind = "puppet"
licence = "Apache-2.0"
languages = ["zh", "en", "ja", "ko", "es", "fr", "de"]

[consent]
who = "nobody: a drawing made for this project that depicts no real person"
scope = "any use the licence allows"
until = "unlimited"

# All numbers are art pixels: x to the viewer's right from the middle of the face, y down from the eye line.
# Left is the anchor's own left, at positive x.
[figure]
crown = -514
chin = 487
pivot = [0, 330, -60]
neck = [500, 770]
chest = [600, 2000]
lift = 6.5
fields = "fields.npz"
grid = {head_grid}
shapes = {shapes}

[mouth]
line = {line}
grid = {lip_grid}
depth = 190
jaw_drop = {jaw_drop}

[eyes]
left = [{eye_x}, {eye_y}]
right = [-{eye_x}, {eye_y}]
box = {lid_box}
closures = {closures}
rises = {rises}
iris_rest = [0, -1.5]
ball_radius = 66

[layers]
"""


def save(folder: Path, name: str, sheet: Sheet, quality: int = 93) -> str:
    """Write one layer, which both eyes may share; returns its lines for the manifest."""
    from PIL import Image

    straight = sheet.image()
    Image.fromarray(np.ascontiguousarray(straight[..., [2, 1, 0, 3]]), "RGBA").save(
        folder / f"{name}.webp", quality=quality, method=6, exact=True
    )
    both = name in ("eyeball", "iris")
    layers = (f"{name}_left", f"{name}_right") if both else (name,)
    return "".join(f'{each} = {{ file = "{name}.webp", at = [{sheet.left}, {sheet.top}] }}\n' for each in layers)


def raised(sheet: Sheet) -> Sheet:
    """Set neck and shoulders at the height that suits the head."""
    sheet.top -= 36
    return sheet


def build(folder: Path, only: Sequence[str] = ()) -> None:
    """Draw everything, or only the named layers, and write the package into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    face = Sheet(-340, -500, 340, 520)
    base, _ = skin(face)
    paint_face(face, base)
    paint_mouth(face)
    brows = Sheet(-340, -500, 340, 520)
    paint_brows(brows)
    upper, lower = lip_sprite(face, upper=True), lip_sprite(face, upper=False)
    face.shade(seam(face), rgb("#5B2020"), 0.6)
    sheets: dict[str, Callable[[], Sheet]] = {
        "back": back_hair, "neck": lambda: raised(neck()), "body": lambda: raised(body()),
            "face": lambda: face, "brows": lambda: brows,
        "lip_upper": lambda: upper, "lip_lower": lambda: lower, "cavity": cavity, "teeth_upper": teeth_upper,
        "teeth_lower": teeth_lower, "tongue": tongue, "eyeball": eyeball, "iris": iris,
        "lids_left": lambda: lid_sheet(base, face, 1), "lids_right": lambda: lid_sheet(base, face, -1),
            "hair": front_hair,
    }  # fmt: skip
    lines = [save(folder, name, draw()) for name, draw in sheets.items() if not only or name in only]
    if only:
        return
    np.savez_compressed(folder / "fields.npz", allow_pickle=False, **bases(), **depths())
    line = [[round(float(x), 1), round(float(y), 1)] for x, y in along(spline(MOUTH_LINE), 29)]
    manifest = MANIFEST.format(
        head_grid=list(HEAD_GRID), lip_grid=list(LIP_GRID), shapes=json.dumps(SHAPES), line=line, jaw_drop=JAW_DROP,
        eye_x=round(EYE_X), eye_y=round(EYE_Y), lid_box=list(LID_BOX), closures=list(LID_LEVELS),
            rises=list(LOWER_LEVELS),
    )  # fmt: skip
    (folder / "avatar.toml").write_text(manifest + "".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=(), help="draw these layers again and nothing else")
    given = parser.parse_args()
    build(given.folder, given.only)


if __name__ == "__main__":
    main()
