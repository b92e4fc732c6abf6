"""The show of a channel: what operators do with it, what the clock makes it do, and what is kept of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from anchor.broadcast.airing import Air, Origin
from anchor.broadcast.conductor import Conductor, Utter
from anchor.broadcast.journal import named
from anchor.broadcast.keeper import Keeper
from anchor.broadcast.order import Order
from anchor.broadcast.position import restore, snapshot
from anchor.broadcast.prose import read_marked
from anchor.broadcast.run import Rundown
from anchor.broadcast.schedule import Schedule, Slot
from anchor.broadcast.script import Segment, speakable
from anchor.broadcast.view import running_order
from anchor.clock import Clock, wall_time
from anchor.errors import CapacityError, ConflictError, RundownError, ScriptError
from anchor.graphics import NO_GRAPHICS, Graphics
from anchor.onair import Aired, Breaking, Problem, RunningOrder
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import Performance, Utterance

__all__ = ["Rundown", "Show", "Slot"]

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
LONGEST_QUEUE = 100
"""Breaking news that may wait."""

TAKEOVER_PRIORITY = 20
FINISH_SECONDS = 20.0
"""How long the end of a sentence is awaited when the show is stopped."""

SAVING_SECONDS = 2.0
"""How long an edit waits for the disk."""

Kind = Literal["text", "markdown", "html"]


class Show:
    """The `Desk` of a channel, on one performer.

    `rundowns` are aired in turn, again and again with `loop`, each followed by `pause` seconds; `slots` by the clock;
    `filler` when there is nothing else. With a `state` folder the show goes on where it was, and what it aired is kept
    there, for `retention_days` or, with 0, for ever.
    `standing` is what is shown while nothing is said, `slate` after `kill`. With `ends`, `run` returns when all has
    been said. Levels of urgency, up to 5, are added to `priority`. `avatar` tells who is seen where a segment does not
    say, for the log. `wall` gives seconds of the wall clock, which may jump.

    `reader` makes of an edited document a rundown in place of another, or raises `RundownError`; `checker` finds its
    problems. Both may block. `previewer` and `drafter` are what the `Desk` says of `preview` and `draft`.

    Raises `ConfigError` for a slot that cannot be, `StoreError` for a folder that cannot be used.
    """

    def __init__(
        self,
        performer: Performer,
        utter: Utter,
        clock: Clock,
        *,
        rundowns: Sequence[Rundown] = (),
        loop: bool = True,
        pause: float = 0.0,
        slots: Sequence[Slot] = (),
        filler: Sequence[Segment] = (),
        state: Path | None = None,
        retention_days: float = 0.0,
        priority: int = 0,
        standing: Graphics = NO_GRAPHICS,
        slate: str = "",
        ends: bool = False,
        language: str = "en",
        avatar: Callable[[], str] = str,
        wall: Callable[[], float] = lambda: wall_time().timestamp(),
        reader: Callable[[Mapping[str, Any], Rundown], Rundown] | None = None,
        checker: Callable[[Mapping[str, Any], Rundown], Sequence[Problem]] | None = None,
        previewer: Callable[[Mapping[str, Any], Rundown, int], Awaitable[bytes]] | None = None,
        drafter: Callable[[str, Kind], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._performer, self._clock, self._wall = performer, clock, wall
        self._ends, self._language = ends, language
        self._standing, self._slate = standing, slate
        self._reader, self._checker, self._previewer, self._drafter = reader, checker, previewer, drafter
        self._schedule = Schedule(slots, wall())
        self._keeper = Keeper(state, wall=wall, clock=clock, retention_days=retention_days)
        self._air = Air(self._keeper, clock, wall=wall, avatar=avatar)
        scheduled = [slot.rundown for slot in slots]
        self._sources = {rundown.key: rundown.digest() for rundown in (*rundowns, *scheduled)}
        self._edited: dict[str, str] = {}
        """Names of edited documents by their rundowns' keys."""
        self._documents: dict[str, Mapping[str, Any]] = {}
        self._kept: Mapping[str, Any] = {}
        place = self._keeper.journal.load() if self._keeper.journal is not None else None
        edits = self._edits(place, [*rundowns, *scheduled]) if place is not None else {}
        self._order = Order(
            [edits.get(rundown.key, rundown) for rundown in rundowns],
            slots=[edits.get(rundown.key, rundown) for rundown in scheduled],
            loop=loop, pause=pause, filler=filler, patient=clock.live, tries=1 if ends else 10,
        )  # fmt: skip
        if place is not None:
            restore(self._order, place["order"])
            self._schedule.restore(place["schedule"])
        self._conductor = Conductor(
            self._order, performer, utter, clock, air=self._air, changed=self._changed, priority=priority
        )
        self._priority = priority
        self._taking: Performance | None = None
        self._over = asyncio.Event()
        self._stopped = False

    def _edits(self, place: Mapping[str, Any], rundowns: Sequence[Rundown]) -> dict[str, Rundown]:
        """Rundowns as they had been edited, where their files have not changed since."""
        found: dict[str, Rundown] = {}
        for rundown in rundowns:
            name = place["edited"].get(rundown.key)
            if name is None or self._keeper.journal is None or self._reader is None:
                continue
            if place["sources"].get(rundown.key) != self._sources[rundown.key]:
                log.warning("%s has changed; how it was edited on air is left behind", rundown.name)
                continue
            document = self._keeper.journal.document(name)
            try:
                if document is not None:
                    found[rundown.key] = self._reader(document, rundown)
                    self._edited[rundown.key], self._documents[name] = name, document
            except ScriptError as error:
                log.error("%s cannot be aired any more as it was edited: %s", rundown.name, error)
        return found

    # Running

    async def run(self) -> None:
        """Run the show until `stop`, or with `ends` until all has been said. The performer has to be open."""
        self._over.clear()
        self._stand()
        try:
            async with asyncio.TaskGroup() as tasks:
                serving = [tasks.create_task(self._keeper.run(), name="keep the show")]
                if self._clock.live:
                    serving.append(tasks.create_task(self._tick(), name="the show's second hand"))
                self._conductor.start(tasks)
                try:
                    await self._over.wait()
                finally:
                    self._conductor.stop()
                    for task in serving:
                        task.cancel()
        finally:
            if problem := self._keeper.write(self._wall()):
                log.error(problem)

    async def _tick(self) -> None:
        while True:
            for number in self._schedule.due(self._wall()):
                if not self._order.due(number, cut_in=self._schedule.slots[number].cut_in):
                    log.warning("%s is due again and waits already", self._schedule.slots[number].rundown.name)
            self._order.tick(self._clock.now(), busy=self._performer.on_air is not None)
            self._conductor.watch()
            self._conductor.reconcile()
            await self._clock.sleep_until(self._clock.now() + TICK_SECONDS)

    def _changed(self) -> None:
        """Keep where the show is, and see whether it is over."""
        if self._keeper.journal is not None:
            place = {
                "order": snapshot(self._order),
                "schedule": self._schedule.snapshot(),
                "sources": self._sources,
                "edited": dict(self._edited),
            }
            if place != self._kept:
                self._kept = place
                self._keeper.place((place, {name: self._documents[name] for name in self._edited.values()}))
        if self._taking is not None and self._taking.outcome is not None:
            self._taking, self._order.takeover = None, False
        if self._ends and self._order.over and not self._conductor.others:
            self._over.set()

    def _stand(self) -> None:
        self._performer.standing = Graphics(slate=self._slate) if self._order.killed else self._standing

    async def stop(self, *, finish: bool) -> None:
        """End `run`, with `finish` after the sentence that is on air; next time the show goes on at its segment."""
        if self._stopped or not self._conductor.running:
            return
        self._stopped = True
        if finish and self._performer.on_air is not None:
            try:
                async with asyncio.timeout(FINISH_SECONDS):
                    await self._performer.sentence_end()
            except TimeoutError:
                log.warning("the show was stopped within a sentence: it had no end for %g seconds", FINISH_SECONDS)
        self._over.set()

    # What operators do

    def order(self) -> RunningOrder:
        on_air = self._performer.on_air
        begun = on_air.sounded_at if on_air is not None else None
        return replace(
            running_order(self._order, ready=self._conductor.ready, next_start=self._schedule.next_start()),
            elapsed=None if begun is None else self._clock.now() - begun,
        )

    def aired(self, limit: int) -> Sequence[Aired]:
        return self._keeper.aired(limit)

    @property
    def problem(self) -> str:
        """Why nothing is kept on disk, while that is so."""
        return self._keeper.problem

    @property
    def failures(self) -> int:
        """Segments in a row that have failed."""
        return self._order.source.failures

    def _rundown(self) -> Rundown:
        """The one that is edited: of the run that is on air. Raises `ScriptError`."""
        if self._order.current is None:
            raise ScriptError("the show has no rundown")
        return self._order.current.rundown

    async def check(self, document: Mapping[str, Any]) -> Sequence[Problem]:
        if self._checker is None:
            return ()
        return await asyncio.to_thread(self._checker, document, self._rundown())

    async def edit(self, document: Mapping[str, Any], version: int) -> RunningOrder:
        if self._reader is None:
            raise RundownError("the rundown of this show cannot be edited")
        name = self._rundown().name
        rundowns = (*self._order.program.rundowns, *self._order.slots)
        before = {rundown.key: rundown for rundown in rundowns if rundown.name == name}
        self._compare(version)
        edited = {key: await asyncio.to_thread(self._reader, document, rundown) for key, rundown in before.items()}
        # Reading takes a while, in which another may have been quicker.
        self._compare(version)
        for key, rundown in edited.items():
            self._edited[key] = named(rundown.document)
            self._documents[self._edited[key]] = rundown.document
        self._documents = {name: self._documents[name] for name in self._edited.values()}
        self._order.edit(edited)
        self._act()
        if self._conductor.running:
            try:
                async with asyncio.timeout(SAVING_SECONDS):
                    await self._keeper.kept()
            except TimeoutError:
                log.warning("the disk takes longer than %g s to keep an edit", SAVING_SECONDS)
        return self.order()

    def _compare(self, version: int) -> None:
        if version != self._order.version:
            raise ConflictError("the rundown has changed meanwhile; look at it again and repeat the edit")

    def _act(self) -> None:
        """What the order now wants is done at once, or when the show runs."""
        if self._conductor.running:
            self._conductor.reconcile()
        else:
            self._changed()

    async def breaking(self, news: Breaking) -> str:
        if not speakable(news.text):
            raise ScriptError("text: there is nothing to say in it")
        self._check_open()
        if len(self._order.breaking) >= LONGEST_QUEUE:
            raise CapacityError(f"{LONGEST_QUEUE} breaking news are waiting already")
        marked = read_marked(news.text, news.language or None, "text", 1)
        segment = Segment(
            marked.text, news.language or self._language, lower_third=news.lower_third, spans=marked.spans,
            graphics=replace(self._standing, headline=news.headline),
        )  # fmt: skip
        utterance = await self._conductor.utterance(segment, 0.0)
        self._check_open()
        entry = self._order.news(segment)
        self._conductor.give(entry, utterance)
        return entry.id

    def _check_open(self) -> None:
        if not self._conductor.running:
            raise CapacityError("the show is not on air")
        if self._order.killed:
            raise CapacityError("the show was killed; let it go on first")

    def say(self, utterance: Utterance) -> Performance:
        """Say something besides the show, at its priority; it is in the log. Raises `CapacityError`."""
        self._check_open()
        return self._conductor.add(utterance, Origin("say", utterance.id))

    async def hold(self) -> None:
        self._order.hold()
        self._act()

    async def go(self) -> None:
        self._order.go()
        self._stand()
        self._act()

    async def skip(self) -> None:
        on_air = self._performer.on_air
        if on_air is not None and on_air in self._conductor.others:
            self._performer.drop(on_air)
        else:
            self._order.skip()
        self._act()

    async def jump(self, segment: str) -> None:
        self._order.jump(segment)
        self._act()

    async def kill(self) -> None:
        """As the `Desk` says; breaking news that waits is gone, and what was cut of the rundown has its turn again."""
        self._order.kill()
        self._stand()
        for performance in filter(None, (self._performer.on_air, *self._performer.waiting)):
            self._performer.drop(performance)
        self._act()

    def takeover(self, utterance: Utterance, *, at_once: bool = False) -> Performance:
        """A person speaks in place of the show, from the next sentence end or at once, until the utterance has ended.

        What is cut at once is said again from its beginning. Raises `CapacityError`.
        """
        self._check_open()
        if at_once:
            self._order.cut()
        performance = self._conductor.add(
            replace(utterance, priority=self._priority + TAKEOVER_PRIORITY), Origin("takeover", utterance.id)
        )
        self._taking, self._order.takeover = performance, True
        self._act()
        return performance

    async def preview(self, document: Mapping[str, Any], segment: int) -> bytes:
        if self._previewer is None:
            raise RundownError("there is no preview for this show")
        return await self._previewer(document, self._rundown(), segment)

    async def draft(self, article: str, kind: Kind) -> Mapping[str, Any]:
        if self._drafter is None:
            raise ScriptError("drafts are not to be had for this show")
        return await self._drafter(article, kind)
