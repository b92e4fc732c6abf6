"""The anchor's own voice in the visitor's microphone: how often it interrupts itself, and a visitor over it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from anchor.bench.measure import percentile
from anchor.bench.virtual import Hall, after, hall
from anchor.clock import LoopClock
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Beat, Samples
from anchor.ports import Voice
from anchor.talk import Recognizer
from anchor.testing import FakeDialogue

FRAME = SAMPLE_RATE // 50
OVER = 10.0
"""dB that a visitor is louder than the echo."""
SETTLED = 1.0
"""Seconds of the anchor's voice, after which it must not hear itself any more."""

DELAYS = (0.12, 0.3, 0.5)
TELLING = (
    "A transfer inside the country is free of charge, and one abroad costs ten euros. The branch is open from nine to "
    "five on weekdays. There is a garage under the branch, and the first hour is free."
)


@dataclass
class Loop:
    """A loudspeaker and a microphone: what goes out comes back `delay` seconds later, `gain` dB louder.

    `tail`: seconds in which the room dies away by 60 dB; `noise`: dB of full scale.
    """

    delay: float
    gain: float
    tail: float = 0.0
    noise: float = -70.0
    _sound: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    _began: float | None = None
    spoke: list[float] = field(default_factory=list)
    """When a beat went out that speaks."""

    def __post_init__(self) -> None:
        chance = np.random.default_rng(3)
        count = max(1, round(self.tail * SAMPLE_RATE))
        room = chance.standard_normal(count) * 10 ** (-3 * np.arange(count) / count) * 0.02
        room[0] = 1.0
        self._room = (room / np.sqrt((room**2).sum()) * 10 ** (self.gain / 20)).astype(np.float32)
        self._noise = chance

    def sent(self, beat: Beat) -> None:
        now = asyncio.get_running_loop().time()
        if beat.speaking:
            self.spoke.append(now)
        self._began = now if self._began is None else self._began
        if beat.audio.any():
            self.add(_through(beat.audio, self._room), now + self.delay)

    def add(self, sound: Samples, at: float) -> None:
        """Let a sound be in the room from `at` on."""
        assert self._began is not None
        place = round((at - self._began) * SAMPLE_RATE)
        missing = place + len(sound) - len(self._sound)
        if missing > 0:
            self._sound = np.concatenate([self._sound, np.zeros(missing + 10 * SAMPLE_RATE, np.float32)])
        self._sound[place : place + len(sound)] += sound

    def level(self, seconds: float) -> float:
        """Root mean square, in dB, of what came back last, without pauses."""
        assert self._began is not None
        end = round((asyncio.get_running_loop().time() - self._began) * SAMPLE_RATE)
        return loudness(self._sound[max(0, end - round(seconds * SAMPLE_RATE)) : end])

    async def play(self, there: Hall) -> None:
        """Let the conversation hear the room, until cancelled."""
        clock = LoopClock()
        while self._began is None:
            await after(0.01)
        for count in range(1, 1_000_000):
            await clock.sleep_until(self._began + count * FRAME / SAMPLE_RATE + 0.001)
            heard = self._sound[(count - 1) * FRAME : count * FRAME]
            sound = self._noise.standard_normal(FRAME).astype(np.float32) * np.float32(10 ** (self.noise / 20))
            sound[: len(heard)] += heard
            there.conversation.hear(sound, self._began + count * FRAME / SAMPLE_RATE)


def _through(sound: Samples, room: Samples) -> Samples:
    if len(room) == 1:
        return np.asarray(sound * room[0], np.float32)
    count = len(sound) + len(room) - 1
    size = 1 << count.bit_length()
    echo: Samples = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[:count].astype(np.float32)
    return echo


def loudness(sound: Samples) -> float:
    """Root mean square in dB of full scale of the parts that are no pause."""
    power = sound[: len(sound) // 480 * 480].reshape(-1, 480).var(axis=1)
    return float(10 * np.log10(power[power > power.max(initial=0.0) / 1000].mean() + 1e-12)) if power.any() else -120.0


@contextlib.asynccontextmanager
async def echoing(loop: Loop, voice: Voice, recognizer: Recognizer | None = None) -> AsyncIterator[Hall]:
    """A conversation whose visitor's microphone hears the anchor; it begins with the greeting."""
    there = hall(
        FakeDialogue({"go on": TELLING}), voice=voice, recognizer=recognizer, on_beat=loop.sent, greeted=False
    )  # fmt: skip
    async with there as conversation, asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(loop.play(conversation))
        yield conversation
        playing.cancel()


async def hushes(loop: Loop, voice: Voice, recognizer: Recognizer | None = None) -> tuple[int, int, int]:
    """Hushes by a greeting and an answer in the first second and after it, and cancels."""
    async with echoing(loop, voice, recognizer) as there:
        await there.mode("speaking")
        await there.mode("listening")
        there.conversation.type("go on")
        await there.mode("speaking")
        await there.mode("listening")
        await after(1.0)
        hushed = [at for at, message in there.told if message["type"] == "hush"]
        early = sum(at <= loop.spoke[0] + SETTLED for at in hushed)
        # What is typed cancels too, before there is anything to say.
        return early, len(hushed) - early, len(there.messages("cancel"))


async def onsets(loop: Loop, voice: Voice, visitor: Sequence[Samples], *, over: float = OVER) -> list[float]:
    """Seconds until the anchor is hushed, for each sound of a visitor who speaks into its words; infinity for never."""
    chance = random.Random(5)
    waits = []
    async with echoing(loop, voice) as there:
        await there.mode("speaking")
        await there.mode("listening")
        for sound in visitor:
            there.conversation.type("go on")
            await there.mode("speaking")
            await after(chance.uniform(1.5, 3.0))
            now = there.now
            loop.add(sound * np.float32(10 ** ((loop.level(1.5) + over - loudness(sound)) / 20)), now)
            waits.append(await _hushed(there, now) - now)
            await after(2.0)
            there.conversation.stop()
            await after(0.5)
    return waits


async def _hushed(there: Hall, since: float) -> float:
    with contextlib.suppress(TimeoutError):
        await there.until(lambda: _last_hush(there) > since, seconds=1.0)
    return last if (last := _last_hush(there)) > since else float("inf")


def _last_hush(there: Hall) -> float:
    return next((at for at, message in reversed(there.told) if message["type"] == "hush"), float("-inf"))


async def own_echo(voice: Voice) -> int:
    """How often the anchor is hushed by itself after the first second, over levels, delays and rooms."""
    return sum(
        [
            (await hushes(Loop(delay, gain, tail), voice))[1]
            for gain in (-20.0, -30.0) for delay in DELAYS for tail in (0.0, 0.3)
        ]
    )  # fmt: skip


async def onset_over_echo(voice: Voice, texts: Sequence[str]) -> float:
    """Milliseconds, median, after which a visitor is noticed over the echo."""
    visitor = [await spoken(voice, text) for text in texts]
    waits = [wait for gain in (-20.0, -30.0) for wait in await onsets(Loop(0.3, gain, 0.3), voice, visitor)]
    return 1000 * percentile(waits, 50)


async def spoken(voice: Voice, text: str, language: str = "en") -> Samples:
    """A text in a voice, without the silence around it."""
    sound = np.concatenate([chunk.audio async for chunk in voice.speak(Sentence(text, language))])
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1] + 1]
