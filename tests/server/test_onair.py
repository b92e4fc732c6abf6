"""Steering a show over HTTP: every order reaches the desk, and every refusal says why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from anchor.broadcast.document import to_yaml
from anchor.server.health import KEPT_SECONDS, Health
from anchor.server.logs import RecentLog
from tests.server.newsroom import DOCUMENT, PIXEL, NoteDesk
from tests.server.studio import opened

URL = "/api/v1/channels/news"
YAML = {"Content-Type": "application/yaml"}

Steps = Callable[[httpx.AsyncClient, NoteDesk], Awaitable[None]]


def steer(steps: Steps, **options: Any) -> NoteDesk:
    desk = NoteDesk()

    async def main() -> None:
        async with opened(desk=desk, **options) as (client, _):
            await steps(client, desk)

    asyncio.run(main())
    return desk


def changed(**values: Any) -> dict[str, Any]:
    first, *rest = DOCUMENT["segments"]
    return {**DOCUMENT, "segments": [{**first, **values}, *rest]}


def test_running_order_has_its_rundown_unless_the_asker_knows_it() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        whole = (await client.get(f"{URL}/rundown")).json()
        assert whole["document"] == DOCUMENT
        assert [item["state"] for item in whole["items"]] == ["on air", "ready", "waiting", "waiting"]
        assert (whole["on_air"], whole["next"], whole["elapsed"]) == ("hello", "harbour", 2.0)
        known = (await client.get(f"{URL}/rundown?known=1")).json()
        assert (known["document"], known["items"]) == (None, whole["items"])
        desk.version = 2
        assert (await client.get(f"{URL}/rundown?known=1")).json()["document"] == DOCUMENT
        assert (await client.get(f"{URL}/rundown?known=x")).status_code == 422

    steer(steps)


def test_edit_is_taken_once_and_an_old_one_changes_nothing() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        edit = {"document": changed(text="Good morning."), "version": 1}
        answer = await client.put(f"{URL}/rundown", json=edit)
        assert answer.status_code == 200
        assert (answer.json()["version"], answer.json()["document"]) == (2, edit["document"])
        again = await client.put(f"{URL}/rundown", json={"document": changed(text="Late."), "version": 1})
        assert again.status_code == 409
        assert "version 2" in again.json()["error"]
        assert desk.document == edit["document"]

    steer(steps)


def test_faulty_edit_is_refused_with_all_its_problems() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        faulty = changed(text="", picture="missing.png")
        answer = await client.put(f"{URL}/rundown", json={"document": faulty, "version": 1})
        assert answer.status_code == 422
        problems = answer.json()["problems"]
        assert [(one["segment"], one["key"]) for one in problems] == [(0, "text"), (0, "picture")]
        assert desk.version == 1

    steer(steps)


@pytest.mark.parametrize(
    "body", [{}, {"document": DOCUMENT}, {"document": [], "version": 1}, {"document": DOCUMENT, "version": -1}]
)
def test_what_is_no_edit_is_refused(body: dict[str, Any]) -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        answer = await client.put(f"{URL}/rundown", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]

    steer(steps)


def test_rundown_travels_as_yaml_and_back() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        file = await client.get(f"{URL}/rundown.yaml")
        assert file.headers["content-type"] == "application/yaml"
        assert "rundown.yaml" in file.headers["content-disposition"]
        put = await client.put(
            f"{URL}/rundown.yaml", content=file.content, headers=YAML | {"If-Match": file.headers["etag"]}
        )
        assert put.json()["document"] == DOCUMENT
        stale = await client.put(
            f"{URL}/rundown.yaml", content=file.content, headers=YAML | {"If-Match": file.headers["etag"]}
        )
        assert stale.status_code == 409
        assert (await client.put(f"{URL}/rundown.yaml", content=file.content, headers=YAML)).status_code == 200
        wrong = [
            await client.put(f"{URL}/rundown.yaml", content=file.content, headers={"Content-Type": "image/png"}),
            await client.put(f"{URL}/rundown.yaml", content=b"\xff", headers=YAML),
            await client.put(f"{URL}/rundown.yaml", content="a: [", headers=YAML),
            await client.put(f"{URL}/rundown.yaml", content=file.content, headers=YAML | {"If-Match": "old"}),
        ]
        assert [answer.status_code for answer in wrong] == [415, 400, 422, 400]
        assert wrong[2].json()["problems"][0]["line"] == 1

    steer(steps)


def test_problems_of_yaml_have_the_lines_that_its_author_sees() -> None:
    text = (
        "# my notes\n\ntitle: x\nsegments:\n\n  - text: Hello there.\n\n"
        "  # the second\n  - id: two\n    picture: missing.png\n    text: Hm.\n"
    )

    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        found = (await client.post(f"{URL}/rundown/check", json={"yaml": text})).json()
        assert [(one["segment"], one["line"]) for one in found["problems"]] == [(1, 10)]
        assert found["document"]["segments"][1]["id"] == "two"
        refused = await client.put(f"{URL}/rundown.yaml", content=text, headers=YAML)
        assert refused.json()["problems"][0]["line"] == 10

    steer(steps)


def test_check_gives_the_rundown_in_both_its_forms() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        url = f"{URL}/rundown/check"
        assert (await client.post(url, json={"document": DOCUMENT})).json() == {
            "problems": [], "document": DOCUMENT, "yaml": to_yaml(DOCUMENT),
        }  # fmt: skip
        broken = (await client.post(url, json={"yaml": "title: x\nsegments: [a, b\n"})).json()
        assert broken["document"] is None
        assert broken["problems"][0]["line"] in (2, 3)
        both = await client.post(url, json={"yaml": "", "document": {}})
        assert (both.status_code, "either" in both.json()["error"]) == (422, True)

    steer(steps)


def test_preview_is_a_picture_and_says_what_stands_in_its_way() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        url = f"{URL}/rundown/preview"
        seen = await client.post(url, json={"document": DOCUMENT, "segment": 1})
        assert (seen.headers["content-type"], seen.content) == ("image/webp", PIXEL)
        faulty = await client.post(url, json={"document": changed(picture="missing.png"), "segment": 0})
        assert (faulty.status_code, faulty.json()["problems"][0]["key"]) == (422, "picture")
        nowhere = await client.post(url, json={"document": DOCUMENT, "segment": 9})
        assert (nowhere.status_code, nowhere.json()["error"]) == (422, "segment: there is no segment 9")

    steer(steps)


def test_draft_of_an_article_is_for_review() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        url = f"{URL}/rundown/draft"
        draft = (await client.post(url, json={"article": "Harbour grows\n\nIt grew again."})).json()["document"]
        assert (draft["review"], draft["title"]) == ("required", "Harbour grows")
        assert desk.version == 1, "nothing is on air by it"
        assert (await client.post(url, json={"article": "Only a title"})).status_code == 422
        assert (await client.post(url, json={"article": " ", "kind": "text"})).status_code == 422
        assert (await client.post(url, json={"article": "a\nb", "kind": "pdf"})).status_code == 422

    steer(steps)


def test_orders_reach_the_desk_and_tell_what_the_show_is_then() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        held = (await client.post(f"{URL}/show/hold")).json()
        assert (held["held"], held["document"]) == (True, None)
        assert (await client.post(f"{URL}/show/go")).json()["held"] is False
        assert (await client.post(f"{URL}/show/jump", json={"segment": "bye"})).json()["next"] == "bye"
        assert (await client.post(f"{URL}/show/skip")).json()["on_air"] == "bye"
        killed = (await client.post(f"{URL}/show/kill")).json()
        assert (killed["killed"], killed["on_air"]) == (True, "")
        nowhere = await client.post(f"{URL}/show/jump", json={"segment": "none"})
        assert (nowhere.status_code, nowhere.json()["error"]) == (404, "there is no segment 'none'")

    assert steer(steps).orders == ["hold", "go", "jump bye", "skip", "kill"]


def test_breaking_news_is_queued_with_its_graphics() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        news = {"text": "A ship is aground.", "headline": "Aground", "lower_third": {"title": "Harbour"}}
        answer = await client.post(f"{URL}/breaking", json=news)
        assert (answer.status_code, answer.json()) == (202, {"item": "breaking-1"})
        assert (desk.news[0].headline, desk.news[0].language) == ("Aground", "")
        assert desk.news[0].lower_third is not None and desk.news[0].lower_third.title == "Harbour"
        assert (await client.get(f"{URL}/rundown")).json()["items"][-1]["breaking"] is True
        for wrong in ({}, {"text": " "}, {"text": "x", "language": "not a tag!"}, {"text": "FAIL"}):
            refused = await client.post(f"{URL}/breaking", json=wrong)
            assert (refused.status_code, bool(refused.json()["error"])) == (422, True)

    steer(steps)


def test_aired_lines_come_latest_first_and_no_more_than_asked() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        desk.advance()
        desk.advance()
        assert [line["segment"] for line in (await client.get(f"{URL}/aired")).json()] == ["harbour", "hello"]
        assert len((await client.get(f"{URL}/aired?limit=1")).json()) == 1
        assert (await client.get(f"{URL}/aired?limit=0")).status_code == 422

    steer(steps)


def test_outputs_are_started_and_stopped_by_name() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        states = [output["state"] for output in (await client.get(f"{URL}/outputs")).json()]
        assert states == ["live", "failed"]
        stopped = (await client.post(f"{URL}/outputs/youtube/stop")).json()
        assert stopped[0]["state"] == "stopped"
        assert (await client.post(f"{URL}/outputs/youtube/start")).json()[0]["state"] == "connecting"
        full = await client.post(f"{URL}/outputs/archive/start")
        assert (full.status_code, full.json()["error"]) == (422, "archive: the disk is full; make room")
        assert (await client.post(f"{URL}/outputs/none/start")).status_code == 404
        assert (await client.post(f"{URL}/outputs/youtube/burn")).status_code == 422

    steer(steps)


def test_speaker_is_let_in_seen_and_shown_out() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        url, kind = f"{URL}/microphone", {"Content-Type": "application/sdp"}
        answer = await client.post(url, content="v=0", headers=kind)
        assert (answer.status_code, answer.headers["location"]) == (201, f"{url}/s1")
        assert (await client.get(URL)).json()["speaker"] == "on air"
        assert (await client.post(url, content="v=0", headers=kind)).status_code == 409
        assert (await client.delete(f"{url}/s1")).status_code == 204
        assert (await client.delete(f"{url}/s1")).status_code == 404
        assert (await client.post(url, content="nonsense", headers=kind)).status_code == 400
        assert (await client.post(url, json={})).status_code == 415
        assert (await client.post(url, content="v=0" + " " * 70_000, headers=kind)).status_code == 413

    steer(steps)


@pytest.mark.parametrize("path", ["rundown", "rundown.yaml", "aired"])
def test_channel_without_a_show_says_so(path: str) -> None:
    async def main() -> None:
        async with opened() as (client, _):
            answer = await client.get(f"{URL}/{path}")
            assert (answer.status_code, answer.json()["error"]) == (404, "channel news has no show")
            assert (await client.get("/api/v1/channels/none/rundown")).status_code == 404
            assert (await client.get(URL)).json()["show"] is False

    asyncio.run(main())


def test_rundown_of_500_segments_fits_and_nothing_endless_does() -> None:
    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        large = {"title": "x", "segments": [{"id": f"s{n}", "text": "汉字 " * 300} for n in range(500)]}
        assert (await client.put(f"{URL}/rundown", json={"document": large, "version": 1})).status_code == 200
        body = b'{"document": {"title": "' + b"x" * (5 * 2**20) + b'"}, "version": 2}'
        kind = {"Content-Type": "application/json"}
        assert (await client.put(f"{URL}/rundown", content=body, headers=kind)).status_code == 413

    steer(steps)


class Gauges:
    """The series that a channel's health is read from, made by hand."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.viewers = Gauge("anchor_viewers", "", ("channel",), registry=self.registry)
        self.late = Gauge("anchor_late_pictures", "", ("channel",), registry=self.registry)
        self.first = Histogram("anchor_first_beat_seconds", "", ("channel",), registry=self.registry)
        Counter("anchor_beats", "", ("channel",), registry=self.registry).labels("news").inc()
        self.viewers.labels("news").set(3)
        self.late.labels("news").set(7)
        self.health = Health(self.registry, lambda channel: {"youtube": 4e6} if channel == "news" else {})


def test_health_tells_what_came_to_pass_in_each_second() -> None:
    gauges = Gauges()
    gauges.health.sample()
    gauges.late.labels("news").set(9)
    gauges.first.labels("news").observe(0.2)
    gauges.first.labels("news").observe(0.4)
    gauges.health.sample()
    gauges.health.sample()

    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        told = (await client.get(f"{URL}/health")).json()
        assert told["last"] == 3
        assert [one["late"] for one in told["samples"]] == [0, 2, 0], "what was before nobody looked is no news"
        assert [one["first_word_seconds"] for one in told["samples"]] == [None, pytest.approx(0.3), None]
        assert told["samples"][0]["bitrates"] == {"youtube": 4e6}
        assert len((await client.get(f"{URL}/health?after=2")).json()["samples"]) == 1
        assert (await client.get(f"{URL}/health?after=3")).json()["samples"] == []
        assert (await client.get("/api/v1/channels/none/health")).status_code == 404

    steer(steps, health=gauges.health)


def test_health_holds_ten_minutes_and_no_more() -> None:
    gauges = Gauges()
    for _ in range(KEPT_SECONDS + 50):
        gauges.health.sample()
    last, samples = gauges.health.after("news", 0)
    assert (last, len(samples)) == (KEPT_SECONDS + 50, KEPT_SECONDS)


def log_of(*messages: str, secrets: tuple[str, ...] = ()) -> RecentLog:
    recent = RecentLog(secrets)
    for message in messages:
        recent.handle(logging.LogRecord("anchor.test", logging.WARNING, "", 1, "%s", (message,), None))
    return recent


def test_log_is_read_from_where_the_asker_left_off() -> None:
    recent = log_of("one", "two", "three")

    async def steps(client: httpx.AsyncClient, desk: NoteDesk) -> None:
        told = (await client.get("/api/v1/log?after=1")).json()
        assert told["last"] == 3
        assert [(one["number"], one["message"]) for one in told["records"]] == [(2, "two"), (3, "three")]

    steer(steps, log=recent)


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("refused: Authorization: Bearer abcdef123456", "abcdef123456"),
        ("cannot connect to rtmp://live.example/app/live_123_secret?x=1", "live_123_secret"),
        ("rtmps://a.example:443/app/s3cr3t-key: broken pipe", "s3cr3t-key"),
        ("https://me:hunter22@host/x is down", "hunter22"),
        ("the key is sk-abcdefghijkl", "sk-abcdefghijkl"),
        ("GET /x?token=verysecret&y=1", "verysecret"),
        ('{"api_key": "verysecret"}', "verysecret"),
        ("odd: correct horse battery staple.", "correct horse battery staple"),
    ],
)
def test_no_secret_is_in_the_log_that_operators_see(message: str, secret: str) -> None:
    recent = log_of(message, secrets=("correct horse battery staple",))
    (record,) = recent.after(0)[1]
    assert secret not in record.message
    assert "•••" in record.message


def test_log_of_a_failure_names_it_and_never_grows() -> None:
    recent = RecentLog()
    for _ in range(1500):
        recent.handle(logging.LogRecord("x", logging.ERROR, "", 1, "y" * 9000, (), None))
    recent.handle(logging.LogRecord("x", logging.ERROR, "", 1, "it fell", (), (ValueError, ValueError("why"), None)))
    last, records = recent.after(0)
    assert (last, len(records)) == (1501, 1000)
    assert max(len(record.message) for record in records) <= 2001
    assert records[-1].message == "it fell (ValueError: why)"
