"""Viewers for the benches: join a WHEP address, take packets in without decoding, until standard input ends.

``python -m anchor.bench.viewers http://127.0.0.1:8010/whep/demo 8``, which then writes what each of them got as JSON;
with a further number, each of them asks for so many keyframes a second.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Awaitable
from itertools import pairwise
from typing import Any

import aiortc.rtcrtpreceiver
import httpx
from aiortc import RTCPeerConnection

from anchor.bench.measure import SETTLE_SECONDS, join
from anchor.media import VIDEO_CLOCK

_SPS = 0x67
"""The first byte of a sequence parameter set, with which every keyframe of ours begins."""

_JITTER_SECONDS = 0.1
"""The last picture may come so much later, or the first so much sooner, than its time."""


class Discard:
    """In place of a decoder: eight of them would need more than the machine has."""

    def decode(self, _: Any) -> list[Any]:
        return []


class Count(Discard):
    """Notes the pictures that came whole: RTP time stamp, when, bits, and whether it is a keyframe."""

    def __init__(self) -> None:
        self.came: list[tuple[int, float, int, bool]] = []

    def decode(self, frame: Any) -> list[Any]:
        keyframe = _SPS in frame.data[:5]
        self.came.append((frame.timestamp, time.perf_counter(), 8 * len(frame.data), keyframe))
        return []

    def report(self, since: float) -> dict[str, float]:
        """What came from that moment on.

        ``pictures``, how many of those the stream had were ``lost``, and a second: pictures (``fps``), ``keyframes``
        and ``bits``.
        """
        came = [one for one in self.came if one[1] >= since]
        if len(came) < 2:
            return {"pictures": len(came), "lost": 0, "fps": 0.0, "keyframes": 0.0, "bits": 0.0}
        steps = [(after[0] - before[0]) % (1 << 32) for before, after in pairwise(came)]
        lost = round(sum(steps) / min(steps)) - len(steps)
        seconds = sum(steps) / VIDEO_CLOCK
        return {
            "pictures": len(came),
            "lost": lost,
            "fps": (len(came) - 1) / max(seconds, came[-1][1] - came[0][1] - _JITTER_SECONDS),
            "keyframes": sum(one[3] for one in came[1:]) / seconds,
            "bits": sum(one[2] for one in came[1:]) / seconds,
        }


def _beg(connection: RTCPeerConnection) -> Awaitable[None]:
    """Say that a picture was lost (RFC 4585 section 6.3.1)."""
    receiver = next(one for one in connection.getReceivers() if one.track.kind == "video")
    source = re.findall(r"a=ssrc:(\d+)", connection.remoteDescription.sdp.partition("m=video")[2])[0]
    plea: Awaitable[None] = receiver._send_rtcp_pli(int(source))
    return plea


async def main(address: str, count: int, pleas: float = 0) -> float:
    """Watch; when all had come."""
    async with httpx.AsyncClient(timeout=20) as client:
        connections = [await join(client, address) for _ in range(count)]
        while any(connection.connectionState != "connected" for connection in connections):
            await asyncio.wait([asyncio.get_running_loop().run_in_executor(None, lambda: None)], timeout=0.05)
        print("ready", flush=True)
        ready = time.perf_counter()
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        while not ended.done():
            await asyncio.wait([ended], timeout=1 / pleas if pleas else None)
            if pleas:
                await asyncio.gather(*map(_beg, connections))
        for connection in connections:
            await connection.close()
        return ready


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
    ready = asyncio.run(main(sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:])))
    print(json.dumps([count.report(ready + SETTLE_SECONDS) for count in counts if count.came]), flush=True)
