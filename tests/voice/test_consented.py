"""The voice of a person is heard while they agree, and within a second of their word no longer."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from anchor.channel import closing
from anchor.clock import LoopClock, run_virtual
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.ports import ConsentWatch, SpeechChunk
from anchor.testing import FakeVoice, check_voice, collect
from anchor.voice.cache import CachedVoice
from anchor.voice.consented import ConsentedVoice
from anchor.voice.maker import record_consent, revoke
from anchor.voice.package import watch
from tests.voice.people import package, zipped

TEXT = "one two three four five six seven eight nine ten"


class Slowly(FakeVoice):
    """As `FakeVoice`, a word a fifth of a second."""

    async def speak(self, sentence: Sentence):  # type: ignore[no-untyped-def]
        clock = LoopClock()
        async for chunk in super().speak(sentence):
            yield chunk
            await clock.sleep_until(clock.now() + 0.2)


@pytest.fixture
def maria(tmp_path: Path) -> Path:
    return package(tmp_path / "maria", tmp_path)


async def heard(voice: ConsentedVoice, then: Callable[[int], None] = lambda number: None) -> list[SpeechChunk]:
    """What is heard of a sentence; `then` is told how many chunks there were so far."""
    chunks: list[SpeechChunk] = []
    async with closing(voice.speak(Sentence(TEXT, "en"))) as speech:
        async for chunk in speech:
            chunks.append(chunk)
            then(len(chunks))
    return chunks


def test_with_consent_a_voice_says_all_that_it_says_without(maria: Path) -> None:
    async def main() -> None:
        voice = ConsentedVoice(FakeVoice(), watch(maria))
        await check_voice(voice, "one two", "three four five", "en")
        assert (await collect(voice, TEXT, "en")).words == (await collect(FakeVoice(), TEXT, "en")).words

    asyncio.run(main())


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_revoked_voice_falls_silent_within_a_second_in_the_middle_of_a_sentence(maria: Path, form: str) -> None:
    path = maria if form == "folder" else zipped(maria)

    async def main() -> None:
        voice = ConsentedVoice(Slowly(), watch(path))
        times = list[float]()
        loop = asyncio.get_running_loop()

        def then(number: int) -> None:
            times.append(loop.time())
            if number == 4:
                revoke(path)

        with pytest.raises(VoiceError, match=r"voice 'fake' may not be heard: .*consent of 'Maria' ended"):
            await heard(voice, then)
        assert 4 <= len(times) < 7 and times[-1] - times[3] <= 0.5
        with pytest.raises(VoiceError, match="may not be heard"):
            await heard(voice)

    run_virtual(main())


def test_a_voice_falls_silent_at_midnight_of_the_last_day(maria: Path) -> None:
    record_consent(maria, until="2030-06-30")
    day = date(2030, 6, 30)

    async def main() -> None:
        nonlocal day
        voice = ConsentedVoice(Slowly(), watch(maria, lambda: day))

        def then(number: int) -> None:
            nonlocal day
            if number == 3:
                day = date(2030, 7, 1)

        with pytest.raises(VoiceError, match="2030-06-30"):
            await heard(voice, then)
        day = date(2030, 6, 30)
        assert len(await heard(voice)) == 10

    run_virtual(main())


@pytest.mark.parametrize("gone", ["manifest", "package", "record"])
def test_a_voice_whose_record_is_gone_says_nothing(maria: Path, gone: str) -> None:
    voice = ConsentedVoice(FakeVoice(), watch(maria))
    if gone == "manifest":
        (maria / "voice.toml").unlink()
    elif gone == "package":
        shutil.rmtree(maria)
    else:
        text = (maria / "voice.toml").read_text()
        (maria / "voice.toml").write_text(text.replace("[consent]", "[other]"))
    with pytest.raises(VoiceError, match="consent"):
        asyncio.run(heard(voice))
    with pytest.raises(VoiceError, match="consent"):
        asyncio.run(voice.warm(["en"]))


def test_a_sentence_from_the_cache_needs_consent_as_any_other(maria: Path, tmp_path: Path) -> None:
    async def main() -> None:
        cached = CachedVoice(FakeVoice(), tmp_path / "kept", megabytes=1)
        voice = ConsentedVoice(cached, watch(maria))
        first, second = await heard(voice), await heard(voice)
        assert (cached.hits, cached.misses) == (1, 1)
        assert all(np.array_equal(a.audio, b.audio) for a, b in zip(first, second, strict=True))
        revoke(maria)
        with pytest.raises(VoiceError, match="may not be heard"):
            await heard(voice)
        record_consent(maria, until="2100-01-01")
        assert len(await heard(voice)) == 10 and cached.hits == 2

    asyncio.run(main())


def test_nothing_is_made_of_a_voice_without_consent(maria: Path) -> None:
    inner = FakeVoice()
    revoke(maria)
    with pytest.raises(VoiceError):
        asyncio.run(heard(ConsentedVoice(inner, watch(maria))))
    assert inner.spoken == []


def test_what_is_given_out_knows_whose_consent_it_needs(maria: Path) -> None:
    watched: ConsentWatch = watch(maria)
    chunks = asyncio.run(heard(ConsentedVoice(FakeVoice(), watched)))
    assert {chunk.consent for chunk in chunks} == {watched}
    assert chunks[0].shifted(5).consent is watched


def test_a_hundred_sentences_read_the_record_once(maria: Path) -> None:
    asked = list[date]()

    def day() -> date:
        asked.append(date(2030, 1, 1))
        return asked[-1]

    async def main() -> None:
        watched = watch(maria, day)
        read = list[object]()
        before = watched._read

        def counting(folder: Path, on: date) -> object:
            read.append(on)
            return before(folder, on)

        watched._read = counting
        voice = ConsentedVoice(FakeVoice(), watched)
        for _ in range(100):
            await heard(voice)
        assert len(asked) >= 100 and len(read) == 1

    asyncio.run(main())
