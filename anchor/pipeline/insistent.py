"""A voice that says a sentence again until all of its words are heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np

from anchor.channel import closing
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.pipeline.delivery import PATIENCE, STALL, Delivery, DeliveryError, Watch, has_words
from anchor.ports import Flaws, SpeechChunk, Voice, VoiceInfo

TAKES = 3
"""How often a sentence is said at most."""
LATEST = 10.0
"""Seconds after which another take is not begun: somebody waits."""


class InsistentVoice:
    """Holds each sentence back until it is whole, and says it again where its `flaws` are told; the best take is given.

    `waits`: seconds until the first sound of a take, and for the rest of one that has begun, after which it fails.
    """

    def __init__(self, voice: Voice, *, waits: tuple[float, float] = (PATIENCE, STALL)) -> None:
        self._voice = voice
        self._patience, self._stall = waits
        self._watch = Watch()

    @property
    def info(self) -> VoiceInfo:
        return self._voice.info

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        if not has_words(sentence.text):
            return
        loop = asyncio.get_running_loop()
        begun = loop.time()
        best, flaws = await self._take(sentence)
        for _ in range(TAKES - 1):
            if flaws is None or loop.time() - begun > LATEST:
                break
            again, wrong = await self._take(sentence)
            if _same(again, best):
                break  # A voice that always says it so will not say it otherwise the next time.
            if wrong is None or wrong.cost < flaws.cost:
                best, flaws = again, wrong
        for chunk in best:
            yield chunk

    async def _take(self, sentence: Sentence) -> tuple[list[SpeechChunk], Flaws | None]:
        delivery, chunks = Delivery(), list[SpeechChunk]()
        heard = self._watch.hear(self._voice, sentence, delivery, patience=self._patience, stall=self._stall)
        try:
            async with closing(heard) as speech:
                async for chunk in speech:
                    chunks.append(chunk)
        except DeliveryError as error:
            raise error.error if isinstance(error.error, VoiceError) else VoiceError(str(error)) from None
        if chunks:
            chunks[-1] = replace(chunks[-1], flaws=delivery.flaws)
        return chunks, delivery.flaws

    async def close(self) -> None:
        await self._watch.close()
        await self._voice.close()


def _same(one: Sequence[SpeechChunk], other: Sequence[SpeechChunk]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a.audio, b.audio) for a, b in zip(one, other, strict=True))
