"""One person at a time who sends one track by WebRTC: letting them in, and noticing when they are gone."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from anchor.errors import CapacityError, SignallingError
from anchor.ports import Answer
from streaming import guard
from streaming.offer import Offer, read_offer
from streaming.peer import CONNECT_SECONDS, GATHER_SECONDS, SILENT_SECONDS, ice_server

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True, kw_only=True)
class Guest:
    """Who is there."""

    connection: RTCPeerConnection
    joined: float
    name: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    seen: guard.Watch | None = None


G = TypeVar("G", bound=Guest)


class Door(Generic[G]):
    """Lets one person in at a time; what becomes of their track is a subclass's.

    `ice_servers` are as `streaming.peer.WebRtcSink` takes them.
    """

    kind: ClassVar[Literal["video", "audio"]]
    codecs: ClassVar[tuple[str, ...]]
    taken_text: ClassVar[str]

    def __init__(self, *, ice_servers: Sequence[str] = ()) -> None:
        self._ice_servers = [ice_server(url) for url in ice_servers]
        self._guest: G | None = None
        self._answering = False
        self._open = False

    def _new(self, connection: RTCPeerConnection, now: float) -> G:
        """A guest whose offer is to be answered."""
        raise NotImplementedError

    def _receive(self, guest: G, transceiver: RTCRtpTransceiver) -> None:
        """Take in what will come; called before the offer is read."""
        raise NotImplementedError

    async def _gone(self, guest: G) -> None:
        """Let go of what a guest had, once their connection is closed."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._stopping = asyncio.Event()
        self._tasks.create_task(self._watch())
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        self._stopping.set()
        if self._guest is not None:
            self._forget(self._guest)
        await self._tasks.__aexit__(None, None, None)

    @property
    def taken(self) -> bool:
        return self._guest is not None

    async def join(self, offer: str) -> Answer:
        """Answer an SDP offer of one track. Raises `SignallingError`, `CapacityError` with somebody there."""
        if not self._open:
            raise CapacityError("the channel is not on air yet")
        if self._guest is not None or self._answering:
            raise CapacityError(self.taken_text)
        wish = read_offer(offer, self.kind)
        if wish.sections != (self.kind,):
            raise SignallingError(f"the SDP offer must have one {self.kind} section and nothing else")
        self._answering = True
        configuration = RTCConfiguration(iceServers=self._ice_servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        guest = self._new(RTCPeerConnection(configuration), self._loop.time())
        try:
            sdp = await self._answer(guest, wish)
        except BaseException:
            await self._close(guest)
            raise
        finally:
            self._answering = False
        self._guest = guest
        return Answer(guest.name, sdp)

    async def _answer(self, guest: G, wish: Offer) -> str:
        connection = guest.connection
        try:
            transceiver = connection.addTransceiver(self.kind, direction="recvonly")
            known: Any = RTCRtpReceiver.getCapabilities(self.kind)
            wanted = [codec for name in self.codecs for codec in known.codecs if codec.mimeType.lower() == name]
            transceiver.setCodecPreferences(wanted)
            self._receive(guest, transceiver)
            connection.on("connectionstatechange", lambda: self._changed(guest))
            await connection.setRemoteDescription(RTCSessionDescription(wish.sdp, "offer"))
            # As aiortc turns it round: from where we stand.
            if transceiver._offerDirection not in ("recvonly", "sendrecv"):
                raise SignallingError(f"the SDP offer does not send {self.kind}")
            ice = transceiver.receiver.transport.transport._connection
            guest.seen = guard.watch(ice, self._loop.time, gather_seconds=GATHER_SECONDS)
            await connection.setLocalDescription(await connection.createAnswer())
            return str(connection.localDescription.sdp)
        except SignallingError:
            raise
        except Exception as error:
            # aiortc's parser and negotiation raise AssertionError, IndexError, KeyError, ... for what they do not like.
            logger.debug("an offer could not be answered", exc_info=True)
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise SignallingError(f"the SDP offer cannot be answered: {reason}") from error

    async def leave(self, guest: str) -> None:
        """Show a guest out. Raises `KeyError` for one who is not there."""
        found = self._guest
        if found is None or found.name != guest:
            raise KeyError(guest)
        self._guest = None
        await self._close(found)

    def dismiss(self) -> None:
        """Show out whoever is there."""
        if self._guest is not None:
            self._forget(self._guest)

    def _changed(self, guest: G) -> None:
        if guest.connection.connectionState in ("failed", "closed"):
            self._forget(guest)

    def _forget(self, guest: G) -> None:
        if self._guest is guest:
            self._guest = None
            self._tasks.create_task(self._close(guest))

    async def _close(self, guest: G) -> None:
        try:
            await guest.connection.close()
        except Exception:
            logger.exception("closing a guest's connection has failed")
        await self._gone(guest)

    async def _watch(self) -> None:
        """Forget a guest who never connects, or from whom nothing authentic comes any more."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._stopping.wait()
            except TimeoutError:
                if self._guest is not None and self._is_gone(self._guest):
                    self._forget(self._guest)

    def _is_gone(self, guest: G) -> bool:
        now = self._loop.time()
        if guest.connection.connectionState != "connected":
            return now - guest.joined > CONNECT_SECONDS
        return guest.seen is not None and now - guest.seen.heard > SILENT_SECONDS
