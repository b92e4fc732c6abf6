"""One bulletin with graphics, rendered in a process of its own and watched.

Run as a file with ``python -P``, so that nothing of the other benchmarks is imported:
``one_render.py FILM SIZE SEGMENTS BEGUN < TEXT``. Prints JSON: seconds from `begun` (of `time.perf_counter`) to the
first picture, seconds of film, of time and of processor time, and the memory in use at the first minute, at the end and
at most, and how much more it is after another bulletin.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path

from anchor.broadcast.script import Script, Segment
from anchor.events import LowerThird
from anchor.graphics import Graphics
from anchor.media import VideoFormat

GRAPHICS = Graphics(headline="A headline card", kicker="Measured", ticker=("First line", "第二行", "Third line"))
LOWER_THIRD = LowerThird("Measured here", "A bulletin that measures itself")
SETTLED_SECONDS = 60.0


async def measure(text: str, target: Path, video: VideoFormat, count: int, begun: float) -> dict[str, float]:
    """Render a bulletin that says a text `count` times."""
    # As the command line does: what rendering needs is imported when it is asked for.
    from anchor.rendering import Progress, Settings, render_as

    found: dict[str, float] = {}

    def watch(now: Progress) -> None:
        found.setdefault("first_seconds", time.perf_counter() - begun)
        if now.seconds > SETTLED_SECONDS:
            found.setdefault("settled_mib", _resident_mib())

    segment = Segment(text, "en", LOWER_THIRD, graphics=GRAPHICS)
    start, processor = time.perf_counter(), time.process_time()
    made = await render_as(Settings(video), Script("measured", (segment,) * count), target, on_progress=watch)
    found |= {
        "film_seconds": made.seconds, "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor, "end_mib": _resident_mib(), "peak_mib": _peak_mib(),
    }  # fmt: skip
    await render_as(Settings(video), Script("another", (segment,)), target)
    return found | {"another_mib": _resident_mib() - found["end_mib"]}


def _resident_mib() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _peak_mib() -> float:
    """At most of this process; ``ru_maxrss`` has also what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 2**10


def main() -> None:
    target, size, count, begun = sys.argv[1:]
    work = measure(sys.stdin.read(), Path(target), VideoFormat.parse(size), int(count), float(begun))
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    main()
