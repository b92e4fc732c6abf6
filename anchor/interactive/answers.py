"""What is answered, and by whom: a person, business, the dialogue, or what is left when that fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anchor.channel import closing
from anchor.clock import Clock
from anchor.dialogue.following import standalone
from anchor.dialogue.guard import Guard, suspicious
from anchor.errors import AnchorError
from anchor.interactive import phrases
from anchor.interactive.business import Clerk
from anchor.interactive.history import History
from anchor.interactive.reply import Draft, Patience, Steady
from anchor.interactive.spoken import spoken
from anchor.pipeline.utterance import Performance
from anchor.store import Store
from anchor.tags import said
from anchor.talk import Cited, Dialogue, Knowledge, Message, NoAnswer, Question, ReplyPart, ToolCall
from anchor.trust.pii import mask

FALLBACK_SECONDS = 0.4
"""What the knowledge may take to answer in the place of a dialogue that failed."""


@dataclass(frozen=True, slots=True)
class Minds:
    """Whom a conversation asks. `fallback` answers from the same knowledge where `dialogue` fails."""

    dialogue: Dialogue
    fallback: Dialogue
    knowledge: Knowledge | None
    guard: Guard
    clerk: Clerk
    store: Store


@dataclass(frozen=True, slots=True)
class Manners:
    """How the anchor answers: texts by language, and what fetches a person.

    After `failures` turns without an answer a person is fetched; `contact` is whom to turn to where nobody comes.
    """

    persona: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)
    person_phrases: tuple[str, ...] = ()
    crisis_phrases: tuple[str, ...] = ()
    failures: int = 2
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class Turn:
    """A turn of the visitor and what became of it. Times are of the loop's clock."""

    number: int
    text: str
    kept: str
    """The text without what nobody may keep: for history, records and models."""
    language: str
    ended_at: float
    closed_at: float
    typed: bool = False
    reply: Steady | None = None
    performance: Performance | None = None
    heard_after: float | None = None
    """Seconds from the first beat to its sound in the visitor's browser."""

    def stages(self) -> dict[str, float]:
        """The latency waterfall so far: seconds since the visitor fell silent."""
        performance = self.performance
        times: dict[str, float | None] = {
            "turn_closed": self.closed_at,
            "first_token": self.reply.begun_at if self.reply is not None else None,
            "first_sound": performance.spoken_at if performance is not None else None,
            "first_face": performance.faced_at if performance is not None else None,
            "first_beat": performance.sounded_at if performance is not None else None,
        }
        stages = {name: at - self.ended_at for name, at in times.items() if at is not None}
        if self.heard_after is not None and "first_beat" in stages:
            stages["heard"] = stages["first_beat"] + self.heard_after
        return stages


class Answers:
    """Makes the replies of one conversation.

    `tell` sends to the visitor's page; `on_wanted` hears why a person is wanted; `on_leave` that the visitor goes.
    """

    def __init__(
        self,
        minds: Minds,
        manners: Manners,
        history: History,
        clock: Clock,
        *,
        tell: Callable[[Mapping[str, Any]], None],
        on_wanted: Callable[[str], None],
        on_leave: Callable[[], None],
    ) -> None:
        self.failures = 0
        """Turns in a row without an answer."""
        self._minds, self._manners, self._history, self._clock = minds, manners, history, clock
        self._tell, self._on_wanted, self._on_leave = tell, on_wanted, on_leave
        self._tasks: asyncio.TaskGroup | None = None
        self._ahead: tuple[str, Draft[ReplyPart]] | None = None
        self._form: object = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Own the replies in the making for as long as the context lasts."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self.forget()
                self._tasks = None
                await self._minds.clerk.close()

    # Thinking ahead.

    def think_ahead(self, text: str, language: str) -> None:
        """Begin on an answer before the turn is closed, where thinking of it changes nothing."""
        if self._minds.clerk.concerns(text) or self._is_special(text):
            return
        self.forget()
        self._ahead = (text, self._draft(self._asked(mask(text), language)))

    def forget(self) -> None:
        """Drop what was thought of ahead of time."""
        if self._ahead is not None:
            self._ahead[1].drop()
            self._ahead = None

    def _is_special(self, text: str) -> bool:
        return bool(
            self._crisis(text) or self._wants_person(text) or phrases.says_bye(text) or phrases.says_again(text)
            or phrases.says_stop(text)
        )  # fmt: skip

    # Answering.

    def reply(self, turn: Turn) -> Steady:
        """The answer to a turn, as it is being made."""
        ahead, self._ahead = self._ahead, None
        ready = None
        if ahead is not None and ahead[0] == turn.text:
            ready = ahead[1]
        elif ahead is not None:
            ahead[1].drop()
        return self._steady(turn, self._route(turn, ready))

    def confirm(self, yes: bool, turn: Turn) -> Steady:
        """What follows from a yes or no that was pressed."""
        return self._steady(turn, self._business(self._minds.clerk.confirm(yes, turn.language)))

    def _steady(self, turn: Turn, text: AsyncIterator[str]) -> Steady:
        language = turn.language
        turn.reply = Steady(
            self._draft(text), language, self._clock, self._manners.patience,
            filler=spoken("filler", language), lost=spoken("fallback", language),
            fallback=lambda error: self._instead(turn, error), busy=lambda: self._minds.clerk.busy,
        )  # fmt: skip
        return turn.reply

    def _draft(self, parts: AsyncIterator[Any]) -> Draft[Any]:
        if self._tasks is None:
            raise RuntimeError("the conversation is not open")
        return Draft(self._tasks, parts)

    async def _route(self, turn: Turn, ready: Draft[ReplyPart] | None) -> AsyncIterator[str]:
        clerk, text, language = self._minds.clerk, turn.text, turn.language
        try:
            if kind := self._crisis(text):
                yield self.hand_over(f"crisis: {kind}", language)
                return
            if self._wants_person(text):
                yield self.hand_over("asked for", language)
                return
            if phrases.says_again(text) and not clerk.active:
                yield self._history.last_of_anchor() or spoken("not_understood", language)
                return
            if news := clerk.pending_news(language):
                yield f"{news}\n"
            if (stream := clerk.take(text, language)) is not None:
                self.failures = 0
                async for piece in self._business(stream):
                    yield piece
                return
            if phrases.says_bye(text) and not clerk.active:
                self._on_leave()
                yield spoken("goodbye", language)
                return
            ready = ready or self._draft(self._asked(turn.kept, language))
            async for piece in self._read(turn, ready):
                yield piece
            if clerk.active:
                yield f"\n{clerk.reminder(language)}"
        finally:
            if ready is not None:
                ready.drop()

    async def _business(self, stream: AsyncIterator[str]) -> AsyncIterator[str]:
        self.show_form()
        async with closing(stream) as pieces:
            async for piece in pieces:
                self.show_form()
                yield piece
        self.show_form()

    async def _read(self, turn: Turn, draft: Draft[ReplyPart]) -> AsyncIterator[str]:
        """The text of a dialogue's reply; what else is in it is acted upon."""
        sources: list[dict[str, str]] = []
        unknown = False
        async for part in draft:
            match part:
                case str():
                    yield part
                case Cited(passage):
                    sources.append({"title": passage.title, "source": passage.source})
                    self._tell({"type": "sources", "turn": turn.number, "sources": list(sources)})
                case NoAnswer():
                    unknown = True
                case ToolCall():
                    async for piece in self._business(self._minds.clerk.begin(part, turn.language)):
                        yield piece
        if not unknown:
            self.failures = 0
        elif more := self.failed("no answer", turn.language):
            yield f"\n{more}"

    async def _asked(self, text: str, language: str, *, fallback: bool = False) -> AsyncIterator[ReplyPart]:
        """Ask the dialogue, with what is known about it."""
        minds = self._minds
        messages = self._history.messages()
        if not messages or messages[-1] != Message("user", text):
            messages = (*messages, Message("user", text))
        passages = []
        if minds.knowledge is not None:
            passages = await asyncio.to_thread(minds.knowledge.search, standalone(messages), language)
        # What smells of orders to the machine is answered from knowledge alone: no model reads it.
        plain = fallback or suspicious(text)
        question = Question(
            messages, language, self._manners.persona, tuple(passages), () if plain else minds.clerk.tools(language)
        )
        async with closing((minds.fallback if plain else minds.dialogue).reply(question)) as parts:
            async for part in parts:
                yield part

    async def _instead(self, turn: Turn, _: AnchorError) -> AsyncIterator[str]:
        """What is known without the dialogue that failed, else that it did."""
        parts: list[ReplyPart] = []
        if turn.text:
            draft = self._draft(self._asked(turn.kept, turn.language, fallback=True))
            try:
                with contextlib.suppress(AnchorError, TimeoutError):
                    async with asyncio.timeout(FALLBACK_SECONDS):
                        parts = [part async for part in draft]
            finally:
                draft.drop()
        text = "".join(part for part in parts if isinstance(part, str))
        known = text and not any(isinstance(part, NoAnswer) for part in parts)
        yield text if known else spoken("fallback", turn.language)

    # Fetching a person.

    def hand_over(self, reason: str, language: str) -> str:
        """Fetch a person, and what is said of it."""
        self.failures = 0
        self._on_wanted(reason)
        return f"{spoken('hand_over', language)} {said(self._manners.contact, language)}".strip()

    def failed(self, reason: str, language: str) -> str:
        """Count a turn without an answer; what is said when a person is fetched for it."""
        self.failures += 1
        return self.hand_over(reason, language) if self.failures >= self._manners.failures else ""

    def _crisis(self, text: str) -> str | None:
        return phrases.crisis(text, self._manners.crisis_phrases)

    def _wants_person(self, text: str) -> bool:
        return phrases.wants_person(text, self._manners.person_phrases)

    def show_form(self, *, again: bool = False) -> None:
        """Let the page show the business of now, if it is not what it shows."""
        form = self._minds.clerk.form
        if again or form != self._form:
            self._form = form
            shown = None
            if form is not None:
                shown = {
                    "action": form.action, "title": form.title, "asking": form.asking, "confirming": form.confirming,
                    "slots": [{"name": slot.name, "label": slot.label, "value": slot.value} for slot in form.slots],
                    "choices": list(form.choices),
                }  # fmt: skip
            self._tell({"type": "form", "form": shown})
