"""Networks that hear a stretch of sound at once and give something for many moments in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from anchor.media import Floats
from drivers.features import RATE, Ear

Heard = TypeVar("Heard")


@dataclass(frozen=True, slots=True)
class Stretch:
    """How sound is cut, in samples at `drivers.features.RATE`: blocks of `hop`, heard with what is around them."""

    hop: int
    before: int
    after: int

    @property
    def length(self) -> int:
        return self.before + self.hop + self.after

    @property
    def lookahead(self) -> float:
        """Seconds after a moment that must be known for it, where it begins its block."""
        return (self.hop + self.after) / RATE

    def number(self, middle: float) -> int:
        return int(middle * RATE // self.hop)

    def start(self, number: int) -> int:
        """The sample where what is heard for a block begins."""
        return number * self.hop - self.before

    def end(self, middle: float) -> int:
        return self.start(self.number(middle)) + self.length


class Blocks(Generic[Heard]):
    """What a network gave for the block of the last moment, and for the one before; moments come in order."""

    def __init__(self, stretch: Stretch, run: Callable[[Floats, float], Awaitable[Heard]]) -> None:
        self.stretch = stretch
        self._run = run
        self._number = -1
        self._now: Heard | None = None
        self.before: tuple[Heard, int] | None = None
        """What was given for the block before, and the sample where it begins."""

    async def at(self, ear: Ear, middle: float, deadline: float) -> tuple[Heard, int]:
        """What the network gives for the block of a moment, and the sample where what it heard begins."""
        number = self.stretch.number(middle)
        start = self.stretch.start(number)
        if self._now is None or number != self._number:
            found = await self._run(ear.take(start, start + self.stretch.length), deadline)
            follows = self._now is not None and number == self._number + 1
            self.before = (self._now, self.stretch.start(self._number)) if follows and self._now is not None else None
            self._now, self._number = found, number
        return self._now, start
