"""Back-ends by name, through the entry-point tables of ``pyproject.toml`` and of other installed distributions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from anchor.errors import ConfigError, MissingError

GROUPS = (
    "anchor.voice", "anchor.recognizer", "anchor.dialogue", "anchor.driver", "anchor.avatar", "anchor.scene",
    "anchor.sink",
)  # fmt: skip
DEFAULT_AVATAR = "lin"
"""Who is seen where nobody else is asked for."""
DEFAULT_DRIVER = "auto"
"""The driver that takes the best there is: phones, the sound, its loudness."""


def names(group: str) -> list[str]:
    return sorted({entry.name for entry in entry_points(group=group)})


def entry(group: str, name: str) -> EntryPoint:
    found = tuple(entry_points(group=group, name=name))
    if not found:
        kind = group.rpartition(".")[2]
        raise MissingError(f"there is no {kind} named {name!r}; there are: {', '.join(names(group)) or 'none'}")
    return found[0]


def load(group: str, name: str) -> Any:
    """Import the back-end `name` of `group`. Raises `MissingError` with the command that installs what it needs."""
    found = entry(group, name)
    try:
        return found.load()
    except ImportError as error:
        extra = f"[{','.join(found.extras)}]" if found.extras else ""
        raise MissingError(
            f"{found.name}: needs {error.name or error}, which is not installed; "
            f"run: .venv/bin/pip install -e '.{extra}'"
        ) from error


def build(factory: Callable[..., Any], options: Mapping[str, Any], where: str) -> Any:
    """Call `factory` with options from a configuration.

    Raises `ConfigError` that names `where` for an option it does not know, or needs and has not been given.
    """
    known = {
        name: parameter.default is inspect.Parameter.empty
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    for key in options:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known: {', '.join(known) or 'none'}")
    if missing := [key for key, needed in known.items() if needed and key not in options]:
        raise ConfigError(f"{where}: needs {', '.join(missing)}")
    return factory(**options)
