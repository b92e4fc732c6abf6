"""The job that Blender is given to draw a person: meshes, strands, paintings, materials, lights and a camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.people import cloth, paint, strands
from tools.people.head import EYES, SKIN, Head, load
from tools.people.paint import BOUNDS, Canvas
from tools.people.person import Person
from tools.people.strands import Scalp, grow

DOTS = 36.0
"""Pixels a centimetre."""
WIDE, HIGH = 54.0, 66.0
"""Centimetres that a picture holds at the depth of the eyes."""
TOP = 19.5
"""Height of its upper edge."""
CAMERA = 3.5
"""Height of the camera."""
AWAY = 190.0
DEPTH = 9.0
"""z of the eyes, and how far from there the camera is."""

LIGHTS = [
    {"energy": 190000, "size": (55, 55), "colour": (1.0, 0.965, 0.92), "at": (-75, 58, 120), "aim": (0, 1, 6)},
    {"energy": 62000, "size": (80, 80), "colour": (0.93, 0.96, 1.0), "at": (110, 18, 110), "aim": (0, 0, 5)},
    {"energy": 30000, "size": (25, 60), "colour": (0.95, 0.98, 1.0), "at": (70, 55, -75), "aim": (0, 3, 0)},
    {"energy": 30000, "size": (25, 60), "colour": (1.0, 0.98, 0.95), "at": (-75, 50, -70), "aim": (0, 3, 0)},
]


def build(person: Person, head_file: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any], Head, Head]:
    """The job without passes, its arrays, the head as it came and the head at rest."""
    born = load(head_file, person.seed, person.spread, person.own, 0.75)
    rest = Head(born.posed(**person.expression), born.faces, born.material, born.materials, born.deltas, born.landmarks)
    scalp = Scalp(rest)
    hair, hair_radius = grow(scalp, person.hair, person.seed)
    brow, brow_radius = strands.brows(rest, person.brows.count, person.brows.length, person.brows.thick,
                                      person.brows.arch, person.seed)  # fmt: skip
    lash, lash_radius = lashes_of(person, rest, rest.vertices)
    colour, gloss = paint.skin(born, person.complexion)
    dark = paint.scalp_shadow(Canvas(born), hair[:, 0])[..., None]
    colour = colour * (1 - 0.85 * dark) + np.array(person.complexion.hair, np.float32) * 0.85 * dark
    _write(folder / "skin.png", colour)
    _write(folder / "gloss.png", np.repeat(gloss[..., None], 3, axis=2))
    _write(folder / "eyes.png", paint.eyeballs(born, person.iris, with_iris=True))
    _write(folder / "whites.png", paint.eyeballs(born, person.iris, with_iris=False))
    arrays = {
        "born": born.vertices, "rest": rest.vertices, "skin": _bare(rest, person, 2.4),
        "bare": _bare(rest, person, -0.3),
        "hair": hair, "hair_radius": hair_radius, "brow": brow, "brow_radius": brow_radius,
        "lash": lash, "lash_radius": lash_radius,
        "sclera": rest.faces_of(*EYES),
    }  # fmt: skip
    size = (round(WIDE * DOTS), round(HIGH * DOTS))
    job: dict[str, Any] = {
        "camera": {"x": 0.0, "y": CAMERA, "z": DEPTH + AWAY, "away": AWAY, "wide": WIDE,
                   # The camera looks at the middle of the picture; a shift keeps the eyes on its axis.
                   "shift": [0.0, (TOP - HIGH / 2 - CAMERA) / WIDE], "size": size},
        "sky": (0.16, 0.17, 0.19), "view": "AgX", "contrast": "AgX - Medium High Contrast", "exposure": 0.35,
        "lights": LIGHTS,
        "materials": {
            "skin": {"kind": "skin", "colour": "skin.png", "gloss": "gloss.png", "bounds": BOUNDS,
                     "roughness": person.roughness, "pores": person.pores},
            "eyes": {"kind": "eye", "colour": "eyes.png", "bounds": BOUNDS},
            "whites": {"kind": "eye", "colour": "whites.png", "bounds": BOUNDS},
            "hair": {"kind": "hair", "melanin": person.melanin, "redness": person.redness, "roughness": 0.28},
            "brow": {"kind": "hair", "melanin": person.melanin * 0.97, "redness": person.redness, "roughness": 0.5},
            "lash": {"kind": "dark", "colour": person.complexion.hair},
        },
        "objects": {
            "skin": _mesh("rest", "skin", "skin", levels=2), "bare": _mesh("rest", "bare", "skin", levels=1),
            "eyes": _mesh("rest", "sclera", "eyes", levels=2),
            "whites": _mesh("rest", "sclera", "whites", levels=2),
            "hair": _hair("hair", "hair"), "brow": _hair("brow", "brow"), "lash": _hair("lash", "lash"),
        },
        "passes": {},
    }  # fmt: skip
    for name, garment in cloth.wardrobe(person.suit, rest).items():
        _write(folder / f"{name}.png", np.repeat(garment.mask[..., None], 3, axis=2))
        job["materials"][name] = {**garment.spec, "mask": f"{name}.png", "bounds": cloth.BOUNDS}
        job["objects"][name] = {"kind": "mesh", "points": name, "faces": f"{name}_faces", "material": name, "levels": 0}
        arrays |= {name: garment.points, f"{name}_faces": garment.faces}
    return job, arrays, born, rest


def lashes_of(person: Person, head: Head, vertices: Any, share: float = 1.0) -> tuple[Any, Any]:
    """A person's lashes on the lids as they are in `vertices`: strands and radii.

    Only a `share` of their length is drawn: on shut lids they point to the viewer.
    """
    return strands.lashes(head, vertices, share * person.lash, person.lash_radius, person.lashes, person.seed)


def _bare(head: Head, person: Person, more: float) -> Any:
    """Faces of the skin that clothes leave bare, and those less than `more` centimetres under them."""
    faces = head.faces_of(*SKIN)
    line = cloth.neckline(person.suit.tie is not None)
    x, y = np.abs(head.vertices[:, 0]), head.vertices[:, 1]
    bare = y > np.interp(x, line[:, 0], line[:, 1]) - more
    return faces[bare[np.maximum(faces, 0)].all(axis=1)]


def _mesh(points: str, faces: str, material: str, levels: int) -> dict[str, Any]:
    return {"kind": "mesh", "points": points, "faces": faces, "rest": "born", "material": material, "levels": levels}


def _hair(name: str, material: str) -> dict[str, Any]:
    return {"kind": "strands", "points": name, "radius": f"{name}_radius", "material": material}


def _write(path: Path, image: Any) -> None:
    """Linear RGB as a PNG of 16 bits."""
    values = np.clip(image[..., ::-1] * 65535 + 0.5, 0, 65535).astype(np.uint16)
    if not cv2.imwrite(str(path), np.ascontiguousarray(values)):
        raise OSError(f"{path}: cannot be written")


def write_job(folder: Path, job: dict[str, Any], arrays: dict[str, Any]) -> None:
    (folder / "job.json").write_text(json.dumps(job))
    small = {key: value.astype(np.float32 if value.dtype.kind == "f" else np.int32) for key, value in arrays.items()}
    np.savez(folder / "arrays.npz", **small)
