"""The pages that a browser loads, read once, served with what keeps them safe and fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from fastapi import APIRouter, HTTPException, Request, Response

PACKAGE = "streaming.pages"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
}

SAFE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Pages and their parts must fit each other after an update; with an ETag asking again costs next to nothing.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Page:
    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    def respond(
        self, request: Request, status: int = 200, *, camera: bool = False, microphone: bool = False
    ) -> Response:
        """`camera` and `microphone`: the page may ask for one, as for a performer or a visitor who talks."""
        headers = {**SAFE_HEADERS, "ETag": self.etag}
        for device in [name for name, wanted in (("camera", camera), ("microphone", microphone)) if wanted]:
            policy = headers["Permissions-Policy"]
            headers["Permissions-Policy"] = policy.replace(f"{device}=()", f"{device}=(self)")
        if status == 200 and self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self.content, status, headers, self.media_type)


class Pages:
    """All files of `PACKAGE`, in memory."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        for file in files(PACKAGE).iterdir():
            suffix = file.name[file.name.rfind(".") :]
            if suffix in _TYPES:
                self._pages[file.name] = Page(file.read_bytes(), _TYPES[suffix])

    def __getitem__(self, name: str) -> Page:
        return self._pages[name]

    def __contains__(self, name: str) -> bool:
        return name in self._pages

    def fill(self, name: str, values: Mapping[str, object]) -> Page:
        """A page with ``$name`` replaced by values, escaped for HTML."""
        page = self[name]
        text = Template(page.content.decode()).substitute({key: escape(str(value)) for key, value in values.items()})
        return Page(text.encode(), page.media_type)


def assets(pages: Pages) -> APIRouter:
    """Scripts, styles and pictures under ``/assets``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/assets/{name}")
    def asset(name: str, request: Request) -> Response:
        if name not in pages or name.endswith(".html"):
            raise HTTPException(404, f"there is no asset {name!r}")
        return pages[name].respond(request)

    @router.get("/favicon.ico")
    def favicon(request: Request) -> Response:
        return pages["icon.svg"].respond(request)

    return router
