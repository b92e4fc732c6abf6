"""Conversation: what visitors say and are answered, and the ports of those who hear, know and answer.

Back-ends are found by name in the entry-point groups ``anchor.recognizer`` and ``anchor.dialogue`` (see
`anchor.registry`). `anchor.testing` has a fake and a conformance suite for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from anchor.media import Samples

HEARING_RATE = 16_000
"""Samples a second of what is listened to; what comes in and goes out is at `anchor.media.SAMPLE_RATE`."""

Hearing = NDArray[np.float32]
"""Mono sound, shape (samples,), float32 in -1..1, at `HEARING_RATE`."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser makes of a stretch of speech; one that is not `final` may still change.

    `language` is a BCP 47 tag. `confidence` is 0..1, or None where the recogniser has none. An empty final text: there
    was nothing to understand.
    """

    text: str
    final: bool
    language: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RecognizerInfo:
    """What a recogniser is. `languages`: BCP 47 tags it understands, best first; `partials`: it tells as it hears."""

    name: str
    engine: str
    languages: tuple[str, ...]
    licence: str
    partials: bool


class Recognizer(Protocol):
    """Turns speech into text, for any number of sessions at once; they never mix."""

    @property
    def info(self) -> RecognizerInfo: ...

    async def warm(self, languages: Sequence[str]) -> None:
        """Load what these languages need, so that the first visitor does not wait. Raises `MissingError`."""
        ...

    def expect(self, phrases: Mapping[str, Sequence[str]]) -> None:
        """What visitors are likely to say, by language: questions, menu items, names. May be ignored. Before `warm`."""
        ...

    def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncIterator[Transcript]:
        """Transcribe one stretch of speech while it comes.

        Yields partials as they change and, once `speech` has ended, exactly one final. Raises `RecognizerError`.
        Closing the iterator cancels at once.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of approved knowledge that answers, as well as `score` says (0..1), what was asked.

    `answer` may be said aloud; `source` is a file with its place (``fees.md#Transfers``), `title` is for people.
    `topic` groups entries that answer the same question, across languages too.
    """

    answer: str
    source: str
    title: str
    score: float
    language: str
    topic: str = ""


class Knowledge(Protocol):
    """Approved documents and questions with answers. Reads a database: call it in a worker thread."""

    def search(self, text: str, language: str, *, limit: int = 4) -> list[Passage]:
        """What answers a question best, best first; an empty list when nothing has anything to do with it."""
        ...

    def questions(self, language: str) -> list[str]:
        """Questions that are answered, as people would ask them: what a recogniser may expect."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a dialogue may have done. `parameters` is a JSON schema (2020-12) of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a dialogue wants done; nothing is done before it has been checked, and confirmed where it must be."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. An assistant's text is what the visitor heard of it, not what was meant."""

    role: Literal["user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a dialogue is to answer: the last of `messages`, in `language`.

    `instructions` are persona and rules; `passages` is what is known about it, which the answer must keep to.
    """

    messages: tuple[Message, ...]
    language: str
    instructions: str = ""
    passages: tuple[Passage, ...] = ()
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """A part of a reply: it stands on this passage."""

    passage: Passage


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A part of a reply: the dialogue does not know; what it says of that follows as text."""


ReplyPart = str | ToolCall | Cited | NoAnswer


@dataclass(frozen=True, slots=True)
class DialogueInfo:
    """What a dialogue is. `tools`: it can ask for `ToolCall`s."""

    name: str
    engine: str
    licence: str
    tools: bool


class Dialogue(Protocol):
    """Answers questions, for any number of sessions at once; keeps nothing between two replies."""

    @property
    def info(self) -> DialogueInfo: ...

    async def warm(self) -> None:
        """Load what is needed, or reach the server once. Raises `MissingError` or `DialogueError`."""
        ...

    def reply(self, question: Question) -> AsyncIterator[ReplyPart]:
        """Yield the reply as it comes; text in pieces of any size. Raises `DialogueError`, also for an empty reply.

        Closing the iterator cancels at once, on the other side of a network too.
        """
        ...

    async def close(self) -> None: ...


class Listener(Protocol):
    """Who hears a talking viewer of `anchor.ports.ViewerSink`. All calls come on the event loop and must not block."""

    def hear(self, sound: Samples, at: float) -> None:
        """Sound of the visitor's microphone, as it came in at `at`, seconds of the event loop's clock."""
        ...

    def told(self, message: Mapping[str, Any]) -> None:
        """A JSON object that the page sent over the data channel; nothing in it is checked."""
        ...

    def arrived(self) -> None:
        """The visitor's data channel is open: from now on the page hears what it is told."""
        ...

    def left(self) -> None:
        """The connection has ended, or was lost."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that an action needs, as the page shows it: `value` is in the visitor's words, empty until known."""

    name: str
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Business in progress, as the page shows it. `confirming`: everything is known and waits for a yes."""

    action: str
    title: str
    slots: tuple[Slot, ...]
    asking: str = ""
    confirming: bool = False
    choices: tuple[str, ...] = field(default=())
    """What may be said for the slot that is asked for, as buttons."""
