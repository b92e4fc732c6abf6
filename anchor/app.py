"""Composition: names from the command line or a configuration become running parts.

The only module that knows all layers: `Studio` keeps live channels on air.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from zlib import crc32

from anchor import registry
from anchor.broadcast.script import load_script, speakable
from anchor.broadcast.show import present
from anchor.clock import LoopClock, wall_time
from anchor.config import ChannelConfig, Config
from anchor.errors import CapacityError, ScriptError, StoreError
from anchor.events import Gesture, Mood, State
from anchor.media import Beat
from anchor.memory import few_heaps, settled
from anchor.metrics import Metrics
from anchor.parts import (
    Cast,
    check_language,
    open_shelf,
    open_voice,
    steadfast,
)
from anchor.performing import LivePerformance
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.ports import (
    AvatarEntry,
    Shelf,
    ViewerSink,
    Voice,
    VoiceInfo,
)
from anchor.rendering import spoken_in
from anchor.segments import Faces, Speakers, Utterer
from anchor.server.api import ChannelInfo
from anchor.store import Store
from anchor.stream import check_pair
from anchor.talking import Talk
from anchor.trust.pii import mask
from anchor.visitors import Hall, Halls

log = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0

SWITCH_SECONDS = 0.0001
"""How long a thread keeps the interpreter while others wait for it. Python's 5 ms make a picture that is drawn in 4 ms
take 15 beside three other streams, and one in fifty late."""

SHOW_LEAD = 25
TALK_LEAD = 3
"""Beats prepared before an utterance begins: a script can wait a second, a conversation cannot."""

SAY_PRIORITY = 10
LONGEST_QUEUE = 100


class LiveChannel:
    """One anchor on one stream: its show, what people ask it to say, and its viewers."""

    def __init__(
        self, config: ChannelConfig, voice: Voice, metrics: Metrics, shelf: Shelf, ice_servers: Sequence[str] = ()
    ) -> None:
        self.config = config
        self.name = config.name
        self.video = config.video
        self.voice = voice
        self.scripts = [load_script(path) for path in config.scripts]
        check_language(voice, config.language)
        segments = [segment for script in self.scripts for segment in script.segments]
        self.languages = tuple(dict.fromkeys([config.language, *spoken_in(segments)]))
        self.viewers: ViewerSink = registry.load("anchor.sink", "webrtc")(
            self.video, ice_servers=tuple(ice_servers), max_viewers=config.max_viewers
        )
        self._clock = LoopClock()
        self.performance = LivePerformance(self._clock, ice_servers)
        cast = Cast(config, self.languages, shelf, self._clock, metrics)
        self.stream = cast.stream(
            [self.viewers], cast.scene(), seed=crc32(self.name.encode()), actor=self.performance, on_beat=self._count
        )
        self._metrics = metrics
        self._utterer = Utterer(Speakers(voice), Faces(self.stream.stand_by, config.avatar), lead=SHOW_LEAD)
        self._utterer.check(segments)

    @property
    def performer(self) -> Performer:
        return self.stream.performer

    @property
    def playout(self) -> Playout | None:
        return self.stream.playout

    async def prepare(self) -> None:
        """Raises `ModelError` for a driver that does not pass its self-test, `CapacityError` where there is no room."""
        await self.stream.prepare()

    async def release(self) -> None:
        await self.stream.release()

    async def run(self) -> None:
        """Keep the channel on air for ever."""
        async with self.viewers, self.performance:
            await self.stream.run(*([self._present] if self.scripts else []))

    async def _present(self) -> None:
        await present(
            self.performer, self.scripts, self._utterer.utter, self._clock,
            loop=self.config.loop, pause=self.config.pause,
        )  # fmt: skip

    async def say(
        self,
        text: str,
        *,
        interrupt: bool = False,
        priority: int = SAY_PRIORITY,
        language: str | None = None,
        mood: Mood | None = None,
        gestures: Sequence[Gesture] = (),
    ) -> str:
        """Say `text` at the next sentence end, or at once; return the utterance's id.

        Raises `ScriptError` for text with nothing to say, `VoiceError` for a language that the voice does not speak
        and `CapacityError` when `LONGEST_QUEUE` utterances wait or the channel is not on air yet.
        """
        if not speakable(text):
            raise ScriptError("text: there is nothing to say in it")
        chosen = language or self.config.language
        check_language(self.voice, chosen)
        if not self.performer.is_open:
            raise CapacityError(f"channel {self.name} is not on air yet")
        if len(self.performer.waiting) >= LONGEST_QUEUE:
            raise CapacityError(f"channel {self.name}: {LONGEST_QUEUE} utterances are waiting already")
        performance = self.performer.perform(
            Utterance(text, chosen, self.voice, priority=priority, lead=TALK_LEAD, mood=mood, gestures=tuple(gestures))
        )
        if interrupt:
            self.performer.cancel()
        return performance.id

    async def behave(
        self, *, mood: Mood | None = None, state: State | None = None, gestures: Sequence[Gesture] = ()
    ) -> None:
        """Change the mood of all that brings none of its own, or what the anchor does in silence; make gestures now."""
        manner = self.stream.manner
        manner.mood = mood or manner.mood
        manner.state = state or manner.state
        for gesture in gestures:
            manner.make(gesture)

    async def cast(self, name: str) -> None:
        """Show another avatar from the next beat on. Raises what `AnchorStream.cast` raises."""
        await self.stream.cast(name)
        self._utterer.faces.house = name

    async def interrupt(self) -> bool:
        """Cut what is being said; whether there was something to cut."""
        return self.performer.cancel() is not None

    def state(self) -> ChannelInfo:
        on_air, avatar = self.performer.on_air, self.stream.avatar
        return ChannelInfo(
            self.name, self.config.title or self.name, avatar.info.name if avatar else "",
            self.config.language, self.video, self.viewers.viewers, on_air is not None, on_air.id if on_air else None,
            len(self.performer.waiting), burned_captions=self.config.captions == "burn", notice=self.stream.notice,
            performing=self.performance.state,
            lips=self.stream.lips,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether beats go out."""
        return self.playout is not None and self.playout.counters.beats > 0

    def _count(self, beat: Beat) -> None:
        if beat.index % self.video.fps == 0:
            self._metrics.viewers.labels(self.name).set(self.viewers.viewers)


class Studio:
    """All channels of one process: the hub of `anchor.server`."""

    def __init__(self, config: Config, address: str = "") -> None:
        """`address` is the server's own, where actions of its own are found."""
        few_heaps()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.metrics = Metrics()
        self.metrics.watch_batchers(registry.load("anchor.part", "batchers"))
        self._address = address
        self.voice = open_voice(config.voice)
        self.store = Store(config.store.url, mask=mask, retention_days=config.store.retention_days)
        self._shelf = open_shelf(config)
        # One poster at a time: each costs as much as an avatar that is opened.
        self._drawing = asyncio.Lock()
        self._channels: dict[str, LiveChannel | Hall] = {
            channel.name: self._open(channel, config.server.ice_servers) for channel in config.channels
        }
        halls = {name: channel for name, channel in self._channels.items() if isinstance(channel, Hall)}
        self.visitors = Halls(halls, [name for name in self._channels if name not in halls])

    def _open(self, channel: ChannelConfig, ice_servers: Sequence[str]) -> LiveChannel | Hall:
        if channel.talk is None:
            return LiveChannel(channel, self.voice, self.metrics, self._shelf, ice_servers)
        clock = LoopClock()
        talk = Talk(channel, steadfast(self.voice), self.store, self._address)
        members = Cast(channel, talk.welcome.languages, self._shelf, clock, self.metrics)
        check_pair(members.avatar, members.driver)
        return Hall(members, talk, clock, ice_servers)

    @contextlib.asynccontextmanager
    async def on_air(self) -> AsyncIterator[None]:
        """Run every channel for as long as the context lasts."""
        languages = [tag for channel in self._channels.values() for tag in channel.languages]
        try:
            await self.store.open()
            await self.voice.warm(tuple(dict.fromkeys(languages)))
            for channel in self._channels.values():
                await channel.prepare()
            async with contextlib.AsyncExitStack() as stack:
                stack.enter_context(settled())
                tasks = await stack.enter_async_context(asyncio.TaskGroup())
                running = [tasks.create_task(channel.run(), name=name) for name, channel in self._channels.items()]
                running.append(tasks.create_task(self._keep_store()))
                try:
                    yield
                finally:
                    for task in running:
                        task.cancel()
        finally:
            for channel in self._channels.values():
                await channel.release()
            await self.voice.close()
            await self.store.close()

    async def _keep_store(self) -> None:
        """Delete what may not be kept any longer, once an hour."""
        clock = LoopClock()
        while self.store.keeps:
            try:
                if swept := await self.store.sweep(wall_time()):
                    log.info("the store forgot %d conversations, as it has to", swept)
            except StoreError as error:
                log.error("the store could not be swept: %s", error)
            await clock.sleep_until(clock.now() + SWEEP_SECONDS)

    def channels(self) -> Sequence[ChannelInfo]:
        return [channel.state() for channel in self._channels.values()]

    def channel(self, name: str) -> LiveChannel | Hall:
        """Raises `KeyError` for an unknown name."""
        return self._channels[name]

    def live(self, name: str) -> LiveChannel:
        """A channel that is watched. Raises `KeyError`."""
        channel = self._channels[name]
        if not isinstance(channel, LiveChannel):
            raise KeyError(name)
        return channel

    def hall(self, name: str) -> Hall:
        """A channel whose anchor converses. Raises `KeyError`."""
        channel = self._channels[name]
        if not isinstance(channel, Hall):
            raise KeyError(name)
        return channel

    def voices(self) -> Sequence[VoiceInfo]:
        return [self.voice.info]

    async def avatars(self) -> Sequence[AvatarEntry]:
        return await asyncio.to_thread(self._shelf.entries)

    async def poster(self, name: str) -> bytes:
        """A WebP picture of an avatar. Raises `MissingError`, and `AvatarError` for one that cannot be used."""
        async with self._drawing:
            return await asyncio.to_thread(self._shelf.poster, name)

    def ready(self) -> bool:
        """Whether every channel is on air, or open to visitors."""
        return all(channel.ready() for channel in self._channels.values())
