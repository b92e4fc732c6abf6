"""A server of OpenAI's transcription protocol, on a real socket, that can also misbehave in any way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upload:
    path: str
    headers: dict[str, str]
    fields: dict[str, bytes]


@dataclass
class Transcriber:
    """Takes uploads and answers each with `answer`."""

    answer: Answer
    uploads: list[Upload] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has hung up while it was being answered."""
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.uploads.append(Upload(first.split()[1], headers, _fields(headers["content-type"], body)))
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(self._answer(writer))
                watch = tasks.create_task(self._watch(reader, answering))
                await asyncio.wait([answering])
                watch.cancel()
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        await self.answer(writer)

    async def _watch(self, reader: asyncio.StreamReader, answering: asyncio.Task[None]) -> None:
        await reader.read()
        self.gone.set()
        answering.cancel()


def _fields(kind: str, body: bytes) -> dict[str, bytes]:
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=HTTP)
    found = {}
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        found[name] = content
    return found


@asynccontextmanager
async def transcriber(answer: Answer) -> AsyncIterator[Transcriber]:
    one = Transcriber(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield one
    finally:
        server.close()


def says(body: bytes | str, kind: str = "application/json", status: str = "200 OK") -> Answer:
    data = body.encode() if isinstance(body, str) else body

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        await writer.drain()

    return answer


def streams(*events: object, end: bool = True) -> Answer:
    """Server-sent events, each in a packet of its own."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for event in events:
            writer.write(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode())
            await writer.drain()
        if not end:
            await asyncio.Event().wait()

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"te')
    await writer.drain()


async def drips(writer: asyncio.StreamWriter) -> None:
    from anchor.clock import LoopClock

    clock = LoopClock()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await clock.sleep_until(clock.now() + 0.02)


async def floods(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b" " * (1 << 16))
        await writer.drain()


async def talks_nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff\x00 this is no HTTP\r\n\r\n")
    await writer.drain()
