"""Performing: an operator's camera drives a channel's face, by one HTTP request as in WHIP (RFC 9725)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter, HTTPException, Request, Response

from anchor.errors import CapacityError, SignallingError
from anchor.ports import Answer
from anchor.server.whip_whep import SDP, SDP_BODY, require_accepts, require_type, text_of


class Performance(Protocol):
    """Where a channel lets a performer in."""

    async def join(self, offer: str) -> Answer:
        """Raises `SignallingError`, and `CapacityError` when there is a performer already."""
        ...

    async def leave(self, performer: str) -> None:
        """Raises `KeyError` for one who is not there."""
        ...


def mocap(find: Callable[[str], Performance]) -> APIRouter:
    """The routes. `find` raises `HTTPException` for an unknown channel. No picture that comes is stored or sent on."""
    router = APIRouter(prefix="/api/v1/channels/{channel}/mocap", tags=["drive"])

    @router.post(
        "",
        status_code=201,
        summary="Drive the face with a camera: an SDP offer of one video track in, an SDP answer out",
        openapi_extra=SDP_BODY,
        responses={201: {"content": {SDP: {"schema": {"type": "string"}}}}},
        response_class=Response,
    )
    async def perform(channel: str, request: Request) -> Response:
        performance = find(channel)
        require_type(request, SDP)
        require_accepts(request, SDP)
        offer = await text_of(request)
        try:
            answer = await performance.join(offer)
        except CapacityError as error:
            raise HTTPException(409, str(error)) from error
        except SignallingError as error:
            raise HTTPException(400, str(error)) from error
        return Response(answer.sdp, 201, {"Location": f"/api/v1/channels/{channel}/mocap/{answer.viewer}"}, SDP)

    @router.delete("/{performer}", status_code=204, summary="End a performance", response_class=Response)
    async def leave(channel: str, performer: str) -> Response:
        try:
            await find(channel).leave(performer)
        except KeyError:
            raise HTTPException(404, f"there is no performer {performer!r}") from None
        return Response(status_code=204)

    return router
