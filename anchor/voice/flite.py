"""A voice made of a woman's recordings for English: CMU Flite, where its library is installed (Debian: ``flite``).

The library runs in worker processes (`anchor.voice.flite_worker`); phones have the durations it synthesizes with. What
is said is decided by `anchor.voice.text`, as for the embedded voice.
"""

from __future__ import annotations

import ctypes.util
import functools
import sys
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Phone, Sentence, SpanKind, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.tags import base
from anchor.voice import flite_worker, mastering, moods, sound, timed
from anchor.voice.manner import Manner, louder, manners
from anchor.voice.mastering import Curve
from anchor.voice.phones import split
from anchor.voice.text import Lexicon, Token
from anchor.voice.text.marked import read_marked
from anchor.workers import WorkerPool

Speaker = Literal["slt", "rms", "awb"]

HEEDS: tuple[SpanKind, ...] = ("say-as", "sub", "emphasis", "prosody")
LEAD_SECONDS, TAIL_SECONDS = 0.02, 0.03
"""Sound kept before the first phone and after the last."""

GAINS: Mapping[str, float] = {"slt": 3.5, "rms": 8.8, "awb": 7.5}
"""Decibels that bring each to `anchor.voice.sound.LOUDNESS`, measured as for `anchor.voice.languages`."""

CURVE: Curve = (
    (0, -6.0), (180, -6.0), (300, 0.0), (1200, 0.0), (1800, 2.5), (3000, 2.0), (4500, 2.0), (24000, 2.0),
)  # fmt: skip
"""These voices boom in their fundamental and are dull above; this halves the difference to the long-term spectrum of a
woman's reading (LJ Speech): 7.3 dB between 200 Hz and 7 kHz are 3.7."""

# The phones of the CMU voices as espeak-ng would write them, so that one table splits diphthongs.
_SYMBOLS = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "ch": "tʃ", "dh": "ð",
    "dx": "ɾ", "eh": "ɛ", "er": "ɚ", "ey": "eɪ", "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ",
    "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "r": "ɹ", "sh": "ʃ", "th": "θ", "uh": "ʊ", "uw": "u", "y": "j", "zh": "ʒ",
    "el": "əl", "em": "əm", "en": "ən", "nx": "n", "wh": "w",
}  # fmt: skip


@functools.cache
def library() -> str:
    """The name of the library; nothing where it is not installed."""
    return ctypes.util.find_library("flite") or ""


def command() -> list[str]:
    """The command line of the worker process. Raises `MissingError` without the library."""
    if not library():
        raise MissingError("the voice flite needs its library: apt install flite")
    file = Path(flite_worker.__file__)
    return [sys.executable, "-I", "-S", str(file), library(), str(file.parent)]


class FliteVoice:
    """`anchor.ports.Voice` for English on flite.

    `speaker` is slt (a woman), rms or awb (a Scot); `rate` and `pitch` are factors; `lexicon` is a pronunciation
    file, of which only words are heeded, not phonemes; `workers` the number of processes. A sentence with words of
    other scripts raises `VoiceError`. Raises `ConfigError`, and `MissingError` without the library.
    """

    def __init__(
        self,
        *,
        speaker: Speaker = "slt",
        rate: float = 1.0,
        pitch: float = 1.0,
        lexicon: str | Path | None = None,
        workers: int = 1,
    ) -> None:
        command()
        if speaker not in get_args(Speaker):
            raise ConfigError(f"voice.options.speaker = {speaker!r}: choose {', '.join(get_args(Speaker))}")
        for key, factor in (("rate", rate), ("pitch", pitch)):
            if not 0.5 <= factor <= 2.0:
                raise ConfigError(f"voice.options.{key} = {factor}: choose a factor from 0.5 to 2")
        if not 1 <= workers <= 16:
            raise ConfigError(f"voice.options.workers = {workers}: choose from 1 to 16")
        self._speaker, self._rate, self._pitch = speaker, rate, pitch
        self._lexicon = Lexicon.read(Path(lexicon)) if lexicon is not None else Lexicon()
        self._pool = WorkerPool("flite", command, workers)
        self._info = VoiceInfo(
            "flite", f"CMU Flite, voice {speaker}", ("en", "en-US"), "BSD-style (Carnegie Mellon University)",
            phone_timings=True, heeds=HEEDS, moods=moods.MOODS, version=f"{library()}, equaliser {mastering.VERSION}",
        )  # fmt: skip

    @property
    def info(self) -> VoiceInfo:
        return self._info

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return self._pool.pids

    async def warm(self, languages: Sequence[str] = ("en",)) -> None:
        """Start a worker and load the voice (a tenth of a second)."""
        await self._pool.run(lambda: self._speech(Sentence("Hello.", "en")))

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        if base(sentence.language) != "en":
            raise VoiceError(f"the voice flite speaks en, not {sentence.language!r}")
        for chunk in timed.chunks(*await self._pool.run(lambda: self._speech(sentence))):
            yield chunk

    async def close(self) -> None:
        await self._pool.close()

    def _speech(self, sentence: Sentence) -> tuple[Samples, tuple[Word, ...], tuple[Phone, ...]]:
        """Everything of a sentence; blocks in a thread of the pool. flite is some 50 times as fast as speech."""
        tokens = read_marked(sentence.text, "en", self._lexicon, sentence.spans, _english)
        foreign = next((token for token in tokens if token.spoken and token.language != "en"), None)
        if foreign is not None:
            raise VoiceError(f"the voice flite speaks en; it cannot say {foreign.text!r} ({foreign.language})")
        ways = manners(tokens, sentence.spans)
        owners, said = _written(tokens, ways)
        if not said:
            return np.zeros(0, np.float32), (), ()
        mood = moods.MANNERS[sentence.mood]
        answer, pcm = self._pool.ask(
            {
                "voice": self._speaker,
                "words": said,
                "rate": self._rate * mood.rate,
                "pitch": self._pitch * mood.pitch,
            }
        )
        audio = sound.from_int16(pcm, answer["rate"], gain=GAINS[self._speaker], curve=CURVE)
        phones, spans, audio = _placed(answer["phones"], SAMPLE_RATE / answer["rate"], owners, audio)
        audio = louder(audio, {spans[index]: ways[index].volume + mood.volume for index in spans})
        return sound.faded(audio), tuple(timed.words(tokens, spans, len(audio))), phones


def _english(tag: str) -> str | None:
    return "en" if base(tag) == "en" else None


def _written(tokens: Sequence[Token], ways: Sequence[Manner]) -> tuple[list[int], list[tuple[str, str, float, float]]]:
    """Words for the worker, and the token that each is said for."""
    owners: list[int] = []
    said: list[tuple[str, str, float, float]] = []
    for index, token in enumerate(tokens):
        for word in _plain(token.spoken).split():
            owners.append(index)
            said.append((word, "", ways[index].rate, ways[index].pitch))
        if token.mark and said:
            said[-1] = (said[-1][0], token.mark, *said[-1][2:])
    return owners, said


def _plain(text: str) -> str:
    """Without what flite cannot read: accents, typographic apostrophes, signs."""
    flat = unicodedata.normalize("NFKD", text.replace("’", "'").replace("ß", "ss").replace("\x01", " "))
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter == "'") else " "
        for letter in flat
        if not unicodedata.combining(letter)
    )


def _placed(
    marks: Sequence[Sequence[Any]], scale: float, owners: Sequence[int], audio: Samples
) -> tuple[tuple[Phone, ...], dict[int, tuple[int, int]], Samples]:
    """Phones, the samples of each token, and the sound cut to them. Short pauses belong to the phone before."""
    said = [mark for mark in marks if mark[0] != "pau"]
    if not said:
        return (), {}, np.zeros(0, np.float32)
    first = max(0, round(said[0][1] * scale) - round(LEAD_SECONDS * SAMPLE_RATE))
    last = min(len(audio), round(said[-1][2] * scale) + round(TAIL_SECONDS * SAMPLE_RATE))
    phones = tuple(_phones(said, scale, first))
    spans: dict[int, tuple[int, int]] = {}
    for _, start, end, word, _ in said:
        place = (round(start * scale) - first, round(end * scale) - first)
        spans[owners[word]] = (spans.get(owners[word], place)[0], place[1])
    return phones, spans, audio[first:last]


def _phones(said: Sequence[Sequence[Any]], scale: float, first: int) -> Iterator[Phone]:
    for name, start, end, _, stress in said:
        symbol = _SYMBOLS.get(name, name)
        yield from split("ˈ" * bool(stress) + symbol, round(start * scale) - first, round(end * scale) - first)
