"""A dialogue by a server of the chat completions API, against a real one on this machine."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from anchor.channel import closing
from anchor.dialogue.openai_http import OpenAiDialogue
from anchor.errors import ConfigError, DialogueError
from anchor.talk import Message, NoAnswer, Question, Tool, ToolCall
from anchor.testing import check_dialogue
from tests.dialogue.asking import FEES, HOURS, cited, parts_of, question, text_of
from tests.dialogue.completions import KEY, MODEL, Server, resetting, serving


def ask(
    test: Callable[[Server, OpenAiDialogue], Awaitable[None]],
    script: Callable[[str], Any] | None = None,
    **options: Any,
) -> None:
    async def main() -> None:
        server = Server(script) if script is not None else Server()
        async with serving(server):
            settings: dict[str, Any] = {"base_url": server.url, "model": MODEL, "api_key": KEY} | options
            dialogue = OpenAiDialogue(**settings)
            try:
                await test(server, dialogue)
            finally:
                await dialogue.close()

    asyncio.run(main())


def fails(text: str, script: Callable[[str], Any] | None = None, **options: Any) -> str:
    """What a question's error says."""
    told = []

    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        with pytest.raises(DialogueError) as raised:
            await parts_of(dialogue, question(text))
        told.append(str(raised.value))

    ask(test, script, **options)
    assert KEY not in told[0]
    assert "127.0.0.1" in told[0]
    return told[0]


def test_it_keeps_the_promises_of_dialogues() -> None:
    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        await check_dialogue(dialogue, question("one", FEES), question("two", HOURS))

    ask(test, lambda text: ["You ", f"said {text} ", "[1]", "."])


def test_the_server_it_is_tested_against_satisfies_the_official_client() -> None:
    import openai

    async def test(server: Server, _: OpenAiDialogue) -> None:
        async with openai.AsyncOpenAI(base_url=server.url, api_key=KEY) as client:
            assert [model.id async for model in await client.models.list()] == [MODEL]
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
            )
            chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said hi."
        assert chunks[-1].choices[0].finish_reason == "stop"

    ask(test)


def test_the_model_is_told_the_rules_and_the_passages_and_gets_the_messages_as_they_were() -> None:
    earlier = (
        Message("user", "Pay my bill"),
        Message("assistant", "", calls=(ToolCall("pay", {"amount": 5}, "c1"),)),
        Message("tool", "paid", call_id="c1"),
        Message("assistant", "Done."),
    )

    async def test(server: Server, dialogue: OpenAiDialogue) -> None:
        await parts_of(dialogue, Question((*earlier, Message("user", "And?")), "zh", "Be kind.", (FEES,)))
        system, *rest = server.requests[0]["messages"]
        assert "Be kind." in system["content"] and "[1]" in system["content"]
        assert "A transfer costs 5 yuan." in system["content"] and "Chinese" in system["content"]
        assert [message["role"] for message in rest] == ["user", "assistant", "tool", "assistant", "user"]
        assert rest[1]["tool_calls"][0]["function"] == {"name": "pay", "arguments": '{"amount": 5}'}
        assert rest[2]["tool_call_id"] == "c1"

    ask(test)


def test_citations_are_parts_and_not_said() -> None:
    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        parts = await parts_of(dialogue, question("x", FEES, HOURS))
        assert cited(parts) == [HOURS]
        assert text_of(parts) == "We open at 9. Come in."

    ask(test, lambda _: ["We open at 9 ", "[", "2", "]. Come [2] in. [7]"])


def test_reasoning_and_markup_are_not_said() -> None:
    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        parts = await parts_of(dialogue, question("x", FEES))
        assert text_of(parts).strip() == "It costs 5 yuan, see here."

    ask(
        test, lambda _: ["<thi", "nk>hm, [1]</th", "ink>It **cos", "ts** 5 yuan, ", "see [he", "re](http://a.b/c)", "."]
    )


def test_a_model_that_marks_not_knowing_gives_no_answer() -> None:
    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        parts = await parts_of(dialogue, question("x"))
        assert isinstance(parts[0], NoAnswer)
        assert text_of(parts) == "I do not know that."
        silent = await parts_of(dialogue, question("mark only", language="zh"))
        assert isinstance(silent[0], NoAnswer) and "不清楚" in text_of(silent)

    ask(test, lambda text: ["[unk", "nown]"] if text == "mark only" else ["[unknown] I do not", " know that."])


def test_tool_calls_come_together_from_their_pieces() -> None:
    def script(_: str) -> list[Any]:
        def call(index: int, **more: Any) -> dict[str, Any]:
            return {"tool_calls": [{"index": index, **more}]}

        return [
            call(0, id="c0", type="function", function={"name": "book", "arguments": ""}),
            call(0, function={"arguments": '{"day": "mon'}),
            call(1, id="c1", type="function", function={"name": "list", "arguments": "{}"}),
            call(0, function={"arguments": 'day"}'}),
        ]

    async def test(server: Server, dialogue: OpenAiDialogue) -> None:
        tools = (Tool("book", "Book a day", {"type": "object", "properties": {"day": {"type": "string"}}}),)
        parts = await parts_of(dialogue, Question((Message("user", "book"),), "en", tools=tools))
        assert parts == [ToolCall("book", {"day": "monday"}, "c0"), ToolCall("list", {}, "c1")]
        assert server.requests[0]["tools"][0]["function"]["name"] == "book"

    ask(test, script)


def test_a_server_that_does_not_stream_is_understood() -> None:
    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        assert text_of(await parts_of(dialogue, question("WHOLE"))) == "All at once."

    ask(test)


def test_closing_the_reply_closes_the_connection() -> None:
    async def test(server: Server, dialogue: OpenAiDialogue) -> None:
        async with closing(dialogue.reply(question("x"))) as reply:
            await anext(reply)
        async with asyncio.timeout(5):
            await server.left.wait()

    ask(test, lambda _: ["Well, ", "I ", "HANG"])


@pytest.mark.parametrize(
    ("script", "options", "says"),
    [
        (["HANG"], {"timeout": 0.2}, "did not answer in time"),
        (["Some words ", "HANG"], {"timeout": 0.2}, "did not answer in time"),
        (["DRIP"], {"longest": 0.3}, "did not answer in time"),
        (["ENDLESS"], {}, "does not stop"),
        (["Half a sen", "BREAK"], {}, "broke off"),
        (["GARBAGE"], {}, "not JSON"),
        ([], {}, "answered with nothing"),
        (["<think>only thoughts</think>"], {}, "answered with nothing"),
        ([{"error": {"message": f"out of memory {KEY}"}}], {}, "out of memory"),
        ([{"tool_calls": [{"index": 0, "function": {"name": "x", "arguments": "{"}}]}], {}, "arguments"),
    ],
    ids=["hang", "stall", "drip", "endless", "truncated", "malformed", "empty", "thoughts", "error", "arguments"],
)
def test_what_goes_wrong_in_a_stream_is_told(script: list[Any], options: dict[str, Any], says: str) -> None:
    assert says in fails("x", lambda _: script, **options)


@pytest.mark.parametrize(
    ("text", "says"),
    [("STATUS 401", "api_key"), ("STATUS 429", "too much"), ("STATUS 500", "failed"), ("STATUS 404", "model"),
     ("STATUS 400", "request"), ("HTML", "base_url")],
)  # fmt: skip
def test_a_server_that_refuses_is_told(text: str, says: str) -> None:
    assert says in fails(text)


def test_a_connection_that_is_reset_is_told() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    body = b'data: {"choices":[{"delta":{"content":"Hello there "}}]}\n\n'

    async def main(after: bytes) -> str:
        async with resetting(after) as url:
            dialogue = OpenAiDialogue(base_url=url, model=MODEL, api_key=KEY)
            with pytest.raises(DialogueError) as raised:
                await parts_of(dialogue, question("x"))
            await dialogue.close()
            return str(raised.value)

    for after in (b"", head, head + b"%x\r\n%s\r\n" % (len(body), body)):
        assert "broke the connection off" in asyncio.run(main(after))


def test_a_server_that_is_not_there_is_told() -> None:
    async def main() -> None:
        dialogue = OpenAiDialogue(base_url="http://127.0.0.1:9/v1", model=MODEL)
        with pytest.raises(DialogueError, match="cannot be reached"):
            await dialogue.warm()
        with pytest.raises(DialogueError, match="cannot be reached"):
            await parts_of(dialogue, question("x"))
        await dialogue.close()
        quiet = OpenAiDialogue(base_url="http://127.0.0.1:9/v1", model=MODEL, probe=False)
        await quiet.warm()
        await quiet.close()

    asyncio.run(main())


def test_a_wrong_key_is_told_when_the_server_is_reached_first_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(_: Server, dialogue: OpenAiDialogue) -> None:
        with pytest.raises(DialogueError, match="api_key") as raised:
            await dialogue.warm()
        assert "another-secret" not in str(raised.value)

    ask(test, api_key="another-secret-key")
    assert "another-secret" not in caplog.text


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://", "http://user:secret@host/v1"])
def test_an_address_that_cannot_be_one_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as raised:
        OpenAiDialogue(base_url=url, model=MODEL)
    assert "secret" not in str(raised.value)
    with pytest.raises(ConfigError, match="model"):
        OpenAiDialogue()
