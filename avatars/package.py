"""Avatar packages: a folder, or a zip of one, with ``avatar.toml``, images, and arrays as ``.npz``. Never pickle.

This module reads what all kinds share and refuses what is wrong by name; the rest of the manifest belongs to the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from anchor import registry
from anchor.clock import today
from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes, FaceKind
from anchor.packages.archive import unpacked
from anchor.packages.consent import Consent, ConsentWatch
from anchor.packages.manifest import read_languages, read_name, read_record, read_values
from anchor.ports import Avatar, AvatarInfo
from avatars.files import AVATAR, MANIFEST, MOST_SIDE, folder_problems, member, read_arrays, read_image
from avatars.tables import Table, plain

LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What every avatar says about itself; `rest` is for its kind to read, and to finish with `Table.done`."""

    folder: Path
    name: str
    title: str
    kind: str
    licence: str
    languages: tuple[str, ...]
    consent: Consent
    rest: Table

    @property
    def where(self) -> str:
        return str(self.folder / MANIFEST)

    def info(self, *, paintable: bool = False, **details: str) -> AvatarInfo:
        consent = self.consent
        details = {"consent": consent.who, "scope": consent.scope, "until": consent.lasts, **details}
        accepts: tuple[FaceKind, ...] = ("blendshapes", "patch") if paintable else ("blendshapes",)
        return AvatarInfo(self.name, self.title, self.kind, accepts, self.licence, self.languages, details)


HEAD: dict[str, Callable[[Table, date], Any]] = {
    "name": lambda table, _: read_name(table),
    "title": lambda table, _: table.text("title", 100),
    "kind": lambda table, _: table.text("kind", 40),
    "licence": lambda table, _: table.text("licence"),
    "languages": lambda table, _: read_languages(table),
    "consent": lambda table, day: read_record(table, day, AVATAR),
}
"""What every manifest says, and how each is read for a day."""


def read_manifest(folder: Path, *, day: date | None = None) -> Manifest:
    """Read ``avatar.toml`` and look at the files beside it. Raises `AvatarError` that names the file and the key.

    `day` is that on which consent is asked for, by default the current one.
    """
    if not folder.is_dir():
        raise AvatarError(f"{folder}: no such avatar folder")
    for problem in folder_problems(folder):
        raise AvatarError(problem)
    table = Table(read_values(folder, AVATAR), str(folder / MANIFEST))
    head = {key: read(table, day or today()) for key, read in HEAD.items()}
    return Manifest(folder, **head, rest=table)


def watch(package: Path, day: Callable[[], date] = today) -> ConsentWatch:
    """Whether an avatar may still be shown."""
    return ConsentWatch(package, AVATAR, lambda folder, on: read_manifest(folder, day=on), day)


def library() -> dict[str, Path]:
    """The bundled avatars: folders by name."""
    return {path.parent.name: path.parent for path in sorted(LIBRARY.glob(f"*/{MANIFEST}"))}


def load_avatar(name_or_path: str | Path) -> Avatar:
    """Load a bundled avatar by name, or a package from a folder or a zip file.

    Raises `MissingError` where there is none, and `AvatarError` for one that cannot be used.
    """
    with unpacked(find(name_or_path), AVATAR) as folder:
        return _load(folder)


def load_for_painting(name_or_path: str | Path) -> Avatar:
    """As `load_avatar`; a drawn figure is taken for a photo, to try networks that paint."""
    avatar = load_avatar(name_or_path)
    as_photo: Callable[[], Avatar] = getattr(avatar, "as_photo", lambda: avatar)
    return as_photo()


def _load(folder: Path) -> Avatar:
    manifest = read_manifest(folder)
    try:
        kind = registry.load("anchor.avatar", manifest.kind)
    except MissingError as error:
        raise AvatarError(f"{manifest.where}: kind: {error}") from error
    return cast(Avatar, kind.load(folder))


def find(name_or_path: str | Path) -> Path:
    """The package of a bundled name, or at a path. Raises `MissingError` where there is none."""
    bundled = library()
    if str(name_or_path) in bundled:
        return bundled[str(name_or_path)]
    path = Path(name_or_path)
    if not path.exists():
        known = ", ".join(bundled) or "none"
        raise MissingError(
            f"no avatar {plain(repr(str(name_or_path)))}: give a bundled name ({known}), a folder or a zip"
        )
    return path


def check(path: str | Path) -> list[str]:
    """What is wrong with a package, in words for the person who made it; an empty list for a good one."""
    from avatars import check as checking

    return checking.check(find(path))


def contact_sheet(avatar: Avatar) -> Bytes:
    """Draw rest, smile, nine mouth shapes, eyes, brows, head angles and the whole figure: BGR, uint8."""
    from avatars import sheet

    return sheet.contact_sheet(avatar)


__all__ = [
    "MANIFEST",
    "MOST_SIDE",
    "Consent",
    "Manifest",
    "Table",
    "check",
    "contact_sheet",
    "find",
    "library",
    "load_avatar",
    "load_for_painting",
    "member",
    "read_arrays",
    "read_image",
    "read_manifest",
    "watch",
]
