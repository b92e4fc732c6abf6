"""Zip files from strangers: bounded before they are opened, and unpacked flat or not at all."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anchor.errors import AnchorError
from anchor.packages.kinds import Kind
from anchor.packages.tables import plain

_MOST_DIRECTORY = 1 << 20
_MOST_RATIO, _FREE_BYTES = 200, 1 << 20
"""How many times smaller a large entry may be packed: pictures, films and fields hardly shrink, bombs by 1000."""
_END, _LOCATOR = 22, 20
"""Bytes of the end record of a zip without a comment, and of what stands before it in a zip of more than 4 GB."""
_ENCRYPTED = 1

Broken = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    struct.error,
)
"""What `zipfile` raises for files that are damaged."""


def ignored(name: str) -> bool:
    """Whether a file is one of those that file managers leave behind; nobody opens them."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def open_zip(path: Path, wrong: str, kind: Kind) -> zipfile.ZipFile:
    """Open a zip whose table of contents is small, unique and honest enough to be read.

    Raises what its `kind` raises; `wrong` says what the file should have been.
    """
    try:
        if not path.is_file():
            raise kind.error(f"{path}: {wrong}")
        size = path.stat().st_size
        if size > kind.most_bytes:
            raise kind.error(f"{path}: is larger than {kind.most_bytes >> 20} MB")
        _check_end(path, size, wrong, kind)
        archive = zipfile.ZipFile(path)
    except Broken as error:
        raise kind.error(f"{path}: {wrong}") from error
    try:
        _check_table(path, archive.infolist(), kind)
    except AnchorError:
        archive.close()
        raise
    return archive


def _check_end(path: Path, size: int, wrong: str, kind: Kind) -> None:
    """Look at the end record before `zipfile` does, which believes any number of entries it finds there."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END - _LOCATOR))
        tail = file.read(_END + _LOCATOR)
    locator, end = tail[:-_END], tail[-_END:]
    if len(end) < _END or end[:4] != b"PK\5\6" or end[-2:] != b"\0\0":
        raise kind.error(f"{path}: {wrong}")
    entries, directory = struct.unpack("<10xHI6x", end)
    if entries > kind.most_files or directory > _MOST_DIRECTORY or locator[:4] == b"PK\6\7":
        raise kind.error(f"{path}: more than {kind.most_files} files in it")


def _check_table(path: Path, items: list[zipfile.ZipInfo], kind: Kind) -> None:
    if len(items) > kind.most_files or sum(item.file_size for item in items) > kind.most_bytes:
        raise kind.error(f"{path}: more than {kind.most_files} files or {kind.most_bytes >> 20} MB unpacked")
    seen: dict[str, str] = {}
    for item in items:
        name = plain(repr(item.filename))
        if item.flag_bits & _ENCRYPTED:
            raise kind.error(f"{path}: {name} is encrypted; zip the folder without a password")
        if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise kind.error(f"{path}: {name} is packed in a way that is not read here; zip the folder again")
        if item.file_size > max(_FREE_BYTES, _MOST_RATIO * item.compress_size):
            raise kind.error(f"{path}: {name} unpacks to {item.file_size} bytes from {item.compress_size}: a zip bomb")
        folded = item.filename.casefold()
        if folded in seen:
            raise kind.error(f"{path}: {name} is in it twice, as {seen[folded]} too")
        seen[folded] = name


@contextmanager
def unpacked(path: Path, kind: Kind, *, only: str = "") -> Iterator[Path]:
    """The folder of a package given as a folder or a zip; a zip is unpacked for as long as the context lasts.

    `only` that file of it, when one is named. Raises what `unpack` raises.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix=f"{kind.noun}-") as scratch:
        yield unpack(path, Path(scratch), kind, only=only)


def unpack(path: Path, folder: Path, kind: Kind, *, only: str = "") -> Path:
    """Unpack a zip of files, or of one folder of files, into `folder`; return where the files are.

    Raises what the `kind` raises for a zip with links, names that leave the folder, folders too deep, or too much in
    it.
    """
    with open_zip(path, f"is neither {kind.a} folder nor a zip of one", kind) as archive:
        tops = set()
        for item in archive.infolist():
            parts = item.filename.rstrip("/").split("/")
            _check_name(path, item, parts, kind)
            if ignored(parts[0]) or ignored(parts[-1]):
                continue
            _check_depth(path, item, parts, kind)
            if item.is_dir():
                continue
            tops.add(parts[0] if len(parts) > 1 else "")
            if only and parts[-1] != only:
                continue
            target = folder / item.filename
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(item) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy)
            except Broken as error:
                what = plain(error)
                raise kind.error(f"{path}: cannot be unpacked ({what}); zip the folder again") from error
    if len(tops) > 1 and (kind.depth == 1 or "" not in tops):
        raise kind.error(f"{path}: holds more than one folder; zip the files of one {kind.noun}")
    return folder / (tops.pop() if len(tops) == 1 else "")


def _check_name(path: Path, item: zipfile.ZipInfo, parts: list[str], kind: Kind) -> None:
    name = plain(repr(item.filename))
    # `filename` was cut at a NUL by zipfile; `orig_filename` still has it.
    if re.search(r'[\\:*?"<>|\0-\x1f]', item.orig_filename) or any(part in ("", ".", "..") for part in parts):
        raise kind.error(f"{path}: {name} leaves the package; zip the folder itself")
    mode = item.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a link" if stat.S_ISLNK(mode) else "no plain file"
        raise kind.error(f"{path}: {name} is {what}; put the file itself there")


def _check_depth(path: Path, item: zipfile.ZipInfo, parts: list[str], kind: Kind) -> None:
    if len(parts) > kind.depth + (not item.is_dir()) or max(map(len, parts)) > 120:
        folders = "one folder" if kind.depth == 1 else f"{kind.depth} folders, one in another, at most"
        raise kind.error(f"{path}: {plain(repr(item.filename))} lies too deep; the files of {kind.a} lie in {folders}")
