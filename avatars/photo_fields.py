"""How a portrait moves: the measured displacements of landmarks, fitted to its face and spread over grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Floats
from avatars.face_basis import (
    INNER_LOWER,
    INNER_UPPER,
    LOWER_LIP,
    OUTER_LOWER,
    OUTER_UPPER,
    OVAL,
    UPPER_LIP,
    displacements,
    fit,
)
from avatars.landmarks import Face
from avatars.puppet_draw import sample_field
from avatars.puppet_parts import Grid

SHAPES = tuple(name for name in displacements() if not name.startswith("eye"))
"""What moves skin; the eyes have pictures of their lids instead."""
_SPOKEN = 0.85
"""Part of the measured head's widest opening that a full `jawOpen` is: people speak, they do not yawn."""
_BEYOND = 1.5
"""How far expressions reach past the outline of the face, in parts of its distance from the middle."""
_STIFFNESS = 2e-3
_STEEPEST = 1.5
"""How fast the depth may change, in pixels a pixel: times the sine of the largest turn this must stay under 1."""


def jaw_drop(eyes: float) -> float:
    """How far the lower teeth fall at a full `jawOpen`, for a distance between the eyes in art pixels."""
    opened = displacements()["jawOpen"]
    return _SPOKEN * eyes * float(opened[14, 1] - opened[13, 1])


@dataclass(frozen=True, slots=True)
class Fields:
    """Displacements in art pixels on two grids, and how far the face stands out, for a figure's ``fields.npz``."""

    head: Floats
    upper: Floats
    lower: Floats
    depth: Floats
    landmarks: Floats
    """What the shapes do to the landmarks themselves: (shapes, 478, 2)."""
    rest: dict[str, Floats]
    """Arrays that shut an open mouth, by their names in the file; empty for a mouth that is shut."""


def _spline(points: Floats, values: Floats, at: Floats, unit: float) -> Floats:
    """A thin plate through values (n, k) at points (n, 2), read at (..., 2): smooth, and calm far away."""
    p, q = points.astype(np.float64) / unit, at.reshape(-1, 2).astype(np.float64) / unit

    def kernel(a: Any, b: Any) -> Any:
        r2 = ((a[:, None] - b[None]) ** 2).sum(axis=-1) + 1e-12
        return 0.5 * r2 * np.log(r2)

    n = len(p)
    flat = np.column_stack([np.ones(n), p])
    system = np.block([[kernel(p, p) + _STIFFNESS * np.eye(n), flat], [flat.T, np.zeros((3, 3))]])
    solved = np.linalg.solve(system, np.concatenate([values.astype(np.float64), np.zeros((3, values.shape[1]))]))
    found = kernel(q, p) @ solved[:n] + np.column_stack([np.ones(len(q)), q]) @ solved[n:]
    return cast(Floats, found.reshape(*at.shape[:-1], values.shape[1]).astype(np.float32))


def _moves(face: Face, above: Floats, below: Floats) -> Floats:
    """Displacements of the landmarks in pixels: (shapes + 1, 478, 2); the last shuts the mouth."""
    turn, _ = fit(face.points)
    basis = displacements()
    moves = [basis[name] @ turn.T[:, :2] * (_SPOKEN if name in ("jawOpen", "mouthClose") else 1) for name in SHAPES]
    return np.stack([*moves, _shut(face, turn, above, below)]).astype(np.float32)


def _shut(face: Face, turn: Floats, above: Floats, below: Floats) -> Floats:
    """Landmark displacements, (478, 2), that bring the lips of an open mouth together."""
    out = np.zeros((478, 2), np.float32)
    gap = below - above
    if float(np.abs(gap).max()) < 0.5:
        return out
    # Half by the jaw, and what then is missing by the lips themselves, a little of it by the upper one.
    jaw = displacements()["jawOpen"] @ turn.T[:, :2]
    drop = float((jaw[14] - jaw[13])[1])
    share = 0.5 * float(np.median(gap[len(gap) // 3 : -len(gap) // 3, 1])) / max(1.0, drop)
    out -= np.float32(share) * jaw
    x = np.linspace(0, 1, len(gap))
    for lips, inner, outer, part in (
        (UPPER_LIP, INNER_UPPER, OUTER_UPPER, 0.3),
        (LOWER_LIP, INNER_LOWER, OUTER_LOWER, -0.7),
    ):
        ends = face.points[[inner[0], inner[-1]], 0]
        edge, rim = face.points[list(inner), 1], face.points[list(outer), 1]
        for index in lips:
            at = float((face.points[index, 0] - ends[0]) / (ends[1] - ends[0]))
            place = min(1.0, max(0.0, at)) * (len(inner) - 1)
            near, far = np.interp(place, range(len(inner)), edge), np.interp(place, range(len(outer)), rim)
            depth = min(1.0, max(0.0, (face.points[index, 1] - near) / (far - near + np.sign(far - near) * 1e-3)))
            jaws = np.interp(at, [-0.1, 0.5, 1.1], [0.0, drop * share, 0.0])
            open_by = float(np.interp(at, x, gap[:, 1])) - jaws
            out[index, 1] += part * open_by * (1 - 0.55 * depth)
    return out


def _reach(face: Face, middle: Floats, points: Floats) -> Floats:
    """How much of the expressions arrives at points: 1 on the face, 0 from `_BEYOND` times its outline on."""
    oval = face.points[list(OVAL), :2] - middle
    centre = oval.mean(axis=0)
    angles = np.arctan2(*(oval - centre).T[::-1])
    order = np.argsort(angles)
    radii = np.linalg.norm(oval - centre, axis=1)[order]
    around, away = angles[order], points - centre
    radius = np.interp(np.arctan2(away[..., 1], away[..., 0]), around, radii, period=2 * np.pi)
    t = np.clip((np.linalg.norm(away, axis=-1) / radius - 1.05) / (_BEYOND - 1.05), 0, 1)
    return cast(Floats, (1 - t * t * (3 - 2 * t)).astype(np.float32))


def _side(points: Floats, line: Floats, unit: float) -> Floats:
    """0 above the mouth, 1 below it, with a ramp along its line, wider beyond the corners."""
    ends = line[[0, -1]]
    x, y = points[..., 0], points[..., 1]
    level = np.interp(x, line[:, 0], line[:, 1])
    beyond = np.maximum(0, np.maximum(ends[0, 0] - x, x - ends[1, 0]))
    width = 0.15 * unit + 0.6 * beyond
    t = np.clip((y - level) / (2 * width) + 0.5, 0, 1)
    return cast(Floats, (t * t * (3 - 2 * t)).astype(np.float32))


def _between(points: Floats, line: Floats, unit: float) -> Floats:
    """1 between the corners of the mouth, 0 from the corners on: there skin is whole."""
    x = points[..., 0]
    inside = np.minimum(x - line[0, 0], line[-1, 0] - x)
    t = np.clip(inside / (0.10 * unit), 0, 1)
    return cast(Floats, (t * (2 - t)).astype(np.float32))


def _inside(grid: Grid, margin: float, *, above: bool) -> Floats:
    """1 in the middle of a grid, 0 from `margin` art pixels before its border on.

    For what lies above the mouth its lower border does not count, for what lies below it the upper: there is nothing.
    """
    rows, columns = grid.shape
    x = np.minimum(np.arange(columns), np.arange(columns)[::-1]) * grid.step
    y = (np.arange(rows) if above else np.arange(rows)[::-1]) * grid.step
    t = np.clip((np.minimum(x[None], y[:, None]) - margin) / margin, 0, 1)
    return cast(Floats, (t * t * (3 - 2 * t)).astype(np.float32))


def _held(points: Floats, line: Floats, *, above: bool) -> Floats:
    """Points with those beyond the line of the mouth set onto it.

    So a lip's field goes on past its edge as it is there, and inverting it finds no lip where there is none.
    """
    level = np.interp(points[..., 0], line[:, 0], line[:, 1])
    held = points.copy()
    held[..., 1] = np.minimum(points[..., 1], level) if above else np.maximum(points[..., 1], level)
    return held


def fields(
    face: Face, middle: Floats, lines: tuple[Floats, Floats], grid: Grid, lip_grid: Grid, feather: float,
    own: Floats | None = None,
) -> Fields:  # fmt: skip
    """Spread what the landmarks do over both grids.

    `middle` is the picture's point at the art's origin; within `feather` of its border the lips' fields are the head's.
    `own`, (shapes, 478, 2), are the displacements of this very head, where they are known and its mouth is shut.
    """
    unit = face.inter_ocular
    points = face.points[:, :2] - middle
    moves = _moves(face, *lines) if own is None else np.concatenate([own, np.zeros_like(own[:1])])
    # Around the face nothing moves.
    centre = points[list(OVAL)].mean(axis=0)
    still = centre + (points[list(OVAL)] - centre) * np.float32(_BEYOND)
    values = np.moveaxis(moves, 1, 0).reshape(478, -1)
    line = cast(Floats, (lines[0] + lines[1]) / 2)

    def spread(left_out: frozenset[int], at: Floats) -> Floats:
        keep = [index for index in range(468) if index not in left_out]
        known = np.concatenate([points[keep], still])
        found = _spline(known, np.concatenate([values[keep], np.zeros((len(still), values.shape[1]))]), at, unit)
        found *= _reach(face, middle, at)[..., None]
        return np.moveaxis(found.reshape(*at.shape[:-1], len(moves), 2), -2, 0)

    def whole(on: Grid) -> Floats:
        at = on.points()
        upper, lower = spread(LOWER_LIP, at), spread(UPPER_LIP, at)
        return upper + _side(at, line, unit)[None, ..., None] * (lower - upper)

    def lip(left_out: frozenset[int], edge: Floats, *, above: bool) -> Floats:
        at = lip_grid.points()
        own: Any = (_inside(lip_grid, feather, above=above) * _between(at, line, unit))[None, ..., None]
        return cast(Floats, mixed + own * (spread(left_out, _held(at, edge, above=above)) - mixed))

    head, mixed = whole(grid), whole(lip_grid)
    upper, lower = lip(LOWER_LIP, lines[0], above=True), lip(UPPER_LIP, lines[1], above=False)
    rest = {}
    if moves[-1].any():
        _close(upper[-1], lower[-1], lip_grid, lines, feather)
        rest = {"rest_head": head[-1], "rest_upper": upper[-1], "rest_lower": lower[-1]}
    return Fields(head[:-1], upper[:-1], lower[:-1], _depth(face, points, still, grid, unit), moves[:-1], rest)


def _close(upper: Floats, lower: Floats, grid: Grid, lines: tuple[Floats, Floats], feather: float) -> None:
    """Bring lips together, in place, where their fields for shutting an open mouth leave them apart: by its corners."""
    moved = [
        line[:, 1] + sample_field(field, grid.nodes(line[None]))[0, :, 1]
        for line, field in zip(lines, (upper, lower), strict=True)
    ]
    apart = np.maximum(0, moved[1] - moved[0])
    at = grid.points()
    for field, line, part, above in ((upper, lines[0], 0.3, True), (lower, lines[1], -0.7, False)):
        gap = np.interp(at[..., 0], line[:, 0], apart, left=0, right=0)
        level = np.interp(at[..., 0], line[:, 0], line[:, 1])
        away = np.maximum(0, (level - at[..., 1]) if above else (at[..., 1] - level)) / (1.5 * feather)
        fall = 1 - np.clip(away, 0, 1)
        field[..., 1] += part * gap * fall * fall * (3 - 2 * fall) * _inside(grid, feather, above=above)


def _depth(face: Face, points: Floats, still: Floats, grid: Grid, unit: float) -> Floats:
    """How far the head stands out, in art pixels, from between the ears; behind the outline it falls away."""
    near = -face.points[:468, 2]
    near = near - near[[234, 454]].mean()
    known = np.concatenate([points[:468], still])
    away = np.full(len(still), -0.25 * unit)
    found = _spline(known, np.concatenate([near, away])[:, None], grid.points(), unit)[..., 0]
    return calmed(cast(Floats, np.clip(found, -0.5 * unit, 1.8 * unit)), grid.step)


def calmed(depth: Floats, step: float) -> Floats:
    """Depth on a grid without flanks so steep that they would fold over themselves when the head turns."""
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(max(depth.shape)):
        depth = cast(Floats, np.minimum(depth, cv2.erode(depth, kernel) + np.float32(_STEEPEST * step)))
    return cast(Floats, cv2.GaussianBlur(depth, (0, 0), 1.0))
