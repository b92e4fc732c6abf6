"""Avatar packages: a folder, or a zip of one, with ``avatar.toml``, images, and arrays as ``.npz``. Never pickle.

This module reads what all kinds share and refuses what is wrong by name; the rest of the manifest belongs to the kind.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from anchor import registry
from anchor.clock import today
from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes, FaceKind
from anchor.ports import Avatar, AvatarInfo
from avatars.archive import unpack
from avatars.files import MANIFEST, MOST_SIDE, folder_problems, member, read_arrays, read_image
from avatars.tables import Table, plain

LIBRARY = Path(__file__).parent / "library"
_MOST_MANIFEST = 64 << 10
# A dot between the parts of a key, not one inside a number.
_KEY_DOT, _MOST_DOTS = re.compile(r"(?<!\d)\.|\.(?!\d)|\.(?=\d{1,20}\.)"), 30
_NAME, _LANGUAGE = r"[\w-]{1,64}", r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}"


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to be shown, for what, and until when; `until` is None for good."""

    who: str
    scope: str
    until: date | None

    def valid(self, day: date) -> bool:
        return self.until is None or day <= self.until

    @property
    def ended(self) -> bool:
        return not self.valid(today())


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
        until = self.consent.until.isoformat() if self.consent.until else "unlimited"
        details = {"consent": self.consent.who, "scope": self.consent.scope, "until": until, **details}
        accepts: tuple[FaceKind, ...] = ("blendshapes", "patch") if paintable else ("blendshapes",)
        return AvatarInfo(self.name, self.title, self.kind, accepts, self.licence, self.languages, details)


def read_consent(table: Table, day: date) -> Consent:
    """Read a record. Raises `AvatarError` for one that is not whole, or has ended on `day`."""
    who, scope, until = table.text("who"), table.text("scope"), table.text("until")
    table.done()
    try:
        consent = Consent(who, scope, None if until == "unlimited" else date.fromisoformat(until))
    except ValueError:
        raise table.error(
            "until", f'{plain(repr(until))} is neither a date such as "2030-12-31" nor "unlimited"'
        ) from None
    if not consent.valid(day):
        raise table.error(
            "until", f"the consent of {plain(repr(who))} ended on {until}; renew it or take the avatar off air"
        )
    return consent


def _read_name(table: Table, _: date) -> str:
    name = table.text("name")
    if not re.fullmatch(_NAME, name):
        raise table.error("name", f"{plain(repr(name))}: use up to 64 letters, digits, - and _")
    return name


def _read_languages(table: Table, _: date) -> tuple[str, ...]:
    tags = table.texts("languages", ())
    for tag in tags:
        if not re.fullmatch(_LANGUAGE, tag):
            raise table.error("languages", f"{plain(repr(tag))} is no language tag such as zh-CN")
    return tags


def _read_record(table: Table, day: date) -> Consent:
    if "consent" not in table:
        raise table.error("consent", "is missing; say who agreed, the scope, and until when")
    return read_consent(table.table("consent"), day)


HEAD: dict[str, Callable[[Table, date], Any]] = {
    "name": _read_name,
    "title": lambda table, _: table.text("title", 100),
    "kind": lambda table, _: table.text("kind", 40),
    "licence": lambda table, _: table.text("licence"),
    "languages": _read_languages,
    "consent": _read_record,
}
"""What every manifest says, and how each is read for a day."""


def read_values(folder: Path) -> dict[str, Any]:
    """All that ``avatar.toml`` says, unread. Raises `AvatarError` for a file that is no TOML."""
    path = folder / MANIFEST
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise AvatarError(f"{path}: is no plain file")
        if path.stat().st_size > _MOST_MANIFEST:
            raise AvatarError(f"{path}: larger than {_MOST_MANIFEST >> 10} kB")
        text = path.read_text(encoding="utf-8")
        # Python's own reader takes time and memory by the square of a key's parts.
        if any(len(_KEY_DOT.findall(line)) > _MOST_DOTS for line in text.splitlines()):
            raise AvatarError(f"{path}: a key of many parts; avatars need none")
        return tomllib.loads(text)
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read ({error.strerror}); every avatar has one") from error
    except (ValueError, RecursionError) as error:  # of text, of TOML, of numbers of many digits, of lists in lists
        raise AvatarError(f"{path}: is not valid TOML: {plain(error, 120)}") from error


def read_manifest(folder: Path, *, day: date | None = None) -> Manifest:
    """Read ``avatar.toml`` and look at the files beside it. Raises `AvatarError` that names the file and the key.

    `day` is that on which consent is asked for, by default the current one.
    """
    if not folder.is_dir():
        raise AvatarError(f"{folder}: no such avatar folder")
    for problem in folder_problems(folder):
        raise AvatarError(problem)
    table = Table(read_values(folder), str(folder / MANIFEST))
    head = {key: read(table, day or today()) for key, read in HEAD.items()}
    return Manifest(folder, **head, rest=table)


def library() -> dict[str, Path]:
    """The bundled avatars: folders by name."""
    return {path.parent.name: path.parent for path in sorted(LIBRARY.glob(f"*/{MANIFEST}"))}


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder of a package given as a folder or a zip; a zip is unpacked for as long as the context lasts.

    Raises `AvatarError` for a zip with links, names that leave the folder, or too much in it.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="avatar-") as scratch:
        yield unpack(path, Path(scratch))


def load_avatar(name_or_path: str | Path) -> Avatar:
    """Load a bundled avatar by name, or a package from a folder or a zip file.

    Raises `MissingError` where there is none, and `AvatarError` for one that cannot be used.
    """
    with unpacked(find(name_or_path)) as folder:
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
    "unpacked",
]
