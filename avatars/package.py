"""Avatar packages: a folder, or a zip of one, with ``avatar.toml``, images, and arrays as ``.npz``. Never pickle.

This module reads what all kinds share and refuses what is wrong by name; the rest of the manifest belongs to the kind.
"""

from __future__ import annotations

import math
import stat
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
from numpy.typing import NDArray

from anchor import registry
from anchor.errors import AnchorError, AvatarError, MissingError
from anchor.media import Bytes
from anchor.ports import Avatar, AvatarInfo

MANIFEST = "avatar.toml"
LIBRARY = Path(__file__).parent / "library"
MOST_SIDE = 4096
"""Largest width or height of an image, in pixels."""
MOST_BYTES = 256 << 20
"""Largest package, unpacked."""
MOST_FILES = 500
_MOST_MANIFEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to be shown, for what, and until when; `until` is None for good."""

    who: str
    scope: str
    until: date | None

    def valid(self, today: date) -> bool:
        return self.until is None or today <= self.until


class Table:
    """A table of a manifest, read strictly: wrong types and unknown keys are errors that name file and key."""

    def __init__(self, values: Mapping[str, Any], where: str, prefix: str = "") -> None:
        self._values, self._where, self._prefix = dict(values), where, prefix

    def error(self, key: str, problem: str) -> AvatarError:
        return AvatarError(f"{self._where}: {self._prefix}{key}: {problem}")

    def _take(self, key: str) -> Any:
        if key not in self._values:
            raise self.error(key, "is missing")
        return self._values.pop(key)

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text that is not empty")
        return value

    def number(self, key: str, low: float = -1e5, high: float = 1e5) -> float:
        return self._number(self._take(key), key, low, high)

    def _number(self, value: Any, key: str, low: float = -1e5, high: float = 1e5) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error(key, f"must be a number, not {value!r}")
        if not low <= value <= high:
            raise self.error(key, f"{value} is outside {low:g} to {high:g}")
        return float(value)

    def numbers(self, key: str, count: int = 0) -> tuple[float, ...]:
        """A list of numbers; of exactly `count`, when that is given."""
        value = self._take(key)
        if not isinstance(value, list) or not value or (count and len(value) != count):
            raise self.error(key, f"must be a list of {count or 'one or more'} numbers")
        return tuple(self._number(item, key) for item in value)

    @overload
    def points(self, key: str) -> NDArray[np.float32]: ...

    @overload
    def points(self, key: str, *, optional: bool) -> NDArray[np.float32] | None: ...

    def points(self, key: str, *, optional: bool = False) -> NDArray[np.float32] | None:
        """A list of two or more pairs of numbers: float32, shape (n, 2)."""
        if optional and key not in self._values:
            return None
        value = self._take(key)
        if not isinstance(value, list) or len(value) < 2 or any(not isinstance(p, list) or len(p) != 2 for p in value):
            raise self.error(key, "must be a list of two or more [x, y] pairs")
        return np.array([[self._number(v, key) for v in pair] for pair in value], np.float32)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        if default is not None and key not in self._values:
            return default
        value = self._take(key)
        if not isinstance(value, list) or any(not isinstance(item, str) or not item for item in value):
            raise self.error(key, "must be a list of texts")
        return tuple(value)

    def table(self, key: str) -> Table:
        value = self._take(key)
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return Table(value, self._where, f"{self._prefix}{key}.")

    def keys(self) -> tuple[str, ...]:
        """The keys that nobody has read yet."""
        return tuple(self._values)

    def done(self) -> None:
        """Raise `AvatarError` for a key that nobody read."""
        for key in self._values:
            raise self.error(key, "unknown key; remove it")


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

    def info(self, **details: str) -> AvatarInfo:
        until = self.consent.until.isoformat() if self.consent.until else "unlimited"
        details = {"consent": self.consent.who, "scope": self.consent.scope, "until": until, **details}
        return AvatarInfo(self.name, self.title, self.kind, "blendshapes", self.licence, self.languages, details)


def read_consent(table: Table, today: date) -> Consent:
    who, scope, until = table.text("who"), table.text("scope"), table.text("until")
    table.done()
    try:
        consent = Consent(who, scope, None if until == "unlimited" else date.fromisoformat(until))
    except ValueError:
        raise table.error("until", f'{until!r} is neither a date such as "2030-12-31" nor "unlimited"') from None
    if not consent.valid(today):
        raise table.error("until", f"the consent of {who!r} ended on {until}; renew it or take the avatar off air")
    return consent


def read_manifest(folder: Path, *, today: date | None = None) -> Manifest:
    """Read ``avatar.toml`` and refuse links in the folder. Raises `AvatarError` that names the file and the key."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise AvatarError(f"{folder}: no such avatar folder")
    for item in folder.rglob("*"):
        if item.is_symlink():
            raise AvatarError(f"{item}: an avatar package holds no links; put the file itself there")
    try:
        if path.stat().st_size > _MOST_MANIFEST:
            raise AvatarError(f"{path}: larger than {_MOST_MANIFEST >> 20} MB")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read ({error.strerror}); every avatar has one") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AvatarError(f"{path}: is not valid TOML: {error}") from error
    table = Table(values, str(path))
    if "consent" not in values:
        raise table.error("consent", "is missing; say who agreed, the scope, and until when")
    return Manifest(
        folder,
        table.text("name"),
        table.text("title"),
        table.text("kind"),
        table.text("licence"),
        table.texts("languages", ()),
        read_consent(table.table("consent"), today or date.today()),
        table,
    )


def member(folder: Path, name: str) -> Path:
    """The file `name` of a package. Raises `AvatarError` for a name that leaves the folder, a link, or no file."""
    if not name or Path(name).name != name or "\\" in name or name.startswith("."):
        raise AvatarError(f"{folder / MANIFEST}: {name!r} must be the plain name of a file in the same folder")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise AvatarError(f"{path}: the manifest names this file, but it is not there")
    return path


def picture_size(head: bytes) -> tuple[int, int] | None:
    """Width and height by the first 30 bytes of a PNG or WebP file; None for anything else."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    # The three forms of WebP, by RFC 9649: extended, lossless, lossy.
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return None


def read_image(folder: Path, name: str) -> Bytes:
    """Decode a PNG or WebP: BGRA with straight alpha, uint8, shape (height, width, 4).

    Raises `AvatarError` for a missing, corrupt or oversized file; the size is read from the header before decoding.
    """
    from PIL import Image

    path = member(folder, name)
    with path.open("rb") as file:
        size = picture_size(file.read(30))
    if size is None:
        raise AvatarError(f"{path}: is not a PNG or WebP picture; export it again")
    if max(size) > MOST_SIDE:
        raise AvatarError(f"{path}: is {size[0]}x{size[1]} pixels; at most {MOST_SIDE} a side")
    try:
        with Image.open(path, formats=("PNG", "WEBP")) as picture:
            if picture.size != size:
                raise ValueError("header and picture differ")
            pixels = np.asarray(picture.convert("RGBA"))
    except Exception as error:  # decoders raise almost anything for a broken file
        raise AvatarError(f"{path}: is damaged and cannot be decoded; export it again") from error
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3]])


def read_arrays(folder: Path, name: str) -> dict[str, NDArray[np.float32]]:
    """Read an ``.npz`` of numbers as float32. Raises `AvatarError` for anything else, objects (pickle) included."""
    path = member(folder, name)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > MOST_BYTES:
                raise AvatarError(f"{path}: unpacks to more than {MOST_BYTES >> 20} MB")
        with np.load(path, allow_pickle=False) as arrays:
            found = {key: arrays[key] for key in arrays.files}
    except AvatarError:
        raise
    except Exception as error:  # a broken zip or array header raises almost anything
        raise AvatarError(f"{path}: is not a readable .npz of plain numbers; save it again, without objects") from error
    for key, value in found.items():
        if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
            raise AvatarError(f"{path}: array {key!r} must hold finite numbers")
    return {key: value.astype(np.float32) for key, value in found.items()}


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
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise AvatarError(f"{path}: is neither an avatar folder nor a zip of one") from error
    with archive, tempfile.TemporaryDirectory(prefix="avatar-") as scratch:
        _check_zip(path, archive)
        try:
            archive.extractall(scratch)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
            raise AvatarError(f"{path}: cannot be unpacked ({error}); zip the folder again") from error
        root = Path(scratch)
        inner = [item for item in root.iterdir() if item.is_dir() and (item / MANIFEST).is_file()]
        yield inner[0] if not (root / MANIFEST).is_file() and len(inner) == 1 else root


def _check_zip(path: Path, archive: zipfile.ZipFile) -> None:
    items = archive.infolist()
    if len(items) > MOST_FILES or sum(item.file_size for item in items) > MOST_BYTES:
        raise AvatarError(f"{path}: more than {MOST_FILES} files or {MOST_BYTES >> 20} MB unpacked")
    for item in items:
        name = item.filename
        if name.startswith(("/", "\\")) or ".." in Path(name).parts or ":" in name or "\\" in name:
            raise AvatarError(f"{path}: {name!r} leaves the package; zip the folder itself")
        if stat.S_ISLNK(item.external_attr >> 16):
            raise AvatarError(f"{path}: {name!r} is a link; put the file itself there")


def load_avatar(name_or_path: str | Path) -> Avatar:
    """Load a bundled avatar by name, or a package from a folder or a zip file.

    Raises `MissingError` where there is none, and `AvatarError` for one that cannot be used.
    """
    with unpacked(_find(name_or_path)) as folder:
        manifest = read_manifest(folder)
        try:
            kind = registry.load("anchor.avatar", manifest.kind)
        except MissingError as error:
            raise AvatarError(f"{manifest.where}: kind: {error}") from error
        return cast(Avatar, kind.load(folder))


def _find(name_or_path: str | Path) -> Path:
    bundled = library()
    if str(name_or_path) in bundled:
        return bundled[str(name_or_path)]
    path = Path(name_or_path)
    if not path.exists():
        known = ", ".join(bundled) or "none"
        raise MissingError(f"no avatar {str(name_or_path)!r}: give a bundled name ({known}), a folder or a zip")
    return path


def check(path: str | Path) -> list[str]:
    """What is wrong with a package, in words for the person who made it; an empty list for a good one.

    It is loaded and drawn, small: once, or every picture of footage.
    """
    from anchor.media import Blendshapes, Picture, VideoFormat
    from anchor.ports import Placement

    try:
        avatar = load_avatar(path)
        video = VideoFormat(160, 90, 25)
        view = avatar.open(video, np.zeros((90, 160, 3), np.uint8), Placement(0.5, 0.36, 0.4))
        canvas = Picture.black(video)
        for _ in range(int(avatar.info.details.get("frames", 1))):
            view.draw(Blendshapes(), canvas)
    except AnchorError as error:
        return [str(error)]
    return []


def contact_sheet(avatar: Avatar) -> Bytes:
    """Draw rest, smile, nine mouth shapes, eyes, brows, head angles and the whole figure: BGR, uint8."""
    from avatars import sheet

    return sheet.contact_sheet(avatar)


__all__ = [
    "Consent",
    "Manifest",
    "Table",
    "check",
    "contact_sheet",
    "library",
    "load_avatar",
    "member",
    "read_arrays",
    "read_image",
    "read_manifest",
    "unpacked",
]
