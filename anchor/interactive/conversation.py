"""One visitor and the anchor: facts become turns, turns become replies, and replies become speech.

Everything here runs on the event loop and waits for nothing; what takes time is somewhere else. A reply is one
utterance that draws its text out of a draft: cancelling it stops dialogue, voice, driver and faces together.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from anchor.clock import Clock
from anchor.events import State
from anchor.interactive import phrases
from anchor.interactive.answers import Answers, Manners, Minds, Turn
from anchor.interactive.ears import Ears
from anchor.interactive.facts import (
    Fact,
    Heard,
    HearingFailed,
    ReplyBegan,
    ReplyEnded,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Touched,
    Typed,
)
from anchor.interactive.history import History, Line
from anchor.interactive.own_words import OwnWords
from anchor.interactive.speech import Speech
from anchor.interactive.spoken import spoken
from anchor.interactive.turns import (
    Action,
    Cancel,
    CloseTurn,
    GoAway,
    Hush,
    Invite,
    NotUnderstood,
    Resume,
    Speculate,
    TurnRules,
    Turns,
)
from anchor.interactive.wire import LONGEST_TEXT, Ending, Mode
from anchor.media import Beat, Samples
from anchor.pipeline.manner import Manner
from anchor.pipeline.performer import Performer
from anchor.pipeline.segmenter import language_of
from anchor.pipeline.utterance import Performance
from anchor.ports import Voice
from anchor.tags import closest, said
from anchor.trust.masker import Masker

log = logging.getLogger(__name__)

GOODBYE_SECONDS = 1.5
"""From the last word to the end of a conversation that the visitor has taken leave of."""

_DISCLOSES = re.compile(r"\bA\.?I\b|人工智[能慧]|\bartificial|\bIA\b|\bKI\b|인공지능")
_STATES: dict[Mode, State] = {"hearing": "listening", "listening": "listening", "thinking": "thinking"}


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a conversation begins with. `languages`: what the visitor may choose from; `greeting`: by language."""

    languages: tuple[str, ...]
    greeting: Mapping[str, str] = field(default_factory=dict)
    rules: TurnRules = field(default_factory=TurnRules)


class Conversation:
    """A conversation, as a `Listener` to its visitor (see `anchor.talk`).

    `tell` sends to the visitor's page (see `anchor.interactive.wire`). `on_end` hears why it is over, `on_timed` of
    each turn once its latencies are known, `on_wanted` why a person is wanted.
    """

    def __init__(
        self,
        session: str,
        language: str,
        welcome: Welcome,
        *,
        minds: Minds,
        manners: Manners,
        ears: Callable[[Callable[[Fact], None]], Ears],
        voice: Voice,
        performer: Performer,
        manner: Manner,
        clock: Clock,
        tell: Callable[[Mapping[str, Any]], None],
        on_end: Callable[[Ending], None] = lambda _: None,
        on_timed: Callable[[Turn], None] = lambda _: None,
        on_wanted: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.session = session
        self.language = language
        self.mode: Mode = "waiting"
        self.history = History()
        self.person = ""
        """Who has taken the anchor's place; empty while it converses itself."""
        self.wanted = ""
        """Why a person is wanted, while nobody has come."""
        self.turn: Turn | None = None
        self._welcome, self._minds, self._manner, self._clock = welcome, minds, manner, clock
        self._tell, self._on_end, self._on_timed, self._on_wanted = tell, on_end, on_timed, on_wanted
        self._speech = Speech(
            performer, voice, minds.guard, self.history,
            tell=tell, on_begin=lambda: self.take(ReplyBegan()), on_end=self._said,
        )  # fmt: skip
        self._answers = Answers(
            minds, manners, self.history, clock, tell=tell, on_wanted=self._want, on_leave=self._leave
        )
        self._masker = Masker()
        self._ears = ears(self._hears)
        self._own_words = OwnWords()
        self._began = clock.now()
        """When the speech began that is being understood."""
        self._turns = Turns(welcome.rules, language, now=clock.now())
        self._begun = self._ended = self._leaving = self._mistold = self._invited = self._away = False
        self._count = 0
        self._shown = ""
        self._timer: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None

    # Its life.

    async def run(self) -> None:
        """Own everything the conversation does, until cancelled."""
        try:
            async with self._answers.open():
                await self._ears.run()
        finally:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()

    def begin(self, language: str) -> None:
        """The visitor has read the notices: greet them. What comes first is that they talk with a machine."""
        if language in self._welcome.languages:
            self._speak_in(language)
        if self._begun or self._ended:
            return
        self._begun = True
        greeting = said(self._welcome.greeting, self.language)
        # Whatever a bank greets with, what comes first is that a machine speaks.
        self._say(greeting if _DISCLOSES.search(greeting) else f"{spoken('greeting', self.language)} {greeting}")
        self.take(Touched())

    def end(self, why: Ending) -> None:
        """End the conversation; what is being said is cut."""
        if not self._ended:
            self._ended = True
            self._speech.stop()
            self._tell({"type": "ended", "why": why})
            if why == "shutdown":
                self._minds.clerk.hurry()
            self._on_end(why)

    def about(self) -> dict[str, Any]:
        """What a page must know of the conversation."""
        return {
            "session": self.session, "language": self.language, "languages": list(self._welcome.languages),
            "resumed": self._begun, "hearing": self._hearing(),
        }  # fmt: skip

    def _hearing(self) -> dict[str, Any]:
        available, _ = self._ears.available(self.language)
        return {"available": available, "why": "" if available else spoken("no_recognizer", self.language)}

    # The visitor.

    def hear(self, sound: Samples, at: float) -> None:
        if self._begun and not self._ended:
            self._ears.hear(sound, at)

    def arrived(self) -> None:
        """A page is there; perhaps again."""
        entries = [{"who": line.who, "text": line.text, "language": line.language} for line in self.history]
        self._tell({"type": "log", "entries": entries})
        self._tell({"type": "mode", "mode": self.mode})
        self._answers.show_form(again=True)
        self._away = False
        if self._begun:
            self.take(Touched())
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._welcome.rules.absence, self.end, "absence")

    def left(self) -> None:
        """The page is gone; it may come back. Until then nobody is asked whether they are there."""
        self._away = True

    def told(self, message: Mapping[str, Any]) -> None:
        """Take a message of the page; one that makes no sense is let go."""
        if self._ended:
            return
        match message:
            case {"type": "begin", "language": str(language)}:
                self.begin(language)
            case {"type": "text", "text": str(text)}:
                self.type(text)
            case {"type": "language", "language": str(language)} if language in self._welcome.languages:
                self._change_language(language)
            case {"type": "microphone", "state": str(state)}:
                self._ears.muted = state != "on"
            case {"type": "confirm", "yes": bool(yes)} if self._begun and self._minds.clerk.active:
                self._press(yes)
            case {"type": "human"} if self._begun:
                self._speech.stop()
                self._say(self._answers.hand_over("asked for", self.language))
            case {"type": "sounded", "utterance": str(utterance), "seconds": int() | float() as seconds}:
                self._sounded(utterance, seconds)
            case {"type": "end"}:
                self.end("visitor")
            case {"type": "here"}:
                self.take(Touched())

    def type(self, text: str) -> None:
        """Take a text as the visitor's turn."""
        if text.strip():
            self.take(Typed(text.strip()[:LONGEST_TEXT]))

    def _change_language(self, language: str) -> None:
        if language == self.language:
            return
        self._speak_in(language)
        if self._begun:
            self._speech.stop()
            self._say(spoken("language_switched", language))

    def _speak_in(self, language: str) -> None:
        self.language = self._turns.language = self._ears.language = language
        self._mistold = False
        self._tell({"type": "language", "language": language, "hearing": self._hearing()})

    def _sounded(self, utterance: str, seconds: float) -> None:
        turn = self.turn
        if turn is None or turn.heard_after is not None or not 0 <= seconds < 5:
            return
        if turn.performance is not None and turn.performance.id == utterance:
            turn.heard_after = seconds

    # Facts and what follows from them.

    def _hears(self, fact: Fact) -> None:
        """A fact from the ears."""
        if isinstance(fact, SpeechStarted):
            self._began = fact.at
        elif isinstance(fact, Heard) and self._is_echo(fact.text):
            fact = replace(fact, text="")
        if self._ears.available(self.language)[0]:
            self.take(fact)
        elif isinstance(fact, SpeechStopped) and not self._mistold and self.mode == "listening":
            self._mistold = True
            self._say(spoken("no_recognizer", self.language))

    def _is_echo(self, text: str) -> bool:
        """Whether the ears hear the anchor's own words, where there is an echo at all."""
        echo = self._ears.echo
        return echo.likely and self._own_words.has(text, self._began, echo.delay)

    def take(self, fact: Fact) -> None:
        """Let a fact have its consequences."""
        if self._ended or not self._begun:
            return
        if isinstance(fact, HearingFailed):
            log.warning("session %s: a stretch of speech was lost: %s", self.session, fact.reason)
        for action in self._turns.take(fact, self._clock.now()):
            try:
                self._act(action)
            except Exception:  # a defect costs a turn, not the conversation
                log.exception("session %s: %s failed", self.session, type(action).__name__)
        if self._farewell is not None and isinstance(fact, SpeechStarted | Typed):
            self._farewell.cancel()
        if self._invited and isinstance(fact, Touched | SpeechStarted | Typed):
            self._invited = False
            self._tell({"type": "absence", "seconds": None})
        self._show()
        self._come_back()

    def _come_back(self) -> None:
        """Be woken when the turns want to know that time has passed."""
        if self._timer is not None:
            self._timer.cancel()
        due = self._turns.next_due(self._clock.now())
        if math.isfinite(due) and not self._ended:
            self._timer = asyncio.get_running_loop().call_at(due + 0.001, self.take, Tick())

    def _act(self, action: Action) -> None:
        match action:
            case Hush():
                self._speech.hush()
            case Resume():
                self._speech.resume()
            case Cancel():
                self._answers.forget()
                self._speech.stop()
            case Speculate(text, language):
                if not self.person:
                    self._answers.think_ahead(text, self._language_of(text, language))
            case CloseTurn():
                self._answer(action)
            case NotUnderstood(failed):
                said = spoken("hearing_failed" if failed else "not_understood", self.language)
                if not self.person:
                    self._say(f"{said} {self._answers.failed('not understood', self.language)}".strip())
            case Invite() | GoAway() if self._away:
                pass
            case Invite():
                self._invited = True
                rules = self._welcome.rules
                self._tell({"type": "absence", "seconds": rules.absence - rules.invite_after})
                if not self.person:
                    self._say(spoken("invite", self.language))
            case GoAway():
                self.end("absence")

    def _answer(self, closed: CloseTurn) -> None:
        if closed.joined:
            self.history.retract(self._count)
        else:
            self._count += 1
        language = self._language_of(closed.text, closed.language)
        if language != self.language:
            self._speak_in(language)
        if self._minds.clerk.asks_secret:
            self._masker.expect_secret()
        kept = self._masker.mask(closed.text)
        turn = Turn(self._count, closed.text, kept, language, closed.ended_at, self._clock.now(), closed.typed)
        self.turn, self._shown = turn, ""
        self._tell({"type": "visitor", "turn": turn.number, "text": turn.text, "final": True, "language": language})
        self.history.add(Line("visitor", language, turn.number, turn.closed_at, [kept]))
        self._minds.store.said(
            self.session, turn=turn.number, who="visitor", text=kept, language=language,
            confidence=closed.confidence,
        )  # fmt: skip
        if self.person or (phrases.says_stop(turn.text) and not self._minds.clerk.active):
            # A person reads it; and who only wanted silence has got it.
            asyncio.get_running_loop().call_soon(self.take, ReplyEnded())
            return
        turn.performance = self._speech.reply(self._answers.reply(turn), language, turn.number)

    def _press(self, yes: bool) -> None:
        self._speech.stop()
        now = self._clock.now()
        turn = Turn(self._count, "", "", self.language, now, now, typed=True)
        turn.performance = self._speech.reply(self._answers.confirm(yes, turn), self.language, self._count)

    # Speech.

    def _say(self, text: str, *, person: bool = False) -> None:
        self._speech.say(text, self._language_of(text, self.language), self._count, person=person)

    def beat(self, beat: Beat) -> None:
        """A beat has gone out."""
        now = self._clock.now()
        self._ears.sent(beat.audio, now)
        self._own_words.said(beat.words, now, speaking=beat.speaking)
        self._speech.beat(beat)

    def performed(self, performance: Performance) -> None:
        """An utterance has ended."""
        self._speech.performed(performance)

    def _said(self, performance: Performance, last: bool) -> None:
        line, turn = self.history.of(performance), self.turn
        if line is not None and line.said:
            said, heard = (self._masker.mask(text, visitor=False) for text in (line.said, line.text))
            self._minds.store.said(
                self.session, turn=line.turn, who=line.who, text=said, heard=heard, language=line.language
            )
        if turn is not None and turn.performance is performance and performance.sounded_at is not None:
            stages = turn.stages()
            self._tell({"type": "latency", "turn": turn.number, "stages": stages})
            self._minds.store.timed(self.session, turn=turn.number, stages=stages)
            self._on_timed(turn)
        if not last:
            return
        self.take(ReplyEnded())
        if self._leaving and performance.outcome == "said":
            self._farewell = asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self.end, "visitor")
        self._leaving = False

    def _leave(self) -> None:
        self._leaving = True

    # A person.

    def _want(self, reason: str) -> None:
        if not self.wanted and not self.person:
            self.wanted = reason
            self._tell({"type": "notice", "text": spoken("hand_over_waiting", self.language)})
            self._on_wanted(reason)

    def nobody_came(self) -> None:
        """No person was free: say so."""
        if self.wanted:
            self.wanted = ""
            self._say(spoken("nobody_free", self.language))

    def take_over(self, who: str) -> None:
        """A person takes the anchor's place: from now on it says what they write."""
        self.person, self.wanted = who, ""
        self.stop()
        self._say(spoken("person_joined", self.language))

    def give_back(self) -> None:
        """The anchor converses again."""
        if self.person:
            self.person = ""
            self._say(spoken("person_left", self.language))

    def announce(self, text: str, *, interrupt: bool = False) -> None:
        """Say something of the operator's, after what is being said or in its place."""
        if interrupt:
            self._speech.stop()
        if self._begun and not self._ended:
            self._say(text, person=True)

    def stop(self) -> None:
        """Stop what is being said."""
        self._answers.forget()
        self._speech.stop()
        self.take(ReplyEnded())

    def say_as_person(self, text: str) -> None:
        """Say a person's words."""
        self._say(text, person=True)

    # What the page shows.

    def _show(self) -> None:
        understood = self._turns.understood
        if understood != self._shown:
            self._tell(
                {"type": "visitor", "turn": self._count + 1, "text": understood, "final": False,
                 "language": self.language}
            )  # fmt: skip
        self._shown = understood
        mode = self._mode()
        if mode != self.mode:
            self.mode = mode
            self._manner.state = _STATES.get(mode, "presenting")
            # What a browser leaves of the anchor's own voice in the microphone must not interrupt it.
            self._ears.wary = self._speech.sounding
            self._tell({"type": "mode", "mode": mode})

    def _mode(self) -> Mode:
        if not self._begun:
            return "waiting"
        if self._turns.hearing:
            return "hearing"
        if self._speech.sounding:
            return "speaking"
        if self.person:
            return "person"
        return "thinking" if self._speech.busy else "listening"

    def _language_of(self, text: str, language: str) -> str:
        """What to answer a text in: the language of its script, where the visitor may choose it."""
        return closest(self._welcome.languages, language_of(text, language)) or self.language
