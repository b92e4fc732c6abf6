"""Skin painted as seen from the front: lips, blush, shadows of brows and beard. Linear RGB, float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from avatars.face_basis import INNER_UPPER, OUTER_LOWER, OUTER_UPPER
from tools.people.head import Head

BOUNDS = (-14.0, -20.0, 14.0, 16.0)
"""What the painting covers of x and y, in centimetres."""
_DOTS = 72
"""Pixels a centimetre."""
_BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
_BAGS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))

_BEARD = (
    234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 425, 426,
    436, 410, 287, 273, 335, 18, 106, 43, 57, 186, 216, 206, 205,
)  # fmt: skip


@dataclass(frozen=True)
class Complexion:
    """Colours in linear RGB, and how much of each trait there is."""

    skin: tuple[float, float, float]
    lips: tuple[float, float, float]
    hair: tuple[float, float, float]
    blush: float
    beard: float
    shade: float
    """Of the lids, as by make-up."""
    seed: int


class Canvas:
    """The painting, and masks on it in centimetres."""

    def __init__(self, head: Head) -> None:
        self.head = head
        left, bottom, right, top = BOUNDS
        self.size = (round((right - left) * _DOTS), round((top - bottom) * _DOTS))
        self.x, self.y = np.meshgrid(
            np.linspace(left, right, self.size[0], dtype=np.float32),
            np.linspace(top, bottom, self.size[1], dtype=np.float32),
        )

    def at(self, *landmarks: int) -> Any:
        """Front views of landmarks: (n, 2)."""
        return self.head.vertices[self.head.landmarks[list(landmarks)]][:, :2]

    def pixels(self, points: Any) -> Any:
        return (points - np.array([BOUNDS[0], BOUNDS[3]])) * np.array([_DOTS, -_DOTS])

    def inside(self, outline: Any, softness: float) -> Any:
        """1 inside an outline, 0 outside, over `softness` centimetres."""
        mask = np.zeros(self.size[::-1], np.uint8)
        shape = np.rint(self.pixels(smooth_ring(outline)) * 16).astype(np.int32)
        cv2.fillPoly(mask, [shape], (255,), cv2.LINE_AA, 4)
        return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(0.3, softness * _DOTS))

    def near(self, line: Any, width: float) -> Any:
        """1 on a line, fading over `width` centimetres."""
        mask = np.zeros(self.size[::-1], np.uint8)
        cv2.polylines(mask, [np.rint(self.pixels(line) * 16).astype(np.int32)], False, (255,), 1, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), width * _DOTS)
        return soft / soft.max()

    def spot(self, centre: Any, across: float, down: float) -> Any:
        return np.exp(-(((self.x - centre[0]) / across) ** 2) - (((self.y - centre[1]) / down) ** 2)).astype(np.float32)

    def noise(self, scale: float, seed: int, stretch: float = 1.0) -> Any:
        """Smooth noise of unit deviation; `scale` in centimetres, `stretch` times as tall as wide."""
        rng = np.random.default_rng(seed)
        columns, rows = (max(4, round(n / _DOTS / s)) for n, s in zip(self.size, (scale, scale * stretch), strict=True))
        small = rng.normal(0, 1, (rows, columns)).astype(np.float32)
        return cv2.resize(small, self.size, interpolation=cv2.INTER_CUBIC) * np.float32(1.3)


def smooth_ring(points: Any, many: int = 24) -> Any:
    """A closed Catmull-Rom spline through points."""
    before, after, further = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    t = (np.arange(many) / many)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in (before, points, after, further))
    ring = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return ring.reshape(-1, points.shape[1])


class Painting:
    """Colours laid over each other on one canvas: linear RGB, float32."""

    def __init__(self, canvas: Canvas, ground: tuple[float, float, float]) -> None:
        self.colour: Any = np.broadcast_to(np.array(ground, np.float32), (*canvas.x.shape, 3)).copy()

    def tint(self, mask: Any, factor: Any) -> None:
        """Multiply by a factor, or by one for each of red, green and blue, where `mask` says so."""
        self.colour *= 1 + mask[..., None] * (np.asarray(factor, np.float32) - 1)

    def cover(self, mask: Any, colour: Any) -> None:
        self.colour += mask[..., None] * (colour - self.colour)


def skin(head: Head, look: Complexion) -> tuple[Any, Any]:
    """Colour, (h, w, 3), and gloss, (h, w): 1 where skin is wet, as lips are."""
    c = Canvas(head)
    painting = Painting(c, look.skin)
    seed = look.seed
    mottle = 0.016 * c.noise(1.1, seed) + 0.014 * c.noise(0.28, seed + 1) + 0.03 * c.noise(0.07, seed + 2)
    painting.tint(np.ones_like(mottle), 1 + mottle[..., None])
    _flush(c, painting, look)
    _around_eyes(c, painting, look)
    if look.beard:
        _beard(c, painting, look)
    _marks(c, painting, seed + 6)
    mouth = c.inside(lip_ring(c), 0.055)
    wrinkles = 1 + 0.07 * c.noise(0.055, seed + 7, 9) + 0.04 * c.noise(0.2, seed + 8)
    inner = c.near(c.at(*INNER_UPPER), 0.10)
    painting.cover(0.9 * mouth, np.array(look.lips, np.float32) * (wrinkles * (1 - 0.45 * inner))[..., None])
    gloss = np.clip(mouth + 0.3 * c.spot(c.at(4)[0], 0.9, 1.6) + 0.15 * c.spot(c.at(151)[0], 4, 2), 0, 1)
    return np.clip(painting.colour, 0.004, 0.95), gloss.astype(np.float32)


def _flush(c: Canvas, painting: Painting, look: Complexion) -> None:
    """Blood shows in cheeks, nose, chin and ears; foreheads are paler."""
    red = (1.0, 0.80, 0.80)
    cheeks: Any = sum(c.spot(c.at(i)[0] + np.array([s * 0.5, 0.2]), 1.9, 1.5) for i, s in ((205, -1), (425, 1)))
    warm = cheeks * look.blush + 0.5 * c.spot(c.at(4)[0], 1.0, 0.9) + 0.35 * c.spot(c.at(152)[0], 1.6, 1.0)
    warm += 0.14 * np.maximum(0, c.noise(1.3, look.seed + 3)) * c.spot(c.at(1)[0], 7, 7)
    painting.tint(np.clip(warm, 0, 1), red)
    for ear in (234, 454):
        place = c.at(ear)[0]
        painting.tint(0.55 * c.spot(place + np.array([np.sign(place[0]) * 1.2, 0]), 1.2, 3.0), red)
    painting.tint(0.5 * c.spot(c.at(151)[0], 5.0, 3.0), (1.03, 1.03, 1.0))


def _around_eyes(c: Canvas, painting: Painting, look: Complexion) -> None:
    """Thin skin on and under the lids, what make-up there is, and the skin under the brows."""

    def both(lines: Any, up: float) -> Any:
        return np.maximum(*(c.inside(ring(c, line, up), 0.22) for line in lines))

    lids = both(_LIDS, 0.95)
    painting.tint(0.5 * lids, (0.93, 0.84, 0.82))
    painting.tint(look.shade * lids, (0.74, 0.60, 0.56))
    painting.tint(0.30 * both(_BAGS, -0.75), (0.90, 0.83, 0.87))
    for line in _LIDS:
        painting.tint(0.75 * look.shade * c.near(smooth_open(c.at(*line)), 0.055), (0.25, 0.2, 0.2))
    for corner in (133, 362):
        place = c.at(corner)[0]
        painting.tint(0.8 * c.spot(place - np.array([0.1 * np.sign(place[0]), 0]), 0.28, 0.2), (1.0, 0.66, 0.66))
    for brow in _BROWS:
        painting.tint(0.42 * c.inside(c.at(*brow), 0.16), 0.62)


def _beard(c: Canvas, painting: Painting, look: Complexion) -> None:
    """A shadow, and in it a dot for every hair."""
    where = look.beard * beard(c, look.seed)
    painting.tint(where, (0.80, 0.84, 0.90))
    dots = (np.random.default_rng(look.seed + 5).random(c.x.shape) < 0.016).astype(np.float32)
    painting.tint(np.clip(where * cv2.GaussianBlur(dots, (0, 0), 1.0) * 7, 0, 0.85), (0.40, 0.40, 0.42))


def _marks(c: Canvas, painting: Painting, seed: int) -> None:
    """A few moles and freckles."""
    rng = np.random.default_rng(seed)
    for _ in range(26):
        place = c.at(1)[0] + rng.normal(0, (3.6, 4.2))
        strength, size = float(rng.uniform(0.08, 0.30)), rng.uniform(0.03, 0.06)
        painting.tint(strength * c.spot(place, size, size), (0.6, 0.45, 0.4))


def ring(c: Canvas, line: tuple[int, ...], up: float) -> Any:
    """The outline between a line of landmarks and the same line `up` centimetres above."""
    points = c.at(*line)
    arch = np.sin(np.linspace(0, np.pi, len(points)))[:, None] * np.array([0, up])
    return np.concatenate([points, (points + arch)[::-1]])


def smooth_open(points: Any) -> Any:
    at = np.linspace(0, len(points) - 1, 120)
    return np.stack([np.interp(at, np.arange(len(points)), points[:, i]) for i in (0, 1)], axis=1)


def lip_ring(c: Canvas) -> Any:
    return np.concatenate([c.at(*OUTER_UPPER), c.at(*OUTER_LOWER)[1:-1][::-1]])


def beard(c: Canvas, seed: int) -> Any:
    """Where a shaven beard shows: 0..1."""
    jaw = c.inside(c.at(*_BEARD), 0.6)
    lip = c.inside(c.at(57, 186, 92, 165, 167, 164, 393, 391, 322, 410, 287, 269, 267, 0, 37, 39), 0.2)
    return np.clip(np.maximum(jaw * 0.8, lip) * (0.85 + 0.1 * c.noise(0.5, seed)), 0, 1)


def eyeballs(head: Head, iris: tuple[float, float, float], *, with_iris: bool) -> Any:
    """Both eyes seen from the front: whites with veins, and irises with pupils where wanted."""
    c = Canvas(head)
    out: Any = np.broadcast_to(np.array([0.80, 0.765, 0.72], np.float32), (*c.x.shape, 3)).copy()
    veins = np.clip(1 - np.abs(c.noise(0.16, 31)) * 6, 0, 1) * np.clip(c.noise(0.5, 32), 0, 1)
    for side in ("left", "right"):
        (x, y, _), _ = head.eye(side)
        x += 0.09 * np.sign(x)  # Eyes that look at somebody near seem to squint in a picture.
        far = np.hypot(c.x - x, c.y - y)
        here = (far < 2).astype(np.float32)
        corner = np.clip((np.abs(c.x - x) - 0.7) / 0.9, 0, 1)
        out *= 1 - (here * (0.16 * corner + 0.25 * veins * (0.2 + corner)))[..., None] * np.array([0.35, 1, 0.95])
        if not with_iris:
            continue
        turn = np.arctan2(c.y - y, c.x - x)
        rings = np.interp(far, [0, 0.20, 0.24, 0.34, 0.48, 0.56, 0.60], [0.0, 0.0, 1.35, 1.15, 0.85, 0.5, 0.25])
        fibres = np.zeros_like(far)
        rng = np.random.default_rng(33)
        for _ in range(7):
            waves = int(rng.integers(30, 90))
            phase = rng.uniform(0, 6.3) + far * rng.uniform(-6, 6)
            fibres += np.sin(turn * waves + phase) * rng.uniform(0.3, 1)
        lit = 1 + 0.16 * fibres * np.clip((far - 0.22) / 0.1, 0, 1)
        # Light that falls in from above leaves the iris on its lower side.
        lit = lit * (1 - 0.35 * np.clip((c.y - y) / 0.55, -1, 1))
        colour = np.array(iris, np.float32) * (rings * lit)[..., None]
        amber = np.exp(-(((far - 0.27) / 0.06) ** 2))[..., None] * np.array([0.05, 0.02, 0.004])
        mask = np.clip((0.605 - far) / 0.05, 0, 1)[..., None]
        out = out * (1 - mask) + (colour + amber + 0.0015) * mask
    return np.clip(out, 0, 1).astype(np.float32)


def scalp_shadow(canvas: Canvas, roots: Any) -> Any:
    """Where hair grows, as seen from the front: 0..1."""
    mask = np.zeros(canvas.size[::-1], np.float32)
    at = np.rint(canvas.pixels(roots[roots[:, 2] > -2][:, :2])).astype(int)
    good = (at >= 0).all(axis=1) & (at[:, 0] < mask.shape[1]) & (at[:, 1] < mask.shape[0])
    np.add.at(mask, (at[good, 1], at[good, 0]), 1)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.14 * _DOTS)
    dense = np.clip(soft / max(1e-6, float(np.percentile(soft[soft > 0.01 * soft.max()], 35))), 0, 1)
    crown = np.clip((canvas.y - 11.2) / 1.2, 0, 1)
    return np.maximum(dense, crown)
