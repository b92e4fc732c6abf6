from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx
import pytest

from anchor.interactive.wire import LONGEST_TEXT
from anchor.server.api import create_app
from anchor.server.refusals import MAX_BODY_BYTES
from anchor.server.sessions import MAX_AUDIO_BYTES
from tests.server.hall import NoteVisitors
from tests.server.studio import VIDEO, NoteChannel, NoteHub, opened
from tests.streaming.watching import Watcher, on_air

TOKEN = "a token of more than sixteen characters"
URL = "/api/v1/sessions"
OFFER = {"channel": "news", "sdp": "v=0 offer"}


@asynccontextmanager
async def hall(*, room: int = 4) -> AsyncIterator[tuple[httpx.AsyncClient, NoteVisitors]]:
    visitors = NoteVisitors(room=room)
    async with opened(token=TOKEN, host="anchor.example.org", visitors=visitors) as (client, _):
        yield client, visitors


def proof(visit: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Session {visit['key']}"}


OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


async def enter(client: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await client.post(URL, json=OFFER | values)
    assert answer.status_code == 201
    visit: dict[str, Any] = answer.json()
    return visit


def test_a_visitor_talks_over_webrtc_by_one_request() -> None:
    async def main() -> None:
        visitors = NoteVisitors()
        async with opened(visitors=visitors) as (client, hub), Watcher() as watcher:
            visitors.viewers = hub.news.viewers
            async with on_air(hub.news.viewers, VIDEO):
                visit = await enter(client, sdp=await watcher.offer(), language="zh-CN")
                await watcher.accept(visit["sdp"])
                await watcher.until_pictures(3)
                assert visitors.opened == [{"channel": "news", "language": "zh-CN", "session": None}]

    asyncio.run(main())


def test_who_has_the_key_comes_back_to_the_same_conversation_and_others_get_a_new_one() -> None:
    async def main() -> None:
        async with hall() as (client, _):
            first = await enter(client)
            again = await enter(client, session=first["session"], key=first["key"])
            assert (again["session"], again["key"], again["resumed"]) == (first["session"], first["key"], True)
            for values in (
                {"session": first["session"], "key": "guessed"},
                {"session": "gone", "key": first["key"]},
                {"session": first["session"]},
            ):
                other = await enter(client, **values)
                assert other["session"] != first["session"] and not other["resumed"]
            assert not first["resumed"]

    asyncio.run(main())


def test_what_a_visitor_types_or_records_needs_their_key() -> None:
    async def main() -> None:
        async with hall() as (client, visitors):
            visit = await enter(client)
            url = f"{URL}/{visit['session']}"
            answer = await client.post(f"{url}/text", json={"text": "几点开门？"}, headers=proof(visit))
            assert (answer.status_code, visitors.done) == (204, [("text", visit["session"], "几点开门？")])
            sound = {"Content-Type": "audio/wav", **proof(visit)}
            answer = await client.post(f"{url}/audio", content=b"RIFF....", headers=sound)
            assert (answer.status_code, answer.json()) == (200, {"text": "8 bytes of speech"})
            wrong: list[tuple[dict[str, str], int]] = [
                ({}, 401), ({"Authorization": "Session"}, 401), ({"Authorization": "Session "}, 401), (OPERATOR, 401),
                ({"Authorization": "Session guessed"}, 404), ({"Authorization": "Session \xe9"}, 404),
            ]  # fmt: skip
            for headers, status in wrong:
                for method, path in (("POST", "/text"), ("POST", "/audio"), ("DELETE", "")):
                    if method == "DELETE" and headers is OPERATOR:
                        continue
                    body: dict[str, Any] = {"json": {"text": "x"}} if path == "/text" else {"content": b"RIFF"}
                    kind = {"Content-Type": "audio/wav"} if path == "/audio" else {}
                    raw = {name.encode(): value.encode("latin-1") for name, value in (headers | kind).items()}
                    refused = await client.request(method, url + path, headers=raw, **body)
                    assert (refused.status_code, list(refused.json())) == (status, ["error"])
            assert len(visitors.done) == 1

    asyncio.run(main())


def test_the_visitor_or_an_operator_ends_a_session() -> None:
    async def main() -> None:
        async with hall() as (client, visitors):
            mine, other = await enter(client), await enter(client)
            assert (await client.delete(f"{URL}/{other['session']}", headers=proof(mine))).status_code == 404
            assert (await client.delete(f"{URL}/{mine['session']}", headers=proof(mine))).status_code == 204
            assert (await client.delete(f"{URL}/{mine['session']}", headers=proof(mine))).status_code == 404
            assert (await client.delete(f"{URL}/{other['session']}", headers=OPERATOR)).status_code == 204
            assert visitors.done == [("close", mine["session"]), ("end", other["session"])]

    asyncio.run(main())


def test_an_operator_sees_conversations_and_takes_one_over() -> None:
    async def main() -> None:
        async with hall() as (client, visitors):
            client.headers.update(OPERATOR)
            assert (await client.get(URL)).json() == []
            visit = await enter(client, language="en")
            (seen,) = (await client.get(URL)).json()
            assert (seen["session"], seen["mode"], seen["seconds"], seen["connected"]) == (
                "s1",
                "listening",
                12.5,
                True,
            )
            assert seen["latencies"][0] == {"endpoint": 0.3, "hearing": 0.2, "dialogue": 0.35, "voice": 0.12}
            assert visit["key"] not in str(seen)
            whole = (await client.get(f"{URL}/s1")).json()
            assert [line["who"] for line in whole["lines"]] == ["visitor", "anchor", "anchor"]
            early = await client.post(f"{URL}/s1/say", json={"text": "Hello"})
            assert (early.status_code, early.json()["error"]) == (422, "take the conversation over first")
            for path, body in (("take", {"who": "Ana"}), ("say", {"text": "Hello"}), ("release", None), ("end", None)):
                assert (await client.post(f"{URL}/s1/{path}", json=body)).status_code == 204
            assert visitors.done == [("take", "s1", "Ana"), ("say", "s1", "Hello"), ("release", "s1"), ("end", "s1")]
            for method, path, body in [
                ("GET", "", None), ("POST", "/take", {}), ("POST", "/release", None), ("POST", "/say", {"text": "x"}),
                ("POST", "/end", None), ("DELETE", "", None),
            ]:  # fmt: skip
                gone = await client.request(method, f"{URL}/s1{path}", json=body)
                assert (gone.status_code, list(gone.json())) == (404, ["error"])

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "channel"),
        (OFFER | {"channel": "nothing"}, 404, "no channel 'nothing'"),
        (OFFER | {"channel": "bulletin"}, 404, "does not talk"),
        (OFFER | {"sdp": ""}, 422, "sdp"),
        (OFFER | {"sdp": "x" * 70_000}, 422, "sdp"),
        (OFFER | {"language": "../x"}, 422, "language"),
        (OFFER | {"loud": True}, 422, "loud"),
        (OFFER | {"key": "x" * 101}, 422, "key"),
        ([], 422, "object"),
    ],
)
def test_a_wrong_offer_is_one_clear_error(body: Any, status: int, said: str) -> None:
    async def main() -> None:
        async with hall() as (client, visitors):
            answer = await client.post(URL, json=body)
            assert (answer.status_code, list(answer.json())) == (status, ["error"])
            assert said in answer.json()["error"]
            assert visitors.opened == []

    asyncio.run(main())


def test_an_offer_that_cannot_be_answered_is_a_400() -> None:
    async def main() -> None:
        visitors = NoteVisitors()
        async with opened(visitors=visitors) as (client, hub):
            visitors.viewers = hub.news.viewers
            answer = await client.post(URL, json=OFFER)
            assert answer.status_code == 400 and "SDP offer" in answer.json()["error"]

    asyncio.run(main())


def test_a_full_hall_says_when_to_come_again() -> None:
    async def main() -> None:
        async with hall(room=0) as (client, _):
            answer = await client.post(URL, json=OFFER)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0

    asyncio.run(main())


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_TEXT + 1), 5, None])
def test_a_text_must_be_one_and_short(text: Any) -> None:
    async def main() -> None:
        async with hall() as (client, visitors):
            visit = await enter(client)
            answer = await client.post(f"{URL}/s1/text", json={"text": text}, headers=proof(visit))
            assert (answer.status_code, list(answer.json()), visitors.done) == (422, ["error"], [])

    asyncio.run(main())


def test_a_recording_may_be_long_but_no_other_body() -> None:
    async def main() -> None:
        async with hall() as (client, _):
            visit = await enter(client)
            sound = {"Content-Type": "audio/webm", **proof(visit)}
            long = b"RIFF" + bytes(MAX_BODY_BYTES + 1)
            assert (await client.post(f"{URL}/s1/audio", content=long, headers=sound)).status_code == 200
            longer = b"RIFF" + bytes(MAX_AUDIO_BYTES)
            assert (await client.post(f"{URL}/s1/audio", content=longer, headers=sound)).status_code == 413
            assert (
                await client.post(URL, content=long, headers={"Content-Type": "application/json"})
            ).status_code == 413
            for content, kind, status in [(b"", "audio/wav", 400), (b"x", "text/plain", 415), (b"x", "audio/wav", 422)]:
                headers = {"Content-Type": kind, **proof(visit)}
                answer = await client.post(f"{URL}/s1/audio", content=content, headers=headers)
                assert (answer.status_code, list(answer.json())) == (status, ["error"])

    asyncio.run(main())


def test_keys_are_in_no_address_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        async with hall() as (client, visitors):
            opened_ = await client.post(URL, json=OFFER)
            assert opened_.headers["cache-control"] == "no-store"
            visit = opened_.json()
            await client.post(f"{URL}/s1/text", json={"text": "x"}, headers=proof(visit))
            repeated = await visitors.open("news", "v=0", language=None, session="s1", key=visit["key"])
            assert visit["key"] not in repr(repeated)
            return str(visit["key"])

    with caplog.at_level(logging.DEBUG):
        key = asyncio.run(main())
    assert len(key) >= 22
    assert key not in caplog.text
    paths = create_app(NoteHub(NoteChannel(None)), token=None, visitors=NoteVisitors()).openapi()["paths"]  # type: ignore[arg-type]
    for path, methods in paths.items():
        for operation in methods.values():
            names = [one["name"] for one in operation.get("parameters", []) if one["in"] in ("path", "query")]
            assert not {"key", "token"} & set(names), path


def test_a_talking_channel_is_not_watched_but_visited() -> None:
    async def main() -> None:
        async with hall() as (client, _):
            away = await client.get("/watch/news")
            assert (away.status_code, away.headers["location"]) == (307, "/kiosk/news")
            refused = await client.post("/whep/news", content="v=0", headers={"Content-Type": "application/sdp"})
            assert refused.status_code == 404
            assert "/kiosk/news" in refused.json()["error"]
            (channel,) = (await client.get("/api/v1/channels", headers=OPERATOR)).json()
            assert channel["talk"] is True

    asyncio.run(main())


def test_the_kiosk_page_may_use_the_microphone_and_nothing_else_and_knows_its_texts() -> None:
    async def main() -> None:
        async with hall() as (client, _):
            page = await client.get("/kiosk/news")
            assert page.status_code == 200
            assert page.headers["permissions-policy"] == "camera=(), microphone=(self), geolocation=()"
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert "<title>Harbour Bank &lt;Hall&gt;</title>" in page.text
            found = re.search(r'data-kiosk="([^"]*)"', page.text)
            assert found is not None and "您的声音不会被录制。" in unescape(found[1])
            assert not re.search(r"<script>|style=|onclick=|https?://", page.text)
            for part in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
                assert (await client.get(part)).status_code == 200
            poster = await client.get("/kiosk/news/poster.webp")
            assert (poster.status_code, poster.headers["content-type"]) == (200, "image/webp")
            for url in ("/kiosk/nothing", "/kiosk/nothing/poster.webp"):
                assert (await client.get(url)).status_code == 404

    asyncio.run(main())


def test_a_server_without_talking_channels_has_no_sessions() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            for url in (URL, "/kiosk/news"):
                assert (await client.get(url)).status_code == 404

    asyncio.run(main())
