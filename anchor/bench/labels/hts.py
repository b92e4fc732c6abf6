"""Labels of HTK and HTS: ``start end symbol`` a line, in units of 100 ns; of full-context names the middle phone."""

from __future__ import annotations

import re
from pathlib import Path

from anchor.bench.labels.label import Label, Labels, checked, read_text
from anchor.errors import LabelError

_UNITS = 10_000_000
_MIDDLE = re.compile(r"[^-]*\^[^-]*-([^+]+)\+")


def read(path: Path) -> Labels:
    """Raises `LabelError`."""
    labels = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        parts = line.split()
        if len(parts) < 3 or not (_is_count(parts[0]) and _is_count(parts[1])):
            raise LabelError(f"{path}:{number}: write start, end (both in 100 ns) and the phone, not {line[:60]!r}")
        middle = _MIDDLE.match(parts[2])
        symbol = middle[1] if middle else parts[2]
        labels.append(Label(symbol, int(parts[0]) / _UNITS, int(parts[1]) / _UNITS, number))
    return Labels(checked(path, labels), by_hand=False)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
