"""The batcher, in virtual time: a simulated device takes base + n * item seconds for a batch of n."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.batching import BUCKETS, Batcher, Waiting, choose, fits
from anchor.clock import FreeClock, LoopClock, run_virtual
from anchor.costs import Costs
from anchor.errors import CapacityError, LateError

BASE, ITEM = 0.006, 0.0005
Request = tuple[str, int]


def cost(size: int) -> float:
    return BASE + ITEM * size


class Device:
    """Answers every request with itself, and keeps what it was given; its time passes on the virtual loop."""

    def __init__(self, seconds: Callable[[int], float] = cost) -> None:
        self.batches: list[list[Request]] = []
        self.seconds = seconds
        self.failing: set[Request] = set()

    def run(self, batch: Sequence[Request]) -> list[Request]:
        self.batches.append(list(batch))
        if self.failing & set(batch):
            raise OSError("the device fell over")
        return list(batch)

    def start(self, job: Callable[[], Any]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        result = job()

        def finish() -> None:
            if not future.done():
                future.set_result(result)

        loop.call_later(self.seconds(len(self.batches[-1])), finish)
        return future

    def batcher(self, buckets: Sequence[int] = BUCKETS) -> Batcher[Request, Request]:
        return Batcher(self.run, LoopClock(), name="lips", buckets=buckets, start=self.start)


def in_time(
    device: Device, work: Callable[[Batcher[Request, Request]], Coroutine[Any, Any, Any]], **options: Any
) -> Any:
    async def main() -> Any:
        async with device.batcher(**options) as batcher:
            return await work(batcher)

    return run_virtual(main())


def soon(seconds: float = 1.0) -> float:
    return LoopClock().now() + seconds


async def wait(seconds: float) -> None:
    await LoopClock().sleep_until(soon(seconds))


async def session(batcher: Batcher[Request, Request], name: str, frames: int, start: float) -> tuple[int, list[float]]:
    """Late frames, and how long the others took, of a session at 25 frames a second."""
    clock, late, taken = LoopClock(), 0, list[float]()
    for frame in range(frames):
        due = start + frame * 0.04
        await clock.sleep_until(due)
        try:
            assert await batcher.submit((name, frame), deadline=due + 0.04) == (name, frame)
            taken.append(clock.now() - due)
        except LateError:
            late += 1
    return late, taken


def sessions(count: int, buckets: Sequence[int] = BUCKETS, frames: int = 50) -> tuple[int, list[float]]:
    async def work(batcher: Batcher[Request, Request]) -> tuple[int, list[float]]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(session(batcher, f"s{n}", frames, 1 + 0.04 * n / count)) for n in range(count)]
        done = [task.result() for task in running]
        return sum(late for late, _ in done), [seconds for _, taken in done for seconds in taken]

    result: tuple[int, list[float]] = in_time(Device(), work, buckets=buckets)
    return result


def test_thirty_two_sessions_share_a_device_without_a_late_frame() -> None:
    late, taken = sessions(32)
    assert late == 0
    assert max(taken) < 0.04


def test_one_by_one_most_frames_of_eight_sessions_are_late() -> None:
    late, taken = sessions(8, buckets=(1,))
    assert late > len(taken) / 4


def test_a_lone_request_runs_at_once() -> None:
    async def work(batcher: Batcher[Request, Request]) -> float:
        before = LoopClock().now()
        await batcher.submit(("a", 0), deadline=soon())
        return LoopClock().now() - before

    assert in_time(Device(), work) == pytest.approx(cost(1), abs=1e-6)


def test_what_comes_together_runs_together_padded_with_the_last() -> None:
    async def work(batcher: Batcher[Request, Request]) -> list[Request]:
        return list(await asyncio.gather(*(batcher.submit(("a", n), deadline=soon()) for n in range(3))))

    device = Device()
    assert in_time(device, work) == [("a", 0), ("a", 1), ("a", 2)]
    assert device.batches == [[("a", 0), ("a", 1), ("a", 2), ("a", 2)]]


def test_what_comes_while_a_batch_runs_makes_the_next_the_most_urgent_first() -> None:
    async def work(batcher: Batcher[Request, Request]) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(batcher.submit(("first", 0), deadline=soon(9)))
            await wait(0.001)
            for number, seconds in enumerate([5, 3, 4, 1, 2]):
                tasks.create_task(batcher.submit(("then", number), deadline=soon(seconds)))

    device = Device()
    in_time(device, work, buckets=(1, 4))
    assert [[number for _, number in batch] for batch in device.batches] == [[0], [3, 4, 1, 2], [0]]


def test_no_batch_is_larger_than_the_largest_bucket() -> None:
    async def work(batcher: Batcher[Request, Request]) -> None:
        await asyncio.gather(*(batcher.submit(("a", n), deadline=soon()) for n in range(70)))

    device = Device()
    in_time(device, work)
    assert [len(batch) for batch in device.batches] == [32, 32, 8]


def test_a_cancelled_request_never_reaches_the_device() -> None:
    async def work(batcher: Batcher[Request, Request]) -> int:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(batcher.submit(("stays", 0), deadline=soon()))
            await wait(0.001)
            gone = tasks.create_task(batcher.submit(("gone", 0), deadline=soon()))
            tasks.create_task(batcher.submit(("stays", 1), deadline=soon()))
            await wait(0.001)
            gone.cancel()
        return batcher.statistics().cancelled

    device = Device()
    assert in_time(device, work) == 1
    assert device.batches == [[("stays", 0)], [("stays", 1)]]


def test_cancelling_while_the_batch_runs_leaves_the_others_their_results() -> None:
    async def work(batcher: Batcher[Request, Request]) -> Request:
        async with asyncio.TaskGroup() as tasks:
            gone = tasks.create_task(batcher.submit(("gone", 0), deadline=soon()))
            stays = tasks.create_task(batcher.submit(("stays", 0), deadline=soon()))
            await wait(0.001)
            gone.cancel()
        return stays.result()

    assert in_time(Device(), work) == ("stays", 0)


def test_a_failing_batch_fails_its_own_requests_and_the_next_one_runs() -> None:
    async def work(batcher: Batcher[Request, Request]) -> Request:
        with pytest.raises(OSError, match="fell over"):
            await batcher.submit(("bad", 0), deadline=soon())
        return await batcher.submit(("beside", 0), deadline=soon())

    device = Device()
    device.failing = {("bad", 0)}
    assert in_time(device, work) == ("beside", 0)


def test_a_result_that_is_an_exception_is_raised_for_its_request_alone() -> None:
    def run(batch: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if item % 2 else item for item in batch]

    async def main() -> list[int | BaseException]:
        async with Batcher(run, LoopClock(), name="even") as batcher:
            work = [batcher.submit(item, deadline=soon()) for item in range(4)]
            results = await asyncio.gather(*work, return_exceptions=True)
            assert batcher.statistics().failed == 2
            return list(results)

    assert [type(result) for result in run_virtual(main())] == [int, ValueError, int, ValueError]


@pytest.mark.parametrize("error", [StopIteration(), TimeoutError(), asyncio.InvalidStateError(), KeyError("a")])
def test_whatever_a_device_raises_the_batcher_lives_on(error: Exception) -> None:
    def run(batch: Sequence[int]) -> Sequence[int]:
        if batch[0] == 0:
            raise error
        return batch

    async def main() -> int:
        odd: Batcher[int, int] = Batcher(run, LoopClock(), name="odd")
        async with odd as batcher:
            with pytest.raises((RuntimeError, type(error))):
                await batcher.submit(0, deadline=soon())
            return await batcher.submit(1, deadline=soon())

    assert run_virtual(main()) == 1


def test_too_few_results_are_an_error_not_a_mix_up() -> None:
    async def main() -> None:
        short: Batcher[int, int] = Batcher(lambda batch: batch[1:], LoopClock(), name="short")
        async with short as batcher:
            with pytest.raises(RuntimeError, match="short: 0 results for 1 requests"):
                await batcher.submit(0, deadline=soon())

    run_virtual(main())


def test_a_request_is_late_at_its_deadline_also_when_the_device_hangs() -> None:
    async def work(batcher: Batcher[Request, Request]) -> float:
        begun = LoopClock().now()
        with pytest.raises(LateError, match="lips"):
            await batcher.submit(("a", 0), deadline=soon(0.04))
        return LoopClock().now() - begun

    assert in_time(Device(lambda _: 60), work) == pytest.approx(0.04, abs=1e-6)


def test_a_deadline_that_has_passed_is_late_at_once() -> None:
    async def work(batcher: Batcher[Request, Request]) -> int:
        with pytest.raises(LateError):
            await batcher.submit(("a", 0), deadline=LoopClock().now())
        return batcher.statistics().late

    device = Device()
    assert in_time(device, work) == 1
    assert device.batches == []


def test_what_the_known_cost_makes_late_fails_before_it_runs() -> None:
    async def work(batcher: Batcher[Request, Request]) -> float:
        await batcher.measure(("sample", 0))
        begun = LoopClock().now()
        with pytest.raises(LateError):
            await batcher.submit(("a", 0), deadline=soon(BASE / 2))
        return LoopClock().now() - begun

    device = Device()
    assert in_time(device, work) == 0
    assert ("a", 0) not in [request for batch in device.batches for request in batch]


def test_a_device_that_has_become_fast_again_is_found_out() -> None:
    async def work(batcher: Batcher[Request, Request]) -> Request:
        await batcher.measure(("slow", 0))
        device.seconds = cost
        for frame in range(25):
            try:
                return await batcher.submit(("a", frame), deadline=soon(0.04))
            except LateError:
                await wait(0.04)
        raise AssertionError("never tried again")

    device = Device(lambda _: 0.2)
    assert in_time(device, work)[0] == "a"


def test_measuring_learns_the_line_of_costs() -> None:
    async def work(batcher: Batcher[Request, Request]) -> tuple[float, float]:
        await batcher.measure(("sample", 0))
        now = batcher.statistics()
        return now.base_seconds, now.item_seconds

    base, item = in_time(Device(), work)
    assert base == pytest.approx(BASE, rel=1e-3)
    assert item == pytest.approx(ITEM, rel=1e-3)


def test_a_session_that_will_not_fit_is_refused_with_the_measured_cost_and_fits_once_another_left() -> None:
    async def work(batcher: Batcher[Request, Request]) -> int:
        await batcher.measure(("sample", 0))
        leases = []
        with pytest.raises(CapacityError, match=r"lips: .*25 requests a second.*6\.0 ms \+ 0\.50 ms"):
            while True:
                leases.append(batcher.admit(25))
        leases[0].release()
        leases[0].release()
        with batcher.admit(25), pytest.raises(CapacityError):
            batcher.admit(25)
        batcher.admit(25).release()
        return len(leases)

    # 16 at a time take 14 ms: nine tenths of 16 / 0.014 s / 25 are 41.
    assert in_time(Device(), work) == 41


def test_as_many_sessions_as_are_admitted_run_without_a_late_frame() -> None:
    late, _ = sessions(41)
    assert late == 0


def test_without_a_measurement_every_session_fits() -> None:
    async def work(batcher: Batcher[Request, Request]) -> float:
        for _ in range(1000):
            batcher.admit(25)
        return batcher.statistics().admitted_rate

    assert in_time(Device(), work) == 25_000


def test_statistics_tell_what_ran() -> None:
    async def work(batcher: Batcher[Request, Request]) -> None:
        await asyncio.gather(*(batcher.submit(("a", n), deadline=soon()) for n in range(3)))
        await batcher.submit(("a", 3), deadline=soon())
        now = batcher.statistics()
        assert (now.batches, now.requests, now.mean_size, now.waiting) == (2, 4, 2.0, 0)

    in_time(Device(), work)


def test_blocking_work_runs_in_one_thread_that_ends_with_the_last_user() -> None:
    threads: set[threading.Thread] = set()

    def run(batch: Sequence[int]) -> Sequence[int]:
        threads.add(threading.current_thread())
        return batch

    async def main() -> None:
        batcher: Batcher[int, int] = Batcher(run, LoopClock(), name="one")
        async with batcher:
            async with batcher:
                await batcher.submit(1, deadline=soon())
            await batcher.submit(2, deadline=soon())
        with pytest.raises(RuntimeError, match="one is not open"):
            await batcher.submit(3, deadline=soon())

    run_virtual(main())
    [thread] = threads
    assert thread is not threading.main_thread()
    thread.join(5)
    assert not thread.is_alive()


def test_a_batcher_opens_again_after_it_was_closed_even_in_another_loop() -> None:
    batcher: Batcher[int, int] = Batcher(lambda batch: batch, LoopClock(), name="again")

    async def main() -> int:
        async with batcher:
            return await batcher.submit(7, deadline=soon())

    assert [run_virtual(main()), asyncio.run(main())] == [7, 7]


def test_closing_fails_what_still_waits_and_does_not_wait_for_a_device_that_hangs() -> None:
    async def main() -> float:
        batcher = Device(lambda _: 60).batcher()

        async def stranded(name: str) -> None:
            with pytest.raises(RuntimeError, match="was closed"):
                await batcher.submit((name, 0), deadline=soon(100))

        async with asyncio.TaskGroup() as tasks, batcher:
            begun = LoopClock().now()
            for name in ("runs", "waits"):
                tasks.create_task(stranded(name))
                await wait(0.001)
        return LoopClock().now() - begun

    assert run_virtual(main()) < 0.01


def test_a_device_is_never_used_by_two_batches_at_once_even_when_one_was_left_running() -> None:
    entered, go, inside = threading.Event(), threading.Event(), list[int]()

    def run(batch: Sequence[int]) -> Sequence[int]:
        inside.append(batch[0])
        entered.set()
        if batch[0] == 1:
            go.wait(30)
        inside.remove(batch[0])
        assert inside == []
        return batch

    async def left() -> None:
        async with batcher:
            with pytest.raises(LateError):
                await batcher.submit(1, deadline=soon(0.2))

    async def again() -> int:
        async with batcher:
            asyncio.get_running_loop().call_later(0.05, go.set)
            return await batcher.submit(2, deadline=soon(30))

    batcher: Batcher[int, int] = Batcher(run, LoopClock(), name="left")
    asyncio.run(left())
    assert entered.is_set()
    assert asyncio.run(again()) == 2


def test_when_nobody_watches_nothing_is_late_and_nobody_is_refused() -> None:
    async def main() -> list[int]:
        clock = FreeClock()
        file: Batcher[int, int] = Batcher(lambda batch: batch, clock, name="file")
        async with file as batcher:
            batcher.admit(1e9)
            await clock.sleep_until(100)
            return list(await asyncio.gather(*(batcher.submit(n, deadline=1) for n in range(3))))

    assert asyncio.run(main()) == [0, 1, 2]


@pytest.mark.parametrize("buckets", [(), (0, 1), (2, 1), (1, 1)])
def test_buckets_that_are_not_growing_sizes_are_refused(buckets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="growing"):
        Batcher(lambda batch: batch, LoopClock(), name="none", buckets=buckets)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 0.2), st.floats(0.001, 0.1), st.sampled_from(["wait", "cancel", "fail"])),
        max_size=40,
    ),
    st.sampled_from([BUCKETS, (1,), (4,), (1, 3, 7)]),
)
def test_whatever_sessions_do_everyone_gets_its_own_result_by_its_deadline_or_an_error(
    plans: list[tuple[float, float, str]], buckets: Sequence[int]
) -> None:
    device = Device()
    device.failing = {("s", number) for number, plan in enumerate(plans) if plan[2] == "fail"}
    outcomes: dict[int, str] = {}

    async def one(batcher: Batcher[Request, Request], number: int, begin: float, left: float, cancel: bool) -> None:
        await wait(begin)
        deadline = soon(left)
        try:
            async with asyncio.timeout(left / 2 if cancel else None):
                assert await batcher.submit(("s", number), deadline=deadline) == ("s", number)
                outcomes[number] = "done"
        except LateError:
            outcomes[number] = "late"
        except TimeoutError:
            outcomes[number] = "cancelled"
        except OSError:
            outcomes[number] = "failed"
        assert LoopClock().now() <= deadline + 1e-6

    async def work(batcher: Batcher[Request, Request]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, (begin, left, what) in enumerate(plans):
                tasks.create_task(one(batcher, number, begin, left, what == "cancel"))
        now = batcher.statistics()
        counted = list(outcomes.values())
        assert now.late == counted.count("late")
        assert now.cancelled == counted.count("cancelled")
        assert now.waiting == 0

    in_time(device, work, buckets=buckets)
    assert len(outcomes) == len(plans)
    for number, outcome in outcomes.items():
        if outcome == "failed":
            assert any(("s", number) in batch and device.failing & set(batch) for batch in device.batches)
    assert all(len(batch) in buckets for batch in device.batches)


def line(*deadlines: float) -> list[Waiting[int, int]]:
    loop = asyncio.new_event_loop()
    try:
        return [Waiting(number, deadline, loop.create_future()) for number, deadline in enumerate(deadlines)]
    finally:
        loop.close()


def chosen(deadlines: list[float], seconds: Callable[[int], float] = cost) -> tuple[list[int], int, int]:
    choice = choose(line(*deadlines), 0.0, seconds, BUCKETS)
    return [waiting.request for waiting in choice.batch], choice.bucket, len(choice.late)


def test_a_small_batch_goes_first_when_only_that_saves_the_most_urgent() -> None:
    assert chosen([0.0066, 1.0]) == ([0], 1, 0)


def test_one_request_is_given_up_when_that_saves_many() -> None:
    assert chosen([0.0066, *[1.0] * 30]) == (list(range(1, 31)), 32, 1)


def test_what_nothing_can_save_is_late() -> None:
    assert chosen([0.001, 0.002]) == ([], 0, 2)


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.1), max_size=80), st.floats(0, 0.02), st.floats(0, 0.002))
def test_every_request_is_in_one_place_and_the_batch_is_in_time_and_the_most_urgent(
    deadlines: list[float], base: float, item: float
) -> None:
    choice = choose(line(*deadlines), 0.0, lambda size: base + item * size, BUCKETS)
    parts = [*choice.late, *choice.batch, *choice.rest]
    assert sorted(waiting.request for waiting in parts) == list(range(len(deadlines)))
    assert [waiting.deadline for waiting in parts] == sorted(deadlines)
    assert len(choice.batch) <= choice.bucket
    assert all(waiting.deadline >= base + item * choice.bucket for waiting in choice.batch)


def test_costs_ignore_the_first_run_of_a_size_and_a_stall() -> None:
    costs = Costs()
    for seconds in (2.0, 0.01, 0.01, 3.0, 0.01):
        costs.observe(4, seconds)
    assert costs.seconds(4) == 0.01


def test_a_size_that_never_ran_costs_no_less_than_in_proportion() -> None:
    costs = Costs()
    costs.observe(4, 1)
    costs.observe(4, 0.01)
    assert costs.seconds(8) == pytest.approx(0.02)


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 64), st.floats(0, 10), max_size=6))
def test_no_cost_is_ever_negative(measured: dict[int, float]) -> None:
    costs = Costs()
    for size, seconds in measured.items():
        costs.observe(size, seconds)
        costs.observe(size, seconds)
    assert costs.base_seconds >= 0
    assert costs.item_seconds >= 0
    assert all(costs.seconds(size) >= 0 for size in range(1, 65))


def test_requests_slower_than_a_period_never_fit() -> None:
    assert not fits(1, 0.01, lambda _: 0.006, BUCKETS)
    assert fits(1, 0.013, lambda _: 0.006, BUCKETS)
