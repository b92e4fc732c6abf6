"""A speech engine in a process of its own, seen from here. What runs there is `anchor.voice.engine_host`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import numpy as np

from anchor.media import Samples
from anchor.workers import WorkerPool

LOADING_SECONDS = 180.0
"""Without a word for this long, an engine that loads its weights counts as hung."""
SPEAKING_SECONDS = 30.0
"""Without a piece of sound for this long, an engine that has loaded them counts as hung."""

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); from anchor.voice.engine_host import main; main()"
)
"""Finds modules where this process does, and not in the folder it happens to be started in."""


class EngineProcess:
    """`workers` processes of the engine ``module:Class``, made with `options`. Raises `VoiceError`.

    One that says nothing for `starting` seconds (`LOADING_SECONDS`) before its first answer counts as hung.
    """

    def __init__(
        self,
        name: str,
        engine: str,
        options: Mapping[str, Any],
        *,
        workers: int = 1,
        starting: float | None = None,
    ) -> None:
        self.first_piece_seconds = 0.0
        """What the engine itself took for the first sound of the sentence that was last begun."""
        self._starting = LOADING_SECONDS if starting is None else starting
        places = json.dumps([str(Path(place).absolute()) for place in sys.path])
        command = [sys.executable, "-P", "-c", _START, places, engine, json.dumps(dict(options))]
        self._pool = WorkerPool(name, lambda: command, workers)

    @property
    def pids(self) -> tuple[int, ...]:
        return self._pool.pids

    async def load(self) -> dict[str, Any]:
        """Load a worker's weights, if they are not; what the engine tells of itself, its ``rate`` among it."""
        async with aclosing(self._stream({"load": True})) as answers:
            async for told, _ in answers:
                return told
        raise AssertionError

    async def speak(self, request: dict[str, Any]) -> AsyncGenerator[tuple[dict[str, Any], Samples], None]:
        """Give the pieces of a sentence, float32 mono at the engine's rate. Closing the iterator returns at once."""
        async with aclosing(self._stream(request)) as parts:
            begun = False
            async for told, sound in parts:
                if told.get("more"):
                    seconds = told.pop("seconds")
                    if not begun:
                        self.first_piece_seconds, begun = seconds, True
                    yield told, np.frombuffer(sound, "<f4")

    def _stream(self, request: dict[str, Any]) -> AsyncGenerator[tuple[dict[str, Any], bytes], None]:
        stream = self._pool.stream(request, patience=SPEAKING_SECONDS, starting=self._starting)
        return cast("AsyncGenerator[tuple[dict[str, Any], bytes], None]", stream)

    async def close(self) -> None:
        await self._pool.close()
