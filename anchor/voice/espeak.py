"""The voice that needs nothing: espeak-ng from a pip wheel, in worker processes of its own.

`anchor.voice.text` says how a sentence is read, `anchor.voice.espeak_worker` speaks it, `anchor.voice.phones` makes
phones of the engine's events (its docstring says which symbols there are), and `anchor.voice.sound` evens the sound.
"""

from __future__ import annotations

import bisect
import importlib.util
import math
import re
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Phone, Sentence, SpanKind, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.voice import espeak_worker, mastering, openjtalk, sound, timed
from anchor.voice.languages import PRESENTER, SPEAKING, Speaking, languages, resolve
from anchor.voice.manner import USUAL, Manner, louder, manners
from anchor.voice.moods import MANNERS, MOODS
from anchor.voice.openjtalk import OpenJtalkVoice
from anchor.voice.phones import Mark, Sounded, sounded
from anchor.voice.spoken import spoken
from anchor.voice.text import Lexicon, Token, mandarin
from anchor.voice.text.marked import read_marked
from anchor.workers import WorkerPool

TAIL_SECONDS = 0.02
"""Sound kept after the last phone, where the voice dies away."""

_RATE_POWERS = {"zh": 0.97, "ja": 0.96, "ko": 1.0}
"""Speech of espeak-ng at r times its rate takes r ** (-1 / power) of its time (measured from 0.6 to 2): in Latin
languages (1.13) its pauses and shortest phones shrink less than the rest."""

_PITCH_STEPS = 61
"""Steps of espeak-ng's pitch that double it, when its range grows with it (measured from 0.75 to 1.8)."""

SWITCH_SECONDS = 0.05
"""Silence between two languages within a sentence, about the closure of a stop."""

HEEDS: tuple[SpanKind, ...] = ("say-as", "sub", "phoneme", "emphasis", "prosody", "lang")

INFO = VoiceInfo(
    "espeak", "espeak-ng 1.52", languages(), "GPL-3.0-or-later (a separate process)", phone_timings=True, heeds=HEEDS,
    moods=MOODS, version=f"presenter 2, equaliser {mastering.VERSION}",
)  # fmt: skip


def voices() -> list[VoiceInfo]:
    """The built-in voices that can speak here, for a listing."""
    found = [INFO] if importlib.util.find_spec("espeakng_loader") else []
    return [*found, openjtalk.INFO] if openjtalk.available() else found


def command() -> list[str]:
    """The command line of the worker process. Raises `MissingError` without the espeakng-loader wheel."""
    try:
        import espeakng_loader

        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    except (ImportError, RuntimeError) as error:
        raise MissingError("the voice espeak needs its engine: pip install espeakng-loader") from error
    # Isolated and without site-packages: it needs the standard library only, and starts in a few milliseconds.
    return [sys.executable, "-I", "-S", str(Path(espeak_worker.__file__)), library, data]


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens in one language, spoken in one go: text for espeak-ng, and where in it each token starts."""

    speaking: Speaking
    text: str
    starts: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Speech:
    """A spoken stretch: sound, phones, and a span of samples for each token."""

    audio: Samples
    phones: tuple[Phone, ...]
    spans: dict[int, tuple[int, int]]


class EspeakVoice:
    """`anchor.ports.Voice` on espeak-ng.

    `rate` is a factor on the speed of each language, `pitch` shifts the pitch by that many of espeak-ng's hundredths,
    `variant` replaces the voice's timbre ("f2", "Annie"...), `lexicon` is a pronunciation file
    (`anchor.voice.text.lexicon`), `workers` the number of processes. Japanese is left to the more natural
    `anchor.voice.openjtalk` where that is installed and rate, pitch and variant are the usual ones. Raises
    `ConfigError` for values that cannot be.
    """

    def __init__(
        self,
        *,
        rate: float = 1.0,
        pitch: int = 0,
        variant: str | None = None,
        lexicon: str | Path | None = None,
        workers: int = 2,
    ) -> None:
        if not 0.5 <= rate <= 2.0:
            raise ConfigError(f"voice.options.rate = {rate}: choose a factor from 0.5 to 2")
        if not -50 <= pitch <= 50:
            raise ConfigError(f"voice.options.pitch = {pitch}: choose from -50 to 50")
        if not 1 <= workers <= 16:
            raise ConfigError(f"voice.options.workers = {workers}: choose from 1 to 16")
        if variant is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", variant):
            raise ConfigError(f"voice.options.variant = {variant!r}: choose a variant of espeak-ng such as f3 or Annie")
        self._rate, self._pitch, self._variant = rate, pitch, variant
        self._lexicon = Lexicon.read(Path(lexicon)) if lexicon is not None else Lexicon()
        self._pool = WorkerPool("espeak-ng", command, workers)
        usual = rate == 1.0 and pitch == 0 and variant is None
        self._japanese = OpenJtalkVoice(lexicon=lexicon) if usual and openjtalk.available() else None

    @property
    def info(self) -> VoiceInfo:
        return INFO

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return self._pool.pids + (self._japanese.pids if self._japanese is not None else ())

    async def warm(self, languages: Sequence[str] = ("en",)) -> None:
        """Start a worker and load what these languages need, so that the first sentence does not wait for it."""
        for tag in languages:
            key = resolve(tag)
            if key == "ja" and self._japanese is not None:
                await self._japanese.warm()
                continue
            sample = {"zh": "你好。", "ja": "今日は。", "ko": "안녕하세요."}.get(SPEAKING[key].reader, "Hello.")
            await self._pool.run(lambda key=key, sample=sample: self._speech(Sentence(sample, key), key))  # type: ignore[misc]

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        key = resolve(sentence.language)
        if key == "ja" and self._japanese is not None:
            async with aclosing(spoken(self._japanese, sentence)) as speech:
                async for chunk in speech:
                    yield chunk
            return
        for chunk in timed.chunks(*await self._pool.run(lambda: self._speech(sentence, key))):
            yield chunk

    async def close(self) -> None:
        await self._pool.close()
        if self._japanese is not None:
            await self._japanese.close()

    def _speech(self, sentence: Sentence, key: str) -> tuple[Samples, tuple[Word, ...], tuple[Phone, ...]]:
        """Everything of a sentence; blocks in a thread of the pool. espeak-ng is some 1000 times as fast as speech."""
        tokens = read_marked(sentence.text, SPEAKING[key].reader, self._lexicon, sentence.spans, _bare)
        mood = MANNERS[sentence.mood]
        ways = [mood.and_(way) for way in manners(tokens, sentence.spans)]
        parts: list[Samples] = []
        phones: list[Phone] = []
        spans: dict[int, tuple[int, int]] = {}
        offset = 0
        for run in _runs(tokens, key, ways, self._orders):
            speech = self._utter(run)
            if not len(speech.audio):
                continue
            if parts:
                parts.append(np.zeros(round(SWITCH_SECONDS * SAMPLE_RATE), np.float32))
                offset += len(parts[-1])
            phones += (phone.shifted(offset) for phone in speech.phones)
            spans.update({token: (start + offset, end + offset) for token, (start, end) in speech.spans.items()})
            parts.append(speech.audio)
            offset += len(speech.audio)
        if not parts:
            return np.zeros(0, np.float32), (), ()
        audio = louder(np.concatenate(parts), {spans[index]: ways[index].volume for index in spans})
        return audio, tuple(timed.words(tokens, spans, offset)), tuple(phones)

    def _orders(self, speaking: Speaking, way: Manner, before: Manner) -> str:
        """What tells espeak-ng to change speed and pitch: its embedded commands, such as ``\\x01200S``."""
        speed = f"\x01{self._speed(speaking, way.rate)}S" if way.rate != before.rate else ""
        if way.pitch == before.pitch:
            return speed
        height = max(0, min(99, self._height(speaking) + round(_PITCH_STEPS * math.log2(way.pitch))))
        return speed + f"\x01{height}P\x01{max(0, min(99, round(speaking.range * way.pitch)))}R"

    def _speed(self, speaking: Speaking, factor: float = 1.0) -> int:
        factor = math.pow(factor, _RATE_POWERS.get(speaking.reader, 1.13))
        return max(80, min(450, round(speaking.rate * self._rate * factor)))

    def _height(self, speaking: Speaking) -> int:
        return max(0, min(99, speaking.pitch + self._pitch))

    def _utter(self, run: Run) -> _Speech:
        speaking = run.speaking
        answer, pcm = self._pool.ask(
            {
                "text": run.text,
                "voice": speaking.voice,
                "timbre": self._variant or PRESENTER,
                "rate": self._speed(speaking),
                "pitch": self._height(speaking),
                "range": speaking.range,
                "phonemes": "[[" in run.text,
            }
        )
        audio = sound.from_int16(pcm, answer["rate"], gain=speaking.gain, curve=speaking.curve)
        marks = []
        character = 0
        for kind, place, sample, name in answer["events"]:
            if kind == espeak_worker.EVENT_WORD:
                character = place
            else:
                marks.append(Mark(sample, name, character))
        found = sounded(marks, answer["rate"], audio)
        if not found:
            return _Speech(np.zeros(0, np.float32), (), {})
        audio = audio[: found[-1].phone.end + round(TAIL_SECONDS * SAMPLE_RATE)]
        return _Speech(sound.faded(audio), tuple(one.phone for one in found), dict(_spans(run, found)))


_Orders = Callable[[Speaking, Manner, Manner], str]


def _bare(tag: str) -> str | None:
    try:
        return SPEAKING[resolve(tag)].reader
    except VoiceError:
        return None


def _runs(tokens: Sequence[Token], key: str, ways: Sequence[Manner], orders: _Orders) -> Iterator[Run]:
    """Split tokens where the language changes. A mark goes to the run before it."""
    reader = SPEAKING[key].reader
    start = 0
    while start < len(tokens):
        language = next((token.language for token in tokens[start:] if token.spoken), "")
        if not language:
            return
        end = start
        while end < len(tokens) and (not tokens[end].spoken or tokens[end].language == language):
            end += 1
        speaking = SPEAKING[key if language == reader else resolve(language)]
        told, before = {}, USUAL
        for index in range(start, end):
            if tokens[index].spoken:
                told[index], before = orders(speaking, ways[index], before), ways[index]
        yield text_of(tokens, range(start, end), speaking, told)
        start = end


def text_of(tokens: Sequence[Token], indexes: range, speaking: Speaking, orders: Mapping[int, str]) -> Run:
    said = _mandarin(tokens, indexes) if speaking.reader == "zh" else _plain(tokens, indexes)
    text, starts, spoken = "", [], []
    for index in indexes:
        if index in said:
            text += " " if text and not tokens[index].joined else ""
            starts.append(len(text))
            spoken.append(index)
            text += orders[index] + said[index]
        # espeak-ng waits for a mark that ends a clause; at the end of the run it would only add silence and lower
        # the voice as at the end of a sentence, which is right only there.
        if text and tokens[index].mark and text[-1] not in ",;:.?!":
            text += tokens[index].mark
    return Run(speaking, text, tuple(starts), tuple(spoken))


_LETTERS = re.compile(r"\b[A-Z](?: [A-Z]\b(?!'))+")


def _plain(tokens: Sequence[Token], indexes: range) -> dict[int, str]:
    said = {}
    for index in indexes:
        token = tokens[index]
        if token.phonemes:
            said[index] = f"[[{token.phonemes}]]"
        elif token.spoken:
            # "A.I" is one word of two letters; "A I" would be an article and a pronoun.
            spelled = _LETTERS.sub(lambda match: match[0].replace(" ", "."), token.spoken).replace("\x01", " ")
            said[index] = spelled.replace("[", " ").replace("]", " ").replace("’", "'")
    return said


def _mandarin(tokens: Sequence[Token], indexes: range) -> dict[int, str]:
    said = {
        index: " ".join(filter(None, map(mandarin.espeak_word, words)))
        for index, words in mandarin.spoken([tokens[index] for index in indexes], indexes).items()
    }
    return {index: text for index, text in said.items() if text}


def _spans(run: Run, found: Sequence[Sounded]) -> Iterator[tuple[int, tuple[int, int]]]:
    """The samples of each token; tokens that espeak-ng says in one ("in the") share their span."""
    spans: dict[int, tuple[int, int]] = {}
    for one in found:
        place = max(0, bisect.bisect_right(run.starts, one.character) - 1)
        first = spans.get(place, (one.phone.start, 0))[0]
        spans[place] = (first, one.phone.end)
    places = sorted(spans)
    for place, after in zip(places, [*places[1:], len(run.tokens)], strict=True):
        start, end = spans[place]
        first = 0 if place == places[0] else place
        # Where tokens share one word of espeak-ng each gets time by the letters it is spoken with.
        edges = [*run.starts[first:after], run.starts[after] if after < len(run.starts) else len(run.text)]
        scale = (end - start) / max(1, edges[-1] - edges[0])
        places_in_sound = [start + round((edge - edges[0]) * scale) for edge in edges]
        yield from zip(run.tokens[first:after], pairwise(places_in_sound), strict=True)
