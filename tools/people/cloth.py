"""Clothes as reliefs: outlines drawn from the front, and how far towards the viewer each place stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tools.people.head import Head, front

LEFT, BOTTOM, RIGHT, TOP = -28.0, -50.0, 28.0, -8.0
BOUNDS = (LEFT, BOTTOM, RIGHT, TOP)
_DOTS = 12
"""Places a centimetre of a relief."""
_FINE = 4
"""Times as many in masks."""


@dataclass(frozen=True)
class Suit:
    """Half widths in centimetres, and linear colours."""

    shoulder: float
    chest: float
    bust: float
    jacket: tuple[float, float, float]
    under: tuple[float, float, float]
    tie: tuple[float, float, float] | None
    opening: float
    """Height at which the jacket is buttoned."""


@dataclass(frozen=True)
class Garment:
    """`mask` 0..1, fine, and `points`, (n, 3), with `faces` over it."""

    mask: Any
    points: Any
    faces: Any
    spec: dict[str, Any]


def _grid() -> tuple[Any, Any]:
    columns, rows = round((RIGHT - LEFT) * _DOTS) + 1, round((TOP - BOTTOM) * _DOTS) + 1
    return np.meshgrid(np.linspace(LEFT, RIGHT, columns), np.linspace(TOP, BOTTOM, rows))


X, Y = _grid()


def _curve(points: Any, closed: bool = True, many: int = 16) -> Any:
    """A Catmull-Rom spline through points; a point given twice is a corner."""
    p = np.asarray(points, float)
    p = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    t = (np.arange(many) / many)[:, None]
    out = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        if np.array_equal(b, c):
            continue
        a, d = (b if np.array_equal(a, b) else a), (c if np.array_equal(c, d) else d)
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(out if closed else [*out, p[-2:-1]])


def _fill(outline: Any, fine: int = 1) -> Any:
    """1 inside, antialiased: float32 on the grid, or on one `fine` times as fine."""
    shape = ((X.shape[0] - 1) * fine + 1, (X.shape[1] - 1) * fine + 1)
    mask = np.zeros(shape, np.uint8)
    at = (np.asarray(outline) - np.array([LEFT, TOP])) * np.array([_DOTS, -_DOTS]) * fine
    cv2.fillPoly(mask, [np.rint(at * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def _both(outline: Any) -> list[Any]:
    outline = np.asarray(outline, float)
    return [outline, outline * np.array([-1, 1])]


def _inflated(mask: Any, reach: float) -> Any:
    """0 on a shape's edge, rising like a quarter of a circle to 1 over `reach` centimetres."""
    solid = (np.pad(mask, ((0, 200), (0, 0)), mode="edge") > 0.5).astype(np.uint8)
    far = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[: mask.shape[0]] / _DOTS
    t = np.clip(far / reach, 0, 1)
    return np.sqrt(np.maximum(0, 1 - (1 - t) ** 2))


def _raised(mask: Any, height: float, roll: float) -> Any:
    """A sheet's thickness, rounded at its edge over `roll` centimetres."""
    solid = (mask > 0.5).astype(np.uint8)
    far = cv2.distanceTransform(solid, cv2.DIST_L2, 5) / _DOTS
    t = np.clip(far / roll, 0, 1)
    return height * np.sqrt(np.maximum(0, 1 - (1 - t) ** 2))


def _near(line: Any, width: float) -> Any:
    """1 on an open line, falling like a bell of `width` centimetres."""
    mask = np.full(X.shape, 255, np.uint8)
    at = (np.asarray(line) - np.array([LEFT, TOP])) * np.array([_DOTS, -_DOTS])
    cv2.polylines(mask, [np.rint(at * 16).astype(np.int32)], False, (0,), 1, cv2.LINE_8, 4)
    far = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / _DOTS
    return np.exp(-((far / width) ** 2))


def _body(suit: Suit) -> tuple[Any, Any]:
    """The outline of shoulders and arms, and the relief of all of it."""
    s = suit.shoulder
    half = [(0, -9.5), (5.4, -10.2), (6.8, -11.9), (10.5, -13.9), (s - 3.5, -16.6), (s - 0.9, -18.2), (s + 0.7, -20.6),
            (s + 1.6, -25), (s + 2.2, -32), (s + 2.6, -40), (s + 2.9, -50), (s + 3.1, -60)]  # fmt: skip
    outline = _curve([*half, *[(-x, y) for x, y in half[:0:-1]]])
    whole = _fill(outline)
    c = suit.chest
    torso_half = [
        (0, -9.5),
        (6, -10.5),
        (s - 3, -16.4),
        (c + 0.4, -22),
        (c - 0.2, -28),
        (c - 0.9, -36),
        (c - 1.2, -50),
        (c - 1.2, -60),
    ]
    torso = _fill(_curve([*torso_half, *[(-x, y) for x, y in torso_half[:0:-1]]]))
    relief = -5.5 + 5.2 * _inflated(whole, 6.5)
    belly = np.interp(-Y[:, 0], [9, 14, 20, 28, 36, 50], [-1.2, 1.2, 4.2, 5.6, 5.4, 5.0])[:, None]
    relief = relief + _inflated(torso, c * 0.95) * np.maximum(0.0, belly) * whole
    for sign in (-1, 1):
        relief += suit.bust * np.exp(-(((X - sign * 6.8) / 5.6) ** 2) - (((Y + 31) / 6.0) ** 2))
        arm = _curve([(c + 0.9, -24.5), (c - 0.1, -30), (c - 0.7, -38), (c - 0.9, -52)], closed=False)
        fade = np.clip((-24.0 - Y) / 7, 0, 1)
        relief -= fade * (1.3 * _near(arm * np.array([sign, 1]), 0.8) + 0.8 * _near(arm * np.array([sign, 1]), 2.0))
        seam = _curve([(s - 2.8, -17.0), (s - 2.2, -20.5), (c + 0.9, -24.5)], closed=False)
        relief -= 0.22 * _near(seam * np.array([sign, 1]), 0.28)
        # Folds that run from the armpit over the chest and down the sleeve.
        for (x0, y0, x1, y1), depth in (
            ((c + 0.8, -24.5, c - 5.5, -21.0), 0.30), ((c + 0.6, -25.5, c - 5.0, -27.5), 0.26),
            ((c + 1.8, -25, s + 1.0, -22.5), 0.30), ((c + 0.8, -30, s + 1.4, -32.5), 0.34),
            ((c + 0.6, -35, s + 1.8, -38.5), 0.30), ((c + 0.4, -41, s + 1.6, -43), 0.34),
            ((c - 1.2, -36.5, c - 6.5, -39.2), 0.26), ((c - 1.4, -40.5, c - 8.5, -40.2), 0.22),
        ):  # fmt: skip
            bend = np.array([[x0, y0], [(x0 + x1) / 2, (y0 + y1) / 2 + 0.5], [x1, y1]]) * np.array([sign, 1])
            relief -= depth * _near(_curve(bend, closed=False), 0.55)
            relief += depth * 0.7 * _near(_curve(bend + np.array([0, 1.1]), closed=False), 0.7)
    rng = np.random.default_rng(4)
    small = cv2.resize(rng.normal(0, 1, (18, 14)).astype(np.float32), X.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return outline, cv2.GaussianBlur((relief + 0.14 * small).astype(np.float32), (0, 0), 2.2)


def _garment(outlines: list[Any], relief: Any, spec: dict[str, Any]) -> Garment:
    """A piece of the relief inside outlines, with a little more mesh around it than is seen."""
    mask = np.maximum.reduce([_fill(one, _FINE) for one in outlines])
    coarse = np.maximum.reduce([_fill(one) for one in outlines])
    keep = cv2.dilate((coarse > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    number = np.full(X.shape, -1, np.int32)
    number[keep] = np.arange(int(keep.sum()))
    quads = np.stack([number[1:, :-1], number[1:, 1:], number[:-1, 1:], number[:-1, :-1]], axis=-1).reshape(-1, 4)
    points = np.stack([X[keep], Y[keep], relief[keep]], axis=-1)
    return Garment(mask, points, quads[(quads >= 0).all(axis=1)], spec)


def neckline(man: bool) -> Any:
    """The upper edge of what is worn under the jacket, from the middle to the side."""
    woman = [(0, -16.4), (3.2, -15.2), (5.2, -12.6), (6.2, -10.6)]
    return np.array([(0, -12.6), (3.6, -11.6), (5.2, -10.2), (6.0, -9.2)] if man else woman)


def wardrobe(suit: Suit, head: Head) -> dict[str, Garment]:
    """Everything that is worn, by name."""
    outline, body = _body(suit)
    low = suit.opening
    cloth = {"kind": "cloth", "colour": suit.jacket, "roughness": 0.8, "sheen": 0.3, "weave": 16.0, "depth": 0.02}
    shirt = {"kind": "cloth", "colour": suit.under, "roughness": 0.6, "sheen": 0.15, "weave": 22.0, "depth": 0.012}
    worn: dict[str, Garment] = {}
    man = suit.tie is not None
    neck = neckline(man).tolist()
    upper = [*[[-x, y] for x, y in neck[::-1]], *neck[1:]]
    under = [*upper, (6.9, -13), (9.5, -20), (10, -50), (-10, -50), (-9.5, -20), (-6.9, -13)]
    # The shirt lies on the skin of the neck's foot, the jacket on the shirt.
    near = np.clip((Y + 26.0) / 8.0, 0, 1) * np.clip((10.0 - np.abs(X)) / 4.0, 0, 1)
    over = near * np.clip(_over_skin(head) - (body - 0.55), 0, 2.5)
    over = cv2.GaussianBlur(over.astype(np.float32), (0, 0), 12)
    chest, body = body - 0.55 + over, body + 0.75 * over
    hem = _near(_curve(upper, closed=False), 0.35)
    worn["shirt"] = _garment([_curve(under)], chest + 0.15 * hem, shirt)
    if man:
        worn |= _collar_and_tie(suit, chest, shirt)
    # Panels cross at the button, the wearer's left over the right.
    edge = [
        (6.0, -11.2),
        (6.4, -14.5),
        (5.4, -20.5),
        (3.2, -29.5),
        (-0.4, low),
        (-0.4, low),
        (-1.5, low - 4),
        (-3.0, -52),
    ]
    panel = [*edge, (0, -53), (26, -53), (26, -30), (26, -9), (8, -9)]
    for name, sign, more in (("jacket_right", -1, 0.0), ("jacket_left", 1, 0.45)):
        mask = _fill(_curve(panel) * np.array([sign, 1])) * _fill(outline)
        stitched = _raised(mask, 0.3, 0.5)
        relief = body + 0.15 + more * np.exp(-((X / 5.0) ** 2)) + stitched
        worn[name] = _clipped([_curve(panel) * np.array([sign, 1])], outline, relief, cloth)
    lapel = [
        (6.1, -12.0), (6.1, -12.0), (8.8, -15.0), (9.8, -18.1), (9.8, -18.1), (8.3, -18.9), (8.3, -18.9), (11.6, -21.4),
        (11.6, -21.4), (7.8, -28.5), (0.2, low + 0.8), (0.2, low + 0.8), (3.4, -29.0), (5.4, -20.5), (6.2, -14.6),
    ]  # fmt: skip
    collar = [
        (5.2, -9.2), (5.2, -9.2), (7.0, -11.2), (9.0, -14.8), (9.8, -18.2), (9.8, -18.2), (8.2, -19.0), (8.2, -19.0),
        (7.0, -17.2), (6.3, -14.2), (5.8, -11.4),
    ]  # fmt: skip
    for name, sign, more in (("lapel_right", -1, 0.0), ("lapel_left", 1, 0.45)):
        flip = np.array([sign, 1])
        mask = _fill(_curve(lapel) * flip)
        height = body + 0.55 + more * np.exp(-((X / 5.0) ** 2)) + _raised(mask, 0.32, 0.35)
        worn[name] = _garment([_curve(lapel) * flip], height, cloth)
        mask = _fill(_curve(collar) * flip)
        worn[name.replace("lapel", "collar")] = _garment(
            [_curve(collar) * flip], body + 0.75 + _raised(mask, 0.36, 0.4), cloth
        )
    button = [(0.5 + 0.62 * np.cos(a), low - 1.3 + 0.62 * np.sin(a)) for a in np.linspace(0, 6.2, 24)]
    dome = body + 1.05 + _raised(_fill(button), 0.18, 0.25)
    worn["button"] = _garment([np.array(button)], dome, {**cloth, "roughness": 0.35, "specular": 0.6, "depth": 0.0})
    return worn


def _clipped(outlines: list[Any], within: Any, relief: Any, spec: dict[str, Any]) -> Garment:
    made = _garment(outlines, relief, spec)
    return Garment(made.mask * _fill(within, _FINE), made.points, made.faces, made.spec)


def _over_skin(head: Head) -> Any:
    """A relief a little outside the skin of neck and shoulders."""
    skin = front(head, BOUNDS, _DOTS, -8.0)
    there = (~np.isnan(skin)).astype(np.float32)
    depth = np.where(there > 0, skin, 0).astype(np.float32)
    filled = cv2.GaussianBlur(depth, (0, 0), 5) / np.maximum(cv2.GaussianBlur(there, (0, 0), 5), 1e-4)
    near = cv2.dilate(there, np.ones((9, 9), np.uint8)) > 0
    # The chin and what hangs over the neck are not followed.
    relief = np.where(near, np.minimum(filled, 6.5) + 0.30, -30)
    return np.where(Y > -9.0, np.minimum(relief, 4.6), relief)


def _collar_and_tie(suit: Suit, chest: Any, shirt: dict[str, Any]) -> dict[str, Garment]:
    worn = {}
    tie = {"kind": "cloth", "colour": suit.tie, "roughness": 0.45, "sheen": 0.4, "weave": 26.0, "depth": 0.015}
    blade = [(-1.5, -17.2), (-1.5, -17.2), (1.5, -17.2), (1.5, -17.2), (2.6, -28), (3.4, -52), (-3.4, -52), (-2.6, -28)]
    knot = [(-1.9, -14.2), (-1.9, -14.2), (1.9, -14.2), (1.9, -14.2), (1.35, -17.6), (1.35, -17.6), (-1.35, -17.6),
            (-1.35, -17.6)]  # fmt: skip
    mask = _fill(_curve(blade))
    dent = 0.35 * _near([(0, -17.2), (0, -22)], 0.45)
    worn["tie"] = _garment([_curve(blade)], chest + 0.25 + _raised(mask, 0.5, 1.2) - dent, tie)
    mask = _fill(_curve(knot))
    worn["knot"] = _garment([_curve(knot)], chest + 0.5 + _raised(mask, 1.0, 1.4), tie)
    wing = [
        (0.35, -13.4), (0.35, -13.4), (2.6, -12.4), (4.7, -10.4), (5.7, -8.3), (5.7, -8.3), (6.7, -10.2), (6.2, -13.2),
        (4.5, -17.8), (4.5, -17.8), (2.2, -15.9),
    ]  # fmt: skip
    for name, sign in (("wing_right", -1), ("wing_left", 1)):
        flip = np.array([sign, 1])
        mask = _fill(_curve(wing) * flip)
        worn[name] = _garment([_curve(wing) * flip], chest + 0.55 + _raised(mask, 0.35, 0.3), shirt)
    return worn
