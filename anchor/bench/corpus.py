"""Speech with phone labels: recordings in a folder, or what the embedded voice says and times itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np

from anchor import parts
from anchor.bench.labels import ENDINGS, Labels, read_labels, to_phones
from anchor.bench.labels.sphinx import read_many
from anchor.bench.labels.textgrid import read_tiers, words
from anchor.config import VoiceConfig
from anchor.errors import LabelError, MissingError
from anchor.events import Phone, Sentence
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
LISTED = "auto_phones.json"
TRANSCRIPTS = "transcripts.jsonl"

Origin = Literal["by hand", "by an aligner", "by the voice"]

SAID = (
    ("en", "Papa bought a big map of Bohemia, and people have been putting up umbrellas."),
    ("en", "Five very fine views, if you have the time; the evening news follows at half past seven."),
    ("en", "She measured the pressure of the water, and we were all a little bit surprised by how warm it was."),
    ("zh", "爸爸妈妈买面包，明天北部平原部分地区有暴风雨。"),
    ("zh", "各位观众晚上好，欢迎收看今天的新闻节目。"),
)
"""What the voice says where there are no recordings."""


@dataclass(frozen=True, slots=True)
class Item:
    """One recording: its sound, what is said in it (where that is known), and its phones in samples."""

    name: str
    sound: Path | Samples
    phones: tuple[Phone, ...]
    language: str
    origin: Origin
    source: str
    text: str = ""

    def audio(self) -> Samples:
        return read_sound(self.sound) if isinstance(self.sound, Path) else self.sound


def read_sound(path: Path) -> Samples:
    """A sound file as the project's samples. Raises `LabelError` for one that cannot be decoded."""
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    try:
        with av.open(f"file:{path}") as file:
            parts = [out.to_ndarray()[0] for frame in file.decode(audio=0) for out in resampler.resample(frame)]
            parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    except (av.error.FFmpegError, IndexError) as error:
        raise LabelError(f"{path}: no sound can be read from it: {error}") from error
    return np.concatenate(parts).astype(np.float32)


def items(folder: Path) -> list[Item]:
    """Every recording under `folder` that has labels beside it or in its ``auto_phones.json``, in order of names.

    Labels beside a recording are named as `anchor.bench.labels.ENDINGS` says. Words come from the label file, from a
    ``.txt`` of the same name, or from ``transcripts.jsonl``. What a list names may also lie in the folders beside this
    one. Raises `LabelError`, and `MissingError` for a folder without labelled speech.
    """
    labelled: dict[Path, tuple[Path, Path, Labels]] = {}
    for sound in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS):
        labels = next((path for end in ENDINGS if (path := sound.with_name(sound.stem + end)).is_file()), None)
        if labels is not None:
            labelled[sound] = folder, labels, read_labels(labels)
    if (listed := folder / LISTED).is_file():
        here = folder.resolve()
        places = [folder, *sorted(path for path in here.parent.iterdir() if path.is_dir() and path != here)]
        for name, read in read_many(listed):
            if (found := locate(places, name)) is not None:
                labelled.setdefault(found[1], (found[0], listed, read))
    if not labelled:
        raise MissingError(f"{folder}: holds no recordings with labels; put NAME.TextGrid or NAME.lab beside NAME.wav")
    transcripts = {place: _transcripts(place) for place in {place for place, _, _ in labelled.values()}}
    return [
        _item(folder, sound, source, labels, *transcripts[place].get(sound, ("", "")))
        for sound, (place, source, labels) in labelled.items()
    ]


def locate(places: Sequence[Path], name: str) -> tuple[Path, Path] | None:
    """The file that a list means by `name`, after the one of `places` that it lies in.

    Lists are made elsewhere: what counts is how much of the path's end is the same.
    """
    parts = [part for part in Path(name).parts if part not in ("..", "/")]
    for first in range(len(parts)):
        for place in places:
            path = place.joinpath(*parts[first:])
            if path.is_file():
                return place, path
    return None


def _item(folder: Path, sound: Path, source: Path, labels: Labels, language: str, text: str) -> Item:
    phones, alphabet = to_phones(labels.phones)
    name = str(sound.relative_to(folder)) if sound.is_relative_to(folder) else f"{sound.parent.name}/{sound.name}"
    return Item(
        name,
        sound,
        phones,
        language or ("zh" if alphabet == "pinyin" else "en"),
        "by hand" if labels.by_hand else "by an aligner",
        source.name,
        text or labels.text or _words_beside(sound),
    )


def _words_beside(sound: Path) -> str:
    text, grid = sound.with_suffix(".txt"), sound.with_name(f"{sound.stem}_words.TextGrid")
    if text.is_file():
        return text.read_text(errors="replace").strip()
    return words(read_tiers(grid)) if grid.is_file() else ""


def _transcripts(place: Path) -> dict[Path, tuple[str, str]]:
    """Languages and words by recording, as a folder's ``transcripts.jsonl`` gives them."""
    found: dict[Path, tuple[str, str]] = {}
    path = place / TRANSCRIPTS
    for number, line in enumerate(path.read_text(errors="replace").splitlines() if path.is_file() else (), 1):
        try:
            row: dict[str, Any] = json.loads(line)
            name, language, text = str(row["file"]), str(row.get("lang", "")), str(row["text"])
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise LabelError(f"{path}:{number}: is no object with file and text: {error}") from error
        if (sound := locate([place], name)) is not None:
            found.setdefault(sound[1], (language, text))
    return found


async def spoken(said: Sequence[tuple[str, str]] = SAID, pause: float = 0.5) -> list[Item]:
    """What the embedded voice makes of sentences, each between two pauses; it knows its own phones."""
    voice = parts.open_voice(VoiceConfig())
    try:
        return [
            _said(
                f"{language}-{number}", language, text, pause, [c async for c in voice.speak(Sentence(text, language))]
            )
            for number, (language, text) in enumerate(said, 1)
        ]
    finally:
        await voice.close()


def _said(name: str, language: str, text: str, pause: float, chunks: Sequence[SpeechChunk]) -> Item:
    silence = np.zeros(round(pause * SAMPLE_RATE), np.float32)
    phones = tuple(phone.shifted(len(silence)) for chunk in chunks for phone in chunk.phones)
    sound = np.concatenate([silence, *(chunk.audio for chunk in chunks), silence])
    return Item(name, sound, phones, language, "by the voice", "the embedded voice", text)
