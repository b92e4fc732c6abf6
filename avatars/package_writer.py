"""Writing avatar packages: whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.media import Bytes
from avatars.package import MANIFEST, Consent


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write a package into; it takes its name only when all went well, and is gone otherwise.

    Raises `AvatarError` where something of that name is there already, or nothing can be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AvatarError(f"{folder}: is there already; give another name or remove it first")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise AvatarError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield scratch
        scratch.chmod(0o755)
        scratch.replace(folder)
    except OSError as error:
        raise AvatarError(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, float | np.floating):
        return repr(round(float(value), 3))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    # Texts, whole numbers and truths are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_manifest(folder: Path, head: Mapping[str, Any], consent: Consent, tables: Mapping[str, Any]) -> None:
    """Write ``avatar.toml``: what every avatar says about itself, then the tables of its kind."""
    parts = ["".join(f"{key} = {_value(value)}\n" for key, value in head.items()), consent_table(consent)]
    parts += [_table(name, table) for name, table in tables.items()]
    write_text(folder / MANIFEST, "\n".join(parts))


def _table(name: str, values: Mapping[str, Any]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def consent_table(consent: Consent) -> str:
    """The record as it stands in ``avatar.toml``."""
    until = consent.until.isoformat() if consent.until else "unlimited"
    return _table("consent", {"who": consent.who, "scope": consent.scope, "until": until})


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all. Raises `AvatarError` where it cannot be written."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise AvatarError(f"{path}: cannot be written ({error.strerror})") from error
