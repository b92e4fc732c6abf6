"""Voice servers on real sockets that can also misbehave in any way, and what is needed to talk with them."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import av
import numpy as np

from anchor.channel import closing
from anchor.clock import LoopClock
from anchor.events import Sentence
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Voice

RATE = 24_000
TEXT = "Good evening, and welcome to the news."
KEY = "sk-very-secret-0123456789"

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def tone(seconds: float, rate: int = RATE, hertz: float = 220.0) -> Samples:
    """Something to hear, float32 at -14 dB."""
    return np.asarray(0.2 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), np.float32)


def pcm(sound: Samples) -> bytes:
    return (sound * 32767).astype("<i2").tobytes()


def wav(sound: Samples, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm(sound))
    return file.getvalue()


def encoded(sound: Samples, container: str, codec: str, rate: int = RATE) -> bytes:
    """A file as FFmpeg writes it."""
    file = io.BytesIO()
    with av.open(file, "w", container) as out:
        stream = cast("av.AudioStream", out.add_stream(codec, rate=rate, layout="mono"))
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[np.newaxis], "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


@dataclass
class Speaker:
    """An HTTP server that takes requests and answers each with `answer`, then hangs up."""

    answer: Answer
    address: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A client has hung up while it was being answered."""

    @property
    def asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(self.requests[-1][2])
        return asked

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((first.split()[1], headers, body))
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(self._answer(writer))
                watch = tasks.create_task(self._watch(reader, answering))
                await asyncio.wait([answering])
                watch.cancel()
        except* (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        await self.answer(writer)

    async def _watch(self, reader: asyncio.StreamReader, answering: asyncio.Task[None]) -> None:
        await reader.read()
        self.gone.set()
        answering.cancel()


@asynccontextmanager
async def speaker(answer: Answer) -> AsyncIterator[Speaker]:
    one = Speaker(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield one
    finally:
        server.close()


def head(kind: str = "audio/pcm", status: str = "200 OK", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), "Connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def says(body: bytes | str, kind: str = "audio/pcm", status: str = "200 OK") -> Answer:
    data = body.encode() if isinstance(body, str) else body

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(kind, status, f"Content-Length: {len(data)}") + data)
        await writer.drain()

    return answer


def streams(*pieces: bytes, kind: str = "audio/pcm", every: float = 0.0, end: bool = True) -> Answer:
    """Pieces in packets of their own, each `every` seconds after the one before."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        clock = LoopClock()
        writer.write(head(kind))
        due = clock.now()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            due += every
            await clock.sleep_until(due)
        if not end:
            await asyncio.Event().wait()

    return answer


def endless(kind: str = "audio/pcm") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(kind))
        while True:
            writer.write(pcm(tone(0.5)))
            await writer.drain()

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_after_the_head(writer: asyncio.StreamWriter) -> None:
    writer.write(head())
    await asyncio.Event().wait()


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def talks_nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff\x00 this is no HTTP\r\n\r\n")
    await writer.drain()


def breaks_off(data: bytes, kind: str = "audio/pcm") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(kind, "200 OK", f"Content-Length: {len(data) + 100}") + data)
        await writer.drain()

    return answer


async def heard(voice: Voice, text: str = TEXT, language: str = "en") -> Samples:
    """All the sound of a sentence."""
    async with closing(voice.speak(Sentence(text, language))) as chunks:
        found = [chunk.audio async for chunk in chunks]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def pitch(sound: Samples) -> float:
    """Hertz of the strongest partial."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)).astype(np.float32)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(sound))
