"""Conversations over HTTP: a visitor opens one with an SDP offer, and operators look after all of them.

Whoever opened a session proves it by its key, ``Authorization: Session KEY``; keys are never in an address or a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from anchor.errors import MissingError, SignallingError
from anchor.interactive.wire import LONGEST_TEXT, Mode
from anchor.server.visitors import Line, SessionInfo, Speaker, Visitors
from anchor.server.whip_whep import MAX_SDP_BYTES

MAX_AUDIO_BYTES = 16 * 1024 * 1024
"""An uploaded recording: a quarter of an hour of Opus, three minutes of 16-bit sound."""

LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class OpenRequest(_Body):
    """An SDP offer as for WHEP, with sound both ways where there is a microphone, and a data channel ``events``.

    `session` and `key` are of a session that was interrupted.
    """

    channel: str = Field(min_length=1, max_length=80)
    sdp: str = Field(min_length=1, max_length=MAX_SDP_BYTES)
    language: str | None = Field(default=None, pattern=LANGUAGE)
    session: str | None = Field(default=None, max_length=100)
    key: str | None = Field(default=None, max_length=100)


class VisitModel(_Body):
    session: str
    key: str
    sdp: str
    resumed: bool


class TextRequest(_Body):
    text: str = Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")


class HeardModel(_Body):
    """What was understood of a recording."""

    text: str


class TakeRequest(_Body):
    """Who takes over, as the visitor is told."""

    who: str = Field(default="", max_length=80)


class LineModel(_Body):
    who: Speaker
    text: str
    language: str
    at: float

    @classmethod
    def of(cls, line: Line) -> LineModel:
        return cls(who=line.who, text=line.text, language=line.language, at=line.at)


class SessionModel(_Body):
    session: str
    channel: str
    mode: Mode
    language: str
    seconds: float
    connected: bool
    wants_person: bool
    person: str
    lines: list[LineModel]
    latencies: list[dict[str, float]]

    @classmethod
    def of(cls, info: SessionInfo, lines: Sequence[Line] | None = None) -> SessionModel:
        values: dict[str, Any] = {name: getattr(info, name) for name in cls.model_fields}
        values["lines"] = [LineModel.of(line) for line in (info.lines if lines is None else lines)]
        values["latencies"] = [dict(turn) for turn in info.latencies]
        return cls(**values)


class _Error(BaseModel):
    error: str


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": _Error} for code in codes}


def session_key(authorization: Annotated[str | None, Header()] = None) -> str:
    """The key of a visitor's request. Raises a 401 without one."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "session" or not key.strip():
        raise HTTPException(
            401, "the session's key is needed: Authorization: Session KEY", {"WWW-Authenticate": "Session"}
        )
    return key.strip()


_Key = Annotated[str, Depends(session_key)]


def _unknown() -> HTTPException:
    return HTTPException(404, "there is no such session, or this is not its key")


def visiting(visitors: Visitors, operator: Any) -> APIRouter:
    """What a visitor's page does. `operator` is a callable that raises for who is none: they may end a session too."""
    router = APIRouter(prefix="/api/v1/sessions", tags=["talk"])

    @router.post(
        "", status_code=201, summary="Talk: an SDP offer in, an SDP answer and the session's key out",
        responses=_errors(400, 404, 422, 503),
    )  # fmt: skip
    async def open_session(body: OpenRequest, response: Response) -> VisitModel:
        try:
            visit = await visitors.open(
                body.channel, body.sdp, language=body.language, session=body.session, key=body.key
            )
        except KeyError:
            raise HTTPException(404, f"there is no channel {body.channel!r}") from None
        except MissingError as error:
            raise HTTPException(404, str(error)) from error
        except SignallingError as error:
            raise HTTPException(400, str(error)) from error
        response.headers["Cache-Control"] = "no-store"
        return VisitModel(session=visit.session, key=visit.key, sdp=visit.sdp, resumed=visit.resumed)

    @router.delete(
        "/{session}", status_code=204, summary="End a session: with its key, or as an operator",
        response_class=Response, responses=_errors(401, 404),
    )  # fmt: skip
    async def close(session: str, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        try:
            if given.partition(" ")[0].lower() == "session":
                await visitors.close(session, session_key(given))
            else:
                operator(request)
                await visitors.end(session)
        except KeyError:
            raise _unknown() from None
        return Response(status_code=204)

    @router.post(
        "/{session}/text", status_code=204, summary="Say something in writing", responses=_errors(401, 404, 422, 503)
    )
    async def say_text(session: str, body: TextRequest, key: _Key) -> None:
        try:
            await visitors.say_text(session, key, body.text)
        except KeyError:
            raise _unknown() from None

    @router.post(
        "/{session}/audio",
        summary="Say something in a recording",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
        responses=_errors(400, 401, 404, 413, 415, 422, 503),
    )
    async def hear_file(session: str, request: Request, key: _Key) -> HeardModel:
        if not request.headers.get("content-type", "").lower().startswith("audio/"):
            raise HTTPException(415, "send audio/*", {"Accept-Post": "audio/*"})
        data = await request.body()
        if not data:
            raise HTTPException(400, "the recording is empty")
        try:
            return HeardModel(text=await visitors.hear_file(session, key, data))
        except KeyError:
            raise _unknown() from None

    return router


def attending(visitors: Visitors) -> APIRouter:
    """What operators do; whoever includes it keeps others out."""
    router = APIRouter(prefix="/api/v1/sessions", tags=["attend"])

    def find(session: str) -> SessionInfo:
        found = next((one for one in visitors.sessions() if one.session == session), None)
        if found is None:
            raise HTTPException(404, f"there is no session {session!r}")
        return found

    @router.get("", summary="The conversations that are going on")
    async def sessions() -> list[SessionModel]:
        return [SessionModel.of(info) for info in visitors.sessions()]

    @router.get("/{session}", summary="A conversation with all that was said", responses=_errors(404))
    async def one_session(session: str) -> SessionModel:
        info = find(session)
        try:
            return SessionModel.of(info, await visitors.transcript(session))
        except KeyError:
            raise HTTPException(404, f"there is no session {session!r}") from None

    @router.post("/{session}/take", status_code=204, summary="Take over from the anchor", responses=_errors(404, 422))
    async def take(session: str, body: TakeRequest) -> None:
        find(session)
        await visitors.take(session, body.who)

    @router.post("/{session}/release", status_code=204, summary="Give back to the anchor", responses=_errors(404))
    async def release(session: str) -> None:
        find(session)
        await visitors.release(session)

    @router.post(
        "/{session}/say", status_code=204, summary="Say something as a person", responses=_errors(404, 422, 503)
    )
    async def say_as_person(session: str, body: TextRequest) -> None:
        find(session)
        await visitors.say_as_person(session, body.text)

    @router.post("/{session}/end", status_code=204, summary="End a conversation", responses=_errors(404))
    async def end(session: str) -> None:
        find(session)
        await visitors.end(session)

    return router
