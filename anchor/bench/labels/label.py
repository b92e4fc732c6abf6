"""One labelled stretch of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from anchor.errors import LabelError

_LONGEST = 24 * 3600.0
_LARGEST = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Label:
    """What a file says is heard from `start` to `end`, in seconds; `line` is where it says so."""

    symbol: str
    start: float
    end: float
    line: int = 0


@dataclass(frozen=True, slots=True)
class Labels:
    """The phone labels of one recording; `text` are its words where the file holds them.

    `by_hand`: nothing in the file shows that a program made it.
    """

    phones: tuple[Label, ...]
    by_hand: bool
    text: str = ""


def read_text(path: Path) -> str:
    """A label file's text, UTF-8 or UTF-16. Raises `LabelError`."""
    try:
        if path.stat().st_size > _LARGEST:
            raise LabelError(f"{path}: larger than {_LARGEST >> 20} MiB; a label file is not")
        data = path.read_bytes()
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LabelError(f"{path}:{line}: is neither UTF-8 nor UTF-16; save it as UTF-8") from error


def checked(path: Path, labels: list[Label]) -> tuple[Label, ...]:
    """The labels, in order and of sensible length. Raises `LabelError`."""
    reached = 0.0
    for label in labels:
        where = f"{path}:{label.line}" if label.line else f"{path}"
        if not (math.isfinite(label.start) and math.isfinite(label.end) and 0 <= label.start <= label.end < _LONGEST):
            raise LabelError(f"{where}: {label.symbol!r} goes from {label.start} s to {label.end} s, which cannot be")
        if label.start < reached - 1e-6:
            raise LabelError(f"{where}: {label.symbol!r} starts at {label.start:g} s, before the label before it ends")
        reached = label.end
    if not labels:
        raise LabelError(f"{path}: holds no labels")
    return tuple(labels)
