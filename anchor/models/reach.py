"""Which addresses models are fetched from, and how a request gets there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from anchor.errors import AddressError
from anchor.trust.netguard import NetGuard

MOST_REDIRECTS = 8
AGENT = "anchor-models"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that is open, at the end of its redirects; `headers` has those of all hops, the last winning."""

    response: httpx.Response
    headers: httpx.Headers
    url: str


@dataclass(slots=True)
class Reach:
    """Public https addresses, and the hosts of the addresses in `named`, which may be private and plain http.

    A redirect obeys the same rule. Where the environment names a proxy, that looks names up, and is trusted to.
    """

    named: tuple[str, ...] = ()
    guard: NetGuard = field(default_factory=NetGuard)
    connect_seconds: float = 10.0
    silence_seconds: float = 20.0
    _client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def open(self, url: str, headers: dict[str, str]) -> Answer:
        """Send a GET and follow where it leads. The caller closes the response. Raises `AddressError`, `HTTPError`."""
        gathered = httpx.Headers()
        for _ in range(MOST_REDIRECTS):
            response = await self._send(url, headers)
            gathered.update(response.headers)
            if not response.is_redirect:
                return Answer(response, gathered, url)
            await response.aclose()
            url = urljoin(url, response.headers["location"])
        raise AddressError(f"{shown(url)}: redirects without end")

    async def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        own = _host(url) in {_host(name) for name in self.named}
        if not own and urlsplit(url).scheme != "https":
            raise AddressError(f"{shown(url)}: only https is fetched from, but for a mirror that you name")
        sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        extensions: dict[str, Any] = {}
        if not own and not _proxied(url):
            pinned = await self.guard(url)
            url, sent["Host"], extensions["sni_hostname"] = pinned.url, pinned.host, pinned.name
        if self._client is None:
            timeout = httpx.Timeout(self.silence_seconds, connect=self.connect_seconds)
            # No connection is kept: one that is pinned to an address belongs to one name only.
            limits = httpx.Limits(max_keepalive_connections=0)
            self._client = httpx.AsyncClient(follow_redirects=False, limits=limits, timeout=timeout)
        request = self._client.build_request("GET", url, headers=sent, extensions=extensions)
        return await self._client.send(request, stream=True)


def shown(url: str) -> str:
    """An address without its query, which may hold a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _host(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


def _proxied(url: str) -> bool:
    parts = urlsplit(url)
    proxies = getproxies()
    return (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(parts.hostname or "")
