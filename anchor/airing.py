"""``anchor broadcast``: one show without a server, until it has been aired or somebody stops it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from anchor.app import Studio
from anchor.clock import LoopClock
from anchor.config import Config
from anchor.errors import OutputError
from anchor.live import LiveChannel

LOOK_SECONDS = 0.5


async def air(config: Config, tell: Callable[[str], None]) -> None:
    """Air the one channel of a configuration; `tell` hears what is on air and how its outputs do.

    SIGTERM lets it finish its sentence. Raises `OutputError` when in the end an output had failed for good, and
    whatever keeps a show off air.
    """
    studio = Studio(config, ends=True)
    (channel,) = (studio.live(entry.name) for entry in config.channels)
    stopped: list[bool] = []
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        stopped.append(number == signal.SIGTERM and not stopped)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        async with studio.on_air(), asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(channel, tell))
            over = tasks.create_task(studio.over())
            waiting = tasks.create_task(ending.wait())
            await asyncio.wait([over, waiting], return_when=asyncio.FIRST_COMPLETED)
            failed = [output for output in channel.outputs.outputs() if output.state == "failed"]
            if not over.done():
                await studio.stop(finish=stopped[0])
            for task in (watching, over, waiting):
                task.cancel()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if failed:
        raise OutputError("\n".join(f"{output.name}: {output.problem}" for output in failed))


async def _watch(channel: LiveChannel, tell: Callable[[str], None]) -> None:
    """Tell of what goes on air, what fails, and every change of an output."""
    clock = LoopClock()
    told: dict[str, str] = {}
    on_air = ""
    while True:
        order = channel.desk.order()
        if order.on_air and order.on_air != on_air:
            item = next((item for item in order.items if item.id == order.on_air), None)
            if item is not None:
                tell(f"on air: {item.text[:60] or item.id}")
        on_air = order.on_air
        news = {f"segment {item.id}": item.problem for item in order.items if item.state == "failed"}
        for output in channel.outputs.outputs():
            problem = f": {output.problem}" if output.problem else ""
            news[f"{output.name} ({output.address})"] = f"{output.state}{problem}"
        for name, state in news.items():
            if told.get(name) != state:
                tell(f"{name}: {state}")
                told[name] = state
        await clock.sleep_until(clock.now() + LOOK_SECONDS)
