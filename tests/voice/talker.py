"""Servers of the WebSocket protocol that say what they are told to, right or wrong."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.voice.speaker import RATE, pcm, tone

Message = dict[str, Any]
HELLO: Message = {"type": "hello", "protocol": 1, "name": "test model", "languages": ["en", "zh"], "version": "7"}
Say = Callable[["Talk", Message], Awaitable[None]]
"""What a server does when it is asked for a sentence."""


@dataclass
class Talk:
    """One connection."""

    connection: ServerConnection

    async def tell(self, kind: str, name: object, **more: object) -> None:
        await self.connection.send(json.dumps({"type": kind, "id": name, **more}))

    async def start(self, asked: Message, rate: object = RATE) -> None:
        await self.tell("started", asked["id"], rate=rate, format="s16le")

    async def sound(self, seconds: float, rate: int = RATE) -> None:
        await self.connection.send(pcm(tone(seconds, rate)))


@dataclass
class Talker:
    """Asks and cancellations are kept; `speak` runs in a task that a cancellation ends, unless it is `deaf`."""

    speak: Say
    hello: Message | str | None
    deaf: bool = False
    address: str = ""
    asked: list[Message] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        assert connection.request is not None
        self.keys.append(connection.request.headers.get("Authorization"))
        talk, speaking, turn = Talk(connection), dict[str, asyncio.Task[None]](), asyncio.Lock()
        if self.hello is not None:
            await connection.send(self.hello if isinstance(self.hello, str) else json.dumps(self.hello))
        async with asyncio.TaskGroup() as tasks:
            async for data in connection:
                message = json.loads(data)
                name = message["id"]
                if message["type"] == "cancel":
                    self.cancelled.append(name)
                    if not self.deaf and (task := speaking.get(name)) is not None:
                        task.cancel()
                        await asyncio.wait({task})
                        await talk.tell("done", name)
                else:
                    self.asked.append(message)
                    speaking[name] = task = tasks.create_task(self._speak(talk, message, turn))
                    task.add_done_callback(functools.partial(self._forget, speaking, name))
            for task in list(speaking.values()):
                task.cancel()

    @staticmethod
    def _forget(speaking: dict[str, asyncio.Task[None]], name: str, _: asyncio.Task[None]) -> None:
        speaking.pop(name, None)

    async def _speak(self, talk: Talk, message: Message, turn: asyncio.Lock) -> None:
        with contextlib.suppress(ConnectionClosed):
            async with turn:
                await self.speak(talk, message)


@asynccontextmanager
async def talker(
    speak: Say, *, hello: Message | str | None = HELLO, deaf: bool = False, status: int = 101, port: int = 0
) -> AsyncIterator[Talker]:
    """With a `status` other than 101 nobody is let in."""
    one = Talker(speak, hello, deaf)

    def refuse(_: ServerConnection, __: Request) -> Response | None:
        headers = Headers({"Location": "ws://127.0.0.1:9/", "Content-Type": "application/json"})
        return None if status == 101 else Response(status, "No", headers, b'{"error": "not you"}')

    async with serve(one.serve, "127.0.0.1", port, process_request=refuse, close_timeout=0.2) as server:
        one.address = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/speech"
        yield one


async def well(talk: Talk, asked: Message) -> None:
    await talk.start(asked)
    for _ in range(6):
        await talk.sound(0.2)
    await talk.tell("done", asked["id"])


async def endlessly(talk: Talk, asked: Message) -> None:
    await talk.start(asked)
    while True:
        await talk.sound(0.2)


async def stops_after_a_start(talk: Talk, asked: Message) -> None:
    await talk.start(asked)
    await talk.sound(0.3)
    await asyncio.Event().wait()


async def never(talk: Talk, asked: Message) -> None:
    await asyncio.Event().wait()


def wrong(*messages: Message | bytes | str, start: bool = True, rate: object = RATE) -> Say:
    async def say(talk: Talk, asked: Message) -> None:
        if start:
            await talk.start(asked, rate)
        for message in messages:
            await talk.connection.send(
                json.dumps({"id": asked["id"], **message}) if isinstance(message, dict) else message
            )

    return say


async def hangs_up(talk: Talk, asked: Message) -> None:
    await talk.start(asked)
    await talk.sound(0.2)
    await talk.connection.close(1011, "out of memory")


async def breaks(talk: Talk, asked: Message) -> None:
    talk.connection.transport.abort()
