"""A voice on a WebSocket server, well-behaved and not."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.errors import ConfigError, VoiceError
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk
from anchor.voice.websocket_voice import WebSocketVoice
from tests.back_end import back_end, says
from tests.voice import talker as server
from tests.voice.speaker import KEY, TEXT, heard, pcm, pitch, tone
from tests.voice.talker import HELLO, Message, Say, Talk, Talker, talker, well, wrong

T = TypeVar("T")
Do = Callable[[WebSocketVoice, Talker], Awaitable[T]]


def with_voice(speak: Say, do: Do[T], *, options: dict[str, Any] | None = None, **behaviour: Any) -> T:
    async def main() -> T:
        async with talker(speak, **behaviour) as one:
            voice = WebSocketVoice(url=one.address, **{"api_key": KEY, "timeout": 5.0, **(options or {})})
            try:
                async with asyncio.timeout(20):
                    return await do(voice, one)
            finally:
                await voice.close()

    return asyncio.run(main())


async def cut(voice: WebSocketVoice, text: str = TEXT) -> None:
    """Begin a sentence and close it after its first sound."""
    async with closing(voice.speak(Sentence(text, "en"))) as chunks:
        await anext(chunks)


def test_sentences_are_heard_over_one_connection() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        await voice.warm(["en"])
        for _ in range(3):
            sound = await heard(voice)
            assert len(sound) / SAMPLE_RATE == pytest.approx(1.2, abs=0.01)
            assert pitch(sound) == pytest.approx(220, abs=2)
        assert len(one.connections) == 1
        assert one.keys == [f"Bearer {KEY}"]
        assert one.asked[0] == {"type": "speak", "id": one.asked[0]["id"], "text": TEXT, "language": "en"}
        assert len({asked["id"] for asked in one.asked}) == 3

    with_voice(well, do)


def test_what_is_asked_for_says_mood_voice_and_rate() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        async with closing(voice.speak(Sentence("价格是1,299元。", "zh-CN", mood="cheerful"))) as chunks:
            assert [chunk async for chunk in chunks]
        del one.asked[0]["id"]
        assert one.asked[0] == {
            "type": "speak", "text": "价格是一千二百九十九元。", "language": "zh-CN", "mood": "<happy>", "voice": "lin",
            "rate": 1.2,
        }  # fmt: skip

    options = {"voice": {"zh": "lin", "en": "anna"}, "rate": 1.2, "moods": {"cheerful": "<happy>"}, "in_words": True}
    with_voice(well, do, options=options)


def test_what_a_server_is_is_known_once_it_has_said_so_and_the_user_knows_better() -> None:
    hello = {**HELLO, "moods": ["cheerful", "angry"], "licence": "Apache-2.0", "phones": True}

    async def do(voice: WebSocketVoice, _: Talker) -> Any:
        before = voice.info
        await voice.warm(["en"])
        return before, voice.info

    before, after = with_voice(well, do, hello=hello, options={"phones": True})
    assert before.phone_timings
    assert {"en", "zh", "fr"} <= set(before.languages)
    assert (after.engine, after.languages, after.licence, after.version) == (
        "test model",
        ("en", "zh"),
        "Apache-2.0",
        "7",
    )
    assert after.moods == ("cheerful",)
    assert after.phone_timings
    _, after = with_voice(well, do, hello=hello, options={"languages": ["zh"], "licence": "ours"})
    assert (after.languages, after.licence) == (("zh",), "ours")


def test_two_sentences_at_once_have_connections_of_their_own() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        sounds = await asyncio.gather(*(heard(voice) for _ in range(6)))
        assert all(len(sound) / SAMPLE_RATE == pytest.approx(1.2, abs=0.01) for sound in sounds)
        assert len(one.connections) == 6
        await heard(voice)
        assert len(one.connections) == 6, "the next sentence takes one that is there"

    with_voice(well, do)


def test_words_and_phones_are_those_that_the_server_tells() -> None:
    async def timed(talk: Talk, asked: Message) -> None:
        await talk.start(asked)
        await talk.tell("words", asked["id"], words=[["Good ", 0.05, 0.2]])
        await talk.tell("phones", asked["id"], phones=[["ɡ", 0.05, 0.1, 0], ["ʊ", 0.1, 0.2, 2]])
        await talk.sound(0.2)
        await talk.tell("words", asked["id"], words=[["evening.", 0.2, 0.5]])
        await talk.sound(0.4)
        await talk.tell("done", asked["id"])

    async def do(voice: WebSocketVoice, _: Talker) -> list[SpeechChunk]:
        async with closing(voice.speak(Sentence("Good evening.", "en"))) as chunks:
            return [chunk async for chunk in chunks]

    chunks = with_voice(timed, do, hello={**HELLO, "phones": True}, options={"phones": True})
    words = [word for chunk in chunks for word in chunk.words]
    assert words == [Word("Good ", 2400, 9600), Word("evening.", 9600, 24_000)]
    assert [phone for chunk in chunks for phone in chunk.phones] == [
        Phone("ɡ", 2400, 4800, 0), Phone("ʊ", 4800, 9600, 2),
    ]  # fmt: skip
    position = 0
    for chunk in chunks:
        assert all(word.start >= position for word in chunk.words)
        position += len(chunk.audio)
    assert not any(chunk.words for chunk in with_voice(timed, do)), "unasked, they are the aligner's business"


def test_words_that_come_after_their_sound_are_not_lost() -> None:
    async def late(talk: Talk, asked: Message) -> None:
        await talk.start(asked)
        await talk.sound(0.5)
        await talk.tell("words", asked["id"], words=[[TEXT, 0.0, 0.5]])
        await talk.tell("done", asked["id"])

    async def do(voice: WebSocketVoice, _: Talker) -> list[SpeechChunk]:
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            return [chunk async for chunk in chunks]

    chunks = with_voice(late, do, hello={**HELLO, "phones": True}, options={"phones": True})
    (word,) = [word for chunk in chunks for word in chunk.words]
    assert word.text == TEXT
    # At the place where they were told, less what the limiter still holds then.
    assert 24_000 - 0.06 * SAMPLE_RATE < word.start <= word.end == 24_000


def test_closing_returns_at_once_tells_the_server_and_keeps_the_connection() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        chunks = voice.speak(Sentence(TEXT, "en"))
        await anext(chunks)
        begun = LoopClock().now()
        await chunks.aclose()
        assert LoopClock().now() - begun < 0.04
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)
        await cut(voice, "The next sentence.")
        assert one.cancelled[0] == one.asked[0]["id"]
        assert len(one.connections) == 1, "what was left of the first is dropped"

    with_voice(server.endlessly, do)


def test_no_sound_of_a_cancelled_sentence_is_heard_in_the_next() -> None:
    async def high_then_low(talk: Talk, asked: Message) -> None:
        await talk.start(asked)
        hertz = 440.0 if asked["text"] == "High." else 220.0
        for _ in range(100):
            await talk.connection.send(pcm(tone(0.05, hertz=hertz)))
        await talk.tell("done", asked["id"])

    async def do(voice: WebSocketVoice, one: Talker) -> None:
        for _ in range(5):
            await cut(voice, "High.")
            assert pitch(await heard(voice, "Low.")) == pytest.approx(220, abs=2)
        assert len(one.connections) == 1

    with_voice(high_then_low, do)


def test_a_server_that_goes_on_with_what_was_cancelled_is_left() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        await cut(voice)
        begun = LoopClock().now()
        await cut(voice)
        assert LoopClock().now() - begun < 1
        assert len(one.connections) == 2

    with_voice(server.stops_after_a_start, do, deaf=True)


def test_a_connection_that_broke_while_nothing_was_said_is_made_anew() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        await heard(voice)
        await one.connections[0].close()
        await heard(voice)
        one.connections[1].transport.abort()
        await heard(voice)
        assert len(one.connections) == 3

    with_voice(well, do)


def test_a_server_that_was_started_again_is_found_again() -> None:
    async def main() -> None:
        async with talker(well) as one:
            voice = WebSocketVoice(url=one.address)
            await heard(voice)
        port = int(one.address.split(":")[2].split("/")[0])
        with pytest.raises(VoiceError, match="cannot be reached"):
            await heard(voice)
        async with talker(well, port=port):
            assert len(await heard(voice))
            await voice.close()

    asyncio.run(main())


def test_messages_about_other_sentences_and_of_unknown_kinds_are_ignored() -> None:
    async def chatty(talk: Talk, asked: Message) -> None:
        await talk.tell("progress", asked["id"], percent=3)
        await talk.tell("done", "999")
        await talk.tell("error", "998", message="not yours")
        await talk.sound(0.5)
        await talk.start(asked)
        await talk.tell("started", "997", rate=8000)
        await talk.tell("words", "996", words=7)
        await talk.sound(0.5)
        await talk.tell("done", "999")
        await talk.tell("done", asked["id"])

    async def do(voice: WebSocketVoice, _: Talker) -> None:
        assert len(await heard(voice)) / SAMPLE_RATE == pytest.approx(0.5, abs=0.01)

    with_voice(chatty, do)


SOUND, DONE = pcm(tone(0.5)), {"type": "done"}
BAD: list[tuple[Say, str, dict[str, Any]]] = [
    (server.never, "gave no sound within 0.3 s", {"timeout": 0.3}),
    (wrong(), "gave no sound within 0.3 s", {"timeout": 0.3}),
    (server.stops_after_a_start, r"slower than it is spoken \(0.3 s of it", {"stall": 0.1}),
    (server.endlessly, "does not end", {}),
    (server.hangs_up, r"broke the connection off \(1011: out of memory\)", {}),
    (server.breaks, "broke the connection off", {}),
    (wrong({"type": "error", "message": "no\nGPU"}), "failed: no GPU", {}),
    (wrong({"type": "error", "message": "no voice"}, start=False), "failed: no voice", {}),
    (wrong({"type": "error"}, start=False), "failed", {}),
    (wrong(DONE), "gave no sound for", {}),
    (wrong(DONE, start=False), "ended without a sound", {}),
    (wrong(bytes(48_000), DONE), "gave no sound for", {}),
    (wrong(SOUND, DONE, rate=7), "sound of 7 samples a second", {}),
    (wrong(SOUND, DONE, rate="fast"), "sound of fast samples a second", {}),
    (wrong({"type": "started", "rate": 24_000, "format": "opus"}, start=False), "sends sound as 'opus'", {}),
    (wrong("<html>"), "text that is no JSON: '<html>'", {}),
    (wrong("[1]"), "JSON that is no object", {}),
    (wrong("[" * 100_000), "text that is no JSON", {}),
    (wrong(bytes(200_000)), r"broke the connection off \(1009", {}),
    (wrong({"type": "words", "words": [["Other", 0, 1]]}), "words that do not give the text back", {"phones": True}),
    (wrong({"type": "words", "words": [["Good ", "a", 1]]}), "tells words in a form", {"phones": True}),
    (wrong({"type": "words", "words": "x"}), "tells words in a form", {"phones": True}),
    (wrong({"type": "phones", "phones": [["a", 0, 1e9, 0]]}), "tells phones in a form", {"phones": True}),
    (wrong({"type": "phones", "phones": [["a", True, 1, 0]]}), "tells phones in a form", {"phones": True}),
]  # fmt: skip


@pytest.mark.parametrize(("speak", "told", "options"), BAD, ids=[told for _, told, _ in BAD])
def test_a_server_that_misbehaves_is_an_error_that_names_it_and_says_what(
    speak: Say, told: str, options: dict[str, Any]
) -> None:
    async def do(voice: WebSocketVoice, _: Talker) -> float:
        begun = LoopClock().now()
        with pytest.raises(VoiceError, match=told) as caught:
            await heard(voice)
        assert "\n" not in str(caught.value)
        assert "the voice server 127.0.0.1:" in str(caught.value) or "voice 'websocket at 127.0.0.1'" in str(
            caught.value
        )
        return LoopClock().now() - begun

    assert with_voice(speak, do, hello={**HELLO, "phones": True}, options=options) < 1.5


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ({"hello": None}, "gave no sound within 0.3 s"),
        ({"hello": "hi"}, "text that is no JSON"),
        ({"hello": {"type": "welcome"}}, "does not say hello"),
        ({"hello": HELLO}, "does not time its phones: leave voice.options.phones out"),
        ({"status": 401}, r"did not accept the key; check voice.options.api_key \(status 401: not you\)"),
        ({"status": 503}, r"failed \(status 503: not you\)"),
        ({"status": 302}, r"redirects \(status 302"),
    ],
)  # fmt: skip
def test_a_server_that_is_another_one_is_told_when_it_is_warmed(behaviour: dict[str, Any], told: str) -> None:
    async def do(voice: WebSocketVoice, _: Talker) -> None:
        with pytest.raises(VoiceError, match=told):
            await voice.warm(["en"])

    with_voice(well, do, options={"phones": True, "timeout": 0.3}, **behaviour)


def test_a_server_of_something_else_is_an_error() -> None:

    async def main() -> None:
        async with back_end(says("<html>Welcome</html>", "text/html")) as one:
            for url, told in (
                (one.address.replace("http", "ws"), r"refused \(status 200: Welcome\)"),
                ("ws://127.0.0.1:9/", "cannot be reached; check voice.options.url"),
            ):
                voice = WebSocketVoice(url=url)
                try:
                    with pytest.raises(VoiceError, match=told):
                        await heard(voice)
                finally:
                    await voice.close()

    asyncio.run(main())


def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def do(voice: WebSocketVoice, one: Talker) -> None:
        with pytest.raises(VoiceError, match=r"failed: \*\*\* is no key") as caught:
            await heard(voice)
        assert KEY not in str(caught.value)
        assert one.keys == [f"Bearer {KEY}"]

    # The server is in this process, too; its log is not ours.
    logging.getLogger("websockets.server").setLevel(logging.INFO)
    with_voice(wrong({"type": "error", "message": f"{KEY} is no key"}), do)
    assert KEY not in caplog.text


def test_closing_the_voice_ends_what_is_under_way_and_what_is_asked_for_later() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            await anext(chunks)
            await voice.close()
            with pytest.raises(VoiceError, match="broke the connection off"):
                async for _ in chunks:
                    pass
        with pytest.raises(VoiceError, match="is closed here"):
            await heard(voice)
        assert len(one.connections) == 1

    with_voice(server.stops_after_a_start, do)


def test_sentences_that_are_cut_off_leave_nothing() -> None:
    async def do(voice: WebSocketVoice, one: Talker) -> None:
        def left() -> tuple[int, int, int]:
            one.asked.clear()
            one.cancelled.clear()
            gc.collect()
            return len(asyncio.all_tasks()), sum(1 for _ in Path("/proc/self/fd").iterdir()), len(gc.get_objects())

        for _ in range(30):
            await cut(voice)
        tasks, descriptors, objects = left()
        for _ in range(300):
            await cut(voice)
        after = left()
        assert (after[0], after[1]) == (tasks, descriptors)
        assert after[2] - objects < 300, "less than an object for each"
        assert len(one.connections) == 1

    with_voice(server.stops_after_a_start, do)


def test_a_sentence_that_waits_long_for_its_turn_is_whole() -> None:
    async def long(talk: Talk, asked: Message) -> None:
        await talk.start(asked)
        for _ in range(200):
            await talk.sound(0.04)
        await talk.tell("done", asked["id"])

    async def do(voice: WebSocketVoice, one: Talker) -> None:
        clock = LoopClock()
        async with closing(voice.speak(Sentence(TEXT, "en"))) as chunks:
            samples = len((await anext(chunks)).audio)
            await clock.sleep_until(clock.now() + 0.3)
            pong = await one.connections[0].ping()
            async with asyncio.timeout(1):
                await pong
            async for chunk in chunks:
                samples += len(chunk.audio)
        assert samples / SAMPLE_RATE == pytest.approx(8, abs=0.01)

    with_voice(long, do, options={"stall": 0.1})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"url": "http://host/v1"}, "voice.options.url = 'http://host/v1': should be like wss://host"),
        ({"url": "ws://me:secret@host/"}, "a password does not belong in an address"),
        ({"url": "ws://host/", "rate": 0.1}, "voice.options.rate"),
        ({"url": "ws://host/", "stall": 0}, "voice.options.stall"),
        ({"url": "ws://host/", "moods": {"angry": "x"}}, "voice.options.moods.angry"),
        ({"url": "ws://host/", "phones": True, "in_words": True}, "voice.options.in_words"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        WebSocketVoice(**options)
    assert "secret" not in str(caught.value)
