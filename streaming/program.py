"""A program sent to many outputs: rendered once, encoded once for each profile, written by each output on its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from anchor.errors import ConfigError, OutputError
from anchor.media import Beat, VideoFormat
from anchor.onair import OutputInfo
from streaming.beat_feed import BeatFeed, BeatOutput
from streaming.encoding_thread import Encoded, EncodingThread
from streaming.feed import About, Feed
from streaming.packet_feed import PacketFeed
from streaming.packets import Profile, Writer

log = logging.getLogger(__name__)

FINISH_SECONDS = 8.0
"""How long an output of a live program may take to end well; then it is aborted."""

_TURN_SECONDS = 0.5

_QUEUE_SECONDS = {"rtmp": 4.0}
_USUAL_QUEUE_SECONDS = 20.0
"""What may wait for a disk. A connection that is further behind than four seconds does better to begin anew."""


@dataclass(frozen=True, slots=True)
class Target:
    """An output as a program is given it: packets of `profile` for the writers that `make` gives.

    `address` is what people may read of where it goes. `start`: from the beginning, or when an operator says so.
    """

    name: str
    kind: str
    address: str
    profile: Profile
    make: Callable[[], Writer] = field(repr=False)
    start: bool = True


@dataclass(frozen=True, slots=True)
class DeviceTarget:
    """A device that shows pictures as they are."""

    name: str
    kind: str
    address: str
    make: Callable[[], BeatOutput] = field(repr=False)
    start: bool = True


class Program:
    """Takes beats (`anchor.ports.Sink`) and sends them to outputs (`anchor.onair.Outputs`).

    While `live`, `send` never waits, whatever encoders and outputs do; an output that fails comes back by itself.
    Otherwise (in virtual time, or as fast as the machine goes) it waits, and raises `OutputError` when encoding or a
    file fails. Nothing is encoded for a profile while none of its outputs is started.

    Raises `ConfigError` when two outputs have one name, and `FormatError` for a profile of another frame rate.
    """

    def __init__(self, video: VideoFormat, outputs: Sequence[Target | DeviceTarget], *, live: bool = True) -> None:
        self.video = video
        self._targets = tuple(outputs)
        self._live = live
        names = [target.name for target in outputs]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two outputs are named {name!r}: give each a name of its own")
        for target in outputs:
            if isinstance(target, Target) and target.profile.video is not None:
                self._check_rate(target.profile)
        self._feeds: dict[str, Feed] = {}
        self._devices: list[BeatFeed] = []
        self._encodings: dict[Profile, EncodingThread] = {}

    def _check_rate(self, profile: Profile) -> None:
        if profile.video is not None and profile.video.fps != self.video.fps:
            raise ConfigError(
                f"profile {profile.name!r} has {profile.video.fps} pictures a second and the program {self.video.fps}: "
                "give both the same"
            )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._waiter = ThreadPoolExecutor(1, thread_name_prefix="program")
        for target in self._targets:
            feed = self._feed(target)
            self._feeds[target.name] = feed
            if target.start:
                feed.start()
        return self

    def _feed(self, target: Target | DeviceTarget) -> Feed:
        now = self._loop.time
        if isinstance(target, DeviceTarget):
            about = About(target.name, target.kind, target.address, "")
            device = BeatFeed(about, target.make, now, self.video)
            self._devices.append(device)
            return device
        profile = target.profile
        if profile not in self._encodings:
            self._encodings[profile] = EncodingThread(self.video, profile, now, patient=not self._live)
        encoding = self._encodings[profile]
        feed = PacketFeed(
            About(target.name, target.kind, target.address, profile.name), target.make, now,
            ask_keyframe=encoding.ask_keyframe, patient=not self._live, padded=target.kind == "rtmp",
            capacity_seconds=_QUEUE_SECONDS.get(target.kind, _USUAL_QUEUE_SECONDS),
        )  # fmt: skip
        encoding.feeds.append(feed)
        return feed

    async def send(self, beat: Beat) -> None:
        """Take a beat. Raises `OutputError` where the program is not live."""
        for device in self._devices:
            device.push(beat)
        for encoding in self._encodings.values():
            done = encoding.offer(beat) or self._live
            while not done:
                done = await self._loop.run_in_executor(self._waiter, encoding.put, beat, _TURN_SECONDS)
                self._check()
        self._check()

    def _check(self) -> None:
        """See to outputs that block; where the program is not live, raise what has failed."""
        for feed in self._feeds.values():
            feed.watch()
            if not self._live:
                feed.give_up()
        if self._live:
            return
        for encoding in self._encodings.values():
            encoding.check()
        for feed in self._feeds.values():
            if feed.about.kind == "file" and feed.failure:
                raise OutputError(feed.failure)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A live program that is cancelled has been on air: what was recorded of it is kept.
        well = error is None or self._live
        try:
            await self._loop.run_in_executor(self._waiter, self._end, well)
        finally:
            for feed in self._feeds.values():
                feed.abort()
            self._waiter.shutdown(wait=False)
        if error is None and not self._live:
            self._check_ended()

    def _end(self, well: bool) -> None:
        """End encoders and then outputs: well, or at once. Blocks."""
        began = self._loop.time()
        for encoding in self._encodings.values():
            encoding.finish() if well else encoding.abort()
        for encoding in self._encodings.values():
            self._join(encoding.join, began, well)
        for feed in self._feeds.values():
            feed.finish() if well else feed.abort()
        for feed in self._feeds.values():
            if not self._join(feed.join, began, well):
                log.warning("output %s does not end; it is given up", feed.about.name)

    def _join(self, join: Callable[[float], bool], began: float, well: bool) -> bool:
        """Wait for a thread, seeing to outputs that block; a program that is not live waits as long as any works."""
        while not join(_TURN_SECONDS):
            late = self._loop.time() - began > FINISH_SECONDS
            if late and (self._live or not well):
                return False
            for feed in self._feeds.values():
                feed.watch()
                feed.give_up()
        return True

    def _check_ended(self) -> None:
        for feed in self._feeds.values():
            if feed.about.kind == "file" and feed.failure:
                raise OutputError(feed.failure)

    def outputs(self) -> Sequence[OutputInfo]:
        return tuple(feed.info() for feed in self._feeds.values())

    def encoded(self) -> Sequence[Encoded]:
        """What the encoders have done, one for each profile."""
        return tuple(encoding.encoded() for encoding in self._encodings.values())

    async def start(self, name: str) -> None:
        self._feeds[name].start()

    async def stop(self, name: str) -> None:
        self._feeds[name].stop()
