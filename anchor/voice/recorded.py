"""Recordings of a person as a voice: what they have read aloud is said in their own sound, and nothing else is.

A folder holds sound files, and for each either a text beside it (``news.wav`` and ``news.txt``) or an entry in
``recordings.toml``::

    language = "en"            # of what names none
    licence = "for Example TV only"

    [[recording]]
    file = "evening.wav"
    text = "Good evening. These are the headlines."

or a row in ``recordings.csv`` under the heads ``file,text`` and perhaps ``language``. One file may hold several
sentences; each is found by its words, however they are written.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import tomllib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anchor import registry
from anchor.errors import ConfigError, UnsaidError, VoiceError
from anchor.events import Sentence
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.tags import base
from anchor.voice.reading import MARGIN_SECONDS, Place, Reading, Spotter, chunks_of, words_of
from anchor.voice.recording import SOUNDS, trimmed
from anchor.voice.sound import faded

log = logging.getLogger(__name__)

LISTS = ("recordings.toml", "recordings.csv")
MOST_FILES = 10_000
MOST_LIST = 8 << 20
_KEPT = 4
"""Files whose sound is held in memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording; `where` it is written what it is of: a file, with a line where it has many."""

    file: Path
    text: str
    language: str
    where: str


class RecordedVoice:
    """`anchor.ports.Voice` of files in `folder`.

    `language` is that of texts that name none, and `name` what the voice is called. Files are looked for when it is
    made, and decoded when they are spoken. Raises `ConfigError` for a folder that has nothing to say.
    """

    def __init__(self, *, folder: str | Path, language: str = "en", name: str = "recorded", licence: str = "") -> None:
        place = Path(folder)
        if not place.is_dir():
            raise ConfigError(f"voice.options.folder = {str(folder)!r}: there is no such folder")
        entries, told = read_entries(place, language)
        if not entries:
            raise ConfigError(
                f"{place}: there is nothing recorded; put NAME.wav and NAME.txt there, or {' or '.join(LISTS)}"
            )
        self._readings = [Reading(entry.file, entry.text, entry.language) for entry in entries]
        self._held: OrderedDict[Reading, None] = OrderedDict()
        self._spotter: Spotter | None = None
        self._info = VoiceInfo(
            name, "recordings", tuple(dict.fromkeys(entry.language for entry in entries)),
            licence or told or "the speaker's", phone_timings=False, version=_version(entries),
        )  # fmt: skip

    @property
    def info(self) -> VoiceInfo:
        return self._info

    async def warm(self, languages: Sequence[str]) -> None:
        """Nothing: files are opened when they are spoken."""

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        if base(sentence.language) not in {base(tag) for tag in self._info.languages}:
            spoken = ", ".join(self._info.languages)
            raise VoiceError(f"voice {self._info.name!r} does not speak {sentence.language!r}; it speaks {spoken}")
        wanted = words_of(sentence.text, sentence.language)
        if not wanted:
            return
        found = self._find(wanted, sentence.language)
        if found is None:
            raise UnsaidError(f"voice {self._info.name!r}: {sentence.text[:80]!r} is not recorded")
        reading, place = found
        self._hold(reading)
        if self._spotter is None:
            self._spotter = open_spotter()
        sound = faded(trimmed(await reading.sound(place, self._spotter), margin=MARGIN_SECONDS))
        async for chunk in chunks_of(sound):
            yield chunk

    def _find(self, wanted: Sequence[str], language: str) -> tuple[Reading, Place] | None:
        """Where it is recorded, best in a file of its own."""
        able = [reading for reading in self._readings if base(reading.language) == base(language)]
        found = [(reading, place) for reading in able if (place := reading.find(wanted)) is not None]
        return min(found, key=lambda one: one[1] != one[0].whole, default=None)

    def _hold(self, reading: Reading) -> None:
        self._held[reading] = None
        self._held.move_to_end(reading)
        while len(self._held) > _KEPT:
            self._held.popitem(last=False)[0].let_go()

    async def close(self) -> None:
        spotter, self._spotter = self._spotter, None
        if spotter is not None:
            await spotter.close()


def open_spotter() -> Spotter:
    """The embedded voice's spelling, and the aligner."""
    return Spotter(registry.load("anchor.voice", "espeak")(workers=1), registry.load("anchor.part", "aligner")())


def read_entries(folder: Path, language: str) -> tuple[list[Entry], str]:
    """What is recorded in a folder, and under what licence. Raises `ConfigError` with the file and the line or key."""
    entries, licence = list[Entry](), ""
    table, sheet = (folder / name for name in LISTS)
    if table.is_file():
        listed, licence = _from_toml(table, language)
        entries += listed
    if sheet.is_file():
        entries += _from_csv(sheet, language)
    listed_files = {entry.file for entry in entries}
    for path in sorted(folder.iterdir())[:MOST_FILES]:
        if path.suffix.lower() in SOUNDS and path not in listed_files and path.with_suffix(".txt").is_file():
            beside = path.with_suffix(".txt")
            entries.append(Entry(path, _text(beside), language, str(beside)))
    for entry in entries:
        if not entry.file.is_file():
            raise ConfigError(f"{entry.where}: there is no file {entry.file}")
        if not words_of(entry.text, entry.language):
            raise ConfigError(f"{entry.where}: there is nothing to say in it")
    return entries, licence


def _from_toml(path: Path, language: str) -> tuple[list[Entry], str]:
    try:
        values = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    unknown = [key for key in values if key not in ("language", "licence", "recording")]
    listed = values.get("recording")
    if unknown or not isinstance(listed, list):
        raise ConfigError(
            f"{path}: {unknown[0] if unknown else 'recording'}: language, licence and [[recording]] go here"
        )
    language = _string(values, "language", path, "", language)
    entries = []
    for number, item in enumerate(listed[:MOST_FILES], start=1):
        where = f"recording {number}: "
        if not isinstance(item, dict) or (extra := set(item) - {"file", "text", "language"}):
            wrong = f"unknown key {min(extra)!r}" if isinstance(item, dict) else "is no table"
            raise ConfigError(f"{path}: {where}{wrong}; file, text and language go here")
        file = _inside(path, _string(item, "file", path, where), where)
        text, own = _string(item, "text", path, where), _string(item, "language", path, where, language)
        entries.append(Entry(file, text, own, f"{path}: {where.rstrip(': ')}"))
    return entries, _string(values, "licence", path, "", "")


def _string(values: Mapping[str, Any], key: str, path: Path, where: str, default: str | None = None) -> str:
    value = values.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise ConfigError(f"{path}: {where}{key}: a text is needed")
    return value


def _from_csv(path: Path, language: str) -> Iterator[Entry]:
    reader = csv.DictReader(_text(path).splitlines(), skipinitialspace=True)
    if not {"file", "text"} <= set(reader.fieldnames or ()):
        raise ConfigError(f"{path}:1: the heads are file,text and perhaps language")
    for row in reader:
        where = f"{path}:{reader.line_num}"
        if not (row["file"] or "").strip() or not (row["text"] or "").strip():
            raise ConfigError(f"{where}: a file and a text are needed")
        file = _inside(path, row["file"].strip(), f"{reader.line_num}: ")
        yield Entry(file, row["text"], (row.get("language") or "").strip() or language, where)


def _inside(path: Path, name: str, where: str) -> Path:
    file = path.parent / name
    if not file.resolve().is_relative_to(path.parent.resolve()):
        raise ConfigError(f"{path}: {where}{name!r} lies outside the folder; put it there")
    return file


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_LIST:
            raise ConfigError(f"{path}: is larger than {MOST_LIST >> 20} MB")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _version(entries: Sequence[Entry]) -> str:
    mark = hashlib.sha256()
    for entry in entries:
        state = entry.file.stat()
        mark.update(repr((entry.file.name, entry.text, entry.language, state.st_size, state.st_mtime_ns)).encode())
    return mark.hexdigest()[:12]
