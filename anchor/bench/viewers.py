"""Viewers for the benches: join a WHEP address, take packets in without decoding, until standard input ends.

``python -m anchor.bench.viewers http://127.0.0.1:8010/whep/demo 8``, which then writes what each of them got as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise
from typing import Any

import aiortc.rtcrtpreceiver
import httpx

from anchor.bench.measure import join
from anchor.media import VIDEO_CLOCK


class Discard:
    """In place of a decoder: eight of them would need more than the machine has."""

    def decode(self, _: Any) -> list[Any]:
        return []


class Count(Discard):
    """Notes the pictures that came whole: RTP time stamp, and when."""

    def __init__(self) -> None:
        self.came: list[tuple[int, float]] = []

    def decode(self, frame: Any) -> list[Any]:
        self.came.append((frame.timestamp, time.perf_counter()))
        return []

    def report(self, settle_seconds: float) -> dict[str, float]:
        """Pictures lost of those that the stream had, and their rate, from `settle_seconds` after the first on."""
        came = [one for one in self.came if one[1] >= self.came[0][1] + settle_seconds]
        if len(came) < 2:
            return {"pictures": len(came), "lost": 0, "fps": 0.0}
        steps = [(after - before) % (1 << 32) for (before, _), (after, _) in pairwise(came)]
        step = min(steps)
        lost = round(sum(steps) / step) - len(steps)
        shown = sum(steps) / VIDEO_CLOCK
        seconds = came[-1][1] - came[0][1]
        return {"pictures": len(came), "lost": lost, "fps": (len(came) - 1) / max(seconds, shown - step / VIDEO_CLOCK)}


async def main(address: str, count: int) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        connections = [await join(client, address) for _ in range(count)]
        while any(connection.connectionState != "connected" for connection in connections):
            await asyncio.wait([asyncio.get_running_loop().run_in_executor(None, lambda: None)], timeout=0.05)
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for connection in connections:
            await connection.close()


def counted(kinds: list[Count]) -> Any:
    """Stands in for aiortc's choice of a decoder."""

    def get_decoder(codec: Any) -> Discard:
        if not codec.mimeType.lower().startswith("video"):
            return Discard()
        kinds.append(Count())
        return kinds[-1]

    return get_decoder


if __name__ == "__main__":
    counts: list[Count] = []
    vars(aiortc.rtcrtpreceiver)["get_decoder"] = counted(counts)
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
    print(json.dumps([count.report(2.0) for count in counts if count.came]), flush=True)
