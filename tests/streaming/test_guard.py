from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aioice import stun
from aioice.ice import Connection

from anchor.errors import MissingError
from anchor.media import VideoFormat
from streaming import guard
from streaming.peer import WebRtcSink
from tests.streaming.watching import Watcher, on_air

VIDEO = VideoFormat(160, 96, 25)


def ports(answer: str) -> list[int]:
    """The UDP ports on loopback that an answer names."""
    fields = [line.split() for line in answer.splitlines() if line.startswith("a=candidate:")]
    return sorted({int(field[5]) for field in fields if field[4] == "127.0.0.1"})


def stun_without_integrity() -> bytes:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    return bytes(message)


def stun_of(attribute: int, value: bytes) -> bytes:
    """A binding request with one crafted attribute, of the length it claims."""
    body = attribute.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
    return b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body


FORGED = {
    "empty": b"",
    "one byte": b"\x14",
    "junk": bytes(range(256)),
    "dtls fatal alert": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",
    "dtls close alert": b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00",
    "foreign client hello": b"\x16\xfe\xff" + bytes(8) + b"\x00\x0c\x01" + bytes(11),
    "stun without integrity": stun_without_integrity(),
    "stun cut short": stun_without_integrity()[:15],
    "stun with a bad address": stun_of(0x0020, b"\x00\x07\x00"),
    "stun with a short priority": stun_of(0x0024, b"\x01"),
    "stun with a bad name": stun_of(0x0006, b"\xff\xfe\xfd"),
    "rtp": b"\x80\x60" + bytes(40),
}


async def attack(answer: str, datagrams: list[bytes]) -> None:
    """Send datagrams to the viewer's port from a socket that nobody knows."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for port in ports(answer):
            for data in datagrams:
                await loop.sock_sendto(stranger, data, ("127.0.0.1", port))


async def pictures_after(datagrams: list[bytes], *, early: bool = True) -> int:
    """How many of the next 20 pictures a viewer gets when a stranger sends `datagrams` to the server."""
    async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO), Watcher() as watcher:
        answer = await sink.join(await watcher.offer())
        if early:
            await attack(answer.sdp, datagrams)  # while the connection is made
        await watcher.accept(answer.sdp)
        await watcher.until_pictures(3)
        await attack(answer.sdp, datagrams)
        before = len(watcher.pictures)
        try:
            await watcher.until_pictures(20, seconds=2)
        except TimeoutError:
            return len(watcher.pictures) - before
        return 20


@contextmanager
def unguarded() -> Iterator[None]:
    """Connections as aiortc makes them, but with loopback candidates."""

    def loopback_only(connection: Connection, now: object, *, gather_seconds: float = 5) -> guard.Watch:
        gather = connection.get_component_candidates
        connection.get_component_candidates = lambda component, addresses, timeout=5: gather(  # type: ignore
            component, [guard.LOOPBACK], timeout
        )
        return guard.Watch(heard=1e12)

    before = guard.watch
    guard.watch = loopback_only
    try:
        yield
    finally:
        guard.watch = before


def test_forged_datagrams_do_not_end_a_session() -> None:
    assert asyncio.run(pictures_after(list(FORGED.values()) * 3)) == 20


def test_without_the_guard_one_empty_datagram_ends_it() -> None:
    with unguarded():
        assert asyncio.run(pictures_after([FORGED["empty"]], early=False)) < 20


def test_an_aioice_that_is_built_differently_is_refused() -> None:
    with pytest.raises(MissingError, match=r"aioice .* \(check_incoming is gone\)"):
        guard.require(object(), ("check_incoming",), "aioice")
