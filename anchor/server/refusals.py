"""What the whole HTTP server refuses, and how it says so: bodies that are too long, and one shape for all errors."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anchor.errors import AnchorError, CapacityError, ConflictError, RundownError
from anchor.server.sessions import MAX_AUDIO_BYTES
from anchor.server.whip_whep import MAX_SDP_BYTES, RETRY_SECONDS

logger = logging.getLogger(__name__)

MAX_TEXT = 20_000
"""Characters of one ``say``: a quarter of an hour of speech."""

# JSON may spell each character as twelve bytes (two escapes of a surrogate pair).
MAX_BODY_BYTES = 12 * MAX_TEXT + 4096

MAX_RUNDOWN_BYTES = 4 * 2**20
"""A rundown of 500 segments, or an article, spelled as JSON may spell it."""

_RUNDOWN = re.compile(r"/api/v1/channels/[^/]+/rundown(\.yaml|/\w+)?")
_AUDIO = re.compile(r"/api/v1/sessions/[^/]+/audio")


def answer_errors(app: FastAPI) -> None:
    """Every error is ``{"error": "one line"}``; one of a rundown has its ``problems`` besides."""

    @app.exception_handler(StarletteHTTPException)
    async def http_error(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": "; ".join(map(_explain, error.errors()[:3]))}, 422)

    @app.exception_handler(CapacityError)
    async def full(_: Request, error: CapacityError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": str(RETRY_SECONDS)})

    @app.exception_handler(ConflictError)
    async def conflict(_: Request, error: ConflictError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 409)

    @app.exception_handler(RundownError)
    async def faulty(_: Request, error: RundownError) -> JSONResponse:
        return JSONResponse({"error": str(error), "problems": [asdict(one) for one in error.problems]}, 422)

    @app.exception_handler(AnchorError)
    async def refused(_: Request, error: AnchorError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return JSONResponse({"error": "the server made a mistake; its log says which"}, 500)


def _explain(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"] if part != "body")
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def _longest_body(path: str) -> int:
    if path.startswith("/whep") or path.endswith(("/mocap", "/microphone")):
        return MAX_SDP_BYTES
    if _RUNDOWN.fullmatch(path):
        return MAX_RUNDOWN_BYTES
    return MAX_AUDIO_BYTES if _AUDIO.fullmatch(path) else MAX_BODY_BYTES


class BodyLimit:
    """Middleware: a request body has a bound, whether it is announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _longest_body(scope["path"])
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, f"the body is longer than {limit} bytes", {"Connection": "close"})
            return message

        await self._app(scope, bounded, send)
