"""A conversation in virtual time: ears that are told what they hear, a voice of tones and a scripted dialogue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from anchor.clock import LoopClock
from anchor.dialogue.answering import KnowledgeDialogue
from anchor.dialogue.guard import Guard
from anchor.hearing.silero import SileroVad
from anchor.interactive.answers import Manners, Minds
from anchor.interactive.business import Clerk
from anchor.interactive.conversation import Conversation, Welcome
from anchor.interactive.ears import Ears
from anchor.interactive.facts import Heard, SpeechStarted, SpeechStopped
from anchor.interactive.turns import TurnRules
from anchor.media import Beat, VideoFormat
from anchor.pipeline.manner import Manner
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.ports import Voice
from anchor.store import Store
from anchor.talk import Dialogue, Knowledge, Passage, Recognizer
from anchor.testing import FakeDialogue, FakeDriver, FakeRecognizer, FakeScene, FakeSink, FakeVoice, StillLife
from anchor.trust.pii import mask

VIDEO = VideoFormat(64, 64, 25)


class OneFact:
    """Knows one thing, by its word."""

    def __init__(self, word: str, answer: str) -> None:
        self._word, self._answer = word, answer

    def search(self, text: str, language: str, *, limit: int = 4) -> list[Passage]:
        score = 0.9 if self._word in text.lower() else 0.05
        return [Passage(self._answer, "facts.md#One", "One fact", score, language, "one")]

    def questions(self, language: str) -> list[str]:
        return [self._word]


async def after(seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


@dataclass
class Hall:
    conversation: Conversation
    performer: Performer
    dialogue: Any
    voice: Any
    sink: FakeSink
    told: list[tuple[float, Mapping[str, Any]]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def messages(self, kind: str) -> list[Mapping[str, Any]]:
        return [message for _, message in self.told if message["type"] == kind]

    def heard(self) -> str:
        """Everything that has gone out, as words."""
        return "".join(word.text for beat in self.sink.beats for word in beat.words)

    async def says(self, text: str, seconds: float = 1.0, language: str = "en") -> None:
        """The visitor says something."""
        take = self.conversation.take
        begun = self.now
        await after(0.1)
        take(SpeechStarted(begun))
        await after(seconds / 2)
        take(Heard(text, False, language))
        await after(seconds / 2)
        take(SpeechStopped(begun + seconds))
        await after(0.1)
        take(Heard(text, True, language))

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await after(0.01)

    async def mode(self, wanted: str, seconds: float = 30) -> None:
        await self.until(lambda: self.conversation.mode == wanted, seconds)


@contextlib.asynccontextmanager
async def hall(
    dialogue: Dialogue | None = None,
    *,
    knowledge: Knowledge | None = None,
    voice: Voice | None = None,
    manners: Manners | None = None,
    rules: TurnRules | None = None,
    clerk: Clerk | None = None,
    banned: Sequence[str] = (),
    store: Store | None = None,
    languages: tuple[str, ...] = ("en", "zh-CN"),
    recognizer: Recognizer | None = None,
    on_beat: Callable[[Beat], None] | None = None,
    begun: bool = True,
    greeted: bool = True,
) -> AsyncIterator[Hall]:
    """A conversation, which has `begun`; `greeted`: and whose greeting is over. `on_beat` sees what goes out."""
    clock = LoopClock()
    asked = dialogue or FakeDialogue()
    speaker = voice or FakeVoice()
    sink = FakeSink(on_beat)
    there: Hall

    def released(beat: Beat) -> None:
        there.conversation.beat(beat)

    performer = Performer(FakeDriver(), VIDEO, clock, on_end=lambda p: there.conversation.performed(p))
    told: list[tuple[float, Mapping[str, Any]]] = []
    ended: list[str] = []
    wanted: list[str] = []
    minds = Minds(
        asked, KnowledgeDialogue(), knowledge, Guard(banned),
        clerk or Clerk((), _nothing, today=lambda: date(2026, 11, 26), on_done=lambda _: None),
        store or Store(mask=mask),
    )  # fmt: skip
    conversation = Conversation(
        "s1", languages[0], Welcome(languages, {}, rules or TurnRules(invite_after=1e6, absence=2e6)),
        minds=minds, manners=manners or Manners(),
        ears=lambda on_fact: Ears(recognizer or FakeRecognizer(), SileroVad, languages[0], on_fact),
        voice=speaker, performer=performer, manner=Manner(VIDEO.fps), clock=clock,
        tell=lambda message: told.append((asyncio.get_running_loop().time(), dict(message))),
        on_end=ended.append, on_wanted=wanted.append,
    )  # fmt: skip
    there = Hall(conversation, performer, asked, speaker, sink, told, ended, wanted)
    playout = Playout(performer, StillLife(), FakeScene(VIDEO), [sink], clock, on_beat=released)
    async with performer.open(), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(playout.run()), tasks.create_task(conversation.run())]
        await after(0.2)
        if begun:
            conversation.begin(languages[0])
        if begun and greeted:
            await there.mode("speaking")
            await there.mode("listening")
        yield there
        for task in running:
            task.cancel()


async def _nothing(*_: object) -> Any:
    raise AssertionError("nothing is to be done here")


def with_patience(manners: Manners, **seconds: float) -> Manners:
    return replace(manners, patience=replace(manners.patience, **seconds))
