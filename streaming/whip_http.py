"""The HTTP side of pushing by WHIP (RFC 9725): an offer in, an answer and an address to take it back by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from aiortc import RTCIceServer

from anchor.errors import FormatError, OutputError

if TYPE_CHECKING:
    import httpx

SDP = "application/sdp"
MAX_ANSWER_BYTES = 64 * 1024
TIMEOUT_SECONDS = 10.0
ASIDE_SECONDS = 3.0
"""For what can be done without."""

_REDIRECTS = (307, 308)
_MAX_HOPS = 5

# Refusals that another try may find gone: busy, a session of ours that the server has not given up yet, too many.
_PASSING = (408, 409, 423, 425, 429)


class WhipError(OutputError):
    """A push that did not come about. `final`: trying again changes nothing; `after`: seconds the server asks for."""

    def __init__(self, text: str, *, final: bool = False, after: float | None = None) -> None:
        super().__init__(text)
        self.final = final
        self.after = after


@dataclass(frozen=True, slots=True)
class Published:
    """An offer that was taken: the answer, where to end the session, and servers for another try."""

    answer: str
    session: str
    ice_servers: tuple[RTCIceServer, ...]


def check_address(url: str) -> str:
    """The ``http(s)`` address of ``whip+http(s)://...`` or of itself. Raises `FormatError`."""
    plain = url.removeprefix("whip+")
    try:
        parts = urlsplit(plain)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise FormatError(f"WHIP address {shown(url)!r}: write whip+https://HOST/PATH")
    return plain


def shown(url: str) -> str:
    """An address as it may be shown and logged: no user, no query, and nothing long that could be a stream's key."""
    try:
        parts = urlsplit(url.removeprefix("whip+"))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "?"
    path = "/".join(part if len(part) < 16 else f"{part[:4]}…" for part in parts.path.split("/"))
    return f"{parts.scheme}://{host}{port}{path}"


def read_links(values: Sequence[str], *, prefix: str = "") -> tuple[RTCIceServer, ...]:
    """The ICE servers in Link headers (RFC 9725 section 4.6); what cannot be read is left out."""
    found = []
    for match in re.finditer(r"<([^<>]*)>((?:\s*;\s*[\w-]+=(?:\"[^\"]*\"|[^\s;,\"]*))*)", ", ".join(values)):
        url, rest = match[1], match[2]
        options = {
            key.lower(): value.strip('"') for key, value in re.findall(r"([\w-]+)=(\"[^\"]*\"|[^\s;,\"]*)", rest)
        }
        if options.get("rel") == "ice-server" and re.match(r"(stuns?|turns?):[^\s@]+$", url):
            found.append(RTCIceServer(urls=url, username=options.get("username"), credential=options.get("credential")))
    return tuple(found[:4])


class WhipClient:
    """Talks to one endpoint. `token` goes as a bearer's, also where the endpoint sends us on to, never unencrypted."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> Self:
        import httpx

        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, headers=self._headers, follow_redirects=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ice_servers(self) -> tuple[RTCIceServer, ...]:
        """What the endpoint says before an offer; servers that do not answer OPTIONS have said nothing."""
        import httpx

        try:
            response = await self._http.request("OPTIONS", self._url, timeout=ASIDE_SECONDS)
        except httpx.HTTPError:
            return ()
        return read_links(response.headers.get_list("link")) if response.is_success else ()

    async def publish(self, offer: str) -> Published:
        """Raises `WhipError`."""
        url = self._url
        for _ in range(_MAX_HOPS):
            status, headers, body = await self._post(url, offer)
            if status in _REDIRECTS and "location" in headers:
                url = self._next(url, headers["location"])
                continue
            if status not in (200, 201):
                raise _refusal(status, headers, body)
            if not headers.get("content-type", "").lower().startswith(SDP) or not body.startswith("v=0"):
                raise WhipError(f"{shown(url)} does not answer as a WHIP endpoint: no SDP in its answer", final=True)
            location = headers.get("location")
            session = urljoin(url, location) if location else ""
            return Published(body, session, read_links(headers.get_list("link")))
        raise WhipError(f"{shown(self._url)} redirects more than {_MAX_HOPS} times", final=True)

    async def _post(self, url: str, offer: str) -> tuple[int, httpx.Headers, str]:
        import httpx

        headers = {"Content-Type": SDP, "Accept": SDP}
        try:
            async with self._http.stream("POST", url, content=offer, headers=headers) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise WhipError(f"{shown(url)}: the answer is longer than {MAX_ANSWER_BYTES} bytes", final=True)
                return response.status_code, response.headers, body.decode(errors="replace")
        except httpx.HTTPError as error:
            said = " ".join(str(error).split())[:160] or type(error).__name__
            raise WhipError(f"{shown(url)} cannot be reached: {said}") from error

    def _next(self, url: str, location: str) -> str:
        """Where a redirect leads. The token follows it, for who has it names the place; in the clear it does not."""
        target = urljoin(url, location)
        if urlsplit(target).scheme not in ("http", "https") or (
            urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
        ):
            raise WhipError(f"{shown(url)} redirects to {shown(target)}, which is not encrypted", final=True)
        return target

    async def end(self, session: str) -> None:
        """Tell the server that the session is over. One that does not answer finds out by itself."""
        import httpx

        if session:
            try:
                await self._http.delete(session, timeout=ASIDE_SECONDS)
            except httpx.HTTPError:
                return


def _refusal(status: int, headers: httpx.Headers, body: str) -> WhipError:
    said = " ".join(re.sub(r"<[^>]*>", " ", body).split())[:120]
    text = f"the server refuses: {status}{': ' + said if said else ''}"
    after = headers.get("retry-after", "")
    seconds = min(300.0, float(after)) if re.fullmatch(r"\d{1,6}", after) else None
    final = 300 <= status < 500 and status not in _PASSING
    return WhipError(text, final=final, after=seconds)
