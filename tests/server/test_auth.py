from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anchor.broadcast.document import to_yaml
from anchor.errors import ConfigError
from anchor.server.api import create_app
from anchor.server.auth import check_bind, is_loopback
from tests.server.hall import NoteVisitors
from tests.server.newsroom import DOCUMENT, NoteDesk
from tests.server.studio import NoteChannel, NoteHub, opened

TOKEN = "a token of more than sixteen characters"
NAMES = {
    "channel": "news", "viewer": "x", "avatar": "lin", "performer": "p1", "session": "s1", "speaker": "s1",
    "output": "youtube", "act": "stop",
}  # fmt: skip
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("OPTIONS", "/whep/{channel}"),
    ("POST", "/whep/{channel}"),
    ("OPTIONS", "/whep/{channel}/{viewer}"),
    ("PATCH", "/whep/{channel}/{viewer}"),
    ("DELETE", "/whep/{channel}/{viewer}"),
    ("GET", "/hls/{channel}/{name}"),
    ("HEAD", "/hls/{channel}/{name}"),
    # A visitor's own, which want the session's key instead: see test_sessions.
    ("POST", "/api/v1/sessions"),
    ("POST", "/api/v1/sessions/{session}/text"),
    ("POST", "/api/v1/sessions/{session}/audio"),
}


def operations() -> list[tuple[str, str]]:
    """Every operation that the API describes."""
    hub = NoteHub(NoteChannel(None))  # type: ignore[arg-type]
    paths = create_app(hub, token=TOKEN, visitors=NoteVisitors()).openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def closed() -> list[tuple[str, str]]:
    return [operation for operation in operations() if operation not in OPEN]


def test_api_has_operations_that_drive_it() -> None:
    assert ("POST", "/api/v1/channels/{channel}/say") in closed()
    assert ("POST", "/api/v1/sessions/{session}/say") in closed()
    assert ("PUT", "/api/v1/channels/{channel}/rundown") in closed()
    assert len(closed()) >= 36


@pytest.mark.parametrize("operation", closed(), ids=" ".join)
@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
    ],
)
def test_every_operation_refuses_whoever_has_no_token(operation: tuple[str, str], given: str | None) -> None:
    async def main() -> None:
        method, path = operation
        visitors = NoteVisitors()
        async with opened(token=TOKEN, host="anchor.example.org", visitors=visitors) as (client, hub):
            headers = {} if given is None else {"Authorization": given}
            body: Any = {"text": "hello"} if method in ("POST", "PUT") else None
            answer = await client.request(
                method,
                path.format(**NAMES),
                headers=headers,
                json=body,
            )
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "token" in answer.json()["error"]
            assert (hub.news.said, hub.news.interrupts, visitors.done) == ([], 0, [])

    asyncio.run(main())


@pytest.mark.parametrize("operation", closed(), ids=" ".join)
def test_every_operation_works_with_the_token(operation: tuple[str, str]) -> None:
    async def main() -> None:
        method, path = operation
        visitors = NoteVisitors()
        desk = NoteDesk()
        async with opened(token=TOKEN, host="anchor.example.org", visitors=visitors, desk=desk) as (client, hub):
            await visitors.open("news", "v=0", language=None, session=None, key=None)
            await visitors.take("s1", "Ana")
            headers = {"Authorization": f"Bearer {TOKEN}"}
            bodies: dict[str, Any] = {
                "say": {"text": "hello"}, "manner": {"mood": "warm"}, "avatar": {"avatar": "mei"}, "take": {},
                "rundown": {"document": DOCUMENT, "version": 1}, "check": {"document": DOCUMENT},
                "preview": {"document": DOCUMENT, "segment": 0}, "draft": {"article": "Title\n\nText."},
                "jump": {"segment": "bye"}, "breaking": {"text": "News."},
            }  # fmt: skip
            body = bodies.get(path.rsplit("/", 1)[-1]) if method in ("POST", "PUT") else None
            content = None
            if path.endswith(("/mocap", "/microphone")):
                body, content, headers["Content-Type"] = None, "v=0", "application/sdp"
            elif path.endswith(".yaml") and method == "PUT":
                content, headers["Content-Type"] = to_yaml(DOCUMENT), "application/yaml"
            if method == "DELETE":
                await hub.news.performance.join("v=0")
                await hub.news.takeover.join("v=0")
            url = path.format(**NAMES)
            answer = await client.request(method, url, headers=headers, json=body, content=content)
            assert answer.is_success

    asyncio.run(main())


@pytest.mark.parametrize(("method", "url"), [("GET", "/watch/news"), ("GET", "/healthz"), ("OPTIONS", "/whep/news")])
def test_watching_needs_no_token(method: str, url: str) -> None:
    async def main() -> None:
        async with opened(token=TOKEN, host="anchor.example.org") as (client, _):
            assert (await client.request(method, url)).is_success

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1:8010", "localhost:8010", "[::1]:8010", "localhost", "LOCALHOST:1"])
def test_without_a_token_this_machine_is_served(host: str) -> None:
    async def main() -> None:
        async with opened(host=host) as (client, _):
            assert (await client.get("/api/v1/channels")).status_code == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org:8010",
        "127.0.0.1.evil.org",
        "192.168.1.5:8010",
        "localhost.evil.org",
        "[::1",
        "[x]:1",
        "",
        "a@127.0.0.1/",
    ],
)
@pytest.mark.parametrize("url", ["/api/v1/channels", "/watch/news", "/"])
def test_without_a_token_a_rebound_name_is_refused(host: str, url: str) -> None:
    async def main() -> None:
        async with opened() as (client, _):
            answer = await client.get(url, headers={"Host": host})
            assert answer.status_code == 403
            assert "loopback" in answer.json()["error"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", "http://[", "", "http://127.0.0.1:9999", "http://localhost:8010"]
)
@pytest.mark.parametrize("url", ["/api/v1/channels/news/say", "/api/v1/channels/news/interrupt", "/whep/news"])
def test_page_of_another_site_cannot_give_orders(origin: str, url: str) -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            answer = await client.post(url, json={"text": "x"}, headers={"Origin": origin})
            assert answer.status_code == 403
            assert (hub.news.said, hub.news.interrupts) == ([], 0)
            own = await client.post("/api/v1/channels/news/interrupt", headers={"Origin": "http://127.0.0.1:8010"})
            assert own.status_code == 200
            assert "access-control-allow-origin" not in own.headers

    asyncio.run(main())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "anchor.example.org", ""])
def test_listening_to_others_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="token"):
        check_bind(host, None)
    check_bind(host, TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.8.8.8"])
def test_listening_to_this_machine_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    check_bind(host, None)


def test_short_token_is_refused() -> None:
    with pytest.raises(ConfigError, match="16 characters"):
        check_bind("0.0.0.0", "secret")
