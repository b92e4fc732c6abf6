"""A recogniser on a server, well-behaved and not."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import wave
from email import message_from_bytes
from email.policy import HTTP

import pytest

from anchor.errors import ConfigError, RecognizerError
from anchor.hearing.openai_http import OpenAiRecognizer
from anchor.talk import HEARING_RATE, Transcript
from anchor.testing import check_recognizer, understand
from tests import back_end as server
from tests.back_end import Answer, BackEnd, Request, back_end
from tests.hearing.sounds import noise

SPEECH = noise(HEARING_RATE, -30)
KEY = "sk-very-secret-0123456789"


def ask(
    answer: Answer, language: str = "en", timeout: float = 5.0, **options: object
) -> tuple[list[Transcript], BackEnd]:
    async def main() -> tuple[list[Transcript], BackEnd]:
        async with back_end(answer) as one:
            recognizer = OpenAiRecognizer(base_url=one.address, api_key=KEY, timeout=timeout, **options)  # type: ignore[arg-type]
            recognizer.expect({"en": ["How do I open an account?"]})
            try:
                async with asyncio.timeout(20):
                    return await understand(recognizer, SPEECH, language), one
            finally:
                await recognizer.close()

    return asyncio.run(main())


def fields_of(upload: Request) -> dict[str, bytes]:
    kind = upload.headers["content-type"].encode()
    message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + upload.body, policy=HTTP)
    found = {}
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        found[name] = content
    return found


def streams(*events: object, end: bool = True) -> Answer:
    """Server-sent events, each in a packet of its own."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(server.head("text/event-stream"))
        for event in events:
            writer.write(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode())
            await writer.drain()
        if not end:
            await server.hangs(writer)

    return answer


def test_speech_is_sent_as_a_file_with_what_is_known_of_it() -> None:
    transcripts, one = ask(server.says('{"text": " Open an account. "}'), model="paraformer", language="en-US")
    assert transcripts == [Transcript("Open an account.", True, "en-US")]
    (upload,) = one.requests
    assert upload.path == "/v1/audio/transcriptions"
    assert upload.headers["authorization"] == f"Bearer {KEY}"
    fields = fields_of(upload)
    assert fields["model"] == b"paraformer"
    assert fields["language"] == b"en"
    assert fields["prompt"] == b"How do I open an account?"
    with wave.open(io.BytesIO(fields["file"])) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
        assert sound.getnframes() == len(SPEECH)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ('{"text": "你好"}', "application/json; charset=utf-8", "你好"),
        ("Hello there.\n", "text/plain; charset=utf-8", "Hello there."),
        ('{"text": "Hi.", "segments": [{"no_speech_prob": 0.1, "avg_logprob": -0.2}]}', "application/json", "Hi."),
        ('{"text": "Bye!", "segments": [{"no_speech_prob": 0.9, "avg_logprob": -1.4}]}', "application/json", ""),
        ('{"text": ""}', "application/json", ""),
        ("", "text/plain", ""),
    ],
)  # fmt: skip
def test_every_form_of_answer_is_understood(body: str, kind: str, text: str) -> None:
    assert ask(server.says(body, kind))[0] == [Transcript(text, True, "en")]


def test_a_stream_of_events_is_told_as_it_comes() -> None:
    deltas = [{"type": "transcript.text.delta", "delta": part} for part in ("Open", " an", " account")]
    transcripts, one = ask(streams(*deltas, {"type": "transcript.text.done", "text": "Open an account."}), stream=True)
    assert [(t.text, t.final) for t in transcripts] == [
        ("Open", False), ("Open an", False), ("Open an account", False), ("Open an account.", True),
    ]  # fmt: skip
    assert fields_of(one.requests[0])["stream"] == b"true"


def test_a_server_that_knows_no_streams_may_answer_at_once() -> None:
    assert ask(server.says('{"text": "yes"}'), stream=True)[0] == [Transcript("yes", True, "en")]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (server.hangs, "no answer within 0.5 s"),
        (server.drips, "no answer within 0.5 s"),
        (server.resets, "(?:Read|Remote|Write)"),
        (server.breaks_off(b'{"te'), "RemoteProtocolError"),
        (server.talks_nonsense, "RemoteProtocolError"),
        (server.floods(b" " * (1 << 16)), "more than 1 MiB"),
        (server.says("<html>login</html>", "text/html"), "a web page instead"),
        (server.says("<html>login</html>"), "no JSON but"),
        (server.says("[" * 100_000), "no JSON but"),
        (server.says("[1]"), "no object"),
        (server.says('{"texts": "x"}'), "JSON without a text"),
        (server.says('{"text": null}'), "JSON without a text"),
        (server.says(b"\xff\xfe", "text/plain"), "not UTF-8"),
        (server.says('{"error": {"message": "overloaded"}}', status="500 Oh"), "status 500: overloaded"),
        (server.says("nothing here", "text/plain", status="404 Not Found"), "status 404"),
        (server.says("", status="302 Found"), "status 302"),
        (streams({"type": "transcript.text.delta", "delta": "Op"}), "ended before"),
        (streams({"type": "transcript.text.delta", "delta": "Op"}, end=False), "no answer within 0.5 s"),
        (streams("{not json"), "no JSON but"),
        (streams({"type": "error", "error": {"message": "no GPU"}}), "an error in the stream: no GPU"),
    ],
)  # fmt: skip
def test_a_server_that_misbehaves_is_an_error_that_says_what_and_where(answer: Answer, told: str) -> None:
    with pytest.raises(RecognizerError, match=told) as caught:
        ask(answer, timeout=0.5 if "0.5" in told else 10.0, stream=True)
    assert "/v1/audio/transcriptions (talk.recognizer)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_error() -> None:
    async def main() -> None:
        recognizer = OpenAiRecognizer(base_url="http://127.0.0.1:9/v1")
        with pytest.raises(RecognizerError, match="ConnectError"):
            await understand(recognizer, SPEECH, "en")
        await recognizer.close()

    asyncio.run(main())


def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refusal = server.says(json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}}), status="401 Unauthorized")
    with pytest.raises(RecognizerError, match=r"status 401: Incorrect API key: \*\*\*") as caught:
        ask(refusal)
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


def test_it_keeps_the_promises_of_its_port() -> None:
    async def main() -> None:
        async with back_end(server.says('{"text": "the same for all"}')) as one:
            recognizer = OpenAiRecognizer(base_url=one.address)
            await check_recognizer(recognizer, SPEECH, noise(8000, -20), "en")
            await recognizer.close()

    asyncio.run(main())


def test_cancelling_hangs_up() -> None:
    async def main() -> None:
        async with back_end(server.hangs) as one:
            recognizer = OpenAiRecognizer(base_url=one.address)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await understand(recognizer, SPEECH, "en")
            async with asyncio.timeout(5):
                await one.gone.wait()
            await recognizer.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"base_url": "example.com/v1"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "https://user:secret@example.com"}, "password"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key) as caught:
        OpenAiRecognizer(**options)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
