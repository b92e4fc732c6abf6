"""The performer: plays utterances one after another, beat by beat, and is alive in between.

It decides what the next beat holds; it never waits when somebody is watching. `anchor.pipeline.playout` asks it for
each beat (`next`), tells it when the beat goes out (`release`), and paces.

Interrupting has two steps. `hush` silences the beat that is about to go out within its own 40 ms and eases the mouth
shut; nothing is thrown away. Then `resume` goes on from the word that was cut, or `cancel` drops the utterance.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from anchor.clock import Clock
from anchor.errors import AnchorError
from anchor.events import Caption, Gesture, LowerThird, Mood, Word
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.media import Blendshapes, FaceFrame, Samples, VideoFormat
from anchor.pipeline.utterance import Block, Outcome, Performance, Utterance
from anchor.ports import Driver

EASE = 0.55
"""What is left of the last face after each beat without speech: at rest within 160 ms."""

REPEATS = 2
"""Beats for which a missing face is repeated before the mouth eases to rest."""

HISTORY_SECONDS = 15
"""How far back `resume` can go to find the start of the word that was cut."""

State = Literal["idle", "speaking", "hushed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What the next beat holds, before it is drawn. `speaking` is about the sound, `face` without the idle life.

    `since` is the number of the block in its utterance; while it is hushed, of the last one.
    """

    audio: Samples
    face: FaceFrame
    performance: Performance | None = None
    block: Block | None = None
    caption: Caption | None = None
    lower_third: LowerThird | None = None
    speaking: bool = False
    graphics: Graphics = NO_GRAPHICS
    mood: Mood | None = None
    gestures: tuple[Gesture, ...] = ()
    since: int = 0


@dataclass(slots=True)
class Counters:
    """Beats that did not go as they should."""

    late_faces: int = 0
    starved: int = 0


class Performer:
    """Plays utterances on one stream.

    `prepare_ahead` utterances are prepared while one is on air, each at most `ahead_seconds` of it. With a live clock
    speech that is late is bridged by idle beats and a face that is late is repeated; otherwise both are waited for.
    The stream begins with `head_beats` idle beats and, after `finish`, ends with `tail_beats`. `on_end` is told of
    every utterance that has ended.
    """

    def __init__(
        self,
        driver: Driver,
        video: VideoFormat,
        clock: Clock,
        *,
        prepare_ahead: int = 2,
        ahead_seconds: float = 4.0,
        head_beats: int = 0,
        tail_beats: int = 0,
        on_end: Callable[[Performance], None] | None = None,
        mood: Callable[[], Mood] = lambda: "neutral",
    ) -> None:
        """`mood` tells what utterances are said in that bring none."""
        self.video = video
        self._mood = mood
        self._head_beats = head_beats
        self._tail_beats = tail_beats
        self._idled = 0
        self._on_end = on_end
        self.counters = Counters()
        self.standing = NO_GRAPHICS
        """What is shown while nothing is on air."""
        self._driver = driver
        self._clock = clock
        self._prepare_ahead = prepare_ahead
        self._ahead_seconds = ahead_seconds
        self._waiting: list[Performance] = []
        self._interrupted: list[Performance] = []
        self._on_air: Performance | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._changed = asyncio.Event()
        self._finishing = False
        self._silence = np.zeros(video.samples_per_beat, np.float32)
        self._face = Blendshapes()
        self._hush: Literal["no", "asked", "done"] = "no"
        self._fade_in = False
        self._between = True
        self._resting = asyncio.Event()
        self._resting.set()
        self._replay: deque[tuple[Block, FaceFrame]] = deque()
        self._history: deque[tuple[Block, FaceFrame]] = deque(maxlen=HISTORY_SECONDS * video.fps)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Performer]:
        """Own the tasks of all utterances for as long as the context lasts; leaving it cancels what is left."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield self
            except Exception as error:  # goes on below, as itself rather than in a group
                failure = error
            finally:
                self._tasks = None
                for performance in self._all():
                    self._end(performance, "cancelled")
                self._waiting.clear()
                self._interrupted.clear()
                self._leave()
                self._hush, self._fade_in = "no", False
        if failure is not None:
            raise failure

    @property
    def is_open(self) -> bool:
        return self._tasks is not None

    @property
    def state(self) -> State:
        if self._hush != "no":
            return "hushed"
        return "speaking" if self._on_air is not None else "idle"

    @property
    def on_air(self) -> Performance | None:
        return self._on_air

    @property
    def waiting(self) -> tuple[Performance, ...]:
        """Utterances that have not begun, or were put aside for a more urgent one, in the order they will go on."""
        return tuple(sorted([*self._interrupted, *self._waiting], key=lambda p: -p.utterance.priority))

    @property
    def performances(self) -> tuple[Performance, ...]:
        """On air and waiting."""
        return tuple(self._all())

    def _all(self) -> list[Performance]:
        on_air = [self._on_air] if self._on_air is not None else []
        return [*on_air, *self._interrupted, *self._waiting]

    def perform(self, utterance: Utterance, *, before: Performance | None = None) -> Performance:
        """Take an utterance on; it is prepared at once if it is among the next, and played in its turn.

        Its turn is after all others of its priority, or `before` one of those that has not begun.
        """
        if self._tasks is None:
            raise RuntimeError("the performer is not open")
        performance = Performance(
            utterance, self._driver, self.video, self._clock, ahead_seconds=self._ahead_seconds, mood=self._mood()
        )
        at = next(
            (
                i for i, other in enumerate(self._waiting)
                if other is before or other.utterance.priority < utterance.priority
            ),
            len(self._waiting),
        )  # fmt: skip
        self._waiting.insert(at, performance)
        self._prepare()
        self._changed.set()
        return performance

    def finish(self) -> None:
        """No more utterances will come: `next` ends after the last one."""
        self._finishing = True
        self._changed.set()

    def _prepare(self) -> None:
        for number, performance in enumerate(self._waiting):
            due = number < self._prepare_ahead or performance.utterance.priority < 0
            if due and not performance.started and self._tasks is not None:
                performance.start(self._tasks)

    # Interrupting

    def hush(self) -> None:
        """Fall silent within the beat that is about to go out; keep everything."""
        if self._on_air is not None and self._hush == "no":
            self._hush = "asked"

    def resume(self) -> None:
        """Go on after `hush`, from the start of the word that was cut."""
        if self._hush == "done" and self._on_air is not None:
            self._rewind(self._on_air)
            self._fade_in = True
        self._hush = "no"

    def cancel(self, *, everything: bool = False) -> Performance | None:
        """Drop the utterance on air, and with `everything` all that wait; what was heard of it is kept.

        One that is not interruptible stays, and None is returned.
        """
        performance = self._on_air
        if performance is not None and not performance.utterance.interruptible:
            return None
        if everything:
            for other in [*self._interrupted, *self._waiting]:
                self._end(other, "cancelled")
            self._interrupted.clear()
            self._waiting.clear()
        if performance is not None:
            self._end(performance, "cancelled")
            if self._hush == "no":
                self._hush = "asked"
        self._changed.set()
        return performance

    def drop(self, performance: Performance, error: AnchorError | None = None) -> None:
        """Drop one utterance, on air or not, even one that is not interruptible; with an `error` it has failed."""
        performance.error = performance.error or error
        self._end(performance, "failed" if error is not None else "cancelled")
        for queue in (self._waiting, self._interrupted):
            if performance in queue:
                queue.remove(performance)
        if performance is self._on_air and self._hush == "no":
            self._hush = "asked"
        self._prepare()
        self._changed.set()

    async def sentence_end(self) -> None:
        """Wait until nobody is in the middle of a sentence: what is cut then is missed by nobody."""
        await self._resting.wait()

    def _rewind(self, performance: Performance) -> None:
        """Put back what was played since the last word began, if that word was cut."""
        played = list(self._history)
        for back, (block, _) in enumerate(reversed(played), start=1):
            if block.begun:
                if block.begun[-1] not in performance.heard:
                    again = [(_unheard(played_block, performance.heard), face) for played_block, face in played[-back:]]
                    self._replay.extendleft(reversed(again))
                return

    # Playing

    async def next(self) -> Step | None:
        """What the next beat holds; None when `finish` was called and everything has been said."""
        while True:
            self._settle()
            if self._head_beats:
                self._head_beats -= 1
                return self._idle()
            self._choose()
            if self._finishing and not self._all():
                # Beats without speech count from the last utterance on, whenever it was known that it is the last.
                if self._at_rest and self._idled >= self._tail_beats:
                    return None
                return self._idle()
            if self._hush == "done":
                return self._idle()
            step = self._take()
            if step is not None:
                return step
            if self._clock.live or self._hush == "asked":
                if self._on_air is not None and not self._on_air.exhausted:
                    self.counters.starved += 1
                return self._idle()
            await self._progress()

    def upcoming(self, count: int) -> list[FaceFrame]:
        """The faces that come next, as things stand: up to `count` of what is on air."""
        performance = self._on_air
        if performance is None or self._hush != "no":
            return []
        waiting = [face for _, face in itertools.islice(self._replay, count)]
        return waiting + performance.faces.peek(count - len(waiting))

    def release(self, step: Step) -> tuple[Samples, tuple[Word, ...]]:
        """The sound of `step` at the moment it goes out, and the words that have been heard in full with it."""
        audio = step.audio
        if self._hush == "asked":
            self._hush = "done"
            return audio * np.linspace(1, 0, len(audio), dtype=np.float32), ()
        performance, block = step.performance, step.block
        if performance is None or block is None:
            return audio, ()
        if self._fade_in:
            self._fade_in = False
            audio = audio * np.minimum(1, np.linspace(0, 4, len(audio), dtype=np.float32))
        if block.speaking and performance.sounded_at is None:
            performance.sounded_at = self._clock.now()
        performance.heard += block.words
        if block.ends_sentence:
            self._resting.set()
        elif block.speaking:
            self._resting.clear()
        return audio, block.words

    def _settle(self) -> None:
        """Close the books on an utterance that has ended."""
        performance = self._on_air
        if performance is None:
            return
        if performance.outcome is None and not self._replay and performance.exhausted and self._hush != "done":
            self._end(performance, "failed" if performance.error is not None else "said")
        if performance.outcome is not None and self._hush != "asked":
            self._leave()
            if self._hush == "done":
                self._hush = "no"

    def _end(self, performance: Performance, outcome: Outcome) -> None:
        if performance.outcome is None:
            performance.end(outcome)
            if self._on_end is not None:
                self._on_end(performance)

    def _leave(self) -> None:
        self._on_air = None
        self._between = True
        self._resting.set()
        self._replay.clear()
        self._history.clear()

    def _choose(self) -> None:
        """Put on air what should be, at a sentence end when that means setting aside what is."""
        if self._hush != "no":
            return
        best = self._best()
        if best is None:
            return
        ready = self._ready(best)
        if self._on_air is None:
            if not ready and self._clock.live:
                best = next((other for other in self.waiting if other.utterance.priority < 0), best)
                ready = self._ready(best)
            if ready:
                self._enter(best)
        elif (
            ready and best.utterance.priority > self._on_air.utterance.priority
            and self._at_sentence_end and not self._on_air.exhausted
        ):  # fmt: skip
            aside = self._on_air
            self._leave()
            self._interrupted.append(aside)
            self._enter(best)

    def _ready(self, performance: Performance) -> bool:
        return performance.ready(performance.utterance.lead if self._clock.live else 1)

    def _best(self) -> Performance | None:
        waiting = self.waiting
        return waiting[0] if waiting else None

    @property
    def _at_sentence_end(self) -> bool:
        return self._between and not self._replay

    def _enter(self, performance: Performance) -> None:
        self._on_air = performance
        self._idled = 0
        for queue in (self._waiting, self._interrupted):
            if performance in queue:
                queue.remove(performance)
        self._prepare()

    def _take(self) -> Step | None:
        """The next block of what is on air with its face, if there is one now."""
        performance = self._on_air
        if performance is None:
            return None
        if self._replay:
            block, face = self._replay.popleft()
        else:
            if not performance.blocks or not (self._clock.live or performance.faces or performance.faces.closed):
                return None
            found = performance.blocks.take()
            assert found is not None
            block, face = found, self._next_face(performance)
        self._face = face
        # The pause after a sentence is as good a place for another utterance as its end.
        self._between = block.ends_sentence or (self._between and not block.speaking)
        self._history.append((block, face))
        gestures = performance.reach(block.marks)
        return Step(
            block.audio, face, performance, block, block.caption, performance.lower_third, block.speaking,
            performance.graphics, performance.mood, gestures, block.number,
        )  # fmt: skip

    def _next_face(self, performance: Performance) -> FaceFrame:
        """The face for the next block: sound is master, so late faces are dropped and a missing one is bridged."""
        while performance.missing_faces and len(performance.faces) > 1:
            performance.faces.take()
            performance.missing_faces -= 1
        face = performance.faces.take()
        if face is not None:
            return face
        self.counters.late_faces += 1
        performance.missing_faces += 1
        return self._face if performance.missing_faces <= REPEATS else self._eased()

    def _eased(self) -> FaceFrame:
        face = self._face
        return replace(
            face,
            cue=None,
            weights=face.weights * np.float32(EASE),
            head=replace(
                face.head, yaw=face.head.yaw * EASE, pitch=face.head.pitch * EASE, roll=face.head.roll * EASE,
                x=face.head.x * EASE, y=face.head.y * EASE,
            ),
            gaze=(face.gaze[0] * EASE, face.gaze[1] * EASE),
        )  # fmt: skip

    @property
    def _at_rest(self) -> bool:
        head = self._face.head
        turned = max(abs(head.yaw), abs(head.pitch), abs(head.roll), abs(head.x), abs(head.y))
        return float(self._face.weights.max(initial=0.0)) < 0.01 and turned < 0.001

    def _idle(self) -> Step:
        self._face = Blendshapes() if self._at_rest else self._eased()
        if self._on_air is None:
            self._idled += 1
            return Step(self._silence, self._face, graphics=self.standing)
        on_air = self._on_air
        since = self._history[-1][0].number if self._history else 0
        return Step(self._silence, self._face, lower_third=on_air.lower_third, graphics=on_air.graphics, since=since)

    async def _progress(self) -> None:
        """Wait until an utterance has something new: for the clock that does not run."""
        performance = self._on_air or self._best()
        if performance is None:
            self._changed.clear()
            await self._changed.wait()
            return
        if not performance.started and self._tasks is not None:
            performance.start(self._tasks)
        await performance.blocks.wait_ready()
        await performance.faces.wait_ready()


def _unheard(block: Block, heard: list[Word]) -> Block:
    """The block, to be played again, without the words that count as heard already, and the marks that were reached."""
    return replace(block, words=tuple(word for word in block.words if word not in heard), marks=())
