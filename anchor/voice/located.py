"""Names of files in a package's manifest: put in their place, and never a way out of the package."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anchor.packages.tables import plain

_ADDRESS = re.compile(r"(https?|wss?)://", re.IGNORECASE)


def located(value: Any, folder: Path, error: Callable[[str], Exception], depth: int = 0) -> Any:
    """An option with its files put in their place; nothing in it may lead out of the package."""
    if isinstance(value, str):
        return _placed(value, folder, error)
    if isinstance(value, list | dict) and depth > 3:
        raise error("lies too deep")
    if isinstance(value, list):
        return [located(item, folder, error, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: located(item, folder, error, depth + 1) for key, item in value.items()}
    if isinstance(value, bool | int | float):
        return value
    raise error("must be a text, a number, true or false, or a list or table of such")


def _placed(value: str, folder: Path, error: Callable[[str], Exception]) -> str:
    if _ADDRESS.match(value):
        return value
    found = member(value, folder, error)
    if found is not None:
        return str(found)
    # A name of a model or speaker, which must not be a way to a file beside the package.
    if "${" in value or (Path(value).exists() if "/" in value else Path(value).is_file()):
        raise error(f"{plain(repr(value))} is not in the package")
    return value


def member(name: str, folder: Path, error: Callable[[str], Exception]) -> Path | None:
    """The file or folder that a name is of, None where there is none; raises for a way out of the package."""
    parts = name.split("/")
    if name.startswith(("/", "~")) or ".." in parts or "\\" in name or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise error(f"{plain(repr(name))} leaves the package; name files in it")
    path = folder / name
    try:
        if name.strip() in ("", ".") or not path.exists():
            return None
        if not path.resolve().is_relative_to(folder.resolve()) or not (path.is_file() or path.is_dir()):
            raise error(f"{plain(repr(name))} leaves the package; name files in it")
    except OSError:  # a text that is longer than names of files can be
        return None
    return path
