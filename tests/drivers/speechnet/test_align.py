"""The text of a sound is found in it: words and phones where they are said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.pipeline.aligned import AlignedVoice
from anchor.ports import SpeechChunk, Voice, VoiceInfo
from anchor.testing import check_voice, collect
from anchor.voice.espeak import EspeakVoice
from anchor.voice.spelling import spell
from drivers.speechnet.align import SpeechAligner

TEXTS = {
    "en": "Good evening. Papa bought a big map of Bohemia for 25 dollars.",
    "zh": "爸爸妈妈买面包，明天北部平原有暴风雨。",
    "es": "Mi mamá compra pan bueno para el bebé.",
}


class Mute:
    """The built-in voice, its timings left out, in chunks of 40 ms."""

    def __init__(self, voice: Voice, says: dict[str, str] | None = None) -> None:
        self._voice = voice
        self._says = says or {}
        self.info = VoiceInfo("mute", "none", voice.info.languages, "Apache-2.0", phone_timings=False)

    async def warm(self, languages: Sequence[str]) -> None:
        await self._voice.warm(languages)

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        said = replace(sentence, text=self._says.get(sentence.text, sentence.text))
        async for chunk in self._voice.speak(said):
            for at in range(0, len(chunk.audio), 1920):
                yield SpeechChunk(chunk.audio[at : at + 1920])

    async def close(self) -> None:
        await self._voice.close()


def _run(language: str, says: dict[str, str] | None = None) -> tuple[SpeechChunk, SpeechChunk, list[SpeechChunk]]:
    async def run() -> tuple[SpeechChunk, SpeechChunk, list[SpeechChunk]]:
        voice = EspeakVoice()
        aligned = AlignedVoice(Mute(voice, says), voice, SpeechAligner())
        try:
            text = TEXTS[language]
            truth = await collect(voice, text, language)
            chunks = [chunk async for chunk in aligned.speak(Sentence(text, language))]
            return truth, await collect(aligned, text, language), chunks
        finally:
            await aligned.close()

    return asyncio.run(run())


@pytest.mark.parametrize("language", TEXTS)
def test_words_and_phones_are_found_where_they_are_said(language: str) -> None:
    truth, found, _ = _run(language)
    assert [word.text for word in found.words] == [word.text for word in truth.words]
    assert [phone.symbol for phone in found.phones] == [phone.symbol for phone in truth.phones]
    away = np.array([a.start - b.start for a, b in zip(found.phones, truth.phones, strict=True)]) / SAMPLE_RATE
    assert np.median(np.abs(away)) < 0.02
    assert np.percentile(np.abs(away), 90) < 0.06
    np.testing.assert_allclose(len(found.audio), len(truth.audio), rtol=0.05)


def test_sound_goes_on_before_the_sentence_is_over() -> None:
    _, _, chunks = _run("en")
    assert len(chunks) > 3 and len(chunks[0].audio) < 2 * SAMPLE_RATE
    assert all(chunk.source == "aligned" for chunk in chunks)


def test_another_text_than_is_said_gives_no_timings() -> None:
    wrong = "Nobody expected such strange weather in the southern islands this spring."
    _, found, _ = _run("en", {TEXTS["en"]: wrong})
    assert not found.phones
    assert len(found.audio) > SAMPLE_RATE


def test_an_aligned_voice_keeps_the_promises_of_voices() -> None:
    async def run() -> None:
        voice = EspeakVoice()
        aligned = AlignedVoice(Mute(voice), voice, SpeechAligner())
        try:
            await check_voice(aligned, TEXTS["en"], "Another sentence altogether.", "en")
        finally:
            await aligned.close()

    asyncio.run(run())


def test_spelling_keeps_all_phones_of_the_reader() -> None:
    async def run() -> None:
        voice = EspeakVoice()
        try:
            truth = await collect(voice, TEXTS["en"], "en")
            words = await spell(voice, Sentence(TEXTS["en"], "en"))
        finally:
            await voice.close()
        assert "".join(word.text for word in words) == TEXTS["en"]
        assert [symbol for word in words for symbol, _ in word.phones] == [phone.symbol for phone in truth.phones]

    asyncio.run(run())
