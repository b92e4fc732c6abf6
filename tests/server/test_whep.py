from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.server.studio import VIDEO, opened
from tests.streaming.watching import Watcher, on_air

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


def test_viewer_watches_by_one_request_and_leaves_by_another() -> None:
    async def main() -> None:
        async with opened() as (client, hub), on_air(hub.news.viewers, VIDEO), Watcher() as watcher:
            answer = await client.post("/whep/news", content=await watcher.offer(), headers=SDP)
            assert answer.status_code == 201
            assert answer.headers["content-type"] == "application/sdp"
            assert answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
            assert answer.headers["etag"].startswith('"')
            await watcher.accept(answer.text)
            await watcher.until_pictures(3)
            session = answer.headers["location"]
            assert session.startswith("/whep/news/")
            assert (await client.delete(session)).status_code == 200
            assert hub.news.viewers.viewers == 0
            assert (await client.delete(session)).status_code == 404

    asyncio.run(main())


def test_candidates_trickle_in_under_their_etag() -> None:
    async def main() -> None:
        async with opened() as (client, _), Watcher() as watcher:
            offer = await watcher.offer()
            answer = await client.post("/whep/news", content=offer, headers=SDP)
            session, etag = answer.headers["location"], answer.headers["etag"]
            candidates = [line for line in offer.splitlines() if line.startswith(("a=candidate", "a=ice-ufrag"))]
            fragment = "\r\n".join(candidates) + "\r\n"

            async def patch(url: str, text: str, **headers: str) -> int:
                response = await client.patch(url, content=text, headers={**FRAGMENT, **headers})
                return response.status_code

            assert await patch(session, fragment) == 204
            assert await patch(session, fragment, **{"If-Match": etag}) == 204
            assert await patch(session, fragment, **{"If-Match": "*"}) == 204
            assert await patch(session, fragment, **{"If-Match": '"old"'}) == 412
            assert await patch(session, "a=ice-ufrag:new\r\na=ice-pwd:x\r\n", **{"If-Match": "*"}) == 422
            assert await patch(session, fragment, **{"Content-Type": "application/sdp"}) == 415
            assert await patch("/whep/news/nobody", fragment) == 404
            assert await patch("/whep/nothing/nobody", fragment) == 404

    asyncio.run(main())


def test_options_tell_how_to_watch_and_which_servers_to_use() -> None:
    async def main() -> None:
        servers = ["stun:stun.example.org:3478", "turn:me:secret@turn.example.org"]
        async with opened(ice_servers=servers) as (client, _), Watcher() as watcher:
            answer = await client.options("/whep/news")
            assert answer.status_code == 204
            assert answer.headers["accept-post"] == "application/sdp"
            assert answer.headers["allow"] == "POST, OPTIONS"
            links = answer.headers.get_list("link")
            assert links == [
                '<stun:stun.example.org:3478>; rel="ice-server"',
                '<turn:turn.example.org>; rel="ice-server"; username="me"; credential="secret"',
            ]
            joined = await client.post("/whep/news", content=await watcher.offer(), headers=SDP)
            assert joined.headers.get_list("link") == links
            assert (await client.options("/whep/nothing")).status_code == 404

    asyncio.run(main())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "POST", "url": "/whep/nothing", "content": "v=0", "headers": SDP}, 404),
        ({"method": "POST", "url": "/whep/news", "content": "v=0", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"method": "POST", "url": "/whep/news", "content": "v=0"}, 415),
        ({"method": "POST", "url": "/whep/news", "content": "v=0", "headers": {**SDP, "Accept": "text/html"}}, 406),
        ({"method": "POST", "url": "/whep/news", "content": "hello", "headers": SDP}, 400),
        ({"method": "POST", "url": "/whep/news", "content": "", "headers": SDP}, 400),
        ({"method": "POST", "url": "/whep/news", "content": b"v=0\r\n\xff\xfe", "headers": SDP}, 400),
        ({"method": "POST", "url": "/whep/news", "content": "v=0\r\n" * 20_000, "headers": SDP}, 413),
        ({"method": "GET", "url": "/whep/news"}, 405),
        ({"method": "PUT", "url": "/whep/news"}, 405),
        ({"method": "GET", "url": "/whep/news/somebody"}, 405),
        ({"method": "POST", "url": "/whep/news/somebody"}, 405),
        ({"method": "DELETE", "url": "/whep/nothing/somebody"}, 404),
    ],
)
def test_wrong_request_is_refused_with_its_status_and_a_reason(request_: dict[str, Any], status: int) -> None:
    async def main() -> httpx.Response:
        async with opened() as (client, hub):
            answer = await client.request(**request_)
            assert hub.news.viewers.viewers == 0
            return answer

    answer = asyncio.run(main())
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"]


def test_full_house_says_when_to_come_again() -> None:
    async def main() -> None:
        async with opened(max_viewers=1) as (client, _), Watcher() as first, Watcher() as second:
            assert (await client.post("/whep/news", content=await first.offer(), headers=SDP)).status_code == 201
            refused = await client.post("/whep/news", content=await second.offer(), headers=SDP)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            assert "1 viewer" in refused.json()["error"]

    asyncio.run(main())
