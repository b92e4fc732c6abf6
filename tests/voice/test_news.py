"""Real news texts, spoken."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE
from anchor.voice.espeak import EspeakVoice
from anchor.voice.sound import CEILING
from tests.voice.speech import hear, level

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("file", "language"),
    [("pud_en_first200.txt", "en"), ("gsdsimp_zh_first200.txt", "zh-CN"), ("pud_zh_first200.txt", "zh-TW")],
)
def test_the_first_forty_lines_are_spoken_whole_and_evenly(
    voice: EspeakVoice, shared: Path, file: str, language: str
) -> None:
    lines = (shared / "texts/news" / file).read_text("utf-8").splitlines()[:40]

    known = json.loads((Path(__file__).parent / "phone_inventory.json").read_text("utf-8"))
    inventory = {*known["en"], *known[language[:2]]}  # Chinese news has English words in it

    async def speak() -> None:
        for line in lines:
            audio, words, phones = await hear(voice, line, language)
            assert "".join(word.text for word in words) == line
            assert level(audio) == pytest.approx(-16, abs=3), line
            assert np.abs(audio).max() <= CEILING + 1e-6
            # Every word is heard: none shorter than a short syllable, none without a phone of its own.
            for word in words:
                assert word.end - word.start > 0.03 * SAMPLE_RATE, (line, word)
                assert any(word.start <= phone.start < word.end for phone in phones), (line, word)
            assert {phone.symbol for phone in phones} <= inventory, line
            letters = sum(letter.isalnum() for letter in line)
            seconds = len(audio) / SAMPLE_RATE
            assert (7 if language == "en" else 3) < letters / seconds < (20 if language == "en" else 7), line

    asyncio.run(speak())
