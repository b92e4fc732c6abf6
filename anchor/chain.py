"""The voices of a configuration: opened once each, and put behind one another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from anchor import model_folder, registry
from anchor.config import EngineConfig, VoiceConfig
from anchor.errors import ConfigError, MissingError
from anchor.models.catalogue import find
from anchor.pipeline.aligned import AlignedVoice
from anchor.pipeline.delivery import PATIENCE, STALL
from anchor.pipeline.insistent import LATEST, TAKES, InsistentVoice
from anchor.pipeline.steadfast import WARMING, Member, SteadfastVoice
from anchor.ports import Voice
from anchor.tags import among
from anchor.voice import choice
from anchor.voice.cache import CachedVoice
from anchor.voice.package import open_package

READER = "espeak"
"""The embedded voice: it needs nothing, and knows how words are spoken for those that give only sound."""
AUTO = "auto"
"""Whatever is best here for each language."""

_AUTO_LANGUAGES = ("en", "zh", "ja", "es", "fr", "de", "ko")
_UNHURRIED = (120.0, 60.0)
"""Seconds until the first sound, and for the rest of a sentence, where a file is made: a model may load that long."""
_LOADING = 600.0


class Chain:
    """Voices by name, each opened once, and the chains that are made of them.

    `live`: people listen, so a voice has a second, and the embedded one stands behind all others. Where a file is made,
    a voice has minutes, and only those that the configuration names step in for it: a film whose voice changes halfway
    is worse than an error. A sentence whose words are not all heard is then said again, for nobody waits.
    """

    def __init__(self, config: VoiceConfig, further: Mapping[str, EngineConfig] | None = None, *, live: bool) -> None:
        self._config = config
        self._further = dict(further or {})
        self._live = live
        self._waits = (PATIENCE, STALL) if live else _UNHURRIED
        insists = config.swallowed == "retry" or (config.swallowed == "report" and not live)
        self._insists, self._checked = insists, config.swallowed != "off"
        self._members: dict[str, Member] = {}
        self._house: Voice | None = None

    def house(self) -> Voice:
        """The voice of all that name no other. Raises `AnchorError`."""
        if self._house is None:
            self._house = self._made()
        return self._house

    def _made(self) -> Voice:
        config = self._config
        wants_embedded = (self._live and config.engine != READER) or config.engine == AUTO
        embedded = [self._open(EngineConfig(engine=READER), "voice.options")] if wants_embedded else []
        behind = [*self._named_all(config.fallback, "voice.fallback"), *embedded]
        chosen = {} if config.engine != AUTO else {tag: list(self._best(tag)) for tag in _AUTO_LANGUAGES}
        first = [] if config.engine == AUTO else [self._main()]
        wanted = {tag: self._named_all(names, f"voice.languages.{tag}", tag) for tag, names in config.languages.items()}
        seats = list(dict.fromkeys(
            (*first, *(one for found in (*wanted.values(), *chosen.values()) for one in found), *behind)
        ))  # fmt: skip
        order = {}
        for tag in dict.fromkeys([*wanted, *chosen]):
            ranked = (*wanted.get(tag, ()), *first, *chosen.get(tag, ()), *behind)
            order[tag] = tuple(dict.fromkeys(seats.index(one) for one in ranked))
        if wanted or chosen:
            # Who is there for one language only does not step in for others.
            order[""] = tuple(dict.fromkeys(seats.index(one) for one in (*first, *behind)))
        return self._steadfast(seats, order)

    def named(self, name: str) -> Voice:
        """A voice by its name under ``[voices]``, of its back-end or its package. Raises `AnchorError`."""
        own = self._named(name, "")
        if not self._live:
            return self._steadfast([own], {})
        house = Member(self.house(), patience=_UNHURRIED[0], owned=False)
        return SteadfastVoice(own, house, waits=self._waits, own_languages=True)

    def _steadfast(self, seats: Sequence[Member], order: Mapping[str, Sequence[int]]) -> Voice:
        if len(seats) == 1 and seats[0].source is None:
            return seats[0].voice
        return SteadfastVoice(*seats, order=order, waits=self._waits, warming=WARMING if self._live else _LOADING)

    def _main(self) -> Member:
        return self._open(EngineConfig(engine=self._config.engine, options=self._config.options), "voice.options")

    def _named_all(self, names: Sequence[str], where: str, language: str = "") -> list[Member]:
        found = [self._named(name, where) for name in names]
        for name, member in zip(names, found, strict=True):
            spoken = member.voice.info.languages
            if language and spoken and not among(language, spoken):
                raise ConfigError(f"{where}: voice {name!r} does not speak {language!r}; it speaks {', '.join(spoken)}")
        return found

    def _named(self, name: str, where: str) -> Member:
        if name in self._further:
            return self._open(self._further[name], f"voices.{name}.options")
        return self._open(EngineConfig(engine=name), where or f"voice {name}")

    def _best(self, language: str) -> Iterator[Member]:
        """The engines that are chosen for a language here, but for the embedded one."""
        for engine in choice.preferred(language):
            if engine != READER:
                options = choice.options_for(engine, language)
                yield self._open(EngineConfig(engine=engine, options=options), "voice.options", chosen=True)

    def _open(self, config: EngineConfig, where: str, *, chosen: bool = False) -> Member:
        """A voice with all that belongs around it; opened once. Its engine may be the name of a pulled model."""
        if not _is_package(config.engine) and config.engine not in registry.names("anchor.voice"):
            config = self._of_model(config, where)
        known = config.engine
        if config.options:
            known += " " + json.dumps(config.options, sort_keys=True, default=repr)
        if known not in self._members:
            self._members[known] = self._around(config, where, chosen=chosen)
        return self._members[known]

    def _of_model(self, config: EngineConfig, where: str) -> EngineConfig:
        """The back-end that runs a model of the catalogue, told which. Raises `MissingError` for an unknown name."""
        try:
            model = find(config.engine)
        except MissingError:
            model = None
        if model is None or model.task != "voice":
            known = ", ".join(dict.fromkeys([*self._further, *registry.names("anchor.voice")]))
            raise MissingError(
                f"{where.removesuffix('.options')}: there is no voice named {config.engine!r}; there are: {known}"
            ) from None
        folder = str(model_folder.where(model.name))
        return EngineConfig(engine=model.engine, options={"model": folder, **config.options})

    def _around(self, config: EngineConfig, where: str, *, chosen: bool) -> Member:
        if config.engine == READER:
            # It fails no more than the process does, and speaks as fast as it could be read from a disk.
            return Member(registry.build(registry.load("anchor.voice", READER), config.options, where))
        unfit = _falls_behind if chosen and self._live else None
        if not _is_package(config.engine):
            voice = self._timed(config.engine, config.options, where)
            return Member(self._kept(voice, config.options), voice, self._patience(voice), unfit)
        made = list[Voice]()

        def build(engine: str, options: Mapping[str, Any], meaning: Mapping[str, Any]) -> Voice:
            made.append(self._timed(engine, options, config.engine))
            return self._kept(made[-1], meaning)

        allowed = open_package(Path(config.engine), build, options=config.options)
        return Member(allowed, allowed, self._patience(made[-1]) if made else None, unfit)

    def _patience(self, voice: Voice) -> float | None:
        """A voice that says sentences again is watched from within."""
        return self._waits[0] + TAKES * LATEST if isinstance(voice, InsistentVoice) else None

    def _timed(self, engine: str, options: Mapping[str, Any], where: str) -> Voice:
        """A back-end whose words are timed, by itself or by finding them in its sound."""
        voice: Voice = registry.build(registry.load("anchor.voice", engine), options, where)
        if voice.info.phone_timings:
            return voice
        reader: Voice = registry.load("anchor.voice", READER)()
        aligned = AlignedVoice(voice, reader, registry.load("anchor.part", "aligner")(), checked=self._checked)
        return InsistentVoice(aligned, waits=self._waits) if self._insists else aligned

    def _kept(self, voice: Voice, options: Mapping[str, Any]) -> Voice:
        """A voice whose sentences are kept on disk where the configuration wants that."""
        if self._config.cache is None:
            return voice
        return CachedVoice(voice, self._config.cache, megabytes=self._config.cache_megabytes, options=options)


def _is_package(name: str) -> bool:
    return "/" in name or name.lower().endswith(".zip")


async def _falls_behind(voice: Voice, language: str) -> str:
    """Why a voice that was chosen by itself is too slow to speak live here, or nothing."""
    load = await choice.keeps_up(voice, language)
    return f"works {load:.1f} s for a second of sound here" if load > choice.LIVE_LOAD else ""
