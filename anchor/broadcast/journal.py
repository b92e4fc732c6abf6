"""Where a show is, kept on disk so that it goes on after a fall: one small file, replaced as a whole at each change.

A file is written beside the old one, brought to the disk and renamed over it, so that there is always one that is
whole. Edited rundowns are files of their own, named by what they hold and written before the place that names them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anchor.errors import StoreError

log = logging.getLogger(__name__)

FORMAT = 1


class Journal:
    """The folder of one show. Raises `StoreError` when it cannot be made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be made: {error.strerror}") from error

    @property
    def path(self) -> Path:
        return self._folder / "show.json"

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None where there is nothing or it cannot be used, which is logged."""
        try:
            saved = json.loads(self.path.read_text("utf-8"))
            place = saved["place"]
            if saved["format"] != FORMAT or saved["check"] != _check(place):
                raise ValueError("it is damaged or of another version")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s: the show begins anew, for its place cannot be read: %s", self.path, error)
            return None
        return dict(place)

    def document(self, name: str) -> dict[str, Any] | None:
        """An edited rundown by the name that `save` gave it."""
        try:
            document = json.loads((self._folder / f"rundown-{name}.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            log.error("%s: the edited rundown %s cannot be read: %s", self._folder, name, error)
            return None
        return dict(document)

    def save(self, place: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep a place and the edited rundowns that it names, `named` each. Raises `OSError`; what was kept stays."""
        for name, document in documents.items():
            if name not in self._kept:
                self._write(self._folder / f"rundown-{name}.json", json.dumps(document, ensure_ascii=False))
                self._kept.add(name)
        saved = {"format": FORMAT, "check": _check(place), "place": place}
        self._write(self.path, json.dumps(saved, ensure_ascii=False))
        for path in self._folder.glob("rundown-*.json"):
            if path.stem.removeprefix("rundown-") not in documents:
                path.unlink(missing_ok=True)
                self._kept.discard(path.stem.removeprefix("rundown-"))

    def _write(self, path: Path, text: str) -> None:
        scratch = path.with_name(f".{path.name}.part")
        with scratch.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_folder(self._folder)


def named(document: Mapping[str, Any]) -> str:
    """The name of an edited rundown: what it holds."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk: only then a renamed file outlives a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(place: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(place, sort_keys=True).encode()).hexdigest()[:16]
