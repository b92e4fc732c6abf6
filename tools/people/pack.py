"""Cut what Blender has drawn into the layers of a package, and give it the movements of its own head."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from anchor.packages.consent import Consent
from anchor.packages.writer import new_folder
from avatars import cutout
from avatars.face_basis import OUTER_LOWER, OUTER_UPPER, OVAL
from avatars.files import AVATAR
from avatars.landmarks import Face
from avatars.mouth_art import interior, light_of
from avatars.package_writer import write_arrays, write_image, write_manifest
from avatars.photo import lip_layers, mouth_grid, shut_line
from avatars.photo_fields import SHAPES, calmed, fields, jaw_drop
from avatars.photo_lips import lip_lines
from avatars.puppet_parts import Grid, Layer
from tools.people.eyes import BOX, CLOSURES, RISES, eye_layers, eye_middles, eyes_crop, lid_pose
from tools.people.head import Head, front
from tools.people.job import DOTS, build, lashes_of, write_job
from tools.people.person import Person
from tools.people.view import Drawn, View, of_eyes, ramp

_EARS = 0.0
"""Height down to which hair lies in front of the head, and below which it is behind."""


def passes(person: Person, job: dict[str, Any], arrays: dict[str, Any], born: Head, rest: Head, view: View) -> None:
    """What is to be drawn: layers, and the lids at every closure."""
    worn = [name for name in job["objects"] if name not in _BODY]
    head = view.crop(-12.5, 17.5, 12.5, -20.5)
    drawn = {
        "face": {"show": ["skin", "brow", "whites"], "shade": ["hair", *worn], "crop": head, "samples": 40},
        "hair": {"show": ["hair"], "hold": ["skin", "whites"], "shade": worn, "crop": head, "samples": 32},
        "back": {"show": ["hair"], "shade": ["skin", *worn], "crop": head, "samples": 12},
        "body": {
            "show": worn,
            "shade": ["bare", "hair"],
            "crop": view.crop(-27, -6, 27, -46.4),
            "samples": 24,
            "scale": 0.6,
        },
        "whites": {"show": ["whites"], "crop": eyes_crop(rest, view), "samples": 32},
        "irises": {"show": ["eyes"], "crop": eyes_crop(rest, view), "samples": 32},
    }
    if not person.long:
        del drawn["back"]
    for row, closure in enumerate(CLOSURES):
        for column, rise in enumerate(RISES):
            pose = dict(person.expression)
            for name, weight in lid_pose(closure, rise).items():
                pose[name] = pose.get(name, 0) + weight
            points = born.posed(**pose)
            key = f"lids_{row}_{column}"
            arrays[key] = points
            arrays[f"{key}_lash"] = lashes_of(person, born, points, 1 - 0.5 * max(0.0, closure) ** 2)[0]
            drawn[key] = {
                "show": ["skin", "brow", "lash"], "hold": ["whites"], "shade": ["hair"],
                "shapes": {"skin": key, "lash": f"{key}_lash"}, "crop": eyes_crop(rest, view), "samples": 24,
            }  # fmt: skip
    job["passes"] = drawn


_BODY = ("skin", "bare", "eyes", "whites", "hair", "brow", "lash")


def draw(person: Person, head_file: Path, blender: str, folder: Path, target: Path, *, redraw: bool = True) -> None:
    """Draw a person with Blender's interpreter, using `folder` for what lies between, and write the package."""
    job, arrays, born, rest = build(person, head_file, folder)
    view = of_eyes(rest)
    passes(person, job, arrays, born, rest, view)
    write_job(folder, job, arrays)
    if redraw:
        subprocess.run([blender, str(Path(__file__).with_name("scene.py")), str(folder)], check=True)
    write(person, Drawn(folder, job), rest, view, target)


def _layer(image: Any, view: View) -> Layer:
    whole = Layer(np.clip(image + 0.5, 0, 255).astype(np.uint8), -float(view.middle[0]), -float(view.middle[1]))
    return whole.cropped()


def write(person: Person, drawn: Drawn, rest: Head, view: View, target: Path) -> None:
    marks = rest.vertices[rest.landmarks]
    pixels = view.pixels(marks)
    face = Face.of(np.column_stack([pixels, -(marks[:, 2] - marks[[234, 454], 2].mean()) * DOTS]).astype(np.float32))
    middle = view.middle.astype(np.float32)
    art = pixels - middle
    chin, crown = float(art[152, 1]), float(view.art(rest.vertices)[:, 1].min())
    tall = chin - crown
    skin = drawn["face"]
    y = (np.arange(skin.shape[0], dtype=np.float32) + 0.5 - middle[1])[:, None]
    jaw = _jaw(face, skin.shape[:2], 0.015 * tall, 0.035 * tall)
    ears = float(view.art(np.array([0, _EARS, 0.0]))[1])
    layers = {
        "face": _layer(skin * np.minimum(1, jaw)[..., None], view),
        "neck": _layer(_neck(skin, drawn["body"], jaw, chin + float(middle[1]), tall), view),
        "hair": _layer(drawn["hair"] * (1 - ramp(y, ears - 0.02 * tall, ears + 0.08 * tall))[..., None], view),
        "body": _layer(drawn["body"], view),
    }
    layers["back"] = _layer(_behind(drawn["back"] if person.long else drawn["hair"], y - ears, tall), view)
    layers |= eye_layers(drawn, rest, view)
    bgr = np.clip(skin[..., :3] + (255 - skin[..., 3:]) * 0.5 + 0.5, 0, 255).astype(np.uint8)
    lines = lip_lines(bgr, face, middle)
    step = max(2, round(tall / 60))
    lip_grid = mouth_grid(face, middle, lines, tall)
    feather = 0.13 * face.inter_ocular
    layers |= lip_layers(bgr, middle, lip_grid, lines, feather)
    neck = (chin + 0.02 * tall, chin + person.neck * tall)
    grid = _grid(layers, neck[1] + 0.08 * tall, step)
    own = _moves(rest, view)
    moved = fields(face, middle, lines, grid, lip_grid, feather, own)
    depth = _depths(rest, view, grid, tall)
    light = light_of(bgr, *_samples(bgr, drawn["whites"], pixels, face.inter_ocular), None)
    shut = shut_line(lines)
    layers |= interior(shut, shut, face.inter_ocular, light)
    arrays = {
        "head": moved.head,
        "upper": moved.upper,
        "lower": moved.lower,
        **{f"depth_{k}": v for k, v in depth.items()},
    }
    middles = eye_middles(rest, view)
    mouth_depth = (float(marks[13, 2]) - float(marks[[234, 454], 2].mean())) * DOTS
    tables: dict[str, dict[str, Any]] = {
        "figure": {
            "crown": crown, "chin": chin, "pivot": [0.0, 0.68 * chin, -0.06 * tall], "neck": list(neck),
            "chest": [neck[1] - 0.1 * tall, neck[1] + 1.3 * tall], "lift": 0.0055 * tall, "fields": "fields.npz",
            "grid": _numbers(grid), "shapes": list(SHAPES),
        },
        "mouth": {
            "line": lines[0].round(2).tolist(), "line_below": lines[1].round(2).tolist(), "grid": _numbers(lip_grid),
            "depth": mouth_depth - 0.1 * face.inter_ocular, "jaw_drop": jaw_drop(face.inter_ocular),
        },
        "eyes": {
            "left": (middles["left"] - middle).tolist(), "right": (middles["right"] - middle).tolist(),
            "box": list(BOX), "closures": list(CLOSURES), "rises": list(RISES), "iris_rest": [0.0, person.gaze],
            "ball_radius": rest.eye("left")[1] * DOTS * 0.86,
        },
    }  # fmt: skip
    consent = Consent(
        "nobody: a head mixed from measurements, which depicts no real person", "any use the licence allows", None
    )
    head = {"name": person.name, "title": person.title, "kind": "puppet", "licence": "Apache-2.0",
            "languages": list(person.languages)}  # fmt: skip
    with new_folder(target, AVATAR) as folder:
        for name, layer in layers.items():
            write_image(folder / f"{name}.webp", layer.pixels)
        write_arrays(folder / "fields.npz", arrays)
        places = {name: {"file": f"{name}.webp", "at": [layer.left, layer.top]} for name, layer in layers.items()}
        write_manifest(folder, head, consent, {**tables, "layers": places})


def _numbers(grid: Grid) -> list[float]:
    rows, columns = grid.shape
    return [grid.left, grid.top, grid.left + (columns - 1) * grid.step, grid.top + (rows - 1) * grid.step, grid.step]


def _grid(layers: dict[str, Layer], bottom: float, step: int) -> Grid:
    """Over all that the head is made of."""
    parts = [layers[name] for name in ("face", "hair", "back", "neck") if name in layers]
    left = min(part.left for part in parts) - 2 * step
    top = min(part.top for part in parts) - 2 * step
    right = max(part.left + part.pixels.shape[1] for part in parts) + 2 * step
    return Grid(round(left), round(top), step, (int((bottom - top) // step) + 2, int((right - left) // step) + 2))


def _jaw(face: Face, shape: tuple[int, ...], below: float, softness: float) -> Any:
    """1 on the head, fading to 0 over `softness` pixels from `below` under the jaw."""
    oval = face.points[list(OVAL), :2]
    middle = oval[:, 1].mean()
    lower = oval[oval[:, 1] > middle]
    lower = lower[np.argsort(lower[:, 0])]
    height, width = shape
    edge = np.interp(np.arange(width) + 0.5, lower[:, 0], lower[:, 1])
    # Behind the jaw's angle the neck begins, from the ears down.
    outside = (np.arange(width) < lower[0, 0]) | (np.arange(width) > lower[-1, 0])
    edge = np.where(outside, lower[[0, -1], 1].mean() + 0.9 * below + 3.2 * softness, edge)
    edge = cv2.GaussianBlur(edge[None].astype(np.float32), (0, 0), 0.35 * softness)[0]
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5
    return 1 - ramp(y - edge[None] - below, 0, softness)


def _neck(skin: Any, body: Any, jaw: Any, chin: float, tall: float) -> Any:
    """The neck alone, going on upwards behind the head as it is under the chin."""
    top = round(chin + 0.03 * tall)
    rows = np.arange(len(skin), dtype=np.float32)[:, None]
    above = np.broadcast_to(1 - ramp(rows, top, top + 0.06 * tall), jaw.shape)
    hole = np.maximum(np.clip(jaw * 1.5, 0, 1), above).astype(np.float32)
    clear = (skin[..., 3] < 250).astype(np.float32)
    straight = skin[..., :3] * 255 / np.maximum(skin[..., 3:], 1)
    filled = cutout.filled(np.clip(straight, 0, 255).astype(np.uint8), cast(Any, np.maximum(hole, clear)))
    alpha = skin[..., 3].copy()
    alpha[:top] = alpha[top]
    # Beside the neck no skin looks out from behind a collar.
    alpha *= np.maximum(alpha[top : top + 1] > 128, cv2.erode(body[..., 3], np.ones((5, 5), np.uint8)) > 250)
    alpha[: round(chin - 0.22 * tall)] = 0
    colour = straight + hole[..., None] * (filled - straight)
    return np.dstack([colour * alpha[..., None] / 255, alpha])


def _behind(hair: Any, y: Any, tall: float) -> Any:
    """Hair behind the head: above the ears a little smaller than in front, so that it shows only in gaps."""
    smaller = cv2.GaussianBlur(cv2.erode(hair, np.ones((13, 13), np.uint8)), (0, 0), 2)
    low = ramp(y, -0.06 * tall, 0.04 * tall)[..., None]
    return smaller * (1 - low) + hair * low


def _moves(rest: Head, view: View) -> Any:
    """What this head's own expressions do to its landmarks, in pixels: (shapes, 478, 2)."""
    at = rest.vertices[rest.landmarks]
    still = view.pixels(at)
    out = []
    for name in SHAPES:
        halves = [one for one in (name, f"{name}Left", f"{name}Right") if one in rest.deltas]
        delta = sum(rest.deltas[one][rest.landmarks] for one in halves)
        out.append(view.pixels(at + delta) - still)
    return np.stack(out).astype(np.float32)


def _depths(rest: Head, view: View, grid: Grid, tall: float) -> dict[str, Any]:
    """How far face, hair and what is behind stand out, in pixels from between the ears."""
    ears = float(rest.vertices[rest.landmarks[[234, 454]], 2].mean())
    bounds = (-14.0, -20.0, 14.0, 16.0)
    dots = 10
    skin = front(rest, bounds, dots, -9.0)
    known = (~np.isnan(skin)).astype(np.float32)
    near = np.where(known > 0, skin, 0).astype(np.float32)
    filled = near.copy()
    for reach in (2, 5, 12, 30):
        mass = cv2.GaussianBlur(known, (0, 0), reach)
        spread = cv2.GaussianBlur(near, (0, 0), reach) / np.maximum(mass, 1e-6)
        filled = np.where((known == 0) & (mass > 1e-3), spread, filled)
        near, known = np.where(mass > 1e-3, filled, 0).astype(np.float32), (mass > 1e-3).astype(np.float32)
    points = grid.points()
    # Depth changes where a place is seen by little: perspective is left out.
    x, y = points[..., 0] / DOTS, -points[..., 1] / DOTS + float(rest.eye("left")[0][1])
    at = np.stack([(x - bounds[0]) * dots, (bounds[3] - y) * dots], axis=-1).astype(np.float32)
    depth = cv2.remap(filled.astype(np.float32), at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    face = (np.maximum(depth, ears - 6.0) - ears) * DOTS
    hair = (np.maximum(depth, ears - 5.0) + 0.9 - ears) * DOTS
    on_neck = np.clip((5.5 - np.abs(x)) / 2.5, 0, 1) * np.clip((-3.0 - y) / 4.0, 0, 1)
    # Above the ears what is behind stands little behind what is in front: no second head shall look out.
    behind = -2.5 + np.clip((y + 4) / 5, 0, 1) * (np.maximum(depth, ears - 5.0) - 0.6 + 2.5)
    back = (on_neck * (np.clip(depth, -2, 4) - ears) + (1 - on_neck) * (behind - ears)) * DOTS
    return {
        "face": calmed(face.astype(np.float32), grid.step), "hair": calmed(hair.astype(np.float32), grid.step),
        "back": calmed(back.astype(np.float32), grid.step),
    }  # fmt: skip


def _samples(bgr: Any, whites: Any, pixels: Any, unit: float) -> tuple[Any, Any, Any]:
    """Pixels (n, 3) of the whites, cheeks and lips."""

    def near(points: Any, reach: float) -> Any:
        r = max(1, round(reach))
        parts = [bgr[int(y) - r : int(y) + r + 1, int(x) - r : int(x) + r + 1].reshape(-1, 3) for x, y in points]
        return np.concatenate(parts).astype(np.float32)

    seen = whites[whites[..., 3] > 250][:, :3]
    lips = near(pixels[[*OUTER_UPPER[3:8], *OUTER_LOWER[3:8]]], 0.02 * unit)
    return seen[:: max(1, len(seen) // 500)], near(pixels[[50, 280, 205, 425]], 0.05 * unit), lips
