"""What stands between the open UDP port of a viewer's connection and the code behind it.

Stock aioice hands every datagram that is not STUN to DTLS, whoever sent it, and aiortc ends the session over an empty
one: anybody who finds the port ends the show for its viewer (OWASP ASVS 17.2.4 to 17.2.6). Here a datagram goes on
only when it comes from an address that has shown the connection's ICE password, and never when it is empty.

aiortc offers no way to put something in between, so `watch` replaces methods on the *objects* of one connection, never
on classes, and refuses to work on a release whose insides are not as expected.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from aioice import stun
from aioice.ice import Connection, StunProtocol

from anchor.errors import MissingError

logger = logging.getLogger(__name__)

Address = tuple[str, int]

LOOPBACK = "127.0.0.1"

# RFC 7983: the first byte of a STUN message is 0 to 3, of everything that DTLS or SRTP sends it is 20 or more.
_LAST_STUN = 3
_STUN_HEADER = 20


@dataclass(slots=True)
class Watch:
    """What the guard of one connection has seen. `heard` is the loop time of the last authenticated datagram."""

    heard: float = 0.0
    refused: int = 0


def require(thing: object, names: tuple[str, ...], distribution: str) -> None:
    """Raise `MissingError` unless `thing` has all the attributes that our code leans on."""
    missing = [name for name in names if not hasattr(thing, name)]
    if missing:
        found = version(distribution)
        raise MissingError(
            f"{distribution} {found} is built differently from what the viewer connections need ({', '.join(missing)} "
            f"is gone); run: pip install -U anchor-live"
        )


def watch(connection: Connection, now: Callable[[], float], *, gather_seconds: float = 5) -> Watch:
    """Guard `connection` before it gathers candidates, and let it gather a loopback one.

    STUN and TURN servers get `gather_seconds` to answer, not aioice's five.

    aioice leaves 127.0.0.1 out, and on a machine without a network nothing is left; a browser on the same machine
    then has nobody to talk to.
    """
    require(
        connection,
        ("_check_list", "_protocols", "check_incoming", "data_received", "get_component_candidates"),
        "aioice",
    )
    watch = Watch(heard=now())
    shown_password: set[Address] = set()
    check, deliver, gather = connection.check_incoming, connection.data_received, connection.get_component_candidates

    def check_incoming(message: stun.Message, address: Address, protocol: StunProtocol) -> None:
        # aioice calls this only for requests whose integrity it has verified (RFC 8489 section 9.1.3).
        shown_password.add(address)
        watch.heard = now()
        check(message, address, protocol)

    def receiver(protocol: StunProtocol) -> Callable[[bytes, tuple[Any, ...]], None]:
        handle = protocol.datagram_received

        def datagram_received(data: bytes, sender: tuple[Any, ...]) -> None:
            address = (sender[0], sender[1])
            if not data:
                watch.refused += 1
            elif data[0] <= _LAST_STUN:
                if not _pass_stun(handle, data, sender):
                    watch.refused += 1
            elif address in shown_password or _is_checked(connection, address):
                watch.heard = now()
                deliver(data, protocol.local_candidate.component)
            else:
                watch.refused += 1

        return datagram_received

    async def get_component_candidates(component: int, addresses: list[str]) -> Any:
        if addresses or connection.turn_server is None:
            addresses = [*addresses, LOOPBACK]
        found = await gather(component, addresses, gather_seconds)  # type: ignore[arg-type]
        for protocol in connection._protocols:
            protocol.datagram_received = receiver(protocol)  # type: ignore[method-assign, assignment]
        return found

    replacements = {
        "check_incoming": check_incoming,
        "get_component_candidates": get_component_candidates,
        # Between the opening of a socket and the line above, nobody's data gets in.
        "data_received": lambda data, component: None,
    }
    for name, replacement in replacements.items():
        setattr(connection, name, replacement)
    return watch


def _pass_stun(handle: Callable[[bytes, tuple[Any, ...]], None], data: bytes, sender: tuple[Any, ...]) -> bool:
    """Let aioice treat a STUN message; whether it could read it."""
    if len(data) < _STUN_HEADER:
        return False
    try:
        handle(data, sender)
    except Exception as error:
        # aioice's parser answers crafted attributes with whatever Python raises (struct.error, IndexError, KeyError).
        logger.debug("a STUN message from %s cannot be read: %r", sender[0], error)
        return False
    return True


def _is_checked(connection: Connection, address: Address) -> bool:
    """Whether a connectivity check of ours to `address` was answered with the right integrity."""
    return any(pair.state == pair.State.SUCCEEDED and pair.remote_addr == address for pair in connection._check_list)
