"""The running order as a machine: facts and commands in, and out of it what the performer should hold now.

It knows no clock, no voice and no file. `anchor.broadcast.show` tells it what has happened, asks it what is `wanted`,
and brings the performer there; so every command works whatever is being prepared, cut or set aside at that moment.

What comes next is the first segment in order that waits: of scheduled rundowns first, then of the show's own, which
follow one another and, looping, begin anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from anchor.broadcast.entry import BREAKING_LEVEL, FILLER_LEVEL, JUMP_LEVEL, SCHEDULED_LEVEL, Entry, Outcome
from anchor.broadcast.program import Program
from anchor.broadcast.run import Run, Rundown, alike
from anchor.broadcast.script import Segment
from anchor.broadcast.source import Source

AHEAD = 2
"""Segments that wait, prepared, behind the one on air."""

FILLER_SECONDS = 3.0
"""Silence after which the filler begins."""
FILLER_REST = 10.0
"""Seconds before another filler is tried when one has failed."""


class Order:
    """`loop` begins the rundowns anew after the last, `pause` is the silence after each of them, in seconds."""

    def __init__(
        self,
        rundowns: Sequence[Rundown],
        *,
        slots: Sequence[Rundown] = (),
        loop: bool = True,
        pause: float = 0.0,
        filler: Sequence[Segment] = (),
        patient: bool = True,
        tries: int = 10,
    ) -> None:
        """`tries`: how often what failed while the source was down is tried when nothing else is left."""
        self.program = Program(rundowns, loop=loop)
        self.slots = list(slots)
        self.held = False
        self.killed = False
        self.takeover = False
        self.version = 1
        self.source = Source(patient=patient)
        self.scheduled: list[Run] = []
        self.air: list[Entry] = []
        """What has begun and not ended: the last is on air, the others were set aside for it."""
        self.planned: list[Entry] = []
        self.breaking: list[Entry] = []
        self.filler: Entry | None = None
        self._pause, self._tries = pause, tries
        self._fillers = list(filler)
        self._filled = 0
        self._filler_at = 0.0
        self._idle_since: float | None = None
        self._jumped: tuple[Run, str] | None = None
        self._numbers = itertools.count(1)
        self.breaking_number = 0
        self.run_number = 0
        self._shown = self.current

    @property
    def current(self) -> Run | None:
        """The run that is on air, or was last."""
        for entry in reversed(self.air):
            if entry.run is not None and not entry.run.replaced:
                return entry.run
        return next((run for run in self.scheduled if run.begun), next(iter(self.program.runs), None))

    @property
    def runs(self) -> list[Run]:
        """In the order in which they have their turn."""
        return [*self.scheduled, *self.program.runs]

    @property
    def on_air(self) -> Entry | None:
        return self.air[-1] if self.air else None

    @property
    def over(self) -> bool:
        """Whether all has been said and nothing will follow by itself."""
        on_air = any(entry.kind != "filler" for entry in self.air)
        waiting = any(run.waiting() for run in self.runs)
        return not (on_air or self.planned or self.breaking or waiting or self.program.follower())

    # What the performer should hold

    def plan(self, now: float) -> None:
        """Choose what comes next. What was chosen and is still right stays as it is."""
        before, self.planned = self.planned, []
        limit = AHEAD
        if self.held or self.killed:
            limit = 0
        elif not self.source.ready(now):
            limit = len(before)
        elif self.source.down:
            limit = 1
        while len(self.planned) < limit:
            entry = self._next(before)
            if entry is None:
                # With nothing else left, what failed shows whether the source is back.
                if not (self.source.down and self._retry([self.source.probe()], self._tries)):
                    return
                continue
            self.planned.append(entry)

    def wanted(self) -> list[Entry]:
        """All that the performer should hold, in the order in which it is to be prepared."""
        if self.killed:
            return []
        news = [entry for entry in self.breaking if entry not in self.air]
        filler = [self.filler] if self.filler is not None and self.filler not in self.air else []
        return [*self.air, *news, *self.planned, *filler]

    def _stays(self, entry: Entry) -> bool:
        """Whether something that has begun goes on: what is on air does, and of what was set aside what has a turn."""
        if entry is self.air[-1] or entry.kind == "breaking":
            return True
        run = entry.run
        return run is not None and not run.replaced and run.fates.get(entry.id) == "on air"

    def _next(self, before: Sequence[Entry]) -> Entry | None:
        taken = {(entry.run, entry.id) for entry in (*self.air, *self.planned)}
        jumped = [self._jumped] if self._jumped is not None and self._jumped[0] in self.runs else []
        waiting = ((each, name) for each in self.runs for name in each.waiting())
        for run, name in itertools.chain(jumped, waiting):
            if (run, name) not in taken and name in run.segments and name not in run.fates:
                return self._entry(run, name, before)
        while (follower := self.program.follower()) is not None:
            self.program.runs.append(follower)
            for name in follower.waiting():
                return self._entry(follower, name, before)
        return None

    def _entry(self, run: Run, name: str, before: Sequence[Entry]) -> Entry:
        segment = run.segments[name]
        pause = segment.pause + (self._pause if name == run.last else 0.0)
        level = JUMP_LEVEL if self._jumped == (run, name) else run.level
        for entry in before:
            same = entry.run is run and entry.id == name and entry.pause == pause and alike(entry.segment, segment)
            if same and entry.level == level:
                return entry
        return Entry(next(self._numbers), "show", name, segment, pause, level, run)

    # Facts

    def began(self, entry: Entry) -> None:
        """It is on air: for the first time, or again after what it was set aside for."""
        self._idle_since = None
        if entry in self.air:
            del self.air[self.air.index(entry) + 1 :]
            return
        self.air.append(entry)
        if entry in self.planned:
            self.planned.remove(entry)
        if entry.kind != "show" or entry.run is None:
            return
        run, jumped = entry.run, self._jumped == (entry.run, entry.id)
        self.program.reach(run)
        run.settle(entry.id, "on air")
        self.filler = None
        for other in self.air[:-1]:
            if other.run is run and other.id != entry.id:
                self._leave(other, entry)
        if jumped:
            self._jumped = None
        self.air = [other for other in self.air if self._stays(other)]
        self._sweep()

    @staticmethod
    def _leave(left: Entry, target: Entry) -> None:
        """What was jumped away from: if it comes after the target, it has its turn again."""
        assert left.run is not None
        names = list(left.run.segments)
        again = left.id in names and names.index(left.id) > names.index(target.id)
        left.run.settle(left.id, None if again else "skipped")

    def ended(self, entry: Entry, outcome: Outcome, now: float, problem: str = "") -> None:
        """It has been said, was cut, or has failed, perhaps before it began."""
        known = entry in self.air or entry in self.planned or entry in self.breaking or entry is self.filler
        was_on_air = entry in self.air
        for queue in (self.air, self.planned, self.breaking):
            if entry in queue:
                queue.remove(entry)
        if not known:
            return
        if entry is self.filler:
            self.filler = None
            self._filled += 1
            if outcome == "failed":
                self._filler_at = now + FILLER_REST
            elif outcome == "said":
                self._fill()
        elif entry.kind == "show" and entry.run is not None:
            self._settle(entry, entry.run, outcome, was_on_air=was_on_air, now=now, problem=problem)

    def _settle(self, entry: Entry, run: Run, outcome: Outcome, *, was_on_air: bool, now: float, problem: str) -> None:
        if run.fates.get(entry.id, "on air") == "on air":
            if outcome == "said":
                run.settle(entry.id, "aired")
            elif outcome == "failed":
                run.settle(entry.id, "failed", problem)
            elif was_on_air:
                run.settle(entry.id, "skipped")
        if outcome == "said":
            self._retry(self.source.works(entry.number), 1)
        elif outcome == "failed":
            self.source.failed(now, entry.number, run=run.name, segment=entry.id)
        self._sweep()

    def _retry(self, missed: Sequence[tuple[str, str]], most: int) -> bool:
        """Have what failed wait again; whether there was anything."""
        runs = {run.name: run for run in self.runs}
        return sum(runs[run].retry(name, most) for run, name in missed if run in runs) > 0

    def _sweep(self) -> None:
        """Let go of scheduled runs that are through; operators who edit are told when another run is current."""
        on_air = {entry.run for entry in self.air}
        self.scheduled = [run for run in self.scheduled if not run.finished or run in on_air]
        self.version += self.current is not self._shown
        self._shown = self.current

    def tick(self, now: float, *, busy: bool) -> None:
        """Time passes; `busy`: something is on air, ours or not."""
        if busy or self.air or self.held or self.killed or self.takeover:
            self._idle_since = None
            return
        if self._idle_since is None:
            self._idle_since = now
        if now - self._idle_since >= FILLER_SECONDS and now >= self._filler_at:
            self._fill()

    def _fill(self) -> None:
        if self._fillers and self.filler is None and not (self.held or self.killed):
            number = self._filled % len(self._fillers)
            segment = self._fillers[number]
            name = f"filler-{number + 1}"
            self.filler = Entry(next(self._numbers), "filler", name, segment, segment.pause, FILLER_LEVEL)

    # Commands

    def due(self, slot: int, *, cut_in: bool) -> bool:
        """A scheduled rundown is due; whether it was taken: not when it waits already."""
        if any(run.slot == slot and not run.begun and not run.replaced for run in self.scheduled):
            return False
        self.run_number += 1
        run = Run(self.slots[slot], f"s{self.run_number}", level=SCHEDULED_LEVEL if cut_in else 0, slot=slot)
        if not run.segments:
            return False
        if cut_in:
            for other in self.scheduled:
                other.replaced = True
            if self.scheduled:
                self._jumped = (run, next(iter(run.segments)))
            self.scheduled = []
        self.scheduled.append(run)
        return True

    def news(self, segment: Segment) -> Entry:
        """Put breaking news in, after other such news."""
        self.breaking_number += 1
        name = f"breaking-{self.breaking_number}"
        entry = Entry(next(self._numbers), "breaking", name, segment, segment.pause, BREAKING_LEVEL)
        self.breaking.append(entry)
        return entry

    def hold(self) -> None:
        self.held = True
        self.filler = self.filler if self.filler in self.air else None

    def go(self) -> None:
        self.held = self.killed = False
        self.source.reset()
        if self.over and self.program.rundowns:
            self.program.again()
        self._sweep()

    def skip(self) -> None:
        """Cut what is on air, or leave the next out where nothing is."""
        entry = self.on_air
        if entry is not None:
            self.air.pop()
            self._forget(entry)
            if entry.run is not None:
                entry.run.settle(entry.id, "skipped")
        elif self.breaking:
            self.breaking.pop(0)
        else:
            chosen = self.planned[0] if self.planned else self._next(())
            if chosen is not None and chosen.run is not None:
                self.program.reach(chosen.run)
                chosen.run.settle(chosen.id, "skipped")
        self._sweep()

    def jump(self, name: str) -> None:
        """Go on at a segment of the current run, at the next sentence end. Raises `KeyError`."""
        run = self.current
        if run is None or name not in run.segments:
            raise KeyError(name)
        on_air = [entry.id for entry in self.air if entry.run is run]
        run.jump(name, on_air)
        if name in on_air:
            # It is said anew from its beginning.
            self._drop([entry for entry in self.air if entry.run is run and entry.id == name])
        self._jumped = (run, name)

    def kill(self) -> None:
        """Nothing is said from now on. What was cut of the rundown has its turn again; breaking news is gone."""
        self.killed = True
        self.breaking = []
        self.cut()

    def cut(self) -> None:
        """Take everything off air; it has its turn again, from its beginning."""
        self.filler = None
        self._drop(list(self.air))

    def _drop(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.air.remove(entry)
            if entry in self.breaking:
                again = replace(entry, number=next(self._numbers))
                self.breaking[self.breaking.index(entry)] = again
            if entry.run is not None and entry.run.fates.get(entry.id) == "on air":
                entry.run.settle(entry.id, None)

    def _forget(self, entry: Entry) -> None:
        if entry in self.breaking:
            self.breaking.remove(entry)
        if entry is self.filler:
            self.filler = None
            self._filled += 1

    def edit(self, rundowns: Mapping[str, Rundown]) -> None:
        """Go on with edited rundowns, by their keys. What has been and what is on air stays."""
        self.program.edit(rundowns)
        self.slots = [rundowns.get(rundown.key, rundown) for rundown in self.slots]
        for run in self.runs:
            if run.rundown.key in rundowns:
                run.take(rundowns[run.rundown.key])
        self._sweep()
        self.version += 1
