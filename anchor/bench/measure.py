"""What the benches share: figures, the machine, processor time, and a running studio."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import math
import os
import platform
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from anchor.app import Studio
from anchor.config import ChannelConfig, Config, ServerConfig
from anchor.live import LiveChannel
from anchor.serve import listen
from anchor.server.api import create_app

Tell = Callable[[str], None]

CHANNEL = "bench"

SETTLE_SECONDS = 8.0
"""From when all viewers have come until what they get is noted."""

TEXT = (
    "Good evening, and welcome. Tonight we look at how a machine learns to speak. Every word you hear is timed to the "
    "sample, and every picture belongs to its sound. Papa bought a big map of Bohemia, and five very fine views. "
    "The temperature reached 21.5 degrees on 5 March 2025, and the price rose by 3.2 percent to $1,299."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. A goal has its direction in the name: ``..._max`` or ``..._min``."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def ok(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.name.endswith("_max") else self.value >= self.goal

    def as_dict(self) -> dict[str, Any]:
        value = round(self.value, 4) if math.isfinite(self.value) else None
        return {"name": self.name, "value": value, "unit": self.unit, "goal": self.goal, "ok": self.ok}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]


def resident_mib() -> float:
    """Memory of this process that is in use now."""
    gc.collect()
    if sys.platform != "linux":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def cores_used(seconds: float) -> float:
    """Processor time of this process, in cores, over the next `seconds`."""
    loop = asyncio.get_running_loop()
    wall, cpu = loop.time(), time.process_time()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
    return (time.process_time() - cpu) / (loop.time() - wall)


@contextlib.asynccontextmanager
async def serving(config: Config) -> AsyncIterator[tuple[Studio, str]]:
    """A server on a free port; yields what it serves and its address."""
    with listen(config.server) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        studio = Studio(config, address)
        app = create_app(
            studio, token=None, registry=studio.metrics.registry, visitors=studio.visitors,
            demo_bank=config.server.demo_bank,
        )  # fmt: skip
        web = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        async with studio.on_air(), asyncio.TaskGroup() as tasks:
            tasks.create_task(web.serve(sockets=[listening]))
            while not (studio.ready() and web.started):
                await asyncio.wait_for(asyncio.shield(_moment()), None)
            try:
                yield studio, address
            finally:
                web.should_exit = True


@contextlib.asynccontextmanager
async def running_studio(**values: Any) -> AsyncIterator[tuple[LiveChannel, str]]:
    """A server on a free port with one channel; yields the channel and the server's address."""
    config = Config(server=ServerConfig(port=0), channels=(ChannelConfig(name=CHANNEL, **values),))
    async with serving(config) as (studio, address):
        yield studio.live(CHANNEL), address


async def _moment() -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.02)


@contextlib.asynccontextmanager
async def remote_viewers(address: str, count: int, *, pleas: float = 0) -> AsyncIterator[list[dict[str, float]]]:
    """`count` WebRTC viewers in a process of their own, so that their work is not counted as ours.

    Each asks for a keyframe `pleas` times a second. When the context has been left, the list has what each of them
    got; see `anchor.bench.viewers.Count.report`.
    """
    reports: list[dict[str, float]] = []
    async with other_process("anchor.bench.viewers", f"{address}/whep/{CHANNEL}", str(count), str(pleas)) as said:
        yield reports
    reports.extend(json.loads(said[-1]) if said else ())


@contextlib.asynccontextmanager
async def other_process(module: str, *arguments: str, seconds: float = 60) -> AsyncIterator[list[str]]:
    """Run a module until the context is left; entered when it has written ``ready``, within `seconds`.

    The list has the lines that it wrote after that, when it has ended.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline()
        if line.strip() != b"ready":
            raise RuntimeError(f"{module} is not ready: {line.decode()!r}")
        said: list[str] = []
        yield said
        process.stdin.close()
        said.extend((await process.stdout.read()).decode().splitlines())
    finally:
        process.stdin.close()
        await process.wait()


class LoopLag:
    """How late the event loop runs what was due, every 10 ms while the context lasts."""

    STEP_SECONDS = 0.01

    def __init__(self) -> None:
        self.late_ms: list[float] = []

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._plan()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._timer.cancel()

    def _plan(self) -> None:
        due = self._loop.time() + self.STEP_SECONDS
        self._timer = self._loop.call_at(due, self._note, due)

    def _note(self, due: float) -> None:
        self.late_ms.append(1000 * (self._loop.time() - due))
        self._plan()


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
