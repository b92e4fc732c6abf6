"""Segments that a person has recorded: said in their own sound, with the words and lips that are found in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from anchor.broadcast.script import Recorded, Segment
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.pipeline.aligned import AlignedVoice
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.voice.reading import Place, Reading, Spotter, chunks_of, words_of
from anchor.voice.recorded import open_spotter
from anchor.voice.recording import read_recording

log = logging.getLogger(__name__)

_KEPT = 2


class ReadingVoice:
    """Says the sentences of one stretch of a recording, one after another, with the pauses that are in it."""

    def __init__(self, reading: Reading, place: Place, spotter: Spotter) -> None:
        self._reading, self._place, self._spotter = reading, place, spotter
        self._next = place.first

    @property
    def info(self) -> VoiceInfo:
        return VoiceInfo("recording", "recording", (self._reading.language,), "the speaker's", phone_timings=False)

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        wanted = words_of(sentence.text, self._reading.language)
        if not wanted:
            return
        found = self._reading.find(wanted, after=self._next)
        if found is None or found.last > self._place.last:
            raise VoiceError(f"{self._reading.path}: {sentence.text[:80]!r} is not in it")
        self._next = found.last
        async for chunk in chunks_of(await self._reading.sound(found, self._spotter)):
            yield chunk

    async def close(self) -> None:
        pass


class Recordings:
    """The recordings of a show; the last few are held in memory."""

    def __init__(self) -> None:
        self._readings: dict[Recorded, Reading] = {}
        self._spotter: Spotter | None = None

    @staticmethod
    def check(segment: Segment) -> None:
        """Decode what is recorded for a segment. Blocks. Raises `VoiceError` with the segment's line and the file."""
        if segment.recording is not None:
            try:
                read_recording(segment.recording.path)
            except VoiceError as error:
                raise VoiceError(f"line {segment.line}: recording: {error}") from error

    async def voice(self, segment: Segment) -> Voice | None:
        """Who says a segment that is recorded, for one utterance; the lips follow what is heard.

        Raises `VoiceError` for a file that cannot be used.
        """
        recorded = segment.recording
        if recorded is None:
            return None
        reading = self._readings.pop(recorded, None) or Reading(recorded.path, recorded.text, segment.language)
        self._readings[recorded] = reading
        for old in list(self._readings)[:-_KEPT]:
            del self._readings[old]
        if self._spotter is None:
            self._spotter = await asyncio.to_thread(open_spotter)
        place = reading.find(words_of(segment.text, segment.language)) or reading.whole
        try:
            if not await reading.fits(self._spotter):
                log.warning(
                    "line %d: recording: %s does not say its text, as far as can be told", segment.line, recorded.path
                )
        except VoiceError as error:
            raise VoiceError(f"line {segment.line}: recording: {error}") from error
        voice = ReadingVoice(reading, place, self._spotter)
        return AlignedVoice(voice, self._spotter.reader, self._spotter.aligner)

    async def close(self) -> None:
        spotter, self._spotter = self._spotter, None
        if spotter is not None:
            await spotter.close()


def as_recorded(sentence: Sentence) -> Sentence:
    """A sentence of a recording: its pauses and its manner are in the sound."""
    return replace(sentence, pause=0.0, spans=tuple(span for span in sentence.spans if span.kind == "mark"))
