"""One pass through a rundown: which of its segments have been, and which are to come."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anchor.broadcast.script import Script, Segment
from anchor.pipeline.pager import SECONDS_PER_COLUMN

Fate = Literal["on air", "aired", "skipped", "failed"]
"""What has become of a segment; none of these while it waits."""

FATES: tuple[Fate, ...] = ("on air", "aired", "skipped", "failed")


@dataclass(frozen=True, slots=True)
class Rundown:
    """A script to air, and the document it was read from, as plain data.

    `name` is where it comes from; those of one name are the same document in different languages.
    """

    name: str
    script: Script
    document: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}#{self.language}" if self.language else self.name

    def digest(self) -> str:
        """What tells this rundown from a changed one."""
        content = json.dumps(self.document, sort_keys=True, default=str) if self.document else repr(self.script)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def identified(segments: Iterable[Segment]) -> dict[str, Segment]:
    """Segments by their ids, in order. Those without one are named by what they hold; doubles are numbered."""
    found: dict[str, Segment] = {}
    for segment in segments:
        content = f"{segment.language}\n{segment.text}\n{segment.graphics if not segment.text else ''}"
        name = segment.id or hashlib.sha256(content.encode()).hexdigest()[:8]
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}-{number}"
        found[unique] = segment
    return found


def alike(one: Segment, other: Segment) -> bool:
    """Whether two segments are said and shown alike: where they stand in their file is no difference."""
    return replace(one, line=1) == replace(other, line=1)


def expected_seconds(segment: Segment) -> float:
    """About how long a segment takes."""
    columns = len(segment.text) + len(_WIDE.findall(segment.text))
    return columns * SECONDS_PER_COLUMN + segment.pause


_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uff60]")


class Run:
    """`name` is its own among all runs of a show; `index` is its rundown's place, `lap` counts from 0.

    `slot` is that of a scheduled run. `level` is added to the show's priority. `replaced`: another has taken its place,
    and it does not go on.
    """

    def __init__(
        self,
        rundown: Rundown,
        name: str,
        *,
        index: int = 0,
        lap: int = 0,
        level: int = 0,
        slot: int | None = None,
    ) -> None:
        self.rundown = rundown
        self.name = name
        self.index = index
        self.lap = lap
        self.level = level
        self.slot = slot
        self.replaced = False
        self.segments = identified(rundown.script.segments)
        self.fates: dict[str, Fate] = {}
        self.problems: dict[str, str] = {}
        self.took: dict[str, float] = {}
        """Seconds that those were on air which have been said."""
        self._expected: dict[str, float] = {}
        self.tries: dict[str, int] = {}
        """How often a segment that failed was tried again."""

    @property
    def begun(self) -> bool:
        return bool(self.fates)

    @property
    def finished(self) -> bool:
        return all(self.fates.get(name, "on air") != "on air" for name in self.segments)

    @property
    def last(self) -> str:
        return next(reversed(self.segments), "")

    def seconds(self, name: str) -> float:
        """How long a segment took, or is thought to take."""
        if name in self.took:
            return self.took[name]
        if name not in self._expected:
            self._expected[name] = expected_seconds(self.segments[name])
        return self._expected[name]

    def waiting(self) -> list[str]:
        return [name for name in self.segments if name not in self.fates]

    def settle(self, name: str, fate: Fate | None, problem: str = "") -> None:
        """Say what has become of a segment; None: it waits again."""
        if fate is None:
            self.fates.pop(name, None)
        else:
            self.fates[name] = fate
        self.problems.pop(name, None)
        if problem:
            self.problems[name] = problem

    def retry(self, name: str, most: int) -> bool:
        """Have a segment that failed wait again, unless that was done so often before."""
        if self.fates.get(name) != "failed" or self.tries.get(name, 0) >= most:
            return False
        self.tries[name] = self.tries.get(name, 0) + 1
        self.settle(name, None)
        return True

    def jump(self, target: str, on_air: Iterable[str]) -> None:
        """Go on at `target`: what waits before it is left out, and what comes after it is said, again if need be."""
        names = list(self.segments)
        at = names.index(target)
        for number, name in enumerate(names):
            if name in on_air:
                continue
            if number >= at:
                self.settle(name, None)
            elif name not in self.fates:
                self.settle(name, "skipped")

    def take(self, rundown: Rundown) -> None:
        """Go on with an edited rundown: what has been keeps its fate, and what is on air its place."""
        new = identified(rundown.script.segments)
        merged = dict(new)
        old = list(self.segments)
        for name in (name for name, fate in self.fates.items() if fate == "on air" and name in self.segments):
            if name in new:
                merged[name] = self.segments[name]
                continue
            before = next((other for other in reversed(old[: old.index(name)]) if other in merged), None)
            merged = _inserted(merged, name, self.segments[name], before)
        for name in [name for name, fate in self.fates.items() if fate == "failed" and name in merged]:
            if not alike(merged[name], self.segments[name]):
                self.settle(name, None)
                self.tries.pop(name, None)
        self.rundown, self.segments = rundown, merged
        self._expected.clear()
        self.fates = {name: fate for name, fate in self.fates.items() if name in merged}
        self.problems = {name: problem for name, problem in self.problems.items() if name in merged}
        self.tries = {name: tries for name, tries in self.tries.items() if name in merged}


def _inserted(segments: dict[str, Segment], name: str, segment: Segment, before: str | None) -> dict[str, Segment]:
    """`segments` with one more after `before`, or first."""
    pairs = list(segments.items())
    at = 0 if before is None else [other for other, _ in pairs].index(before) + 1
    return dict([*pairs[:at], (name, segment), *pairs[at:]])
