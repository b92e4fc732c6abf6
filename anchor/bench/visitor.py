"""A visitor for benches and tests: a real WebRTC peer with a microphone that says what it is given."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import av
import httpx
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Voice

FRAME = SAMPLE_RATE // 50


class Microphone(MediaStreamTrack):
    """Silence, and whatever `say` puts into it, in real time."""

    kind = "audio"

    def __init__(self, noise: float = 0.0003) -> None:
        super().__init__()
        self._unsaid: deque[Samples] = deque()
        self._noise = noise
        self._random = np.random.default_rng(7)
        self._sent = 0
        self._began: float | None = None

    def say(self, sound: Samples) -> tuple[float, float]:
        """Put sound in; when its first and its last sample leave, on the loop's clock."""
        queued = sum(map(len, self._unsaid))
        began = (self._began or asyncio.get_running_loop().time()) + (self._sent + queued) / SAMPLE_RATE
        self._unsaid.append(sound.astype(np.float32))
        return began, began + len(sound) / SAMPLE_RATE

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        # A microphone hands over sound when it is over, not before.
        due = self._began + (self._sent + FRAME) / SAMPLE_RATE
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await asyncio.Event().wait()
        sound = self._random.standard_normal(FRAME).astype(np.float32) * self._noise
        place = 0
        while place < FRAME and self._unsaid:
            first = self._unsaid.popleft()
            count = min(FRAME - place, len(first))
            sound[place : place + count] += first[:count]
            place += count
            if count < len(first):
                self._unsaid.appendleft(first[count:])
        frame = av.AudioFrame.from_ndarray((np.clip(sound, -1, 1) * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._sent, fractions.Fraction(1, SAMPLE_RATE)
        self._sent += FRAME
        return frame


class Visitor:
    """Somebody who talks with a channel. `events` are all that the page would hear, with their times."""

    def __init__(self, connection: RTCPeerConnection, channel: RTCDataChannel, microphone: Microphone) -> None:
        self.microphone = microphone
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.session = self.key = ""
        self.last_loud = 0.0
        """When sound of the anchor was last received that is no silence."""
        self.loud_since: list[float] = []
        self._connection, self._channel = connection, channel
        self._came = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        channel.on("message", self._heard)

    def _heard(self, text: str) -> None:
        self.events.append((asyncio.get_running_loop().time(), json.loads(text)))
        self._came.set()

    def tell(self, **message: Any) -> None:
        self._channel.send(json.dumps(message))

    async def until(self, wanted: Callable[[dict[str, Any]], bool], *, since: int = 0, seconds: float = 30) -> float:
        """When the first event came that is wanted, of those from place `since` on. Raises `TimeoutError`."""
        place = since
        async with asyncio.timeout(seconds):
            while True:
                while place < len(self.events):
                    at, event = self.events[place]
                    place += 1
                    if wanted(event):
                        return at
                self._came.clear()
                await self._came.wait()

    async def mode(self, wanted: str, *, since: int = 0, seconds: float = 30) -> float:
        return await self.until(lambda event: event.get("mode") == wanted, since=since, seconds=seconds)

    def said_by(self, who: str, *, since: int = 0) -> list[str]:
        """Texts of ``anchor`` or, final ones, of ``visitor``."""
        told = (event for _, event in self.events[since:] if event["type"] == who and event.get("final", True))
        return [event["text"] for event in told]

    def listen(self, track: MediaStreamTrack) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if not isinstance(frame, av.AudioFrame):
                    continue
                sound = frame.to_ndarray().astype(np.float32) / 32768
                if float(np.sqrt(np.mean(sound**2))) > 0.004:
                    if loop.time() - self.last_loud > 0.5:
                        self.loud_since.append(loop.time())
                    self.last_loud = loop.time()

    async def close(self) -> None:
        await self._connection.close()
        for task in self._tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def visiting(
    address: str, channel: str, language: str = "en", *, again: Mapping[str, str] | None = None, greet: bool = True
) -> AsyncIterator[Visitor]:
    """Somebody comes, begins the conversation, and leaves at the end. `again`: session and key of before."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    microphone = Microphone()
    connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver(microphone, direction="sendrecv")
    events = connection.createDataChannel("events")
    visitor = Visitor(connection, events, microphone)
    connection.on("track", visitor.listen)
    opened = asyncio.Event()
    events.on("open", opened.set)
    await connection.setLocalDescription(await connection.createOffer())
    offer = {"channel": channel, "sdp": connection.localDescription.sdp, "language": language, **(again or {})}
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            response = await client.post(f"{address}/api/v1/sessions", json=offer)
        response.raise_for_status()
        answer = response.json()
        visitor.session, visitor.key = answer["session"], answer["key"]
        await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        async with asyncio.timeout(15):
            await opened.wait()
        if greet:
            visitor.tell(type="microphone", state="on")
            visitor.tell(type="begin", language=language)
        yield visitor
    finally:
        await visitor.close()


async def spoken(voice: Voice, text: str, language: str) -> Samples:
    """A sentence in a voice, without the silence around it."""
    chunks = [chunk.audio async for chunk in voice.speak(Sentence(text, language))]
    sound = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound
