from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from anchor.dialogue.actions import Action, load_actions
from anchor.dialogue.http_tool import HttpTool, Outcome
from anchor.errors import ActionError
from anchor.trust.netguard import NetGuard
from tests.back_end import Answer, back_end, floods, hangs, hangs_after, head, raw, resets, says, says_json

ACTIONS = """
[[actions]]
name = "look"
title.en = "Look"
say.en = "{it}"
url = "/things/{thing}"
timeout = 0.4
headers = { Authorization = "Bearer ${TOKEN}" }
[actions.parameters]
required = ["thing"]
properties.thing = { x-ask.en = "Which?" }
properties.count = { type = "integer", x-kind = "number", maximum = 9 }

[[actions]]
name = "change"
title.en = "Change"
say.en = "Done."
method = "POST"
url = "/things"
confirm = true
timeout = 0.4
[actions.parameters]
required = ["thing"]
properties.thing = { x-ask.en = "Which?" }
"""


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Action]:
    file = tmp_path_factory.mktemp("actions") / "actions.toml"
    file.write_text(ACTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKEN", "s3cret")
        return {action.name: action for action in load_actions(file)}


def do(action: Action, answer: Answer, arguments: Mapping[str, Any]) -> tuple[Outcome, list[Any]]:
    async def main() -> tuple[Outcome, list[Any]]:
        async with back_end(answer) as backend:
            tool = HttpTool(NetGuard(), base=backend.base)
            try:
                return await tool(action, arguments), backend.requests
            finally:
                await tool.close()

    return asyncio.run(main())


def test_arguments_go_into_path_query_and_body(actions: dict[str, Action]) -> None:
    arguments = {"thing": "a/../b ?", "count": 3}
    outcome, [(line, headers, _)] = do(actions["look"], says_json({"ok": 1}), arguments)
    assert outcome == Outcome({"ok": 1})
    assert line == "GET /things/a%2F..%2Fb%20%3F?count=3 HTTP/1.1"
    assert headers["authorization"] == "Bearer s3cret" and "idempotency-key" not in headers
    _, [(line, headers, body)] = do(actions["change"], says_json({}), {"thing": "x"})
    assert line == "POST /things HTTP/1.1" and json.loads(body) == {"thing": "x"}
    assert len(headers["idempotency-key"]) == 32


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (hangs, "no answer within 0.4 s"),
        (hangs_after(head("application/json", "200 OK", "Content-Length: 1000") + b"{"), "no answer within 0.4 s"),
        (resets, "the connection broke"),
        (floods(b"1," * 50_000), "the connection broke"),
        (raw(b""), "the connection broke"),
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "the connection broke"),
        (says_json({}, "500 Oops"), "failed with status 500"),
        (says(b"<html>", "text/html", "502 Bad Gateway"), "failed with status 502"),
        (says(b"<html>ok</html>", kind="text/html"), "it is text/html, not JSON"),
        (says(b"{}", kind=""), "it is of no kind, not JSON"),
        (says(b'{"a":'), "cannot be read"),
        (says(b""), "cannot be read"),
        (says(b'{"a": NaN}'), "NaN is no JSON"),
        (says(b"\xff\xfe"), "cannot be read"),
        (says(b"[" * 100_000), "nested too deep"),
        (says(b"[" + b"1," * 600_000 + b"1]"), "the connection broke"),
        (says(b"\x1f\x8b", "application/json", "200 OK", "Content-Encoding: gzip"), "packed"),
    ],
)
def test_after_a_bad_answer_a_change_is_doubtful_and_a_look_is_nothing(
    actions: dict[str, Action], answer: Answer, told: str
) -> None:
    with pytest.raises(ActionError, match=told) as changed:
        do(actions["change"], answer, {"thing": "x"})
    assert changed.value.done is None and "whether it was done is not known" in str(changed.value)
    with pytest.raises(ActionError, match=told) as looked:
        do(actions["look"], answer, {"thing": "x"})
    assert looked.value.done is False and "nothing was done" in str(looked.value)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Again", "400 Bad", "401 Who", "404 None", "429 Slow"]
)
def test_redirects_and_refusals_mean_that_nothing_was_done(actions: dict[str, Action], status: str) -> None:
    answer = says(b"{}", "application/json", status, "Location: http://169.254.169.254/latest")
    with pytest.raises(ActionError, match=f"status {status[:3]}\\)?; nothing was done") as caught:
        do(actions["change"], answer, {"thing": "x"})
    assert caught.value.done is False


def test_a_refusal_may_name_the_argument_and_what_can_be_had(actions: dict[str, Action]) -> None:
    answer = says_json({"field": "thing", "choices": ["y", "z"]}, "409 Conflict")
    outcome, _ = do(actions["change"], answer, {"thing": "x"})
    assert outcome == Outcome(done=False, field="thing", choices=("y", "z"))
    with pytest.raises(ActionError):
        do(actions["change"], says_json({"field": "other"}, "409 Conflict"), {"thing": "x"})


def test_an_answer_without_content_is_done(actions: dict[str, Action]) -> None:
    outcome, _ = do(actions["change"], raw(b"HTTP/1.1 204 No Content\r\n\r\n"), {"thing": "x"})
    assert outcome == Outcome()


@pytest.mark.parametrize("arguments", [{}, {"thing": 3}, {"thing": "x", "more": 1}, {"thing": "x", "count": 10}])
def test_arguments_that_do_not_fit_never_leave(actions: dict[str, Action], arguments: dict[str, Any]) -> None:
    with pytest.raises(ActionError, match="nothing was done"):
        do(actions["look"], says_json({}), arguments)


def test_a_path_cannot_be_climbed(actions: dict[str, Action]) -> None:
    for part in ("..", "."):
        with pytest.raises(ActionError, match="no part of a path"):
            do(actions["look"], says_json({}), {"thing": part})


def test_a_back_end_that_is_not_there_means_that_nothing_was_done(actions: dict[str, Action]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        async def main() -> None:
            tool = HttpTool(NetGuard(), base=f"http://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(ActionError, match="cannot be reached; nothing was done") as caught:
                await tool(actions["change"], {"thing": "x"})
            assert caught.value.done is False
            await tool.close()

        asyncio.run(main())


def test_addresses_of_actions_pass_the_guard(tmp_path: Path) -> None:
    async def main() -> None:
        async with back_end(says_json({"x": 1})) as backend:
            port = backend.base.rpartition(":")[2]
            file = tmp_path / "actions.toml"
            file.write_text(f'[[actions]]\nname="a"\ntitle.en="A"\nsay.en="A"\nurl="http://localhost:{port}/q"\n')
            (action,) = load_actions(file)
            refusing = HttpTool(NetGuard())
            with pytest.raises(ActionError, match="no public address; add it to allow") as caught:
                await refusing(action, {})
            assert caught.value.done is False and not backend.requests
            allowing = HttpTool(NetGuard(["127.0.0.1", "::1"]))
            assert await allowing(action, {}) == Outcome({"x": 1})
            assert backend.requests[0].headers["host"] == f"localhost:{port}"
            await refusing.close()
            await allowing.close()

    asyncio.run(main())


def test_a_path_needs_to_know_this_servers_address(actions: dict[str, Action]) -> None:
    async def main() -> None:
        tool = HttpTool(NetGuard())
        with pytest.raises(ActionError, match="this server's own address is not known; nothing was done"):
            await tool(actions["look"], {"thing": "x"})
        await tool.close()

    asyncio.run(main())
