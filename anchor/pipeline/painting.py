"""Painting: the mouths of a driver of patches, asked for shortly before they are shown and faded in and out.

A patch is painted over one picture of the footage, and only the stream knows which picture a moment will fall on. So
the driver hands out cues, and here, as soon as a moment's place in the stream is known, a few beats ahead, its patch is
asked for. Whatever goes wrong, lips by numbers are there for every moment: a patch that is missing is faded into them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from anchor.clock import Clock
from anchor.errors import AnchorError, LateError
from anchor.media import Blendshapes, DrawnFace, MouthPatch, PatchedFace, VideoFormat
from anchor.ports import Painter, Stage

log = logging.getLogger(__name__)

AHEAD = 4
"""Beats ahead for which patches are asked: time for a model to work, and little to throw away on an interruption."""
FADE_SECONDS = 0.08
"""From a patch to lips by numbers, and back."""
DRAW_SECONDS = 0.018
"""What drawing a picture takes of its beat: the patch must be there before."""


@dataclass(slots=True)
class PaintingCounters:
    painted: int = 0
    late: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Order:
    """A face whose patch was asked for; it is held so that its identity stays its own."""

    face: Blendshapes
    by: float
    task: asyncio.Task[MouthPatch | AnchorError]


class Painting:
    """One stream's patches, over the footage that `stage` shows.

    Without a painter, lips go by numbers alone. `ahead` and `face` are called once for every beat, in this order.
    """

    def __init__(self, video: VideoFormat, clock: Clock, stage: Stage, painter: Painter | None = None) -> None:
        self._painter = painter
        self._stage = stage
        self.counters = PaintingCounters()
        self._beat = video.seconds_per_beat
        self._fade = 1 / max(1, round(FADE_SECONDS * video.fps))
        self._clock = clock
        self._tasks: asyncio.TaskGroup | None = None
        self._orders: dict[int, _Order] = {}
        self._last: MouthPatch | None = None
        self._strength = 0.0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Own the work in progress for as long as the context lasts; leaving it cancels what is left."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            except Exception as error:  # goes on below, as itself rather than in a group
                failure = error
            finally:
                self._tasks = None
                for order in self._orders.values():
                    order.task.cancel()
                self._orders.clear()
        if failure is not None:
            raise failure

    def exchange(self, painter: Painter | None) -> None:
        """Go on with another painter, as another avatar is shown: no mouth of the one before is laid over it."""
        self._painter, self._last, self._strength = painter, None, 0.0
        self._drop(set())

    def _drop(self, wanted: set[int]) -> None:
        for key in [key for key in self._orders if key not in wanted]:
            self._orders.pop(key).task.cancel()

    def ahead(self, faces: Sequence[Blendshapes], deadline: float) -> None:
        """Ask for the patches of the next faces: the first of them is shown at `deadline`, the others a beat apart."""
        painter = self._painter
        self._drop({id(face) for face in faces})
        if painter is None or self._tasks is None:
            return
        for index, face in enumerate(faces):
            if face.cue is None or id(face) in self._orders:
                continue
            by = deadline + index * self._beat - DRAW_SECONDS if self._clock.live else float("inf")
            work = self._paint(painter, face.cue, self._stage.base(index + 1), by)
            self._orders[id(face)] = _Order(face, by, self._tasks.create_task(work))

    @staticmethod
    async def _paint(painter: Painter, cue: object, base: int, deadline: float) -> MouthPatch | AnchorError:
        try:
            return await painter.paint(cue, base, deadline=deadline)
        except AnchorError as error:  # raised here, it would end all of the group
            return error

    async def face(self, face: Blendshapes, shown: Blendshapes | None = None, *, theirs: float = 0.0) -> DrawnFace:
        """The face with its patch, if that is there; on a clock that does not wait it is waited for.

        `shown` is what was made of the driver's face meanwhile; `theirs`, 0..1, how much of its mouth is not speech's.
        Raises `ModelError` there for a model that failed; while somebody is watching that only ends the patches.
        """
        order = self._orders.pop(id(face), None)
        patch = await self._patch(order) if order is not None else None
        if patch is not None:
            self._last = patch
        way = self._fade if patch is not None else -self._fade
        self._strength = min(1.0, max(0.0, self._strength + way))
        shown = face if shown is None else shown
        if self._last is None or self._strength < 1e-6:
            self._last = None
            return shown
        strength = self._strength * (1 - theirs)
        return PatchedFace(shown, self._last, strength) if strength > 0 else shown

    async def _patch(self, order: _Order) -> MouthPatch | None:
        if self._clock.live and not order.task.done():
            # What is left of the beat is the patch's; the timer is the loop's, as a live clock's is.
            await asyncio.wait([order.task], timeout=max(0.0, order.by - self._clock.now()))
        if not order.task.done() and self._clock.live:
            order.task.cancel()
            self.counters.late += 1
            return None
        found = await order.task
        if isinstance(found, MouthPatch):
            self.counters.painted += 1
            return found
        if isinstance(found, LateError):
            self.counters.late += 1
            return None
        if not self._clock.live:
            raise found
        self.counters.failed += 1
        log.error("a mouth could not be painted; lips go by numbers: %s", found)
        return None
