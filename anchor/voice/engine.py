"""A speech engine in a process of its own, seen from here. What runs there is `anchor.voice.engine_host`."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast

import numpy as np

from anchor.media import Samples
from anchor.workers import WorkerPool

LOADING_SECONDS = 180.0
"""Without a word for this long, an engine that loads its weights counts as hung."""


class EngineProcess:
    """`workers` processes of the engine ``module:Class``, made with `options`. Raises `VoiceError`.

    One that says nothing for `patience` seconds counts as hung.
    """

    def __init__(
        self,
        name: str,
        engine: str,
        options: Mapping[str, Any],
        *,
        workers: int = 1,
        patience: float = LOADING_SECONDS,
    ) -> None:
        self._patience = patience
        command = [sys.executable, "-m", "anchor.voice.engine_host", engine, json.dumps(dict(options))]
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
            async for told, sound in parts:
                if told.get("more"):
                    yield told, np.frombuffer(sound, "<f4")

    def _stream(self, request: dict[str, Any]) -> AsyncGenerator[tuple[dict[str, Any], bytes], None]:
        stream = self._pool.stream(request, patience=self._patience)
        return cast("AsyncGenerator[tuple[dict[str, Any], bytes], None]", stream)

    async def close(self) -> None:
        await self._pool.close()
