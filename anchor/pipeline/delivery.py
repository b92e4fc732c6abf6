"""One voice's go at a sentence, watched: how long it may be silent, and what of its sound may go on.

The sound of a word is held back until all of it is there, so that nobody hears half a word when a voice breaks off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np

from anchor.channel import Channel, ChannelClosedError, closing
from anchor.errors import AnchorError
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Flaws, SpeechChunk, Voice
from anchor.voice.sounding import expected_seconds
from anchor.voice.spoken import spoken

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds until the first sound."""
STALL = 1.0
"""Seconds that a listener may wait for the rest of a sentence after what there is of it has been played."""
CLOSING = 0.2
"""Seconds that a voice gets to stop when it is told to."""

_AHEAD = 4.0
"""Seconds of sound that a voice may be ahead of whoever listens."""
_INAUDIBLE = 1e-4


class DeliveryError(Exception):
    """Why a voice did not finish, in words, and the error where there was one."""

    def __init__(self, text: str, error: Exception | None = None) -> None:
        super().__init__(text)
        self.error = error


@dataclass(slots=True)
class Delivery:
    """What one voice gave of a sentence, and what of it may go on: whole words only. Times are samples."""

    received: int = 0
    given: int = 0
    audible: bool = False
    spoken: str = ""
    flaws: Flaws | None = None
    _sound: list[Samples] = field(default_factory=list)
    _words: list[Word] = field(default_factory=list)
    _phones: list[Phone] = field(default_factory=list)
    _source: SpeechChunk | None = None

    def take(self, chunk: SpeechChunk) -> SpeechChunk | None:
        """Take a chunk in; what can be passed on now. Silence before the first sound waits for it."""
        if not np.isfinite(chunk.audio).all():
            raise DeliveryError("gave sound that is no sound")
        self._sound.append(chunk.audio)
        self._words += chunk.words
        self._phones += chunk.phones
        self._source = replace(chunk, flaws=None)
        self.flaws = chunk.flaws or self.flaws
        self.received += len(chunk.audio)
        self.audible = self.audible or bool(len(chunk.audio) and np.abs(chunk.audio).max() > _INAUDIBLE)
        if not self.audible:
            return None
        begun = next((word.start for word in self._words if word.end > self.received), self.received)
        return self._pass(max(self.given, min(begun, self.received)))

    def rest(self) -> SpeechChunk | None:
        """Everything that is left, when the voice has ended."""
        return self._pass(self.received, whole=True)

    def left_of(self, text: str) -> str:
        """What is still to be said of a text whose voice has broken off.

        Where it told no words, it is not known how far it came: everything, unless nearly all must have been said.
        """
        if not self.given:
            return text
        if self.spoken and text.startswith(self.spoken):
            return text[len(self.spoken) :]
        return "" if self.given / SAMPLE_RATE >= 0.9 * expected_seconds(text) else text

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


class Watch:
    """Listens to voices, and leaves those that are late to themselves."""

    def __init__(self) -> None:
        self._ending = set[asyncio.Task[None]]()

    async def hear(
        self,
        voice: Voice,
        sentence: Sentence,
        delivery: Delivery,
        *,
        patience: float = PATIENCE,
        stall: float = STALL,
    ) -> AsyncIterator[SpeechChunk]:
        """One voice's go at a sentence. Raises `DeliveryError`."""
        loop = asyncio.get_running_loop()
        channel: Channel[SpeechChunk] = Channel(_AHEAD, lambda chunk: len(chunk.audio) / SAMPLE_RATE)
        # No task group: one that hangs and will not be cancelled must not hold up whoever wants to hear the next voice.
        task = loop.create_task(_pump(voice, sentence, channel))
        due = loop.time() + patience
        try:
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        chunk = await channel.receive()
                except TimeoutError:
                    raise DeliveryError(_late(delivery, patience)) from None
                except ChannelClosedError:
                    break
                silent = not delivery.audible
                ready = delivery.take(chunk)
                if silent and delivery.audible:
                    due = loop.time() + stall
                if ready is not None:
                    # What has been given is heard until `due` less the stall; the listener's own time is not counted.
                    due += len(ready.audio) / SAMPLE_RATE
                    passed = loop.time()
                    yield ready
                    due += max(0.0, loop.time() - max(due - stall, passed))
            if not delivery.audible:
                raise DeliveryError("ended without a sound")
            if (last := delivery.rest()) is not None:
                yield last
            if delivery.spoken and has_words(delivery.left_of(sentence.text)):
                raise DeliveryError("ended before the sentence did")
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

    async def close(self) -> None:
        if self._ending:
            await asyncio.wait(self._ending, timeout=CLOSING)


async def _pump(voice: Voice, sentence: Sentence, channel: Channel[SpeechChunk]) -> None:
    """All of one voice's life for a sentence happens in one task: its own time-outs and task groups need that."""
    try:
        async with closing(spoken(voice, sentence)) as chunks:
            async for chunk in chunks:
                await channel.send(chunk)
    except AnchorError as error:
        channel.close(DeliveryError(f"failed: {error}", error))
    except Exception as error:
        log.exception("voice %s has a defect", voice.info.name)
        channel.close(DeliveryError(f"failed: {type(error).__name__}", error))
    finally:
        channel.close()


def _late(delivery: Delivery, patience: float) -> str:
    if not delivery.audible:
        return f"gave no sound within {patience:g} s"
    return f"stalled after {delivery.received / SAMPLE_RATE:.1f} s of sound"


def has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
