"""A stage for tests: a performer and a playout with fakes, in virtual time or on a clock that does not wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from anchor.clock import Clock, FreeClock, LoopClock
from anchor.events import Gesture, Mood
from anchor.media import Beat, VideoFormat
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Performance, Utterance
from anchor.ports import Driver
from anchor.testing import FakeDriver, FakeScene, FakeSink, FakeVoice, StillLife

VIDEO = VideoFormat(64, 64, 25)


@dataclass
class Stage:
    clock: Clock = field(default_factory=LoopClock)
    voice: FakeVoice = field(default_factory=FakeVoice)
    driver: Driver = field(default_factory=FakeDriver)
    on_beat: Callable[[Beat], None] | None = None

    def __post_init__(self) -> None:
        self.performer = Performer(self.driver, VIDEO, self.clock)
        self.sink = FakeSink(self.on_beat)
        self.scene = FakeScene(VIDEO)
        self.playout = Playout(self.performer, StillLife(), self.scene, [self.sink], self.clock)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        async with self.performer.open(), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.playout.run())
            yield self
            task.cancel()

    async def play(self) -> list[Beat]:
        """Run until everything has been said."""
        self.performer.finish()
        await self.playout.run()
        return self.sink.beats

    def say(
        self,
        text: str,
        *,
        priority: int = 0,
        lead: int = 3,
        interruptible: bool = True,
        mood: Mood | None = None,
        gestures: tuple[Gesture, ...] = (),
    ) -> Performance:
        return self.performer.perform(
            Utterance(
                text,
                "en",
                self.voice,
                priority=priority,
                lead=lead,
                interruptible=interruptible,
                mood=mood,
                gestures=gestures,
            )
        )

    async def after(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now() + seconds)


def free_stage() -> Stage:
    return Stage(clock=FreeClock())


def heard(beats: list[Beat]) -> str:
    return "".join(word.text for beat in beats for word in beat.words)
