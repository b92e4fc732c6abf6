"""Zip files from strangers: bounded before they are opened, and unpacked flat or not at all."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from anchor.errors import AvatarError
from avatars.tables import plain

MOST_BYTES = 128 << 20
"""Largest package, packed or not."""
MOST_FILES = 200
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


def open_zip(path: Path, wrong: str) -> zipfile.ZipFile:
    """Open a zip whose table of contents is small, unique and honest enough to be read.

    Raises `AvatarError`; `wrong` says what the file should have been.
    """
    try:
        if not path.is_file():
            raise AvatarError(f"{path}: {wrong}")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise AvatarError(f"{path}: is larger than {MOST_BYTES >> 20} MB")
        _check_end(path, size, wrong)
        archive = zipfile.ZipFile(path)
    except Broken as error:
        raise AvatarError(f"{path}: {wrong}") from error
    try:
        _check_table(path, archive.infolist())
    except AvatarError:
        archive.close()
        raise
    return archive


def _check_end(path: Path, size: int, wrong: str) -> None:
    """Look at the end record before `zipfile` does, which believes any number of entries it finds there."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END - _LOCATOR))
        tail = file.read(_END + _LOCATOR)
    locator, end = tail[:-_END], tail[-_END:]
    if len(end) < _END or end[:4] != b"PK\5\6" or end[-2:] != b"\0\0":
        raise AvatarError(f"{path}: {wrong}")
    entries, directory = struct.unpack("<10xHI6x", end)
    if entries > MOST_FILES or directory > _MOST_DIRECTORY or locator[:4] == b"PK\6\7":
        raise AvatarError(f"{path}: more than {MOST_FILES} files in it")


def _check_table(path: Path, items: list[zipfile.ZipInfo]) -> None:
    if len(items) > MOST_FILES or sum(item.file_size for item in items) > MOST_BYTES:
        raise AvatarError(f"{path}: more than {MOST_FILES} files or {MOST_BYTES >> 20} MB unpacked")
    seen: dict[str, str] = {}
    for item in items:
        name = plain(repr(item.filename))
        if item.flag_bits & _ENCRYPTED:
            raise AvatarError(f"{path}: {name} is encrypted; zip the folder without a password")
        if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AvatarError(f"{path}: {name} is packed in a way that is not read here; zip the folder again")
        if item.file_size > max(_FREE_BYTES, _MOST_RATIO * item.compress_size):
            raise AvatarError(f"{path}: {name} unpacks to {item.file_size} bytes from {item.compress_size}: a zip bomb")
        folded = item.filename.casefold()
        if folded in seen:
            raise AvatarError(f"{path}: {name} is in it twice, as {seen[folded]} too")
        seen[folded] = name


def unpack(path: Path, folder: Path) -> Path:
    """Unpack a zip of files, or of one folder of files, into `folder`; return where the files are.

    Raises `AvatarError` for a zip with links, names that leave the folder, folders in folders, or too much in it.
    """
    with open_zip(path, "is neither an avatar folder nor a zip of one") as archive:
        roots = set()
        for item in archive.infolist():
            parts = item.filename.rstrip("/").split("/")
            _check_name(path, item, parts)
            if ignored(parts[0]) or ignored(parts[-1]):
                continue
            _check_depth(path, item, parts)
            if item.is_dir():
                continue
            roots.add(parts[0] if len(parts) == 2 else "")
            target = folder / item.filename
            try:
                target.parent.mkdir(exist_ok=True)
                with archive.open(item) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy)
            except Broken as error:
                what = plain(error)
                raise AvatarError(f"{path}: cannot be unpacked ({what}); zip the folder again") from error
    if len(roots) > 1:
        raise AvatarError(f"{path}: holds more than one folder; zip the files of one avatar")
    return folder / (roots.pop() if roots else "")


def _check_name(path: Path, item: zipfile.ZipInfo, parts: list[str]) -> None:
    name = plain(repr(item.filename))
    # `filename` was cut at a NUL by zipfile; `orig_filename` still has it.
    if re.search(r'[\\:*?"<>|\0-\x1f]', item.orig_filename) or any(part in ("", ".", "..") for part in parts):
        raise AvatarError(f"{path}: {name} leaves the package; zip the folder itself")
    mode = item.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a link" if stat.S_ISLNK(mode) else "no plain file"
        raise AvatarError(f"{path}: {name} is {what}; put the file itself there")


def _check_depth(path: Path, item: zipfile.ZipInfo, parts: list[str]) -> None:
    if len(parts) > 2 or (len(parts) == 2 and item.is_dir()) or max(map(len, parts)) > 120:
        raise AvatarError(
            f"{path}: {plain(repr(item.filename))} lies too deep; the files of an avatar lie in one folder"
        )
