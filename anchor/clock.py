"""Time, as an object that is passed in: the real one, one that does not wait, and a virtual one for tests.

Nothing else in the project asks what time it is or sleeps.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    @property
    def live(self) -> bool:
        """Whether somebody is watching now: late work is dropped rather than waited for."""
        ...

    def now(self) -> float:
        """Seconds on a monotonic scale."""
        ...

    async def sleep_until(self, deadline: float) -> None: ...


class LoopClock:
    """The running event loop's own monotonic time."""

    live = True

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep_until(self, deadline: float) -> None:
        await asyncio.sleep(max(0.0, deadline - self.now()))  # noqa: TID251 - the one place that sleeps


class FreeClock:
    """A clock that does not wait: rendering to a file runs the live code as fast as it goes."""

    live = False

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep_until(self, deadline: float) -> None:
        self._now = max(self._now, deadline)
        await asyncio.sleep(0)  # noqa: TID251 - lets the other tasks run


def wall_time() -> datetime:
    """The date and time for people: logs and records. Never used to measure or to pace."""
    return datetime.now(UTC)


def today() -> date:
    """The date where this machine stands: records of consent end with the day they name."""
    return wall_time().astimezone().date()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer whenever nothing else is to do.

    Hours pass in milliseconds. Time stands still while a job runs in an executor, so real parts (a voice process,
    drawing) take no virtual time.
    """

    def __init__(self) -> None:
        self._skipped = 0.0
        self._outside = 0
        super().__init__(_SkippingSelector(self))

    def time(self) -> float:
        return self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds

    @property
    def busy_outside(self) -> bool:
        return self._outside > 0

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._outside += 1
        future.add_done_callback(self._came_back)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._outside += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._outside -= 1

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._outside -= 1


class _SkippingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._loop.busy_outside:
            return super().select(None)
        if timeout is None:
            raise RuntimeError("virtual time: every task waits and no timer is set")
        # The loop calls timers that are due within its clock resolution; a hair more makes sure that this one is.
        self._loop.skip(timeout + 1e-9)
        return []


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
