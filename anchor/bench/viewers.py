"""Viewers for the benches: join a WHEP address, take packets in without decoding, until standard input ends.

``python -m anchor.bench.viewers http://127.0.0.1:8010/whep/demo 8``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiortc.rtcrtpreceiver
import httpx

from anchor.bench.measure import join


class Discard:
    """In place of a decoder: eight of them would need more than the machine has."""

    def decode(self, _: Any) -> list[Any]:
        return []


async def main(address: str, count: int) -> None:
    async with httpx.AsyncClient() as client:
        connections = [await join(client, address) for _ in range(count)]
        while any(connection.connectionState != "connected" for connection in connections):
            await asyncio.wait([asyncio.get_running_loop().run_in_executor(None, lambda: None)], timeout=0.05)
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for connection in connections:
            await connection.close()


if __name__ == "__main__":
    vars(aiortc.rtcrtpreceiver)["get_decoder"] = lambda _: Discard()
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
