"""Who may do what over HTTP.

With a token, everything that drives an anchor or looks behind it needs ``Authorization: Bearer TOKEN``; watching is
open. Without one the server belongs to whoever sits at the machine: it listens on loopback only, answers only to a
loopback name (a DNS name that was rebound to 127.0.0.1 is refused), and takes no orders from other sites' pages.
"""

from __future__ import annotations

import ipaddress
import re
import secrets

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from anchor.errors import ConfigError

_SAFE = ("GET", "HEAD", "OPTIONS")


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, is this machine for certain."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_bind(host: str, token: str | None) -> None:
    """Raise `ConfigError` for an address that others can reach when there is no token to keep them out."""
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"server.host: {host} can be reached from other machines, so a token is needed; "
            'set server.token = "${ANCHOR_TOKEN}", or listen on 127.0.0.1'
        )
    if token is not None and len(token) < 16:
        raise ConfigError("server.token: a token of fewer than 16 characters can be guessed; make a longer one")


class Operator:
    """The dependency of every operation that needs the token."""

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token is not None else None

    def __call__(self, request: Request) -> None:
        if self._token is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), self._token):
            raise HTTPException(
                401, "a valid token is needed: Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"}
            )


class SameSite:
    """Middleware: no orders from foreign pages, and without a token only for loopback names."""

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope["method"], Headers(scope=scope))
            if refusal is not None:
                await JSONResponse({"error": refusal}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._loopback_only and not is_loopback(_name(host)):
            return f"this server answers only to loopback names, not to {host!r}; give it a token to change that"
        origin = headers.get("origin")
        if method not in _SAFE and origin is not None and origin.partition("://")[2].lower() != host.lower():
            return f"a page of {origin} may not do that"
        return None


def _name(host: str) -> str:
    """A Host header without its port; empty when it is none (RFC 9110 section 7.2)."""
    found = re.fullmatch(r"(\[[\da-fA-F:.]+\]|[\w.-]+)(:\d*)?", host)
    return found[1] if found else ""
