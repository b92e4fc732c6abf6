"""How each channel has done in the last ten minutes, second by second, for the charts of the operator's page."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from anchor.clock import Clock, wall_time

log = logging.getLogger(__name__)

KEPT_SECONDS = 600
EVERY_SECONDS = 1.0

_LATE = ("anchor_late_pictures", "anchor_late_faces", "anchor_starved_beats")


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of a channel.

    `late`: beats whose picture, face or sound was not there in time. `lag_ms`: how late beats were released, on
    average; `first_word_seconds`: from an utterance's arrival to its first speaking beat. Both are None where nothing
    was. `bitrates`: of each output, in bits a second.
    """

    at: str
    viewers: int = 0
    late: int = 0
    lag_ms: float | None = None
    first_word_seconds: float | None = None
    bitrates: Mapping[str, float] = field(default_factory=dict)


class Health:
    """The series of all channels. `bitrates` gives those of a channel's outputs now."""

    def __init__(self, registry: CollectorRegistry, bitrates: Callable[[str], Mapping[str, float]]) -> None:
        self._registry = registry
        self._bitrates = bitrates
        self._samples: dict[str, deque[Sample]] = {}
        self._before: dict[tuple[str, str], float] = {}
        self._taken = 0

    async def run(self, clock: Clock) -> None:
        """Take a sample a second until cancelled."""
        self.sample()
        due = clock.now()
        while True:
            due = max(due + EVERY_SECONDS, clock.now())
            await clock.sleep_until(due)
            try:
                self.sample()
            except Exception:
                log.exception("the channels' health could not be read")

    def sample(self) -> None:
        """Read what has come to pass since the last time."""
        now = self._read()
        at = wall_time().isoformat(timespec="seconds")
        first = not self._before
        for channel in sorted({channel for channel, _ in now}):
            since = {
                name: value - self._before.get((channel, name), 0.0)
                for (named, name), value in now.items() if named == channel
            }  # fmt: skip
            kept = self._samples.setdefault(channel, deque(maxlen=KEPT_SECONDS))
            lag = _mean(since, "anchor_release_lag_seconds")
            kept.append(
                Sample(
                    at, round(now.get((channel, "anchor_viewers"), 0.0)),
                    0 if first else round(max(0.0, sum(since.get(name, 0.0) for name in _LATE))),
                    None if lag is None else lag * 1000, _mean(since, "anchor_first_beat_seconds"),
                    dict(self._bitrates(channel)),
                )
            )  # fmt: skip
        self._before = now
        self._taken += 1

    def after(self, channel: str, number: int) -> tuple[int, list[Sample]]:
        """The number of the newest sample, and those after `number`, the oldest first."""
        kept = self._samples.get(channel, ())
        wanted = max(0, min(self._taken - number, len(kept)))
        return self._taken, list(kept)[len(kept) - wanted :]

    def _read(self) -> dict[tuple[str, str], float]:
        """The series that count here, by channel and name."""
        found: dict[tuple[str, str], float] = {}
        for metric in self._registry.collect():
            for one in metric.samples:
                channel = one.labels.get("channel")
                if channel is not None and not one.name.endswith(("_bucket", "_created")):
                    found[channel, one.name] = found.get((channel, one.name), 0.0) + one.value
        return found


def _mean(since: Mapping[str, float], name: str) -> float | None:
    count = since.get(f"{name}_count", 0.0)
    return since.get(f"{name}_sum", 0.0) / count if count > 0 else None
