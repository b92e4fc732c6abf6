"""One model, many sessions: requests of all sessions run together, the most urgent first.

A batch is whatever came while the last one ran, so nobody waits on a timer: under light load a request runs alone and
at once, under heavy load batches grow by themselves. Simulated with a model of 6 ms + 0.5 ms an item at 25 requests a
second and session: one by one 98 % are late at 8 sessions, in batches none at 32 (``anchor bench batcher``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from anchor.clock import Clock
from anchor.costs import Costs
from anchor.errors import CapacityError, LateError

Request = TypeVar("Request")
Result = TypeVar("Result")

BUCKETS = (1, 2, 4, 8, 16, 32)

HEADROOM = 0.9
"""The part of the measured throughput that is given to sessions; the rest is for what does not go evenly."""

TRY_AGAIN_SECONDS = 0.5
"""After so long without a batch, a request is tried even if the costs measured before say that it will be late."""

Start = Callable[[Callable[[], Any]], "asyncio.Future[Any]"]


@dataclass(frozen=True, slots=True)
class BatcherStatistics:
    """What went through a batcher, and the cost that was measured: `base_seconds` + n * `item_seconds`."""

    batches: int
    requests: int
    mean_size: float
    waiting: int
    late: int
    cancelled: int
    failed: int
    base_seconds: float
    item_seconds: float
    admitted_rate: float


@dataclass(slots=True)
class _Counters:
    batches: int = 0
    requests: int = 0
    late: int = 0
    cancelled: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[Request, Result]):
    """A request in line, and where its result goes."""

    request: Request
    deadline: float
    future: asyncio.Future[Result]


@dataclass(frozen=True, slots=True)
class Choice(Generic[Request, Result]):
    """The next batch and its padded size, what is too late for any batch, and what stays in line."""

    batch: tuple[Waiting[Request, Result], ...] = ()
    bucket: int = 0
    late: tuple[Waiting[Request, Result], ...] = ()
    rest: tuple[Waiting[Request, Result], ...] = ()


def choose(
    line: Sequence[Waiting[Request, Result]], now: float, seconds: Callable[[int], float], buckets: Sequence[int]
) -> Choice[Request, Result]:
    """The bucket in which most requests are done in time, and of equals the smallest, filled with the most urgent.

    A request that would be in time in a smaller batch only, and is not among the most, is late: after this batch it
    cannot be met any more. `now` of minus infinity means that nothing is ever late.
    """
    ordered = sorted(line, key=lambda waiting: waiting.deadline)  # stable: who came first goes first
    best = Choice(late=tuple(ordered))
    for bucket in buckets:
        done = now + seconds(bucket)
        late = sum(waiting.deadline < done for waiting in ordered)  # these are the first in line
        batch = tuple(ordered[late : late + bucket])
        if len(batch) > len(best.batch):
            best = Choice(batch, bucket, tuple(ordered[:late]), tuple(ordered[late + bucket :]))
    return best


class Lease:
    """Room for one session's requests. Release it, or leave its context, when the session ends."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """Give the room back; doing so twice does nothing."""
        if self._release is not None:
            self._release()
        self._release = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Batcher(Generic[Request, Result]):
    """Runs the requests of all sessions on one model.

    `run` blocks; it is called in a thread of the batcher's own with as many requests as one of `buckets` says, where
    the last is repeated to fill up, and returns one result for each. A result that is an exception is raised for that
    request alone; an exception that `run` raises is raised for all of its batch. Requests carry all their state.

    Use it as an async context, for as long as a session lasts. Any number may enter it at the same time; when the last
    one leaves, what still waits fails and the thread ends. `start` says where blocking work runs, for simulations.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Request]], Sequence[Result | Exception]],
        clock: Clock,
        *,
        name: str,
        buckets: Sequence[int] = BUCKETS,
        start: Start | None = None,
    ) -> None:
        if not buckets or list(buckets) != sorted({*buckets}) or buckets[0] < 1:
            raise ValueError(f"buckets must be growing sizes, not {buckets!r}")
        self.name = name
        self.buckets = tuple(buckets)
        self.costs = Costs()
        self._run = run
        self._clock = clock
        self._start_elsewhere = start
        self._thread: ThreadPoolExecutor | None = None
        # Held while `run` runs: one that is left running by the last user is still there for the next.
        self._device = Lock()
        self._users = 0
        # Bounded by its users: each waits for its result, and is gone from it at its deadline.
        self._line: list[Waiting[Request, Result]] = []
        self._running: asyncio.Future[Any] | None = None
        self._woken = False
        self._last_batch = float("-inf")
        self._rates: list[float] = []
        self._counters = _Counters()

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._users -= 1
        if self._users:
            return
        # A batch that runs is not waited for: it may hang, and whoever leaves has a deadline.
        self._refuse(self._line)
        self._line.clear()
        if self._running is not None:
            self._running.cancel()
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    def _refuse(self, line: Iterable[Waiting[Request, Result]]) -> None:
        for waiting in line:
            if not waiting.future.done():
                waiting.future.set_exception(RuntimeError(f"the batcher {self.name} was closed"))

    async def submit(self, request: Request, *, deadline: float) -> Result:
        """The result for `request` by `deadline` on the batcher's clock, else `LateError`, at the deadline or before.

        Cancelling the task that waits drops the request. With a clock that does not wait nothing is late.
        """
        if not self._users:
            raise RuntimeError(f"the batcher {self.name} is not open")
        left = deadline - self._clock.now() if self._clock.live and deadline < float("inf") else None
        if left is not None and left <= 0:
            raise self._late()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._line.append(Waiting(request, deadline, future))
        self._wake()
        try:
            # The timer is the loop's: a live clock runs as fast.
            await asyncio.wait([future], timeout=left)
        except asyncio.CancelledError:
            self._counters.cancelled += 1
            raise
        finally:
            if not future.cancel() and not future.cancelled():
                future.exception()  # seen, also when nobody waits for it any more
        if future.cancelled():
            raise self._late()
        return future.result()

    def _late(self) -> LateError:
        self._counters.late += 1
        return LateError(f"{self.name}: a request cannot be met by its deadline")

    def _wake(self) -> None:
        """Run what is in line once everybody who is ready now has put in theirs."""
        if self._running is None and not self._woken:
            self._woken = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._woken = False
        if self._running is not None:
            return
        now = self._clock.now() if self._clock.live else float("-inf")
        line = [waiting for waiting in self._line if not waiting.future.done()]
        choice = choose(line, now, self.costs.seconds, self.buckets)
        if choice.late and not choice.batch and now - self._last_batch >= TRY_AGAIN_SECONDS:
            # What is known of the costs may be wrong by now, and only a batch can tell.
            choice = Choice(choice.late[-1:], self.buckets[0], choice.late[:-1])
        self._line = list(choice.rest)
        for waiting in choice.late:
            waiting.future.cancel()
        if choice.batch:
            self._begin(choice.batch, choice.bucket)

    def _begin(self, batch: Sequence[Waiting[Request, Result]], bucket: int) -> None:
        requests = [waiting.request for waiting in batch]
        requests += [requests[-1]] * (bucket - len(batch))
        begun = self._clock.now()
        self._counters.batches += 1
        self._counters.requests += len(batch)
        self._running = self._start(lambda: self._work(requests))

        def done(running: asyncio.Future[Sequence[Result | Exception]]) -> None:
            self._running = None
            if running.cancelled():
                self._refuse(batch)
                self._next()
                return
            self._last_batch = self._clock.now()
            results = running.result()
            if self._clock.live and not any(isinstance(result, Exception) for result in results):
                self.costs.observe(bucket, self._last_batch - begun)
            for waiting, result in zip(batch, results, strict=False):  # those that filled up have no one waiting
                self._deliver(waiting.future, result)
            self._next()

        self._running.add_done_callback(done)

    def _start(self, job: Callable[[], Any]) -> asyncio.Future[Any]:
        if self._start_elsewhere is not None:
            return self._start_elsewhere(job)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"batcher-{self.name}")
        return asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _work(self, requests: Sequence[Request]) -> Sequence[Result | Exception]:
        """In the worker thread. Never raises: some exceptions cannot pass through a future."""
        try:
            with self._device:
                results = self._run(requests)
            if len(results) != len(requests):
                raise RuntimeError(f"{self.name}: {len(results)} results for {len(requests)} requests")
        except Exception as error:
            return [error] * len(requests)
        return results

    def _deliver(self, future: asyncio.Future[Result], result: Result | Exception) -> None:
        if isinstance(result, Exception):
            self._counters.failed += 1
        if future.done():
            return
        if isinstance(result, StopIteration):
            future.set_exception(RuntimeError(f"{self.name}: raised StopIteration"))
        elif isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    def admit(self, rate: float) -> Lease:
        """Room for one more session of `rate` requests a second. Raises `CapacityError` when it will not fit.

        As long as nothing has been measured, all fit: see `measure`.
        """
        if not rate > 0:
            raise ValueError(f"rate must be positive, not {rate}")
        wanted = [*self._rates, rate]
        if not fits(sum(wanted), 1 / max(wanted), self.costs.seconds, self.buckets):
            cost = self.costs
            raise CapacityError(
                f"{self.name}: no room for another session of {rate:g} requests a second beside {len(self._rates)} "
                f"that make {sum(self._rates):g}: a batch was measured to take {1000 * cost.base_seconds:.1f} ms + "
                f"{1000 * cost.item_seconds:.2f} ms for each request, {1000 * cost.seconds(self.buckets[-1]):.1f} ms "
                f"for {self.buckets[-1]}; end a session, or try again later"
            )
        self._rates.append(rate)
        return Lease(lambda: self._rates.remove(rate))

    async def measure(self, request: Request, times: int = 3) -> None:
        """Learn the cost of every bucket from `request`, so that `admit` knows it from the beginning.

        Raises what `run` raises. Sessions that run meanwhile wait for one batch more.
        """
        loop = asyncio.get_running_loop()
        for bucket in (bucket for bucket in self.buckets for _ in range(times + 1)):
            futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in range(bucket)]
            # Of all that are in line, these are in the least hurry.
            self._line += [Waiting(request, float("inf"), future) for future in futures]
            self._wake()
            try:
                await asyncio.wait(futures)
            finally:
                for future in futures:
                    future.cancel()
            for future in futures:
                future.result()

    def statistics(self) -> BatcherStatistics:
        counters = self._counters
        return BatcherStatistics(
            batches=counters.batches,
            requests=counters.requests,
            mean_size=counters.requests / counters.batches if counters.batches else 0.0,
            waiting=sum(not waiting.future.done() for waiting in self._line),
            late=counters.late,
            cancelled=counters.cancelled,
            failed=counters.failed,
            base_seconds=self.costs.base_seconds,
            item_seconds=self.costs.item_seconds,
            admitted_rate=sum(self._rates),
        )


def fits(rate: float, period: float, seconds: Callable[[int], float], buckets: Sequence[int]) -> bool:
    """Whether some bucket holds what comes while a batch of it runs, and a request is done one period after it came.

    It may come just after a batch has begun, and then waits for that one and for its own.
    """
    return any(rate * seconds(bucket) <= HEADROOM * bucket and 2 * seconds(bucket) <= period for bucket in buckets)
