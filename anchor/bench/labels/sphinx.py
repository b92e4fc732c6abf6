"""Alignments as JSON: PocketSphinx's own (``.phone.json``), and lists of many recordings (``auto_phones.json``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anchor.bench.labels.label import Label, Labels, checked, read_text
from anchor.errors import LabelError


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}:{error.lineno}: is no JSON: {error.msg}") from error
    except RecursionError:
        raise LabelError(f"{path}: is nested too deeply for an alignment") from None
    if not isinstance(found, dict):
        raise LabelError(f"{path}:1: holds no JSON object")
    return found


def _label(path: Path, where: str, symbol: Any, start: Any, end: Any) -> Label:
    if not isinstance(symbol, str) or not all(type(time) in (int, float) for time in (start, end)):
        raise LabelError(f"{path}: {where}: is no symbol with a start and an end in seconds")
    try:
        return Label(symbol, float(start), float(end))
    except OverflowError:
        raise LabelError(f"{path}: {where}: {symbol!r} starts or ends out of all time") from None


def read(path: Path) -> Labels:
    """One utterance as ``pocketsphinx -phone_align yes align`` prints it. Raises `LabelError`."""
    found = _load(path)
    labels = []
    for number, word in enumerate(_list(path, "w", found.get("w"))):
        for phone in _list(path, f"w[{number}].w", word.get("w", []) if isinstance(word, dict) else None):
            where = f"w[{number}]"
            try:
                labels.append(_label(path, where, phone["t"], phone["b"], phone["b"] + phone["d"]))
            except (KeyError, TypeError):
                raise LabelError(f"{path}: {where}: a phone needs t, b and d (symbol, start, length)") from None
    return Labels(checked(path, labels), by_hand=False, text=str(found.get("t", "")))


def read_many(path: Path) -> Iterator[tuple[str, Labels]]:
    """``{"recording": {"phones": [["SYMBOL", start, end], ...]}, ...}``. Raises `LabelError`."""
    for name, entry in _load(path).items():
        rows = _list(path, f"{name}: phones", entry.get("phones") if isinstance(entry, dict) else None)
        labels = []
        for number, row in enumerate(rows):
            where = f"{name}: phones[{number}]"
            if not isinstance(row, list) or len(row) != 3:
                raise LabelError(f"{path}: {where}: write [symbol, start, end]")
            labels.append(_label(path, where, *row))
        yield name, Labels(checked(path, labels), by_hand=False)


def _list(path: Path, where: str, found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise LabelError(f"{path}: {where}: is no list")
    return found
