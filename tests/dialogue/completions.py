"""A server of the chat completions API for tests: honest by default, and wrong in every way that servers are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

KEY = "sk-canary-0123456789"
MODEL = "tiny"


@dataclass
class Server:
    """What the server was asked and saw; `script` decides what it streams for the last message of a request."""

    script: Callable[[str], Sequence[Any]] = lambda text: [f"You said {text}."]
    requests: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away before a stream ended."""
    never: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def app_of(server: Server) -> FastAPI:
    app = FastAPI()

    def authorised(request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {KEY}"

    @app.get("/v1/models")
    async def models(request: Request) -> Response:
        if not authorised(request):
            return JSONResponse({"error": {"message": f"wrong key {request.headers.get('authorization')}"}}, 401)
        return JSONResponse(
            {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "t"}]}
        )

    @app.post("/v1/chat/completions")
    async def completions(request: Request) -> Response:
        if not authorised(request):
            return JSONResponse({"error": {"message": f"wrong key {request.headers.get('authorization')}"}}, 401)
        body = await request.json()
        server.requests.append(body)
        text = body["messages"][-1]["content"]
        if text.startswith("STATUS "):
            return JSONResponse({"error": {"message": f"no: {KEY}", "type": "x"}}, int(text.split()[1]))
        if text == "HTML":
            return HTMLResponse("<html><body>Welcome to nginx</body></html>")
        if text == "WHOLE":
            message = {"role": "assistant", "content": "All at once."}
            return JSONResponse(
                {"id": "1", "object": "chat.completion", "created": 1, "model": MODEL,
                 "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            )  # fmt: skip
        return StreamingResponse(streamed(server, text), media_type="text/event-stream")

    return app


async def streamed(server: Server, text: str) -> AsyncIterator[str]:
    """Events for one answer; the parts of a script are text, deltas, or words that do something."""
    try:
        yield event(chunk({"role": "assistant", "content": ""}))
        finish: str | None = "stop"
        for part in server.script(text):
            if part == "HANG":
                await server.never.wait()
            elif part == "DRIP":
                while not server.never.is_set():
                    yield ": still here\n\n"
                    await moment(server.never)
            elif part == "ENDLESS":
                while not server.never.is_set():
                    yield event(chunk({"content": "word " * 20_000}))
                    await moment(server.never)
            elif part == "BREAK":
                return
            elif part == "GARBAGE":
                yield "data: {not json\n\n"
            elif isinstance(part, dict) and "error" in part:
                yield event(part)
            elif isinstance(part, dict):
                finish = "tool_calls"
                yield event(chunk(part))
            else:
                yield event(chunk({"content": part}))
        yield event(chunk({}, finish))
        yield "data: [DONE]\n\n"
    except BaseException:
        server.left.set()
        raise


async def moment(unless: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(unless.wait(), 0.005)


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """Run the server on a free port for as long as the block lasts."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(app_of(server), log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        web = uvicorn.Server(config)
        web.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]
        server.url = f"http://127.0.0.1:{port}/v1"
        async with asyncio.TaskGroup() as group:
            group.create_task(web.serve(sockets=[listening]))
            try:
                yield server
            finally:
                server.never.set()
                web.should_exit = True


@contextlib.asynccontextmanager
async def resetting(after: bytes) -> AsyncIterator[str]:
    """A server that sends some bytes and then resets the connection. Yields its base URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(after)
        await writer.drain()
        linger = socket.SO_LINGER
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, linger, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    web = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with web:
        yield f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}/v1"
