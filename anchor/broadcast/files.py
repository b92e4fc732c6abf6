"""Files that a rundown names, looked at before anything opens them: are they there, and what they say they are?"""

from __future__ import annotations

import re
from pathlib import Path

from anchor.broadcast.nodes import LONGEST, NodeError, compose, scalars

LONGEST_NAME = 1000
LARGEST_PICTURE = 64 * 2**20
LARGEST_CLIP = 8 * 2**30

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?://|[^\\/])")


class FileError(Exception):
    """A file that cannot be used; the text has no place in it, for who asked knows."""


class Reach:
    """Which files a rundown at `path` may name: those in its folder and below, once links are followed.

    Text that comes over the network must not make a picture or a table of just any file. What the rundown's own file on
    disk names is allowed wherever it lies, and so is everything with `anywhere`.
    """

    def __init__(self, path: Path, *, anywhere: bool) -> None:
        self._path = path
        self._anywhere = anywhere
        self._named: frozenset[str] | None = None

    def place(self, name: str) -> Path:
        """The path for a name. Raises `FileError` for one that is out of reach, or an address."""
        if len(name) > LONGEST_NAME:
            raise FileError(f"{name[:40]}… is no name of a file")
        if _ADDRESS.match(name):
            raise FileError(f"{name} is an address; a file beside the rundown is needed")
        path = self._path.parent / name
        try:
            inside = path.resolve().is_relative_to(self._path.parent.resolve())
        except (OSError, ValueError, RuntimeError) as error:
            raise FileError(f"{path} cannot be read: {error}") from error
        if not inside and not self._anywhere and name not in self._names():
            raise FileError(f"{name} lies outside the rundown's folder; put it there")
        return path

    def file(self, name: str) -> Path:
        """A file that can be read. Raises `FileError`."""
        path = self.place(name)
        try:
            if not path.is_file():
                raise FileError(f"there is no file {path}")
            with path.open("rb"):
                pass
        except (OSError, ValueError) as error:
            raise FileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        return path

    def _names(self) -> frozenset[str]:
        """All that is written in the file on disk."""
        if self._named is None:
            try:
                text = self._path.read_text("utf-8-sig") if self._path.stat().st_size <= LONGEST else ""
                self._named = frozenset(scalars(compose(text)))
            except (OSError, UnicodeDecodeError, NodeError):
                self._named = frozenset()
        return self._named


def check_picture(path: Path) -> None:
    """Raises `FileError` for what is no PNG, JPEG or WebP by its first bytes. What is in it, only a decoder can say."""
    kind = _kind(path, LARGEST_PICTURE)
    if kind not in ("PNG", "JPEG", "WebP"):
        raise FileError(f"{path} is {_named(kind)}, not a picture; save it as PNG, JPEG or WebP")


def check_clip(path: Path) -> None:
    """Raises `FileError` for what is no MP4, QuickTime, Matroska or WebM by its first bytes."""
    kind = _kind(path, LARGEST_CLIP)
    if kind not in ("MP4", "Matroska"):
        raise FileError(f"{path} is {_named(kind)}, not a clip; save it as MP4, MOV, MKV or WebM")


def check_sound(path: Path) -> None:
    """Raises `FileError` for what is no sound file by its first bytes, or is empty."""
    kind = _kind(path, LARGEST_CLIP)
    if kind not in ("WAV", "FLAC", "Ogg", "MP3", "MP4"):
        raise FileError(f"{path} is {_named(kind)}, not a recording; save it as WAV, FLAC, MP3, Ogg or M4A")


def _named(kind: str) -> str:
    return kind if kind in ("empty", "text", "of no kind known here") else f"a {kind} file"


def _kind(path: Path, largest: int) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    if size > largest:
        raise FileError(f"{path} is {size / 2**20:,.0f} MiB; at most {largest // 2**20:,} MiB are taken")
    if not head:
        return "empty"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI ", b"WAVE"):
        return {b"WEBP": "WebP", b"AVI ": "AVI", b"WAVE": "WAV"}[head[8:12]]
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") and head[8:12] not in (b"avif", b"heic", b"heix", b"mif1"):
        return "MP4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "Matroska"
    if head.startswith(b"ID3") or (head[0] == 0xFF and head[1:2] and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6)):
        return "MP3"
    for mark, kind in (
        (b"fLaC", "FLAC"),
        (b"OggS", "Ogg"),
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"%PDF", "PDF"),
        (b"PK\3\4", "zip"),
    ):
        if head.startswith(mark):
            return kind
    return "text" if not re.search(rb"[\x00-\x08\x0e-\x1a]", head) else "of no kind known here"
