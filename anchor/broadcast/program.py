"""The show's own rundowns as a line of runs: one after another and, looping, lap after lap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anchor.broadcast.run import Run, Rundown


class Program:
    """`runs`: the current one and those planned after it; none where there are no rundowns."""

    def __init__(self, rundowns: Sequence[Rundown], *, loop: bool) -> None:
        self.rundowns = list(rundowns)
        self.loop = loop
        self.runs: list[Run] = []
        self.start(0, 0)

    def start(self, index: int, lap: int) -> None:
        """Begin at one of the rundowns."""
        self.runs = [self._run(index, lap)] if self.rundowns else []

    def again(self) -> None:
        """Begin anew, a lap later."""
        self.start(0, self.runs[0].lap + 1 if self.runs else 0)

    def follower(self) -> Run | None:
        """The run after the last of `runs`."""
        if not self.runs:
            return None
        last = self.runs[-1]
        if last.index + 1 < len(self.rundowns):
            return self._run(last.index + 1, last.lap)
        if self.loop and any(rundown.script.segments for rundown in self.rundowns):
            return self._run(0, last.lap + 1)
        return None

    def _run(self, index: int, lap: int) -> Run:
        return Run(self.rundowns[index], f"{lap}.{index}", index=index, lap=lap)

    def reach(self, run: Run) -> None:
        """A segment of `run` has begun: runs before it are over, unless something in them still waits."""
        if run in self.runs:
            at = self.runs.index(run)
            self.runs = [*(other for other in self.runs[:at] if other.waiting()), *self.runs[at:]]

    def edit(self, rundowns: Mapping[str, Rundown]) -> None:
        self.rundowns = [rundowns.get(rundown.key, rundown) for rundown in self.rundowns]
