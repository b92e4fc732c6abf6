"""Playout: the gate. The only place that turns utterance time into stream time, and the only one that paces.

Every beat that leaves goes through `Playout.run`: the performer says what it holds, the scene draws it in a worker
thread, and at its absolute deadline picture and sound are released together to all sinks.

Late policy: sound is master. A picture that is not drawn in time is replaced by the one before, and counted; the
drawing goes on and shows up when it is done. A picture that cannot be drawn is replaced in the same way while somebody
is watching. When the whole process stood still for longer than `SLIP_SECONDS`, deadlines are moved instead of sending
a burst of stale beats.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from anchor.clock import Clock
from anchor.media import Beat, Blendshapes, DrawnFace, Look, Picture, VideoFormat
from anchor.pipeline.acting import Acting, Actor
from anchor.pipeline.manner import Manner
from anchor.pipeline.painting import AHEAD, Painting
from anchor.pipeline.performer import Performer, Step
from anchor.pipeline.utterance import Performance
from anchor.ports import Scene, Sink

log = logging.getLogger(__name__)

SLIP_SECONDS = 0.2


class LivingFace(Protocol):
    """What moves in a face by itself; asked once for every beat, in order."""

    def frame(self, speaking: bool) -> Blendshapes: ...


@dataclass(slots=True)
class PlayoutCounters:
    beats: int = 0
    late_pictures: int = 0
    slips: int = 0
    last_lag_seconds: float = 0.0


class Playout:
    """One stream: a performer's beats, drawn and released to sinks at an even pace.

    The first beat has the index `first`. Without `burn_captions` the beats carry their captions, but the pictures do
    not show them. `time_of_day` is what a clock in the picture shows at a beat.
    """

    def __init__(
        self,
        performer: Performer,
        life: LivingFace,
        scene: Scene,
        sinks: Sequence[Sink],
        clock: Clock,
        *,
        first: int = 0,
        manner: Manner | None = None,
        painting: Painting | None = None,
        actor: Actor | None = None,
        burn_captions: bool = True,
        on_beat: Callable[[Beat], None] | None = None,
        time_of_day: Callable[[int], str] | None = None,
    ) -> None:
        self.counters = PlayoutCounters()
        self._performer = performer
        self._life = life
        self._manner = manner or Manner(performer.video.fps)
        self._painting = painting
        self._acting = Acting(performer.video, actor)
        self._begun: Performance | None = None
        self._scene = scene
        self._sinks = sinks
        self._clock = clock
        self._first = first
        self._burn_captions = burn_captions
        self._on_beat = on_beat
        self._time_of_day = time_of_day
        self._video: VideoFormat = performer.video
        self._drawing: asyncio.Future[Picture] | None = None
        self._picture: Picture | None = None

    async def run(self) -> None:
        """Release beats until the performer has finished, or for ever."""
        async with contextlib.nullcontext() if self._painting is None else self._painting.open():
            await self._play()

    async def _play(self) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="draw")
        try:
            start = self._clock.now()
            index = self._first
            while (step := await self._performer.next()) is not None:
                deadline = start + (index - self._first) * self._video.seconds_per_beat
                picture = await self._draw(index, step, thread, deadline)
                await self._clock.sleep_until(deadline)
                lag = self._clock.now() - deadline
                if lag > SLIP_SECONDS:
                    start += lag
                    self.counters.slips += 1
                self.counters.last_lag_seconds = lag
                await self._release(index, step, picture)
                index += 1
        finally:
            thread.shutdown(wait=False, cancel_futures=True)

    async def _draw(self, index: int, step: Step, thread: ThreadPoolExecutor, deadline: float) -> Picture:
        """The picture for this beat, or the one before when drawing does not keep up."""
        speaking = step.speaking
        self._begin(step)
        living = self._life.frame(speaking) + self._mannered(step)
        own = self._acting.frame(step.face + living, step.performance)
        face: DrawnFace = own
        if self._painting is not None:
            self._painting.ahead([step.face, *self._performer.upcoming(AHEAD)], deadline)
            face = await self._painting.face(step.face, own, theirs=self._acting.mouth)
        if self._drawing is None:
            caption = step.caption if self._burn_captions else None
            clock = self._time_of_day(index) if self._time_of_day is not None else ""
            look = Look(face, caption, step.lower_third, step.graphics, clock, step.since)
            self._drawing = asyncio.get_running_loop().run_in_executor(thread, self._scene.draw, look)
        if self._picture is None or not self._clock.live:
            self._picture, self._drawing = await self._drawing, None
            return self._picture
        await asyncio.wait([self._drawing], timeout=max(0.0, deadline - self._clock.now()))
        if not self._drawing.done():
            self.counters.late_pictures += 1
            return self._picture
        drawn, self._drawing = self._drawing, None
        if (error := drawn.exception()) is not None:
            self.counters.late_pictures += 1
            log.error("a picture could not be drawn; the one before stays", exc_info=error)
        else:
            self._picture = drawn.result()
        return self._picture

    def _begin(self, step: Step) -> None:
        """What belongs to the first beat of an utterance."""
        performance = step.performance
        if performance is None or performance is self._begun:
            return
        self._begun = performance
        for gesture in performance.utterance.gestures:
            self._manner.make(gesture)
        if performance.utterance.on_air is not None:
            performance.utterance.on_air()

    def _mannered(self, step: Step) -> Blendshapes:
        """What mood and gestures add to this beat's face."""
        for gesture in step.gestures:
            self._manner.make(gesture)
        return self._manner.frame(speaking=step.performance is not None, mood=step.mood)

    async def _release(self, index: int, step: Step, picture: Picture) -> None:
        audio, words = self._performer.release(step)
        performance = step.performance
        beat = Beat(
            index, picture, audio, step.speaking, performance.id if performance else None, words, step.caption,
            step.face.lips, step.block.marks if step.block is not None else (),
        )  # fmt: skip
        self.counters.beats += 1
        if self._on_beat is not None:
            self._on_beat(beat)
        for sink in self._sinks:
            await sink.send(beat)
