"""Piper voices: VITS networks in ONNX files, on our own ONNX Runtime, in a process of their own.

Nothing of Piper's programs is used, which are GPL. `anchor.voice.text` says how a sentence is read,
`anchor.voice.espeak_worker` (a separate process, GPL-3.0-or-later) puts that into IPA, `anchor.voice.piper_engine`
makes the sound piece by piece. Where the network tells its durations, words and phones have exact places.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from anchor.errors import ConfigError, ModelError, VoiceError
from anchor.events import Mood, Phone, Sentence, SpanKind, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.model_folder import resolve as resolved
from anchor.onnx_session import check_device, tell_device
from anchor.onnxfile import read_checked
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.protobuf import Damaged
from anchor.tags import among, base
from anchor.voice.engine import EngineProcess
from anchor.voice.espeak import command
from anchor.voice.languages import SPEAKING, resolve
from anchor.voice.manner import USUAL, Manner, manners
from anchor.voice.moods import MANNERS, MOODS, styles
from anchor.voice.onnx_parts import Network
from anchor.voice.piper_model import BEGIN, END, PAD, PiperModel
from anchor.voice.piper_network import plan
from anchor.voice.piper_phones import CLOSED_SECONDS, LATE_SECONDS, Timed, begun, phones
from anchor.voice.piper_text import Stretch, Symbol, plain_tokens, stretches
from anchor.voice.sound import limited
from anchor.voice.sounding import Level, sounding
from anchor.voice.text import Lexicon, Token, grouped
from anchor.voice.text.marked import read_marked
from anchor.workers import WorkerPool

log = logging.getLogger(__name__)

HEEDS: tuple[SpanKind, ...] = ("say-as", "sub", "phoneme", "prosody", "emphasis")
"""Of prosody and emphasis, speed and loudness: the network's pitch cannot be told to it word by word."""

PITCH_SHARE = 0.5
"""How much of a mood's pitch is done. The sound is played faster for it, which makes the speaker smaller as well."""

_TRIAL = "ðə nˈuːz æt tˈɛn: ɡˈʊd ˈiːvnɪŋ, ænd wˈɛlkəm tə ðə pɹˈoʊɡɹæm."
_ESPEAK = {"en": "en-us", "zh": "cmn"}
_ENGINE = "anchor.voice.piper_engine:PiperEngine"


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch as ids. `places`: of each symbol that the voice has, where its ids begin and end."""

    stretch: Stretch
    symbols: tuple[Symbol, ...]
    ids: tuple[int, ...]
    pace: tuple[float, ...]
    places: tuple[tuple[int, int], ...]

    def request(self) -> dict[str, Any]:
        sounding = [place for one, place in zip(self.symbols, self.places, strict=True) if one.token >= 0]
        return {
            "ids": self.ids, "pace": self.pace, "first": sounding[0][0], "end": sounding[-1][1],
            "pause": self.stretch.pause,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Script:
    tokens: tuple[Token, ...]
    ways: tuple[Manner, ...]
    parts: tuple[_Part, ...]


class PiperVoice:
    """`anchor.ports.Voice` on a Piper voice.

    `model` is the .onnx file or the folder that holds it, `speaker` one of a voice of several by name or number, `rate`
    a factor on the speed. `noise_scale` (liveliness of the sound) and `noise_w` (of the rhythm) replace what the voice
    was trained for. `device` is one of `anchor.onnx_session.devices`, `threads` are of the CPU, `workers` the number of
    processes. `lexicon` is a pronunciation file (`anchor.voice.text.lexicon`). `moods` name the speaker of a voice of
    several who speaks in a mood; others are heard as speed, pitch and loudness. With `timings` false words and phones
    are found in the sound. Raises `ConfigError`, `MissingError` and `ModelError`.
    """

    def __init__(
        self,
        *,
        model: str | Path,
        speaker: str | int | None = None,
        rate: float = 1.0,
        noise_scale: float | None = None,
        noise_w: float | None = None,
        device: str = "auto",
        threads: int = 1,
        workers: int = 1,
        lexicon: str | Path | None = None,
        moods: Mapping[str, Any] | None = None,
        timings: bool = True,
    ) -> None:
        for key, value, least, most in (
            ("rate", rate, 0.5, 2.0), ("noise_scale", noise_scale, 0, 2), ("noise_w", noise_w, 0, 2),
            ("threads", threads, 1, 64), ("workers", workers, 1, 16),
        ):  # fmt: skip
            if value is not None and not (isinstance(value, int | float) and least <= value <= most):
                raise ConfigError(f"voice.options.{key} = {value!r}: choose from {least:g} to {most:g}")
        check_device(device, "voice.options.device")
        self._device = device
        self._model = PiperModel.read(resolved(model))
        self._rate = rate
        self._noise = self._model.scales[0] if noise_scale is None else noise_scale
        self._noise_w = self._model.scales[2] if noise_w is None else noise_w
        self._speaker = self._model.speaker(speaker, "voice.options.speaker")
        self._moods = {
            mood: self._model.speaker(name, f"voice.options.moods.{mood}")
            for mood, name in styles(moods, "voice.options.moods").items()
        }
        self._lexicon = Lexicon.read(Path(lexicon)) if lexicon is not None else Lexicon()
        self._reader = _reader(self._model.languages[0])
        self._unknown = set[str]()
        self._info = self._told(_timed(self._model.network, timings=timings))
        self._espeak = WorkerPool("espeak-ng", command, 1)
        self._workers = workers
        self._engine = EngineProcess(
            f"piper {self._model.name}", _ENGINE,
            {
                "model": str(self._model.network.resolve()), "rate": self._model.rate, "device": device,
                "threads": threads, "timings": timings, "trial": self._ids([Symbol(one) for one in _TRIAL])[0],
                "many": self._model.speaker_count > 1,
            },
            workers=workers,
        )  # fmt: skip
        self._facts: dict[str, Any] = {}

    def _told(self, timed: bool) -> VoiceInfo:
        model = self._model
        heeds = HEEDS if self._reader is not None else ("prosody", "emphasis")
        return VoiceInfo(
            "piper", f"Piper {model.name}", model.languages, model.licence, phone_timings=timed and bool(model.espeak),
            heeds=heeds if timed else heeds[:-2], moods=MOODS, version=model.version,
        )  # fmt: skip

    @property
    def info(self) -> VoiceInfo:
        return self._info

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the engine told of itself when it was loaded: its device, whether it streams, its loudness."""
        return self._facts

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return self._engine.pids + self._espeak.pids

    async def warm(self, languages: Sequence[str]) -> None:
        """Load the network in every process, and the reader of the voice's language."""
        await self._espeak.run(lambda: self._script(Sentence("1", self._model.languages[0])))
        try:
            async with asyncio.TaskGroup() as loading:
                for _ in range(self._workers):
                    loading.create_task(self._load())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _load(self) -> None:
        first, self._facts = not self._facts, await self._engine.load()
        if first:
            tell_device(self._info.engine, self._device, self._facts["device"])

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        if not among(sentence.language, self._model.languages):
            raise VoiceError(
                f"voice {self._info.engine!r} does not speak {sentence.language!r}; "
                f"it speaks {', '.join(self._model.languages)}"
            )
        script = await self._espeak.run(lambda: self._script(sentence))
        if not script.parts:
            return
        if not self._facts:
            await self._load()
        delivery = _Delivery(script, self._model.languages[-1], self._model.rate * self._height(sentence.mood))
        manner = MANNERS[sentence.mood] if sentence.mood not in self._moods else USUAL
        level = Level(self._facts["lufs"])
        async with aclosing(self._pieces(script, sentence.mood, delivery)) as pieces:
            speech = sounding(pieces, round(delivery.rate), sentence, level, name=self._info.engine)
            async with aclosing(speech) as chunks:
                async for chunk in chunks:
                    yield delivery.completed(chunk, manner.volume, timed=self._info.phone_timings)

    async def _pieces(self, script: _Script, mood: Mood, delivery: _Delivery) -> AsyncGenerator[Samples, None]:
        request = {
            "parts": [part.request() for part in script.parts], "speaker": self._moods.get(mood, self._speaker),
            "noise": self._noise, "noise_w": self._noise_w,
        }  # fmt: skip
        async with aclosing(self._engine.speak(request)) as parts:
            async for told, sound in parts:
                if "part" in told:
                    delivery.take(told)
                yield sound

    def _height(self, mood: Mood) -> float:
        return 1.0 if mood in self._moods else MANNERS[mood].pitch ** PITCH_SHARE

    def _script(self, sentence: Sentence) -> _Script:
        """What is to be said; blocks in a thread of the pool for espeak-ng."""
        if self._reader is None:
            tokens = plain_tokens(sentence.text, self._model.languages[-1], self._lexicon)
        else:
            tokens = read_marked(sentence.text, self._reader, self._lexicon, sentence.spans, _reader)
        ways = manners(tokens, sentence.spans)
        mood = MANNERS[sentence.mood] if sentence.mood not in self._moods else USUAL
        slowness = self._model.scales[1] / (self._rate * mood.rate) * self._height(sentence.mood)
        parts = []
        for stretch in stretches(tokens, self._voice_of, self._phonemize if self._model.espeak else None):
            ids, symbols, places = self._ids(stretch.symbols)
            if not any(one.token >= 0 for one in symbols):
                continue
            pace = [slowness] * len(ids)
            for one, (start, end) in zip(symbols, places, strict=True):
                if one.token >= 0:
                    pace[start:end] = [slowness / ways[one.token].rate] * (end - start)
            parts.append(_Part(stretch, symbols, ids, tuple(pace), places))
        return _Script(tuple(tokens), tuple(ways), tuple(parts))

    def _voice_of(self, language: str) -> str:
        own = self._model.languages[-1]
        if language and base(language) != own and (_reader(language) is not None):
            return _ESPEAK.get(base(language), base(language))
        return "cmn" if own == "zh" else self._model.espeak

    def _phonemize(self, asked: Sequence[tuple[str, str]]) -> Sequence[str]:
        answer, _ = self._espeak.ask({"ipa": asked})
        return tuple(answer["ipa"])

    def _ids(
        self, symbols: Sequence[Symbol]
    ) -> tuple[tuple[int, ...], tuple[Symbol, ...], tuple[tuple[int, int], ...]]:
        """Ids as in training, the symbols that the voice has, and where each one's ids begin and end."""
        table, pad = self._model.ids, self._model.ids[PAD]
        ids = [*table[BEGIN], *pad]
        known, places = list[Symbol](), list[tuple[int, int]]()
        for symbol in symbols:
            found = list[int]()
            for one in self._model.replaced.get(symbol.text, (symbol.text,)):
                numbers = table.get(one) or table.get(one.lower())
                if numbers:
                    found += (*numbers, *pad)
                elif one.strip() and symbol.token >= 0 and one not in self._unknown:
                    self._unknown.add(one)
                    log.warning("%s has no symbol %r: left out", self._info.engine, one)
            if found:
                known.append(symbol)
                places.append((len(ids), len(ids) + len(found)))
                ids += found
        return (*ids, *table[END]), tuple(known), tuple(places)

    async def close(self) -> None:
        await self._engine.close()
        await self._espeak.close()


@dataclass(slots=True)
class _Delivery:
    """Words and phones of a sentence as its parts are made. `rate`: samples a second at which its sound is played."""

    script: _Script
    language: str
    rate: float
    given: int = 0
    """Samples of `SAMPLE_RATE`."""
    _words: list[Word] = field(default_factory=list)
    _phones: list[Phone] = field(default_factory=list)
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    _next_word: int = 0
    _place: int = 0

    def take(self, told: Mapping[str, Any]) -> None:
        """Take in where the ids of a part are in the sound."""
        if not told["starts"]:
            return
        scale = SAMPLE_RATE / self.rate
        part, limit = self.script.parts[told["part"]], int(told["samples"] * scale) - 2
        late = LATE_SECONDS * SAMPLE_RATE
        edges = [min(max(0.0, sample * scale - late), limit) for sample in told["starts"]]
        # Between two symbols is a pad, in which the one goes over into the other.
        begins = [(before + after) / 2 for before, after in pairwise(edges)]
        timed = [
            Timed(one.text, one.token, begins[start - 1], begins[end - 1])
            for one, (start, end) in zip(part.symbols, part.places, strict=True)
        ]
        onset = min(told["onset"] * scale - CLOSED_SECONDS * SAMPLE_RATE, limit)
        for phone, token in begun(phones(timed, self.language), onset):
            if phone.end > phone.start:
                self._phones.append(phone)
            start, end = self._spans.get(token, (phone.start, phone.end))
            self._spans[token] = (min(start, phone.start), max(end, phone.end))
        self._say(limit, last=told["part"] + 1 == len(self.script.parts))

    def _say(self, limit: int, *, last: bool) -> None:
        """Words up to the last one that has a place now, or all of them."""
        words = grouped(self.script.tokens)
        known = [number for number, (_, indexes) in enumerate(words) if any(index in self._spans for index in indexes)]
        until = len(words) if last else (known[-1] + 1 if known else 0)
        for text, indexes in words[self._next_word : until]:
            spans = [self._spans[index] for index in indexes if index in self._spans]
            start = max(self._place, min((start for start, _ in spans), default=self._place))
            end = max(start, min(limit, max((end for _, end in spans), default=start)))
            self._words.append(Word(text, start, end))
            self._place = end
        self._next_word = max(self._next_word, until)

    def completed(self, chunk: SpeechChunk, volume: float, *, timed: bool) -> SpeechChunk:
        """The next chunk of sound with what is known of it by now, as loud as its words are to be."""
        audio = self._louder(chunk.audio, volume)
        self.given += len(audio)
        words, self._words = tuple(self._words), []
        phones, self._phones = tuple(self._phones), []
        return replace(chunk, audio=audio, words=words, phones=phones) if timed else replace(chunk, audio=audio)

    def _louder(self, audio: Samples, volume: float) -> Samples:
        volumes = [
            (self._spans[index], way.volume) for index, way in enumerate(self.script.ways) if index in self._spans
        ]
        if not volume and not any(decibels for _, decibels in volumes):
            return audio
        places, levels = [0.0], [volume]
        for (start, end), decibels in sorted(volumes):
            places += (max(places[-1], start), max(places[-1], end))
            levels += [volume + decibels] * 2
        curve = np.interp(np.arange(self.given, self.given + len(audio)), places, levels)
        return limited(np.asarray(audio * 10 ** (curve / 20), np.float32))


def _reader(tag: str) -> str | None:
    """The language of `anchor.voice.text` for a tag."""
    try:
        return SPEAKING[resolve(tag)].reader
    except VoiceError:
        return None


def _timed(network: Path, *, timings: bool) -> bool:
    """Whether a network tells its durations. Raises `ModelError` for a file that is none of a Piper voice."""
    try:
        found = plan(Network.read(memoryview(read_checked(network))), timings=timings)
    except Damaged as reason:
        raise ModelError(f"{network}: {reason}") from None
    return bool(found.durations)
