"""What one live channel with one viewer costs, and whether it keeps time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from anchor.bench.measure import TEXT, Figure, Tell, cores_used, remote_viewers, resident_mib, running_studio
from anchor.bench.talking import measure_halls
from anchor.live import LiveChannel

IDLE_SECONDS = 30
SPEAKING_SECONDS = 180
SETTLE_SECONDS = 60
"""Until two utterances wait prepared and what is kept for resuming is full: memory grows so far and no farther."""


async def measure(tell: Tell) -> list[Figure]:
    async with running_studio() as (channel, address), remote_viewers(address, 1):
        await cores_used(3)
        tell(f"idle for {IDLE_SECONDS} s")
        idle = await cores_used(IDLE_SECONDS)
        tell(f"speaking for {SPEAKING_SECONDS} s")
        async with talking(channel):
            await cores_used(SETTLE_SECONDS)
            memory, counters = resident_mib(), _counters(channel)
            start = asyncio.get_running_loop().time()
            speaking = await cores_used(SPEAKING_SECONDS)
            elapsed = asyncio.get_running_loop().time() - start
        grown = resident_mib() - memory
        beats, late, faces = (now - before for now, before in zip(_counters(channel), counters, strict=True))
        drift = abs(beats * channel.video.seconds_per_beat - elapsed)
    halls = await measure_halls(tell)
    return [
        Figure("channel_speaking_percent_of_core_max", 100 * speaking, "%", 22),
        Figure("channel_idle_percent_of_core_max", 100 * idle, "%", 15),
        Figure("clock_drift_ms_max", 1000 * drift, "ms", 1000 * channel.video.seconds_per_beat),
        Figure("late_pictures_percent_max", 100 * late / beats, "%", 1),
        Figure("late_faces_max", faces, "beats", 0),
        Figure("memory_growth_mib_max", grown, "MiB", 10),
        *halls,
    ]


def _counters(channel: LiveChannel) -> tuple[int, int, int]:
    assert channel.playout is not None
    counters = channel.playout.counters
    return counters.beats, counters.late_pictures, channel.performer.counters.late_faces


@contextlib.asynccontextmanager
async def talking(channel: LiveChannel) -> AsyncIterator[None]:
    """Keep the channel talking."""

    async def talk() -> None:
        while True:
            await channel.say(TEXT)
            while len(channel.performer.waiting) > 1:
                await channel.performer.waiting[0].wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(talk())
        yield
        task.cancel()
