"""The show: scripts as a stream of utterances, prepared ahead of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from anchor.broadcast.script import Script, Segment
from anchor.clock import Clock
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import Performance, Utterance

AHEAD = 2
"""Segments that wait, prepared, behind the one on air."""

RETRY_SECONDS = 1.0


async def present(
    performer: Performer,
    scripts: Sequence[Script],
    utter: Callable[[Segment, float], Awaitable[Utterance]],
    clock: Clock,
    *,
    loop: bool,
    pause: float,
) -> None:
    """Perform the scripts in turn, once or for ever, `pause` seconds apart.

    `utter` makes an utterance of a segment, with the seconds of silence that follow it. A segment that fails is left
    out; after one, the next waits a little, so that a broken voice does not make a busy loop.
    """
    waiting: deque[Performance] = deque()
    for _ in count() if loop else range(1):
        for script in scripts:
            for number, segment in enumerate(script.segments, start=1):
                after = segment.pause + (pause if number == len(script.segments) else 0.0)
                waiting.append(performer.perform(await utter(segment, after)))
                while len(waiting) > AHEAD:
                    if await waiting.popleft().wait() == "failed":
                        await clock.sleep_until(clock.now() + RETRY_SECONDS)
    for performance in waiting:
        await performance.wait()
