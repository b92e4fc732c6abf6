"""A connection to a voice server and the sentences on it, from the client's side of ``PROTOCOL.md``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from anchor.media import Samples
from anchor.ports import SpeechChunk
from anchor.voice import remote
from anchor.voice.received import Raw, UnsoundError
from anchor.voice.remote import LateServerError, Patience
from anchor.voice.told_timings import Timings

CANCEL_SECONDS = 0.02
"""How long sending a cancellation may take before the connection is given up instead."""
CANCELLED_SECONDS = 0.25
"""How long a server may take to leave a cancelled sentence before the next is asked for on another connection."""
CLOSING_SECONDS = 0.5

Message = dict[str, Any]


class BrokenError(Exception):
    """The connection or what came over it is of no use; the text says why."""


class Link:
    """A connection. `owing`: sentences that were cancelled and of which the server has not said that they ended."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.owing = set[str]()

    async def send(self, message: Message) -> None:
        try:
            await self._connection.send(json.dumps(message, ensure_ascii=False))
        except ConnectionClosed as error:
            raise BrokenError(_closed(error)) from error

    async def receive(self, patience: Patience) -> Message | bytes:
        try:
            with patience.waiting() as limit:
                async with limit:
                    data = await self._connection.recv()
        except ConnectionClosed as error:
            raise BrokenError(_closed(error)) from error
        if isinstance(data, bytes):
            return data
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BrokenError(f"sent text that is no JSON: {data[:60]!r}") from error
        if not isinstance(message, dict):
            raise BrokenError(f"sent JSON that is no object: {data[:60]!r}")
        return message

    def abort(self) -> None:
        self._connection.transport.abort()

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._connection.close()
        except TimeoutError:
            self.abort()
            await self._connection.wait_closed()


def _closed(error: ConnectionClosed) -> str:
    close = error.rcvd or error.sent
    why = f": {close.reason[:120]}" if close and close.reason else ""
    return f"broke the connection off{f' ({close.code}{why})' if close else ''}"


class Saying:
    """One sentence on a connection."""

    def __init__(self, link: Link, name: str, text: str, patience: Patience, *, timed: bool) -> None:
        self.link = link
        self.rate = 0
        self.ended = False
        """Whether the server has said the sentence's last word."""
        self._name = name
        self._patience = patience
        self._timings = Timings(text) if timed else None
        self._failed = False

    async def begin(self, request: Message) -> None:
        """Ask, and wait until the server begins; not for long while it is still at one that was cancelled."""
        try:
            await self.link.send({"type": "speak", "id": self._name, **request})
            async with asyncio.timeout(CANCELLED_SECONDS if self.link.owing else None) as limit:
                while not self.rate and not self.ended:
                    message = await self.link.receive(self._patience)
                    if isinstance(message, bytes):
                        continue
                    if not self._concerns(message):
                        if not self.link.owing:
                            limit.reschedule(None)
                        continue
                    if message.get("type") == "started":
                        self.link.owing.clear()
                        self.rate = _rate(message)
                    else:
                        self._take(message)
        except TimeoutError as error:
            raise BrokenError("does not leave a sentence that was cancelled") from error
        if not self.rate:
            raise UnsoundError("ended without a sound")

    async def sounds(self) -> AsyncGenerator[Samples, None]:
        decoder = Raw(self.rate)
        try:
            while not self.ended:
                message = await self.link.receive(self._patience)
                if isinstance(message, dict):
                    if self._concerns(message):
                        self._take(message)
                    continue
                sound = await decoder.feed(message)
                if len(sound):
                    self._patience.hear(len(sound) / self.rate)
                    yield sound
        except (LateServerError, BrokenError, UnsoundError):
            self._failed = True
            raise

    def timed(self, chunk: SpeechChunk) -> SpeechChunk:
        """A chunk with what the server has told of it."""
        return self._timings.on(chunk) if self._timings is not None else chunk

    def rest(self) -> SpeechChunk | None:
        """What was told after the last sound."""
        return self._timings.rest() if self._timings is not None else None

    async def cancel(self) -> bool:
        """Tell the server to stop; whether the connection is still good."""
        if self._failed:
            return False
        self.link.owing.add(self._name)
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await self.link.send({"type": "cancel", "id": self._name})
        except (BrokenError, TimeoutError):
            return False
        return True

    def _concerns(self, message: Message) -> bool:
        """Whether a message is about this sentence; one about another is dropped, but its end is remembered."""
        name = message.get("id")
        if name in (self._name, None):
            return True
        if message.get("type") in ("done", "error"):
            self.link.owing.discard(str(name))
        return False

    def _take(self, message: Message) -> None:
        match message.get("type"):
            case "done":
                self.ended = True
            case "error":
                self.ended = True
                raise UnsoundError(f"failed: {' '.join(str(message.get('message', '')).split())[:200]}")
            case "words" if self._timings is not None:
                self._timings.words(message.get("words"))
            case "phones" if self._timings is not None:
                self._timings.phones(message.get("phones"))


def _rate(message: Message) -> int:
    rate, form = message.get("rate"), message.get("format", "s16le")
    if form != "s16le":
        raise UnsoundError(f"sends sound as {str(form)[:20]!r}; here it is s16le")
    if not isinstance(rate, int) or rate not in remote.RATES:
        raise UnsoundError(f"sends sound of {str(rate)[:20]} samples a second")
    return rate
