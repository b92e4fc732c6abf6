"""The page on which a visitor talks with an anchor, and what it shows before they begin."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from anchor.errors import AnchorError, MissingError
from anchor.server.pages import Page, Pages
from anchor.server.visitors import KioskInfo, Visitors
from anchor.server.whip_whep import browser_servers


def kiosks(
    visitors: Visitors, poster: Callable[[str], Awaitable[bytes]], pages: Pages, ice_servers: Sequence[str]
) -> APIRouter:
    """The routes. `poster` draws a channel's anchor as WebP; it raises `KeyError` or `AnchorError`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/kiosk/{channel}")
    async def kiosk(channel: str, request: Request) -> Response:
        try:
            info = visitors.kiosk(channel)
        except MissingError:
            return RedirectResponse(f"/watch/{quote(channel)}", 307)
        except KeyError:
            return pages.fill("missing.html", {"channel": channel}).respond(request, 404)
        values = {"channel": channel, "title": info.title, "kiosk": _told(info, ice_servers)}
        return pages.fill("kiosk.html", values).respond(request, microphone=True)

    @router.get("/kiosk/{channel}/poster.webp")
    async def picture(channel: str, request: Request) -> Response:
        # Whoever may talk with an anchor may see it before.
        try:
            visitors.kiosk(channel)
            return Page(await poster(channel), "image/webp").respond(request)
        except (KeyError, AnchorError):
            raise HTTPException(404, "there is no picture of this anchor") from None

    return router


def _told(info: KioskInfo, ice_servers: Sequence[str]) -> str:
    values = {
        "languages": info.languages,
        "privacy": dict(info.privacy),
        "contact": dict(info.contact),
        "buttons": [{"label": dict(button.label), "says": dict(button.says)} for button in info.buttons],
        "ice": browser_servers(ice_servers),
    }
    return json.dumps(values, ensure_ascii=False)
