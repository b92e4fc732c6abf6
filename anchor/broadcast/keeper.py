"""What a show writes to disk, in a thread of its own: its place and the log of what it aired. The show never waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from anchor.broadcast.aired import RECENT, AiredLog, as_aired
from anchor.broadcast.journal import Journal
from anchor.clock import Clock
from anchor.onair import Aired

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
LONGEST_QUEUE = 10_000
"""Lines of the log that wait for a disk that is full; more are lost, and that is logged."""

Place = tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]
"""A place, and the edited rundowns that it names."""


class Keeper:
    """Without a folder it keeps only what was aired lately, in memory.

    `problem` says why the disk takes nothing, while that is so. Raises `StoreError` for a folder that cannot be used.
    """

    def __init__(
        self, folder: Path | None, *, wall: Callable[[], float], clock: Clock, retention_days: float = 0.0
    ) -> None:
        self.problem = ""
        self.journal = Journal(folder) if folder is not None else None
        self._log: AiredLog | None = None
        if folder is not None:
            self._log = AiredLog(folder / "aired", wall(), retention_days=retention_days)
        self._wall = wall
        self._clock = clock
        self._lines: deque[Mapping[str, Any]] = deque()
        self._place: Place | None = None
        self._kept: Place | None = None
        self._dirty = asyncio.Event()
        self._clean = asyncio.Event()
        self._clean.set()
        self._recent: deque[Aired] = deque(maxlen=RECENT)
        self.number = self._log.number if self._log is not None else 0
        """Of the last airing that the log knows."""
        for line in self._log.left() if self._log is not None else ():
            self.note(line)

    def aired(self, limit: int) -> list[Aired]:
        """What has ended lately, the latest first."""
        recent = list(self._recent if self._log is None else self._log.recent)
        return recent[: -limit - 1 : -1] if limit > 0 else []

    def note(self, line: Mapping[str, Any]) -> None:
        """Put a line in the log."""
        if self._log is None:
            if line["event"] == "ended":
                self._recent.append(as_aired(line))
        elif len(self._lines) >= LONGEST_QUEUE:
            log.error("the log of what was aired has lost a line: %s", self.problem)
        else:
            self._lines.append(line)
            self._touch()

    def place(self, place: Place) -> None:
        """Keep where the show is; of several in a row only the last counts."""
        if self.journal is not None:
            self._place = place
            self._touch()

    def _touch(self) -> None:
        self._dirty.set()
        self._clean.clear()

    async def kept(self) -> None:
        """Wait until all is on the disk, or the disk takes nothing."""
        await self._clean.wait()

    async def run(self) -> None:
        """Write for ever."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="show state")
        try:
            while True:
                await self._dirty.wait()
                self._dirty.clear()
                failed = await asyncio.get_running_loop().run_in_executor(thread, self.write, self._wall())
                if failed and not self.problem:
                    log.error("%s; the show goes on, and what it should keep waits", failed)
                self.problem = failed
                if failed or not self._dirty.is_set():
                    self._clean.set()
                if failed:
                    self._dirty.set()
                    await self._clock.sleep_until(self._clock.now() + RETRY_SECONDS)
        finally:
            thread.shutdown(wait=True)

    def write(self, now: float) -> str:
        """Write what waits at a moment of the wall clock, and say why nothing could be written, if so. Blocks."""
        # The loop only adds at the end meanwhile; what is written is taken off the front.
        lines, place = list(self._lines), self._place
        try:
            if lines and self._log is not None:
                self._log.append(lines, now)
                for _ in lines:
                    self._lines.popleft()
            if place is not None and place is not self._kept and self.journal is not None:
                self.journal.save(*place)
                self._kept = place
        except OSError as error:
            return f"the state of the show cannot be written: {error}"
        return ""
