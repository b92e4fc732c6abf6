"""The avatars there are to choose from: bundled ones, and packages in a folder of the user's own.

Listing reads manifests, not pictures. A package that cannot be used is listed with the reason, and hinders no other.
All methods read files: call them in a worker thread while somebody watches.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from anchor.clock import today
from anchor.errors import AnchorError, AvatarError, MissingError
from anchor.packages.archive import unpacked
from anchor.packages.consent import ConsentWatch
from anchor.ports import Avatar, AvatarEntry
from avatars.files import AVATAR
from avatars.package import library, load_avatar, read_manifest, watch
from avatars.tables import plain

MOST_PACKAGES = 200


@dataclass(slots=True)
class _Book:
    """What is known of one package, for as long as its files and the day stay as they are."""

    entry: AvatarEntry
    day: date
    poster: bytes = b""


class Shelf:
    """Bundled avatars, the packages (folders and zips) in `folder`, and `further` ones."""

    def __init__(self, folder: Path | None = None, further: Sequence[Path] = ()) -> None:
        self._folder, self._further = folder, tuple(further)
        self._books: dict[Path, _Book] = {}
        self._loaded: WeakValueDictionary[tuple[Path, str], Avatar] = WeakValueDictionary()
        self._reading = Lock()
        # Avatars are large while they are loaded: one at a time.
        self._loading = Lock()

    def entries(self) -> list[AvatarEntry]:
        """All avatars, with names of their own; of two of one name the first can be used."""
        with self._reading:
            paths = list(self._packages())
            self._books = {path: self._book(path) for path in paths}
            found: dict[str, AvatarEntry] = {}
            for book in self._books.values():
                entry = book.entry
                if (other := found.get(entry.name)) is not None:
                    name = next(name for n in count(2) if (name := f"{entry.name}-{n}") not in found)
                    problem = entry.problem or f"there is another avatar named {entry.name!r}: {other.path}"
                    entry = replace(entry, name=name, info=None, problem=problem)
                found[entry.name] = entry
            return list(found.values())

    def _packages(self) -> Iterator[Path]:
        yield from library().values()
        yield from self._further
        if self._folder is None:
            return
        try:
            with os.scandir(self._folder) as items:
                names = sorted(
                    item.name
                    for item in items
                    if not item.name.startswith(".") and (item.is_dir() or item.name.lower().endswith(".zip"))
                )
        except OSError as error:
            raise MissingError(f"{self._folder}: the folder of avatars cannot be read ({error.strerror})") from error
        yield from (self._folder / name for name in names[:MOST_PACKAGES])

    def _book(self, path: Path) -> _Book:
        version, day = _version(path), today()
        known = self._books.get(path)
        if known is not None and known.entry.version == version and known.day == day:
            return known
        try:
            with unpacked(path, AVATAR) as folder:
                info = read_manifest(folder).info()
            return _Book(AvatarEntry(info.name, path, version, info), day)
        except AnchorError as error:
            name = re.sub(r"[^\w-]+", "-", path.stem)[:60].strip("-") or "avatar"
            return _Book(AvatarEntry(name, path, version, problem=str(error)), day)

    def entry(self, name: str | Path) -> AvatarEntry:
        """An avatar that can be used, by its name or by the path of its package.

        Raises `MissingError` for one that is not here, `AvatarError` for one that cannot be used.
        """
        entries = self.entries()
        found = next((entry for entry in entries if entry.path == name or entry.name == name), None)
        if found is None:
            known = ", ".join(entry.name for entry in entries if not entry.problem)
            raise MissingError(f"there is no avatar {plain(repr(str(name)))}; there are: {known or 'none'}")
        if found.problem:
            raise AvatarError(f"avatar {found.name!r} cannot be used: {found.problem}")
        return found

    def load(self, entry: AvatarEntry) -> Avatar:
        """The avatar itself, shared by all who show it now. Raises `AvatarError` for one that cannot be used."""
        with self._loading:
            key = (entry.path, entry.version)
            avatar = self._loaded.get(key)
            if avatar is None:
                avatar = load_avatar(entry.path)
                self._loaded[key] = avatar
            return avatar

    def poster(self, name: str) -> bytes:
        """A WebP picture of an avatar, drawn once. Raises what `entry` raises, and for one that breaks."""
        from avatars.poster import poster

        entry = self.entry(name)
        book = self._books.get(entry.path)
        if book is None or not book.poster:
            try:
                drawn = poster(self.load(entry))
            except AnchorError as error:
                self._spoil(entry, str(error))
                raise
            except Exception as error:  # numbers that are right one by one and cannot be drawn together
                self._spoil(entry, f"cannot be drawn ({plain(error)})")
                raise AvatarError(f"{entry.path}: cannot be drawn ({plain(error)}); make it again") from error
            if book is None:
                return drawn
            book.poster = drawn
        return book.poster

    def _spoil(self, entry: AvatarEntry, problem: str) -> None:
        """What was found wrong in a package when it was opened is told from now on."""
        with self._reading:
            book = self._books.get(entry.path)
            if book is not None and book.entry.version == entry.version:
                book.entry = replace(entry, info=None, problem=problem)

    @staticmethod
    def watch(entry: AvatarEntry) -> ConsentWatch:
        return watch(entry.path)


def _version(path: Path) -> str:
    """Another text for every change of a package's files."""
    mark = hashlib.sha256()
    try:
        items = [path]
        if path.is_dir():
            with os.scandir(path) as found:
                items += sorted(path / item.name for _, item in zip(range(AVATAR.most_files + 1), found, strict=False))
        for item in items:
            state = item.lstat()
            mark.update(repr((item.name, state.st_mtime_ns, state.st_size, state.st_ino)).encode())
    except OSError:
        return ""
    return mark.hexdigest()[:12]
