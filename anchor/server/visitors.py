"""What the server needs of those who converse with anchors, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from anchor.interactive.wire import Mode

Speaker = Literal["visitor", "anchor", "person", "notice"]


@dataclass(frozen=True, slots=True)
class Visit:
    """An opened session. `key` proves who opened it: 128 random bits or more. `resumed`: it was there before."""

    session: str
    key: str = field(repr=False)
    sdp: str = field(repr=False)
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What was said in a conversation; of the anchor, what was heard. `at` is seconds since it began."""

    who: Speaker
    text: str
    language: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A conversation as an operator sees it.

    `seconds` it has lasted. `person` is who has taken over, empty while the anchor answers; `wants_person` and
    `connected` are the visitor's. `lines` are the last ones. `latencies` are of recent turns, the newest last: seconds
    of each stage, in the stages' order.
    """

    session: str
    channel: str
    mode: Mode
    language: str
    seconds: float
    connected: bool = True
    wants_person: bool = False
    person: str = ""
    lines: tuple[Line, ...] = ()
    latencies: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A common question, by language: what stands on the button and what is taken as typed."""

    label: Mapping[str, str]
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class KioskInfo:
    """What the page of a talking channel shows before anybody talks. Texts are by language tag.

    `languages` are what visitors may choose from, the first one unless the browser prefers another.
    """

    title: str
    languages: tuple[str, ...]
    privacy: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict)


class Visitors(Protocol):
    """Everybody who converses with an anchor of this process."""

    def kiosk(self, channel: str) -> KioskInfo:
        """Raises `KeyError` for an unknown channel, `MissingError` for one that does not talk."""
        ...

    async def open(
        self, channel: str, offer: str, *, language: str | None, session: str | None, key: str | None
    ) -> Visit:
        """Answer a visitor's SDP offer, in the session of before where `session` and `key` are of one that is there.

        Raises `KeyError` for an unknown channel, `MissingError` for one that does not talk, `CapacityError` and
        `SignallingError`. A wrong key or a session that is gone is no error: a new one is opened.
        """
        ...

    async def close(self, session: str, key: str) -> None:
        """The visitor ends it. Raises `KeyError`, also for a wrong key; compare keys in constant time."""
        ...

    async def say_text(self, session: str, key: str, text: str) -> None:
        """Take a text as the visitor's turn. Raises `KeyError`."""
        ...

    async def hear_file(self, session: str, key: str, data: bytes) -> str:
        """Take a recording as the visitor's turn; what was understood. Raises `KeyError`, `RecognizerError`."""
        ...

    def sessions(self) -> Sequence[SessionInfo]: ...

    async def transcript(self, session: str) -> Sequence[Line]:
        """All lines so far. Raises `KeyError`."""
        ...

    async def take(self, session: str, who: str) -> None:
        """A person answers from now on. Raises `KeyError`."""
        ...

    async def release(self, session: str) -> None:
        """The anchor answers again. Raises `KeyError`."""
        ...

    async def say_as_person(self, session: str, text: str) -> None:
        """Have the anchor speak a person's words. Raises `KeyError`, and `AnchorError` unless a person took over."""
        ...

    async def end(self, session: str) -> None:
        """Raises `KeyError`."""
        ...
