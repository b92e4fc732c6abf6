"""The values and ports of a show on air: its running order, its outputs, and what an operator can do.

`anchor.broadcast` runs the show, `streaming` sends it out, `anchor.server` lets operators at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from anchor.events import LowerThird

ItemState = Literal["waiting", "preparing", "ready", "on air", "aired", "skipped", "failed"]
VoiceStanding = Literal["ready", "warming", "resting", "silenced"]
"""``resting``: it failed, and is asked again when it has answered a trial; ``silenced``: it may not be used."""
OutputState = Literal["connecting", "live", "waiting", "failed", "stopped"]
"""``waiting``: for its next attempt to connect; ``failed``: it cannot work as it is set up."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a rundown: `line` in its file, from 1; `segment` from 0, None for the rundown as a whole."""

    message: str
    line: int = 1
    segment: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A segment in the running order. `seconds` it took, or is thought to take."""

    id: str
    text: str
    language: str
    state: ItemState
    seconds: float | None = None
    problem: str = ""
    breaking: bool = False


@dataclass(frozen=True, slots=True)
class VoiceState:
    """A voice as it is now. `languages` are those for which it is asked, best first.

    `speaking`: the last sentence was its own. `problem`: why it rests, is silenced, or was not heard in full lately.
    `sentences` it has said, `switches` to the next voice because of it, and sentences with words `swallowed`.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    licence: str
    phone_timings: bool
    moods: tuple[str, ...] = ()
    state: VoiceStanding = "ready"
    problem: str = ""
    speaking: bool = False
    sentences: int = 0
    switches: int = 0
    swallowed: int = 0


@dataclass(frozen=True, slots=True)
class RunningOrder:
    """A show as it is now.

    `version` counts the changes of what is to come; an edit names the one it was made from. `document` is the rundown
    as plain data, as its YAML has it. `held`: what is on air is finished and nothing follows. `killed`: silent, and a
    card instead of the anchor. `next_start` is when the schedule starts a rundown, ISO 8601 with its offset.
    """

    version: int
    title: str
    document: Mapping[str, Any]
    items: tuple[Item, ...]
    on_air: str = ""
    next: str = ""
    held: bool = False
    killed: bool = False
    lap: int = 0
    loop: bool = False
    next_start: str = ""
    takeover: bool = False
    """A person speaks in place of the show."""
    elapsed: float | None = None
    """Seconds that what is on air has been; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Aired:
    """A line of the log of what went out: wall clock times in ISO 8601, UTC."""

    segment: str
    rundown: str
    text: str
    language: str
    voice: str
    avatar: str
    started: str
    seconds: float
    outcome: Literal["said", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Breaking:
    """News that goes in at the next sentence end."""

    text: str
    language: str = ""
    headline: str = ""
    lower_third: LowerThird | None = None


class Desk(Protocol):
    """What operators do with a show. Methods that name a segment raise `KeyError` for one that is not there."""

    def order(self) -> RunningOrder: ...

    async def check(self, document: Mapping[str, Any]) -> Sequence[Problem]:
        """All that is wrong with a rundown; empty when it can go on air."""
        ...

    async def edit(self, document: Mapping[str, Any], version: int) -> RunningOrder:
        """Replace what is not yet on air.

        Raises `RundownError` with all problems, and `ConflictError` for an old version.
        """
        ...

    async def breaking(self, news: Breaking) -> str:
        """Put news in; return its item's id. Raises `ScriptError`, `VoiceError` or `CapacityError`."""
        ...

    async def hold(self) -> None: ...

    async def go(self) -> None:
        """Go on after `hold`, `kill` or a stop at the end."""
        ...

    async def skip(self) -> None:
        """Cut what is on air; go on with the next."""
        ...

    async def jump(self, segment: str) -> None:
        """Cut to a segment at the next sentence end."""
        ...

    async def kill(self) -> None:
        """Silent and a card on the picture within 200 ms; only `go` ends it."""
        ...

    async def preview(self, document: Mapping[str, Any], segment: int) -> bytes:
        """A WebP picture of a segment of a rundown, with all its graphics. Raises `RundownError`."""
        ...

    async def draft(self, article: str, kind: Literal["text", "markdown", "html"]) -> Mapping[str, Any]:
        """A rundown made from an article, for review. Raises `ScriptError`."""
        ...

    def aired(self, limit: int) -> Sequence[Aired]:
        """The latest first."""
        ...


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """An output as it is now. `address` has no secrets in it; `bitrate` is of the last seconds, in bits a second.

    `dropped` counts beats that it was too slow for, `attempts` connections made, `since` seconds in this state.
    """

    name: str
    kind: str
    address: str
    profile: str
    state: OutputState
    since: float
    bitrate: float = 0.0
    sent_seconds: float = 0.0
    dropped: int = 0
    attempts: int = 0
    problem: str = ""


class Outputs(Protocol):
    """The outputs of a stream besides its WebRTC viewers. Raise `KeyError` for one that is not there."""

    def outputs(self) -> Sequence[OutputInfo]: ...

    async def start(self, name: str) -> None: ...

    async def stop(self, name: str) -> None: ...
