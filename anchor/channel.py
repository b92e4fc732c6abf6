"""The bounded channel between two stages of the pipeline."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class ChannelClosedError(Exception):
    """The other side has gone."""


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What is in a channel now and what went through it; `weight` and `peak` are in the channel's own unit."""

    items: int
    weight: float
    capacity: float
    peak: float
    sent: int
    waits: int


class Channel(Generic[T]):
    """A queue for one consumer that holds at most `capacity`, measured by `weigh` (seconds, beats, items).

    An item heavier than the whole capacity is taken when the channel is empty, so nothing can block for ever.
    Iterating ends when the channel is closed and empty, or raises the error it was closed with.
    """

    def __init__(self, capacity: float, weigh: Callable[[T], float] = lambda _: 1.0) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._weigh = weigh
        self._weight = 0.0
        self._peak = 0.0
        self._sent = 0
        self._waits = 0
        self._closed = False
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        """No more items will come; some may still be inside."""
        return self._closed

    @property
    def exhausted(self) -> bool:
        return self._closed and not self._items

    @property
    def full(self) -> bool:
        return bool(self._items) and self._weight >= self._capacity

    async def send(self, item: T) -> None:
        """Put an item in, waiting for room. Raises `ChannelClosedError` when closed meanwhile."""
        weight = self._weigh(item)
        if self._items and self._weight + weight > self._capacity:
            self._waits += 1
            while self._items and self._weight + weight > self._capacity and not self._closed:
                await self._wait()
        if self._closed:
            raise ChannelClosedError
        self._items.append(item)
        self._weight += weight
        self._peak = max(self._peak, self._weight)
        self._sent += 1
        self._changed.set()

    def take(self) -> T | None:
        """The next item if there is one now."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._weight = self._weight - self._weigh(item) if self._items else 0.0
        self._changed.set()
        return item

    def peek(self, count: int) -> list[T]:
        """The next items, up to `count` of those there are now; they stay."""
        return list(islice(self._items, max(0, count)))

    async def receive(self) -> T:
        """Wait for the next item. At the end raises `ChannelClosedError`, or what the channel was closed with."""
        await self.wait_ready()
        item = self.take()
        if item is None:
            raise self._error or ChannelClosedError
        return item

    async def wait_ready(self) -> None:
        """Wait until `take` has something or nothing more will come."""
        while not self._items and not self._closed:
            await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def close(self, error: BaseException | None = None) -> None:
        """End the channel; what is inside can still be received. Closing twice does nothing."""
        if not self._closed:
            self._closed = True
            self._error = error
            self._changed.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                item = await self.receive()
            except ChannelClosedError:
                return
            yield item

    def statistics(self) -> ChannelStatistics:
        return ChannelStatistics(len(self._items), self._weight, self._capacity, self._peak, self._sent, self._waits)


def closing(stream: AsyncIterator[T]) -> AbstractAsyncContextManager[AsyncIterator[T]]:
    """Close an async generator when its consumer is done with it, so that its own clean-up runs at once."""
    return aclosing(cast("AsyncGenerator[T, None]", stream))
