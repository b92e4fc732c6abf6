"""What an ingest that dies costs: the program, the output to it, and another output beside it."""

from __future__ import annotations

import asyncio
import math
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from anchor import registry
from anchor.bench.ingest import Arrived, Ingest, arrived
from anchor.bench.measure import Figure, Tell, percentile, resident_mib
from anchor.clock import Clock, LoopClock
from anchor.config import OutputConfig
from anchor.media import SAMPLE_RATE, Beat, Picture, VideoFormat
from anchor.onair import OutputInfo

VIDEO = VideoFormat(1280, 720, 25)
KILLS = 100
UP_SECONDS = 1.0
DOWN_SECONDS = (0.1, 0.6, 1.7)
"""How long the ingest is gone, in turn: shorter than the first wait to reconnect, in between, and beyond the last."""

PATIENCE_SECONDS = 20.0
_PICTURES = 50


def _pictures() -> list[Picture]:
    """A slope on which a square walks, the same every two seconds."""
    made = []
    for place in range(_PICTURES):
        picture = Picture.black(VIDEO)
        picture.y[:] = np.linspace(40, 160, VIDEO.width, dtype=np.uint8)
        left = 40 + place * 20
        picture.y[200:440, left : left + 160] = 200
        picture.u[100:220, left // 2 : left // 2 + 80] = 90
        made.append(picture)
    return made


@dataclass(slots=True)
class _Run:
    """A program on air, and what it found."""

    program: Any
    clock: Clock
    send_seconds: float = 0.0
    back: list[float] = field(default_factory=list)

    async def produce(self) -> None:
        pictures, samples = _pictures(), VIDEO.samples_per_beat
        sound = (0.2 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * np.arange(_PICTURES * samples))).astype(np.float32)
        start, index = self.clock.now(), 0
        while True:
            await self.clock.sleep_until(start + index * VIDEO.seconds_per_beat)
            place = index % _PICTURES
            beat = Beat(index, pictures[place], sound[place * samples : (place + 1) * samples])
            began = self.clock.now()
            await self.program.send(beat)
            self.send_seconds = max(self.send_seconds, self.clock.now() - began)
            index += 1

    def info(self, name: str) -> OutputInfo:
        found: OutputInfo = next(found for found in self.program.outputs() if found.name == name)
        return found

    async def until(self, condition: Callable[[], bool]) -> float:
        """Wait for a condition; how long it took, infinite when it does not come true."""
        start = self.clock.now()
        while not condition():
            if self.clock.now() - start > PATIENCE_SECONDS:
                return math.inf
            await self.clock.sleep_until(self.clock.now() + 0.01)
        return self.clock.now() - start

    async def kill(self, ingest: Ingest, down: float) -> None:
        """Kill the ingest, start it again, and wait until the output has written to it for a while."""
        ingest.kill()
        await self.until(lambda: self.info("ingest").state != "live")
        await self.clock.sleep_until(self.clock.now() + down)
        sent = self.info("ingest").sent_seconds
        ingest.start()
        self.back.append(await self.until(lambda: self.info("ingest").sent_seconds > sent))
        await self.until(lambda: self.info("ingest").sent_seconds > sent + UP_SECONDS)


async def measure(tell: Tell, *, kills: int = KILLS) -> list[Figure]:
    """Kill an ingest `kills` times. Raises `MissingError` without nginx."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ingest = Ingest(folder / "nginx")
        try:
            return await _measured(tell, ingest, folder / "archive.mp4", kills)
        finally:
            ingest.kill()


async def _measured(tell: Tell, ingest: Ingest, archive: Path, kills: int) -> list[Figure]:
    wishes = [
        OutputConfig(to=ingest.address(), name="ingest", profile="live"),
        OutputConfig(to=f"file:{archive}", name="archive", profile="live"),
    ]
    program = registry.load("anchor.part", "open_program")(VIDEO, wishes)
    run = _Run(program, LoopClock())
    ingest.start()
    async with program, asyncio.TaskGroup() as group:
        producing = group.create_task(run.produce())
        await run.until(lambda: run.info("ingest").sent_seconds > UP_SECONDS)
        before = _resources()
        for number in range(kills):
            if number % 10 == 0:
                tell(f"killed {number} of {kills} times")
            await run.kill(ingest, DOWN_SECONDS[number % len(DOWN_SECONDS)])
        after = _resources()
        producing.cancel()
    (encoded,) = program.encoded()
    connections = [arrived(path) for path in ingest.records]
    kept = arrived(archive)
    groups = [later - earlier for earlier, later in pairwise(_keyframe_times(kept))]
    return [
        Figure("ingest_killed", kills, ""),
        Figure("back_seconds_p50", percentile(run.back, 50), "s"),
        Figure("back_seconds_max", max(run.back), "s", 2.0),
        Figure("encoder_blocked_ms_max", 1000 * encoded.blocked_seconds_max, "ms", 40),
        Figure("program_blocked_ms_max", 1000 * run.send_seconds, "ms", 40),
        Figure("connections_recorded", len(connections), ""),
        Figure("idr_first_share_min", _share(connections, lambda found: found.keyframes[:1] == [True]), "", 1),
        Figure("dts_rising_share_min", _share(connections, _rising), "", 1),
        Figure("gop_seconds_max", max(groups) / 1000, "s", 2.0),
        Figure("archive_lost_beats_max", encoded.beats - len(kept.video), "", 0),
        Figure("archive_connections_max", run.info("archive").attempts, "", 1),
        Figure("encoder_dropped_beats", encoded.dropped, ""),
        Figure("threads_grown_max", after[0] - before[0], "", 0),
        Figure("descriptors_grown_max", after[1] - before[1], "", 0),
        Figure("memory_growth_mib", after[2] - before[2], "MiB"),
    ]


def _resources() -> tuple[int, int, float]:
    """Threads, open descriptors and MiB of this process."""
    descriptors = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0  # noqa: PTH208
    return threading.active_count(), descriptors, resident_mib()


def _keyframe_times(found: Arrived) -> list[float]:
    return [round(time, 3) for time, keyframe in zip(found.video, found.keyframes, strict=True) if keyframe]


def _rising(found: Arrived) -> bool:
    return all(later > earlier for times in (found.video, found.audio) for earlier, later in pairwise(times))


def _share(connections: list[Arrived], holds: Callable[[Arrived], bool]) -> float:
    """Of those that have a picture at all."""
    seen = [found for found in connections if found.video]
    return sum(map(holds, seen)) / len(seen) if seen else 0.0
