"""A performer's camera by WebRTC: one video track in, its pictures to whoever looks at them.

One performer at a time. A picture that comes while the one before is still looked at is dropped, so that nothing waits
in a queue and what is seen is always the newest. Pictures are never stored, recorded or sent on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from anchor.errors import CapacityError, SignallingError
from anchor.media import Bytes
from anchor.ports import Answer, Onlooker
from streaming import guard
from streaming.offer import Offer, read_offer
from streaming.peer import CONNECT_SECONDS, GATHER_SECONDS, SILENT_SECONDS, ice_server

logger = logging.getLogger(__name__)

_CODECS = ("video/vp8", "video/h264", "video/rtx")


@dataclass(eq=False, slots=True)
class _Performer:
    name: str
    connection: RTCPeerConnection
    onlooker: Onlooker
    joined: float
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="capture"))
    seen: guard.Watch | None = None
    receiving: asyncio.Task[None] | None = None
    looking: asyncio.Future[None] | None = None
    pictures: int = 0
    dropped: int = 0


class Camera:
    """Lets one performer in at a time; `begin` makes what looks at their pictures.

    `ice_servers` are as `streaming.peer.WebRtcSink` takes them.
    """

    def __init__(self, begin: Callable[[], Onlooker], *, ice_servers: Sequence[str] = ()) -> None:
        self._begin = begin
        self._ice_servers = [ice_server(url) for url in ice_servers]
        self._performer: _Performer | None = None
        self._answering = False
        self._open = False

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
        if self._performer is not None:
            self._forget(self._performer)
        await self._tasks.__aexit__(None, None, None)

    @property
    def taken(self) -> bool:
        return self._performer is not None

    @property
    def dropped(self) -> int:
        """Pictures of the performer who is there that came while another was looked at."""
        return self._performer.dropped if self._performer is not None else 0

    async def join(self, offer: str) -> Answer:
        """Answer an SDP offer of one video track. Raises `SignallingError`, `CapacityError` with a performer there."""
        if not self._open:
            raise CapacityError("the channel is not on air yet")
        if self._performer is not None or self._answering:
            raise CapacityError("somebody performs already; one performer a channel")
        wish = read_offer(offer)
        if wish.sections != ("video",):
            raise SignallingError("the SDP offer must have one video section and nothing else")
        self._answering = True
        configuration = RTCConfiguration(iceServers=self._ice_servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        connection = RTCPeerConnection(configuration)
        performer = _Performer(secrets.token_urlsafe(12), connection, self._begin(), self._loop.time())
        try:
            sdp = await self._answer(performer, wish)
        except BaseException:
            await self._close(performer)
            raise
        finally:
            self._answering = False
        self._performer = performer
        return Answer(performer.name, sdp)

    async def _answer(self, performer: _Performer, wish: Offer) -> str:
        connection = performer.connection
        try:
            transceiver = connection.addTransceiver("video", direction="recvonly")
            known: Any = RTCRtpReceiver.getCapabilities("video")
            transceiver.setCodecPreferences([c for name in _CODECS for c in known.codecs if c.mimeType.lower() == name])
            connection.on("track", partial(self._begin_receiving, performer))
            connection.on("connectionstatechange", lambda: self._changed(performer))
            await connection.setRemoteDescription(RTCSessionDescription(wish.sdp, "offer"))
            # As aiortc turns it round: from where we stand.
            if transceiver._offerDirection not in ("recvonly", "sendrecv"):
                raise SignallingError("the SDP offer does not send video")
            ice = transceiver.receiver.transport.transport._connection
            performer.seen = guard.watch(ice, self._loop.time, gather_seconds=GATHER_SECONDS)
            await connection.setLocalDescription(await connection.createAnswer())
            return str(connection.localDescription.sdp)
        except SignallingError:
            raise
        except Exception as error:
            # aiortc's parser and negotiation raise AssertionError, IndexError, KeyError, ... for what they do not like.
            logger.debug("an offer could not be answered", exc_info=True)
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise SignallingError(f"the SDP offer cannot be answered: {reason}") from error

    async def leave(self, performer: str) -> None:
        """End a performance. Raises `KeyError` for a performer who is not there."""
        found = self._performer
        if found is None or found.name != performer:
            raise KeyError(performer)
        self._performer = None
        await self._close(found)

    def _changed(self, performer: _Performer) -> None:
        if performer.connection.connectionState in ("failed", "closed"):
            self._forget(performer)

    def _forget(self, performer: _Performer) -> None:
        if self._performer is performer:
            self._performer = None
            self._tasks.create_task(self._close(performer))

    async def _close(self, performer: _Performer) -> None:
        if performer.receiving is not None:
            # A track whose connection is closed may leave whoever waits for its next picture waiting.
            performer.receiving.cancel()
        try:
            await performer.connection.close()
        except Exception:
            logger.exception("closing a performer's connection has failed")
        with contextlib.suppress(Exception):
            if performer.looking is not None:
                await performer.looking
        await self._loop.run_in_executor(performer.thread, performer.onlooker.close)
        performer.thread.shutdown(wait=False)

    def _begin_receiving(self, performer: _Performer, track: Any) -> None:
        performer.receiving = self._tasks.create_task(self._receive(performer, track))

    async def _receive(self, performer: _Performer, track: Any) -> None:
        """Hand pictures over, the newest whenever the one before has been looked at."""
        while True:
            try:
                picture = await track.recv()
                at = self._loop.time()
            except MediaStreamError:
                self._forget(performer)
                return
            performer.pictures += 1
            if performer.looking is not None:
                if not performer.looking.done():
                    performer.dropped += 1
                    continue
                if (error := performer.looking.exception()) is not None:
                    logger.error("a performer's picture could not be looked at", exc_info=error)
                    self._forget(performer)
                    return
            performer.looking = self._loop.run_in_executor(performer.thread, _look, performer.onlooker, picture, at)

    async def _watch(self) -> None:
        """Forget a performer who never connects, or from whom nothing authentic comes any more."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._stopping.wait()
            except TimeoutError:
                performer = self._performer
                if performer is not None and self._is_gone(performer):
                    self._forget(performer)

    def _is_gone(self, performer: _Performer) -> bool:
        now = self._loop.time()
        if performer.connection.connectionState != "connected":
            return now - performer.joined > CONNECT_SECONDS
        return performer.seen is not None and now - performer.seen.heard > SILENT_SECONDS


def _look(onlooker: Onlooker, picture: Any, at: float) -> None:
    bgr: Bytes = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    onlooker.look(bgr, at)
