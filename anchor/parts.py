"""Names become parts: what a configuration or a command line calls a voice, a driver, an avatar or a scene."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from anchor import registry
from anchor.chain import Chain
from anchor.clock import Clock
from anchor.config import ChannelConfig, Config, EngineConfig, VoiceConfig
from anchor.errors import VoiceError
from anchor.media import Beat, VideoFormat
from anchor.metrics import Metrics
from anchor.model_folder import installed
from anchor.pipeline.acting import Actor
from anchor.pipeline.utterance import Performance
from anchor.ports import Avatar, Driver, Shelf, Sink, Stage, Voice
from anchor.selftest import fit
from anchor.stream import AnchorStream, check_pair
from anchor.tags import among


def open_voice(config: VoiceConfig, *, further: Mapping[str, EngineConfig] | None = None, live: bool = False) -> Voice:
    """Who speaks by a configuration, with all who stand behind it; `further` are voices that it may name.

    `live` and for files: see `anchor.chain.Chain`. Raises `AnchorError` for what cannot be opened.
    """
    return Chain(config, further, live=live).house()


def open_avatar(name: str) -> Avatar:
    """A bundled avatar by its name, or one from a folder or zip file."""
    avatar: Avatar = registry.load("anchor.part", "avatars").load_avatar(name)
    return avatar


def open_driver(name: str | Path, *, clock: Clock | None = None, options: Mapping[str, Any] | None = None) -> Driver:
    """A driver by its name, or one made of the ONNX files at a path, which takes `options`: device and half.

    A name may also be that of a model that was pulled.
    """
    if isinstance(name, str) and name not in registry.names("anchor.driver"):
        name = installed(name) or name
    if isinstance(name, Path) or "/" in name or name.lower().endswith(".onnx"):
        brought: Driver = registry.build(
            functools.partial(registry.load("anchor.part", "nets").open_driver, Path(name), clock),
            options or {}, "driver_options",
        )  # fmt: skip
        return brought
    driver: Driver = registry.build(registry.load("anchor.driver", name), options or {}, "driver_options")
    return driver


def open_shelf(config: Config) -> Shelf:
    """The avatars that a server may show: bundled ones, those in its folder, and those its channels name by path."""
    further = dict.fromkeys(channel.avatar for channel in config.channels if isinstance(channel.avatar, Path))
    shelf: Shelf = registry.load("anchor.part", "shelf")(config.server.avatars, tuple(further))
    return shelf


def open_scene(avatar: Avatar, driver: Driver, video: VideoFormat, options: dict[str, Any]) -> Stage:
    """The picture for an avatar and a driver that fit each other. Raises `ConfigError` for a pair that does not."""
    check_pair(avatar, driver)
    scene: Stage = registry.load("anchor.scene", "studio")(avatar, video, **options)
    return scene


def check_language(voice: Voice, language: str) -> None:
    """Raise `VoiceError` when `voice` does not speak `language`."""
    spoken = voice.info.languages
    if not among(language, spoken):
        raise VoiceError(f"voice {voice.info.name!r} does not speak {language!r}; it speaks {', '.join(spoken)}")


class Cast:
    """What the streams of a channel are made from: its avatar and driver, loaded once.

    Raises `AnchorError` for an avatar that cannot be shown or moved.
    """

    def __init__(
        self, config: ChannelConfig, languages: Sequence[str], shelf: Shelf, clock: Clock, metrics: Metrics
    ) -> None:
        self.config, self.metrics = config, metrics
        self._shelf, self._clock = shelf, clock
        self.driver = open_driver(config.driver, clock=clock, options=config.driver_options)
        self.entry = shelf.entry(config.avatar)
        self.avatar = shelf.load(self.entry)
        graphics = config.graphics
        self._options: dict[str, Any] = {
            "backdrop": config.backdrop, "languages": tuple(languages), "cropped": config.talk is not None,
            "template": graphics.template, "logo": graphics.logo, "clock": bool(graphics.clock),
            "second": bool(config.second_language),
        }  # fmt: skip
        if config.label is not None:
            self._options["label"] = config.label
        elif config.talk is not None:
            # A tall screen shows the middle third of a wide picture; the page says it in the visitor's language, too.
            self._options["label"] = "AI 生成" if config.language.lower().startswith("zh") else "AI-generated"

    async def recast(self, name: str) -> None:
        """Make the streams to come from another avatar. Raises what `AnchorStream.cast` raises."""
        entry = await asyncio.to_thread(self._shelf.entry, name)
        avatar = await asyncio.to_thread(self._shelf.load, entry)
        check_pair(avatar, self.driver)
        await fit(self.driver, avatar)
        self.entry, self.avatar = entry, avatar

    def scene(self, *, live: bool = True) -> Stage:
        """A picture of its own for one stream. Draws for a fifth of a second."""
        return open_scene(self.avatar, self.driver, self.config.video, {**self._options, "live": live})

    def still(self, avatar: str = "") -> Stage:
        """A picture for previews, of the channel's own avatar or another on the shelf. Raises `AnchorError`."""
        shown = self._shelf.load(self._shelf.entry(avatar)) if avatar else self.avatar
        return open_scene(shown, self.driver, self.config.video, self._options)

    def stream(
        self,
        sinks: Sequence[Sink],
        scene: Stage,
        *,
        seed: int,
        actor: Actor | None = None,
        on_beat: Callable[[Beat], None] | None = None,
        on_end: Callable[[Performance], None] | None = None,
        time_of_day: Callable[[int], str] | None = None,
        head_beats: int = 0,
        tail_beats: int = 0,
    ) -> AnchorStream:
        config = self.config
        return AnchorStream(
            config.name, entry=self.entry, avatar=self.avatar, shelf=self._shelf, driver=self.driver,
            scene=scene, video=config.video, sinks=sinks,
            clock=self._clock, metrics=self.metrics, mood=config.mood, seed=seed,
            burn_captions=config.captions == "burn", actor=actor, on_beat=on_beat, on_end=on_end,
            time_of_day=time_of_day, head_beats=head_beats, tail_beats=tail_beats,
        )  # fmt: skip
