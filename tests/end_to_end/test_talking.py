"""Visitors talk with the anchor of a real server, over real WebRTC, with the embedded ears, knowledge and voice."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from anchor.bench.talking import greeted, kiosk, sound_of
from anchor.bench.virtual import after
from anchor.bench.visitor import visiting
from anchor.config import EngineConfig
from anchor.media import Samples
from tests.browser.stage import free_socket

pytestmark = pytest.mark.timeout(120)


def wav(sound: Samples, rate: int = 48_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def test_a_spoken_question_is_answered_aloud(tmp_path: Path) -> None:
    async def main() -> None:
        question = await sound_of("what are your opening hours")
        async with kiosk(tmp_path) as (studio, address), greeted(address) as visitor:
            since = len(visitor.events)
            _, ended = visitor.microphone.say(question)
            began = await visitor.mode("speaking", since=since)
            await visitor.mode("listening", since=len(visitor.events))
            assert visitor.said_by("visitor", since=since) == ["what are your opening hours"]
            assert "".join(visitor.said_by("anchor", since=since)) == "We are open from nine to five."
            assert visitor.last_loud > began
            assert began - ended < 3
            (session,) = studio.hall("hall").sessions.values()
            assert [line.who for line in session.lines()] == ["anchor", "visitor", "anchor"]
            assert list(session.latencies[-1])[:5] == [
                "turn_closed", "first_token", "first_sound", "first_face", "first_beat",
            ]  # fmt: skip
            text = (await _get(f"{address}/metrics")).text
            assert 'anchor_turn_seconds_count{channel="hall",stage="first_beat"} 1.0' in text

    asyncio.run(main())


async def _get(address: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(address)


def test_a_visitor_who_speaks_into_the_answer_is_listened_to(tmp_path: Path) -> None:
    async def main() -> None:
        question = await sound_of("where can I park")
        async with kiosk(tmp_path) as (studio, address), greeted(address) as visitor:
            since = len(visitor.events)
            visitor.tell(type="text", text="I lost my card")
            await visitor.mode("speaking", since=since)
            await after(1.0)
            since = len(visitor.events)
            begun, ended = visitor.microphone.say(question)
            await visitor.until(lambda event: event["type"] == "hush", since=since, seconds=3)
            await after(max(0.0, ended - asyncio.get_running_loop().time()))
            assert visitor.last_loud - begun < 1.0, "the anchor fell silent while the visitor spoke"
            await visitor.mode("speaking", since=since)
            await visitor.mode("listening", since=len(visitor.events))
            assert "garage" in "".join(visitor.said_by("anchor", since=since))
            (session,) = studio.hall("hall").sessions.values()
            cut = [line for line in session.lines() if line.who == "anchor"][1].text
            assert cut
            assert "Call the number on the screen at once and we block the card.".startswith(cut)
            assert not cut.endswith("card.")

    asyncio.run(main())


def test_who_comes_back_finds_the_same_conversation(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(tmp_path) as (studio, address):
            async with greeted(address) as visitor:
                visitor.tell(type="text", text="when are you open")
                await visitor.mode("speaking", since=len(visitor.events))
                await visitor.mode("listening", since=len(visitor.events))
                known = {"session": visitor.session, "key": visitor.key}
            begun = asyncio.get_running_loop().time()
            async with visiting(address, "hall", again=known, greet=False) as again:
                came = await again.until(lambda event: event["type"] == "log")
                assert came - begun < 2
                assert again.session == known["session"]
                log = next(event for _, event in again.events if event["type"] == "log")
                assert [entry["text"] for entry in log["entries"]][-2:] == [
                    "when are you open", "We are open from nine to five.",
                ]  # fmt: skip
                again.tell(type="text", text="where can I park")
                await again.mode("speaking", since=len(again.events))
            assert len(studio.hall("hall").sessions) == 1
            async with visiting(address, "hall", again={**known, "key": "wrong"}, greet=False) as stranger:
                assert stranger.session != known["session"]
                await stranger.until(lambda event: event["type"] == "log")
                assert [event["entries"] for _, event in stranger.events if event["type"] == "log"] == [[]]

    asyncio.run(main())


def test_one_too_many_is_told_to_come_later_and_the_others_talk_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(tmp_path, max_sessions=2) as (_, address):
            async with greeted(address) as first, greeted(address):
                with pytest.raises(httpx.HTTPStatusError) as refused:
                    async with visiting(address, "hall"):
                        pass
                assert refused.value.response.status_code == 503
                assert int(refused.value.response.headers["Retry-After"]) > 0
                first.tell(type="text", text="when are you open")
                await first.mode("speaking", since=len(first.events))
            async with httpx.AsyncClient() as client:
                response = await client.delete(
                    f"{address}/api/v1/sessions/{first.session}", headers={"Authorization": f"Session {first.key}"}
                )
                assert response.status_code == 204
            await after(1.0)
            async with visiting(address, "hall"):
                pass

    asyncio.run(main())


def test_of_visitors_who_come_at_once_as_many_are_let_in_as_there_are_places(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(tmp_path, max_sessions=3) as (studio, address), asyncio.TaskGroup() as tasks:
            leave = asyncio.Event()

            async def come() -> None:
                try:
                    async with visiting(address, "hall", greet=False):
                        outcomes.append(201)
                        await leave.wait()
                except httpx.HTTPStatusError as refused:
                    outcomes.append(refused.response.status_code)

            outcomes: list[int] = []
            for _ in range(7):
                tasks.create_task(come())
            while len(outcomes) < 7:
                await after(0.1)
            assert sorted(outcomes) == [201] * 3 + [503] * 4
            assert len(studio.hall("hall").sessions) == 3
            leave.set()

    asyncio.run(main())


def test_a_visitor_who_is_just_being_let_in_takes_one_place(tmp_path: Path) -> None:
    async def offer() -> str:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in ("video", "audio"):
            connection.addTransceiver(kind, direction="recvonly")
        connection.createDataChannel("events")
        await connection.setLocalDescription(await connection.createOffer())
        sdp: str = connection.localDescription.sdp
        await connection.close()
        return sdp

    async def main() -> None:
        async with kiosk(tmp_path, max_sessions=2) as (studio, _), asyncio.TaskGroup() as tasks:
            offers, sessions = [await offer() for _ in range(2)], studio.hall("hall").sessions

            async def come(sdp: str) -> None:
                await studio.visitors.open("hall", sdp, language=None, session=None, key=None)

            first = tasks.create_task(come(offers[0]))
            while not sessions:
                await after(0.001)
            assert not first.done()
            await come(offers[1])
            assert len(sessions) == 2

    asyncio.run(main())


def test_another_anchor_is_shown_to_those_who_are_there_and_to_those_who_come(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(tmp_path) as (studio, address), greeted(address) as first:
            async with httpx.AsyncClient(timeout=20) as client:
                place = f"{address}/api/v1/channels/hall/avatar"
                assert (await client.post(place, json={"avatar": "leo"})).json()["avatar"] == "leo"
                assert (await client.post(place, json={"avatar": "nobody"})).status_code == 422
            async with greeted(address) as second:
                shown = {name: session.stream.avatar for name, session in studio.hall("hall").sessions.items()}
                for visitor in (first, second):
                    avatar = shown[visitor.session]
                    assert avatar is not None
                    assert avatar.info.name == "leo"

    asyncio.run(main())


def test_words_of_one_visitor_never_reach_another(tmp_path: Path) -> None:
    async def main() -> None:
        url = f"sqlite:///{tmp_path / 'kiosk.db'}"
        async with kiosk(tmp_path, store=url) as (studio, address):
            async with greeted(address) as first, greeted(address) as second:
                for number in range(3):
                    first.tell(type="text", text=f"my canary is marmalade {number}, when are you open")
                    second.tell(type="text", text=f"my canary is periwinkle {number}, where can I park")
                    await asyncio.gather(
                        *(visitor.mode("speaking", since=len(visitor.events)) for visitor in (first, second))
                    )
                    await asyncio.gather(
                        *(visitor.mode("listening", since=len(visitor.events)) for visitor in (first, second))
                    )
                told = [json.dumps([event for _, event in visitor.events]) for visitor in (first, second)]
                assert "marmalade" in told[0]
                assert "garage" not in told[0]
                assert "periwinkle" not in told[0]
                assert "periwinkle" in told[1]
                assert "marmalade" not in told[1]
                assert "nine to five" not in told[1]
            for visitor, own, other in ((first, "marmalade", "periwinkle"), (second, "periwinkle", "marmalade")):
                kept = " ".join(line.text for line in await studio.store.transcript(visitor.session))
                assert own in kept
                assert other not in kept

    asyncio.run(main())


def test_what_is_written_down_has_no_card_number_in_it(tmp_path: Path) -> None:
    async def main() -> None:
        url = f"sqlite:///{tmp_path / 'kiosk.db'}"
        async with kiosk(tmp_path, store=url) as (_, address), greeted(address) as visitor:
            visitor.tell(type="text", text="my card is 4111 1111 1111 1111, I lost my card")
            await visitor.mode("speaking", since=len(visitor.events))
            await visitor.mode("listening", since=len(visitor.events))

    asyncio.run(main())
    written = b"".join(path.read_bytes() for path in tmp_path.glob("kiosk.db*"))
    assert b"lost my card" in written
    assert b"4111" not in written


def test_a_recording_that_is_sent_is_a_turn(tmp_path: Path) -> None:
    async def main() -> None:
        question = await sound_of("where can I park")
        async with kiosk(tmp_path) as (_, address), greeted(address) as visitor:
            headers = {"Authorization": f"Session {visitor.key}", "Content-Type": "audio/wav"}
            since = len(visitor.events)
            async with httpx.AsyncClient(timeout=20) as client:
                place = f"{address}/api/v1/sessions/{visitor.session}/audio"
                heard = await client.post(place, content=wav(question), headers=headers)
                assert heard.json() == {"text": "where can I park"}
                await visitor.mode("speaking", since=since)
                silent = await client.post(place, content=wav(np.zeros(48_000, np.float32)), headers=headers)
                assert silent.status_code == 422
                junk = await client.post(place, content=b"RIFFnonsense", headers=headers)
                assert junk.status_code in (400, 422)
            assert "garage" in "".join(visitor.said_by("anchor", since=since))

    asyncio.run(main())


@pytest.mark.parametrize("manner", ["hangs", "resets", "says nothing", "drips"])
def test_a_language_model_that_fails_is_replaced_by_the_knowledge_within_a_second_and_a_half(
    tmp_path: Path, manner: str
) -> None:
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def complete() -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            if manner == "hangs":
                await after(60)
            if manner == "resets":
                raise RuntimeError("reset")
            if manner == "drips":
                for _ in range(60):
                    yield 'data: {"choices": [{"index": 0, "delta": {"content": "w"}}]}\n\n'
                    await after(1)
            yield 'data: {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}\n\n'
            yield "data: [DONE]\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def main() -> None:
        with free_socket() as listening:
            port = listening.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
            options = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "none"}
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.serve(sockets=[listening]))
                async with (
                    kiosk(tmp_path, dialogue=EngineConfig(engine="openai", options=options)) as (studio, address),
                    greeted(address) as visitor,
                ):
                    since = len(visitor.events)
                    asked = asyncio.get_running_loop().time()
                    visitor.tell(type="text", text="when are you open")
                    began = await visitor.mode("speaking", since=since)
                    assert began - asked <= 1.5 + 0.3
                    await visitor.mode("listening", since=len(visitor.events), seconds=20)
                    said = "".join(visitor.said_by("anchor", since=since))
                    assert "We are open from nine to five." in said
                    (session,) = studio.hall("hall").sessions.values()
                    assert session.stream.playout is not None
                server.should_exit = True

    asyncio.run(main())


def test_an_operator_sees_the_conversation_takes_it_over_and_gives_it_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with kiosk(tmp_path) as (_, address), greeted(address) as visitor:
            place = f"{address}/api/v1/sessions"
            async with httpx.AsyncClient() as client:
                visitor.tell(type="text", text="I want to talk to a human")
                await visitor.mode("speaking", since=len(visitor.events))
                (seen,) = (await client.get(place)).json()
                assert seen["wants_person"]
                since = len(visitor.events)
                assert (await client.post(f"{place}/{visitor.session}/take", json={"who": "Ms Chen"})).is_success
                await visitor.mode("speaking", since=since)
                await visitor.mode("person", since=since)
                said = await client.post(f"{place}/{visitor.session}/say", json={"text": "Hello, this is Ms Chen."})
                assert said.is_success
                await visitor.until(lambda e: e["type"] == "anchor" and "Ms Chen" in e["text"], since=since)
                assert (await client.post(f"{place}/{visitor.session}/release", json={})).is_success
                await visitor.mode("listening", since=len(visitor.events))
                assert (await client.post(f"{place}/{visitor.session}/end", json={})).is_success
                await visitor.until(lambda event: event == {"type": "ended", "why": "operator"})

    asyncio.run(main())
