import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from anchor.interactive.handover import HandOver, Told
from anchor.store import Line

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
LINES = [
    Line("visitor", "my card is 4111 1111 1111 1111", "en", NOON, 1),
    Line("anchor", "I will get a person.", "en", NOON, 1),
]


class Desk(ThreadingHTTPServer):
    """A webhook that answers as it is told, one status a request."""

    daemon_threads = True

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers)
        self.got = list[tuple[dict[str, Any], dict[str, str]]]()
        self.leave = threading.Event()
        super().__init__(("127.0.0.1", 0), Take)


class Take(BaseHTTPRequestHandler):
    server: Desk

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((json.loads(body), dict(self.headers)))
        answer = self.server.answers.pop(0) if self.server.answers else 204
        if answer == "hang":
            self.server.leave.wait(30)
        elif answer == "drip":
            while not self.server.leave.wait(0.1):
                self.wfile.write(b"H")
        elif answer == "drop":
            self.close_connection = True
        elif isinstance(answer, int):
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def desk(*answers: int | str) -> Iterator[tuple[Desk, str]]:
    with Desk(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}/fetch/s3cret"
        finally:
            server.leave.set()
            server.shutdown()
            thread.join()


def told(url: str, **options: Any) -> Told:
    async def main() -> Told:
        hand_over = HandOver(url, token="t0ken", pauses=(0.01, 0.01), wall=lambda: NOON, **options)
        try:
            waiting = hand_over.ask("one", channel="hall", reason="visitor", language="en")
            return await hand_over.tell(waiting, LINES)
        finally:
            await hand_over.close()

    return asyncio.run(main())


def test_a_person_is_told_what_was_said_but_no_number() -> None:
    with desk() as (server, url):
        assert told(url) == Told(1)
    ((body, headers),) = server.got
    assert body == {
        "session": "one", "channel": "hall", "reason": "visitor", "urgent": False, "language": "en",
        "at": "2026-11-26T12:00:00+00:00",
        "transcript": [
            {"who": "visitor", "text": "my card is [card]", "language": "en", "at": "2026-11-26T12:00:00+00:00"},
            {"who": "anchor", "text": "I will get a person.", "language": "en", "at": "2026-11-26T12:00:00+00:00"},
        ],
    }  # fmt: skip
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == "one:visitor"


@pytest.mark.parametrize("answer", [500, 503, 429, "drop"])
def test_what_may_be_better_the_next_time_is_tried_again(answer: int | str) -> None:
    with desk(answer, answer) as (server, url):
        assert told(url) == Told(3)
    assert len(server.got) == 3


@pytest.mark.parametrize(("answer", "problem"), [(401, "answered 401"), (404, "answered 404"), (302, "answered 302")])
def test_a_refusal_is_told_and_not_repeated(answer: int, problem: str) -> None:
    with desk(answer) as (server, url):
        assert told(url) == Told(1, f"127.0.0.1 {problem}")
    assert len(server.got) == 1


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_server_that_does_not_answer_is_given_up(answer: str) -> None:
    with desk(answer, answer, answer) as (_, url):
        assert told(url, timeout=0.2) == Told(3, "127.0.0.1 did not answer within 0.2 s")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/s3cret", "ftp://user:s3cret@desk/", "no address", "http://[bad"])
def test_an_address_that_cannot_be_used_is_told_without_its_secrets(url: str) -> None:
    found = told(url)
    assert found.problem
    assert "s3cret" not in found.problem


def test_without_a_webhook_there_is_only_the_queue() -> None:
    assert told("") == Told(0)


def test_urgent_visitors_come_first_and_others_in_their_order() -> None:
    queue = HandOver()
    for name in ("one", "two", "three"):
        queue.ask(name, channel="hall", reason="visitor", language="en")
    queue.ask("three", channel="hall", reason="medical", language="en", urgent=True)
    queue.ask("three", channel="hall", reason="visitor", language="en")
    assert [(each.session, each.reason) for each in queue.waiting()] == [
        ("three", "medical"), ("one", "visitor"), ("two", "visitor"),
    ]  # fmt: skip


def test_a_session_is_taken_by_one_person() -> None:
    queue = HandOver()
    queue.ask("one", channel="hall", reason="visitor", language="en")
    assert queue.take("one", "Li")
    assert queue.take("one", "Li"), "taking twice is as once"
    assert not queue.take("one", "Wang")
    assert (queue.who("one"), queue.waiting(), [each.session for each in queue.taken()]) == ("Li", [], ["one"])
    queue.ask("one", channel="hall", reason="visitor", language="en")
    assert queue.who("one") == "Li", "asking again takes nobody away"
    queue.release("one")
    queue.release("one")
    assert queue.who("one") == ""
    with pytest.raises(KeyError):
        queue.take("one", "Wang")
