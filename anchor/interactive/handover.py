"""Fetching a person: the queue that operators see, and the webhook that gets the transcript."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from anchor.clock import Clock, LoopClock, wall_time
from anchor.store import Line
from anchor.trust.pii import mask

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds for one attempt, from the first byte to the last."""
PAUSES = (0.5, 2.0, 8.0)
"""Seconds before each further attempt."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visitor who wants a person. `reason`: visitor, failures, or the kind of a crisis; `who` has taken them."""

    session: str
    channel: str
    reason: str
    language: str
    at: datetime
    urgent: bool = False
    who: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the webhook. `problem` is empty when it took the transcript, or when there is none."""

    attempts: int
    problem: str = ""


class HandOver:
    """Who waits for a person on this machine, in memory; all calls are for the event loop.

    `webhook` is an address that takes a JSON object by POST; `token` goes to it as a bearer token. Both may be empty.
    """

    def __init__(
        self,
        webhook: str = "",
        *,
        token: str | None = None,
        masking: Callable[[str], str] = mask,
        timeout: float = TIMEOUT,
        pauses: Sequence[float] = PAUSES,
        clock: Clock | None = None,
        wall: Callable[[], datetime] = wall_time,
    ) -> None:
        self._webhook = webhook
        self._token = token
        self._masking = masking
        self._timeout = timeout
        self._pauses = tuple(pauses)
        self._clock = clock or LoopClock()
        self._wall = wall
        self._client: httpx.AsyncClient | None = None
        self._queue = dict[str, Waiting]()

    # The queue

    def ask(self, session: str, *, channel: str, reason: str, language: str, urgent: bool = False) -> Waiting:
        """Put a visitor into the queue. One who is in it keeps their place; urgency is added."""
        known = self._queue.get(session)
        if known is None:
            known = Waiting(session, channel, reason, language, self._wall())
        if urgent and not known.urgent:
            known = replace(known, urgent=True, reason=reason)
        self._queue[session] = known
        return known

    def waiting(self) -> list[Waiting]:
        """Those whom nobody has taken: urgent ones first, then in the order they came."""
        return sorted((each for each in self._queue.values() if not each.who), key=lambda each: not each.urgent)

    def taken(self) -> list[Waiting]:
        """Those whom somebody has taken."""
        return [each for each in self._queue.values() if each.who]

    def who(self, session: str) -> str:
        """Who has taken a session, or nothing."""
        known = self._queue.get(session)
        return known.who if known is not None else ""

    def take(self, session: str, who: str) -> bool:
        """Somebody takes a session. False when somebody else has it; raises `KeyError` when it is not in the queue."""
        known = self._queue[session]
        if known.who not in ("", who):
            return False
        self._queue[session] = replace(known, who=who)
        return True

    def release(self, session: str) -> None:
        """The session needs no person any more: helped, or gone. Twice does no harm."""
        self._queue.pop(session, None)

    # The webhook

    async def tell(self, waiting: Waiting, lines: Sequence[Line]) -> Told:
        """Send the transcript, masked, to the webhook. Never raises for what the other side does; takes seconds."""
        if not self._webhook:
            return Told(0)
        body = self._body(waiting, lines)
        problem = ""
        for attempt, pause in enumerate((0.0, *self._pauses), 1):
            if pause:
                await self._clock.sleep_until(self._clock.now() + pause)
            problem, again = await self._post(body, f"{waiting.session}:{waiting.reason}")
            if not problem:
                return Told(attempt)
            log.warning("hand-over: %s %s", self._host, problem)
            if not again:
                break
        return Told(attempt, f"{self._host} {problem}")

    def _body(self, waiting: Waiting, lines: Sequence[Line]) -> dict[str, Any]:
        return {
            "session": waiting.session,
            "channel": waiting.channel,
            "reason": waiting.reason,
            "urgent": waiting.urgent,
            "language": waiting.language,
            "at": waiting.at.isoformat(),
            "transcript": [
                {
                    "who": line.who,
                    "text": self._masking(line.text),
                    "language": line.language,
                    "at": line.at.isoformat(),
                }
                for line in lines
            ],
        }

    async def _post(self, body: dict[str, Any], key: str) -> tuple[str, bool]:
        """What went wrong, if anything, and whether it may be better the next time."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout, follow_redirects=False)
        headers = {"Idempotency-Key": key}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            # The client's own limit is for each step; one who answers a byte a second would be waited for without end.
            async with asyncio.timeout(self._timeout):
                # What the other side says besides its status is not read.
                async with self._client.stream("POST", self._webhook, json=body, headers=headers) as response:
                    status = response.status_code
        except TimeoutError:
            return f"did not answer within {self._timeout:g} s", True
        except httpx.TimeoutException:
            return f"did not answer within {self._timeout:g} s", True
        except httpx.InvalidURL:
            return "is no address that can be used", False
        except httpx.UnsupportedProtocol:
            return "is no address that can be used", False
        except httpx.HTTPError as error:
            return f"cannot be reached: {type(error).__name__}", True
        if 200 <= status < 300:
            return "", False
        return f"answered {status}", status >= 500 or status in (408, 425, 429)

    @property
    def _host(self) -> str:
        """The webhook without what may be secret in it: its path, and who asks."""
        try:
            return urlsplit(self._webhook).hostname or "the webhook"
        except ValueError:
            return "the webhook"

    async def close(self) -> None:
        """Let go of connections; what is under way fails."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
