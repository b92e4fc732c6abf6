"""Hair, brows and lashes as strands: float32, (strands, points, 3), in centimetres."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tools.people.head import Head, front

MIDDLE = np.array([0.0, 2.5, 0.0])
"""The place inside a head from which all of its scalp is seen."""
_ROWS, _COLUMNS = 180, 360


class Scalp:
    """The distance of a head's surface from its `MIDDLE` in every direction, without the ears."""

    def __init__(self, head: Head) -> None:
        faces = head.faces_of("M_Face", "M_BackHead")
        corners = head.vertices[faces[faces[:, 3] >= 0]]
        weights = np.random.default_rng(0).dirichlet(np.ones(4), (12, len(corners)))
        points = np.concatenate([head.vertices[np.unique(faces[faces >= 0])], *(
            np.einsum("nk,nkd->nd", w, corners) for w in weights)])  # fmt: skip
        row, column, far = self._cell(points)
        far_map = np.zeros((_ROWS, _COLUMNS), np.float32)
        np.maximum.at(far_map, (row.astype(int) % _ROWS, column.astype(int) % _COLUMNS), far)
        wide = np.concatenate([far_map, far_map, far_map], axis=1)
        known = (wide > 0).astype(np.float32)
        soft = cv2.GaussianBlur(wide, (0, 0), 1.2) / np.maximum(cv2.GaussianBlur(known, (0, 0), 1.2), 1e-3)
        wide = np.where(known > 0, wide, soft).astype(np.float32)
        # Ears stand out narrowly; the head does not.
        opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones((31, 31), np.uint8))
        self.far = cv2.GaussianBlur(opened, (0, 0), 2)[:, _COLUMNS : 2 * _COLUMNS]

    @staticmethod
    def _cell(points: Any) -> tuple[Any, Any, Any]:
        away = points - MIDDLE
        far = np.linalg.norm(away, axis=-1)
        row = (np.arcsin(np.clip(away[..., 1] / far, -1, 1)) / math.pi + 0.5) * (_ROWS - 1)
        column = (np.arctan2(away[..., 0], away[..., 2]) / (2 * math.pi) % 1.0) * _COLUMNS
        return row, column, far

    def distance(self, points: Any) -> Any:
        row, column, _ = self._cell(points)
        wrapped = np.concatenate([self.far, self.far[:, :1]], axis=1)
        at = np.stack([column, row], axis=-1).astype(np.float32)
        flat = at.reshape(-1, 2)
        # Maps of OpenCV are at most 32,767 long.
        padded = np.zeros((-(-len(flat) // 256) * 256, 2), np.float32)
        padded[: len(flat)] = flat
        maps = padded.reshape(-1, 256, 2)
        found = cv2.remap(wrapped, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        return found.reshape(-1)[: len(flat)].reshape(points.shape[:-1])

    def raised(self, points: Any, by: Any) -> Any:
        """Points brought to `by` above the surface along the line from the middle."""
        away = points - MIDDLE
        far = np.linalg.norm(away, axis=-1, keepdims=True)
        return MIDDLE + away / far * (self.distance(points)[..., None] + by[..., None])


HAIRLINE = np.array(
    # Azimuth in degrees from the front, and height in centimetres.
    [(0, 10.6), (12, 10.7), (24, 10.2), (34, 9.6), (42, 8.7), (50, 7.4), (58, 6.4), (66, 4.6), (72, 2.2), (78, 1.4),
     (86, 3.0), (92, 5.6), (104, 6.6), (116, 4.6), (124, 1.5), (134, -1.0), (150, -3.6), (180, -4.6)]
)  # fmt: skip


def _inside_hairline(points: Any, line: Any, ragged: Any) -> Any:
    """How many centimetres points lie above the hairline."""
    azimuth = np.degrees(np.abs(np.arctan2(points[:, 0], points[:, 2])))
    return points[:, 1] - np.interp(azimuth, line[:, 0], line[:, 1]) + ragged


def roots(scalp: Scalp, count: int, line: Any, rng: Any) -> Any:
    """Places on the scalp, thinner towards the hairline: (n, 3)."""
    away = rng.normal(0, 1, (count * 5, 3))
    points = scalp.raised(MIDDLE + 9 * away / np.linalg.norm(away, axis=1, keepdims=True), np.zeros(len(away)))
    above = _inside_hairline(points, line, np.clip(rng.normal(0, 0.25, len(points)), -0.4, 0.4))
    # Directions are even, areas are not.
    keep = rng.random(len(points)) < (np.linalg.norm(points - MIDDLE, axis=1) / 13) ** 2 * np.clip(above / 1.2, 0, 1)
    return points[keep][:count]


@dataclass(frozen=True)
class Style:
    """How hair is worn: `comb` gives directions from (points, share of length grown, roots)."""

    count: int
    length: tuple[float, float]
    steps: int
    comb: Callable[[Any, float, Any], Any]
    lift: Callable[[float, Any], Any]
    """Height over the scalp from (share grown, roots)."""
    hugging: Callable[[Any, float], Any]
    """Where hair lies on the head, 0..1, from (points, share grown)."""
    clump: float
    clumps: int
    frizz: float
    line: Any
    radius: float = 0.0075
    length_of: Callable[[Any], Any] | None = None


def grow(scalp: Scalp, style: Style, seed: int) -> tuple[Any, Any]:
    """Strands and their radii, (strands, points)."""
    rng = np.random.default_rng(seed)
    start = roots(scalp, style.count, style.line, rng)
    count = len(start)
    lengths = rng.uniform(*style.length, count)
    if style.length_of is not None:
        lengths = lengths * style.length_of(start)
    layer = rng.beta(1.6, 1.6, count)
    points, at = [start], start.copy()
    bend = rng.normal(0, 1, (count, 3))
    for index in range(1, style.steps):
        grown = index / (style.steps - 1)
        way = style.comb(at, grown, start)
        way = way + style.frizz * bend * grown
        way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
        at = at + way * (lengths / (style.steps - 1))[:, None]
        up = style.lift(grown, start) * (0.25 + 0.75 * layer)
        on = scalp.raised(at, up)
        gap = np.linalg.norm(at - MIDDLE, axis=1) - np.linalg.norm(on - MIDDLE, axis=1)
        hug = np.maximum(style.hugging(at, grown), (gap < 0) * 1.0)[:, None]
        at = at + (on - at) * hug
        points.append(at)
    strands = np.stack(points, axis=1)
    strands = _clumped(strands, style, rng)
    t = np.linspace(0, 1, style.steps)
    taper = np.clip(1.02 - t**3, 0.15, 1)
    radius = style.radius * rng.uniform(0.75, 1.25, (len(strands), 1)) * taper[None]
    return strands.astype(np.float32), radius.astype(np.float32)


def _clumped(strands: Any, style: Style, rng: Any) -> Any:
    """Drawn towards leaders, more and more along their length."""
    leaders = rng.choice(len(strands), style.clumps, replace=False)
    root = strands[:, 0]
    nearest = np.empty(len(strands), np.intp)
    for first in range(0, len(strands), 2000):
        part = root[first : first + 2000]
        nearest[first : first + 2000] = leaders[((part[:, None] - root[leaders][None]) ** 2).sum(axis=2).argmin(axis=1)]
    t = np.linspace(0, 1, strands.shape[1])[None, :, None]
    share = style.clump * t**0.7 * rng.uniform(0.3, 1.0, (len(strands), 1, 1))
    return strands + share * (strands[nearest] - strands)


def toward(points: Any, goal: Any) -> Any:
    """Directions along the head's surface from points to a goal each."""
    out = (points - MIDDLE) / np.linalg.norm(points - MIDDLE, axis=1, keepdims=True)
    way = goal - points
    way = way - (way * out).sum(axis=1, keepdims=True) * out
    return way / (np.linalg.norm(way, axis=1, keepdims=True) + 1e-9)


# Brows and lashes

BROW_UPPER = ((107, 66, 105, 63, 70), (336, 296, 334, 293, 300))
BROW_LOWER = ((55, 65, 52, 53, 46), (285, 295, 282, 283, 276))


def _front(head: Head) -> Callable[[Any], Any]:
    """Depth of the skin at front views: (n, 2) to (n,)."""
    dots, bounds = 24, (-10.0, -10.0, 10.0, 14.0)
    grid = front(head, bounds, dots, 3.0)

    def depth(xy: Any) -> Any:
        row, column = np.rint((bounds[3] - xy[..., 1]) * dots), np.rint((xy[..., 0] - bounds[0]) * dots)
        return grid[np.clip(row, 0, grid.shape[0] - 1).astype(int), np.clip(column, 0, grid.shape[1] - 1).astype(int)]

    return depth


def brows(head: Head, count: int, length: float, thick: float, arch: float, seed: int) -> tuple[Any, Any]:
    """Both brows: hair lies outwards, upwards at the inner end, and above it lies over that below."""
    rng, depth, steps = np.random.default_rng(seed), _front(head), 7
    strands = []
    for upper, lower in zip(BROW_UPPER, BROW_LOWER, strict=True):
        top, low = (head.vertices[head.landmarks[list(ids)]][:, :2] for ids in (upper, lower))
        top = top + np.array([0, 0.06]) + np.array([0, arch]) * np.array([[0.1], [0.5], [1], [0.8], [0.2]])
        low = low + np.array([0, arch]) * np.array([[0.1], [0.5], [1], [0.8], [0.2]])
        t, s = 0.97 * rng.beta(1.0, 1.3, count), rng.beta(2.0, 2.0, count)
        knots = np.linspace(0, 1, 5)
        # The brow is thickest at a third and runs out to a point.
        narrow = np.interp(t, [0, 0.12, 0.4, 0.75, 1], [0.62, 0.92, 1.0, 0.72, 0.34]) * thick
        edge = [np.stack([np.interp(t, knots, line[:, i]) for i in (0, 1)], axis=1) for line in (low, top)]
        middle = 0.5 * edge[0] + 0.5 * edge[1]
        root = middle + (edge[1] - edge[0]) * ((s - 0.5) * narrow)[:, None]
        ahead = [np.stack([np.interp(np.minimum(1.15, t + 0.12), knots, line[:, i]) for i in (0, 1)], axis=1)
                 for line in (low, top)]  # fmt: skip
        along = 0.5 * ahead[0] + 0.5 * ahead[1] - middle
        along[t > 0.9] += (middle - 0.5 * (edge[0] + edge[1]))[t > 0.9] + np.array([np.sign(low[-1, 0]) * 0.4, -0.25])
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        across *= np.sign(across[:, 1:2] + 1e-9)
        rise = 1.5 * (1 - t) ** 2.5 + 0.9 * (0.5 - s) + 0.08 * rng.normal(0, 1, count)
        way = along + across * rise[:, None]
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        size = length * rng.uniform(0.65, 1.1, count) * np.interp(t, [0, 0.2, 0.8, 1], [0.75, 1.05, 0.85, 0.45])
        points = []
        at = root
        for index in range(steps):
            u = index / (steps - 1)
            bent = way * (1 - 0.55 * u) + along * (0.55 * u)
            if index:
                at = at + bent * (size / (steps - 1))[:, None]
            high = depth(at) - 0.015 + 0.09 * math.sin(math.pi * min(1.0, 0.25 + 0.6 * u)) * (0.5 + 0.5 * s)
            points.append(np.column_stack([at, high]))
        strands.append(np.stack(points, axis=1))
    found = np.concatenate(strands)
    found = found[~np.isnan(found).any(axis=(1, 2))]
    radius = 0.0052 * np.linspace(1, 0.2, steps)[None] * rng.uniform(0.8, 1.3, (len(found), 1))
    return found.astype(np.float32), radius.astype(np.float32)


def lashes(head: Head, vertices: Any, length: float, thick: float, many: int, seed: int) -> tuple[Any, Any]:
    """Lashes on the lids as they are in `vertices`, the same ones for every pose."""
    rng, strands, radii = np.random.default_rng(seed), [], []
    for card in head.lash_cards():
        grid = vertices[card]
        upper = head.vertices[card[9, 0], 1] > 3.5
        count = many if upper else max(4, many // 2)
        at = np.sort(rng.uniform(0.4, len(grid) - 1.2, count))
        low = np.floor(at).astype(int)
        share = (at - low)[:, None, None]
        found = grid[low] * (1 - share) + grid[np.minimum(low + 1, len(grid) - 1)] * share
        size = length * (1 if upper else 0.62) * rng.uniform(0.6, 1.12, count)[:, None, None]
        root = found[:, :1]
        jitter = rng.normal(0, 0.06, (count, 1, 3)) * np.linspace(0, 1, found.shape[1])[None, :, None] ** 1.5
        strands.append(root + (found - root) * size + jitter)
        width = thick * (1 if upper else 0.6) * np.linspace(1, 0.2, found.shape[1])
        radii.append(np.tile(width, (count, 1)))
    return np.concatenate(strands).astype(np.float32), np.concatenate(radii).astype(np.float32)
