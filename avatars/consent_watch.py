"""Consent while an avatar is on air: a record that is changed, ended or gone is noticed without loading the avatar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from anchor.clock import today
from anchor.errors import AnchorError
from avatars.files import MANIFEST
from avatars.package import read_manifest, unpacked


class ConsentWatch:
    """Whether one package may still be shown: its record is read again when its file or the day has changed."""

    def __init__(self, package: Path, day: Callable[[], date] = today) -> None:
        self._package, self._day = package, day
        # A folder that is removed is still asked for its manifest, not taken for a missing zip.
        self._record = package / MANIFEST if package.is_dir() else package
        self._asked: tuple[object, ...] = ()
        self._problem = ""

    def problem(self) -> str:
        """Why the avatar may no longer be shown, or nothing. Reads files: call it in a worker thread."""
        day = self._day()
        try:
            found = self._record.stat()
            asked = (day, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        except OSError as error:
            return f"{self._record}: the record of consent is gone ({error.strerror})"
        if asked != self._asked:
            try:
                with unpacked(self._package) as folder:
                    read_manifest(folder, day=day)
                self._problem = ""
            except AnchorError as error:
                self._problem = str(error)
            self._asked = asked
        return self._problem
