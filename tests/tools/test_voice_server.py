"""The voice server as users start it: a process, heard by the official client and by both of our voices."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import openai
import pytest

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.errors import VoiceError
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.testing import check_voice, collect
from anchor.voice.espeak import EspeakVoice
from anchor.voice.openai_speech import OpenAiVoice
from anchor.voice.websocket_voice import WebSocketVoice

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Good evening, the price is $1,299 today."
KEY = "a-key-that-nobody-guesses"


@contextmanager
def process(*arguments: str, key: str = "") -> Iterator[str]:
    """A program whose first line is what it serves at."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "VOICE_SERVER_KEY": key},
    ) as program:  # fmt: skip
        try:
            assert program.stdout is not None
            yield program.stdout.readline().strip()
        finally:
            program.terminate()
            program.wait(20)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with process("-m", "tools.voice_server", "--voice", "espeak", "--port", "0", key=KEY) as address:
        yield address


def test_both_voices_keep_their_promises_and_the_one_over_websocket_times_what_it_says(address: str) -> None:
    async def main() -> None:
        voice = WebSocketVoice(url=address.replace("http", "ws") + "/v1/speech", api_key=KEY, phones=True)
        own = EspeakVoice()
        try:
            await check_voice(voice, TEXT, "Papa bought a map.", "en")
            there, here = await collect(voice, TEXT, "en"), await collect(own, TEXT, "en")
            assert [word.text for word in there.words] == [word.text for word in here.words]
            assert [phone.symbol for phone in there.phones] == [phone.symbol for phone in here.phones]
            for one, other in zip(there.phones, here.phones, strict=True):
                assert abs(one.start - other.start) <= 1
            length = min(len(there.audio), len(here.audio))
            alike = np.corrcoef(there.audio[:length], here.audio[:length])[0, 1]
            assert alike > 0.99, "it is the same sound"
        finally:
            await voice.close()
            await own.close()

    asyncio.run(main())


def test_the_voice_over_http_says_the_same(address: str) -> None:
    async def main() -> None:
        own = EspeakVoice()
        for format in ("pcm", "wav"):
            voice = OpenAiVoice(base_url=f"{address}/v1", api_key=KEY, model="espeak", format=format)
            try:
                await voice.warm(["en"])
                there, here = await collect(voice, TEXT, "en"), await collect(own, TEXT, "en")
                assert len(there.audio) == pytest.approx(len(here.audio), rel=0.02)
                chinese = await collect(voice, "今天天气很好。", "zh-CN")
                assert len(chinese.audio) / SAMPLE_RATE == pytest.approx(1.8, abs=0.8), "told by its script"
            finally:
                await voice.close()
        await own.close()

    asyncio.run(main())


def test_the_official_client_is_served(address: str) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY) as client:
            async with client.audio.speech.with_streaming_response.create(
                model="espeak", voice="any", input=f"{TEXT} And this is all.", response_format="pcm", speed=1.5
            ) as response:
                sound = b"".join([data async for data in response.iter_bytes()])
            assert 2.5 < len(sound) / 48_000 < 5.5
            assert [model.id async for model in client.models.list()] == ["espeak"]
            with pytest.raises(openai.BadRequestError, match="pcm or wav"):
                await client.audio.speech.create(model="espeak", voice="any", input=TEXT, response_format="mp3")
            with pytest.raises(openai.BadRequestError, match="nothing to say"):
                await client.audio.speech.create(model="espeak", voice="any", input="...", response_format="pcm")

    asyncio.run(main())


def test_who_has_no_key_is_refused(address: str) -> None:
    async def main() -> None:
        for voice in (
            OpenAiVoice(base_url=f"{address}/v1", api_key="another"),
            WebSocketVoice(url=address.replace("http", "ws") + "/v1/speech"),
        ):
            try:
                with pytest.raises(VoiceError, match=r"key; check voice.options.api_key \(status 40[13]"):
                    await voice.warm(["en"])
            finally:
                await voice.close()

    asyncio.run(main())


def test_a_language_that_the_served_voice_does_not_speak_is_an_error_in_its_own_words(address: str) -> None:
    async def main() -> None:
        voice = WebSocketVoice(url=address.replace("http", "ws") + "/v1/speech", api_key=KEY, languages=["fi", "en"])
        try:
            with pytest.raises(VoiceError, match="'fi'"):
                await collect(voice, "Hyvää iltaa.", "fi")
            assert (await collect(voice, "Good evening.", "en")).audio.any(), "and the connection goes on"
        finally:
            await voice.close()

    asyncio.run(main())


def test_cutting_off_is_heard_at_once_and_the_next_sentence_is_whole(address: str) -> None:
    async def main() -> None:
        voice = WebSocketVoice(url=address.replace("http", "ws") + "/v1/speech", api_key=KEY, phones=True)
        try:
            whole = await collect(voice, TEXT, "en")
            for _ in range(10):
                async with closing(voice.speak(Sentence(TEXT * 5, "en"))) as chunks:
                    await anext(chunks)
                    begun = LoopClock().now()
                assert LoopClock().now() - begun < 0.04
            again = await collect(voice, TEXT, "en")
            assert (len(again.audio), again.words) == (len(whole.audio), whole.words)
        finally:
            await voice.close()

    asyncio.run(main())


def test_it_does_not_serve_others_without_a_key() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tools.voice_server", "--host", "0.0.0.0", "--port", "0"],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "VOICE_SERVER_KEY": ""}, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert "can be reached from other machines" in answer.stderr


MODEL = """
import numpy as np

class Samples(np.ndarray):
    def numpy(self):
        return np.asarray(self)

class model:
    @staticmethod
    def inference_sft(text, voice, stream, speed):
        if text == "Fail.":
            raise MemoryError("out of memory")
        for start in range(0, 24000, 2400):
            wave = 0.2 * np.sin(2 * np.pi * 220 * (start + np.arange(2400)) / 24000)
            yield {"tts_speech": wave[np.newaxis].view(Samples)}
"""


def test_the_server_in_the_protocols_description_works(tmp_path: Path) -> None:
    text = (ROOT / "anchor/voice/PROTOCOL.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    program = tmp_path / "server.py"
    program.write_text(MODEL + code, "utf-8")

    async def main(port: str) -> None:
        voice = WebSocketVoice(url=f"ws://127.0.0.1:{port}")
        try:
            for _ in range(3):
                async with closing(voice.speak(Sentence("Good evening.", "en"))) as chunks:
                    await anext(chunks)
                assert len((await collect(voice, "Good evening.", "en")).audio) == pytest.approx(48_000, abs=2)
                with pytest.raises(VoiceError, match="failed: out of memory"):
                    await collect(voice, "Fail.", "en")
        finally:
            await voice.close()

    with process(str(program), "0") as port:
        asyncio.run(main(port))
