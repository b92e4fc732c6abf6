"""A voice on a real server that fails in every way, with the embedded voice behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest

from anchor.channel import closing
from anchor.config import VoiceConfig
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.parts import open_voice
from anchor.pipeline.steadfast import SteadfastVoice

pytest.importorskip("anchor.voice.openai_speech", reason="needs the voice that speaks to servers")

TEXT = "The ferry leaves every twenty minutes."
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n"
SOUND = (8000 * np.sin(np.arange(24_000) / 20)).astype("<i2").tobytes()
LATEST = 1.5
SLACK = 1.0
"""For the embedded voice on a busy machine."""


@contextlib.asynccontextmanager
async def server(way: str) -> AsyncIterator[str]:
    """Answers every request in one way; gives its address."""
    stop, answering = asyncio.Event(), set[asyncio.Task[None] | None]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            match way:
                case "hangs":
                    await stop.wait()
                case "resets":
                    writer.transport.abort()
                case "says nothing":
                    writer.write(HEAD % b"audio/pcm")
                case "says HTML":
                    writer.write(HEAD % b"text/html" + b"<html><body>Bad gateway</body></html>")
                case "is silent":
                    writer.write(HEAD % b"audio/pcm" + bytes(len(SOUND)))
                case "drips":
                    writer.write(HEAD % b"audio/pcm")
                    for start in range(0, len(SOUND), 480):
                        writer.write(SOUND[start : start + 480])
                        await writer.drain()
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(0.4):
                                await stop.wait()
                        if stop.is_set():
                            break
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()[:2]
        try:
            yield f"http://{host}:{port}/v1"
        finally:
            stop.set()
            await asyncio.gather(*(task for task in answering if task is not None))


@pytest.mark.parametrize("way", ["hangs", "resets", "says nothing", "says HTML", "is silent", "drips"])
def test_every_word_is_said_by_the_embedded_voice_within_a_second_and_a_half(way: str) -> None:
    async def main() -> None:
        async with server(way) as address:
            config = VoiceConfig(engine="openai", options={"base_url": address, "api_key": "none", "probe": False})
            voice = open_voice(config, live=True)
            assert isinstance(voice, SteadfastVoice)
            try:
                await voice.warm(["en"])
                loop = asyncio.get_running_loop()
                begun, first, words, samples = loop.time(), -1.0, "", 0
                async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
                    async for chunk in chunks:
                        if first < 0:
                            first = loop.time() - begun
                        words += "".join(word.text for word in chunk.words)
                        samples += len(chunk.audio)
                assert first <= LATEST + SLACK
                assert words.endswith(TEXT) and samples > SAMPLE_RATE
                server_voice, embedded = voice.states()
                assert (server_voice.state, server_voice.switches) == ("resting", 1)
                assert embedded.speaking and server_voice.problem
            finally:
                await voice.close()

    asyncio.run(main())
