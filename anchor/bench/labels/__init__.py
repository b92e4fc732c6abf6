"""Phone labels of recordings: who said what when, as Praat, HTS and PocketSphinx write it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anchor.bench.labels import hts, sphinx, textgrid
from anchor.bench.labels.label import Label, Labels
from anchor.bench.labels.symbols import to_phones
from anchor.errors import LabelError

__all__ = ["ENDINGS", "Label", "Labels", "read_labels", "to_phones"]

ENDINGS: dict[str, Callable[[Path], Labels]] = {
    "_phones.TextGrid": textgrid.read,
    ".TextGrid": textgrid.read,
    "_phone.lab": hts.read,
    ".lab": hts.read,
    ".phone.json": sphinx.read,
}
"""What the name of a label file has in place of its recording's ending; the first that is there counts."""


def read_labels(path: Path) -> Labels:
    """Read a label file by its ending. Raises `LabelError`."""
    for ending, reader in ENDINGS.items():
        if path.name.endswith(ending):
            return reader(path)
    raise LabelError(f"{path}: labels are read from {', '.join(ENDINGS)}")
