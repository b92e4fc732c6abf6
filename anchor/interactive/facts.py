"""What happens to a conversation: the facts that decide its turns. Times are seconds of the event loop's clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The visitor began to speak at `at`; it was noticed a little later."""

    at: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The visitor has not spoken since `at`; what they said of it follows as a final `Heard` or as `HearingFailed`."""

    at: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What is understood of the stretch of speech since the last `SpeechStarted`."""

    text: str
    final: bool
    language: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class HearingFailed:
    """The recogniser failed, or took too long, over the last stretch of speech."""

    reason: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The visitor typed something or pressed a button."""

    text: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody is there: the page was touched."""


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """The anchor's first sound of something has gone out."""


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """The anchor has nothing more to say, was cancelled or has failed."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; what is due happens."""


Fact = SpeechStarted | SpeechStopped | Heard | HearingFailed | Typed | Touched | ReplyBegan | ReplyEnded | Tick
