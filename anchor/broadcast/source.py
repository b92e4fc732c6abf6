"""Whether what segments are made from works: a voice that is down must not eat a rundown."""

from __future__ import annotations

from collections import deque

DOWN = 3
"""Failures in a row after which a source counts as down."""

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
LONGEST_LIST = 1000


class Source:
    """Counts failures and says when to try again. What failed meanwhile is kept until it works again."""

    def __init__(self, *, patient: bool = True) -> None:
        """Without `patient` it is tried again at once: nobody watches a file being written."""
        self.failures = 0
        self.missed: deque[tuple[str, str]] = deque(maxlen=LONGEST_LIST)
        """Run and segment of what has failed since it last worked."""
        self._patient = patient
        self._retry_at = 0.0
        self._failed = 0

    @property
    def down(self) -> bool:
        return self.failures >= DOWN

    def ready(self, now: float) -> bool:
        return now >= self._retry_at

    def failed(self, now: float, number: int, *, run: str, segment: str) -> None:
        """What was taken up as the show's `number`-th has failed."""
        self.failures += 1
        self._failed = max(self._failed, number)
        if (run, segment) not in self.missed:
            self.missed.append((run, segment))
        if self._patient:
            self._retry_at = now + min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self.failures - 1, 10))

    def probe(self) -> tuple[str, str]:
        """Of what has failed, the one to be tried next; each has its turn."""
        self.missed.rotate(-1)
        return self.missed[-1]

    def works(self, number: int) -> list[tuple[str, str]]:
        """It has worked for the `number`-th; what has failed before, if it was down, to be tried once more."""
        if number < self._failed:
            return []  # it was made before that failed
        missed = list(self.missed) if self.down else []
        self.reset()
        return missed

    def reset(self) -> None:
        self.failures, self._retry_at = 0, 0.0
        self.missed.clear()
