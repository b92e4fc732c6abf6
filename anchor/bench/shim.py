"""A bad network between two UDP ends on this machine: packets get lost, late and out of order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to each packet, each way: `loss` of them never arrive, the others after `delay` and up to `jitter`.

    Of each its own, so that packets overtake each other as on no real network; times in seconds.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0


@dataclass(slots=True)
class Counts:
    passed: int = 0
    lost: int = 0


class _End(asyncio.DatagramProtocol):
    def __init__(self, came: Callable[[bytes, Address], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._came(data, (addr[0], addr[1]))


class Shim:
    """Relays between one server's port and its callers, each of whom the server sees as a port of its own.

    `weather` may be changed while it runs.
    """

    def __init__(self, server: Address, weather: Weather, seed: int = 1) -> None:
        self.weather = weather
        self.down, self.up = Counts(), Counts()
        self._server = server
        self._chance = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._callers: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}
        self._closed = False

    async def open(self) -> int:
        """The port that callers use."""
        self._door, _ = await self._loop.create_datagram_endpoint(
            lambda: _End(self._from_caller), local_addr=("127.0.0.1", 0)
        )
        return int(self._door.get_extra_info("sockname")[1])

    def _from_caller(self, data: bytes, caller: Address) -> None:
        if caller not in self._callers:
            self._callers[caller] = self._loop.create_future()
            self._opening.create_task(self._let_in(caller))
        self._carry(self.up, lambda: self._to_server(data, caller))

    async def _let_in(self, caller: Address) -> None:
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _End(lambda data, _: self._carry(self.down, lambda: self._door.sendto(data, caller))),
            local_addr=("127.0.0.1", 0),
        )
        self._callers[caller].set_result(transport)

    def _to_server(self, data: bytes, caller: Address) -> None:
        transport = self._callers[caller]
        if transport.done():
            transport.result().sendto(data, self._server)

    def _carry(self, counts: Counts, arrive: Callable[[], None]) -> None:
        weather = self.weather
        if self._chance.random() < weather.loss:
            counts.lost += 1
            return
        counts.passed += 1
        self._loop.call_later(weather.delay + weather.jitter * self._chance.random(), self._arrive, arrive)

    def _arrive(self, arrive: Callable[[], None]) -> None:
        if not self._closed:
            arrive()

    async def __aenter__(self) -> Self:
        self._opening = asyncio.TaskGroup()
        await self._opening.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._opening.__aexit__(None, None, None)
        self._closed = True
        self._door.close()
        for transport in self._callers.values():
            if transport.done():
                transport.result().close()


def through(answer: str, port: int) -> str:
    """An SDP answer whose only candidate is a shim's port."""
    kept = []
    for line in answer.splitlines():
        if line.startswith("a=candidate:"):
            fields = line.split()
            if fields[4] == "127.0.0.1" and fields[7] == "host":
                fields[5] = str(port)
                kept.append(" ".join(fields))
        else:
            kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def without_candidates(offer: str) -> str:
    """An offer whose maker can only be found through the shim."""
    return "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate:")) + "\r\n"


def loopback_port(answer: str) -> int:
    """The port of the 127.0.0.1 candidate of an answer."""
    for line in answer.splitlines():
        fields = line.split()
        if line.startswith("a=candidate:") and fields[4] == "127.0.0.1":
            return int(fields[5])
    raise ValueError("the answer has no candidate on 127.0.0.1")
