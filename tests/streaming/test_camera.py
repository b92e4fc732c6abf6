"""A performer's camera by WebRTC: who is let in, which pictures are looked at, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from anchor.errors import CapacityError, SignallingError
from anchor.media import Bytes
from streaming.camera import Camera


class Greys(VideoStreamTrack):
    """A camera that sees one grey after another."""

    def __init__(self, pause: float = 0.02) -> None:
        super().__init__()
        self._number, self._pause = 0, pause

    async def recv(self) -> Any:
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=self._pause)
        self._number += 1
        frame = av.VideoFrame.from_ndarray(np.full((96, 128, 3), 40 + self._number % 160, np.uint8), "bgr24")
        frame.pts, frame.time_base = self._number * 1800, Fraction(1, 90_000)
        return frame


class Note:
    """Remembers what it was shown, and holds each picture until it is let go."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []
        self.closed = False
        self.go = threading.Event()
        self.go.set()

    def look(self, bgr: Bytes, at: float) -> None:
        self.seen.append(bgr.shape)
        self.go.wait(10)

    def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def sending(direction: str = "sendonly") -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver(Greys(), direction=direction)
    try:
        await connection.setLocalDescription(await connection.createOffer())
        yield connection, connection.localDescription.sdp
    finally:
        await connection.close()


async def until(true: Any, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


def test_pictures_of_a_performer_are_looked_at_and_the_camera_is_free_after_they_leave() -> None:
    async def main() -> None:
        notes: list[Note] = []

        def begin() -> Note:
            notes.append(Note())
            return notes[-1]

        async with Camera(begin) as camera, sending() as (connection, offer):
            answer = await camera.join(offer)
            assert camera.taken
            await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await until(lambda: len(notes[0].seen) > 5)
            assert set(notes[0].seen) == {(96, 128, 3)}
            await camera.leave(answer.viewer)
            assert not camera.taken
            assert notes[0].closed
            with pytest.raises(KeyError):
                await camera.leave(answer.viewer)

    run(main())


def test_pictures_that_come_while_one_is_looked_at_are_dropped() -> None:
    async def main() -> None:
        note = Note()
        note.go.clear()
        async with Camera(lambda: note) as camera, sending() as (connection, offer):
            answer = await camera.join(offer)
            await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await until(lambda: camera.dropped > 5)
            assert len(note.seen) == 1
            note.go.set()
            await until(lambda: len(note.seen) > 3)

    run(main())


def test_second_performer_is_refused_until_the_first_has_gone() -> None:
    async def main() -> None:
        async with Camera(Note) as camera, sending() as (one, first), sending() as (_, second):
            answer = await camera.join(first)
            await one.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            with pytest.raises(CapacityError, match="somebody performs already"):
                await camera.join(second)
            await camera.leave(answer.viewer)
            await camera.join(second)

    run(main())


def test_performer_whose_connection_ends_makes_room() -> None:
    async def main() -> None:
        note = Note()
        async with Camera(lambda: note) as camera, sending() as (connection, offer):
            answer = await camera.join(offer)
            await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await until(lambda: bool(note.seen))
            await connection.close()
            await until(lambda: not camera.taken and note.closed)

    run(main())


def test_picture_that_cannot_be_looked_at_ends_the_performance(caplog: pytest.LogCaptureFixture) -> None:
    class Blind(Note):
        def look(self, bgr: Bytes, at: float) -> None:
            raise RuntimeError("no models here")

    async def main() -> None:
        note = Blind()
        async with Camera(lambda: note) as camera, sending() as (connection, offer):
            answer = await camera.join(offer)
            await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await until(lambda: not camera.taken and note.closed)

    run(main())
    assert len([one for one in caplog.records if one.name == "streaming.camera"]) == 1


@pytest.mark.parametrize(
    ("offer", "told"),
    [("", "does not begin with v=0"), ("v=0\r\n", "asks for no video"), ("v=0\r\nm=video 9 x 0\r\n", "bundle")],
)
def test_offer_that_is_none_is_refused(offer: str, told: str) -> None:
    async def main() -> None:
        async with Camera(Note) as camera:
            with pytest.raises(SignallingError, match=told):
                await camera.join(offer)
            assert not camera.taken

    run(main())


def test_offer_that_sends_nothing_is_refused() -> None:
    async def main() -> None:
        async with Camera(Note) as camera, sending("recvonly") as (_, offer):
            with pytest.raises(SignallingError, match="does not send video"):
                await camera.join(offer)

    run(main())
