"""Where models lie on this machine: one folder for each, by its name, as ``anchor models pull`` leaves it.

A folder under its own name is whole: what is still being fetched lies elsewhere and is renamed when it is checked.
People may put folders there by hand, too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from anchor.errors import MissingError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def models_folder() -> Path:
    """`$ANCHOR_MODELS`, or ``anchor/models`` in the cache (`$XDG_CACHE_HOME`, ``~/.cache``); it may not exist yet."""
    if told := os.environ.get("ANCHOR_MODELS"):
        return Path(told).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "anchor" / "models"


def installed(name: str) -> Path | None:
    """The folder of a model that is here whole; None when it is not, or when `name` can be no model's name."""
    if not NAME.fullmatch(name):
        return None
    folder = models_folder() / name
    try:
        return folder if any(folder.iterdir()) else None
    except OSError:
        return None


def resolve(model: str | Path) -> Path:
    """What an option ``model`` means: the folder of a model that is here by that name, else the path that it is."""
    path = Path(model).expanduser()
    return path if path.exists() else installed(str(model)) or path


def where(name: str) -> Path:
    """Like `installed`. Raises `MissingError` with the command that fetches it."""
    folder = installed(name)
    if folder is None:
        raise MissingError(f"the model {name} is not in {models_folder()}; run: anchor models pull {name}")
    return folder


def all_installed() -> tuple[str, ...]:
    """The names of all models that are here, in order."""
    try:
        names = sorted(entry.name for entry in models_folder().iterdir())
    except OSError:
        return ()
    return tuple(name for name in names if installed(name) is not None)


def offline() -> bool:
    """Whether nothing may be fetched: `$ANCHOR_OFFLINE` or `$HF_HUB_OFFLINE` is set to something that is not no."""
    told = (os.environ.get(name, "").strip().lower() for name in ("ANCHOR_OFFLINE", "HF_HUB_OFFLINE"))
    return any(value not in ("", "0", "no", "off", "false") for value in told)
