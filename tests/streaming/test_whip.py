"""Pushing by WHIP to a real endpoint: what arrives, what a refusal does, and coming back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from anchor.errors import FormatError
from anchor.media import VideoFormat
from streaming.peer import WebRtcSink
from streaming.whip_http import read_links, shown
from tests.streaming.watching import Watcher, on_air
from tests.streaming.whip_server import TOKEN, Endpoint, endpoint

VIDEO = VideoFormat(160, 96, 25)


def pushing(test: Callable[[WebRtcSink, Endpoint, str], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with endpoint() as (served, url):
            async with WebRtcSink(VIDEO) as sink, on_air(sink, VIDEO):
                await test(sink, served, url)
            assert all(session.ended for session in served.sessions), "each session is taken back"

    asyncio.run(main())


def test_pushed_stream_arrives_with_every_picture_and_sound_in_step() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        push = sink.push(f"whip+{url}", token=TOKEN, name="partner")
        await served.until(lambda: bool(served.sessions) and len(served.sessions[0].pictures) >= 30)
        (session,) = served.sessions
        times = [frame.pts or 0 for frame in session.pictures]
        assert {after - before for before, after in itertools.pairwise(times)} == {VIDEO.ticks_per_beat}
        assert len(session.sounds) > 30
        await served.until(lambda: push.info().bitrate > 0)
        info = push.info()
        assert (info.name, info.kind, info.state, info.attempts, info.dropped) == ("partner", "whip", "live", 1, 0)
        assert info.sent_seconds > 0 and info.problem == ""
        assert sink.viewers == 0, "a pushed server is no viewer"

    pushing(test)


def test_viewer_and_pushed_server_share_one_encoder() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        sink.push(url, token=TOKEN)
        async with Watcher() as watcher:
            answer = await sink.join(await watcher.offer())
            await watcher.accept(answer.sdp)
            await watcher.until_pictures(10)
            await served.until(lambda: bool(served.sessions) and len(served.sessions[0].pictures) >= 10)
            assert sink.viewers == 1

    pushing(test)


def test_token_and_offer_follow_a_redirect() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        served.answers = [(307, {"Location": "/whip/elsewhere"})]
        push = sink.push(url, token=TOKEN)
        await served.until(lambda: push.info().state == "live")
        posts = [(path, headers["authorization"]) for method, path, headers in served.requests if method == "POST"]
        assert posts == [("/whip/news", f"Bearer {TOKEN}"), ("/whip/elsewhere", f"Bearer {TOKEN}")]

    pushing(test)


def test_refused_push_has_failed_with_the_reason_until_it_is_started_again() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        served.answers = [(403, {})]
        push = sink.push(url, token=TOKEN)
        await served.until(lambda: push.info().state == "failed")
        assert push.info().problem == "the server refuses: 403: no way"
        push.start()
        await served.until(lambda: push.info().state == "live")
        assert push.info().problem == "" and push.info().attempts == 2

    pushing(test)


def test_busy_server_is_called_again_when_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        served.answers = [(503, {"Retry-After": "1"}), (409, {})]
        push = sink.push(url, token=TOKEN)
        loop = asyncio.get_running_loop()
        await served.until(lambda: push.info().state == "waiting")
        waited = loop.time()
        await served.until(lambda: push.info().attempts == 2)
        assert 0.8 <= loop.time() - waited < 2
        await served.until(lambda: push.info().state == "live")
        assert push.info().attempts == 3

    pushing(test)


def test_lost_server_is_called_again_and_gets_a_keyframe_first() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        push = sink.push(url, token=TOKEN)
        await served.until(lambda: bool(served.sessions) and len(served.sessions[0].pictures) >= 5)
        served.answers = [(404, {})]  # a server that has come up, but not its routes
        served.sessions[0].ended = True
        await served.sessions[0].connection.close()
        await served.until(lambda: len(served.sessions) == 2 and len(served.sessions[1].pictures) >= 3)
        assert push.info().state == "live"
        assert push.info().attempts == 3

    pushing(test)


@pytest.mark.parametrize("location", ["http://[", "http://\x7f", "ftp://x/", "//" + "a" * 5000])
def test_redirect_to_nonsense_leaves_the_stream_alone(location: str) -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        served.answers = [(307, {"Location": location})]
        push = sink.push(url, token=TOKEN)
        await served.until(lambda: push.info().state in ("waiting", "failed"))
        assert push.info().problem
        push.start()
        await served.until(lambda: push.info().state == "live")

    pushing(test)


def test_stopped_push_ends_its_session_and_can_be_started_again() -> None:
    async def test(sink: WebRtcSink, served: Endpoint, url: str) -> None:
        push = sink.push(url, token=TOKEN, start=False)
        assert push.info().state == "stopped" and not served.requests
        push.start()
        await served.until(lambda: push.info().state == "live")
        push.stop()
        await served.until(lambda: push.info().state == "stopped")
        assert served.sessions[0].ended
        push.start()
        await served.until(lambda: push.info().state == "live")

    pushing(test)


def test_server_that_does_not_answer_holds_nobody_up_when_the_stream_ends() -> None:
    async def main() -> None:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()
            writer.close()

        asked = asyncio.Event()
        server = await asyncio.start_server(swallow, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, WebRtcSink(VIDEO) as sink:
            push = sink.push(f"http://127.0.0.1:{port}/whip")
            await asked.wait()
            assert push.info().state == "connecting"
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 2

    asyncio.run(main())


@pytest.mark.parametrize("url", ["rtmp://x/y", "whip+ftp://x", "http://", "https://x:port/"])
def test_odd_address_is_refused(url: str) -> None:
    async def main() -> None:
        async with WebRtcSink(VIDEO) as sink:
            with pytest.raises(FormatError, match="whip"):
                sink.push(url)

    asyncio.run(main())


def test_address_is_shown_without_secrets() -> None:
    assert shown("whip+https://me:word@host:8443/live/a1b2c3d4e5f6a7b8c9?token=x") == "https://host:8443/live/a1b2…"


def test_ice_servers_are_read_from_links() -> None:
    links = [
        '<stun:stun.example.net>; rel="ice-server", <turn:turn.example.net?transport=udp>; rel="ice-server"; '
        'username="user"; credential="pass;word"; credential-type="password"',
        '<https://example.net>; rel="urn:ietf:params:whip:ext:core"',
        "<javascript:x>; rel=ice-server",
        "nonsense <",
    ]
    found = read_links(links)
    assert [(one.urls, one.username, one.credential) for one in found] == [
        ("stun:stun.example.net", None, None),
        ("turn:turn.example.net?transport=udp", "user", "pass;word"),
    ]
