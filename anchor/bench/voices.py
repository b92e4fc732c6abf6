"""Voices of every kind, as they come through our hands: how soon, how cleanly cancelled, and together with the picture.

What has weights has random ones, made here; what is on a server is on a real one on this machine. Where real weights
are installed they are measured as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import json
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from anchor import registry
from anchor.bench import voiced
from anchor.bench.measure import Figure, Tell, percentile, resident_mib
from anchor.config import EngineConfig
from anchor.events import Sentence
from anchor.model_folder import installed
from anchor.ports import Voice
from anchor.voice.engine import EngineProcess

SENTENCES = 20
CYCLES = 1000
TEXT = "The bridge over the river will be closed on Sunday, because its lamps are being changed."
MODELS = ("kokoro", "piper-en_US-joe-medium")
"""Weights that are measured where they are installed, with the back-ends named as they begin."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A voice to measure. `own` tells the seconds that its model took for its first sound of a sentence, by itself."""

    name: str
    config: EngineConfig
    own: Callable[[Voice], Awaitable[float]] | None
    cycles: int = CYCLES


async def measure(tell: Tell) -> list[Figure]:
    figures = list[Figure]()
    with tempfile.TemporaryDirectory() as folder:
        async with subjects(Path(folder), tell) as found:
            for subject in found:
                tell(f"{subject.name}: first sound, cancelling")
                figures += await _measured(subject)
            tell("files and Chromium")
            figures += await voiced.measure({one.name: one.config for one in found}, Path(folder), tell)
    return figures


@contextlib.asynccontextmanager
async def subjects(folder: Path, tell: Tell, *, real: bool = True) -> AsyncIterator[list[Subject]]:
    """The voices that can be measured here, with a server running for those that need one.

    `real` adds those of real weights that are installed.
    """
    found = [Subject("espeak", EngineConfig(engine="espeak"), None)]
    if importlib.util.find_spec("onnx"):
        from anchor.bench.tiny_piper import write_tiny_piper

        model = str(await asyncio.to_thread(write_tiny_piper, folder / "piper"))
        found.append(Subject("piper", EngineConfig(engine="piper", options={"model": model}), _engine_seconds))
    else:
        tell("onnx is not installed: Piper is left out")
    if importlib.util.find_spec("TTS") and importlib.util.find_spec("torch"):
        from anchor.bench.tiny_vits import write_tiny_vits

        model = str(await asyncio.to_thread(write_tiny_vits, folder / "vits"))
        found.append(Subject("coqui", EngineConfig(engine="coqui", options={"model": model}), _engine_seconds))
    else:
        tell("coqui-tts is not installed: it is left out")
    for name in MODELS if real else ():
        if installed(name) is not None:
            config = EngineConfig(engine=name.partition("-")[0], options={"model": name})
            found.append(Subject(name, config, _engine_seconds, CYCLES // 50))
    async with _server() as address:
        options = {"base_url": f"{address}/v1", "voice": "espeak", "languages": ["en"]}
        http = EngineConfig(engine="openai", options=options)
        socket = address.replace("http", "ws") + "/v1/speech"
        found.append(Subject("openai", http, lambda _: _http_seconds(address)))
        spoken = EngineConfig(engine="websocket", options={"url": socket, "phones": True})
        found.append(Subject("websocket", spoken, lambda _: _socket_seconds(socket)))
        yield found


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """The embedded voice on a server in a process of its own; its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.voice_server", "--voice", "espeak", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            address = (await process.stdout.readline()).decode().strip()
        yield address
    finally:
        process.terminate()
        await process.wait()


async def _measured(subject: Subject) -> list[Figure]:
    factory = registry.load("anchor.voice", subject.config.engine)
    voice: Voice = registry.build(factory, subject.config.options, "voice.options")
    try:
        await voice.warm(["en"])
        await _first(voice)
        firsts, owns = list[float](), list[float]()
        for _ in range(SENTENCES):
            firsts.append(await _first(voice))
            if subject.own is not None:
                owns.append(await subject.own(voice))
        cancels, leaks = await _cancelled(voice, subject.cycles)
    finally:
        await voice.close()
    name, first = subject.name, 1000 * percentile(firsts, 50)
    figures = [Figure(f"{name}_first_sound_p50_ms", first, "ms")]
    if owns:
        own = 1000 * percentile(owns, 50)
        figures += [
            Figure(f"{name}_model_first_sound_p50_ms", own, "ms"),
            Figure(f"{name}_first_sound_to_models_own", first / own, "ratio"),
            Figure(f"{name}_overhead_p50_ms_max", first - own, "ms", 20),
        ]
    figures.append(Figure(f"{name}_cancelled_after_p99_ms_max", 1000 * percentile(cancels, 99), "ms", 40))
    figures += [
        Figure(f"{name}_{subject.cycles}_cancels_{what}_more_max", value, unit, goal)
        for what, value, unit, goal in leaks
    ]
    return figures


async def _first(voice: Voice) -> float:
    """Seconds from the text to the first chunk of sound; the rest is heard out."""
    loop = asyncio.get_running_loop()
    start, first = loop.time(), 0.0
    async for chunk in voice.speak(Sentence(TEXT, "en")):
        if not first and len(chunk.audio):
            first = loop.time() - start
    return first


async def _cancelled(voice: Voice, cycles: int) -> tuple[list[float], list[tuple[str, float, str, float]]]:
    """Seconds that cancelling takes at its first sound, and what many of these leave behind."""
    loop = asyncio.get_running_loop()
    found = list[float]()

    async def cycle() -> None:
        async with aclosing(cast("Any", voice.speak(Sentence(TEXT, "en")))) as chunks:
            async for _ in chunks:
                break
            start = loop.time()
        found.append(loop.time() - start)

    for _ in range(max(5, cycles // 20)):
        await cycle()
    await _first(voice)
    found.clear()
    before, memory = _held(), resident_mib()
    for _ in range(cycles):
        await cycle()
    await _first(voice)
    gc.collect()
    more = {key: float(value - before[key]) for key, value in _held().items()}
    leaks = [(key, value, "count", 0.0) for key, value in more.items()]
    return found, [*leaks, ("memory", resident_mib() - memory, "MiB", 5.0)]


def _held() -> dict[str, int]:
    children = sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))
    return {
        "tasks": len(asyncio.all_tasks()), "threads": threading.active_count(), "processes": children,
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }  # fmt: skip


async def _engine_seconds(voice: Voice) -> float:
    """What the engine's own process took for the first piece of the sentence that was spoken last."""
    engine: EngineProcess = voice._engine  # type: ignore[attr-defined]
    return engine.first_piece_seconds


async def _http_seconds(address: str) -> float:
    """What the server takes to its first byte of sound, asked by nobody but `httpx`."""
    loop = asyncio.get_running_loop()
    asked = {"input": TEXT, "response_format": "pcm", "model": "any", "voice": "espeak"}
    async with httpx.AsyncClient(timeout=30) as client:
        await client.get(f"{address}/v1/models")
        start = loop.time()
        async with client.stream("POST", f"{address}/v1/audio/speech", json=asked) as answer:
            async for _ in answer.aiter_raw():
                return loop.time() - start
    raise RuntimeError(f"{address} says nothing")


async def _socket_seconds(address: str) -> float:
    """The same over WebSocket, by `websockets` alone."""
    from websockets.asyncio.client import connect

    loop = asyncio.get_running_loop()
    async with connect(address, close_timeout=0.2) as connection:
        await connection.recv()
        start = loop.time()
        await connection.send(json.dumps({"type": "speak", "id": "1", "text": TEXT, "language": "en"}))
        while isinstance(await connection.recv(), str):
            pass
        return loop.time() - start
