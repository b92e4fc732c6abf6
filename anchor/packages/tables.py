"""Tables of a manifest, read strictly: what is wrong is named by file and key, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from anchor.errors import AnchorError

_LONGEST = 500
"""Characters of a text in a manifest."""


def plain(text: object, most: int = 60) -> str:
    """Foreign text as it may stand in a message: one line, not too long, nothing that a terminal obeys."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in str(text)[: most + 1])
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


def _shown(value: object) -> str:
    """A value as it may stand in a message; whole numbers too long for Python to print are not spelled out."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of many digits"
    return plain(
        repr(value) if not isinstance(value, list | dict) else f"a {'list' if isinstance(value, list) else 'table'}"
    )


class Table:
    """A table of a manifest: wrong types and unknown keys are errors, of the class `fault`, that name file and key."""

    fault: ClassVar[type[AnchorError]] = AnchorError

    def __init__(self, values: Mapping[str, Any], where: str, prefix: str = "") -> None:
        self._values, self._where, self._prefix = dict(values), where, prefix

    def error(self, key: str, problem: str) -> AnchorError:
        return self.fault(f"{self._where}: {self._prefix}{plain(key)}: {problem}")

    def _take(self, key: str) -> Any:
        if key not in self._values:
            raise self.error(key, "is missing")
        return self._values.pop(key)

    def text(self, key: str, most: int = _LONGEST) -> str:
        """A text of one line."""
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text that is not empty")
        return self._line(value, key, most)

    def _line(self, value: str, key: str, most: int) -> str:
        if len(value) > most or not value.isprintable():
            raise self.error(key, f"must be one line of at most {most} characters")
        return value

    def number(self, key: str, low: float = -1e5, high: float = 1e5) -> float:
        return self._number(self._take(key), key, low, high)

    def _number(self, value: Any, key: str, low: float = -1e5, high: float = 1e5) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise self.error(key, f"must be a number, not {_shown(value)}")
        # Whole numbers may be too large for a float: compare before anything is converted.
        if not low <= value <= high:
            raise self.error(key, f"{_shown(value)} is outside {low:g} to {high:g}")
        return float(value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        if default is not None and key not in self._values:
            return default
        value = self._take(key)
        if not isinstance(value, list) or any(not isinstance(item, str) or not item for item in value):
            raise self.error(key, "must be a list of texts")
        return tuple(self._line(item, key, _LONGEST) for item in value)

    def table(self, key: str) -> Self:
        value = self._take(key)
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return type(self)(value, self._where, f"{self._prefix}{plain(key)}.")

    def tables(self, key: str, most: int) -> list[Self]:
        """A list of one to `most` tables."""
        value = self._take(key)
        if not isinstance(value, list) or not 1 <= len(value) <= most or any(not isinstance(v, dict) for v in value):
            raise self.error(key, f"must be a list of 1 to {most} tables")
        return [
            type(self)(item, self._where, f"{self._prefix}{plain(key)}.{number}.")
            for number, item in enumerate(value, start=1)
        ]

    def rest(self) -> dict[str, Any]:
        """All that nobody has read yet, as it is."""
        values, self._values = self._values, {}
        return values

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> tuple[str, ...]:
        """The keys that nobody has read yet."""
        return tuple(self._values)

    def done(self) -> None:
        """Raise an error for a key that nobody read."""
        for key in self._values:
            raise self.error(key, "unknown key; remove it")
