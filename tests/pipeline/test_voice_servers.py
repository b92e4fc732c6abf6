"""Whatever a voice server does, the sentence is heard, from the next voice if need be, within a second and a half."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE
from anchor.pipeline.steadfast import SteadfastVoice
from anchor.ports import Voice
from anchor.testing import FakeVoice
from anchor.voice.openai_speech import OpenAiVoice
from anchor.voice.websocket_voice import WebSocketVoice
from tests.back_end import Answer, back_end, breaks_off, hangs, hangs_after, head
from tests.voice import speaker, talker
from tests.voice.speaker import TEXT, pcm, tone, wav

HTTP: dict[str, Answer] = {
    "hangs": hangs,
    "hangs after its head": hangs_after(head("audio/pcm")),
    "fails": speaker.says("{}", status="500 Oh"),
    "sends a page": speaker.says("<html>login</html>", "text/html"),
    "sends nothing": speaker.says(b""),
    "sends silence": speaker.says(pcm(np.zeros(24_000, np.float32))),
    "stalls": speaker.streams(pcm(tone(0.3)), end=False),
    "drips": speaker.streams(*[pcm(tone(0.01))] * 500, every=0.05),
    "breaks off": breaks_off(pcm(tone(0.3)), "audio/pcm"),
    "sends half a WAV": speaker.says(wav(tone(2))[:20_000], "audio/wav"),
}
WEBSOCKET: dict[str, talker.Say] = {
    "hangs": talker.never,
    "stalls": talker.stops_after_a_start,
    "hangs up": talker.hangs_up,
    "tells an error": talker.wrong({"type": "error", "message": "no GPU"}),
}


async def gaps(voice: Voice) -> list[float]:
    """Speak, and give how long a listener waits for each sound after what came before it has been heard."""
    clock, found = LoopClock(), list[float]()
    heard_until = clock.now()
    async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
        async for chunk in chunks:
            found.append(clock.now() - heard_until)
            heard_until = max(heard_until, clock.now()) + len(chunk.audio) / SAMPLE_RATE
    return found


@pytest.mark.parametrize("fault", HTTP)
def test_an_http_server_that_fails_is_replaced_in_time(fault: str) -> None:
    async def main() -> None:
        switched = list[tuple[str, str]]()
        async with back_end(HTTP[fault]) as one:
            voice = SteadfastVoice(
                OpenAiVoice(base_url=one.address), FakeVoice(), on_switch=lambda *what: switched.append(what)
            )
            try:
                assert max(await gaps(voice)) < 1.5
            finally:
                await voice.close()
        assert [name for name, _ in switched] == ["openai"]

    asyncio.run(main())


@pytest.mark.parametrize("fault", WEBSOCKET)
def test_a_websocket_server_that_fails_is_replaced_in_time(fault: str) -> None:
    async def main() -> None:
        switched = list[tuple[str, str]]()
        async with talker.talker(WEBSOCKET[fault]) as one:
            voice = SteadfastVoice(
                WebSocketVoice(url=one.address), FakeVoice(), on_switch=lambda *what: switched.append(what)
            )
            try:
                assert max(await gaps(voice)) < 1.5
            finally:
                await voice.close()
        assert [name for name, _ in switched] == ["websocket"]

    asyncio.run(main())
