"""A voice on a server that speaks OpenAI's protocol: ``POST /v1/audio/speech``.

OpenAI's own, and the many that speak like it: vLLM-Omni, Kokoro-FastAPI, Speaches, LocalAI, openedai-speech, wrappers
of CosyVoice, F5 and others, and ``tools/voice_server``. Servers that take a form and answer with bare samples, such as
CosyVoice's own, are reached with `path` and `form`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import httpx

from anchor.channel import Channel, ChannelClosedError
from anchor.errors import ConfigError, VoiceError
from anchor.events import Mood, Sentence
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.tags import base
from anchor.voice import remote
from anchor.voice.moods import MOODS, styles
from anchor.voice.received import FORMATS, UnsoundError, decoder_for, one_after, pieces
from anchor.voice.remote import LateServerError, Patience, Server
from anchor.voice.sounding import Level, sounding

INSTRUCTIONS: Mapping[Mood, str] = {
    "warm": "Speak warmly and kindly, with a slight smile, a little slower than usual.",
    "serious": "Speak seriously and soberly, as a news anchor with grave news, calm and a little slower than usual.",
    "cheerful": "Speak cheerfully and brightly, with a smile in your voice, a little faster than usual.",
    "concerned": "Speak with quiet concern and compassion, softly and a little slower than usual.",
}
"""What is asked of models that follow instructions, in step with `anchor.voice.moods.MANNERS`."""

_REFUSAL_BYTES = 1 << 16
_CONNECTIONS, _KEPT, _KEPT_SECONDS = 64, 8, 120.0
_AHEAD_BYTES = 16 << 20
"""Five minutes of sound. A sentence may wait long for its turn; a server that is not read meanwhile hangs up."""


class OpenAiVoice:
    """`anchor.ports.Voice` over HTTP.

    `base_url` ends in ``/v1`` with most servers. `voice` is a name or a table of one for each language; `languages` is
    what the server speaks (those of that table, else what OpenAI's does). `format` is what is asked for; what comes may
    be any that `anchor.voice.received` knows. `rate_hz` is the rate of raw samples, where it is not 24,000 and the
    server does not say so. `rate` is a factor on the speed. `instructions` and those of `moods` are for models that
    follow such. With `in_words` numbers, dates and the like are sent in words. Seconds: `timeout` until the first
    sound, `stall` that sound may stand still after it.

    `path` is added to `base_url`, and `body` to what is sent; with `form`, those fields are sent instead. A value of
    either that is ``{text}``, ``{voice}``, ``{language}``, ``{mood}`` or ``{instructions}`` stands for that. With
    `probe`, `warm` asks for ``{base_url}/models``. The key is in no error and no log. Raises `ConfigError` for values
    that cannot be.
    """

    def __init__(
        self,
        *,
        base_url: str = "https://api.openai.com/v1",
        api_key: str = "",
        model: str = "gpt-4o-mini-tts",
        voice: str | Mapping[str, str] = "alloy",
        format: str = "pcm",
        rate_hz: int | None = None,
        instructions: str = "",
        moods: Mapping[str, Any] | None = None,
        rate: float = 1.0,
        in_words: bool = False,
        languages: Sequence[str] = (),
        timeout: float = 10.0,
        stall: float = 2.0,
        licence: str = "a service",
        path: str = "/audio/speech",
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        probe: bool = True,
    ) -> None:
        self._server = Server(base_url, api_key, option="base_url", schemes=("http", "https"))
        remote.check_seconds(timeout, stall)
        remote.check_rate(rate)
        if format not in FORMATS:
            raise ConfigError(f"voice.options.format = {format!r}: choose one of {', '.join(FORMATS)}")
        if rate_hz is not None and rate_hz not in remote.RATES:
            raise ConfigError(f"voice.options.rate_hz = {rate_hz}: choose between 8000 and 192000")
        if not isinstance(voice, str) and not (voice and all(isinstance(name, str) for name in voice.values())):
            raise ConfigError("voice.options.voice: should be a name, or a table of names by language")
        self._base = base_url.rstrip("/")
        self._url = self._base + (path if path.startswith("/") else f"/{path}")
        self._model, self._voice, self._format, self._rate_hz, self._rate = model, voice, format, rate_hz, rate
        self._in_words = in_words
        self._instructions = instructions
        asked = styles(moods, "voice.options.moods")
        self._moods = asked or (dict(INSTRUCTIONS) if moods is None and model.startswith("gpt-") else {})
        self._timeout, self._stall, self._probe = timeout, stall, probe
        self._body, self._form = dict(body or {}), form
        self._level = Level()
        sounds_by = [base_url, path, model, voice, format, instructions, self._moods, rate, self._body, form]
        self._info = VoiceInfo(
            "openai",
            f"{model} at {self._server.host}",
            tuple(languages) or (remote.LANGUAGES if isinstance(voice, str) else tuple(voice)),
            licence,
            phone_timings=False,
            moods=tuple(mood for mood in MOODS if mood in self._moods),
            version=hashlib.sha256(json.dumps(sounds_by, sort_keys=True, default=str).encode()).hexdigest()[:12],
        )
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(None, connect=timeout),
            limits=httpx.Limits(
                max_connections=_CONNECTIONS, max_keepalive_connections=_KEPT, keepalive_expiry=_KEPT_SECONDS
            ),
            trust_env=not self._server.local,
            follow_redirects=False,
        )

    @property
    def info(self) -> VoiceInfo:
        return self._info

    async def warm(self, languages: Sequence[str] = ()) -> None:
        """Connect, and see whether the server is there and takes the key. Raises `VoiceError`."""
        if not self._probe:
            return
        patience = Patience(self._timeout, self._stall)
        try:
            with patience.waiting() as limit:
                async with limit, self._client.stream("GET", f"{self._base}/models") as answer:
                    body = await _start(answer)
        except LateServerError as error:
            raise self._server.failed(f"did not answer within {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise self._broken(error) from error
        if answer.status_code in (401, 403) or answer.status_code >= 500:
            raise self._server.refusal(answer.status_code, body)

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        remote.check_language(sentence.language, self._info.languages, self._info.name)
        if not remote.says_something(sentence.text):
            return
        patience = Patience(self._timeout, self._stall)
        try:
            async with AsyncExitStack() as stack:
                answer = await self._answer(sentence, patience)
                pull = await stack.enter_async_context(_body(answer, patience))
                kind = answer.headers.get("content-type", "")
                decoder, head = await decoder_for(pull, kind=kind, asked=self._format, rate=self._rate_hz)
                sounds = await stack.enter_async_context(aclosing(pieces(decoder, head, pull, patience.hear)))
                first = await anext(sounds, None)
                if first is None:
                    raise UnsoundError("answered without a sound")
                whole = one_after(first, sounds)
                chunks = sounding(whole, decoder.rate, sentence, self._level, name=self._server.voice(self._info.name))
                async with aclosing(chunks):
                    async for chunk in chunks:
                        yield chunk
        except (UnsoundError, LateServerError) as error:
            raise self._server.failed(str(error)) from error
        except httpx.HTTPError as error:
            raise self._broken(error) from error

    async def _answer(self, sentence: Sentence, patience: Patience) -> httpx.Response:
        """The server's answer, as soon as it begins. Raises `VoiceError` for one that is no success."""
        if self._client.is_closed:
            raise self._server.failed("is closed here: open a new voice to go on")
        sent = self._sent(sentence)
        headers = {"Accept-Encoding": "identity"}
        for attempt in (1, 2):
            request = self._client.build_request("POST", self._url, headers=headers, **sent)
            try:
                with patience.waiting() as limit:
                    async with limit:
                        answer = await self._client.send(request, stream=True)
                        if answer.status_code == 200:
                            break
                        async with aclosing(answer):
                            raise self._server.refusal(answer.status_code, await _start(answer))
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                # A kept connection may have been closed in the moment that it is used again.
                if attempt == 2:
                    raise
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise self._server.failed("sends its sound packed, which was not asked for")
        return answer

    def _sent(self, sentence: Sentence) -> dict[str, Any]:
        voice = remote.voice_for(self._voice, sentence.language)
        instructions = " ".join(filter(None, (self._instructions, self._moods.get(sentence.mood, ""))))
        text = remote.in_words(sentence.text, sentence.language) if self._in_words else sentence.text
        values = {
            "text": text.strip(), "voice": voice, "language": base(sentence.language), "mood": sentence.mood,
            "instructions": instructions,
        }  # fmt: skip
        if self._form is not None:
            return {"data": _filled(self._form, values)}
        sent: dict[str, Any] = {
            "model": self._model, "input": values["text"], "voice": voice, "response_format": self._format,
        }  # fmt: skip
        if instructions:
            sent["instructions"] = instructions
        if self._rate != 1:
            sent["speed"] = self._rate
        return {"json": {name: value for name, value in sent.items() if value != ""} | _filled(self._body, values)}

    def _broken(self, error: httpx.HTTPError) -> VoiceError:
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            return self._server.unreachable(error)
        return self._server.failed(f"broke the connection off ({type(error).__name__})")

    async def close(self) -> None:
        """End what is under way, too."""
        await self._client.aclose()


def _filled(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    places = {f"{{{name}}}": value for name, value in values.items()}
    return {name: places.get(value, value) if isinstance(value, str) else value for name, value in template.items()}


@asynccontextmanager
async def _body(answer: httpx.Response, patience: Patience) -> AsyncIterator[Callable[[], Awaitable[bytes | None]]]:
    """Gives what comes, None at the end. It is read ahead of whoever takes it, whose own time is not counted."""
    ahead: Channel[bytes] = Channel(_AHEAD_BYTES, len)

    async def read() -> None:
        try:
            async with aclosing(answer):
                async for data in answer.aiter_raw():
                    await ahead.send(data)
            ahead.close()
        except Exception as error:
            ahead.close(error)

    async def pull() -> bytes | None:
        try:
            with patience.waiting() as limit:
                async with limit:
                    return await ahead.receive()
        except ChannelClosedError:
            return None

    # No task group: a generator that is closed half-way leaves it in another task than it was entered in.
    reading = asyncio.get_running_loop().create_task(read())
    try:
        yield pull
    finally:
        reading.cancel()
        await asyncio.wait({reading})
        await answer.aclose()


async def _start(answer: httpx.Response) -> bytes:
    body = b""
    async for data in answer.aiter_raw():
        body += data
        if len(body) >= _REFUSAL_BYTES:
            break
    return body
