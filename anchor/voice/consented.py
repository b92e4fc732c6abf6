"""The voice of a person who agreed to it: silent as soon as their consent has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from anchor.errors import ConsentError
from anchor.events import Sentence
from anchor.ports import ConsentWatch, SpeechChunk, Voice, VoiceInfo

CHECK_SECONDS = 0.25
"""How old the answer may be by which sound is given out."""


class ConsentedVoice:
    """A voice that gives sound only while `watch` has no problem; the outermost of all that is around a voice.

    It is asked before the first sound of every sentence, and within it for all that comes later than `CHECK_SECONDS`;
    chunks carry the watch, so that what is prepared is dropped as well. `describe` changes what the voice tells of
    itself; `on_close` is called when it has been closed.
    """

    def __init__(
        self,
        voice: Voice,
        watch: ConsentWatch,
        *,
        describe: Callable[[VoiceInfo], VoiceInfo] = lambda info: info,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._voice = voice
        self._watch = watch
        self._describe = describe
        self._on_close = on_close

    @property
    def info(self) -> VoiceInfo:
        return self._describe(self._voice.info)

    async def warm(self, languages: Sequence[str]) -> None:
        await self._check()
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        loop = asyncio.get_running_loop()
        # Nothing is even made of a person's voice without their consent.
        await self._check()
        fresh_until = loop.time() + CHECK_SECONDS
        async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", self._voice.speak(sentence))) as chunks:
            async for chunk in chunks:
                if loop.time() >= fresh_until:
                    await self._check()
                    fresh_until = loop.time() + CHECK_SECONDS
                yield replace(chunk, consent=self._watch)

    async def _check(self) -> None:
        """Raise `VoiceError` without consent."""
        if problem := await asyncio.to_thread(self._watch.problem):
            raise ConsentError(f"voice {self.info.name!r} may not be heard: {problem}")

    async def close(self) -> None:
        try:
            await self._voice.close()
        finally:
            self._on_close()
