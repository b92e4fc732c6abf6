"""Follows what is on air for the log: when it began, how long it was on air, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anchor.broadcast.aired import Airing, Kind, begun_line, ended_line
from anchor.broadcast.entry import Entry
from anchor.broadcast.keeper import Keeper
from anchor.clock import Clock
from anchor.pipeline.utterance import Performance, Utterance


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something that is said comes from."""

    kind: Kind
    segment: str
    rundown: str = ""
    avatar: str = ""

    @classmethod
    def of(cls, entry: Entry) -> Origin:
        name = entry.run.rundown.name if entry.run is not None else ""
        return cls(entry.kind, entry.id, name, entry.segment.avatar)


@dataclass(slots=True)
class _Going:
    airing: Airing
    seconds: float = 0.0
    since: float | None = None
    """None while it is set aside."""


class Air:
    """Notes in the log what goes on air and off it. `avatar` tells who is seen where a segment names nobody."""

    def __init__(
        self, keeper: Keeper, clock: Clock, *, wall: Callable[[], float], avatar: Callable[[], str] = str
    ) -> None:
        self._keeper = keeper
        self._clock = clock
        self._wall = wall
        self._avatar = avatar
        self._number = keeper.number
        self._going: dict[Performance, _Going] = {}

    def began(self, performance: Performance, origin: Origin) -> None:
        """It is on air, for the first time or again."""
        now = self._clock.now()
        for other in self._going.values():
            if other.since is not None:
                other.seconds += now - other.since
                other.since = None
        if performance not in self._going:
            airing = self._airing(performance.utterance, origin)
            self._going[performance] = _Going(airing)
            self._keeper.note(begun_line(airing))
        self._going[performance].since = now

    def ended(self, performance: Performance) -> float:
        """It is off air for good; the seconds that it was on. Nothing is noted of what never began."""
        going = self._going.pop(performance, None)
        if going is None:
            return 0.0
        seconds = going.seconds + (self._clock.now() - going.since if going.since is not None else 0.0)
        outcome = performance.outcome or "cancelled"
        problem = str(performance.error) if outcome == "failed" and performance.error is not None else ""
        self._keeper.note(
            ended_line(
                going.airing, outcome, seconds=seconds, at=self._wall(), heard=performance.heard_text, problem=problem
            )
        )
        return seconds

    def refused(self, entry: Entry, problem: str, utterance: Utterance | None = None) -> None:
        """It has failed before it was on air."""
        airing = self._airing(utterance, Origin.of(entry), entry)
        self._keeper.note(ended_line(airing, "failed", seconds=0.0, at=self._wall(), heard="", problem=problem))

    def close(self) -> None:
        """Nothing is on air any more."""
        for performance in list(self._going):
            self.ended(performance)

    def _airing(self, utterance: Utterance | None, origin: Origin, entry: Entry | None = None) -> Airing:
        self._number += 1
        text = entry.segment.text if entry is not None else ""
        language, voice = entry.segment.language if entry is not None else "", ""
        if utterance is not None:
            text = utterance.text if isinstance(utterance.text, str) else ""
            language, voice = utterance.language, utterance.voice.info.name
        avatar = origin.avatar or self._avatar()
        # What cannot be written as UTF-8 must not stop the log.
        text = text.encode("utf-8", "replace").decode()
        return Airing(
            self._number, origin.kind, origin.segment, origin.rundown, text, language, voice, avatar, self._wall()
        )
