"""A head of its own: the measured one with a mixture of its identities. Centimetres, y up, z to the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.measure_face_basis import landmark_vertices, shape_names

SKIN, EYES = ("M_Face", "M_BackHead"), ("M_ScleraLeft", "M_ScleraRight")
_LASHES = "M_EyeLashes"


@dataclass(frozen=True)
class Head:
    """Vertices (n, 3), quads and triangles (m, 4; -1 where there is none), and displacements by ARKit name."""

    vertices: Any
    faces: Any
    material: Any
    materials: list[str]
    deltas: dict[str, Any]
    landmarks: Any
    """Vertices at MediaPipe's 478 landmarks."""

    def posed(self, **weights: float) -> Any:
        """Vertices with an expression; a name without its side stands for both."""
        out = self.vertices.copy()
        for name, weight in weights.items():
            for full in (name, f"{name}Left", f"{name}Right"):
                if full in self.deltas:
                    out += weight * self.deltas[full]
        return out

    def faces_of(self, *materials: str) -> Any:
        return self.faces[np.isin(self.material, [self.materials.index(name) for name in materials])]

    def lash_cards(self) -> list[Any]:
        """Grids of vertices, (along the lid, root to tip), one for each card of lashes."""
        return _grids(self.faces_of(_LASHES), self.vertices)

    def eye(self, side: str) -> tuple[Any, float]:
        """Middle and radius of an eyeball."""
        used = np.unique(self.faces_of(f"M_Sclera{side.capitalize()}"))
        points = self.vertices[used[used >= 0]]
        radius = float(np.ptp(points[:, 1])) / 2
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return np.array([middle[0], middle[1], points[:, 2].min() + radius]), radius

    def pupil(self, side: str) -> Any:
        """The foremost place of an eyeball."""
        middle, radius = self.eye(side)
        return middle + np.array([0, 0, radius])


def front(head: Head, bounds: tuple[float, float, float, float], dots: int, nearest: float) -> Any:
    """Depth of the skin as seen from the front, NaN where there is none, row by row from the top: (rows, columns).

    Skin farther back than `nearest` is not looked at.
    """
    left, bottom, right, top = bounds
    depth = np.full((round((top - bottom) * dots) + 1, round((right - left) * dots) + 1), np.nan, np.float32)
    faces = head.faces_of(*SKIN)
    corners = head.vertices[faces[faces[:, 3] >= 0]]
    for a in np.linspace(0, 1, 14):
        for b in np.linspace(0, 1, 14):
            upper, lower = corners[:, 0] * (1 - a) + corners[:, 1] * a, corners[:, 3] * (1 - a) + corners[:, 2] * a
            spots = upper * (1 - b) + lower * b
            row, column = np.rint((top - spots[:, 1]) * dots), np.rint((spots[:, 0] - left) * dots)
            seen = (row >= 0) & (row < depth.shape[0]) & (column >= 0) & (column < depth.shape[1])
            seen &= spots[:, 2] > nearest
            np.fmax.at(depth, (row[seen].astype(int), column[seen].astype(int)), spots[seen, 2].astype(np.float32))
    return depth


def _grids(faces: Any, vertices: Any) -> list[Any]:
    """Order the strips of quads that make up lash cards: rows run along the lid."""
    neighbours: dict[int, list[Any]] = {}
    for quad in faces:
        for vertex in quad:
            neighbours.setdefault(int(vertex), []).append(quad)
    left, grids = set(neighbours), []
    while left:
        stack, part = [next(iter(left))], set()
        while stack:
            vertex = stack.pop()
            if vertex in part:
                continue
            part.add(vertex)
            stack += [int(v) for quad in neighbours[vertex] for v in quad]
        left -= part
        grids.append(_ordered(part, neighbours))
    return [_from_root(grid, vertices) for grid in grids]


def _ordered(part: set[int], neighbours: dict[int, list[Any]]) -> Any:
    """Walk a grid of quads from a corner, row by row."""
    edges: dict[int, set[int]] = {v: set() for v in part}
    for vertex in part:
        for quad in neighbours[vertex]:
            at = [int(v) for v in quad].index(vertex)
            edges[vertex] |= {int(quad[at - 1]), int(quad[(at + 1) % 4])}
    corners = [v for v in part if len(edges[v]) == 2]

    def side(start: int, step: int) -> list[int]:
        walk = [start, step]
        while len(edges[walk[-1]]) == 3:
            on = [v for v in edges[walk[-1]] if v not in walk and len(edges[v]) <= 3]
            if not on:
                break
            walk.append(on[0])
        return walk

    corner = corners[0]
    sides = sorted((side(corner, step) for step in edges[corner]), key=len)
    across, along = sides  # The short side runs from root to tip.
    rows = [along]
    for start in across[1:]:
        row, above = [start], rows[-1]
        for column in range(1, len(along)):
            seen = set(row) | set(above) | (set(rows[-2]) if len(rows) > 1 else set())
            on = [v for v in edges[row[-1]] if v not in seen and above[column] in edges[v]]
            row.append(on[0])
        rows.append(row)
    return np.array(rows).T


def _from_root(grid: Any, vertices: Any) -> Any:
    """Roots lie nearer to the eye's middle depth, behind the tips."""
    return grid if vertices[grid[:, 0], 2].mean() < vertices[grid[:, -1], 2].mean() else grid[:, ::-1]


def _mirrored(vertices: Any) -> Any:
    """For every vertex the one at its mirrored place."""
    flipped = vertices * np.array([-1, 1, 1])
    order = np.argsort(vertices[:, 1])
    sorted_y = vertices[order, 1]
    out = np.empty(len(vertices), np.intp)
    for index, point in enumerate(flipped):
        low, high = np.searchsorted(sorted_y, [point[1] - 0.02, point[1] + 0.02])
        near = order[low:high]
        out[index] = near[((vertices[near] - point) ** 2).sum(axis=1).argmin()] if len(near) else index
    return out


def load(path: Path, seed: int, spread: float, own: dict[int, float], symmetry: float) -> Head:
    """Mix identities at random by `seed`, `spread` standard deviations wide, with `own` added by number.

    `symmetry` 1 makes both halves the same.
    """
    data: Any = dict(np.load(path))
    neutral = data["neutral"].astype(np.float64)
    weights = np.random.default_rng(seed).normal(0, spread, len(data["identity"]))
    for number, more in own.items():
        weights[number] += more
    moved = np.tensordot(weights, data["identity"].astype(np.float64), 1)
    other = moved[_mirrored(neutral)] * np.array([-1, 1, 1])
    moved = (1 - symmetry / 2) * moved + symmetry / 2 * other
    deltas = {name: delta.astype(np.float64) for name, delta in zip(shape_names(data), data["deltas"], strict=True)}
    marks = landmark_vertices(data)[0]
    names = [str(name) for name in data["materials"]]
    return Head(neutral + moved, data["faces"], data["face_material"], names, deltas, marks)
