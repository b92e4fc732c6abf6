"""An HTTP back-end on a real socket, which answers as it is told to: as back-ends do and should not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Request(NamedTuple):
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split()[1]

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass
class BackEnd:
    """Answers every request with `answer`, then hangs up; keeps what it was sent."""

    answer: Answer
    base: str = ""
    requests: list[Request] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A client has hung up while it was being answered."""

    @property
    def address(self) -> str:
        """Of the protocols whose paths begin with a version."""
        return f"{self.base}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Request(line, headers, body))
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
async def back_end(answer: Answer) -> AsyncIterator[BackEnd]:
    one = BackEnd(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()


def head(kind: str, status: str = "200 OK", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), "Connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(content: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return answer


def says(body: bytes | str, kind: str = "application/json", status: str = "200 OK", *more: str) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    return raw(head(kind, status, f"Content-Length: {len(data)}", *more) + data)


def says_json(data: object, status: str = "200 OK") -> Answer:
    return says(json.dumps(data), status=status)


def breaks_off(body: bytes, kind: str = "application/json") -> Answer:
    """Hang up before all that was promised."""
    return raw(head(kind, "200 OK", f"Content-Length: {len(body) + 100}") + body)


def floods(body: bytes, kind: str = "application/json") -> Answer:
    """More than anybody wants, until the other side has enough."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(kind))
        while True:
            writer.write(body)
            await writer.drain()

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side goes."""
    await asyncio.Event().wait()


def hangs_after(content: bytes) -> Answer:
    """Begin well and never end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await hangs(writer)

    return answer


async def drips(writer: asyncio.StreamWriter) -> None:
    from anchor.clock import LoopClock

    clock = LoopClock()
    writer.write(head("application/json", "200 OK", "Content-Length: 5000"))
    while True:
        writer.write(b" ")
        await writer.drain()
        await clock.sleep_until(clock.now() + 0.02)


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


talks_nonsense = raw(b"\x00\xff\x00 this is no HTTP\r\n\r\n")
