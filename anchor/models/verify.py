"""Whether what is here is what it should be: sizes and checksums of a model's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from anchor.models.catalogue import Model
from anchor.models.ledger import Entry, Record
from anchor.models.packages import sha256_of


def expected(model: Model | None, record: Record | None) -> Mapping[str, Entry]:
    """By which checksums a model's files are known: the catalogue's, and where that has none, the lock file's."""
    known = dict(record.files) if record is not None else {}
    for file in model.files if model is not None else ():
        entry = known.get(file.path)
        if file.sha256:
            known[file.path] = Entry(file.sha256, file.size, entry.source if entry else "")
        elif entry is None:
            known[file.path] = Entry("", file.size, "")
    return known


def problems(folder: Path, known: Mapping[str, Entry]) -> dict[str, str]:
    """What is wrong with the files in a folder, by their paths; reads them whole."""
    found = {}
    for path, entry in known.items():
        if text := problem(folder / path, entry):
            found[path] = text
    return found


def problem(path: Path, entry: Entry) -> str:
    """What is wrong with a file; empty when it is right, or when nothing is known by which to tell."""
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if entry.size and size != entry.size:
        return f"has {size} bytes, and must have {entry.size}"
    if entry.sha256 and (found := sha256_of(path)) != entry.sha256:
        return f"its SHA-256 is {found}, and must be {entry.sha256}"
    return ""
