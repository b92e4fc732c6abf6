"""Making voice packages of what people record, renewing and revoking the consent in them, and listing them."""

from __future__ import annotations

import os
import re
import shutil
import wave
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from anchor.clock import today
from anchor.errors import AnchorError, MissingError, VoiceError
from anchor.events import Mood
from anchor.media import SAMPLE_RATE, Samples
from anchor.packages.archive import open_zip, unpacked
from anchor.packages.consent import Consent, consent_table, rewrite_consent
from anchor.packages.consent import read_consent as read_record
from anchor.packages.manifest import valid_name
from anchor.packages.tables import plain
from anchor.packages.writer import new_folder, toml_lines, toml_table, write_text
from anchor.voice.package import MANIFEST, VOICE, Table, keywords, package_at, read_consent, read_head, read_manifest
from anchor.voice.recording import LONGEST_CLIP, judge, read_recording, trimmed

MOST_PACKAGES = 200
MOOD_SHORTEST = 3.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording on disk, and what is said in it."""

    path: Path
    text: str


def consent_of(who: str, scope: str, until: str) -> Consent:
    """Raises `VoiceError` for a record that would not let the voice be heard."""
    return read_record(Table({"who": who, "scope": scope, "until": until}, "consent"), today(), VOICE)


def make_voice(
    folder: Path, *, engine: str, references: Sequence[Spoken] = (), moods: Mapping[Mood, Path] | None = None,
    consent: Consent, name: str = "", title: str = "", languages: Sequence[str] = (),
    licence: str = "all rights reserved", options: Mapping[str, Any] | None = None, files: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Write a voice package of one person's recordings, or of weights among the `files` that `options` name.

    Raises `MissingError` for a back-end that there is not, and `VoiceError` that says what is wrong with a recording;
    nothing is written then.
    """
    name = name or re.sub(r"[^\w-]+", "-", folder.name.lower()).strip("-")
    if not valid_name(name):
        raise VoiceError(f"name {name!r}: use up to 64 letters, digits, - and _")
    known = keywords(engine)
    for option, wanted in (("reference", references), ("moods", moods)):
        if wanted and option not in known:
            raise VoiceError(f"engine {engine!r} does not speak like a recording; it takes {', '.join(known)}")
    check_references(references)
    head: dict[str, Any] = {"name": name, "title": title.strip() or name, "engine": engine, "licence": licence}
    if languages:
        head["languages"] = list(languages)
    with new_folder(folder, VOICE) as scratch:
        parts = [toml_lines(head)]
        if options:
            parts.append(toml_table("options", options))
        parts.append(consent_table(consent))
        for number, spoken in enumerate(references, start=1):
            file = f"reference-{number}.wav"
            write_wav(scratch / file, trimmed(read_recording(spoken.path, longest=2 * LONGEST_CLIP).sound))
            parts.append(toml_table("reference", {"file": file, "text": spoken.text}, listed=True))
        if moods:
            for mood, path in moods.items():
                write_wav(scratch / f"{mood}.wav", trimmed(read_recording(path, longest=2 * LONGEST_CLIP).sound))
            parts.append(toml_table("moods", {mood: f"{mood}.wav" for mood in moods}))
        for given in files:
            _copy(given, scratch / given.name)
        write_text(scratch / MANIFEST, "\n".join(parts), VOICE)
        try:
            read_manifest(scratch)
        except VoiceError as error:
            raise VoiceError(str(error).replace(str(scratch), str(folder))) from error


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        raise VoiceError(f"{source}: a file of this name is in the package already; rename it")
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise VoiceError(f"{source}: cannot be copied ({error.strerror})") from error


def check_references(references: Sequence[Spoken]) -> None:
    """Raise `VoiceError` with all that is wrong with recordings, a line each."""
    problems = [problem for spoken in references for problem in problems_of(spoken.path)]
    if problems:
        raise VoiceError("\n".join(problems))


def problems_of(path: Path) -> list[str]:
    """What is wrong with a clip that a voice is to be made like. Raises `VoiceError` for one that cannot be read."""
    return [f"{path}: {problem}" for problem in judge(read_recording(path, longest=600.0))]


def write_wav(path: Path, sound: Samples) -> None:
    """Write mono sound of `SAMPLE_RATE` in 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def record_consent(package: Path, *, until: str, who: str = "", scope: str = "") -> Consent:
    """Write another record of consent into a package, a folder or a zip, and return it; all else stays as it is.

    Who and scope stay as they were when they are empty; a date that is past revokes the consent. Raises `MissingError`
    and `VoiceError`.
    """
    path = package_at(package)
    with unpacked(path, VOICE, only=MANIFEST) as folder:
        # For writing, it does not matter that the old one has ended, nor that the new one has.
        old = read_consent(folder, day=date.min)
        values = {"who": who or old.who, "scope": scope or old.scope, "until": until}
        consent = read_record(Table(values, "consent"), date.min, VOICE)
        before = (folder / MANIFEST).read_text("utf-8")
        rewrite_consent(folder, VOICE, consent)
        try:
            read_consent(folder, day=date.min)
        except VoiceError:
            write_text(folder / MANIFEST, before, VOICE)
            raise
        if folder != path:
            _replace_manifest(path, (folder / MANIFEST).read_bytes())
    return consent


def revoke(package: Path) -> Consent:
    """End the consent at once."""
    return record_consent(package, until=(today() - timedelta(days=1)).isoformat())


def _replace_manifest(path: Path, data: bytes) -> None:
    """Write a zip anew with another manifest, beside it, and put it in its place."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open_zip(path, "is no zip of a voice", VOICE) as old, zipfile.ZipFile(part, "w") as new:
            for item in old.infolist():
                if item.filename.rpartition("/")[2] == MANIFEST:
                    new.writestr(item.filename, data, zipfile.ZIP_DEFLATED)
                elif not item.is_dir():
                    with old.open(item) as source, new.open(item, "w", force_zip64=True) as copy:
                        shutil.copyfileobj(source, copy, 1 << 20)
        part.replace(path)
    except OSError as error:
        raise VoiceError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class VoiceEntry:
    """A voice package that there is; with the `problem` for which it cannot be used."""

    name: str
    path: Path
    title: str = ""
    engine: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    until: str = ""
    problem: str = ""


def installed_packages(folder: Path) -> list[VoiceEntry]:
    """The voice packages in a folder, by their manifests alone. Raises `MissingError` for no such folder."""
    try:
        with os.scandir(folder) as items:
            paths = sorted(Path(item.path) for item in items if not item.name.startswith("."))
    except OSError as error:
        raise MissingError(f"{folder}: the folder of voices cannot be read ({error.strerror})") from error
    packages = [path for path in paths if path.suffix.lower() == ".zip" or (path / MANIFEST).is_file()]
    return [_entry(path) for path in packages[:MOST_PACKAGES]]


def _entry(path: Path) -> VoiceEntry:
    try:
        # What else is in a zip may be large, and is looked at when it is opened.
        with unpacked(path, VOICE, only=MANIFEST) as folder:
            if path.is_dir():
                read_manifest(folder)
            name, title, engine, licence, languages, consent = read_head(folder)
    except AnchorError as error:
        return VoiceEntry(plain(path.stem), path, problem=str(error))
    return VoiceEntry(name, path, title, engine, licence, languages, consent.lasts)
