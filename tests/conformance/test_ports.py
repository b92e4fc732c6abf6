"""Every back-end, and every fake, keeps the promises of its port."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from anchor import parts
from anchor.config import VoiceConfig
from anchor.media import ARKIT_INDEX, Blendshapes, HeadPose, VideoFormat
from anchor.ports import Avatar, Driver, SpeechChunk, Voice
from anchor.testing import FakeAvatar, FakeDriver, FakeVoice, check_avatar, check_driver, check_painter, check_voice
from anchor.voice.cache import CachedVoice
from avatars.maker import consent_of, make_avatar
from tests.avatars import clips
from tests.drivers.image import nets

SENTENCES = {
    "en": ("The price is $1,299 today.", "Papa bought a map."),
    "zh-CN": ("价格是1,299元。", "爸爸买了地图。"),
    "ja": ("今日は天気がいいですね。", "東京の地図を買いました。"),
    "es": ("Buenas noches, España.", "Hoy hace buen tiempo."),
    "fr": ("Bonsoir à tous.", "Il fait beau aujourd'hui."),
    "de": ("Guten Abend zusammen.", "Heute ist schönes Wetter."),
    "ko": ("안녕하세요.", "오늘은 날씨가 좋습니다."),
}


@pytest.mark.parametrize("language", SENTENCES)
def test_the_embedded_voice_keeps_its_promises(language: str) -> None:
    async def main() -> None:
        voice: Voice = parts.open_voice(VoiceConfig())
        try:
            await check_voice(voice, *SENTENCES[language], language)
        finally:
            await voice.close()

    asyncio.run(main())


def test_the_embedded_voice_keeps_them_when_its_sentences_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        voice = CachedVoice(parts.open_voice(VoiceConfig()), tmp_path, megabytes=20)
        try:
            for _ in range(2):
                await check_voice(voice, *SENTENCES["zh-CN"], "zh-CN")
            assert voice.hits
        finally:
            await voice.close()

    asyncio.run(main())


def test_the_fake_voice_keeps_its_promises() -> None:
    asyncio.run(check_voice(FakeVoice(), "one two three", "four five", "en"))


async def speech_of(voice: Voice, text: str, language: str) -> list[SpeechChunk]:
    from anchor.events import Sentence

    chunks = [chunk async for chunk in voice.speak(Sentence(text, language))]
    await voice.close()
    return chunks


@pytest.mark.parametrize("driver", [FakeDriver(), parts.open_driver("phones")], ids=["fake", "phones"])
@pytest.mark.parametrize("fps", [25, 30])
def test_drivers_keep_their_promises(driver: Driver, fps: int) -> None:
    chunks = asyncio.run(speech_of(FakeVoice(), "one two three four", "en"))
    asyncio.run(check_driver(driver, chunks, fps))


@pytest.mark.parametrize("make", [nets.wav2lip, nets.audio2face, nets.lam])
@pytest.mark.parametrize("fps", [25, 30])
def test_drivers_of_files_keep_the_promises_of_drivers(make: Callable[[Path], Path], fps: int, tmp_path: Path) -> None:
    driver = parts.open_driver(make(tmp_path / "net.onnx"))
    chunks = asyncio.run(speech_of(FakeVoice(), "one two three four", "en"))
    asyncio.run(check_driver(driver, chunks, fps))


@pytest.mark.parametrize("make", [nets.wav2lip, nets.musetalk])
def test_painters_keep_their_promises(make: Callable[[Path], Path], clip_package: Path, tmp_path: Path) -> None:
    driver, avatar = parts.open_driver(make(tmp_path / "net.onnx")), parts.open_avatar(str(clip_package))
    chunks = asyncio.run(speech_of(FakeVoice(), "one two three four", "en"))
    asyncio.run(check_painter(driver, avatar, chunks))


def faces() -> list[Blendshapes]:
    random = np.random.default_rng(3)
    found = [Blendshapes()]
    for _ in range(12):
        weights = np.zeros(len(ARKIT_INDEX), np.float32)
        weights[random.integers(0, len(weights), 6)] = random.random(6)
        head = HeadPose(*(random.random(5) - 0.5) * 0.1)
        found.append(Blendshapes(weights, head, (0.1, -0.05), float(random.random())))
    return found


@pytest.mark.parametrize("avatar", [FakeAvatar(), parts.open_avatar("lin")], ids=["fake", "lin"])
def test_avatars_keep_their_promises(avatar: Avatar) -> None:
    check_avatar(avatar, VideoFormat(320, 180, 25), faces())


def test_filmed_avatars_keep_their_promises(tmp_path: Path) -> None:
    clips.write(tmp_path / "lin.mp4", clips.filmed(clips.listening, clips.wall()))
    make_avatar(tmp_path / "lin.mp4", tmp_path / "made", consent=consent_of("somebody", "tests", "unlimited"))
    check_avatar(parts.open_avatar(str(tmp_path / "made")), VideoFormat(320, 180, 25), faces())
