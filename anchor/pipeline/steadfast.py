"""A voice that never hangs: where the first one is late, stalls or fails, the next one goes on.

What a listener hears: a sentence that has not begun is spoken by the next voice as if nothing had been. One that breaks
off goes on with the word after the last whole one; to that end the sound of a word is held back until all of it is
there, so nobody hears half a word, nor one twice. Where a voice told no words, it is not known how far it came: the
sentence is said again from its beginning, as people do who were interrupted, because half an amount or a "not" that
is missing is worse than hearing something twice. Only when nearly all of it must have been said, it ends there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anchor.channel import Channel, ChannelClosedError, closing
from anchor.errors import AnchorError, VoiceError
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.tags import among
from anchor.voice.spoken import spoken

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds until the first sound."""
STALL = 1.0
"""Seconds that a listener may wait for the rest of a sentence after what there is of it has been played."""
REST = 30.0
"""Seconds for which a voice that failed is not asked."""
CLOSING = 0.2
"""Seconds that a voice gets to stop when it is told to."""

_AHEAD = 4.0
"""Seconds of sound that a voice may be ahead of whoever listens."""
_INAUDIBLE = 1e-4
_LATIN_RATE, _WIDE_RATE = 13.0, 4.5
"""Characters a second of unhurried reading, in letters and in Chinese, Japanese or Korean."""


class _Failed(Exception):  # noqa: N818 - never leaves this module
    """Why a voice did not finish, in words."""


@dataclass(slots=True)
class _Delivery:
    """What one voice gave of a sentence, and what of it may go on: whole words only. Times are samples."""

    received: int = 0
    given: int = 0
    audible: bool = False
    spoken: str = ""
    _sound: list[Samples] = field(default_factory=list)
    _words: list[Word] = field(default_factory=list)
    _phones: list[Phone] = field(default_factory=list)
    _source: SpeechChunk | None = None

    def take(self, chunk: SpeechChunk) -> SpeechChunk | None:
        """Take a chunk in; what can be passed on now. Silence before the first sound waits for it."""
        if not np.isfinite(chunk.audio).all():
            raise _Failed("gave sound that is no sound")
        self._sound.append(chunk.audio)
        self._words += chunk.words
        self._phones += chunk.phones
        self._source = chunk
        self.received += len(chunk.audio)
        self.audible = self.audible or bool(len(chunk.audio) and np.abs(chunk.audio).max() > _INAUDIBLE)
        if not self.audible:
            return None
        begun = next((word.start for word in self._words if word.end > self.received), self.received)
        return self._pass(max(self.given, min(begun, self.received)))

    def rest(self) -> SpeechChunk | None:
        """Everything that is left, when the voice has ended."""
        return self._pass(self.received, whole=True)

    def _pass(self, until: int, *, whole: bool = False) -> SpeechChunk | None:
        if self._source is None or (until <= self.given and not (whole and (self._words or self._phones))):
            return None
        sound = np.concatenate(self._sound) if len(self._sound) > 1 else self._sound[0]
        size = until - self.given
        words = [word for word in self._words if whole or word.start < until]
        phones = [phone for phone in self._phones if whole or phone.start < until]
        self._words, self._phones = self._words[len(words) :], self._phones[len(phones) :]
        self._sound = [sound[size:]]
        self.given = until
        self.spoken += "".join(word.text for word in words)
        return replace(self._source, audio=sound[:size], words=tuple(words), phones=tuple(phones))


class SteadfastVoice:
    """A voice with others behind it. `on_switch` is told the name of the voice that failed and why.

    A voice that failed is not asked for `REST` seconds, unless no other speaks the language. Languages are those of all
    voices together.
    """

    def __init__(
        self,
        first: Voice,
        *fallbacks: Voice,
        patience: float = PATIENCE,
        on_switch: Callable[[str, str], None] | None = None,
    ) -> None:
        self._voices = (first, *fallbacks)
        self._patience = patience
        self._on_switch = on_switch
        self._rests_until = [float("-inf")] * len(self._voices)
        self._ending = set[asyncio.Task[None]]()

    @property
    def info(self) -> VoiceInfo:
        languages = dict.fromkeys(tag for voice in self._voices for tag in voice.info.languages)
        timed = all(voice.info.phone_timings for voice in self._voices)
        heeds = dict.fromkeys(kind for voice in self._voices for kind in voice.info.heeds)
        return replace(self._voices[0].info, languages=tuple(languages), phone_timings=timed, heeds=tuple(heeds))

    @property
    def resting(self) -> tuple[str, ...]:
        """Names of the voices that failed lately."""
        now = asyncio.get_running_loop().time()
        return tuple(
            voice.info.name for voice, until in zip(self._voices, self._rests_until, strict=True) if until > now
        )

    async def warm(self, languages: Sequence[str]) -> None:
        """Warm every voice. One that cannot now is left for later; raises `VoiceError` when none can."""
        problems = list[str]()
        for number, voice in enumerate(self._voices):
            try:
                await voice.warm([language for language in languages if among(language, voice.info.languages)])
            except VoiceError as error:
                problems.append(str(error))
                self._failed(number, f"could not be warmed: {error}")
        if len(problems) == len(self._voices):
            raise VoiceError("; ".join(problems))

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        if not _has_words(sentence.text):
            return
        offset, reasons = 0, list[str]()
        for number in self._order(sentence.language):
            voice, delivery = self._voices[number], _Delivery()
            try:
                async with closing(self._attempt(voice, sentence, delivery)) as chunks:
                    async for chunk in chunks:
                        yield chunk.shifted(offset)
                return
            except _Failed as failure:
                reasons.append(f"{voice.info.name} {failure}")
                self._failed(number, str(failure))
            offset += delivery.given
            rest = _rest(sentence.text, delivery)
            if not _has_words(rest):
                return
            sentence = _following(sentence, rest)
        raise VoiceError("; ".join(reasons) or f"no voice here speaks {sentence.language}")

    def _order(self, language: str) -> list[int]:
        """Those that speak a language, first those that do not rest, then those whose rest ends soonest."""
        now = asyncio.get_running_loop().time()
        able = [number for number, voice in enumerate(self._voices) if among(language, voice.info.languages)]
        awake = [number for number in able if self._rests_until[number] <= now]
        asleep = sorted((number for number in able if number not in awake), key=lambda n: self._rests_until[n])
        return awake + asleep

    async def _attempt(self, voice: Voice, sentence: Sentence, delivery: _Delivery) -> AsyncIterator[SpeechChunk]:
        """One voice's go at a sentence. Raises `_Failed`."""
        loop = asyncio.get_running_loop()
        channel: Channel[SpeechChunk] = Channel(_AHEAD, lambda chunk: len(chunk.audio) / SAMPLE_RATE)
        # No task group: one that hangs and will not be cancelled must not hold up whoever wants to hear the next voice.
        task = loop.create_task(_pump(voice, sentence, channel))
        due = loop.time() + self._patience
        try:
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        chunk = await channel.receive()
                except TimeoutError:
                    raise _Failed(_late(delivery, self._patience)) from None
                except ChannelClosedError:
                    break
                silent = not delivery.audible
                ready = delivery.take(chunk)
                if silent and delivery.audible:
                    due = loop.time() + STALL
                if ready is not None:
                    # What has been given is heard until `due` less STALL; time that the listener takes is not counted.
                    due += len(ready.audio) / SAMPLE_RATE
                    passed = loop.time()
                    yield ready
                    due += max(0.0, loop.time() - max(due - STALL, passed))
            if not delivery.audible:
                raise _Failed("ended without a sound")
            if (last := delivery.rest()) is not None:
                yield last
            if delivery.spoken and _has_words(_rest(sentence.text, delivery)):
                raise _Failed("ended before the sentence did")
        finally:
            await self._end(task, voice.info.name)

    async def _end(self, task: asyncio.Task[None], name: str) -> None:
        """Stop a voice; one that does not stop is left to itself, and its end is still seen."""
        if task.done():
            return
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.cancel()
        if (await asyncio.wait({task}, timeout=CLOSING))[1]:
            log.warning("voice %s does not stop; it is left to end by itself", name)

    def _failed(self, number: int, reason: str) -> None:
        name = self._voices[number].info.name
        self._rests_until[number] = asyncio.get_running_loop().time() + REST
        log.warning("voice %s %s; it rests for %g s", name, reason, REST)
        if self._on_switch is not None:
            self._on_switch(name, reason)

    async def close(self) -> None:
        """Close every voice, whatever becomes of the others."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=CLOSING)
        problems = list[Exception]()
        for voice in self._voices:
            try:
                await voice.close()
            except Exception as error:
                problems.append(error)
        if problems:
            raise problems[0]


async def _pump(voice: Voice, sentence: Sentence, channel: Channel[SpeechChunk]) -> None:
    """All of one voice's life for a sentence happens in one task: its own time-outs and task groups need that."""
    try:
        async with closing(spoken(voice, sentence)) as chunks:
            async for chunk in chunks:
                await channel.send(chunk)
    except AnchorError as error:
        channel.close(_Failed(f"failed: {error}"))
    except Exception as error:
        log.exception("voice %s has a defect", voice.info.name)
        channel.close(_Failed(f"failed: {type(error).__name__}"))
    finally:
        channel.close()


def _late(delivery: _Delivery, patience: float) -> str:
    if not delivery.audible:
        return f"gave no sound within {patience:g} s"
    return f"stalled after {delivery.received / SAMPLE_RATE:.1f} s of sound"


def _rest(text: str, delivery: _Delivery) -> str:
    """What is still to be said, as decided at the top of this module."""
    if not delivery.given:
        return text
    if delivery.spoken and text.startswith(delivery.spoken):
        return text[len(delivery.spoken) :]
    wide = sum(ord(character) > 0x2E7F for character in text)
    seconds = wide / _WIDE_RATE + (len(text) - wide) / _LATIN_RATE
    return "" if delivery.given / SAMPLE_RATE >= 0.9 * seconds else text


def _following(sentence: Sentence, rest: str) -> Sentence:
    """The end of a sentence, with the spans that are in it."""
    gone = len(sentence.text) - len(rest)
    spans = [span.shifted(-gone) for span in sentence.spans if span.end > gone or (span.start == span.end == gone)]
    return replace(sentence, text=rest, spans=tuple(replace(span, start=max(0, span.start)) for span in spans))


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
