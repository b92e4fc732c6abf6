"""A speaker's microphone by WebRTC: who is let in, what is heard, and that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import AudioStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from anchor.errors import CapacityError, SignallingError
from anchor.media import Samples
from streaming.takeover import SpeakerDoor
from tests.streaming.test_camera import Greys, run, until


class Tone(AudioStreamTrack):
    """A microphone that hears one tone, 20 ms at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    async def recv(self) -> Any:
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.02)
        when = (self._number * 960 + np.arange(960)) / 48_000
        sound = (8000 * np.sin(2 * np.pi * 300 * when)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound[None, :], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._number * 960, Fraction(1, 48_000)
        self._number += 1
        return frame


class Note:
    """Remembers what it heard of each speaker, and who has left."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []
        self.begun = self.left = 0

    def begin(self) -> tuple[Callable[[Samples, float], None], Callable[[], None]]:
        self.begun += 1
        return lambda sound, at: self.heard.append(sound), self.leave

    def leave(self) -> None:
        self.left += 1


@asynccontextmanager
async def sending(track: Any = None, direction: str = "sendonly") -> AsyncIterator[tuple[RTCPeerConnection, str]]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver(track or Tone(), direction=direction)
    try:
        await connection.setLocalDescription(await connection.createOffer())
        yield connection, connection.localDescription.sdp
    finally:
        await connection.close()


def test_speaker_is_heard_as_mono_sound_until_they_leave() -> None:
    async def main() -> None:
        note = Note()
        async with SpeakerDoor(note.begin) as door, sending() as (connection, offer):
            answer = await door.join(offer)
            assert "a=recvonly" in answer.sdp
            await connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            await until(lambda: len(note.heard) > 25)
            sound = np.concatenate(note.heard[10:20])
            assert sound.dtype == np.float32
            assert sound.shape == (9600,)
            assert 0.1 < float(np.sqrt(np.mean(sound**2))) < 0.3
            await door.leave(answer.viewer)
            assert (door.taken, note.begun, note.left) == (False, 1, 1)
            with pytest.raises(KeyError):
                await door.leave(answer.viewer)

    run(main())


def test_second_speaker_is_refused_and_whoever_is_dismissed_makes_room() -> None:
    async def main() -> None:
        note = Note()
        async with SpeakerDoor(note.begin) as door, sending() as (_, first), sending() as (_, second):
            await door.join(first)
            with pytest.raises(CapacityError, match="somebody speaks already"):
                await door.join(second)
            door.dismiss()
            assert not door.taken
            await door.join(second)
        assert note.left == 2, "who is there when the channel ends is let go, too"

    run(main())


def test_what_is_no_microphone_is_refused() -> None:
    async def main() -> None:
        note = Note()
        async with SpeakerDoor(note.begin) as door, sending(Greys()) as (_, picture), sending() as (_, sound):
            for offer in (
                "nonsense",
                picture,
                sound.replace("a=sendonly", "a=recvonly"),
                sound.replace("opus", "pcmx"),
            ):
                with pytest.raises(SignallingError):
                    await door.join(offer)
            assert not door.taken

    run(main())
