"""An output's own thread: it connects, writes what is queued for it, and comes back when it has fallen.

Whoever feeds it never waits for it while the program is live: what it is too slow for is dropped up to the next
keyframe. What blocks for too long is aborted by `watch`, which another thread calls.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from anchor.errors import OutputError, RefusedError
from anchor.media import VIDEO_CLOCK
from anchor.onair import OutputInfo
from streaming.reconnect import Reconnector

log = logging.getLogger(__name__)

STUCK_SECONDS = 10.0
"""A call of an output that takes longer is aborted; whatever has limits of its own keeps to shorter ones."""

HOPELESS_SECONDS = 60.0
"""A call that takes longer, aborted or not, will not come back: a file system that hangs."""

SLOW_SECONDS = 3.0
"""A call that takes longer is worth telling the operator."""

_RATE_SECONDS = 5.0

Now = Callable[[], float]
"""Seconds on a monotonic scale; called from any thread."""


@dataclass(frozen=True, slots=True)
class About:
    """What an operator reads of an output that does not change."""

    name: str
    kind: str
    address: str
    profile: str


class Feed:
    """What all outputs have: a thread, a `Reconnector`, counters. A subclass serves one connection after another."""

    def __init__(self, about: About, now: Now) -> None:
        self.about = about
        self._now = now
        self._changed = threading.Condition()
        self._machine = Reconnector(now())
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._closing = False
        self._aborted = False
        self._busy: float | None = None
        self._broken: float | None = None
        self._sent: deque[tuple[float, int]] = deque()
        self._sent_ticks = 0
        self._dropped = 0
        self.failure = ""
        """What the latest connection failed of; stays after the end."""

    @property
    def wanted(self) -> bool:
        return self._wanted and not self._closing

    def start(self) -> None:
        """Begin to send, from any thread. Twice does no harm."""
        with self._changed:
            if self._closing or self._wanted:
                return
            self._wanted = True
            self._wake()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"output {self.about.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Send what is queued and end well, in the output's own time."""
        with self._changed:
            self._wanted = False
            self._changed.notify_all()

    def finish(self) -> None:
        """The program is over: as `stop`, and the thread ends."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def abort(self) -> None:
        """End without regard for what is queued or half written."""
        with self._changed:
            self._closing = self._aborted = True
            self._changed.notify_all()
        self._break()

    def join(self, seconds: float | None) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def watch(self) -> None:
        """Abort a call that has been going on for too long. Called often, by whoever feeds the output."""
        busy = self._busy
        if busy is None or self._now() - busy < STUCK_SECONDS or busy == self._broken:
            return
        self._broken = busy
        # Even closing may block, on a file system that hangs.
        threading.Thread(target=self._break, name=f"abort {self.about.name}", daemon=True).start()

    def give_up(self) -> None:
        """For a program that waits for its outputs: end one that does not come back from a call."""
        busy = self._busy
        if busy is not None and self._now() - busy > HOPELESS_SECONDS:
            self.failure = f"{self.about.address}: has taken nothing for {HOPELESS_SECONDS:.0f} s; it is given up"
            self.abort()

    def info(self) -> OutputInfo:
        with self._changed:
            now, machine, busy = self._now(), self._machine, self._busy
            self._forget(now)
            span = max(1.0, now - self._sent[0][0]) if self._sent else 1.0
            rate = 8 * sum(size for _, size in self._sent) / span
            problem = machine.problem
            if not problem and busy is not None and now - busy > SLOW_SECONDS:
                problem = f"{self.about.address}: has taken nothing for {now - busy:.0f} s"
            return OutputInfo(
                self.about.name, self.about.kind, self.about.address, self.about.profile, machine.state,
                max(0.0, now - machine.since), rate, self._sent_ticks / VIDEO_CLOCK, self._dropped, machine.attempts,
                problem,
            )  # fmt: skip

    # For subclasses.

    def _serve(self) -> None:
        """Make a connection and serve it until the output is not wanted any more. Raises `OutputError`."""
        raise NotImplementedError

    def _break(self) -> None:
        """End whatever call blocks; from any thread."""

    def _wake(self) -> None:
        """The output is about to connect; `_changed` is held."""

    def _rest(self) -> None:
        """The output does not want anything now; `_changed` is held."""

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        self._busy = self._now()
        try:
            yield
        finally:
            self._busy = None

    def _connected(self) -> None:
        with self._changed:
            self._machine.connected(self._now())
            self.failure = ""
        log.info("output %s is live", self.about.name)

    def _count(self, size: int, ticks: int) -> None:
        with self._changed:
            now = self._now()
            self._forget(now)
            self._sent.append((now, size))
            self._sent_ticks += ticks

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0][0] < now - _RATE_SECONDS:
            self._sent.popleft()

    def _run(self) -> None:
        while self._await_turn():
            problem, refused = "", False
            try:
                self._serve()
            except OutputError as error:
                problem, refused = str(error), isinstance(error, RefusedError)
            except Exception as error:
                log.exception("output %s failed", self.about.name)
                problem = f"{self.about.address}: failed: {type(error).__name__}"
            self._after(problem, refused)
        with self._changed:
            self._rest()
            self._machine.stop(self._now())

    def _await_turn(self) -> bool:
        """Wait until it is time to connect; False when the program is over."""
        with self._changed:
            while not self._closing:
                now = self._now()
                if not self._wanted:
                    if self._machine.state != "stopped":
                        self._rest()
                        self._machine.stop(now)
                    self._changed.wait()
                    continue
                self._machine.start(now)
                due = self._machine.due
                if due is None or due <= now:
                    self._wake()
                    self._machine.connecting(now)
                    return True
                self._changed.wait(due - now)
            # A first connection that has something to write is made even when the program is over already.
            if self._wanted and not self._aborted and self._machine.attempts == 0:
                self._machine.start(self._now())
                self._machine.connecting(self._now())
                return True
            return False

    def _after(self, problem: str, refused: bool) -> None:
        with self._changed:
            self._rest()
            self.failure = problem
            if problem:
                if problem != self._machine.problem and not self._aborted:
                    log.warning("output %s: %s", self.about.name, problem)
                self._machine.lost(self._now(), problem, refused=refused)
            elif not self._wanted:
                self._machine.stop(self._now())
            elif not self._closing:
                # It was stopped and started again while it ended.
                self._machine.stop(self._now())
                self._machine.start(self._now())
