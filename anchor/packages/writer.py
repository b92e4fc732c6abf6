"""Writing packages: whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from anchor.packages.kinds import Kind


@contextmanager
def new_folder(folder: Path, kind: Kind) -> Iterator[Path]:
    """A folder to write a package into; it takes its name only when all went well, and is gone otherwise.

    Raises what the `kind` raises where something of that name is there already, or nothing can be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise kind.error(f"{folder}: is there already; give another name or remove it first")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise kind.error(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield scratch
        scratch.chmod(0o755)
        scratch.replace(folder)
    except OSError as error:
        raise kind.error(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, float | np.floating):
        return repr(round(float(value), 3))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    # Texts, whole numbers and truths are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {toml_value(value)}\n" for key, value in values.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def toml_table(name: str, values: Mapping[str, Any], *, listed: bool = False) -> str:
    """A table with its head; one of a list of tables if so `listed`."""
    return (f"[[{name}]]\n" if listed else f"[{name}]\n") + toml_lines(values)


def write_text(path: Path, text: str, kind: Kind) -> None:
    """Write a text whole or not at all. Raises what the `kind` raises where it cannot be written."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise kind.error(f"{path}: cannot be written ({error.strerror})") from error
