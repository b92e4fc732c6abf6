"""Performing over HTTP: one performer a channel, by an SDP offer."""

from __future__ import annotations

import asyncio

import httpx

from tests.server.studio import opened

SDP = {"Content-Type": "application/sdp"}
URL = "/api/v1/channels/news/mocap"


def test_performer_is_let_in_seen_in_the_channels_state_and_leaves() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            answer = await client.post(URL, content="v=0", headers=SDP)
            assert (answer.status_code, answer.text) == (201, "v=0 answer")
            assert answer.headers["content-type"] == "application/sdp"
            place = answer.headers["location"]
            assert place == f"{URL}/p1"
            assert (await client.get("/api/v1/channels/news")).json()["performing"] == "waiting"
            assert (await client.delete(place)).status_code == 204
            assert (await client.get("/api/v1/channels/news")).json()["performing"] == ""
            assert (await client.delete(place)).status_code == 404

    asyncio.run(main())


def test_second_performer_is_refused() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            await client.post(URL, content="v=0", headers=SDP)
            answer = await client.post(URL, content="v=0", headers=SDP)
            assert answer.status_code == 409
            assert answer.json() == {"error": "somebody performs already; one performer a channel"}

    asyncio.run(main())


def test_what_is_no_offer_is_refused() -> None:
    async def main() -> None:
        async with opened() as (client, hub):
            answers: list[httpx.Response] = [
                await client.post(URL, content="nonsense", headers=SDP),
                await client.post(URL, json={}),
                await client.post("/api/v1/channels/none/mocap", content="v=0", headers=SDP),
                await client.post(URL, content="v=0" + " " * 70_000, headers=SDP),
            ]
            assert [answer.status_code for answer in answers] == [400, 415, 404, 413]
            assert not hub.news.performance.performer

    asyncio.run(main())


def test_only_the_operators_page_may_ask_for_a_camera() -> None:
    async def main() -> None:
        async with opened() as (client, _):
            policies = [(await client.get(url)).headers["permissions-policy"] for url in ("/", "/watch/news")]
            assert ["camera=(self)" in policy for policy in policies] == [True, False]

    asyncio.run(main())
