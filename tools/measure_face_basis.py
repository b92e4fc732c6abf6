"""Measure how the ARKit expressions move the 478 landmarks of a face, on a head with expressions of its own.

The head (ICT-FaceKit, MIT) is drawn from the front, landmarks are found in that picture, and each is given the
displacements of the vertex seen there. ``python tools/measure_face_basis.py HEAD.npz`` writes avatars/face_basis.npz.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anchor.media import ARKIT
from avatars.face_basis import FILE, INNER_LOWER, INNER_UPPER, LOWER_LIP, UPPER_LIP
from avatars.landmarks import IRIS_LEFT, IRIS_RIGHT, find_faces

_SIZE = 1024
_DRAWN = ("M_Face", "M_BackHead", "M_ScleraLeft", "M_IrisLeft", "M_ScleraRight", "M_IrisRight")
_COLOURS = {"M_Face": (150, 175, 215), "M_BackHead": (140, 165, 205), "M_Iris": (50, 60, 70), "M_Sclera": (230,) * 3}


def _project(vertices: Any) -> Any:
    """Vertices to picture pixels, x right, y down, z towards the viewer."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    scale = 0.8 * _SIZE / float(high[1] - low[1])
    middle = (low + high) / 2
    return (vertices - middle) * np.float32(scale) * np.array([1, -1, 1], np.float32) + _SIZE / 2


def _draw(points: Any, faces: Any, materials: Any, names: list[str]) -> tuple[Any, Any]:
    """Painter's algorithm: a shaded picture, and the depth of what is seen in it."""
    corners = points[faces]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    light = np.array([0.25, -0.45, 0.86])
    # y points down, so that outward normals point away from the viewer.
    shade = 0.35 + 0.65 * np.clip(-(normal @ light) if normal[:, 2].sum() < 0 else normal @ light, 0, 1)
    picture = np.full((_SIZE, _SIZE, 3), 90, np.uint8)
    depth = np.full((_SIZE, _SIZE), -1e9, np.float32)
    for index in np.argsort(corners[..., 2].mean(axis=1)):
        name = names[materials[index]]
        if name not in _DRAWN:
            continue
        colour = next(c for key, c in _COLOURS.items() if name.startswith(key))
        shape = np.rint(corners[index, :, :2] * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, shape, tuple(float(c * shade[index]) for c in colour), cv2.LINE_8, 4)
        cv2.fillConvexPoly(depth, shape, (float(corners[index, :, 2].mean()),), cv2.LINE_8, 4)
    return picture, depth


def _landmarks(picture: Any) -> Any:
    return find_faces(cv2.GaussianBlur(picture, (0, 0), 1))[0].points


def _vertices(points: Any, depth: Any, marks: Any, opening: Any) -> Any:
    """For each landmark the vertex of the face that is seen nearest to it, on its own side of the lips."""
    at = np.clip(np.rint(points[:, :2]).astype(int), 0, _SIZE - 1)
    seen = points[:, 2] > depth[at[:, 1], at[:, 0]] - 6
    out = []
    for index, mark in enumerate(marks):
        away = np.abs(points[:, :2] - mark[:2])
        usable = seen.copy()
        if index in UPPER_LIP or index in LOWER_LIP:
            # The jaw takes only the lower lip along: in this column the drop jumps from one lip to the other.
            column = opening[seen & (away[:, 0] < 10) & (away[:, 1] < 40)]
            lowered = opening > (column.min() + column.max()) / 2
            usable &= lowered if index in LOWER_LIP else ~lowered
        far = np.linalg.norm(points[:, :2] - mark[:2], axis=1) + np.where(usable, 0, 1e6)
        out.append(int(far.argmin()))
    return np.array(out)


def landmark_vertices(data: Any) -> tuple[Any, Any, Any, Any]:
    """The vertex at every landmark; all vertices as drawn; and the picture with the landmarks found in it."""
    neutral = data["neutral"]
    points = _project(neutral)
    names = [str(n) for n in data["materials"]]
    faces, materials = data["faces"], data["face_material"]
    picture, depth = _draw(points, faces, materials, names)
    marks = _landmarks(picture)
    on_face = np.unique(faces[materials == names.index("M_Face")])
    drop = -data["deltas"][shape_names(data).index("jawOpen"), on_face, 1].astype(np.float32)
    return on_face[_vertices(points[on_face], depth, marks, drop)], points, picture, marks


def shape_names(data: Any) -> list[str]:
    """The head's expressions by their names in ARKit; some that are one there are two here, by side."""
    return [str(n).replace("_L", "Left").replace("_R", "Right") for n in data["names"]]


def measure(head: Path) -> tuple[dict[str, Any], Any]:
    """In distances between the irises: landmarks at rest, and displacements for each ARKit name; and the picture."""
    data = np.load(head)
    chosen, points, picture, marks = landmark_vertices(data)
    scale = 0.8 * _SIZE / float(np.ptp(data["neutral"][:, 1]))
    unit = scale / float(np.linalg.norm(marks[IRIS_LEFT, :2] - marks[IRIS_RIGHT, :2]))
    shapes, deltas = shape_names(data), data["deltas"].astype(np.float32)
    flip = np.array([1, -1, 1], np.float32) * np.float32(unit)
    # z from between the ears.
    middle = [*((marks[IRIS_LEFT] + marks[IRIS_RIGHT]) / 2)[:2], points[chosen[[234, 454]], 2].mean()]
    rest = (np.column_stack([marks[:, :2], points[chosen][:, 2]]) - middle) * (unit / scale)
    basis = {"neutral": rest.astype(np.float32)}
    for name in ARKIT:
        halves = [one for one in (name, f"{name}Left", f"{name}Right") if one in shapes]
        if halves and not name.startswith("eyeLook"):
            basis[name] = sum(deltas[shapes.index(one), chosen] for one in halves) * flip
    return basis, (picture, marks, points[chosen])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the ARKit expressions at the landmarks of a face.")
    parser.add_argument("head", type=Path, help="ict_facekit.npz")
    parser.add_argument("--picture", type=Path, help="where to write what was measured")
    given = parser.parse_args()
    basis, (picture, marks, points) = measure(given.head)
    np.savez_compressed(FILE, **{name: move.astype(np.float16) for name, move in basis.items()})
    opened = basis["jawOpen"]
    print(len(basis) - 1, "shapes; inner lips at jawOpen:", opened[list(INNER_LOWER), 1] - opened[list(INNER_UPPER), 1])
    if given.picture:
        for a, b in zip(marks, points, strict=True):
            cv2.line(picture, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), (0, 0, 255))
            cv2.circle(picture, (int(a[0]), int(a[1])), 1, (0, 255, 0), -1)
        cv2.imwrite(str(given.picture), picture)


if __name__ == "__main__":
    main()
