"""A recogniser on a server that speaks OpenAI's protocol: ``POST /v1/audio/transcriptions``.

OpenAI's own, and the many that speak like it: vLLM, Speaches, LocalAI, whisper.cpp's server, FunASR's.
"""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import numpy as np

from anchor.errors import ConfigError, RecognizerError
from anchor.tags import base
from anchor.talk import HEARING_RATE, Hearing, RecognizerInfo, Transcript

T = TypeVar("T")

LANGUAGES = ("en", "zh", "ja", "ko", "es", "fr", "de", "it", "pt", "nl", "ru", "ar", "hi", "id", "th", "vi", "tr", "pl")

LONGEST_SECONDS = 30 * 60
LARGEST_ANSWER = 1 << 20
"""Bytes; half an hour of speech has some 30 thousand."""

HINT_CHARACTERS = 400


class OpenAiRecognizer:
    """`anchor.talk.Recognizer` over HTTP.

    `base_url` ends in ``/v1`` with most servers. `timeout` is in seconds, of the whole answer; who waits for less than
    that gives up earlier. With `stream` the text is told as the server writes it. `languages` is what to say that it
    understands. The key is in no error and no log. Raises `ConfigError` for values that cannot be.
    """

    def __init__(
        self,
        *,
        base_url: str = "https://api.openai.com/v1",
        api_key: str = "",
        model: str = "whisper-1",
        timeout: float = 10.0,
        stream: bool = False,
        languages: Sequence[str] = LANGUAGES,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"talk.recognizer.options.base_url = {base_url!r}: write http(s)://host/v1")
        if parts.username or parts.password:
            raise ConfigError("talk.recognizer.options.base_url: a password does not belong in it; use api_key")
        if not 0 < timeout <= 600:
            raise ConfigError(f"talk.recognizer.options.timeout = {timeout}: choose seconds up to 600")
        self._url = f"{base_url.rstrip('/')}/audio/transcriptions"
        self._model = model
        self._key = api_key
        self._timeout = timeout
        self._stream = stream
        self._hints: dict[str, str] = {}
        self._info = RecognizerInfo(
            "openai", f"{model} at {parts.hostname}", tuple(languages), "a service", partials=stream
        )
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(timeout, connect=min(5.0, timeout)))

    @property
    def info(self) -> RecognizerInfo:
        return self._info

    def expect(self, phrases: Mapping[str, Sequence[str]]) -> None:
        for tag, said in phrases.items():
            hint = ""
            for phrase in said:
                if len(hint) + len(phrase) < HINT_CHARACTERS:
                    hint += f"{phrase} "
            self._hints[base(tag)] = hint.strip()

    async def warm(self, languages: Sequence[str] = ()) -> None:
        """Nothing is sent: a server is paid by the request, and its connection is made with the first one."""

    async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncGenerator[Transcript, None]:
        primary = base(language)
        if primary not in {base(tag) for tag in self._info.languages}:
            raise RecognizerError(f"{self._info.engine} does not understand {language}")
        sound = await _whole(speech)
        if not len(sound):
            yield Transcript("", True, language)
            return
        shown = ""
        try:
            async with aclosing(self._transcribe(sound, primary)) as texts:
                async for text, final in texts:
                    if final or text != shown:
                        shown = text
                        yield Transcript(text.strip(), final, language)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise self._failed(f"no answer within {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise self._failed(f"{type(error).__name__}: {str(error) or 'the connection broke'}") from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _transcribe(self, sound: Hearing, primary: str) -> AsyncGenerator[tuple[str, bool], None]:
        fields = {"model": self._model, "language": primary, "response_format": "json"}
        if hint := self._hints.get(primary):
            fields["prompt"] = hint
        if self._stream:
            fields["stream"] = "true"
        files = {"file": ("speech.wav", wav(sound), "audio/wav")}
        deadline = asyncio.get_running_loop().time() + self._timeout
        async with asyncio.timeout_at(deadline):
            request = self._client.build_request("POST", self._url, data=fields, files=files)
            response = await self._client.send(request, stream=True)
        async with aclosing(response):
            if response.status_code != 200:
                raise self._failed(f"status {response.status_code}{_reason(await self._body(response, deadline))}")
            kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
            if kind == "text/event-stream":
                async for piece in self._events(response, deadline):
                    yield piece
            else:
                yield self._text(kind, await self._body(response, deadline)), True

    async def _events(self, response: httpx.Response, deadline: float) -> AsyncIterator[tuple[str, bool]]:
        """Server-sent events ``transcript.text.delta`` and ``transcript.text.done``."""
        text, size = "", 0
        async for line in _until(deadline, response.aiter_lines()):
            size += len(line)
            if size > LARGEST_ANSWER:
                raise self._failed(f"an answer of more than {LARGEST_ANSWER >> 20} MiB")
            if not line.startswith("data:") or line[5:].strip() == "[DONE]":
                continue
            event = self._json(line[5:].encode())
            match event.get("type"):
                case "transcript.text.delta" if isinstance(event.get("delta"), str):
                    text += event["delta"]
                    yield text, False
                case "transcript.text.done" if isinstance(event.get("text"), str):
                    yield event["text"], True
                    return
                case "error":
                    raise self._failed(f"an error in the stream{_reason(line[5:].encode())}")
        raise self._failed("the stream ended before transcript.text.done")

    async def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        async for part in _until(deadline, response.aiter_bytes()):
            body += part
            if len(body) > LARGEST_ANSWER:
                raise self._failed(f"an answer of more than {LARGEST_ANSWER >> 20} MiB")
        return bytes(body)

    def _text(self, kind: str, body: bytes) -> str:
        if kind == "text/plain":
            try:
                return body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise self._failed("text that is not UTF-8") from error
        if kind == "text/html":
            raise self._failed("a web page instead of a transcript: is base_url right?")
        answer = self._json(body)
        if not isinstance(answer.get("text"), str):
            raise self._failed("JSON without a text")
        segments = answer.get("segments")
        if isinstance(segments, list) and segments and all(_silent(segment) for segment in segments):
            return ""
        return str(answer["text"])

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._failed(f"no JSON but {body[:40]!r}") from error
        if not isinstance(answer, dict):
            raise self._failed("JSON that is no object")
        return answer

    def _failed(self, what: str) -> RecognizerError:
        # Servers repeat a key that they refuse.
        told = what.replace(self._key, "***") if self._key else what
        return RecognizerError(f"{self._url} (talk.recognizer): {told}")


async def _until(deadline: float, stream: AsyncIterator[T]) -> AsyncIterator[T]:
    """What comes until then; a server that drips is as late as one that hangs. Raises `TimeoutError`.

    Only the waiting is timed: a limit around a ``yield`` would strike whoever is given what comes.
    """
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                item = await anext(stream)
        except StopAsyncIteration:
            return
        yield item


async def _whole(speech: AsyncIterable[Hearing]) -> Hearing:
    pieces, samples = [], 0
    async for sound in speech:
        pieces.append(sound)
        samples += len(sound)
        if samples > LONGEST_SECONDS * HEARING_RATE:
            raise RecognizerError(f"speech of more than {LONGEST_SECONDS // 60} minutes")
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def wav(sound: Hearing) -> bytes:
    """A WAV file of 16-bit samples at `HEARING_RATE`."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(HEARING_RATE)
        out.writeframes((np.clip(np.nan_to_num(sound), -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _silent(segment: Any) -> bool:
    """Whisper's own rule for a text that it made up for silence."""
    if not isinstance(segment, dict):
        return False
    silent, sure = segment.get("no_speech_prob"), segment.get("avg_logprob")
    return isinstance(silent, float) and isinstance(sure, float) and silent > 0.6 and sure < -1.0


def _reason(body: bytes) -> str:
    """What a server says of its refusal, in one line."""
    try:
        error = json.loads(body).get("error")
        text = error.get("message", "") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f": {' '.join(text.split())[:200]}" if isinstance(text, str) and text else ""
