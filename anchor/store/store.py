"""The queue between conversations and a database, and the thread that writes.

Who converses never waits for a database and never fails with it: what is to be written is queued, a database that is
away is tried again, and when the queue is full the oldest lines go, counted.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from anchor.clock import wall_time
from anchor.errors import StoreError
from anchor.store.records import Line, Row, SessionRecord

if TYPE_CHECKING:
    from anchor.store.tables import Database

log = logging.getLogger(__name__)

Who = Literal["visitor", "anchor", "person", "system"]
Result = TypeVar("Result")

QUEUE = 10_000
"""Rows that wait for the database at most."""
BATCH = 200
"""Rows written in one transaction."""
DRAIN = 5.0
"""Seconds that closing waits for what is still to be written."""
LONGEST_PAUSE = 5.0
"""Seconds between two attempts at a database that is away."""


@dataclass(frozen=True, slots=True)
class _Call:
    """Something that is waited for; it comes after all that was queued before it."""

    work: Callable[[Any], Any]
    future: Future[Any]

    def fail(self, problem: str) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(StoreError(problem))

    def do(self, database: Database) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.work(database))
        except StoreError as error:
            self.future.set_exception(error)
        except BaseException as error:
            self.future.set_exception(StoreError(f"the store has a defect: {type(error).__name__}"))
            raise


class Store:
    """Keeps conversations in the database at `url` (SQLAlchemy's); with an empty one it keeps nothing.

    `mask` is what every text goes through before it is written.
    """

    def __init__(
        self,
        url: str = "",
        *,
        mask: Callable[[str], str],
        retention_days: float = 30.0,
        wall: Callable[[], datetime] = wall_time,
        queue: int = QUEUE,
    ) -> None:
        self._url = url
        self._mask = mask
        self._retention = timedelta(days=retention_days)
        self._wall = wall
        self._size = queue
        self._jobs: deque[Row | _Call] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._database: Database | None = None
        self._closing = False
        self._last = False
        self._dropped = 0
        self._problem = ""

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return bool(self._url)

    @property
    def dropped(self) -> int:
        """Rows that were lost, because the database was away for too long or would not have them."""
        return self._dropped

    @property
    def queued(self) -> int:
        return len(self._jobs)

    @property
    def problem(self) -> str:
        """Why nothing can be written now, or nothing."""
        return self._problem

    async def open(self) -> None:
        """Connect, make what is missing, and begin to write. Raises `StoreError`, and `MissingError` for a driver."""
        if not self._url or self._thread is not None:
            return
        from anchor.store.tables import Database

        loop = asyncio.get_running_loop()
        self._closing = self._last = False
        self._database = await loop.run_in_executor(None, Database.open, self._url)
        # A daemon: a database that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Write what is queued, for at most `DRAIN` seconds, and disconnect. Twice does no harm."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.get_running_loop().run_in_executor(None, thread.join, DRAIN)
        lost = self._give_up()
        if lost:
            log.error("store: %d rows could not be written before the end: %s", lost, self._problem or "too slow")

    # What happens in a conversation. None of these blocks or raises.

    def session_opened(self, session: str, *, channel: str, language: str) -> None:
        values = {"id": session, "channel": channel, "language": language, "opened_at": self._wall(), "turns": 0}
        self._put(Row("sessions", {**values, "why": ""}))

    def said(
        self,
        session: str,
        *,
        turn: int,
        who: Who,
        text: str,
        language: str,
        heard: str = "",
        confidence: float | None = None,
    ) -> None:
        """Somebody said something; `heard` is what the visitor heard of it, where that is less."""
        values = {"session": session, "turn": turn, "who": who, "text": text, "heard": heard, "language": language}
        self._put(Row("utterances", {**values, "confidence": confidence, "at": self._wall()}))

    def acted(self, session: str, *, turn: int, name: str, arguments: Mapping[str, Any], outcome: str) -> None:
        """Business was done, or not: `outcome` says."""
        values = {"session": session, "turn": turn, "name": name, "arguments": dict(arguments), "outcome": outcome}
        self._put(Row("actions", {**values, "at": self._wall()}))

    def timed(self, session: str, *, turn: int, stages: Mapping[str, float]) -> None:
        """How many seconds each stage of a turn took."""
        for stage, seconds in stages.items():
            self._put(Row("latencies", {"session": session, "turn": turn, "stage": stage, "seconds": float(seconds)}))

    def session_closed(self, session: str, *, why: str, turns: int) -> None:
        self._put(Row("sessions", {"closed_at": self._wall(), "why": why, "turns": turns}, key=session))

    # What is asked of it. All of these raise `StoreError`.

    async def transcript(self, session: str) -> list[Line]:
        """What was said in a conversation, in order; empty for one that is not known."""
        return await self._ask(lambda database: database.transcript(session), [])

    async def sessions(self, limit: int = 100) -> list[SessionRecord]:
        """The newest conversations, newest first."""
        return await self._ask(lambda database: database.sessions(limit), [])

    async def sweep(self, now: datetime) -> int:
        """Delete conversations that ended longer ago than they may be kept; how many."""
        return await self._ask(lambda database: database.delete_before(now - self._retention), 0)

    async def forget(self, session: str) -> bool:
        """Delete a conversation because its visitor wants it; whether there was one. What still comes of it is lost."""
        return await self._ask(lambda database: database.delete(session), False)

    async def _ask(self, work: Callable[[Database], Result], nothing: Result) -> Result:
        if not self._url:
            return nothing
        if self._thread is None:
            raise StoreError("the store is not open")
        future: Future[Result] = Future()
        with self._changed:
            self._jobs.append(_Call(work, future))
            self._changed.notify()
        return await asyncio.wrap_future(future)

    # The queue

    def _put(self, row: Row) -> None:
        if not self._url:
            return
        with self._changed:
            if self._closing or len(self._jobs) >= self._size:
                self._make_room()
            if len(self._jobs) < self._size and not self._closing:
                self._jobs.append(row)
                self._changed.notify()

    def _make_room(self) -> None:
        """Drop the oldest row, but the beginning of a conversation last: nothing of it can be written without."""
        self._count_dropped(1)
        if self._closing:
            return
        oldest = self._oldest(lambda row: row.table != "sessions")
        oldest = self._oldest(lambda _: True) if oldest is None else oldest
        if oldest is not None:
            del self._jobs[oldest]

    def _oldest(self, what: Callable[[Row], bool]) -> int | None:
        return next((place for place, job in enumerate(self._jobs) if isinstance(job, Row) and what(job)), None)

    def _count_dropped(self, count: int) -> None:
        before, self._dropped = self._dropped, self._dropped + count
        if before == 0 or before // 1000 != self._dropped // 1000:
            log.error(
                "store: %d rows lost so far: %s", self._dropped, self._problem or "more comes than can be written"
            )

    def _give_up(self) -> int:
        """Let go of everything that is queued; how many rows that were."""
        with self._changed:
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            if isinstance(job, _Call):
                job.fail(f"the store is closed{self._problem and f': {self._problem}'}")
        lost = sum(isinstance(job, Row) for job in jobs)
        self._dropped += lost
        return lost

    # The writer's thread

    def _run(self) -> None:
        database = self._database
        assert database is not None
        pause = 0.0
        while True:
            batch = self._next(pause)
            if batch is None:
                break
            try:
                pause = self._do(database, batch, pause)
            except Exception:
                log.exception("store: a defect; %d rows lost", len(batch))
                self._dropped += len(batch)
        database.close()

    def _next(self, pause: float) -> Sequence[Row | _Call] | None:
        """What is to be done next: rows, or one call; None at the end."""
        with self._changed:
            if pause:
                self._changed.wait_for(lambda: self._closing, pause)
                # One attempt is made after the store was told to close; a failure then is the end.
                if self._closing and self._last:
                    return None
                self._last = self._closing
            self._changed.wait_for(lambda: bool(self._jobs) or self._closing)
            if not self._jobs:
                return None
            first = self._jobs.popleft()
            if isinstance(first, _Call):
                return [first]
            rows = list[Row | _Call]([first])
            while self._jobs and len(rows) < BATCH and isinstance(self._jobs[0], Row):
                rows.append(self._jobs.popleft())
            return rows

    def _do(self, database: Database, jobs: Sequence[Row | _Call], pause: float) -> float:
        """Seconds to wait before the next attempt; 0 when all is well."""
        rows = [job for job in jobs if isinstance(job, Row)]
        for call in (job for job in jobs if isinstance(job, _Call)):
            call.do(database)
        if not rows:
            return 0.0
        try:
            refused = database.write([_masked(row, self._mask) for row in rows])
        except StoreError as error:
            return self._again_later(rows, str(error), pause)
        if self._problem:
            log.warning("store: writing again")
            self._problem = ""
        if refused:
            self._count_dropped(refused)
        return 0.0

    def _again_later(self, rows: Sequence[Row], problem: str, pause: float) -> float:
        if not self._problem:
            log.error("store: %s; trying again", problem)
        self._problem = problem
        with self._changed:
            calls = [job for job in self._jobs if isinstance(job, _Call)]
            kept = [job for job in self._jobs if isinstance(job, Row)]
            self._jobs = deque([*rows, *kept])
        for call in calls:
            call.fail(problem)
        return min(LONGEST_PAUSE, 2 * pause) if pause else 0.1


def _masked(row: Row, mask: Callable[[str], str]) -> Row:
    values = {name: _clean(value) if isinstance(value, str) else value for name, value in row.values.items()}
    for name in ("text", "heard", "outcome", "why"):
        if values.get(name):
            values[name] = mask(values[name])
    if "arguments" in values:
        values["arguments"] = masked_json(values["arguments"], mask)
    return Row(row.table, values, row.key)


def _clean(text: str) -> str:
    """Without what no database takes: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def masked_json(value: Any, mask: Callable[[str], str], name: str = "") -> Any:
    """A JSON value in which every text and number is masked, in the light of the key it stands under."""
    if isinstance(value, Mapping):
        return {str(key): masked_json(each, mask, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked_json(each, mask, name) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        value = _clean(value)
    told = f"{name.replace('_', ' ')}: "
    text = str(value)
    masked = mask(told + text)
    hidden = masked.removeprefix(told) if masked.startswith(told) else mask(text)
    return value if hidden == text else hidden
