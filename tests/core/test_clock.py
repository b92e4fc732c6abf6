import asyncio
import threading

import pytest

from anchor.clock import FreeClock, LoopClock, run_virtual


def test_an_hour_of_virtual_time_passes_at_once() -> None:
    async def hour() -> float:
        clock = LoopClock()
        start = clock.now()
        await clock.sleep_until(start + 3600)
        return clock.now() - start

    assert run_virtual(hour()) == pytest.approx(3600, abs=1e-3)


def test_virtual_time_stands_still_while_a_thread_works() -> None:
    async def work() -> float:
        clock = LoopClock()
        begun = threading.Event()
        start = clock.now()
        loop = asyncio.get_running_loop()
        waiting = loop.create_task(clock.sleep_until(start + 100))
        job = loop.run_in_executor(None, lambda: begun.wait(0.05))
        await job
        taken = clock.now() - start
        await waiting
        return taken

    assert run_virtual(work()) == 0


def test_virtual_time_reports_that_nothing_will_ever_happen() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="every task waits"):
        run_virtual(stuck())


def test_a_free_clock_is_always_at_the_last_deadline() -> None:
    async def jump() -> float:
        clock = FreeClock()
        await clock.sleep_until(50)
        await clock.sleep_until(20)
        return clock.now()

    assert asyncio.run(jump()) == 50
