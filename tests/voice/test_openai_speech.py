"""A voice on an HTTP server, well-behaved and not."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from openai.types.audio.speech_create_params import SpeechCreateParams
from pydantic import TypeAdapter

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.errors import ConfigError, VoiceError
from anchor.events import Sentence
from anchor.loudness import Meter
from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.openai_speech import OpenAiVoice
from tests.back_end import (
    Answer,
    BackEnd,
    back_end,
    breaks_off,
    floods,
    hangs,
    hangs_after,
    head,
    resets,
    talks_nonsense,
)  # fmt: skip
from tests.voice import speaker as server
from tests.voice.speaker import KEY, RATE, TEXT, encoded, heard, pcm, pitch, tone, wav

T = TypeVar("T")
SOUND = tone(1.5)
ENDLESS = floods(pcm(tone(0.5)), "audio/pcm")


def with_voice(answer: Answer, do: Callable[[OpenAiVoice, BackEnd], Awaitable[T]], **options: Any) -> T:
    async def main() -> T:
        async with back_end(answer) as one:
            voice = OpenAiVoice(base_url=one.address, **{"api_key": KEY, "timeout": 5.0, **options})
            try:
                async with asyncio.timeout(20):
                    return await do(voice, one)
            finally:
                await voice.close()

    return asyncio.run(main())


def speak(answer: Answer, text: str = TEXT, language: str = "en", **options: Any) -> tuple[Samples, BackEnd]:
    async def do(voice: OpenAiVoice, one: BackEnd) -> tuple[Samples, BackEnd]:
        return await heard(voice, text, language), one

    return with_voice(answer, do, **options)


def level(sound: Samples) -> float:
    meter = Meter()
    meter.add(sound)
    return meter.lufs()


def test_a_sentence_is_asked_for_as_the_protocol_says_and_heard_at_an_even_loudness() -> None:
    sound, one = speak(server.says(pcm(SOUND)), model="tts-1", voice="nova", instructions="Read news.", rate=1.25)
    assert len(sound) / SAMPLE_RATE == pytest.approx(1.5, abs=0.01)
    assert pitch(sound) == pytest.approx(220, abs=2)
    assert level(sound) == pytest.approx(-16, abs=1)
    assert one.requests[0].path == "/v1/audio/speech"
    assert one.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert one.requests[-1].data == {
        "model": "tts-1", "input": TEXT, "voice": "nova", "response_format": "pcm", "instructions": "Read news.",
        "speed": 1.25,
    }  # fmt: skip
    TypeAdapter(SpeechCreateParams).validate_python(one.requests[-1].data, strict=True)


@pytest.mark.parametrize(
    ("asked", "body", "kind"),
    [
        ("pcm", pcm(SOUND), "audio/pcm"),
        ("pcm", pcm(SOUND), "application/octet-stream"),
        ("pcm", pcm(SOUND), ""),
        ("pcm", pcm(SOUND) + b"\x00", "audio/pcm"),
        ("pcm", wav(SOUND), "audio/pcm"),
        ("pcm", pcm(tone(1.5, 16_000)), "audio/pcm; rate=16000"),
        ("wav", wav(SOUND), "audio/wav"),
        ("wav", wav(tone(1.5, 22_050), 22_050), "audio/wav"),
        ("mp3", encoded(SOUND, "mp3", "libmp3lame"), "audio/mpeg"),
        ("opus", encoded(SOUND, "ogg", "libopus"), "audio/opus"),
        ("flac", encoded(SOUND, "flac", "flac"), "audio/flac"),
    ],
)  # fmt: skip
def test_whatever_form_sound_comes_in_it_is_heard_at_its_own_pitch(asked: str, body: bytes, kind: str) -> None:
    sound, one = speak(server.says(body, kind), format=asked)
    assert len(sound) / SAMPLE_RATE == pytest.approx(1.5, abs=0.08)
    assert pitch(sound) == pytest.approx(220, abs=2)
    assert one.requests[-1].data["response_format"] == asked


def test_servers_that_take_a_form_and_give_bare_samples_are_spoken_to_as_well() -> None:
    sound, one = speak(
        server.says(pcm(tone(1.5, 22_050)), ""), "价格是1,299元。", "zh-CN", path="/inference_sft", rate_hz=22_050,
        voice={"zh": "中文女"}, form={"tts_text": "{text}", "spk_id": "{voice}", "stream": "true"}, in_words=True,
    )  # fmt: skip
    assert pitch(sound) == pytest.approx(220, abs=2)
    line, headers, body = one.requests[0]
    assert line == "POST /v1/inference_sft HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    from urllib.parse import parse_qs

    fields = parse_qs(body.decode())
    assert fields == {"tts_text": ["价格是一千二百九十九元。"], "spk_id": ["中文女"], "stream": ["true"]}


def test_more_can_be_sent_and_the_voice_chosen_by_language() -> None:
    _, one = speak(
        server.says(pcm(SOUND)), voice={"en": "af_heart", "zh": "zf_xiaoni"}, language="en-GB",
        body={"lang_code": "{language}", "stream": True, "emotion": "{mood}"},
    )  # fmt: skip
    assert one.requests[-1].data["voice"] == "af_heart"
    assert (one.requests[-1].data["lang_code"], one.requests[-1].data["stream"], one.requests[-1].data["emotion"]) == (
        "en",
        True,
        "neutral",
    )


@pytest.mark.parametrize(
    ("options", "moods", "asked"),
    [
        ({"model": "kokoro"}, (), None),
        ({"model": "kokoro", "moods": {"cheerful": "Be glad."}}, ("cheerful",), "Be glad."),
        ({"moods": {}}, (), None),
        ({"moods": {"cheerful": "Be glad."}, "instructions": "You are Lin."}, ("cheerful",), "You are Lin. Be glad."),
    ],
)  # fmt: skip
def test_moods_are_what_the_model_can_be_told(
    options: dict[str, Any], moods: tuple[str, ...], asked: str | None
) -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        assert voice.info.moods == moods
        async with closing(voice.speak(Sentence(TEXT, "en", mood="cheerful"))) as chunks:
            assert [chunk async for chunk in chunks]
        assert one.requests[-1].data.get("instructions") == asked

    with_voice(server.says(pcm(SOUND)), do, **options)


def test_a_model_that_follows_instructions_knows_all_moods() -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        assert set(voice.info.moods) == {"warm", "serious", "cheerful", "concerned"}
        async with closing(voice.speak(Sentence(TEXT, "en", mood="serious"))) as chunks:
            assert [chunk async for chunk in chunks]
        assert "soberly" in one.requests[-1].data["instructions"]

    with_voice(server.says(pcm(SOUND)), do)


def test_the_first_sound_is_there_as_soon_as_the_server_sends_it() -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            assert len((await anext(chunks)).audio), "though the server never goes on"

    with_voice(server.streams(pcm(tone(0.2)), end=False), do)


BAD: list[tuple[Answer, str, dict[str, Any]]] = [
    (hangs, "gave no sound within 0.3 s", {"timeout": 0.3}),
    (hangs_after(head("audio/pcm")), "gave no sound within 0.3 s", {"timeout": 0.3}),
    (server.streams(pcm(SOUND), end=False), r"slower than it is spoken \(1.5 s of it", {"stall": 0.1}),
    (server.streams(*[pcm(tone(0.01))] * 200, every=0.04), "slower than it is spoken", {"stall": 0.2}),
    (ENDLESS, "does not end", {}),
    (resets, r"broke the connection off \((Read|RemoteProtocol)Error\)", {}),
    (talks_nonsense, "broke the connection off", {}),
    (breaks_off(pcm(SOUND), "audio/pcm"), r"broke the connection off \(RemoteProtocolError\)", {}),
    (server.says(b""), "answered with nothing", {}),
    (server.says(b"", "audio/wav"), "answered with nothing", {"format": "wav"}),
    (server.says(pcm(np.zeros(RATE, np.float32))), "gave no sound for", {}),
    (server.says(wav(SOUND)[:-20_000], "audio/wav"), "a WAV that breaks off", {"format": "wav"}),
    (server.says(wav(SOUND)[:60], "audio/wav"), "a WAV that breaks off|without its sound", {"format": "wav"}),
    (server.says("<html><h1>Welcome to nginx</h1></html>", "text/html"), "a web page .*Welcome to nginx", {}),
    (server.says("<html>login</html>"), "a web page", {}),
    (server.says('{"error": {"message": "no GPU"}}', "application/json"), "JSON instead of sound: no GPU", {}),
    (server.says('{"audio": "UklGRg=="}', "application/json"), "JSON instead of sound", {}),
    (server.says('{"error": {"message": "bad key"}}', status="401 No"), "did not accept the key.*401: bad key", {}),
    (server.says('{"detail": "no such voice"}', status="404 Not Found"), r"\(status 404: no such voice\)", {}),
    (server.says('{"error": "slow down"}', status="429 Too Many"), "too much to do.*429: slow down", {}),
    (server.says("<h1>Oops</h1>", status="500 Oh"), r"failed \(status 500: Oops\)", {}),
    (server.says("", status="503 Oh"), r"failed \(status 503\)", {}),
    (server.says("", status="302 Found\r\nLocation: http://127.0.0.1:9/steal"), r"redirects \(status 302\)", {}),
    (server.says(b"OggS" + bytes(9000)), "what cannot be decoded", {"format": "opus"}),
    (server.says(pcm(SOUND), "audio/pcm", "200 OK\r\nContent-Encoding: gzip"), "packed, which was not asked for", {}),
]


@pytest.mark.parametrize(("answer", "told", "options"), BAD, ids=[told for _, told, _ in BAD])
def test_a_server_that_misbehaves_is_an_error_that_names_it_and_says_what(
    answer: Answer, told: str, options: dict[str, Any]
) -> None:
    async def do(voice: OpenAiVoice, _: BackEnd) -> float:
        begun = LoopClock().now()
        with pytest.raises(VoiceError, match=told) as caught:
            await heard(voice)
        assert "\n" not in str(caught.value)
        assert "the voice server 127.0.0.1:" in str(caught.value) or "voice 'openai at 127.0.0.1'" in str(caught.value)
        return LoopClock().now() - begun

    assert with_voice(answer, do, **options) < (4.0 if "slower" in told else 1.5)


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    async def main() -> None:
        voice = OpenAiVoice(base_url="http://127.0.0.1:9/v1")
        try:
            for ask in (heard(voice), voice.warm(["en"])):
                with pytest.raises(VoiceError, match=r"127.0.0.1:9: cannot be reached; check voice.options.base_url"):
                    await ask
        finally:
            await voice.close()

    asyncio.run(main())


def test_warming_finds_a_refused_key_and_takes_servers_that_list_no_models() -> None:
    async def warm(voice: OpenAiVoice, one: BackEnd) -> str:
        await voice.warm(["en"])
        return one.requests[0].path

    assert with_voice(server.says("", status="404 Not Found"), warm) == "/v1/models"
    with pytest.raises(VoiceError, match="did not accept the key"):
        with_voice(server.says("{}", status="401 No"), warm)
    with pytest.raises(VoiceError, match=r"did not answer within 0.2 s"):
        with_voice(hangs, warm, timeout=0.2)


def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refusal = json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}})
    with pytest.raises(VoiceError, match=r"Incorrect API key: \*\*\*") as caught:
        speak(server.says(refusal, "application/json", "401 Unauthorized"))
    assert KEY not in str(caught.value)
    with pytest.raises(VoiceError, match=r"\*\*\*") as caught:
        speak(server.says(refusal, "application/json"))
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


def test_a_language_that_it_does_not_speak_and_nothing_to_say_ask_the_server_nothing() -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        with pytest.raises(VoiceError, match="does not speak 'de'; it speaks zh, en"):
            await heard(voice, language="de")
        assert not len(await heard(voice, "  ... "))
        assert not one.requests

    with_voice(server.says(pcm(SOUND)), do, languages=["zh", "en"])


def test_closing_returns_at_once_and_the_server_sees_it() -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        chunks = voice.speak(Sentence(TEXT, "en"))
        await anext(chunks)
        begun = LoopClock().now()
        await chunks.aclose()
        assert LoopClock().now() - begun < 0.04
        async with asyncio.timeout(1):
            await one.gone.wait()
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)

    with_voice(ENDLESS, do)


def test_closing_the_voice_ends_what_is_under_way_and_what_is_asked_for_later() -> None:
    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            await anext(chunks)
            await voice.close()
            with pytest.raises(VoiceError, match="broke the connection off"):
                async for _ in chunks:
                    pass
        with pytest.raises(VoiceError, match="is closed here"):
            await heard(voice)

    with_voice(server.streams(pcm(tone(0.2)), end=False), do)


@pytest.mark.parametrize("kind", ["pcm", "mp3"])
def test_sentences_that_are_cut_off_leave_nothing(kind: str) -> None:
    data = encoded(tone(3), "mp3", "libmp3lame") if kind == "mp3" else pcm(tone(3))

    async def do(voice: OpenAiVoice, one: BackEnd) -> None:
        def left() -> tuple[int, int, int]:
            gc.collect()
            descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
            return len(asyncio.all_tasks()), descriptors, len(gc.get_objects())

        async def cut(times: int) -> None:
            for _ in range(times):
                async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
                    await anext(chunks)
                async with asyncio.timeout(5):
                    await one.gone.wait()
                one.gone.clear()
                one.requests.clear()

        rounds = 250 if kind == "pcm" else 50
        await cut(rounds // 10)
        tasks, descriptors, objects = left()
        await cut(rounds)
        after = left()
        assert after[0] <= tasks + 1, "the server's own end may still be on its way"
        assert after[1] <= descriptors + 4
        assert after[2] - objects < rounds, "less than an object for each"

    with_voice(server.streams(data, kind="audio/mpeg" if kind == "mp3" else "audio/pcm", end=False), do, format=kind)
    for thread in threading.enumerate():
        if thread.name == "decoding a voice":
            thread.join(5)
            assert not thread.is_alive()


def test_a_listener_who_takes_their_time_does_not_make_the_server_late() -> None:
    async def do(voice: OpenAiVoice, _: BackEnd) -> float:
        clock, total = LoopClock(), 0
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            async for chunk in chunks:
                total += len(chunk.audio)
                await clock.sleep_until(clock.now() + 0.15)
        return total / SAMPLE_RATE

    pieces = [pcm(tone(0.1))] * 8
    assert with_voice(server.streams(*pieces), do, stall=0.05) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"base_url": "ftp://host/v1"}, "voice.options.base_url = 'ftp://host/v1': should be like https://host"),
        ({"base_url": "http://host:port/v1"}, "voice.options.base_url"),
        ({"base_url": "http://me:secret@host/v1"}, "a password does not belong in an address"),
        ({"format": "wma"}, "voice.options.format = 'wma': choose one of pcm, wav"),
        ({"rate_hz": 24}, "voice.options.rate_hz = 24"),
        ({"rate": 3.0}, "voice.options.rate = 3.0: choose a factor"),
        ({"timeout": 0}, "voice.options.timeout = 0"),
        ({"stall": -1}, "voice.options.stall = -1"),
        ({"voice": {}}, "voice.options.voice: should be a name"),
        ({"moods": {"angry": "Shout."}}, "voice.options.moods.angry"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        OpenAiVoice(**options)
    assert "secret" not in str(caught.value)
