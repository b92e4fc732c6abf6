"""Taking over: an operator's own voice in place of the show, by one HTTP request as in WHIP (RFC 9725)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter, HTTPException, Request, Response

from anchor.errors import CapacityError, SignallingError
from anchor.ports import Answer
from anchor.server.whip_whep import SDP, SDP_BODY, require_accepts, require_type, text_of


class Takeover(Protocol):
    """Where a channel lets a speaker in."""

    @property
    def state(self) -> str:
        """``""`` with nobody there, else ``connecting``, ``waiting`` (for the sentence on air to end) or ``on air``."""
        ...

    async def join(self, offer: str) -> Answer:
        """Raises `SignallingError`, and `CapacityError` when there is a speaker already."""
        ...

    async def leave(self, speaker: str) -> None:
        """Raises `KeyError` for one who is not there."""
        ...


def takeovers(find: Callable[[str], Takeover]) -> APIRouter:
    """The routes. `find` raises `HTTPException` where nobody can take over. No sound that comes is stored."""
    router = APIRouter(prefix="/api/v1/channels/{channel}/microphone", tags=["on air"])

    @router.post(
        "",
        status_code=201,
        summary="Speak in place of the show: an SDP offer of one audio track in, an SDP answer out",
        openapi_extra=SDP_BODY,
        responses={201: {"content": {SDP: {"schema": {"type": "string"}}}}},
        response_class=Response,
    )
    async def take_over(channel: str, request: Request) -> Response:
        takeover = find(channel)
        require_type(request, SDP)
        require_accepts(request, SDP)
        offer = await text_of(request)
        try:
            answer = await takeover.join(offer)
        except CapacityError as error:
            raise HTTPException(409, str(error)) from error
        except SignallingError as error:
            raise HTTPException(400, str(error)) from error
        return Response(answer.sdp, 201, {"Location": f"/api/v1/channels/{channel}/microphone/{answer.viewer}"}, SDP)

    @router.delete("/{speaker}", status_code=204, summary="Give the show back", response_class=Response)
    async def leave(channel: str, speaker: str) -> Response:
        try:
            await find(channel).leave(speaker)
        except KeyError:
            raise HTTPException(404, f"there is no speaker {speaker!r}") from None
        return Response(status_code=204)

    return router
