"""The Japanese voice of the extra ``ja``, with its real engine."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from anchor.errors import MissingError, VoiceError
from anchor.media import SAMPLE_RATE
from anchor.voice import openjtalk, sound
from anchor.voice.espeak import EspeakVoice, voices
from anchor.voice.openjtalk import OpenJtalkVoice
from tests.voice.speech import chunks_of, hear
from tests.voice.test_sound import BULLETINS, measured

installed = pytest.mark.skipif(not openjtalk.available(), reason="needs the extra ja (pyopenjtalk-plus)")

TEXTS = [
    "日本銀行は3月5日、金利を0.5%引き上げました。",
    "GDPは3,215.6億円、14:30に😀「東京」で。",
    "ラッパー、あっ！三百六十五日",
    "AIとWebRTCの時代、2025-10-20です。",
    "  きゃりーぱみゅぱみゅ  ",
    "\u200bはい",
]


@pytest.mark.skipif(openjtalk.available(), reason="the extra ja is installed")
def test_without_the_extra_the_error_says_how_to_get_it() -> None:
    with pytest.raises(MissingError, match=r"pip install -e '\.\[ja\]'"):
        OpenJtalkVoice()
    assert [info.name for info in voices()] == ["espeak"]


@installed
def test_words_join_to_the_text_and_phones_follow_each_other() -> None:
    inventory = json.loads((Path(__file__).parent / "phone_inventory.json").read_text("utf-8"))["ja"]

    async def speak() -> None:
        voice = OpenJtalkVoice()
        for text in TEXTS:
            audio, words, phones = await hear(voice, text, "ja")
            assert "".join(word.text for word in words) == text
            for one, after in pairwise(phones):
                assert one.start < one.end <= after.start
            places = [place for word in words for place in (word.start, word.end)]
            assert places == sorted(places)
            assert max(places[-1], phones[-1].end) <= len(audio)
            assert {phone.symbol for phone in phones} <= set(inventory)
            assert audio.dtype == np.float32
            assert abs(audio[0]) < 1e-3
            assert abs(audio[-1]) < 1e-3
        await voice.close()

    asyncio.run(speak())


@installed
def test_a_number_is_one_word_over_all_that_is_said_for_it() -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        _, words, _ = await hear(voice, "価格は3,215.6円です。", "ja")
        assert [word.text for word in words][:3] == ["価格", "は", "3,215.6"]
        assert words[2].end - words[2].start > SAMPLE_RATE
        await voice.close()

    asyncio.run(speak())


@installed
def test_a_lip_closure_is_a_dip_in_the_sound() -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        audio, _, phones = await hear(voice, "パパとママがピンポンをした。", "ja")
        loud = np.sqrt(np.mean(audio**2))
        inner = [phone for phone in phones if phone.symbol == "p" and phone.start > SAMPLE_RATE // 10]
        assert len(inner) >= 2
        for phone in inner:
            half = audio[phone.start : (phone.start + phone.end) // 2]
            assert np.sqrt(np.min(np.convolve(half**2, np.full(240, 1 / 240), "valid"))) < 0.2 * loud
        await voice.close()

    asyncio.run(speak())


@installed
def test_a_sentence_streams_from_pause_to_pause() -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        chunks = await chunks_of(voice, "日本銀行は、金利を、引き上げました。", "ja")
        assert len(chunks) == 3
        heard = 0
        for chunk in chunks:
            assert all(word.start >= heard - SAMPLE_RATE // 100 for word in chunk.words)
            heard += len(chunk.audio)
            assert all(phone.end <= heard for phone in chunk.phones)
        await voice.close()

    asyncio.run(speak())


@installed
def test_it_is_as_loud_as_the_other_voices() -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        audio = [(await hear(voice, text, "ja"))[0] for text in BULLETINS["ja"].split("\n")]
        loudness, peak = measured(np.concatenate(audio))
        assert loudness == pytest.approx(sound.LOUDNESS, abs=1.0)
        assert peak <= -1.5
        await voice.close()

    asyncio.run(speak())


@installed
def test_the_built_in_voice_leaves_japanese_to_it_and_lists_it() -> None:
    async def speak() -> None:
        voice, own = EspeakVoice(workers=1), OpenJtalkVoice()
        audio, words, phones = await hear(voice, "こんにちは。", "ja-JP")
        again, _, _ = await hear(own, "こんにちは。", "ja")
        assert len(audio) == len(again)
        assert "".join(word.text for word in words) == "こんにちは。"
        assert phones
        await voice.close()
        await own.close()

    asyncio.run(speak())
    assert [info.name for info in voices()] == ["espeak", "openjtalk"]


@installed
@pytest.mark.parametrize("text", ["", "。", "😀", " \n"])
def test_text_with_nothing_to_say_yields_nothing(text: str) -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        assert await chunks_of(voice, text, "ja") == []
        await voice.close()

    asyncio.run(speak())


@installed
def test_other_languages_are_refused() -> None:
    async def speak() -> None:
        voice = OpenJtalkVoice()
        with pytest.raises(VoiceError, match="speaks ja, not 'en'"):
            await chunks_of(voice, "Hello", "en")
        await voice.close()

    asyncio.run(speak())
