"""Lips under the built-in voice, in every language it speaks."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk
from anchor.testing import check_driver, collect
from anchor.voice.espeak import EspeakVoice
from drivers.phones import PhoneDriver
from drivers.visemes import visemes_of
from tests.drivers.speech import aperture, cut, drive

FPS = 25
TEXTS = {
    "en": "Papa bought a big map of Bohemia, and my brother brought five bumpy pumpkins.",
    "zh": "爸爸妈妈买面包，不怕麻烦，明天北部平原有暴风雨。",
    "ja": "ぼくのママはパンと豆腐を買いました。",
    "es": "Mi mamá me mima y compra pan bueno para el bebé.",
    "fr": "Papa emporte un bon pain blanc pour maman.",
    "de": "Meine Mutter bringt bald fünf Pfund Pflaumen mit.",
    "ko": "엄마는 빨리 밥을 먹고 바나나를 팝니다.",
}


async def _speak(texts: dict[str, str]) -> dict[str, SpeechChunk]:
    voice = EspeakVoice()
    try:
        return {tag: await collect(voice, text, tag) for tag, text in texts.items()}
    finally:
        await voice.close()


@pytest.fixture(scope="module")
def spoken() -> dict[str, SpeechChunk]:
    return asyncio.run(_speak(TEXTS))


@pytest.mark.parametrize("tag", TEXTS)
def test_lips_close_at_every_bilabial_of_the_language(spoken: dict[str, SpeechChunk], tag: str) -> None:
    speech = spoken[tag]
    gap = aperture(drive(speech, fps=FPS))
    middles = (np.arange(gap.size) + 0.5) / FPS
    bilabials = [phone for phone in speech.phones if visemes_of(phone.symbol)[0][0] == "PP"]
    assert len(bilabials) >= 5
    for phone in bilabials:
        near = (middles > phone.start / SAMPLE_RATE - 0.02) & (middles < phone.end / SAMPLE_RATE + 0.02)
        assert gap[near].min() < 0.1 * gap.max(), (phone.symbol, phone.start / SAMPLE_RATE)


@pytest.mark.parametrize("tag", TEXTS)
def test_the_mouth_moves_in_every_language(spoken: dict[str, SpeechChunk], tag: str) -> None:
    gap = aperture(drive(spoken[tag], fps=FPS))
    assert gap.max() > 0.35 and 0.1 < gap.mean() < 0.4
    changes = np.abs(np.diff(gap))
    assert (changes > 0.02).mean() > 0.5


@pytest.mark.parametrize("tag", ["en", "zh"])
def test_the_driver_keeps_its_promises_under_the_real_voice(spoken: dict[str, SpeechChunk], tag: str) -> None:
    speech = spoken[tag]
    asyncio.run(check_driver(PhoneDriver(), cut(speech, list(range(3_000, len(speech.audio), 3_000))), FPS))


def test_nobody_speaks_without_moving_head_or_brows(spoken: dict[str, SpeechChunk]) -> None:
    for tag, speech in spoken.items():
        faces = drive(speech, fps=FPS)
        lively = max(abs(face.head.pitch) for face in faces) > 0.01 or max(face["browInnerUp"] for face in faces) > 0.05
        assert lively, tag
