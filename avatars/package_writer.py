"""Writing avatar packages: whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anchor.media import Bytes
from anchor.packages.consent import Consent, consent_table
from anchor.packages.writer import toml_lines, toml_table, write_text
from avatars.files import AVATAR, MANIFEST


def write_image(path: Path, pixels: Bytes) -> None:
    """Write premultiplied BGRA, uint8, as a lossless WebP with straight alpha."""
    from PIL import Image

    straight = cv2.cvtColor(pixels, cv2.COLOR_mRGBA2RGBA)
    image = Image.fromarray(np.ascontiguousarray(straight[..., [2, 1, 0, 3]]))
    image.save(path, "WEBP", lossless=True, quality=40, method=2, exact=False)


def write_arrays(path: Path, arrays: Mapping[str, Any], exact: Collection[str] = ()) -> None:
    """Write an ``.npz`` of half floats, those named in `exact` of single ones."""
    kinds = {name: np.float32 if name in exact else np.float16 for name in arrays}
    shorter: dict[str, Any] = {name: np.asarray(values, kinds[name]) for name, values in arrays.items()}
    np.savez_compressed(path, **shorter)


def write_manifest(folder: Path, head: Mapping[str, Any], consent: Consent, tables: Mapping[str, Any]) -> None:
    """Write ``avatar.toml``: what every avatar says about itself, then the tables of its kind."""
    parts = [toml_lines(head), consent_table(consent)]
    parts += [toml_table(name, table) for name, table in tables.items()]
    write_text(folder / MANIFEST, "\n".join(parts), AVATAR)
