"""A segment that was taken up to be said, and how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from anchor.broadcast.run import Run
from anchor.broadcast.script import Segment

BREAKING_LEVEL = 5
JUMP_LEVEL = 3
SCHEDULED_LEVEL = 2
"""Of a scheduled rundown that cuts in."""
FILLER_LEVEL = -1

Outcome = Literal["said", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A segment that was taken up to be said, once, as the show's `number`-th.

    `pause` seconds follow it; `level` is added to the priority.
    """

    number: int
    kind: Literal["show", "breaking", "filler"]
    id: str
    segment: Segment
    pause: float
    level: int
    run: Run | None = None

    @property
    def key(self) -> str:
        return f"{self.id}/{self.number}"
