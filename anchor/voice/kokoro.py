"""The natural voice that runs here: Kokoro-82M, an open network with speakers of many languages (Apache-2.0).

`anchor.voice.kokoro_reading` makes symbols of sentences, `anchor.voice.kokoro_engine` speaks them in a process of its
own, and `anchor.voice.kokoro_timing` makes words and phones of the durations it tells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from anchor.errors import ConfigError, VoiceError
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.model_folder import models_folder, resolve
from anchor.onnx_session import check_device, tell_device
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.tags import among, base, closest
from anchor.voice import kokoro_files
from anchor.voice.engine import EngineProcess
from anchor.voice.espeak import command
from anchor.voice.kokoro_graph import HALVES
from anchor.voice.kokoro_reading import HEEDS, LANGUAGES, Reader, Reading, Symbol
from anchor.voice.kokoro_symbols import LEAD_SECONDS, RATE, TAIL_SECONDS
from anchor.voice.kokoro_timing import Timing
from anchor.voice.manner import Manner
from anchor.voice.moods import MANNERS, MOODS, styles
from anchor.voice.pronouncing import Pronouncer
from anchor.voice.sounding import Level, sounding
from anchor.voice.text import Lexicon
from anchor.workers import WorkerPool

SPEAKERS = {
    "en": ("af_heart", "af_bella", "af_", "am_", "b"),
    "en-GB": ("bf_emma", "b", "a"),
    "zh": ("zf_xiaoxiao", "z"),
    "ja": ("jf_alpha", "j"),
    "es": ("ef_dora", "e"),
    "fr": ("ff_siwis", "f"),
}
"""Who speaks a language where nobody is named: the first who is there, by name or by its beginning."""

PAUSES = {",": 0.18, ";": 0.25, ":": 0.25, ".": 0.35, "?": 0.35, "!": 0.35}
"""Seconds between the sounds of two pieces of a sentence, by the mark between them."""


class KokoroVoice:
    """`anchor.ports.Voice` on Kokoro-82M.

    `model` is a folder (see `anchor.voice.kokoro_files`); without it, the one that ``anchor models pull kokoro`` makes.
    `speaker` is a name, a mixture such as ``af_heart:0.6+af_bella:0.4``, and `speakers` one for each language. `rate`
    is a factor on the speed. `moods` names the speaker of a mood. `device` is one of `anchor.onnx_session.devices`;
    `threads` of each of `workers` processes. `lexicon` is a pronunciation file. Raises `ConfigError` and
    `MissingError`.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        speaker: str | None = None,
        speakers: Mapping[str, str] | None = None,
        rate: float = 1.0,
        device: str = "cpu",
        threads: int = 2,
        workers: int = 1,
        moods: Mapping[str, Any] | None = None,
        lexicon: str | Path | None = None,
    ) -> None:
        if not 0.5 <= rate <= 2.0:
            raise ConfigError(f"voice.options.rate = {rate}: choose a factor from 0.5 to 2")
        for key, value, most in (("threads", threads, 64), ("workers", workers, 16)):
            if not 1 <= value <= most:
                raise ConfigError(f"voice.options.{key} = {value}: choose from 1 to {most}")
        check_device(device, "voice.options.device")
        self._device = device
        self._rate = rate
        pull = "; run: .venv/bin/anchor models pull kokoro" if model is None else ""
        self._files = kokoro_files.find(models_folder() / "kokoro" if model is None else resolve(model), pull=pull)
        self._speaker = self._mixture(speaker, "voice.options.speaker") if speaker else None
        self._speakers = {
            tag: self._mixture(name, f"voice.options.speakers.{tag}") for tag, name in _languages(speakers).items()
        }
        self._moods = {
            mood: self._mixture(name, f"voice.options.moods.{mood}")
            for mood, name in styles(moods, "voice.options.moods").items()
        }
        self._exact = HALVES[0] in self._files.inputs
        self._level = Level()
        self._pool = WorkerPool("espeak-ng", command, 1)
        self._reader = Reader(Pronouncer(self._pool), Lexicon.read(Path(lexicon)) if lexicon else Lexicon())
        self._engine = EngineProcess(
            "Kokoro",
            "anchor.voice.kokoro_engine:KokoroEngine",
            {"model": str(self._files.network.parent), "threads": threads, "device": device},
            workers=workers,
        )
        self._info = VoiceInfo(
            "kokoro", "Kokoro-82M", LANGUAGES, "Apache-2.0 (words read by espeak-ng, GPL-3.0, a separate process)",
            phone_timings=self._exact,
            heeds=(*HEEDS, "emphasis", "prosody") if self._exact else HEEDS,
            moods=MOODS if self._exact else tuple(mood for mood in MOODS if mood in self._moods),
            version=self._files.version,
        )  # fmt: skip

    @property
    def info(self) -> VoiceInfo:
        return self._info

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return self._pool.pids + self._engine.pids

    async def warm(self, languages: Sequence[str] = ("en",)) -> None:
        """Load the network and what these languages need; the first time, ten seconds for each speaker."""
        tell_device(self._info.engine, self._device, (await self._engine.load())["device"])
        for tag in languages:
            self._check(tag)
            sample = {"zh": "你好。", "ja": "今日は。", "es": "Hola.", "fr": "Bonjour."}.get(base(tag), "Hello.")
            for mood in ("neutral", *self._moods):
                async with aclosing(self.speak(Sentence(sample, tag, mood=mood))) as chunks:
                    async for _ in chunks:
                        pass

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        self._check(sentence.language)
        reading: Reading = await self._pool.run(lambda: self._reader.read(sentence))
        if not reading.pieces:
            return
        known = deque[tuple[tuple[Word, ...], tuple[Phone, ...]]]()
        pieces = self._pieces(sentence, reading, known)
        sound = sounding(pieces, RATE, sentence, self._level, name="kokoro")
        async with aclosing(sound) as chunks:
            async for chunk in chunks:
                words, phones = list[Word](), list[Phone]()
                while known:
                    more_words, more_phones = known.popleft()
                    words += more_words
                    phones += more_phones
                yield replace(chunk, words=tuple(words), phones=tuple(phones))

    async def close(self) -> None:
        await self._engine.close()
        await self._pool.close()

    async def _pieces(
        self, sentence: Sentence, reading: Reading, known: deque[tuple[tuple[Word, ...], tuple[Phone, ...]]]
    ) -> AsyncIterator[Samples]:
        """The sound of each piece, whose words and phones are added to `known` before it."""
        timing, place, number = Timing(reading), 0, 0
        async with aclosing(self._engine.speak(self._request(sentence, reading))) as parts:
            async for told, sound in parts:
                if "durations" in told:
                    begin, samples = told["begin"] / RATE, round(told["samples"] * SAMPLE_RATE / RATE)
                    piece, last = reading.pieces[number], number == len(reading.pieces) - 1
                    known.append(
                        timing.piece(piece, told["durations"], begin=begin, at=place, samples=samples, last=last)
                    )
                    place, number = place + samples, number + 1
                yield sound

    def _request(self, sentence: Sentence, reading: Reading) -> dict[str, Any]:
        way = MANNERS[sentence.mood].and_(Manner(self._rate))
        pieces = []
        for number, piece in enumerate(reading.pieces):
            each = [_way(symbol, reading).and_(way) for symbol in _lent(piece)]
            pause = PAUSES.get(piece[-1].letter, 0.05) if number < len(reading.pieces) - 1 else 0.0
            margins = LEAD_SECONDS + TAIL_SECONDS
            pieces.append(
                {
                    "symbols": "".join(symbol.letter for symbol in piece),
                    "speed": [round(one.rate, 3) for one in each],
                    "pitch": [round(one.pitch, 3) for one in each],
                    "volume": [round(one.volume, 2) for one in each],
                    "pause": max(0.0, pause - margins) / way.rate,
                }
            )
        return {"speaker": self._speaker_of(sentence), "pieces": pieces}

    def _speaker_of(self, sentence: Sentence) -> dict[str, float]:
        tag = closest(self._speakers, sentence.language)
        named = self._moods.get(sentence.mood) or (self._speakers[tag] if tag is not None else self._speaker)
        return named or {self._usual(sentence.language): 1.0}

    def _usual(self, language: str) -> str:
        names = sorted(self._files.speakers)
        wanted = SPEAKERS.get(language) or SPEAKERS.get(closest(SPEAKERS, base(language)) or "", ())
        return next((name for start in wanted for name in names if name.startswith(start)), names[0])

    def _mixture(self, text: str, where: str) -> dict[str, float]:
        try:
            shares = kokoro_files.mixture(text)
        except ValueError as error:
            raise ConfigError(f"{where} = {text!r}: {error}") from None
        for name in shares:
            if name not in self._files.speakers:
                there = ", ".join(sorted(self._files.speakers))
                raise ConfigError(f"{where}: there is no speaker {name!r}; there are: {there}")
        return shares

    def _check(self, language: str) -> None:
        if not among(language, LANGUAGES):
            raise VoiceError(f"the voice kokoro speaks {', '.join(LANGUAGES)}, not {language!r}")


def _languages(speakers: Mapping[str, str] | None) -> dict[str, str]:
    for tag, name in (speakers or {}).items():
        if not among(tag, LANGUAGES) or not isinstance(name, str):
            raise ConfigError(f"voice.options.speakers.{tag} = {name!r}: languages are {', '.join(LANGUAGES)}")
    return dict(speakers or {})


def _lent(piece: Sequence[Symbol]) -> list[Symbol]:
    """Symbols, of which spaces and marks belong to the token before them."""
    lent, token = [], -1
    for symbol in piece:
        token = symbol.token if symbol.token >= 0 else token
        lent.append(Symbol(symbol.letter, token))
    return lent


def _way(symbol: Symbol, reading: Reading) -> Manner:
    return reading.ways[symbol.token] if symbol.token >= 0 else Manner()
