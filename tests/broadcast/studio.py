"""A show in virtual time: the real performer and playout, a voice of tones, and a wall clock that can be set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from anchor.broadcast.conductor import Utter
from anchor.broadcast.script import Script, Segment
from anchor.broadcast.show import Rundown, Show, Slot
from anchor.clock import LoopClock
from anchor.errors import RundownError, VoiceError
from anchor.graphics import Graphics
from anchor.media import Beat, VideoFormat
from anchor.onair import Desk
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.testing import FakeDriver, FakeScene, FakeSink, FakeVoice, StillLife

VIDEO = VideoFormat(64, 64, 10)


def rundown(*texts: str, name: str = "news", ids: bool = True) -> Rundown:
    """A rundown of segments named by the first word of their text."""
    document = {"title": name, "segments": [{"id": text.split()[0], "text": text} for text in texts]}
    return read(document, Rundown(name, Script(name, ())))


def read(document: Mapping[str, Any], before: Rundown) -> Rundown:
    if any("BAD" in segment["text"] for segment in document["segments"]):
        raise RundownError("there is BAD in it")
    segments = [
        Segment(segment["text"], "en", id=segment["id"], line=number, pause=segment.get("pause", 0.0))
        for number, segment in enumerate(document["segments"], start=1)
    ]
    return Rundown(before.name, Script(document["title"], tuple(segments)), document, before.language)


@dataclass
class Studio:
    rundowns: Sequence[Rundown] = ()
    loop: bool = False
    pause: float = 0.0
    slots: Sequence[Slot] = ()
    filler: Sequence[Segment] = ()
    state: Path | None = None
    ends: bool = False
    wall_began: float = datetime.fromisoformat("2026-03-01T09:00:00+00:00").timestamp()
    making: float = 0.0
    """Seconds that an utterance takes to be made."""
    voice: FakeVoice = field(default_factory=FakeVoice)
    step: float = 0.0
    """By how much the wall clock has been set."""
    on_beat: Callable[[Beat], None] | None = None
    down: bool = False
    """The voice refuses everything."""

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.performer = Performer(FakeDriver(), VIDEO, self.clock)
        self.scene = FakeScene(VIDEO)
        self.heard: list[tuple[float, str]] = []
        """Words, and when they had been heard."""
        self.utter: Utter = self._utter
        self.show = Show(
            self.performer, lambda *segment: self.utter(*segment), self.clock, rundowns=self.rundowns,
            loop=self.loop, pause=self.pause, slots=self.slots, filler=self.filler, state=self.state, ends=self.ends,
            wall=self.wall, reader=read, slate="Back soon", standing=Graphics(kicker="standing"), avatar=lambda: "lin",
        )  # fmt: skip

    @property
    def desk(self) -> Desk:
        """The show as operators have it."""
        return self.show

    def wall(self) -> float:
        return self.wall_began + self.now + self.step

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _utter(self, segment: Segment, pause: float) -> Utterance:
        if self.making:
            await self.after(self.making)
        if self.down or "REFUSE" in segment.text:
            raise VoiceError("the voice is down")
        return Utterance(segment.text, segment.language, self.voice, pause=pause, lead=3, graphics=segment.graphics)

    async def after(self, seconds: float) -> None:
        await self.clock.sleep_until(self.now + seconds)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that must come within two minutes."""
        for _ in range(2400):
            if condition():
                return
            await self.after(0.05)
        raise AssertionError(f"it did not come; heard: {self.text}")

    @contextlib.asynccontextmanager
    async def on_air(self) -> AsyncIterator[Show]:
        sink = FakeSink(self._beat)
        playout = Playout(self.performer, StillLife(), self.scene, [sink], self.clock)
        async with self.performer.open(), asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(playout.run())
            running = tasks.create_task(self.show.run())
            yield self.show
            running.cancel()
            playing.cancel()

    def _beat(self, beat: Beat) -> None:
        self.heard += [(self.now, word.text) for word in beat.words]
        if self.on_beat is not None:
            self.on_beat(beat)

    @property
    def text(self) -> str:
        return "".join(word for _, word in self.heard)
