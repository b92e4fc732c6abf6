"""Voices of Coqui: VITS and its like, and XTTS, with the weights that a user brings.

`anchor.voice.coqui_engine` runs the model, in a process of its own; here its folder is looked at, sentences are read
(numbers, dates and money as the embedded voice reads them), and the sound is evened.
"""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Mood, Sentence, SpanKind
from anchor.media import Samples
from anchor.model_folder import resolve
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.tags import base, closest
from anchor.voice.clauses import Clause, clauses
from anchor.voice.coqui_model import CoquiModel, find, is_name
from anchor.voice.engine import EngineProcess
from anchor.voice.manner import Manner, manners
from anchor.voice.moods import MANNERS, MOODS, styles
from anchor.voice.sounding import Level, sounding
from anchor.voice.text import Lexicon
from anchor.voice.text.marked import read_marked

INSTALL = "run: .venv/bin/pip install -e '.[tts]'"
ENGINE = "anchor.voice.coqui_engine:CoquiEngine"
DOWNLOAD_SECONDS = 3600.0
"""How long a model may take to be fetched."""

HEEDS: tuple[SpanKind, ...] = ("say-as", "sub", "lang", "prosody", "emphasis")


class CoquiVoice:
    """`anchor.ports.Voice` on a Coqui model: a folder with its config.json and weights, or one of Coqui's own names.

    A name is only loaded when it is on this machine, or fetched with `download`. `speaker` is one of the model's;
    `language` what the model speaks where it does not tell. `device` is ``auto``, ``cpu`` or ``cuda``, `threads` 0
    leaves a core to the pictures, `rate` is a factor on the speed, `workers` the number of processes. `moods` names for
    a mood a speaker of the model or one of the clips of `reference`; other moods change speed and loudness. `lexicon`
    is a pronunciation file. Weights that could run code are refused unless `trust` is set.

    `reference` are clips of the person to be spoken as, which only a voice package with its consent may give: paths,
    with `consented`. Raises `MissingError`, `ModelError` and `ConfigError`.
    """

    def __init__(
        self,
        *,
        model: str | Path,
        speaker: str = "",
        language: str = "",
        reference: str | Path | Sequence[str | Path] = (),
        consented: bool = False,
        device: str = "auto",
        threads: int = 0,
        rate: float = 1.0,
        workers: int = 1,
        moods: Mapping[str, str] | None = None,
        lexicon: str | Path | None = None,
        download: bool = False,
        trust: bool = False,
    ) -> None:
        if importlib.util.find_spec("TTS") is None:
            raise MissingError(f"the voice coqui needs coqui-tts; {INSTALL}")
        _check(device, threads, rate, workers)
        clips = (reference,) if isinstance(reference, str | Path) else tuple(reference)
        # A configuration holds texts only: whoever gives paths is a voice package, whose consent has been checked.
        if clips and not (consented and all(isinstance(clip, Path) for clip in clips)):
            raise ConfigError(
                "voice.options.reference: a voice made from somebody's recordings needs their consent; "
                "make a voice package with its record, and name that as the engine"
            )
        for clip in clips:
            if not Path(clip).is_file():
                raise MissingError(f"voice.options.reference: there is no file {clip}")
        model = str(model) if is_name(str(model)) else str(resolve(model))
        self._asked = (model, language, download)
        self._model = find(model, language=language, download=download)
        self._styles = styles(moods, "voice.options.moods")
        self._rate = rate
        self._lexicon = Lexicon.read(Path(lexicon)) if lexicon is not None else Lexicon()
        self._level = Level()
        self._engine = EngineProcess(
            "Coqui",
            ENGINE,
            {
                "model": model if is_name(model) else str(Path(model).absolute()),
                "language": language,
                "speaker": speaker,
                "reference": [str(Path(clip).absolute()) for clip in clips],
                "styles": dict(self._styles),
                "device": device,
                "threads": threads,
                "download": download,
                "trust": trust,
            },
            workers=workers,
            starting=None if self._model.folder is not None else DOWNLOAD_SECONDS,
        )
        self._facts: dict[str, Any] = {}

    @property
    def info(self) -> VoiceInfo:
        model = self._model
        return VoiceInfo(
            "coqui", f"Coqui {model.kind} {model.name}", tuple(model.languages), model.licence, phone_timings=False,
            heeds=HEEDS, moods=MOODS, version=model.version,
        )  # fmt: skip

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the engine tells of itself, once it is loaded: its ``rate``, ``speakers``, ``device``."""
        return self._facts

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return self._engine.pids

    async def warm(self, languages: Sequence[str] = ()) -> None:
        """Load the model (seconds), so that the first sentence does not wait for it."""
        self._facts = await self._engine.load()
        if self._model.folder is None:
            model, language, _ = self._asked
            self._model = find(model, language=language)

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        said = self._said(sentence, self._model)
        if not said:
            return
        if not self._facts:
            await self.warm()
        async with aclosing(self._pieces(said, sentence.mood)) as pieces:
            rate = int(self._facts["rate"])
            async with aclosing(sounding(pieces, rate, sentence, self._level, name="coqui")) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def close(self) -> None:
        await self._engine.close()

    def _said(self, sentence: Sentence, model: CoquiModel) -> list[tuple[Clause, str]]:
        """Clauses with the model's name of their language. Raises `VoiceError` for one that it does not speak."""
        tag = closest(model.languages, sentence.language)
        if tag is None:
            spoken = ", ".join(model.languages)
            raise VoiceError(f"the voice coqui ({model.name}) does not speak {sentence.language!r}; it speaks {spoken}")

        def bare(wanted: str) -> str | None:
            return base(wanted) if closest(model.languages, wanted) is not None else None

        tokens = read_marked(sentence.text, base(sentence.language), self._lexicon, sentence.spans, bare)
        ways = manners(tokens, sentence.spans)
        found: list[tuple[Clause, str]] = []
        for clause in clauses(tokens, ways):
            # What the model cannot speak it is given in the language around, for whatever it makes of it.
            own = closest(model.languages, clause.language) if base(clause.language) != base(tag) else tag
            found.append((clause, model.languages[own or tag]))
        return found

    async def _pieces(self, said: Sequence[tuple[Clause, str]], mood: Mood) -> AsyncGenerator[Samples, None]:
        way = Manner(self._rate).and_(MANNERS[mood] if mood not in self._styles else Manner())
        told = [
            (clause.text, language, way.rate * clause.manner.rate, way.volume + clause.manner.volume)
            for clause, language in said
        ]
        async with aclosing(self._engine.speak({"clauses": told, "mood": mood})) as parts:
            async for _, sound in parts:
                yield sound


def _check(device: str, threads: int, rate: float, workers: int) -> None:
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"voice.options.device = {device!r}: choose auto, cpu or cuda")
    if not 0.5 <= rate <= 2.0:
        raise ConfigError(f"voice.options.rate = {rate}: choose a factor from 0.5 to 2")
    for key, value, low, high in (("threads", threads, 0, 64), ("workers", workers, 1, 16)):
        if not low <= value <= high:
            raise ConfigError(f"voice.options.{key} = {value}: choose from {low} to {high}")
