from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from anchor.server.refusals import MAX_TEXT
from tests.server.studio import opened


def ask(method: str, url: str, **values: Any) -> httpx.Response:
    async def main() -> httpx.Response:
        async with opened() as (client, _):
            return await client.request(method, url, **values)

    return asyncio.run(main())


def test_anchor_is_told_what_to_say() -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            answer = await client.post("/api/v1/channels/news/say", json={"text": "Good evening. 晚上好。"})
            assert (answer.status_code, answer.json()) == (202, {"utterance": "utterance-1"})
            body = {"text": "Stop!", "interrupt": True, "priority": 50, "language": "en"}
            assert (await client.post("/api/v1/channels/news/say", json=body)).status_code == 202
            assert hub.news.said == [
                {"text": "Good evening. 晚上好。", "interrupt": False, "priority": 10, "language": None},
                {"text": "Stop!", "interrupt": True, "priority": 50, "language": "en"},
            ]
            answer = await client.post("/api/v1/channels/news/interrupt")
            assert (answer.status_code, answer.json(), hub.news.interrupts) == (200, {"interrupted": True}, 1)

    asyncio.run(main())


def test_the_manner_is_changed_and_unknown_moods_are_refused() -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            body = {"text": "Welcome.", "mood": "warm", "gestures": ["nod", "glance left"]}
            assert (await client.post("/api/v1/channels/news/say", json=body)).status_code == 202
            assert hub.news.said[0]["mood"] == "warm" and hub.news.said[0]["gestures"] == ("nod", "glance left")
            body = {"mood": "serious", "state": "listening", "gestures": ["blink"]}
            assert (await client.post("/api/v1/channels/news/manner", json=body)).status_code == 204
            assert hub.news.manners == [("serious", "listening", ("blink",))]
            for wrong in ({"mood": "angry"}, {"gestures": ["jump"]}, {"state": "asleep"}, {"gestures": ["nod"] * 9}):
                answer = await client.post("/api/v1/channels/news/manner", json=wrong)
                assert answer.status_code == 422 and next(iter(wrong)) in answer.json()["error"]
            answer = await client.post("/api/v1/channels/none/manner", json={"mood": "warm"})
            assert answer.status_code == 404

    asyncio.run(main())


def test_what_there_is_can_be_listed() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            (channel,) = (await client.get("/api/v1/channels")).json()
            assert channel == (await client.get("/api/v1/channels/news")).json()
            assert (channel["name"], channel["width"], channel["height"], channel["fps"]) == ("news", 320, 240, 25)
            assert (channel["viewers"], channel["speaking"]) == (0, False)
            (voice,) = (await client.get("/api/v1/voices")).json()
            assert (voice["languages"], voice["state"], voice["switches"]) == (["en", "zh-CN"], "ready", 0)
            lin, _, old = (await client.get("/api/v1/avatars")).json()
            assert lin == {
                "name": "lin",
                "title": "Lin",
                "kind": "puppet",
                "licence": "Apache-2.0",
                "languages": ["zh", "en"],
                "scope": "news",
                "until": "2030-12-31",
                "poster": "/api/v1/avatars/lin/poster.webp?v=1",
                "problem": None,
            }
            assert (old["poster"], old["until"]) == (None, None) and "2020-01-01" in old["problem"]

    asyncio.run(main())


def test_a_poster_is_a_picture_that_is_not_sent_twice() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            first = await client.get("/api/v1/avatars/lin/poster.webp")
            assert (first.status_code, first.headers["content-type"]) == (200, "image/webp")
            headers = {"If-None-Match": first.headers["etag"]}
            again = await client.get("/api/v1/avatars/lin/poster.webp", headers=headers)
            assert (again.status_code, again.content) == (304, b"")
            for name, status in [("nobody", 404), ("old", 422), ("..%2Flin", 404)]:
                answer = await client.get(f"/api/v1/avatars/{name}/poster.webp")
                assert (answer.status_code, list(answer.json())) == (status, ["error"])

    asyncio.run(main())


def test_another_avatar_is_shown_and_one_that_is_not_there_is_named() -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            url = "/api/v1/channels/news/avatar"
            answer = await client.post(url, json={"avatar": "mei"})
            assert (answer.status_code, answer.json()["avatar"], hub.news.avatar) == (200, "mei", "mei")
            for body, said in [
                ({"avatar": "nobody"}, "lin, mei"),
                ({"avatar": "../../etc/passwd"}, "there is no avatar"),
                ({"avatar": ""}, "avatar"),
                ({"avatar": 3}, "avatar"),
                ({"avatar": "x" * 81}, "80"),
                ({}, "avatar"),
                ({"avatar": "lin", "fade": 2}, "fade"),
            ]:
                answer = await client.post(url, json=body)
                assert answer.status_code == 422 and said in answer.json()["error"]
            assert (await client.post("/api/v1/channels/none/avatar", json={"avatar": "lin"})).status_code == 404
            assert hub.news.avatar == "mei"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": " \n"}, 422, "text"),
        ({"text": "x" * (MAX_TEXT + 1)}, 422, "20000"),
        ({"text": 5}, 422, "string"),
        ({"text": "hello", "interrupt": "yes"}, 422, "interrupt"),
        ({"text": "hello", "priority": 1.5}, 422, "priority"),
        ({"text": "hello", "loud": True}, 422, "loud"),
        ({"text": "hello", "language": "../../etc"}, 422, "language"),
        ({"text": "hello", "language": "tlh"}, 422, "does not speak 'tlh'"),
        (["hello"], 422, "object"),
    ],
)
def test_wrong_body_is_one_clear_error(body: Any, status: int, said: str) -> None:
    answer = ask("POST", "/api/v1/channels/news/say", json=body)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


@pytest.mark.parametrize("content", ["", "{", "\x00", "[" * 5000, '{"text": "\ud800"}', '{"text": NaN}', b"\xff"])
def test_body_that_is_no_json_is_refused(content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    answer = ask("POST", "/api/v1/channels/news/say", content=data, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert list(answer.json()) == ["error"]


def test_longest_text_in_its_longest_spelling_is_taken_and_more_is_not() -> None:
    longest = json.dumps({"text": "\U0001f600" * MAX_TEXT})
    headers = {"Content-Type": "application/json"}
    assert ask("POST", "/api/v1/channels/news/say", content=longest, headers=headers).status_code == 202
    answer = ask("POST", "/api/v1/channels/news/say", content=longest + " " * 10_000, headers=headers)
    assert answer.status_code == 413
    assert "longer than" in answer.json()["error"]


def test_full_queue_says_when_to_come_again() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            answers = [await client.post("/api/v1/channels/news/say", json={"text": "again"}) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [202, 202, 202, 503]
            assert int(answers[-1].headers["retry-after"]) > 0

    asyncio.run(main())


@pytest.mark.parametrize("url", ["/api/v1/channels/none", "/api/v1/channels/none/say", "/nowhere", "/assets/../api.py"])
def test_what_there_is_not_is_a_404_with_a_reason(url: str) -> None:
    answer = ask("POST" if url.endswith("say") else "GET", url, **({"json": {"text": "x"}} if "say" in url else {}))
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_defect_of_ours_is_a_500_without_its_insides(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            hub.news.said = None  # type: ignore[assignment]
            answer = await client.post("/api/v1/channels/news/say", json={"text": "x"})
            assert answer.status_code == 500
            assert "NoneType" not in answer.text

    asyncio.run(main())
    assert "say failed" in caplog.text


def test_operations_see_health_readiness_and_metrics() -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            assert (await client.get("/readyz")).status_code == 200
            hub.on_air = False
            assert (await client.get("/readyz")).status_code == 503
            metrics = await client.get("/metrics")
            assert metrics.headers["content-type"].startswith("text/plain; version=")
            assert "# TYPE anchor_viewers gauge" in metrics.text

    asyncio.run(main())
