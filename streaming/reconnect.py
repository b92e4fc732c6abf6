"""When an output tries again: a pure machine, facts and the time in, its state out."""

from __future__ import annotations

from anchor.onair import OutputState

BACKOFF_SECONDS = (0.2, 0.4, 0.8, 1.0)
"""How long to wait after the first, second, ... failure. Its end keeps "back within 2 s" with a second to connect."""

REFUSED_SECONDS = (2.0, 4.0, 8.0, 16.0, 30.0)
"""The same where the receiver refuses: platforms bar those who knock more often with a wrong key."""

STEADY_SECONDS = 5.0
"""A connection that held this long was a good one: what comes next is a first failure."""


class Reconnector:
    """The life of one output: stopped, connecting, live, waiting or failed. Times are seconds on one clock."""

    def __init__(self, now: float) -> None:
        self.state: OutputState = "stopped"
        self.since = now
        self.attempts = 0
        self.problem = ""
        self._failures = 0
        self._due: float | None = None

    def start(self, now: float) -> None:
        if self.state == "stopped":
            self._failures = 0
            self._enter("waiting", now)
            self._due = now

    def stop(self, now: float) -> None:
        self._due = None
        self.problem = ""
        self._enter("stopped", now)

    @property
    def due(self) -> float | None:
        """When to connect; None while connected, connecting or stopped."""
        return self._due

    def connecting(self, now: float) -> None:
        if self.state in ("waiting", "failed"):
            self._due = None
            self.attempts += 1
            self._enter("connecting", now)

    def connected(self, now: float) -> None:
        if self.state == "connecting":
            self.problem = ""
            self._enter("live", now)

    def lost(self, now: float, problem: str, *, refused: bool = False) -> None:
        """The connection is gone, or could not be made; `refused` where another one will hardly fare better."""
        if self.state == "stopped":
            return
        if self.state == "live" and now - self.since >= STEADY_SECONDS:
            self._failures = 0
        delays = REFUSED_SECONDS if refused else BACKOFF_SECONDS
        self._due = now + delays[min(self._failures, len(delays) - 1)]
        self._failures += 1
        self.problem = problem
        self._enter("failed" if refused else "waiting", now)

    def _enter(self, state: OutputState, now: float) -> None:
        if state != self.state:
            self.state = state
            self.since = now
