"""A reply on its way: thought of ahead of time, held to its promises, and spoken in whole sentences."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from anchor.channel import Channel, ChannelClosedError, closing
from anchor.clock import Clock
from anchor.errors import AnchorError, DialogueError
from anchor.pipeline.segmenter import Segmenter

log = logging.getLogger(__name__)

T = TypeVar("T")

AHEAD_PARTS = 256
"""Parts of a reply that may wait to be spoken; whoever makes them waits then."""


class Draft(Generic[T]):
    """Parts of a reply that are being made, as a task, whether they will be spoken or not."""

    def __init__(self, tasks: asyncio.TaskGroup, parts: AsyncIterator[T]) -> None:
        self._parts: Channel[T] = Channel(AHEAD_PARTS)
        self._task = tasks.create_task(self._make(parts))

    async def _make(self, parts: AsyncIterator[T]) -> None:
        try:
            async with closing(parts) as stream:
                async for part in stream:
                    await self._parts.send(part)
        except ChannelClosedError:
            pass
        except AnchorError as error:
            self._parts.close(error)
        except Exception as error:
            log.exception("a reply could not be made")
            self._parts.close(DialogueError(f"a defect: {error!r}"))
        finally:
            self._parts.close()

    async def next(self, until: float = math.inf) -> T | None:
        """The next part, None at the end. Raises `AnchorError` when it could not be made, `TimeoutError` at `until`."""
        async with asyncio.timeout_at(until if math.isfinite(until) else None):
            await self._parts.wait_ready()
        try:
            return await self._parts.receive()
        except ChannelClosedError:
            return None

    async def __aiter__(self) -> AsyncIterator[T]:
        async for part in self._parts:
            yield part

    def drop(self) -> None:
        """Stop making it, on the other side of a network too."""
        self._parts.close()
        self._task.cancel()


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a reply is waited for.

    `first`: for its first sentence; then the fallback speaks, or, when words are coming, a filler. `slow`: for the
    first sentence of one that has been filled for; `stall`: between two parts of one that is being spoken; `busy`:
    for anything, while something is being done that has a limit of its own.
    """

    first: float = 1.2
    slow: float = 6.0
    stall: float = 3.0
    busy: float = 60.0


class Steady:
    """Text of a reply that may be slow, stop or fail, in whole sentences, so that a broken one is never begun.

    `filler` is said when the reply is slow; `busy` tells that
    it has a reason to be. `fallback` speaks in its place when nothing was said,
    `lost` ends one that broke off.
    """

    def __init__(
        self,
        draft: Draft[str],
        language: str,
        clock: Clock,
        patience: Patience,
        *,
        filler: str,
        lost: str,
        fallback: Callable[[AnchorError], AsyncIterator[str]],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.begun_at: float | None = None
        """When the first text came."""
        self.failure: AnchorError | None = None
        self.leak = ""
        """The beginning of a sentence that was passed on, to show where the one before ends, and will not follow."""
        self._draft, self._language, self._clock, self._patience = draft, language, clock, patience
        self._filler, self._lost, self._fallback, self._busy = filler, lost, fallback, busy

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            async with closing(self._sentences()) as sentences:
                async for text in sentences:
                    yield text
        except AnchorError as error:
            self.failure = error
            log.warning("a reply failed: %s", error)
            if self._spoken:
                yield f"\n{self._lost}"
                return
            async with closing(self._fallback(error)) as instead:
                async for text in instead:
                    yield text
        finally:
            self._draft.drop()

    _spoken = False

    async def _sentences(self) -> AsyncIterator[str]:
        """Text as far as it completes sentences, and the one letter after it that says so."""
        cutter = Segmenter(self._language)
        held = ""
        asked, filled = self._clock.now(), False
        while True:
            try:
                piece = await self._draft.next(self._limit(asked, filled))
            except TimeoutError:
                if not filled and not self._spoken and self.begun_at is not None:
                    filled = True
                    yield f"{self._filler}\n\n"
                    continue
                raise DialogueError("the reply stopped coming" if self.begun_at else "no reply came in time") from None
            if piece is None:
                break
            if self.begun_at is None and piece.strip():
                self.begun_at = self._clock.now()
            for letter in piece:
                held += letter
                if any(True for _ in cutter.feed(letter)):
                    self._spoken, asked = True, self._clock.now()
                    yield held
                    self.leak, held = letter, ""
            if self._spoken:
                asked = self._clock.now()
        if not self._spoken and not held.strip():
            raise DialogueError("the reply is empty")
        self.leak = ""
        self._spoken = True
        yield held

    def _limit(self, asked: float, filled: bool) -> float:
        patience = self._patience
        if self._busy():
            return asked + patience.busy
        return asked + (patience.stall if self._spoken else patience.slow if filled else patience.first)
