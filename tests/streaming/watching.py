"""A stream at its real pace, and viewers of aiortc who watch it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from anchor.clock import LoopClock
from anchor.media import Beat, VideoFormat
from anchor.ports import Sink
from tests.streaming.beats import beat


@asynccontextmanager
async def on_air(
    sink: Sink, video: VideoFormat, make: Callable[[VideoFormat, int], Beat] = beat
) -> AsyncIterator[None]:
    """Send beats to `sink` at their pace while the context lasts."""

    async def produce() -> None:
        clock = LoopClock()
        start = clock.now()
        for index in range(1_000_000):
            await clock.sleep_until(start + index / video.fps)
            await sink.send(make(video, index))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(produce())
        try:
            yield
        finally:
            task.cancel()


class Watcher:
    """A viewer: what it decoded and what it was told."""

    def __init__(
        self,
        *,
        codec: str | None = None,
        audio: bool = True,
        audio_first: bool = False,
        data_first: bool = False,
        microphone: MediaStreamTrack | None = None,
    ) -> None:
        self._data_first = data_first
        configuration = RTCConfiguration(iceServers=[], alwaysNegotiateDataChannels=data_first)
        self.connection = RTCPeerConnection(configuration)
        self.pictures: list[av.VideoFrame] = []
        self.sounds: list[av.AudioFrame] = []
        self.events: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        if audio_first:
            self.connection.addTransceiver("audio", direction="recvonly")
        video = self.connection.addTransceiver("video", direction="recvonly")
        if codec:
            known = RTCRtpReceiver.getCapabilities("video")
            assert known is not None
            video.setCodecPreferences([one for one in known.codecs if one.mimeType == codec])
        if microphone is not None:
            self.connection.addTransceiver(microphone, direction="sendrecv")
        elif audio and not audio_first:
            self.connection.addTransceiver("audio", direction="recvonly")
        if not data_first:
            self._listen()
        self._tasks = asyncio.TaskGroup()
        self._taking: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Watcher:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.connection.close()
        for task in self._taking:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def offer(self) -> str:
        offer = await self.connection.createOffer()
        if self._data_first:
            self._listen()  # aiortc puts the data section first only when there is no channel yet
        await self.connection.setLocalDescription(offer)
        return str(self.connection.localDescription.sdp)

    def _listen(self) -> None:
        self.channel = self.connection.createDataChannel("events")
        self.channel.on("message", self._hear)

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        for receiver in self.connection.getReceivers():
            if receiver.track is not None:
                self._taking.append(self._tasks.create_task(self._take(receiver.track)))

    async def _take(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                (self.pictures if track.kind == "video" else self.sounds).append(frame)
                self._changed.set()
        except MediaStreamError:
            pass

    def _hear(self, message: str) -> None:
        self.events.append(json.loads(message))
        self._changed.set()

    async def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for something to become true of what was received. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def until_pictures(self, count: int, seconds: float = 10) -> None:
        wanted = len(self.pictures) + count
        await self.until(lambda: len(self.pictures) >= wanted, seconds)


@contextmanager
def no_task_left() -> Iterator[None]:
    """Inside a coroutine: whatever was begun inside has ended when the context does."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before
    assert not left, left
