"""How many sessions share one network: simulated, on the CPU, and on a GPU where there is one."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from anchor import registry
from anchor.batching import BUCKETS, Batcher
from anchor.bench.measure import Figure, Tell, percentile
from anchor.bench.networks import MadeNetwork, lip_network, speech_network
from anchor.clock import LoopClock, run_virtual
from anchor.errors import CapacityError, LateError

FPS = 25
SECONDS = 4.0
BASE_SECONDS, ITEM_SECONDS = 0.006, 0.0005
GPU_SESSIONS = 200
MOST_SESSIONS = 500
"""More are not tried: the event loop would be measured, not the network."""

Request = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """How the requests of all sessions went; `taken` is in seconds, of those that were not refused as late."""

    late: int = 0
    taken: list[float] = field(default_factory=list)

    @property
    def late_percent(self) -> float:
        over = sum(seconds > 1 / FPS for seconds in self.taken)
        return 100 * (self.late + over) / max(1, self.late + len(self.taken))


async def measure(tell: Tell) -> list[Figure]:
    tell("32 sessions, then 8 without a batcher, on a simulated device")
    policy = await asyncio.to_thread(run_virtual, virtual(32))
    shared, alone = await _simulated(32), await _one_by_one(8)
    tell("a small network on the CPU")
    with tempfile.TemporaryDirectory() as folder:
        on_cpu = _milliseconds(_loaded(speech_network(), Path(folder), device="cpu"), (1, 8, 32), time.process_time)
        on_gpu = await gpu_figures(tell, Path(folder))
    return [
        Figure("policy_32_sessions_late_percent_max", policy.late_percent, "%", 0),
        Figure("policy_32_sessions_p95_ms_max", 1000 * percentile(policy.taken, 95), "ms", 30),
        Figure("batcher_32_sessions_late_percent_max", shared.late_percent, "%", 0),
        Figure("batcher_32_sessions_p95_ms_max", 1000 * percentile(shared.taken, 95), "ms", 30),
        Figure("one_by_one_8_sessions_late_percent", alone.late_percent, "%"),
        *(Figure(f"speech_network_batch_{size}_cpu_ms", value, "ms of one core") for size, value in on_cpu.items()),
        *on_gpu,
    ]


def _device(requests: Sequence[int]) -> Sequence[int]:
    Event().wait(BASE_SECONDS + ITEM_SECONDS * len(requests))
    return requests


async def virtual(count: int) -> Tally:
    """In virtual time, where nothing but the device takes any: what the policy gives, whatever else a machine does."""
    loop = asyncio.get_running_loop()
    size = 0

    def run(requests: Sequence[int]) -> Sequence[int]:
        nonlocal size
        size = len(requests)
        return requests

    def start(job: Callable[[], Any]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()
        result = job()
        loop.call_later(BASE_SECONDS + ITEM_SECONDS * size, future.set_result, result)
        return future

    batcher: Batcher[int, int] = Batcher(run, LoopClock(), name="virtual", start=start)
    async with batcher:
        return await play(count, lambda number, due: batcher.submit(number, deadline=due))


async def _simulated(count: int) -> Tally:
    batcher: Batcher[int, int] = Batcher(_device, LoopClock(), name="simulated")
    async with batcher:
        return await play(count, lambda number, due: batcher.submit(number, deadline=due))


async def _one_by_one(count: int) -> Tally:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as device:
        return await play(count, lambda number, _: loop.run_in_executor(device, _device, [number]))


async def play(count: int, ask: Callable[[int, float], Awaitable[object]], seconds: float = SECONDS) -> Tally:
    """`count` sessions that ask for a frame 25 times a second each, which is due a frame later, at phases of their own.

    A session whose answer came after the next frame was due asks for that one at once.
    """
    clock, tally = LoopClock(), Tally()
    start = clock.now() + 0.1

    async def session(number: int) -> None:
        for frame in range(int(FPS * seconds)):
            begin = start + (frame + number / count) / FPS
            await clock.sleep_until(begin)
            try:
                await ask(number, begin + 1 / FPS)
                tally.taken.append(clock.now() - begin)
            except LateError:
                tally.late += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(session(number))
    return tally


def _loaded(network: MadeNetwork, folder: Path, **options: Any) -> Any:
    path = folder / "network.onnx"
    path.write_bytes(network.content)
    return registry.load("anchor.part", "runtime").OnnxModel.load(path, **options)


def _milliseconds(
    model: Any, sizes: Sequence[int], time_of: Callable[[], float] = time.perf_counter, times: int = 7
) -> dict[int, float]:
    """Of one batch of each size, put together and taken apart as the batcher does; the middle of `times`."""
    run = registry.load("anchor.part", "runtime").stacked(model)
    found = {}
    for size in sizes:
        taken = []
        for _ in range(times + 1):
            begun = time_of()
            run([_request(model)] * size)
            taken.append(1000 * (time_of() - begun))
        found[size] = percentile(taken[1:], 50)
    return found


def _request(model: Any) -> Request:
    return {name: np.ones(spec.shape[1:], spec.dtype) for name, spec in model.inputs.items()}


async def gpu_figures(
    tell: Tell, folder: Path, device: str = "auto", *, most: int = MOST_SESSIONS, seconds: float = SECONDS, **size: Any
) -> list[Figure]:
    """A network of Wav2Lip's size at 16 bits; nothing where there is no GPU, unless `device` says where else to run."""
    if device == "auto" and not _has_gpu():
        tell("no GPU for ONNX Runtime here: its figures are left out")
        return []
    made = lip_network(**size)
    # As a driver does it: pictures go to the GPU and come back as bytes.
    pixels = dict.fromkeys(("face", "lips"), registry.load("anchor.part", "runtime").Pixels())
    model = _loaded(made, folder, device=device, pixels=pixels)
    tell(f"{made.parameters / 1e6:.1f} M parameters, {made.flops / 1e9:.1f} GFLOP on {model.device}: each bucket")
    if device == "auto" and model.device == "cpu":
        tell("the GPU did not start: its figures are left out")
        return []
    each = _milliseconds(model, BUCKETS)
    sessions = await _sessions(model, tell, most, seconds)
    return [
        *(Figure(f"gpu_lips_batch_{size}_ms", value, "ms") for size, value in each.items()),
        Figure("gpu_lips_sessions_min", sessions, "sessions", GPU_SESSIONS),
    ]


def _has_gpu() -> bool:
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


async def _sessions(model: Any, tell: Tell, most: int, seconds: float) -> int:
    """How many sessions the batcher admits by its own measure and then carries with no frame late."""
    batcher: Batcher[Request, Any] = registry.load("anchor.part", "runtime").batcher_for(model, LoopClock())
    request = _request(model)
    async with batcher:
        await batcher.measure(request)
        count = min(most, _admitted(batcher))
        while count:
            tell(f"{count} sessions")
            tally = await play(count, lambda _, due: batcher.submit(request, deadline=due), seconds)
            if not tally.late_percent:
                break
            tell(f"{tally.late_percent:.1f} % late")
            count = int(0.9 * count)
    return count


def _admitted(batcher: Batcher[Any, Any]) -> int:
    leases = []
    try:
        while True:
            leases.append(batcher.admit(FPS))
    except CapacityError:
        return len(leases)
    finally:
        for lease in leases:
            lease.release()
