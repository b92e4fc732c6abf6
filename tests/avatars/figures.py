"""More people than the library has: copies of Lin with other names and other colours."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from avatars.files import read_image
from avatars.package import library


def relative(folder: Path, name: str, *, until: str = "unlimited", hue: int = 60) -> Path:
    """Write a package that looks like Lin with skin and hair of another hue (OpenCV's, 0..179)."""
    package = Path(shutil.copytree(library()["lin"], folder / name))
    path = package / "avatar.toml"
    text = path.read_text("utf-8").replace('name = "lin"', f'name = "{name}"')
    text = text.replace('title = "Lin"', f'title = "{name.title()}"').replace("unlimited", until)
    path.write_text(text, "utf-8")
    for file in ("face.webp", "hair.webp", "neck.webp"):
        image = read_image(package, file)
        tones = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2HSV)
        tones[..., 0] = (tones[..., 0].astype(int) + hue) % 180
        tones[..., 1] = np.maximum(tones[..., 1], 120)
        image[..., :3] = cv2.cvtColor(tones, cv2.COLOR_HSV2BGR)
        cv2.imwrite(str(package / file), image, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return package


def renew(package: Path, until: str) -> None:
    """Write another end into the record of consent, the way an editor does: a new file in place of the old."""
    path = package / "avatar.toml"
    lines = path.read_text("utf-8").splitlines()
    record = f'until = "{until}"'
    scratch = path.with_name(".new")
    scratch.write_text("\n".join(record if line.startswith("until =") else line for line in lines), "utf-8")
    scratch.replace(path)
