"""Serve a voice to other machines: ``python -m tools.voice_server --voice espeak --host 0.0.0.0 --port 8020``.

It speaks OpenAI's protocol (``POST /v1/audio/speech``) and that of ``anchor/voice/PROTOCOL.md`` (``/v1/speech``), so an
anchor elsewhere uses it as its voice ``openai`` or ``websocket``; the latter gets words, phones and moods as well. The
first line that is written is the address. Where others can reach it, ``VOICE_SERVER_KEY`` in the environment is a key
that they must have.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import numpy as np
import soxr
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.websockets import WebSocketDisconnect

from anchor import parts
from anchor.config import VoiceConfig
from anchor.errors import AnchorError, ConfigError, VoiceError
from anchor.events import Mood, Sentence, Span
from anchor.media import SAMPLE_RATE, Samples
from anchor.pipeline.segmenter import language_of, segment
from anchor.ports import SpeechChunk, Voice
from anchor.server.auth import check_bind
from anchor.voice.moods import MOODS
from anchor.voice.sound import LOUDNESS
from anchor.voice.spoken import spoken

OPENAI_RATE = 24_000
"""What OpenAI's ``pcm`` is. The other protocol says its rate, so sound goes out there as it is."""
LARGEST_TEXT = 4096
FRAME_SAMPLES = 8192
"""Most samples in one message."""


class SpeechRequest(BaseModel):
    """OpenAI's fields, and two of ours."""

    input: str = Field(min_length=1, max_length=LARGEST_TEXT)
    model: str = ""
    voice: Any = ""
    response_format: str = "pcm"
    speed: float = Field(default=1.0, ge=0.25, le=4.0)
    instructions: str = ""
    language: str = ""
    mood: Mood = "neutral"


def create_app(voice: Voice, *, language: str = "en", key: str = "") -> FastAPI:
    """Both protocols for one voice. `language` is that of texts that do not tell by their script."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await voice.warm([language])
        try:
            yield
        finally:
            await voice.close()

    app = FastAPI(title="voice server", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    def allowed(header: str | None) -> bool:
        return not key or hmac.compare_digest((header or "").encode(), f"Bearer {key}".encode())

    @app.get("/v1/models", response_model=None)
    async def models(request: Request) -> Response:
        if not allowed(request.headers.get("authorization")):
            return _refused(401, "this server wants a key")
        model = {"id": voice.info.name, "object": "model", "created": 0, "owned_by": voice.info.engine}
        return JSONResponse({"object": "list", "data": [model]})

    @app.post("/v1/audio/speech", response_model=None)
    async def speech(request: Request, asked: SpeechRequest) -> Response:
        if not allowed(request.headers.get("authorization")):
            return _refused(401, "this server wants a key")
        if asked.response_format not in ("pcm", "wav"):
            return _refused(400, f"response_format {asked.response_format!r} is not served here: pcm or wav")
        sounds = _bytes(_read(voice, asked, asked.language or language_of(asked.input, language)))
        try:
            first = await anext(sounds, b"")
        except AnchorError as error:
            return _refused(400, str(error))
        if not first:
            return _refused(400, "there is nothing to say in that text")
        head = _wav_head(OPENAI_RATE) if asked.response_format == "wav" else b""
        kind = "audio/wav" if head else f"audio/pcm;rate={OPENAI_RATE}"
        return StreamingResponse(_all(head + first, sounds), media_type=kind)

    @app.websocket("/v1/speech")
    async def converse(connection: WebSocket) -> None:
        if not allowed(connection.headers.get("authorization")):
            await connection.close(1008)
            return
        await connection.accept()
        await Conversation(connection, voice).run()

    return app


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status)


async def _read(voice: Voice, asked: SpeechRequest, language: str) -> AsyncGenerator[Samples, None]:
    """A text of any number of sentences, at the project's rate."""

    async def text() -> AsyncIterator[str]:
        yield asked.input

    pause = 0.0
    async for sentence in segment(text(), language, eager=False):
        if pause:
            yield np.zeros(round(pause * SAMPLE_RATE), np.float32)
        async with aclosing(_spoken(voice, sentence, mood=asked.mood, rate=asked.speed)) as chunks:
            async for chunk in chunks:
                yield chunk.audio
        pause = sentence.pause


async def _spoken(voice: Voice, sentence: Sentence, *, mood: Mood, rate: float) -> AsyncGenerator[SpeechChunk, None]:
    whole = (Span(0, len(sentence.text), "prosody", rate=rate),) if rate != 1 else ()
    async with aclosing(spoken(voice, Sentence(sentence.text, sentence.language, spans=whole, mood=mood))) as chunks:
        async for chunk in chunks:
            yield chunk


async def _bytes(sounds: AsyncGenerator[Samples, None]) -> AsyncGenerator[bytes, None]:
    resampler = soxr.ResampleStream(SAMPLE_RATE, OPENAI_RATE, 1, dtype="float32")
    async with aclosing(sounds):
        async for sound in sounds:
            if len(out := resampler.resample_chunk(sound)):
                yield _pcm(out)
    yield _pcm(resampler.resample_chunk(np.zeros(0, np.float32), last=True))


async def _all(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        # An error breaks the answer off: there is no other way to tell by now.
        async for data in rest:
            yield data


def _pcm(sound: Samples) -> bytes:
    return (np.clip(sound, -1, 1) * 32767).round().astype("<i2").tobytes()


def _wav_head(rate: int) -> bytes:
    """The head of a WAV of unknown length, as streams have it."""
    unknown = (0xFFFFFFFF).to_bytes(4, "little")
    fields = b"".join(
        value.to_bytes(size, "little")
        for value, size in ((16, 4), (1, 2), (1, 2), (rate, 4), (2 * rate, 4), (2, 2), (16, 2))
    )
    return b"RIFF" + unknown + b"WAVEfmt " + fields + b"data" + unknown


class Conversation:
    """One client's connection: sentences in the order in which they are asked for."""

    def __init__(self, connection: WebSocket, voice: Voice) -> None:
        self._connection = connection
        self._voice = voice
        self._turn = asyncio.Lock()
        self._sending = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        info = self._voice.info
        await self._tell(
            {
                "type": "hello", "protocol": 1, "name": info.engine, "languages": list(info.languages),
                "moods": list(info.moods), "phones": True, "licence": info.licence, "version": info.version,
                "loudness": LOUDNESS,
            }
        )  # fmt: skip
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    message = json.loads(await self._connection.receive_text())
                    name = str(message.get("id", ""))
                    if message.get("type") == "speak":
                        self._tasks[name] = tasks.create_task(self._speak(name, message))
                    elif message.get("type") == "cancel" and (task := self._tasks.get(name)) is not None:
                        task.cancel()
            except (WebSocketDisconnect, ValueError, AttributeError, KeyError):
                pass
            for task in self._tasks.values():
                task.cancel()
        with suppress(RuntimeError):
            await self._connection.close()

    async def _speak(self, name: str, message: dict[str, Any]) -> None:
        end: dict[str, Any] = {"type": "done", "id": name}
        try:
            async with self._turn:
                await self._say(name, message)
        except asyncio.CancelledError:
            pass
        except (AnchorError, TypeError, ValueError) as error:
            end = {"type": "error", "id": name, "message": str(error)}
        finally:
            del self._tasks[name]
        await self._tell(end)

    async def _say(self, name: str, message: dict[str, Any]) -> None:
        text = str(message["text"])
        if len(text) > LARGEST_TEXT:
            raise VoiceError(f"a sentence of more than {LARGEST_TEXT} characters")
        rate = min(4.0, max(0.25, float(message.get("rate", 1))))
        sentence = Sentence(text, str(message.get("language", "en")))
        await self._tell({"type": "started", "id": name, "rate": SAMPLE_RATE, "format": "s16le"})
        mood: Mood = next((mood for mood in MOODS if mood == message.get("mood")), "neutral")
        async with aclosing(_spoken(self._voice, sentence, mood=mood, rate=rate)) as chunks:
            async for chunk in chunks:
                if chunk.words:
                    words = [[word.text, *_seconds(word.start, word.end)] for word in chunk.words]
                    await self._tell({"type": "words", "id": name, "words": words})
                if chunk.phones:
                    phones = [[one.symbol, *_seconds(one.start, one.end), one.stress] for one in chunk.phones]
                    await self._tell({"type": "phones", "id": name, "phones": phones})
                for start in range(0, len(chunk.audio), FRAME_SAMPLES):
                    async with self._sending:
                        await self._connection.send_bytes(_pcm(chunk.audio[start : start + FRAME_SAMPLES]))

    async def _tell(self, message: dict[str, Any]) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            async with self._sending:
                await self._connection.send_text(json.dumps(message, ensure_ascii=False))


def _seconds(*samples: int) -> list[float]:
    return [round(sample / SAMPLE_RATE, 6) for sample in samples]


def options_of(pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs, whose values are JSON or else text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ConfigError(f"--option {pair}: write key=value")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


async def serve(voice: Voice, listening: socket.socket, *, language: str, key: str) -> None:
    app = create_app(voice, language=language, key=key)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws_per_message_deflate=False, timeout_graceful_shutdown=1
    )
    await uvicorn.Server(config).serve(sockets=[listening])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.voice_server", description=__doc__)
    parser.add_argument("--voice", default="espeak", help="a back-end by its name, or a voice package")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of that back-end")
    parser.add_argument("--language", default="en", help="of texts in Latin script")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8020, help="0 takes a free one")
    asked = parser.parse_args(arguments)
    key = os.environ.get("VOICE_SERVER_KEY", "")
    # A client that hangs up in the middle of an answer is usual: every interrupted sentence.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        check_bind(asked.host, key or None)
        voice = parts.open_voice(VoiceConfig(engine=asked.voice, options=options_of(asked.option)))
        listening = socket.create_server((asked.host, asked.port))
    except (AnchorError, OSError) as error:
        print(f"voice server: {error}", file=sys.stderr)
        return 1
    with listening:
        host, port = listening.getsockname()[:2]
        print(f"http://{host}:{port}", flush=True)
        asyncio.run(serve(voice, listening, language=asked.language, key=key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
