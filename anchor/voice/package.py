"""Voice packages: a folder, or a zip of one, with ``voice.toml``, clips of whose voice it is, and their consent.

A package says which back-end speaks, with what options, and whose voice it is::

    name = "maria"
    title = "Maria"
    engine = "coqui"
    licence = "for Example TV only"
    languages = ["es", "en"]

    [options]                  # of the back-end; files are those of the package
    speed = 1.05

    [consent]
    who = "Maria Perez"
    scope = "her voice as the voice maria, in news of Example TV"
    until = "2027-12-31"

    [[reference]]              # what a back-end that clones speaks like
    file = "maria-1.wav"
    text = "Good evening, and welcome."

    [moods]                    # a clip of the package, or what the back-end calls the mood
    cheerful = "maria-cheerful.wav"

Only through a package a back-end is given ``reference``, the paths of all clips, and ``consented = true`` with it.
``moods`` names for a mood one of these clips by its name without ending, or whatever the back-end calls the mood.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

from anchor import registry
from anchor.clock import today
from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Mood
from anchor.packages import tables
from anchor.packages.archive import ignored, unpack, unpacked
from anchor.packages.consent import Consent, ConsentWatch
from anchor.packages.kinds import Kind
from anchor.packages.manifest import folder_problems, read_languages, read_name, read_record, read_values
from anchor.packages.tables import plain
from anchor.ports import Voice, VoiceInfo
from anchor.voice.consented import ConsentedVoice
from anchor.voice.located import located, member

MANIFEST = "voice.toml"
VOICE = Kind("voice", MANIFEST, VoiceError, "do without the voice", most_bytes=3 << 30, most_files=500, depth=4)
MOST_CLIPS = 32
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")

_NOT_FOR_A_PACKAGE = ("reference", "reference_texts", "consented", "trust", "download")
_NOT_BESIDE_A_PACKAGE = ("reference", "reference_texts", "consented")

Opener = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Voice]
"""Makes a voice of a back-end's name, its options, and what these mean to a cache: the same for the same package."""


class Table(tables.Table):
    fault = VoiceError


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording of whose voice it is, and what is said in it."""

    file: Path
    text: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package says. Files in `options` and `moods` are paths in its folder."""

    folder: Path
    name: str
    title: str
    engine: str
    licence: str
    languages: tuple[str, ...]
    consent: Consent
    options: dict[str, Any]
    references: tuple[Clip, ...]
    moods: dict[Mood, str]


def read_manifest(folder: Path, *, day: date | None = None) -> Manifest:
    """Read ``voice.toml`` and look at the files beside it. Raises `VoiceError` that names the file and the key.

    `day` is that on which consent is asked for, by default the current one.
    """
    _check_folder(folder)
    table = _table(folder)
    head = _read_head(table, day or today())
    options = _options(table.table("options"), folder) if "options" in table else {}
    references = _references(table, folder) if "reference" in table else ()
    moods = _moods(table.table("moods"), folder) if "moods" in table else {}
    table.done()
    return Manifest(folder, *head, options, references, moods)


def read_head(folder: Path, *, day: date | None = None) -> tuple[str, str, str, str, tuple[str, ...], Consent]:
    """Name, title, engine, licence, languages and consent; other files need not be there. Raises `VoiceError`."""
    return _read_head(_table(folder), day or today())


def _read_head(table: Table, day: date) -> tuple[str, str, str, str, tuple[str, ...], Consent]:
    name, title, engine = read_name(table), table.text("title", 100), table.text("engine", 40)
    licence, languages = table.text("licence"), read_languages(table)
    return name, title, engine, licence, languages, _read_consent(table, (name, title), day)


def read_consent(folder: Path, *, day: date | None = None) -> Consent:
    """The record of a package alone; its other files need not be there. Raises `VoiceError`."""
    table = _table(folder)
    return _read_consent(table, (read_name(table), table.text("title", 100)), day or today())


def watch(package: Path, day: Callable[[], date] = today) -> ConsentWatch:
    """Whether a voice may still be heard."""
    return ConsentWatch(package, VOICE, lambda folder, on: read_consent(folder, day=on), day)


def package_at(name: str | Path) -> Path:
    """The path of a package. Raises `MissingError` where there is none."""
    path = Path(name)
    if not path.exists():
        raise MissingError(f"{path}: there is no such voice package; give a folder with {MANIFEST}, or a zip of one")
    return path


def keywords(engine: str) -> Collection[str]:
    """The options that a back-end takes. Raises `MissingError` for one that is not here."""
    factory = registry.load("anchor.voice", engine)
    return [
        name
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]


def open_package(
    path: str | Path,
    open_engine: Opener,
    *,
    options: Mapping[str, Any] | None = None,
    takes: Callable[[str], Collection[str]] = keywords,
    day: Callable[[], date] = today,
) -> ConsentedVoice:
    """A voice from a folder or a zip, which speaks only while the consent in it lasts.

    `open_engine` makes the back-end, with all that is to be around it; `options` of a configuration go over those of
    the package. `takes` tells which options a back-end has. A zip is unpacked for as long as the voice is open. Raises
    `MissingError` where there is none, `VoiceError` for one that cannot be used, and `ConfigError` for options that
    are not the configuration's to give.
    """
    package = package_at(path)
    for key in _NOT_BESIDE_A_PACKAGE:
        if key in (options or {}):
            raise ConfigError(f"voice.options.{key}: is the package's own; whose voice it is stands in {package}")
    watched = watch(package, day)
    scratch = None if package.is_dir() else tempfile.TemporaryDirectory(prefix="voice-")
    try:
        folder = package if scratch is None else unpack(package, Path(scratch.name), VOICE)
        manifest = read_manifest(folder, day=day())
        made = _made_with(manifest, takes, options or {})
        version = _version(folder)
        voice = open_engine(manifest.engine, made, {"package": version, **(options or {})})
    except BaseException as error:
        if scratch is not None:
            scratch.cleanup()
            if isinstance(error, VoiceError):  # names of scratch folders help nobody
                raise VoiceError(str(error).replace(str(scratch.name), str(package))) from error
        raise

    def describe(info: VoiceInfo) -> VoiceInfo:
        return replace(
            info, name=manifest.name, licence=manifest.licence, languages=manifest.languages or info.languages,
            version=f"{info.version}/{version}" if info.version else version,
        )  # fmt: skip

    return ConsentedVoice(
        voice, watched, describe=describe, on_close=scratch.cleanup if scratch is not None else lambda: None
    )


def check(path: str | Path) -> list[str]:
    """What is wrong with a package, in words for who made it; its back-end is not loaded."""
    package = package_at(path)
    try:
        with unpacked(package, VOICE) as folder:
            problems = [*folder_problems(folder, VOICE, _file_problem)] if package.is_dir() else []
            try:
                manifest = read_manifest(folder)
                _made_with(manifest, keywords, {})
            except (VoiceError, MissingError) as error:
                problems.append(str(error))
            return [text.replace(str(folder), str(package)) for text in dict.fromkeys(problems)]
    except VoiceError as error:
        return [str(error)]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise VoiceError(f"{folder}: no such voice folder")
    for problem in folder_problems(folder, VOICE, _file_problem):
        raise VoiceError(problem)


def _file_problem(path: Path) -> str:
    """Weights and their tables are the back-end's affair; a package brings no programs."""
    if path.suffix.lower() in (".py", ".pyc", ".so", ".sh", ".exe", ".dll", ".pkl", ".pickle"):
        return f"a voice package holds no {path.suffix.lower()} files; remove it"
    return ""


def _table(folder: Path) -> Table:
    return Table(read_values(folder, VOICE), str(folder / MANIFEST))


def _read_consent(table: Table, names: tuple[str, str], day: date) -> Consent:
    """The record. Its scope names the voice, so that one does not pass for another's."""
    consent = read_record(table, day, VOICE)
    if not any(name.casefold() in consent.scope.casefold() for name in names):
        raise table.error(
            "consent.scope", f"does not name the voice; write what {plain(consent.who)} agreed to, for {names[0]!r}"
        )
    return consent


def _references(table: Table, folder: Path) -> tuple[Clip, ...]:
    clips = table.tables("reference", MOST_CLIPS)
    found = []
    for clip in clips:
        found.append(Clip(_sound(clip.text("file"), "file", clip, folder), clip.text("text", 2000)))
        clip.done()
    return tuple(found)


def _sound(name: str, key: str, table: Table, folder: Path) -> Path:
    path = member(name, folder, lambda problem: table.error(key, problem))
    if path is None or path.suffix.lower() not in SOUNDS:
        raise table.error(key, f"{plain(repr(name))} is no sound file of this package ({', '.join(SOUNDS)})")
    return path


def _moods(table: Table, folder: Path) -> dict[Mood, str]:
    found: dict[Mood, str] = {}
    for key in table.keys():  # noqa: SIM118 - no mapping
        if key not in get_args(Mood):
            raise table.error(key, f"is no mood; there are {', '.join(get_args(Mood))}")
        value = table.text(key)
        clip = value.lower().endswith(SOUNDS)
        found[key] = str(_sound(value, key, table, folder)) if clip else value  # type: ignore[index]
    return found


def _options(table: Table, folder: Path) -> dict[str, Any]:
    found = {}
    for key, value in table.rest().items():
        if key in _NOT_FOR_A_PACKAGE:
            raise table.error(key, "is not for a package to say")
        found[key] = located(value, folder, lambda problem, key=key: table.error(key, problem))  # type: ignore[misc]
    return found


def _made_with(
    manifest: Manifest, takes: Callable[[str], Collection[str]], further: Mapping[str, Any]
) -> dict[str, Any]:
    """The options for the back-end."""
    known, where = takes(manifest.engine), manifest.folder / MANIFEST
    made: dict[str, Any] = {**manifest.options}
    clips = {clip.file: clip.text for clip in manifest.references}
    moods = dict(manifest.moods)
    for mood, style in manifest.moods.items():
        if (path := Path(style)).is_absolute():
            clips.setdefault(path, "")
            moods[mood] = path.stem
    if moods:
        if "moods" not in known:
            raise VoiceError(f"{where}: moods: engine {manifest.engine!r} has none; remove the table")
        made["moods"] = moods
    if clips:
        if "reference" not in known:
            raise VoiceError(f"{where}: reference: engine {manifest.engine!r} does not speak like a recording")
        if len({path.stem for path in clips}) < len(clips):
            raise VoiceError(f"{where}: reference: two clips have the same name but for their ending; rename one")
        made["reference"] = tuple(clips)
        if "reference_texts" in known:
            made["reference_texts"] = tuple(clips.values())
    if "consented" in known:
        made["consented"] = True
    for key in manifest.options:
        if key not in known:
            raise VoiceError(f"{where}: options.{plain(key)}: engine {manifest.engine!r} does not know it")
    return made | dict(further)


def _version(folder: Path) -> str:
    """Another text for every change of what a voice is made of, the same wherever it is unpacked; not its consent."""
    mark = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(place) / file
            if file == MANIFEST:
                values = {key: value for key, value in read_values(folder, VOICE).items() if key != "consent"}
                mark.update(repr(values).encode())
            elif not ignored(file):
                mark.update(repr((str(path.relative_to(folder)), path.stat().st_size)).encode())
                mark.update(_head(path))
    return mark.hexdigest()[:12]


def _head(path: Path) -> bytes:
    """Both ends of a file: all of a clip, and enough of weights to tell them apart."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
        if path.stat().st_size > 2 << 20:
            file.seek(-(1 << 20), os.SEEK_END)
        return head + file.read(1 << 20)
