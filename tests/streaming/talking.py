"""A visitor of aiortc with a microphone, and a listener who notes what comes."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import Mapping
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from anchor.clock import LoopClock
from anchor.media import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE // 50


class Note:
    """Writes down what is heard and told, with when."""

    def __init__(self) -> None:
        self.sounds: list[tuple[Samples, float]] = []
        self.messages: list[Mapping[str, Any]] = []
        self.comings: list[str] = []

    def hear(self, sound: Samples, at: float) -> None:
        self.sounds.append((sound, at))

    def told(self, message: Mapping[str, Any]) -> None:
        self.messages.append(message)

    def arrived(self) -> None:
        self.comings.append("arrived")

    def left(self) -> None:
        self.comings.append("left")

    @property
    def sound(self) -> Samples:
        return np.concatenate([sound for sound, _ in self.sounds]) if self.sounds else np.zeros(0, np.float32)


class Tone(MediaStreamTrack):
    """A microphone at its real pace: silence, and from the frame `begins` on a tone; `began_at` is its loop time."""

    kind = "audio"

    def __init__(self, *, begins: int = 0, level: float = 0.3) -> None:
        super().__init__()
        self.began_at: float | None = None
        self._begins = begins
        self._level = level
        self._clock: LoopClock | None = None
        self._count = 0

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._clock is None:
            self._clock = LoopClock()
            self._start = self._clock.now()
        await self._clock.sleep_until(self._start + self._count / 50)
        when = np.arange(self._count * FRAME, (self._count + 1) * FRAME) / SAMPLE_RATE
        loud = self._count >= self._begins
        if loud and self.began_at is None:
            self.began_at = asyncio.get_running_loop().time()
        wave = self._level * np.sin(2 * np.pi * 440 * when) * loud
        # Both sides: aiortc would make a single one quieter.
        both = np.repeat((wave * 32767).astype(np.int16), 2)
        frame = av.AudioFrame.from_ndarray(both[None], format="s16", layout="stereo")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._count * FRAME
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        self._count += 1
        return frame
