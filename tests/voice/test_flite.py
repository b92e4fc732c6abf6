"""The English voice of the library flite, with its real engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import ConfigError, MissingError, VoiceError
from anchor.events import Sentence, Span
from anchor.media import SAMPLE_RATE, Samples
from anchor.testing import check_voice, collect
from anchor.voice import flite, sound
from anchor.voice.flite import FliteVoice
from tests.voice.speech import hear
from tests.voice.test_sound import BULLETINS, measured

pytestmark = pytest.mark.skipif(not flite.library(), reason="needs the library of flite (Debian: flite)")

TEXT = "On 5 March 2025, the economy grew by 3.2%, to $1,299; isn't that good?"


def with_voice(work: Callable[[FliteVoice], Awaitable[None]], **options: object) -> None:
    async def run() -> None:
        voice = FliteVoice(**options)  # type: ignore[arg-type]
        try:
            await work(voice)
        finally:
            await voice.close()
        assert voice.pids == ()

    asyncio.run(run())


def test_it_keeps_the_promises_of_a_voice() -> None:
    with_voice(lambda voice: check_voice(voice, TEXT, "Good night.", "en"))


def test_phones_are_of_the_english_inventory_and_follow_each_other() -> None:
    inventory = json.loads((Path(__file__).parent / "phone_inventory.json").read_text("utf-8"))["en"]

    async def work(voice: FliteVoice) -> None:
        for text in BULLETINS["en"].split("\n"):
            _, words, phones = await hear(voice, text, "en")
            assert {phone.symbol for phone in phones} <= set(inventory)
            for one, after in pairwise(phones):
                assert one.start < one.end <= after.start
            assert phones[0].start >= words[0].start == round(flite.LEAD_SECONDS * SAMPLE_RATE)

    with_voice(work)


def test_a_word_is_where_it_sounds() -> None:
    """Between two words parted by a comma there is silence, and it lies between their places."""

    async def work(voice: FliteVoice) -> None:
        audio, words, _ = await hear(voice, "Papa, baby.", "en")
        assert [word.text for word in words] == ["Papa, ", "baby."]
        between = audio[words[0].end + 960 : words[1].start - 960]
        assert len(between) > SAMPLE_RATE // 20
        assert np.sqrt(np.mean(between**2)) < 0.02 * np.sqrt(np.mean(audio**2))

    with_voice(work)


@pytest.mark.parametrize("speaker", ["slt", "rms", "awb"])
def test_every_speaker_is_as_loud_as_the_other_voices(speaker: str) -> None:
    async def work(voice: FliteVoice) -> None:
        pause = np.zeros(SAMPLE_RATE * 35 // 100, np.float32)
        parts: list[Samples] = []
        for text in BULLETINS["en"].replace("\n", " ").split(". "):
            parts += ((await hear(voice, text, "en"))[0], pause)
        loudness, peak = measured(np.concatenate(parts))
        assert loudness == pytest.approx(sound.LOUDNESS, abs=1.0)
        assert peak <= -1.5

    with_voice(work, speaker=speaker)


def test_numbers_are_read_by_our_own_reader() -> None:
    async def work(voice: FliteVoice) -> None:
        figures, _, told = await hear(voice, "$1,299", "en")
        _, _, said = await hear(voice, "one thousand two hundred and ninety-nine dollars", "en")
        symbols = [[phone.symbol for phone in phones if phone.symbol != "ə"] for phones in (told, said)]
        assert len(figures) > SAMPLE_RATE
        assert "".join(symbols[0])[-20:] == "".join(symbols[1])[-20:]

    with_voice(work)


def test_moods_and_marks_change_speed_and_loudness() -> None:
    async def work(voice: FliteVoice) -> None:
        plain = await voice_of(voice, Sentence("Good evening and welcome.", "en"))
        for mood in voice.info.moods:
            told = await voice_of(voice, Sentence("Good evening and welcome.", "en", mood=mood))
            assert len(told) != len(plain), mood
        slow = Span(5, 12, "prosody", rate=0.5)
        assert len(await voice_of(voice, Sentence("Good evening and welcome.", "en", spans=(slow,)))) > 1.15 * len(
            plain
        )

    with_voice(work)


async def voice_of(voice: FliteVoice, sentence: Sentence) -> Samples:
    return np.concatenate([chunk.audio async for chunk in voice.speak(sentence)])


def test_rate_makes_a_sentence_that_much_shorter() -> None:
    lengths = []

    async def work(voice: FliteVoice) -> None:
        lengths.append(len((await collect(voice, TEXT, "en")).audio))

    with_voice(work)
    with_voice(work, rate=1.5)
    assert lengths[0] / lengths[1] == pytest.approx(1.5, rel=0.05)


@pytest.mark.parametrize("text", ["", ".", "😀", " \n"])
def test_text_with_nothing_to_say_yields_nothing(text: str) -> None:
    async def work(voice: FliteVoice) -> None:
        assert len((await collect(voice, text, "en")).audio) == 0

    with_voice(work)


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [("Bonjour.", "fr", "speaks en, not 'fr'"), ("He said 你好 to me.", "en", "cannot say '你好' .zh.")],
)
def test_what_it_cannot_speak_is_refused_by_name(text: str, language: str, told: str) -> None:
    async def work(voice: FliteVoice) -> None:
        with pytest.raises(VoiceError, match=told):
            await collect(voice, text, language)

    with_voice(work)


@pytest.mark.parametrize("options", [{"speaker": "tom"}, {"rate": 3.0}, {"pitch": 0.1}, {"workers": 0}])
def test_an_option_that_cannot_be_is_refused_by_its_key(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"voice.options.{next(iter(options))}"):
        FliteVoice(**options)  # type: ignore[arg-type]


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flite, "library", lambda: "")
    with pytest.raises(MissingError, match="apt install flite"):
        FliteVoice()
