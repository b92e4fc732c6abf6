"""When rundowns begin by the clock: cron times in a time zone, each once, whatever the wall clock does.

Times are five cron fields (crontab(5), with Debian's rules, by cronsim). On the day that clocks go forward, a time that
does not exist is made up for right after the gap; on the day that they go back, one that comes twice counts the first
time. Times that go by every hour or minute keep going by.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from anchor.broadcast.run import Rundown
from anchor.errors import ConfigError

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=10)
"""How late a rundown may begin; one that was due longer ago, as after a night without power, is left out."""

STEP = timedelta(hours=1)
"""A wall clock that goes back further was wrong before: what was aired by it does not count."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A rundown and its times. With `cut_in` it begins at the next sentence end, else after the segment on air."""

    at: str
    rundown: Rundown
    zone: str = "UTC"
    cut_in: bool = False

    @property
    def key(self) -> str:
        return f"{self.at} {self.zone} {self.rundown.key}"


class _Times:
    """The times of one slot, one after another."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        try:
            self._zone = ZoneInfo(slot.zone)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigError(
                f"schedule {slot.at!r}: there is no time zone {slot.zone!r}; write one such as Asia/Shanghai"
            ) from error
        if len(slot.at.split()) != 5:
            raise ConfigError(f"schedule {slot.at!r}: five fields are needed: minute hour day month weekday")
        if self.after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
            raise ConfigError(f"schedule {slot.at!r}: there is no such day")

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, both in UTC."""
        try:
            for found in CronSim(self._slot.at, moment.astimezone(self._zone)):
                # In an hour that comes twice, cronsim gives times of the first one also in the second.
                if found.astimezone(UTC) > moment:
                    return found.astimezone(UTC)
        except CronSimError as error:
            raise ConfigError(f"schedule {self._slot.at!r}: {str(error).lower()}; write five cron fields") from error
        return None

    def written(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).isoformat(timespec="seconds")


class Schedule:
    """Tells which slots are due; asked with the wall clock's time again and again. Raises `ConfigError`."""

    def __init__(self, slots: Sequence[Slot], now: float) -> None:
        self.slots = tuple(slots)
        self._times = [_Times(slot) for slot in slots]
        self._last = [_moment(now)] * len(self.slots)
        self._next = [times.after(_moment(now)) for times in self._times]

    def due(self, now: float) -> list[int]:
        """The slots whose time has come since they were last due, by their place, earliest first."""
        moment, found = _moment(now), []
        for number, times in enumerate(self._times):
            if moment < self._last[number] - STEP:
                self._advance(number, moment)
            while (at := self._next[number]) is not None and at <= moment:
                if moment - at <= GRACE:
                    found.append((at, number))
                    self._advance(number, at)
                else:
                    log.warning("what was due at %s and after it was left out, for it is late", times.written(at))
                    self._advance(number, moment - GRACE)
        return [number for _, number in sorted(found)]

    def _advance(self, number: int, last: datetime) -> None:
        self._last[number] = last
        self._next[number] = self._times[number].after(last)

    def next_start(self) -> str:
        """When the next rundown begins, ISO 8601 with its offset, or nothing."""
        coming = [(at, number) for number, at in enumerate(self._next) if at is not None]
        if not coming:
            return ""
        at, number = min(coming)
        return self._times[number].written(at)

    def snapshot(self) -> dict[str, str]:
        return {slot.key: last.isoformat() for slot, last in zip(self.slots, self._last, strict=True)}

    def restore(self, last: Mapping[str, str]) -> None:
        """Go on where a schedule was left; slots that are new begin now."""
        for number, slot in enumerate(self.slots):
            if slot.key in last:
                self._advance(number, datetime.fromisoformat(last[slot.key]))


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
