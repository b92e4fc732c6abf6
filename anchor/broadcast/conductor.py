"""Brings a performer to where the running order is, and tells the running order what happened.

Utterances are made, performed and dropped until the performer holds what is wanted, whatever was there before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from anchor.broadcast.airing import Air, Origin
from anchor.broadcast.entry import Entry
from anchor.broadcast.order import Order
from anchor.broadcast.script import Segment
from anchor.clock import Clock
from anchor.errors import AnchorError, VoiceError
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import Performance, Utterance

log = logging.getLogger(__name__)

MAKING_SECONDS = 60.0
"""How long an utterance may take to be made: opening an avatar, reading a clip."""

STALL_SECONDS = 15.0
"""Silence after which something that gives no sound is taken to have failed."""

BREAKING_LEAD = 3
"""Beats prepared before breaking news begins."""

Utter = Callable[[Segment, float], Awaitable[Utterance]]
"""Makes an utterance of a segment, with seconds of silence after it. Raises `AnchorError`: the segment has failed."""


class Conductor:
    """`changed` is called whenever something has happened. Levels of urgency are added to `priority`."""

    def __init__(
        self,
        order: Order,
        performer: Performer,
        utter: Utter,
        clock: Clock,
        *,
        air: Air,
        changed: Callable[[], None],
        priority: int = 0,
    ) -> None:
        self.others: list[Performance] = []
        """What is said besides the running order, and has not ended."""
        self._order, self._performer, self._utter, self._clock = order, performer, utter, clock
        self._air, self._changed, self._priority = air, changed, priority
        self._performed: dict[str, tuple[Entry, Performance]] = {}
        self._made: dict[str, Utterance] = {}
        self._making: dict[str, asyncio.Task[None]] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._stalled: tuple[Performance, float] | None = None
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def running(self) -> bool:
        return self._tasks is not None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin; the performer has to be open. After a fall, what was on air has its turn again."""
        self._order.cut()
        self._tasks = tasks
        self.reconcile()

    def stop(self) -> None:
        """Drop everything, and leave the order as it is."""
        self._tasks = None
        for task in (*self._making.values(), *self._following):
            task.cancel()
        for performance in [*(performance for _, performance in self._performed.values()), *self.others]:
            self._performer.drop(performance)
        self._air.close()
        self._performed, self._made, self._making, self.others = {}, {}, {}, []

    def ready(self, entry: Entry) -> bool:
        """Whether enough of it is prepared to go on air."""
        found = self._performed.get(entry.key)
        return found is not None and found[1].ready(found[1].utterance.lead)

    def reconcile(self) -> None:
        """Bring the performer to what is wanted."""
        if self._tasks is None:
            return
        self._collect()
        self._order.plan(self._clock.now())
        wanted = self._order.wanted()
        self._let_go({entry.key for entry in wanted})
        blocked: set[int] = set()
        for number, entry in enumerate(wanted):
            if entry.key in self._performed:
                continue
            if entry.key in self._made:
                if entry.level not in blocked:
                    self._perform(entry, wanted[number + 1 :])
                continue
            # Those of one level begin in the order in which they are performed.
            blocked.add(entry.level)
            if entry.key not in self._making:
                self._making[entry.key] = self._tasks.create_task(self._make(entry), name=f"make {entry.key}")
        self._changed()

    def _let_go(self, keys: set[str]) -> None:
        for key in [key for key in self._performed if key not in keys]:
            _, performance = self._performed.pop(key)
            self._performer.drop(performance)
            self._air.ended(performance)
        for key in [key for key in self._making if key not in keys]:
            self._making.pop(key).cancel()
        for key in [key for key in self._made if key not in keys]:
            del self._made[key]

    async def _make(self, entry: Entry) -> None:
        try:
            utterance = await self.utterance(entry.segment, entry.pause)
        except AnchorError as error:
            if self._making.pop(entry.key, None) is not None:
                log.error("segment %s has failed: %s", entry.id, error)
                self._air.refused(entry, str(error))
                self._order.ended(entry, "failed", self._clock.now(), str(error))
                self.reconcile()
        else:
            if self._making.pop(entry.key, None) is not None:
                self._made[entry.key] = utterance
                self.reconcile()

    async def utterance(self, segment: Segment, pause: float) -> Utterance:
        """Make an utterance. Raises `AnchorError`, also for one that is not made in time or by a defect of ours."""
        try:
            async with asyncio.timeout(MAKING_SECONDS):
                return await self._utter(segment, pause)
        except AnchorError:
            raise
        except TimeoutError:
            raise AnchorError(f"it was not made within {MAKING_SECONDS:g} seconds") from None
        except Exception as error:
            log.exception("a segment cannot be made")
            raise AnchorError(f"it cannot be made: {error!r}") from error

    def give(self, entry: Entry, utterance: Utterance) -> None:
        """An utterance that was made for an entry before it was in the order."""
        self._made[entry.key] = utterance
        self.reconcile()

    def _perform(self, entry: Entry, later: Sequence[Entry]) -> None:
        utterance = self._made.pop(entry.key)
        held = (self._performed.get(other.key) for other in later if other.level == entry.level)
        before = next((found[1] for found in held if found is not None), None)
        lead = min(utterance.lead, BREAKING_LEAD) if entry.kind == "breaking" else utterance.lead
        # Only what is below 0 fills gaps.
        priority = entry.level if entry.kind == "filler" else self._priority + entry.level
        utterance = replace(
            utterance, priority=priority, lead=lead, on_air=_first(utterance.on_air, lambda: self._began(entry))
        )
        performance = self._performer.perform(utterance, before=before)
        self._performed[entry.key] = (entry, performance)
        self._follow(performance)

    def add(self, utterance: Utterance, origin: Origin) -> Performance:
        """Say something besides the running order."""
        found: list[Performance] = []
        utterance = replace(
            utterance, on_air=_first(utterance.on_air, lambda: self._air.began(found[0], origin)),
        )  # fmt: skip
        found.append(self._performer.perform(utterance))
        self.others += found
        self._follow(found[0])
        return found[0]

    def _follow(self, performance: Performance) -> None:
        async def follow() -> None:
            await performance.wait()
            self.reconcile()

        assert self._tasks is not None
        task = self._tasks.create_task(follow(), name=f"follow {performance.id}")
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    def _began(self, entry: Entry) -> None:
        """Its first beat is about to be drawn, or its first since it was set aside."""
        self._collect()
        if entry.key in self._performed:
            self._air.began(self._performed[entry.key][1], Origin.of(entry))
            self._order.began(entry)
            self.reconcile()

    def _collect(self) -> None:
        """Tell the order what has ended."""
        for key, (entry, performance) in list(self._performed.items()):
            if (outcome := performance.outcome) is None:
                continue
            del self._performed[key]
            problem = str(performance.error) if outcome == "failed" else ""
            if outcome == "failed" and entry not in self._order.air:
                self._air.refused(entry, problem, performance.utterance)
            seconds = self._air.ended(performance)
            if outcome == "said" and entry.run is not None:
                entry.run.took[entry.id] = seconds
            self._order.ended(entry, outcome, self._clock.now(), problem)
        for performance in [other for other in self.others if other.outcome is not None]:
            self.others.remove(performance)
            self._air.ended(performance)

    def watch(self) -> None:
        """Take what gives no sound for too long to have failed; to be called every second or so."""
        on_air = self._performer.on_air
        stuck = on_air or next(iter(self._performer.waiting), None)
        if stuck is None or stuck.blocks.closed or (stuck.blocks if on_air else stuck.ready(stuck.utterance.lead)):
            self._stalled = None
        elif self._stalled is None or self._stalled[0] is not stuck:
            self._stalled = (stuck, self._clock.now())
        elif self._clock.now() - self._stalled[1] >= STALL_SECONDS:
            self._performer.drop(stuck, VoiceError(f"there was no sound for {STALL_SECONDS:g} seconds"))


def _first(hook: Callable[[], None] | None, then: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        if hook is not None:
            hook()
        then()

    return both
