"""Serving what an HLS output writes: playlists never from a cache, segments for ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

FindFolder = Callable[[str], Path]

_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "m4s": "video/iso.segment",
    "mp4": "video/mp4",
    "vtt": "text/vtt; charset=utf-8",
    "json": "application/json",
}
_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,63}}\.({'|'.join(_TYPES)})")
_FRESH = {"m3u8", "json"}

# Players on other sites may load it: it is as public as the channel's page.
_HEADERS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


def hls(find: FindFolder) -> APIRouter:
    """The routes. `find` gives a channel's folder and raises `HTTPException` for a channel without one."""
    router = APIRouter(prefix="/hls", tags=["watch"])

    @router.head("/{channel}/{name}", include_in_schema=False)
    @router.get("/{channel}/{name}", summary="Watch by HLS: index.m3u8 and what it names", response_class=Response)
    def part(channel: str, name: str) -> Response:
        folder = find(channel)
        found = _NAME.fullmatch(name)
        # A link in the folder could lead anywhere.
        file = folder / name
        if found is None or file.is_symlink():
            raise _unknown(name)
        try:
            content = file.read_bytes()
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            raise _unknown(name) from None
        kind = found[1]
        kept = "no-store" if kind in _FRESH else "public, max-age=86400, immutable"
        return Response(content, headers={**_HEADERS, "Cache-Control": kept}, media_type=_TYPES[kind])

    return router


def _unknown(name: str) -> HTTPException:
    return HTTPException(404, f"there is no {name[:80]!r} in this stream")
