"""Turn taking, a pure machine: facts in, actions out. It reads no clock, and touches nothing.

Interrupting has two steps. As soon as the visitor speaks, the anchor is *hushed*: silent, nothing thrown away. Words
that mean something *cancel* what was being said, after a second or when it is over; a cough, a back-channel
("uh-huh", "嗯") or noise lets it *resume*. Nothing is lost by deciding late, for the anchor is silent meanwhile.

A turn is closed when all speech of it is understood and the pause after it is as long as its words ask for (see
`anchor.hearing.endpoint`). A visitor who goes on before the answer has begun has not finished: the turns are joined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from anchor.hearing.endpoint import COMPLETE, pause_after
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
from anchor.interactive.phrases import is_backchannel, is_hollow, says_stop


@dataclass(frozen=True, slots=True)
class TurnRules:
    """When what happens. Seconds; words are characters where words are not spaced.

    `partials`: the recogniser tells what it hears while it hears it; otherwise speech alone decides, a little later.
    """

    barge_in: bool = True
    partials: bool = True
    cancel_after: float = 1.0
    """Speech of which two words or more are understood cancels after this long: recognisers hear words in a hum, and
    what is shorter is judged when it is over."""
    unheard_after: float = 0.8
    """Speech of which nothing can be told yet, for want of partials."""
    noise_after: float = 1.5
    """Speech of which nothing is understood, with partials, is noise: the anchor goes on."""
    steady_for: float = 0.2
    """A partial that has not changed for so long and sounds complete is worth thinking about."""
    shortest: float = 0.6
    """Shorter sounds that are not understood pass without a word."""
    join_within: float = 2.5
    invite_after: float = 20.0
    absence: float = 60.0


@dataclass(frozen=True, slots=True)
class Hush:
    """Be silent within a beat, and keep everything."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on from the word that was cut."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop what is said or thought of."""


@dataclass(frozen=True, slots=True)
class Speculate:
    """Think about this already: it may be the turn."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """The visitor has said this, and waits for an answer. `ended_at`: when they fell silent.

    `joined`: it begins with the turn that was closed before and has not been answered.
    """

    text: str
    language: str
    ended_at: float
    confidence: float | None = None
    typed: bool = False
    joined: bool = False


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The visitor said something that cannot be told; `failed`: not their fault."""

    failed: bool = False


@dataclass(frozen=True, slots=True)
class Invite:
    """Nobody has said anything for a while."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """Nobody is there any more."""


Action = Hush | Resume | Cancel | Speculate | CloseTurn | NotUnderstood | Invite | GoAway


class Turns:
    """Who has the floor in one conversation. `language` is what is spoken until something heard says otherwise."""

    def __init__(self, rules: TurnRules, language: str, *, now: float = 0.0) -> None:
        self.language = language
        self._rules = rules
        self._anchor_speaks = False
        self._thinks = False
        self._speech: float | None = None
        self._stopped = -math.inf
        self._length = 0.0
        self._unheard = 0
        self._parts: list[str] = []
        self._confidence: float | None = None
        self._joined = False
        self._partial = ""
        self._partial_since = now
        self._doubt = False
        self._noise = False
        self._speculated = ""
        self._closed: CloseTurn | None = None
        self._quiet_since = now
        self._invited = False

    @property
    def hearing(self) -> bool:
        """The visitor speaks, or what they said is still being made out."""
        return not self._noise and (self._speech is not None or self._unheard > 0)

    @property
    def understood(self) -> str:
        """What the visitor is understood to have said of the turn that is not closed yet."""
        return "" if self._noise else self._text

    def take(self, fact: Fact, now: float) -> list[Action]:
        """What follows from a fact that has become known at `now`."""
        match fact:
            case SpeechStarted(at):
                actions = self._started(at)
            case SpeechStopped(at):
                actions = self._fell_silent(at)
            case Heard(text, final, language, confidence):
                self.language = language
                actions = self._final(text, confidence) if final else self._hears(text, now)
            case HearingFailed():
                actions = self._failed()
            case Typed(text):
                actions = self._typed(text, now)
            case ReplyBegan():
                actions = self._reply_began()
            case ReplyEnded():
                actions = self._reply_ended(now)
            case Touched() | Tick():
                actions = []
        if isinstance(fact, SpeechStarted | SpeechStopped | Heard | Typed | Touched):
            self._quiet_since, self._invited = now, False
        return actions + self._due(now)

    def next_due(self, now: float) -> float:
        """When a `Tick` is wanted; infinity when nothing waits for time to pass."""
        times = [math.inf]
        rules = self._rules
        if self._doubt and self._speech is not None:
            times += [self._speech + wait for wait in (rules.cancel_after, rules.unheard_after, rules.noise_after)]
        if self._may_close:
            times.append(self._closes_at)
        if self._worth_thinking:
            times.append(self._partial_since + rules.steady_for)
        if self._silent:
            times.append(self._quiet_since + (rules.absence if self._invited else rules.invite_after))
        later = [time for time in times if time > now]
        return min(later, default=math.inf)

    # The visitor speaks.

    def _started(self, at: float) -> list[Action]:
        self._speech, self._partial, self._partial_since, self._noise = at, "", at, False
        if self._anchor_speaks and self._rules.barge_in and not self._doubt:
            self._doubt = True
            return [Hush()]
        return []

    def _fell_silent(self, at: float) -> list[Action]:
        if self._speech is None:
            return []
        self._length = at - self._speech
        self._speech, self._stopped = None, at
        self._unheard += 1
        return []

    def _hears(self, text: str, now: float) -> list[Action]:
        if text != self._partial:
            self._partial, self._partial_since = text, now
        return self._decide()

    def _final(self, text: str, confidence: float | None) -> list[Action]:
        self._unheard = max(0, self._unheard - 1)
        self._partial = ""
        noise, self._noise = self._noise, False
        if not text:
            return self._nothing_heard(failed=False)
        if self._doubt:
            if self._is_backchannel(text) or is_hollow(text, self.language):
                return self._unless_speaking_again()
            return [*self._cancel(), *self._keep(text, confidence)]
        if self._anchor_speaks and (not self._rules.barge_in or noise or self._is_backchannel(text)):
            return []
        if self._thinks and self._is_backchannel(text):
            return []
        return self._keep(text, confidence)

    def _keep(self, text: str, confidence: float | None) -> list[Action]:
        """Take what was said as a part of the turn, and with it a turn that was closed too early."""
        actions: list[Action] = []
        if self._anchor_speaks:
            actions += self._cancel()
        elif self._thinks:
            closed = self._closed
            actions += self._cancel()
            if closed is not None and not closed.typed and self._stopped - closed.ended_at < self._rules.join_within:
                self._parts = [closed.text]
                self._joined = True
        self._closed = None
        self._parts.append(text)
        self._confidence = confidence
        return actions

    def _failed(self) -> list[Action]:
        self._unheard = max(0, self._unheard - 1)
        self._partial = ""
        return self._nothing_heard(failed=True)

    def _nothing_heard(self, *, failed: bool) -> list[Action]:
        if self._doubt:
            if failed and self._length >= self._rules.unheard_after:
                return [*self._cancel(), NotUnderstood(failed)]
            return self._unless_speaking_again()
        if self._parts or self._anchor_speaks or self._thinks or self._length < self._rules.shortest:
            return []
        return [NotUnderstood(failed)]

    def _unless_speaking_again(self) -> list[Action]:
        if self._speech is not None or self._unheard:
            return []
        self._doubt = False
        return [Resume()]

    def _typed(self, text: str, now: float) -> list[Action]:
        actions: list[Action] = self._cancel() if self._anchor_speaks or self._thinks else []
        self._parts.clear()
        self._partial, self._joined = "", False
        return [*actions, self._close(CloseTurn(text, self.language, now, typed=True))]

    # The anchor speaks.

    def _reply_began(self) -> list[Action]:
        self._anchor_speaks, self._thinks, self._closed = True, False, None
        if self._speech is not None and self._rules.barge_in and not self._doubt and not self._noise:
            self._doubt = True
            return [Hush()]
        return []

    def _reply_ended(self, now: float) -> list[Action]:
        self._anchor_speaks = self._thinks = self._doubt = False
        if not self._invited:
            self._quiet_since = now
        return []

    # Decisions.

    def _decide(self) -> list[Action]:
        """Whether a visitor who speaks into the anchor's words asks for silence."""
        return self._cancel() if self._doubt and says_stop(self._partial) else []

    def _cancel(self) -> list[Action]:
        self._doubt = self._anchor_speaks = self._thinks = False
        return [Cancel()]

    def _close(self, turn: CloseTurn) -> CloseTurn:
        self._thinks, self._closed = True, turn
        self._speculated = ""
        return turn

    @property
    def _silent(self) -> bool:
        return not (self._anchor_speaks or self._thinks or self.hearing or self._parts)

    @property
    def _may_close(self) -> bool:
        return bool(self._parts) and self._speech is None and not self._unheard and not self._anchor_speaks

    @property
    def _closes_at(self) -> float:
        return self._stopped + pause_after(self._text, self.language)

    @property
    def _text(self) -> str:
        return _joined([*self._parts, self._partial])

    @property
    def _worth_thinking(self) -> bool:
        if self._anchor_speaks or self._thinks or self._doubt or not (self._partial or self._parts):
            return False
        text = self._text
        return text != self._speculated and pause_after(text, self.language) <= COMPLETE

    def _due(self, now: float) -> list[Action]:
        actions: list[Action] = []
        rules = self._rules
        if self._doubt and self._speech is not None:
            actions += self._judge(self._speech, now)
        if self._may_close and now >= self._closes_at:
            turn = CloseTurn(self._text, self.language, self._stopped, self._confidence, joined=self._joined)
            self._parts.clear()
            self._joined = False
            actions.append(self._close(turn))
        elif self._worth_thinking and now >= self._partial_since + rules.steady_for:
            self._speculated = self._text
            actions.append(Speculate(self._speculated, self.language))
        if self._silent:
            if now >= self._quiet_since + rules.absence:
                self._quiet_since = math.inf
                actions.append(GoAway())
            elif not self._invited and now >= self._quiet_since + rules.invite_after:
                self._invited = True
                actions.append(Invite())
        return actions

    def _judge(self, begun: float, now: float) -> list[Action]:
        """Speech that goes on while the anchor is hushed: meant, not understood, or not speech at all."""
        rules, text = self._rules, self._partial
        if not rules.partials:
            return self._cancel() if now >= begun + rules.unheard_after else []
        if not text:
            if now < begun + rules.noise_after:
                return []
            self._doubt, self._noise = False, True
            return [Resume()]
        meant = _weight(text) > 1 and not (self._is_backchannel(text) or is_hollow(text, self.language))
        patience = rules.cancel_after if meant else rules.noise_after
        return self._cancel() if now >= begun + patience else []

    def _is_backchannel(self, text: str) -> bool:
        return is_backchannel(text, self.language)


def _weight(text: str) -> int:
    """Words, or characters of scripts without spaces."""
    wide = sum(1 for letter in text if ord(letter) > 0x2E7F and letter.isalnum())
    return wide + sum(1 for word in text.split() if any(letter.isalnum() and ord(letter) <= 0x2E7F for letter in word))


def _joined(parts: list[str]) -> str:
    """Stretches of one turn as one text: with spaces where the script has them."""
    text = ""
    for part in filter(None, parts):
        wide = text and ord(text[-1]) > 0x2E7F
        text += part if not text or wide else f" {part}"
    return text
