"""What the anchor says in a conversation: utterances on its stream, as one voice that can be hushed and stopped."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

from anchor.dialogue.guard import Guard
from anchor.events import Sentence
from anchor.interactive.history import History, Line
from anchor.interactive.reply import Steady
from anchor.media import Beat
from anchor.pipeline.performer import Performer
from anchor.pipeline.utterance import Performance, Utterance
from anchor.ports import Voice

log = logging.getLogger(__name__)

LEAD_BEATS = 3
"""Beats prepared before an answer begins."""


class Speech:
    """One conversation's share of a performer.

    `on_begin` is told when the first sound of something goes out, `on_end` when an utterance has ended, and whether it
    was the last. `tell` sends to the visitor's page.
    """

    def __init__(
        self,
        performer: Performer,
        voice: Voice,
        guard: Guard,
        history: History,
        *,
        tell: Callable[[Mapping[str, Any]], None],
        on_begin: Callable[[], None],
        on_end: Callable[[Performance, bool], None],
    ) -> None:
        self._performer, self._voice, self._guard, self._history = performer, voice, guard, history
        self._tell, self._on_begin, self._on_end = tell, on_begin, on_end
        self._ours: dict[str, Performance] = {}
        self._sounding: str | None = None

    @property
    def busy(self) -> bool:
        """Something is being said, or will be."""
        return bool(self._ours)

    @property
    def sounding(self) -> bool:
        return self._sounding is not None

    def say(self, text: str, language: str, turn: int, *, person: bool = False) -> Performance:
        """Say something that is known already; a person's words pass as they are."""
        return self._perform(_whole(text), language, turn, None, person=person)

    def reply(self, reply: Steady, language: str, turn: int) -> Performance:
        """Say something that is still being made."""
        return self._perform(reply, language, turn, reply)

    def _perform(
        self, text: AsyncIterable[str], language: str, turn: int, reply: Steady | None, *, person: bool = False
    ) -> Performance:
        sentences: list[str] = []

        def gate(sentence: Sentence) -> Sentence | None:
            passed = sentence if person else self._passed(sentence, reply)
            if passed is not None:
                sentences.append(passed.text)
                self._tell(
                    {"type": "anchor", "turn": turn, "text": passed.text, "utterance": performance.id,
                     "language": passed.language}
                )  # fmt: skip
            return passed

        performance = self._performer.perform(Utterance(text, language, self._voice, lead=LEAD_BEATS, gate=gate))
        self._ours[performance.id] = performance
        self._history.add(
            Line("person" if person else "anchor", language, turn, performance.requested_at, sentences, performance)
        )
        return performance

    def _passed(self, sentence: Sentence, reply: Steady | None) -> Sentence | None:
        """A sentence as it may be spoken, or nothing."""
        text = sentence.text
        if reply is not None and reply.failure is not None and reply.leak and text.startswith(reply.leak):
            text = text[len(reply.leak) :].lstrip()
        if not self._guard.allows(text):
            log.warning("a sentence was left out: the guard does not let it pass")
            return None
        return replace(sentence, text=text) if text else None

    def hush(self) -> None:
        self._performer.hush()
        self._tell({"type": "hush"})

    def resume(self) -> None:
        self._performer.resume()
        self._tell({"type": "resume"})

    def stop(self) -> None:
        """Drop everything that is said or waits to be, here and in the visitor's browser."""
        ours, self._ours = self._ours, {}
        self._sounding = None
        on_air = self._performer.on_air
        self._performer.cancel(everything=True)
        for performance in ours.values():
            performance.end("cancelled")
        self._tell({"type": "cancel", "utterance": on_air.id if on_air is not None else None})

    def beat(self, beat: Beat) -> None:
        """A beat has gone out: something begins with the first that speaks."""
        if beat.speaking and beat.utterance in self._ours and beat.utterance != self._sounding:
            self._sounding = beat.utterance
            self._on_begin()

    def performed(self, performance: Performance) -> None:
        """An utterance has ended, as it should or not."""
        if performance.error is not None:
            log.error("%s could not be said: %s", performance.id, performance.error)
        stopped = self._ours.pop(performance.id, None) is None
        if not self._ours:
            self._sounding = None
        self._on_end(performance, not stopped and not self._ours)


async def _whole(text: str) -> AsyncIterator[str]:
    yield text
