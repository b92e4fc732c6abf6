"""The files of a package, read as if whoever made them meant harm: bounded before they are opened, never pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError
from anchor.media import Bytes
from anchor.packages import manifest
from anchor.packages.archive import Broken, open_zip
from anchor.packages.kinds import Kind
from avatars.tables import plain

MANIFEST = "avatar.toml"
AVATAR = Kind("avatar", MANIFEST, AvatarError, "take the avatar off air", most_bytes=128 << 20)
MOST_SIDE = 4096
"""Largest width or height of a picture, in pixels."""
MOST_PIXELS = 6 << 20
"""Most pixels of one picture."""
_MOST_ARRAYS = 32 << 20
"""Bytes of all arrays of one ``.npz``."""
_LARGEST_VALUE = 1e5

NAMED = {".png": 0, ".webp": 8, ".npz": 0, ".mp4": 4, ".webm": 0}
"""What a manifest may name, and where in such a file its kind is written."""
_MARKS = {".png": b"\x89PNG", ".webp": b"WEBP", ".npz": b"PK\3\4", ".mp4": b"ftyp", ".webm": b"\x1aE\xdf\xa3"}
FILMS = (".mp4", ".webm")
_BESIDE = (".toml", ".md", ".txt", ".json")
"""What may lie beside it: nobody reads these, but people."""


def folder_problems(folder: Path) -> Iterator[str]:
    """What is wrong with the files of a package folder, before any is opened further than its first bytes."""
    return manifest.folder_problems(folder, AVATAR, _file_problem)


def _file_problem(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _BESIDE:
        return ""
    if suffix not in NAMED:
        return f"a package holds {', '.join((*NAMED, *_BESIDE))} files, nothing else; remove it"
    with path.open("rb") as file:
        head = file.read(16)
    if head[NAMED[suffix] :][:4] != _MARKS[suffix]:
        kind = {".npz": "a readable .npz of plain numbers", ".mp4": "an MP4 film", ".webm": "a WebM film"}
        return f"is not {kind.get(suffix, 'a PNG or WebP picture')}; export it again"
    return ""


def member(folder: Path, name: str) -> Path:
    """The file `name` of a package. Raises `AvatarError` for a name that leaves the folder, a link, or no file."""
    if not name or Path(name).name != name or any(bad in name for bad in "\\:\0") or name.startswith("."):
        raise AvatarError(f"{folder / MANIFEST}: {plain(repr(name))} must be the plain name of a file in this folder")
    path = folder / name
    if path.suffix.lower() not in NAMED:
        raise AvatarError(f"{folder / MANIFEST}: {plain(repr(name))} is none of {', '.join(NAMED)}")
    try:
        if path.is_symlink() or not path.is_file():
            raise AvatarError(f"{path}: the manifest names this file, but it is not there")
    except OSError as error:  # a name longer than the file system takes
        raise AvatarError(f"{folder / MANIFEST}: {plain(repr(name))}: {error.strerror}") from error
    return path


# Pictures


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


def image_size(folder: Path, name: str) -> tuple[int, int]:
    """Width and height of a picture that may be decoded. Raises `AvatarError` for one that may not, by its header."""
    path = member(folder, name)
    try:
        with path.open("rb") as file:
            head = file.read(30)
    except OSError as error:
        raise AvatarError(f"{path}: cannot be read ({error.strerror})") from error
    size = picture_size(head)
    if size is None:
        raise AvatarError(f"{path}: is not a PNG or WebP picture; export it again")
    if max(size) > MOST_SIDE or size[0] * size[1] > MOST_PIXELS:
        most = f"at most {MOST_SIDE} a side and {MOST_PIXELS >> 20} million in all"
        raise AvatarError(f"{path}: is {size[0]}x{size[1]} pixels; {most}")
    if head[:4] == b"\x89PNG" and head[24] > 8:
        raise AvatarError(f"{path}: has {head[24]} bits a colour; export it with 8")
    # The animation bit of an extended WebP.
    if head[12:16] == b"VP8X" and head[20] & 2:
        raise AvatarError(f"{path}: is an animation; export a still picture")
    return size


def read_image(folder: Path, name: str) -> Bytes:
    """Decode a PNG or WebP: BGRA with straight alpha, uint8, shape (height, width, 4).

    Raises `AvatarError` for a missing, corrupt or oversized file; the size is read from the header before decoding.
    """
    size, path = image_size(folder, name), folder / name
    try:
        pixels = _webp(path) if path.suffix.lower() == ".webp" else _png(path)
    except AvatarError:
        raise
    except Exception:  # decoders raise almost anything for a broken file
        pixels = None
    if pixels is None or pixels.shape[1::-1] != size:
        raise AvatarError(f"{path}: is damaged and cannot be decoded; export it again")
    return pixels


def _webp(path: Path) -> Bytes | None:
    # Pillow holds a WebP picture four times while it reads it.
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.shape[2] == 4:
        return cast("Bytes | None", found)
    return cast(Bytes, cv2.cvtColor(found, cv2.COLOR_BGR2BGRA))


def _png(path: Path) -> Bytes:
    from PIL import Image

    with Image.open(path, formats=("PNG",)) as picture:
        if getattr(picture, "n_frames", 1) != 1:
            raise AvatarError(f"{path}: is an animation; export a still picture")
        pixels = np.asarray(picture if picture.mode == "RGBA" else picture.convert("RGBA"))
    return cast(Bytes, cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))


# Arrays


def read_arrays(folder: Path, name: str) -> dict[str, NDArray[np.float32]]:
    """Read an ``.npz`` of numbers as float32. Raises `AvatarError` for anything else, objects (pickle) included."""
    path = member(folder, name)
    wrong = "is not a readable .npz of plain numbers; save it again, without objects"
    with open_zip(path, wrong, AVATAR) as archive:
        items = archive.infolist()
        if sum(item.file_size for item in items) > _MOST_ARRAYS:
            raise AvatarError(f"{path}: unpacks to more than {_MOST_ARRAYS >> 20} MB")
        try:
            return {item.filename.removesuffix(".npy"): _array(path, archive, item) for item in items}
        except AvatarError:
            raise
        except (*Broken, TypeError, KeyError, SyntaxError, OverflowError, MemoryError) as error:
            raise AvatarError(f"{path}: {wrong}") from error


def _array(path: Path, archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> NDArray[np.float32]:
    """One array. Its header is believed only where the bytes that follow bear it out, and before they are read."""
    key = plain(item.filename.removesuffix(".npy"))
    with archive.open(item) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            raise AvatarError(f"{path}: array {key!r} is of an unknown version; save it again")
        shape, by_columns, dtype = read(file)
        if dtype.kind not in "fiu" or dtype.itemsize > 8 or dtype.hasobject:
            raise AvatarError(f"{path}: array {key!r} must hold finite numbers, not {plain(dtype)}; no objects")
        count = 1
        for side in shape:
            count *= side
        if min(shape, default=1) < 1 or count * dtype.itemsize != item.file_size - file.tell():
            raise AvatarError(f"{path}: array {key!r} is of another size than its header says; save it again")
        with np.errstate(over="ignore"):
            data = np.frombuffer(file.read(), dtype).astype(np.float32)
    # NaN compares false.
    if not (data.min() >= -_LARGEST_VALUE and data.max() <= _LARGEST_VALUE):
        raise AvatarError(f"{path}: array {key!r} must hold finite numbers up to {_LARGEST_VALUE:g}")
    return data.reshape(shape, order="F" if by_columns else "C")
