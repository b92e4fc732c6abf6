"""Viewers for the benches: join a WHEP address, take packets in without decoding, until standard input ends.

``python -m anchor.bench.viewers http://127.0.0.1:8010/whep/demo 8``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiortc.rtcrtpreceiver
import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription


class _Discard:
    """In place of a decoder: eight of them would need more than the machine has."""

    def decode(self, _: Any) -> list[Any]:
        return []


async def join(client: httpx.AsyncClient, address: str) -> RTCPeerConnection:
    """A connection that receives sound and picture from a WHEP address."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    response = await client.post(address, content=offer, headers={"Content-Type": "application/sdp"})
    response.raise_for_status()
    await connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
    return connection


async def main(address: str, count: int) -> None:
    async with httpx.AsyncClient() as client:
        connections = [await join(client, address) for _ in range(count)]
        while any(connection.connectionState != "connected" for connection in connections):
            await asyncio.wait([asyncio.get_running_loop().run_in_executor(None, lambda: None)], timeout=0.05)
        print("watching", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for connection in connections:
            await connection.close()


if __name__ == "__main__":
    aiortc.rtcrtpreceiver.get_decoder = lambda _: _Discard()
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
