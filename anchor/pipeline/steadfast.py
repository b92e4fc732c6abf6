"""A voice that never hangs: where the first one is late, stalls or fails, the next one goes on.

What a listener hears: a sentence that has not begun is spoken by the next voice as if nothing had been. One that breaks
off goes on with the word after the last whole one, so nobody hears half a word, nor one twice. Where a voice told no
words, it is not known how far it came: the sentence is said again from its beginning, as people do who were
interrupted, because half an amount or a "not" that is missing is worse than hearing something twice. Only when nearly
all of it must have been said, it ends there.

A voice that failed rests, and is then tried where nobody listens: it goes on air again when it has answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace

from anchor.channel import closing
from anchor.errors import AnchorError, ConsentError, UnsaidError, VoiceError
from anchor.events import Sentence
from anchor.onair import VoiceStanding, VoiceState
from anchor.pipeline.delivery import CLOSING, PATIENCE, STALL, Delivery, DeliveryError, Watch, has_words
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.tags import among, base, closest

log = logging.getLogger(__name__)

REST = 30.0
"""Seconds for which a voice that failed is not asked; with 0 it does not rest."""
LONGEST_REST = 300.0
"""Each trial that fails doubles the rest up to this."""
WARMING = 20.0
"""Seconds for which a show waits for its voices to load before it goes on air; what takes longer goes on behind it."""

_TRIALS = {
    "zh": "一，二，三。", "en": "One, two, three.", "ja": "一、二、三。", "ko": "하나, 둘, 셋.",
    "es": "Uno, dos, tres.", "fr": "Un, deux, trois.", "de": "Eins, zwei, drei.",
}  # fmt: skip
"""What a voice is tried with."""


@dataclass(frozen=True, slots=True)
class Member:
    """A voice in its place. `source` is the same without a cache before it, for trials.

    `patience`: seconds until its first sound, where it is another than its fellows'. `unfit` is asked, with a language,
    once it is warm: why it is not to be used here, or nothing. One that is not `owned` is warmed and closed by somebody
    else.
    """

    voice: Voice
    source: Voice | None = None
    patience: float | None = None
    unfit: Callable[[Voice, str], Awaitable[str]] | None = None
    owned: bool = True


@dataclass(slots=True)
class _Seat:
    """A member as it has done so far. Times are the event loop's."""

    member: Member
    standing: VoiceStanding = "ready"
    problem: str = ""
    rests_until: float = float("-inf")
    rest: float = 0.0
    sentences: int = 0
    switches: int = 0
    swallowed: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def voice(self) -> Voice:
        return self.member.voice

    @property
    def name(self) -> str:
        return self.voice.info.name


class SteadfastVoice:
    """A voice with others behind it. `on_switch` is told the name of the voice that failed and why.

    `order` says who is asked for a language, by places, the best first, and under "" for all others; all in turn where
    it says nothing. `waits`:
    seconds until the first sound, and for the rest of a sentence that has begun; `warming` seconds are waited for those
    that load. Languages are those of all voices together, or with `own_languages` those of the first.
    """

    def __init__(
        self,
        first: Voice | Member,
        *fallbacks: Voice | Member,
        order: Mapping[str, Sequence[int]] | None = None,
        waits: tuple[float, float] = (PATIENCE, STALL),
        warming: float = WARMING,
        own_languages: bool = False,
        on_switch: Callable[[str, str], None] | None = None,
    ) -> None:
        self._seats = [_Seat(one if isinstance(one, Member) else Member(one)) for one in (first, *fallbacks)]
        self._orders = dict(order or {})
        self._patience, self._stall = waits
        self._warming = warming
        self._own_languages = own_languages
        self._on_switch = on_switch
        self._watch = Watch()
        self._work = set[asyncio.Task[None]]()
        self._speaking: _Seat | None = None

    @property
    def info(self) -> VoiceInfo:
        infos = [seat.voice.info for seat in self._seats]
        heard = infos[:1] if self._own_languages else infos
        return replace(
            infos[0],
            languages=tuple(dict.fromkeys(tag for info in heard for tag in info.languages)),
            phone_timings=all(info.phone_timings for info in infos),
            heeds=tuple(dict.fromkeys(kind for info in infos for kind in info.heeds)),
            moods=tuple(dict.fromkeys(mood for info in infos for mood in info.moods)),
        )

    @property
    def resting(self) -> tuple[str, ...]:
        """Names of the voices that are not asked while another speaks the language."""
        return tuple(seat.name for seat in self._seats if not self._awake(seat))

    def states(self) -> tuple[VoiceState, ...]:
        """Its own voices as they are now, in their order; not those that somebody else owns."""
        return tuple(self._state(seat) for seat in self._seats if seat.member.owned)

    def _state(self, seat: _Seat) -> VoiceState:
        info = seat.voice.info
        return VoiceState(
            info.name, info.engine, info.languages, info.licence, info.phone_timings, info.moods,
            "ready" if self._awake(seat) else seat.standing, seat.problem, seat is self._speaking,
            seat.sentences, seat.switches, seat.swallowed,
        )  # fmt: skip

    async def warm(self, languages: Sequence[str]) -> None:
        """Warm every voice, all at once. One that cannot now is left for later, and one that takes long is not waited
        for; raises `VoiceError` when none can.
        """
        loop = asyncio.get_running_loop()
        owned = [seat for seat in self._seats if seat.member.owned]
        tasks = {self._start(self._load(seat, languages)) for seat in owned}
        _, slow = await asyncio.wait(tasks, timeout=self._warming) if tasks else ((), ())
        if slow:
            for seat in (seat for seat in owned if seat.standing == "warming"):
                seat.problem = f"is still loading after {self._warming:g} s"
                log.warning("voice %s %s; others speak until it is ready", seat.name, seat.problem)
        failed = [seat for seat in owned if seat.rests_until > loop.time() and seat.standing != "warming"]
        if len(failed) == len(self._seats):
            raise VoiceError("; ".join(seat.problem.removeprefix("could not be warmed: ") for seat in failed))

    async def _load(self, seat: _Seat, languages: Sequence[str]) -> None:
        spoken = [language for language in languages if among(language, seat.voice.info.languages)]
        if languages and not spoken and seat.voice.info.languages:
            return
        seat.standing = "warming"
        late = asyncio.get_running_loop().time() + self._warming
        try:
            await seat.voice.warm(spoken)
            if seat.member.unfit is not None and (reason := await seat.member.unfit(seat.voice, (spoken or ["en"])[0])):
                seat.standing, seat.problem = "resting", reason
                seat.rests_until = float("inf")
                log.warning("voice %s %s; others speak", seat.name, reason)
                return
        except ConsentError as error:
            self._silence(seat, str(error))
        except AnchorError as error:
            self._rest(seat, f"could not be warmed: {error}", (spoken or ["en"])[0])
        except Exception as error:
            log.exception("voice %s has a defect", seat.name)
            self._rest(seat, f"could not be warmed: {type(error).__name__}", (spoken or ["en"])[0])
        else:
            seat.standing, seat.problem = "ready", ""
            if asyncio.get_running_loop().time() > late:
                log.warning("voice %s is ready now", seat.name)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        if not has_words(sentence.text):
            return
        offset, reasons = 0, list[str]()
        for seat in self._order(sentence.language):
            delivery = Delivery()
            patience = self._patience if seat.member.patience is None else seat.member.patience
            heard = self._watch.hear(seat.voice, sentence, delivery, patience=patience, stall=self._stall)
            try:
                async with closing(heard) as chunks:
                    async for chunk in chunks:
                        self._speaking = seat
                        yield chunk.shifted(offset)
                self._said(seat, delivery)
                return
            except DeliveryError as failure:
                reasons.append(f"{seat.name} {failure}")
                self._failed(seat, failure, sentence.language)
            offset += delivery.given
            rest = delivery.left_of(sentence.text)
            if not has_words(rest):
                return
            sentence = _following(sentence, rest)
        raise VoiceError("; ".join(reasons) or f"no voice here speaks {sentence.language}")

    def _order(self, language: str) -> list[_Seat]:
        """Those that speak a language: first those that are well, then those whose rest ends soonest."""
        tag = closest(self._orders, language)
        places = self._orders.get("" if tag is None else tag, range(len(self._seats)))
        able = [
            seat
            for seat in (self._seats[place] for place in places)
            if among(language, seat.voice.info.languages) and seat.standing != "silenced"
        ]
        asleep = [seat for seat in able if not self._awake(seat)]
        asleep.sort(key=lambda seat: (seat.standing == "warming", seat.rests_until))
        return [seat for seat in able if self._awake(seat)] + asleep

    @staticmethod
    def _awake(seat: _Seat) -> bool:
        return seat.standing == "ready"

    def _said(self, seat: _Seat, delivery: Delivery) -> None:
        seat.sentences += 1
        if delivery.flaws is not None:
            seat.swallowed += 1
            flaws = delivery.flaws
            # Not the words themselves: what is said to a visitor is in no log.
            seat.problem = f"{len(flaws.missing)} words not heard, {flaws.extra_seconds:.1f} s that are not in the text"
            log.warning("voice %s: of a sentence, %s", seat.name, seat.problem)

    def _failed(self, seat: _Seat, failure: DeliveryError, language: str) -> None:
        if isinstance(failure.error, UnsaidError):
            log.info("voice %s leaves a sentence to the next: %s", seat.name, failure)
            return
        seat.switches += 1
        if isinstance(failure.error, ConsentError):
            self._silence(seat, str(failure.error))
        else:
            self._rest(seat, str(failure), language)
        if self._on_switch is not None:
            self._on_switch(seat.name, str(failure))

    def _silence(self, seat: _Seat, reason: str) -> None:
        seat.standing, seat.problem = "silenced", reason
        seat.rests_until = float("inf")
        log.error("voice %s is silent from now on: %s", seat.name, reason)

    def _rest(self, seat: _Seat, reason: str, language: str) -> None:
        """Do not ask a voice for a while, and then try it where nobody listens."""
        loop = asyncio.get_running_loop()
        seat.problem = reason
        if REST <= 0:
            seat.standing = "ready"
            log.warning("voice %s %s", seat.name, reason)
            return
        seat.rest = min(2 * seat.rest, LONGEST_REST) if seat.rest else REST
        seat.standing, seat.rests_until = "resting", loop.time() + seat.rest
        log.warning("voice %s %s; it rests for %g s", seat.name, reason, seat.rest)
        if seat.timer is not None:
            seat.timer.cancel()
        seat.timer = loop.call_later(seat.rest, lambda: self._start(self._try(seat, language)))

    async def _try(self, seat: _Seat, language: str) -> None:
        sentence = Sentence(_TRIALS.get(base(language), "1, 2, 3."), language)
        source = seat.member.source or seat.voice
        try:
            async with asyncio.timeout(self._warming):
                await source.warm([language])
            async with closing(self._watch.hear(source, sentence, Delivery(), patience=self._patience)) as chunks:
                async for _ in chunks:
                    pass
        except ConsentError as error:
            self._silence(seat, str(error))
        except DeliveryError as failure:
            if isinstance(failure.error, ConsentError):
                self._silence(seat, str(failure.error))
            elif isinstance(failure.error, UnsaidError):
                self._wake(seat)
            else:
                self._rest(seat, str(failure), language)
        except TimeoutError:
            self._rest(seat, f"did not load within {self._warming:g} s", language)
        except Exception as error:
            self._rest(seat, f"failed: {error}", language)
        else:
            self._wake(seat)

    def _wake(self, seat: _Seat) -> None:
        log.warning("voice %s answers again", seat.name)
        seat.standing, seat.problem, seat.rest = "ready", "", 0.0

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        # No task group: what a voice does behind the show outlives the sentence that it was noticed in.
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def close(self) -> None:
        """Close every voice, whatever becomes of the others."""
        for seat in self._seats:
            if seat.timer is not None:
                seat.timer.cancel()
        for task in self._work:
            task.cancel()
        if self._work:
            await asyncio.wait(self._work, timeout=CLOSING)
        await self._watch.close()
        problems = list[Exception]()
        for seat in self._seats:
            try:
                if seat.member.owned:
                    await seat.voice.close()
            except Exception as error:
                problems.append(error)
        if problems:
            raise problems[0]


def states(voice: Voice) -> tuple[VoiceState, ...]:
    """Of the voices that are in a voice, as they are now."""
    if isinstance(voice, SteadfastVoice):
        return voice.states()
    info = voice.info
    return (VoiceState(info.name, info.engine, info.languages, info.licence, info.phone_timings, info.moods),)


def trouble(voice: Voice) -> str:
    """What an operator should know of a voice now: who is not asked and why, and who speaks instead; or nothing."""
    found = states(voice)
    away = [f"voice {state.name} {state.state}: {state.problem}" for state in found if state.state != "ready"]
    speaking = next((state.name for state in found if state.speaking and state.state == "ready"), "")
    return "; ".join([*away, f"{speaking} speaks"] if away and speaking else away)


def _following(sentence: Sentence, rest: str) -> Sentence:
    """The end of a sentence, with the spans that are in it."""
    gone = len(sentence.text) - len(rest)
    spans = [span.shifted(-gone) for span in sentence.spans if span.end > gone or (span.start == span.end == gone)]
    return replace(sentence, text=rest, spans=tuple(replace(span, start=max(0, span.start)) for span in spans))
