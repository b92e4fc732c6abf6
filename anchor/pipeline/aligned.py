"""Words and phones for a voice that gives only sound: spelled by a voice that knows them, found in the sound."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

from anchor.channel import closing
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.ports import Aligner, SpeechChunk, SpelledWord, Voice, VoiceInfo
from anchor.tags import among
from anchor.voice.spelling import spell

log = logging.getLogger(__name__)


class AlignedVoice:
    """A voice without timings, made one that has them. Its sound is held back until they are settled (0.7 s).

    With `checked` the last chunk of a sentence tells its `flaws`: words that were swallowed, said twice or made up.
    """

    def __init__(self, voice: Voice, reader: Voice, aligner: Aligner, *, checked: bool = False) -> None:
        self._voice = voice
        self._reader = reader
        self._aligner = aligner
        self._checked = checked

    @property
    def info(self) -> VoiceInfo:
        return self._voice.info

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)
        await self._reader.warm([language for language in languages if self._reads(language)])
        self._aligner.warm()

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        async with closing(self._timed(sentence)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _timed(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        words = await self._spelled(sentence)
        if not any(word.phones for word in words):
            async with closing(self._voice.speak(sentence)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        async with closing(self._aligner.align(self._voice.speak(sentence), words, checked=self._checked)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _spelled(self, sentence: Sentence) -> list[SpelledWord]:
        if not self._reads(sentence.language):
            return []
        try:
            return await spell(self._reader, sentence)
        except VoiceError as error:
            log.warning("cannot spell %r, lips follow the sound alone: %s", sentence.text, error)
            return []

    def _reads(self, language: str) -> bool:
        return among(language, self._reader.info.languages)

    async def close(self) -> None:
        await self._voice.close()
        await self._reader.close()
