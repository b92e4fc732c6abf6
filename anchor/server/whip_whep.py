"""WHEP: watching by one HTTP request (draft-ietf-wish-whep, which follows RFC 9725 in all that matters here)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

from anchor.errors import CapacityError, SignallingError
from anchor.ports import ViewerSink

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
MAX_SDP_BYTES = 64 * 1024
RETRY_SECONDS = 5

SDP_BODY = {"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}}
_FRAGMENT_BODY = {"requestBody": {"required": True, "content": {FRAGMENT: {"schema": {"type": "string"}}}}}
_ABOUT = {"Accept-Post": SDP, "Accept-Patch": FRAGMENT}

Find = Callable[[str], ViewerSink]


def browser_servers(urls: Sequence[str]) -> list[dict[str, str]]:
    """STUN and TURN servers, ``turn:user:password@host`` ones too, as the dictionaries that RTCPeerConnection takes."""
    servers = []
    for url in urls:
        scheme, _, rest = url.partition(":")
        credentials, at, host = rest.rpartition("@")
        user, _, password = credentials.partition(":")
        secret = {"username": user, "credential": password} if at else {}
        servers.append({"urls": f"{scheme}:{host}", **secret})
    return servers


def ice_links(urls: Sequence[str]) -> list[str]:
    """The same as values of Link headers (RFC 9725 section 4.4)."""
    links = []
    for server in browser_servers(urls):
        secret = "".join(f'; {name}="{server[name]}"' for name in ("username", "credential") if name in server)
        links.append(f'<{server["urls"]}>; rel="ice-server"{secret}')
    return links


def whep(find: Find, ice_servers: Sequence[str] = ()) -> APIRouter:
    """The routes. `find` gives a channel's viewers and raises `HTTPException` for an unknown channel."""
    router = APIRouter(prefix="/whep", tags=["watch"])
    links = ice_links(ice_servers)

    def with_links(response: Response) -> Response:
        for link in links:
            response.headers.append("Link", link)
        return response

    @router.options("/{channel}", status_code=204, summary="Ask how to watch")
    def options(channel: str) -> Response:
        find(channel)
        return with_links(Response(status_code=204, headers={**_ABOUT, "Allow": "POST, OPTIONS"}))

    @router.post(
        "/{channel}",
        status_code=201,
        summary="Watch: an SDP offer in, an SDP answer out",
        openapi_extra=SDP_BODY,
        responses={201: {"content": {SDP: {"schema": {"type": "string"}}}}},
        response_class=Response,
    )
    async def watch(channel: str, request: Request) -> Response:
        viewers = find(channel)
        require_type(request, SDP)
        require_accepts(request, SDP)
        offer = await text_of(request)
        try:
            answer = await viewers.join(offer)
        except CapacityError as error:
            raise HTTPException(503, str(error), {"Retry-After": str(RETRY_SECONDS)}) from error
        except SignallingError as error:
            raise HTTPException(400, str(error)) from error
        headers = {"Location": f"/whep/{channel}/{answer.viewer}", "ETag": _etag(answer.viewer), **_ABOUT}
        return with_links(Response(answer.sdp, 201, headers, SDP))

    @router.options("/{channel}/{viewer}", status_code=204, summary="Ask what can be done with a session")
    def session_options(channel: str, viewer: str) -> Response:
        find(channel)
        return Response(status_code=204, headers={**_ABOUT, "Allow": "PATCH, DELETE, OPTIONS"})

    @router.patch(
        "/{channel}/{viewer}",
        status_code=204,
        summary="Add ICE candidates (RFC 8840)",
        openapi_extra=_FRAGMENT_BODY,
        response_class=Response,
    )
    async def trickle(
        channel: str, viewer: str, request: Request, if_match: Annotated[str | None, Header()] = None
    ) -> Response:
        viewers = find(channel)
        require_type(request, FRAGMENT)
        fragment = await text_of(request)
        if if_match not in (None, "*", _etag(viewer)):
            raise HTTPException(412, "If-Match is not the ETag of this session")
        try:
            await viewers.trickle(viewer, fragment)
        except KeyError:
            raise _unknown(viewer) from None
        except SignallingError as error:
            raise HTTPException(422, str(error)) from error
        return Response(status_code=204)

    @router.delete("/{channel}/{viewer}", summary="Stop watching", response_class=Response)
    async def leave(channel: str, viewer: str) -> Response:
        viewers = find(channel)
        try:
            await viewers.leave(viewer)
        except KeyError:
            raise _unknown(viewer) from None
        return Response(status_code=200)

    return router


def _etag(viewer: str) -> str:
    # An ICE restart would change it, and there are none: viewers make a new offer.
    return f'"{viewer[:8]}"'


def _unknown(viewer: str) -> HTTPException:
    return HTTPException(404, f"there is no viewer {viewer!r}")


def require_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise HTTPException(415, f"send {wanted}", {"Accept-Patch" if wanted == FRAGMENT else "Accept-Post": wanted})


def require_accepts(request: Request, offered: str) -> None:
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    if not {offered, "application/*", "*/*"} & set(accepted):
        raise HTTPException(406, f"the answer is {offered}")


async def text_of(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise HTTPException(400, "the body is not UTF-8 text") from error
