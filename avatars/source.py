"""Pictures people bring: read safely, and checked for one face that can be brought to life.

To see every measured value of a picture: ``python -m avatars.source face.jpg``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import Bytes, Floats
from avatars import pictures
from avatars.face_basis import fit
from avatars.landmarks import Face, find_faces

WORKING_SIDE = 2400
"""Larger pictures are made this large: no show needs more of a face."""

SMALLEST_EYES = 40.0
"""Pixels between the irises under which no lips can be drawn."""
FARTHEST_YAW, FARTHEST_PITCH, FARTHEST_ROLL = 20.0, 20.0, 25.0
FAINTEST_DETAIL = 6.0
"""Standard deviation of the Laplacian over a face of `_DETAIL_WIDTH` pixels; sharp portraits have 10 and more."""
_DETAIL_WIDTH = 160
DARKEST, BRIGHTEST = 28.0, 238.0
DARKEST_EYES = 0.42
"""Brightness around the eyes, in parts of the cheeks': sunglasses lie far below, deep-set eyes above."""
LEAST_SKIN = 0.52
_SECOND_FACE = 0.4
_TURNED = 1.33
"""How many times as well a face may fit after half a turn: upright ones 1.16 times at most, others up to 3.5 times."""

_CHEEKS = (50, 280, 205, 425, 101, 330)
_AROUND_EYES = ((226, 113, 110, 24, 230, 119), (446, 342, 339, 254, 450, 348))


def read_picture(path: Path) -> Bytes:
    """Read a picture as `avatars.pictures` does: BGR, uint8, at most `WORKING_SIDE` pixels a side."""
    return pictures.read_picture(path, longest=WORKING_SIDE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing measured about a face: its value, the limits it must keep, and what it means to miss them."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    trouble: str

    @property
    def good(self) -> bool:
        return self.low <= self.value <= self.high

    def __str__(self) -> str:
        if math.isinf(self.high):
            limits = f"at least {self.low:g}"
        elif math.isinf(self.low):
            limits = f"at most {self.high:g}"
        else:
            limits = f"{self.low:g} to {self.high:g}"
        return f"{self.name} is {self.value:.3g}{self.unit} ({limits})"


def _patch(bgr: Bytes, centre: tuple[float, float], reach: float) -> Bytes:
    x, y, r = round(centre[0]), round(centre[1]), max(1, round(reach))
    return bgr[max(0, y - r) : y + r + 1, max(0, x - r) : x + r + 1]


def _brightness(bgr: Bytes, face: Face, points: tuple[int, ...], reach: float) -> float:
    """Mean brightness, 0..255, around landmarks inside the picture."""
    patches = [_patch(bgr, (float(face.points[i, 0]), float(face.points[i, 1])), reach) for i in points]
    values = [float(patch.mean()) for patch in patches if patch.size]
    return float(np.mean(values)) if values else 0.0


def _detail(bgr: Bytes, face: Face) -> float:
    left, top, right, bottom = face.box
    part = bgr[max(0, int(top)) : int(bottom), max(0, int(left)) : int(right)]
    scale = _DETAIL_WIDTH / max(1, part.shape[1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grey = cv2.cvtColor(cv2.resize(part, None, fx=scale, fy=scale, interpolation=way), cv2.COLOR_BGR2GRAY)
    contrast = max(12.0, float(grey.std()))
    return 50 * float(cv2.Laplacian(grey, cv2.CV_32F).std()) / contrast


def _skin_match(bgr: Bytes, face: Face) -> float:
    """How much the skin around mouth and eyes is of one colour with the cheeks: 1 for the same, 0 for another."""
    lab = cast(Bytes, cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB))
    reach = 0.05 * face.inter_ocular

    def colour(points: tuple[int, ...]) -> Floats:
        patches = [_patch(lab, (float(face.points[i, 0]), float(face.points[i, 1])), reach) for i in points]
        pixels = np.concatenate([p.reshape(-1, 3) for p in patches if p.size] or [np.zeros((1, 3), np.uint8)])
        return cast(Floats, np.median(pixels, axis=0).astype(np.float32))

    cheeks = colour(_CHEEKS)
    away = [np.linalg.norm((colour(points) - cheeks)[1:]) for points in ((164, 18, 200), (151, 9, 108, 337))]
    return float(np.exp(-max(away) / 30))


def measure(bgr: Bytes, face: Face) -> list[Finding]:
    """Everything that is checked about a face, in the order in which a person should mend it."""
    left, top, right, bottom = face.box
    height, width = bgr.shape[:2]
    inside = min(left, top, width - right, height - bottom) / face.inter_ocular
    reach = 0.06 * face.inter_ocular
    cheeks = _brightness(bgr, face, _CHEEKS, reach)
    eyes = min(_brightness(bgr, face, lids, reach) for lids in _AROUND_EYES) / max(1.0, cheeks)
    inf = math.inf
    return [
        Finding("yaw", face.yaw, -FARTHEST_YAW, FARTHEST_YAW, " degrees", "the face is turned aside"),
        Finding("pitch", face.pitch, -FARTHEST_PITCH, FARTHEST_PITCH, " degrees", "the face looks up or down"),
        Finding("roll", face.roll, -FARTHEST_ROLL, FARTHEST_ROLL, " degrees", "the head leans"),
        Finding("distance between the eyes", face.inter_ocular, SMALLEST_EYES, inf, " px", "the face is too small"),
        Finding("room around the face", inside, 0.02, inf, " eye distances", "the picture cuts the face"),
        Finding("brightness", cheeks, DARKEST, BRIGHTEST, "", "the light on the face is too dark or too bright"),
        Finding("sharpness", _detail(bgr, face), FAINTEST_DETAIL, inf, "", "the face is blurred"),
        Finding("brightness around the eyes against the cheeks", eyes, DARKEST_EYES, inf, "",
                "the eyes are covered, as by sunglasses"),
        Finding("likeness of forehead and mouth to the cheeks", _skin_match(bgr, face), LEAST_SKIN, inf, "",
                "part of the face is covered"),
    ]  # fmt: skip


def check_face(bgr: Bytes) -> Face:
    """The one face of a portrait. Raises `AvatarError` that names what is wrong and the value measured."""
    faces = find_faces(bgr)
    if not faces:
        raise AvatarError("no face is found; give a frontal portrait with the whole face in light")
    main = faces[0]
    others = [face for face in faces[1:] if face.inter_ocular > _SECOND_FACE * main.inter_ocular]
    if others:
        raise AvatarError(f"{1 + len(others)} faces are found; give a picture of one person")
    for finding in measure(bgr, main):
        if not finding.good:
            raise AvatarError(f"{finding.trouble}: {finding}")
    better = _better_turned(bgr, main)
    if better > _TURNED:
        raise AvatarError(
            f"the face stands on its head: after half a turn it fits {better:.1f} times as well (at most {_TURNED:g})"
        )
    return main


def _better_turned(bgr: Bytes, face: Face) -> float:
    """How many times as well the face fits when the picture is turned by half: found on its head, it is distorted."""
    turned = find_faces(np.ascontiguousarray(bgr[::-1, ::-1]))
    return fit(face.points)[1] / fit(turned[0].points)[1] if turned else 0.0


def main() -> None:
    """Print what is measured about a picture's face."""
    import argparse

    from anchor.errors import AnchorError

    parser = argparse.ArgumentParser(prog="python -m avatars.source", description=main.__doc__)
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    try:
        picture = read_picture(given.picture)
        faces = find_faces(picture)
        print(f"{given.picture}: {picture.shape[1]}x{picture.shape[0]}, {len(faces)} face(s)")
        for face in faces:
            for finding in measure(picture, face):
                print(f"  {'ok ' if finding.good else 'NO '} {finding}")
        check_face(picture)
    except AnchorError as error:
        parser.exit(1, f"refused: {error}\n")
    print("  can be made into an avatar")


if __name__ == "__main__":
    main()
