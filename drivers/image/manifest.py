"""``driver.json``: what a person says about the files beside it, where their shapes do not tell, and their licence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from anchor.errors import MissingError, ModelError

MANIFEST = "driver.json"
Colour = Literal["bgr", "rgb"]
Front = Literal["wav2lip-mel", "kaldi-25-10", "kaldi-50-20", "whisper", "waveform", "waveform-normalised"]

_MOST_BYTES = 64 << 10
_MOST_FILES = 12
_KEYS = ("family", "files", "fps", "colour", "audio", "licence", "title")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is said; what is not is told from the files. `files` are names by the part that each plays."""

    folder: Path
    family: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    fps: float = 0.0
    colour: Colour | None = None
    audio: Front | None = None
    licence: str = ""
    title: str = ""

    @property
    def where(self) -> str:
        return str(self.folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, an empty one where there is none. Raises `ModelError` naming file and key."""
    path = folder / MANIFEST
    if not path.exists():
        return Manifest(folder)
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path}: must be a plain file of at most {_MOST_BYTES >> 10} kB")
        values = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON: {str(error)[:100]}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: must be an object with keys such as family, files and licence")
    for key in values:
        if key not in _KEYS:
            raise ModelError(f"{path}: unknown key {str(key)[:40]!r}; known: {', '.join(_KEYS)}")
    return Manifest(
        folder, _text(path, values, "family", 40), _files(path, values), _fps(path, values),
        cast("Colour | None", _choice(path, values, "colour", get_args(Colour))),
        cast("Front | None", _choice(path, values, "audio", get_args(Front))),
        _text(path, values, "licence", 200), _text(path, values, "title", 100),
    )  # fmt: skip


def _text(path: Path, values: dict[str, Any], key: str, most: int) -> str:
    value = values.get(key, "")
    if not isinstance(value, str) or len(value) > most or not (value == "" or value.isprintable()):
        raise ModelError(f"{path}: {key}: must be a text of at most {most} letters")
    return value


def _choice(path: Path, values: dict[str, Any], key: str, known: tuple[str, ...]) -> str | None:
    value = values.get(key)
    if value is not None and value not in known:
        raise ModelError(f"{path}: {key}: {str(value)[:40]!r} is unknown; choose {', '.join(known)}")
    return value


def _fps(path: Path, values: dict[str, Any]) -> float:
    value = values.get("fps", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 5 <= value <= 120):
        raise ModelError(f"{path}: fps: must be a number from 5 to 120")
    return float(value)


def _files(path: Path, values: dict[str, Any]) -> dict[str, str]:
    value = values.get("files", {})
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise ModelError(f'{path}: files: must be an object such as {{"generator": "model.onnx"}}')
    for part, name in value.items():
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise ModelError(f"{path}: files.{part}: must be the name of a file beside it")
    return value


def files_of(path: Path) -> tuple[Manifest, dict[str, Path]]:
    """The manifest and the ONNX files of a path, a file or a folder; by part, or by file name where none says a part.

    Raises `MissingError` for a path that is not there and `ModelError` for a folder without files.
    """
    if path.is_file():
        return read_manifest(path.parent), {path.name: path}
    if not path.is_dir():
        raise MissingError(f"{path}: there is no such file or folder")
    manifest = read_manifest(path)
    if manifest.files:
        found = {part: path / name for part, name in manifest.files.items()}
        for part, file in found.items():
            if not file.is_file():
                raise ModelError(f"{manifest.where}: files.{part}: there is no file {file.name}")
    else:
        found = {file.name: file for file in sorted(path.glob("*.onnx"))}
    if not found:
        raise ModelError(f"{path}: holds no .onnx file")
    if len(found) > _MOST_FILES:
        raise ModelError(f"{path}: holds {len(found)} files; say in {MANIFEST} which belong together")
    return manifest, found
