"""Which addresses may be reached: public ones, and of the others only those that are allowed by name or network.

A host is looked up once and reached by the very address that was checked, so a name that answers differently the
second time gains nothing. All that a resolver makes of odd spellings (decimal, hexadecimal, octal, IPv6 with an IPv4
inside) is judged by the address that comes out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from anchor.errors import AddressError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host name and port. Raises `OSError`."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOOKUP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pinned:
    """An address that may be reached: `url` holds the address itself, `host` is its ``Host`` header.

    `name` is the host name that a certificate must be for.
    """

    url: str
    host: str
    name: str


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LOOKUP_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class NetGuard:
    """Judges addresses. `allow`: hosts (``bank.internal``) or networks (``10.1.0.0/16``) that may be private.

    Raises `AddressError` for an `allow` that is neither.
    """

    def __init__(self, allow: Sequence[str] = (), *, resolve: Resolve = _resolve) -> None:
        self._resolve = resolve
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        for entry in allow:
            self._permit(entry.strip())

    def _permit(self, entry: str) -> None:
        try:
            self._networks.append(ipaddress.ip_network(entry))
        except ValueError:
            host = entry.lower().rstrip(".")
            if not host or any(letter in host for letter in "/:@*?# ") or host.replace(".", "").isdigit():
                raise AddressError(f"allow: {entry!r} is neither a host nor a network such as 10.1.0.0/16") from None
            self._hosts.add(host)

    async def __call__(self, url: str) -> Pinned:
        """Check an absolute address and pin it. Raises `AddressError`."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            name = (parts.hostname or "").rstrip(".").encode("idna").decode() if parts.hostname else ""
        except ValueError as error:
            raise AddressError(f"{_shown(url)!r} is no address: {error}") from error
        if parts.scheme not in ("http", "https"):
            raise AddressError(f"{_shown(url)!r}: only http and https are reached")
        if parts.username is not None or parts.password is not None or "\\" in url or not name:
            raise AddressError(f"{_shown(url)!r}: an address must have a host, and no user or backslash before it")
        address = await self._address(name, port)
        literal = f"[{address}]" if address.version == 6 else str(address)
        shown = f"[{name}]" if ":" in name else name
        default = port == (443 if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Pinned(f"{parts.scheme}://{literal}:{port}{path}", shown if default else f"{shown}:{port}", name)

    async def _address(self, name: str, port: int) -> Address:
        try:
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in await self._resolve(name, port)]
        except (OSError, UnicodeError, ValueError) as error:
            raise AddressError(f"there is no host {name!r} that can be reached") from error
        if not found:
            raise AddressError(f"there is no host {name!r} that can be reached")
        for address in found:
            self._judge(name, address)
        return found[0]

    def _judge(self, name: str, address: Address) -> None:
        inner = _unwrapped(address)
        for network in self._networks:
            if any(one.version == network.version and one in network for one in (address, inner)):
                return
        # Where clouds keep their keys, an allowed name must not lead either.
        if name.lower() in self._hosts and not (inner.is_link_local or inner.is_unspecified or inner.is_multicast):
            return
        if not is_public(address):
            raise AddressError(f"{name!r} is {address}, which is no public address; add it to allow if that is meant")


def _shown(url: str) -> str:
    """An address without its path and query, which may hold what nobody should read."""
    return "/".join(url.split("/")[:3]).partition("?")[0].rpartition("@")[2][:100]


def is_public(address: Address) -> bool:
    """An address of the open internet: not private, loopback, link-local, shared, multicast or reserved."""
    if isinstance(address, ipaddress.IPv6Address) and _unwrapped(address) is not address:
        return is_public(_unwrapped(address))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to: mapped, compatible, NAT64, 6to4 or Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return address.sixtofour
    return address.teredo[1] if address.teredo is not None else address
