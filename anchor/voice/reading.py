"""A text that somebody has read aloud into a file, and where in the sound each of its clauses is."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anchor.errors import VoiceError
from anchor.events import Sentence, Word
from anchor.loudness import VOICE_LUFS, gain_to, loudness
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Aligner, SpeechChunk, SpelledWord, Voice
from anchor.tags import among, base
from anchor.voice.recording import frame_levels, read_recording, trimmed
from anchor.voice.sound import faded, limited
from anchor.voice.sounding import CHUNK_SECONDS, expected_seconds
from anchor.voice.spelling import spell
from anchor.voice.text import read
from anchor.voice.text.scripts import is_cjk

log = logging.getLogger(__name__)

MARGIN_SECONDS = 0.06
"""Silence that stays before the first word and after the last."""

_FASTEST, _SLOWEST = 0.35, 2.5
"""Seconds of a recording for each that an unhurried reader takes; outside, half the text or of the sound is missing."""

_STOP = re.compile(r"(?<=[.!?。！？｡．…\n])\s*(?=\S)")
_FRAME_SECONDS = 0.02
_STRAY, _STRAY_SECONDS = 0.25, 8.0
"""How far from where it is expected a pause is looked for in sound that cannot be aligned: a part of so much of it."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A spoken word and the characters of the text that it is said for; `opens`: something ends just before it."""

    word: str
    start: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Spoken words of a reading, from `first` up to and without `last`."""

    first: int
    last: int


class Spotter:
    """Finds words of a known text in its sound: `reader` spells them, `aligner` finds them."""

    def __init__(self, reader: Voice, aligner: Aligner) -> None:
        self.reader = reader
        self.aligner = aligner

    async def words(self, sound: Samples, text: str, language: str) -> list[Word] | None:
        """The display words of a text with their places; none where the sound says something else.

        None for a text that the reader cannot spell.
        """
        if not among(language, self.reader.info.languages):
            return None
        spelled = list[SpelledWord]()
        try:
            for piece in _STOP.split(text):
                spelled += await spell(self.reader, Sentence(piece, language))
        except VoiceError as error:
            log.warning("a recording is not aligned: %s", error)
            return None
        # The aligner computes as it goes; a minute of sound at once would hold up everything else.
        return await asyncio.to_thread(lambda: asyncio.run(_found(self.aligner, sound, spelled)))

    async def close(self) -> None:
        await self.reader.close()


async def _found(aligner: Aligner, sound: Samples, spelled: Sequence[SpelledWord]) -> list[Word]:
    return [word async for chunk in aligner.align(chunks_of(sound), spelled) for word in chunk.words]


async def chunks_of(sound: Samples) -> AsyncIterator[SpeechChunk]:
    step = round(CHUNK_SECONDS * SAMPLE_RATE)
    for start in range(0, len(sound), step):
        yield SpeechChunk(sound[start : start + step])


class Reading:
    """A recording and its text. Its sound is loaded when it is wanted, and cut where a clause of it is asked for."""

    def __init__(self, path: Path, text: str, language: str) -> None:
        self.path, self.text, self.language = path, text, language
        self._misfit = False
        self._said = _said_words(text, language)
        self._sound: Samples | None = None
        self._cuts: list[int] | None = None
        self._loading = asyncio.Lock()

    @property
    def whole(self) -> Place:
        return Place(0, len(self._said))

    def find(self, wanted: Sequence[str], *, after: int = 0) -> Place | None:
        """Where a sentence or a clause is in it, by the words that are said of it; None where it is not."""
        size = len(wanted)
        for first in range(after, len(self._said) - size + 1):
            last = first + size
            if (
                size and self._said[first].opens and (last == len(self._said) or self._said[last].opens)
                and all(self._said[first + n].word == word for n, word in enumerate(wanted))
            ):  # fmt: skip
                return Place(first, last)
        return None

    async def sound(self, place: Place, spotter: Spotter) -> Samples:
        """The sound of a place, as loud as a voice is. Raises `VoiceError` for a file that cannot be used."""
        async with self._loading:
            sound = await self._loaded()
            if place == self.whole:
                return sound
            if self._cuts is None:
                self._cuts = await self._cut(sound, spotter)
        return faded(sound[self._cuts[place.first] : self._cuts[place.last]])

    async def fits(self, spotter: Spotter) -> bool:
        """Whether what is said in the file is its text, as far as can be told. Raises as `sound` does."""
        async with self._loading:
            sound = await self._loaded()
            if self._cuts is None:
                self._cuts = await self._cut(sound, spotter)
        return not self._misfit

    async def _loaded(self) -> Samples:
        if self._sound is None:
            self._sound = await asyncio.to_thread(_prepared, self.path)
        return self._sound

    def let_go(self) -> None:
        """Forget the sound; it is read again when it is wanted."""
        self._sound = None

    async def _cut(self, sound: Samples, spotter: Spotter) -> list[int]:
        """Where each spoken word begins that something ends before; where the others do is not known."""
        words = await spotter.words(sound, self.text, self.language)
        # With words of another text, or far fewer or more than there is time for.
        ratio = sound.size / SAMPLE_RATE / max(1.0, expected_seconds(self.text))
        self._misfit = (words is not None and not words) or not _FASTEST < ratio < _SLOWEST
        levels = frame_levels(sound)
        cuts = [0] * (len(self._said) + 1)
        cuts[-1] = sound.size
        weights = _weights(self.text, [said.start for said in self._said])
        for number, said in enumerate(self._said[1:], start=1):
            if not said.opens:
                continue
            if words:
                start, end = _around(words, said.start)
            else:
                middle, stray = weights[number] * sound.size, _STRAY * min(sound.size, _STRAY_SECONDS * SAMPLE_RATE)
                start, end = round(middle - stray), round(middle + stray)
            cuts[number] = max(cuts[number - 1], _quietest(levels, start, end))
            if not words:
                cuts[number] = max([*cuts[:number], cuts[number]])
        return cuts


def words_of(text: str, language: str) -> list[str]:
    """What is said of a text, whatever its case, spaces, punctuation or digits."""
    return [said.word for said in _said_words(text, language)]


def _said_words(text: str, language: str) -> list[_Said]:
    """Spoken word by spoken word, and in Chinese or Japanese character by character."""
    found, place, opens = list[_Said](), 0, True
    lower = text.lower()
    # Capitals would be spelled out; a few letters become two when they are made small.
    for token in read(lower if len(lower) == len(text) else text, base(language)):
        for word in token.spoken.casefold().split():
            letters = "".join(letter for letter in word if letter.isalnum())
            for part in letters if letters and is_cjk(letters[0]) else [letters]:
                if part:
                    found.append(_Said(part, place, opens))
                    opens = False
        opens = opens or bool(token.mark) or "\n" in token.text
        place += len(token.text)
    return found


def _prepared(path: Path) -> Samples:
    sound = trimmed(read_recording(path).sound, margin=MARGIN_SECONDS)
    found = loudness([sound])
    if not np.isfinite(found):
        raise VoiceError(f"{path}: nobody can be heard in it; record it again")
    return faded(limited(sound * np.float32(gain_to(VOICE_LUFS, found))))


def _around(words: Sequence[Word], start: int) -> tuple[int, int]:
    """The samples between the end of the word before a character of the text and the beginning of the next."""
    place, before = 0, 0
    for word in words:
        if place + len(word.text) > start:
            return before, word.start
        place, before = place + len(word.text), word.end
    return before, before


def _quietest(levels: np.ndarray[tuple[int], np.dtype[np.float64]], start: int, end: int) -> int:
    """The middle of the longest pause between two samples; of where it is quietest, if there is none."""
    frame = round(_FRAME_SECONDS * SAMPLE_RATE)
    first, last = max(0, start // frame), min(levels.size, -(-end // frame))
    if last - first < 2:
        return max(0, (start + end) // 2)
    inside = levels[first:last]
    quiet = inside < inside.min() + 6.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    return int(first + (begins[longest] + ends[longest]) / 2) * frame


def _weights(text: str, starts: Sequence[int]) -> list[float]:
    """How much of a text an unhurried reader has said at each place, from 0 to 1."""
    whole = max(1e-9, expected_seconds(text))
    return [expected_seconds(text[:start]) / whole for start in starts]
