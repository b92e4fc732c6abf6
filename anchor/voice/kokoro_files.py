"""A folder with Kokoro's network and its speakers, as they are published or as `anchor models pull kokoro` leaves it.

The network is ``model.onnx`` or the only other ``.onnx`` file; speakers are ``voices/NAME.bin`` (32-bit floats, 510
rows of 256) or all in one file of NumPy's, ``voices*.bin`` or ``voices*.npz``.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from anchor.errors import MissingError, ModelError
from anchor.voice.kokoro_symbols import MOST

STYLE = 256
_BYTES = MOST * STYLE * 4


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    """`inputs` and `outputs` are the network's. `speakers` are by name, each with the file that holds it."""

    network: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    speakers: Mapping[str, Path]
    version: str

    def style(self, name: str) -> NDArray[np.float32]:
        """A speaker: a row of 256 for each length of text. Raises `ModelError` for a damaged file."""
        path = self.speakers[name]
        try:
            if path.suffix == ".bin" and not zipfile.is_zipfile(path):
                rows = np.frombuffer(path.read_bytes(), "<f4")
            else:
                with np.load(path, allow_pickle=False) as archive:
                    rows = np.asarray(archive[name], np.float32)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path}: the speaker {name} cannot be read: {error}") from None
        if rows.size < STYLE or rows.size % STYLE or not np.isfinite(rows).all():
            raise ModelError(f"{path}: the speaker {name} is no table of rows of {STYLE} numbers")
        return np.asarray(rows.reshape(-1, STYLE), np.float32)


def find(folder: Path, *, pull: str = "") -> KokoroFiles:
    """What is in a folder, weights unread. Raises `MissingError` and `ModelError`, which name the file.

    `pull` is added where the folder or the network is not there: what to do about it.
    """
    if not folder.is_dir():
        raise MissingError(f"{folder}: there is no such folder with Kokoro's network and its speakers{pull}")
    network = folder / "model.onnx"
    if not network.is_file():
        others = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
        if len(others) != 1:
            listed = ", ".join(path.name for path in others)
            raise MissingError(f"{network}: Kokoro's network is not there{f'; which of {listed}?' if others else pull}")
        network = others[0]
    inputs, outputs = signature(network)
    if not {"style", "speed"} <= set(inputs) or not {"tokens", "input_ids"} & set(inputs):
        raise ModelError(
            f"{network}: takes {', '.join(inputs) or 'nothing'}, not the symbols, style and speed of Kokoro"
        )
    speakers = dict(_speakers(folder))
    if not speakers:
        raise MissingError(f"{folder / 'voices'}: there are no speakers of Kokoro, files such as af_heart.bin{pull}")
    return KokoroFiles(network, inputs, outputs, speakers, _version([network, *sorted(set(speakers.values()))]))


def _speakers(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted([*folder.glob("*.npz"), *folder.glob("*.bin")]):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((name.removesuffix(".npy"), path) for name in archive.namelist() if name.endswith(".npy"))
    for path in sorted((folder / "voices").glob("*.bin")):
        if path.stat().st_size != _BYTES:
            raise ModelError(f"{path}: has {path.stat().st_size} bytes; a speaker of Kokoro has {_BYTES}")
        yield path.stem, path


def _version(paths: list[Path]) -> str:
    told = "".join(f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns};" for path in paths)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def mixture(text: str) -> dict[str, float]:
    """Speakers by name with their shares, which sum to 1: ``af_heart`` or ``af_heart:0.6+af_bella:0.4``.

    Raises `ValueError` with the reason.
    """
    shares = dict[str, float]()
    for part in text.split("+"):
        match = re.fullmatch(r"\s*(\w+)\s*(?::\s*(\d*\.?\d+)\s*)?", part)
        if match is None:
            raise ValueError("write a name such as af_heart, or a mixture such as af_heart:0.6+af_bella:0.4")
        shares[match[1]] = shares.get(match[1], 0.0) + float(match[2] or 1)
    total = sum(shares.values())
    if not total:
        raise ValueError("the shares of a mixture must not all be 0")
    return {name: share / total for name, share in shares.items()}


def signature(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the inputs and outputs of an ONNX file, found without reading its weights. Raises `ModelError`.

    The fields are those of ONNX's ``onnx.proto``: ModelProto.graph 7; GraphProto.input 11 and .output 12;
    ValueInfoProto.name 1.
    """
    names: dict[int, list[str]] = {11: [], 12: []}
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            for number, start, length in _fields(file, 0, size):
                if number != 7:
                    continue
                for inner, place, extent in _fields(file, start, start + length):
                    if inner in names:
                        for field, begin, reach in _fields(file, place, place + extent):
                            if field == 1:
                                file.seek(begin)
                                names[inner].append(file.read(reach).decode())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: is no ONNX file, or not all of one: {error}") from None
    return tuple(names[11]), tuple(names[12])


def _fields(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a protobuf message that have a length: number, place and length. Raises `ValueError`."""
    place = start
    while place < end:
        file.seek(place)
        head = file.read(20)
        key, used = _varint(head, 0)
        kind = key & 7
        if kind == 2:
            length, used = _varint(head, used)
            if place + used + length > end:
                raise ValueError("it ends too soon")
            yield key >> 3, place + used, length
            used += length
        elif kind == 0:
            _, used = _varint(head, used)
        elif kind in (1, 5):
            used += 8 if kind == 1 else 4
        else:
            raise ValueError("it is written otherwise")
        place += used


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    raise ValueError("it ends too soon")
