"""Composition: names from the command line or a configuration become running parts.

The only module that knows all layers: `Studio` keeps live channels on air.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Sequence

from anchor import registry
from anchor.clock import LoopClock, wall_time
from anchor.config import ChannelConfig, Config
from anchor.errors import StoreError
from anchor.live import LiveChannel
from anchor.memory import few_heaps, settled
from anchor.metrics import Metrics
from anchor.onair import VoiceState
from anchor.parts import Cast, open_shelf
from anchor.ports import AvatarEntry
from anchor.segments import Speakers
from anchor.server.api import ChannelInfo
from anchor.store import Store
from anchor.stream import check_pair
from anchor.talking import Talk
from anchor.trust.pii import mask
from anchor.visitors import Hall, Halls

log = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
ENDING_SECONDS = 10.0
"""How long outputs may take to end well."""

SWITCH_SECONDS = 0.0001
"""How long a thread keeps the interpreter while others wait for it. Python's 5 ms make a picture that is drawn in 4 ms
take 15 beside three other streams, and one in fifty late."""


class Studio:
    """All channels of one process: the hub of `anchor.server`."""

    def __init__(self, config: Config, address: str = "", *, ends: bool = False) -> None:
        """`address` is the server's own, where actions of its own are found; `ends`: see `LiveChannel`."""
        few_heaps()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.metrics = Metrics()
        self.metrics.watch_batchers(registry.load("anchor.part", "batchers"))
        self._address = address
        self.speakers = Speakers.of(config.voice, config.voices)
        self.metrics.watch_voices(self.speakers.states)
        self.voice, self._ends = self.speakers.voice, ends
        self.store = Store(config.store.url, mask=mask, retention_days=config.store.retention_days)
        self._shelf = open_shelf(config)
        self._running: list[asyncio.Task[None]] = []
        # One poster at a time: each costs as much as an avatar that is opened.
        self._drawing = asyncio.Lock()
        self._channels: dict[str, LiveChannel | Hall] = {
            channel.name: self._open(channel, config.server.ice_servers) for channel in config.channels
        }
        halls = {name: channel for name, channel in self._channels.items() if isinstance(channel, Hall)}
        self.visitors = Halls(halls, [name for name in self._channels if name not in halls])

    def _open(self, channel: ChannelConfig, ice_servers: Sequence[str]) -> LiveChannel | Hall:
        if channel.talk is None:
            return LiveChannel(channel, self.speakers, self.metrics, self._shelf, ice_servers, ends=self._ends)
        clock = LoopClock()
        talk = Talk(channel, self.voice, self.store, self._address)
        members = Cast(channel, talk.welcome.languages, self._shelf, clock, self.metrics)
        check_pair(members.avatar, members.driver)
        return Hall(members, talk, clock, ice_servers)

    @contextlib.asynccontextmanager
    async def on_air(self) -> AsyncIterator[None]:
        """Run every channel for as long as the context lasts."""
        languages = [tag for channel in self._channels.values() for tag in channel.languages]
        try:
            await self.store.open()
            await self.speakers.warm(tuple(dict.fromkeys(languages)))
            for channel in self._channels.values():
                await channel.prepare()
            async with contextlib.AsyncExitStack() as stack:
                stack.enter_context(settled())
                tasks = await stack.enter_async_context(asyncio.TaskGroup())
                self._running = [
                    tasks.create_task(channel.run(), name=name) for name, channel in self._channels.items()
                ]
                keeping = tasks.create_task(self._keep_store())
                try:
                    yield
                finally:
                    for task in (*self._running, keeping):
                        task.cancel()
        finally:
            for channel in self._channels.values():
                await channel.release()
            await self.speakers.close()
            await self.voice.close()
            await self.store.close()

    async def over(self) -> None:
        """Wait until all channels have gone off air by themselves."""
        if self._running:
            await asyncio.wait(self._running)

    async def stop(self, *, finish: bool) -> None:
        """Take shows off air, with `finish` after the sentences that are being said."""
        live = [channel for channel in self._channels.values() if isinstance(channel, LiveChannel)]
        await asyncio.gather(*(channel.stop(finish=finish) for channel in live))
        ending = [task for task in self._running if isinstance(self._channels[task.get_name()], LiveChannel)]
        if ending:
            await asyncio.wait(ending, timeout=ENDING_SECONDS)

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

    def voices(self) -> Sequence[VoiceState]:
        return self.speakers.states()

    async def avatars(self) -> Sequence[AvatarEntry]:
        return await asyncio.to_thread(self._shelf.entries)

    async def poster(self, name: str) -> bytes:
        """A WebP picture of an avatar. Raises `MissingError`, and `AvatarError` for one that cannot be used."""
        async with self._drawing:
            return await asyncio.to_thread(self._shelf.poster, name)

    def ready(self) -> bool:
        """Whether every channel is on air, or open to visitors."""
        return all(channel.ready() for channel in self._channels.values())
