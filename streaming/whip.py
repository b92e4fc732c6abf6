"""Pushing a stream to a WHIP endpoint (RFC 9725): the viewers' own encoder, one more receiver, and our own patience."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from aiortc import RTCIceServer, RTCSessionDescription

from anchor.errors import AnchorError, OutputError, SignallingError
from anchor.media import VideoFormat
from anchor.onair import OutputInfo, OutputState
from streaming import guard
from streaming.offer import reachable
from streaming.viewer import GATHER_SECONDS, Viewer, reason
from streaming.whip_http import WhipClient, WhipError, check_address, shown

logger = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_SECONDS = 10.0
"""From the answer until media flows."""

SILENT_SECONDS = 6.0
"""A server that reports nothing for so long is gone; receivers report every second or so."""

RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Before the first, second, ... try after a failure; the last stays. What was live for `STEADY_SECONDS` begins anew."""

STEADY_SECONDS = 10.0
_TICK_SECONDS = 1.0
_CONNECTING_TICK_SECONDS = 0.1
_RATE_TICKS = 5


class Source(Protocol):
    """Where the beats come from: `streaming.peer.WebRtcSink`."""

    video: VideoFormat

    def new_pushed(self, ice_servers: Sequence[RTCIceServer]) -> Viewer: ...

    def admit(self, viewer: Viewer) -> None:
        """From now on it gets beats."""
        ...

    async def drop(self, viewer: Viewer) -> None: ...


class WhipPush:
    """One endpoint. `start` and `stop` say what is wanted; `run` sees to it until `end`.

    An endpoint that refuses the first try has ``failed`` until it is started again; one that was live is called again
    whatever it says, for servers refuse much while they come up.
    """

    def __init__(self, source: Source, url: str, *, token: str | None = None, name: str = "") -> None:
        self._source = source
        self._url = check_address(url)
        self._token = token
        self.name = name or shown(url)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._wanted = False
        self._ended = False
        self._state: OutputState = "stopped"
        self._since = self._loop.time()
        self._problem = ""
        self._attempts = 0
        self._dropped = 0
        self._live_seconds = 0.0
        self._was_live = False
        self._viewer: Viewer | None = None
        self._patience: asyncio.Timeout | None = None
        self._links: tuple[RTCIceServer, ...] = ()
        self._rates: deque[tuple[float, int]] = deque(maxlen=_RATE_TICKS)

    def start(self) -> None:
        """Connect, also after it has failed. Nothing happens when it is wanted already and did not fail."""
        if self._state == "failed" or not self._wanted:
            self._wanted, self._was_live, self._problem = True, False, ""
            self._changed.set()

    def stop(self) -> None:
        """End the session; `run` tells the server."""
        self._wanted = False
        if self._patience is not None:
            self._patience.reschedule(self._loop.time())
        self._changed.set()

    def end(self) -> None:
        """Stop for good: `run` returns when the server was told."""
        self._ended = True
        self.stop()

    def info(self) -> OutputInfo:
        now = self._loop.time()
        live = self._viewer if self._state == "live" else None
        return OutputInfo(
            name=self.name,
            kind="whip",
            address=shown(self._url),
            profile="webrtc",
            state=self._state,
            since=now - self._since,
            bitrate=self._bitrate() if live else 0.0,
            sent_seconds=self._live_seconds + (now - self._since if live else 0.0),
            dropped=self._dropped + (live.video.dropped if live else 0),
            attempts=self._attempts,
            problem=self._problem,
        )

    def _bitrate(self) -> float:
        if len(self._rates) < 2:
            return 0.0
        (begin, before), (end, after) = self._rates[0], self._rates[-1]
        return 8 * (after - before) / (end - begin)

    def _enter(self, state: OutputState, problem: str = "") -> None:
        if state != self._state:
            self._state, self._since = state, self._loop.time()
            logger.info("output %s: %s %s", self.name, state, problem)
        self._problem = problem

    async def run(self) -> None:
        """Keep the endpoint supplied while that is wanted; returns after `end`."""
        failures = 0
        while not self._ended:
            if not self._wanted or self._state == "failed":
                if not self._wanted:
                    self._enter("stopped")
                await self._change(None)
                if self._wanted and self._state == "failed":
                    self._enter("connecting")
                failures = 0
                continue
            self._enter("connecting", self._problem)
            self._attempts += 1
            begun = self._loop.time()
            try:
                await self._session()
            except Exception as error:
                if not isinstance(error, AnchorError):
                    # Whatever a server makes aiortc or httpx raise, the stream and its other outputs go on.
                    logger.exception("output %s has failed", self.name)
                if self._loop.time() - begun > STEADY_SECONDS:
                    failures = 0
                refusal = error if isinstance(error, WhipError) else WhipError(reason(error))
                if refusal.final and not self._was_live:
                    self._enter("failed", str(refusal))
                    continue
                self._enter("waiting", str(refusal))
                await self._change(max(refusal.after or 0.0, RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]))
                failures += 1
        self._enter("stopped")

    async def _change(self, seconds: float | None) -> None:
        """Until somebody wants something else, or `seconds` have passed."""
        if self._ended:
            return
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _session(self) -> None:
        """One session, until it is not wanted any more. Raises `OutputError` or `SignallingError` when it is lost."""
        async with WhipClient(self._url, self._token) as client:
            viewer = self._source.new_pushed(self._links or await self._unless_stopped(client.ice_servers) or ())
            session = ""
            try:
                offer = await _offer(viewer, self._loop)
                published = await self._unless_stopped(partial(client.publish, offer))
                if published is None:
                    return
                session, self._links = published.session, published.ice_servers
                viewer.connection.on("connectionstatechange", self._changed.set)
                self._source.admit(viewer)
                await _accept(viewer, published.answer)
                await self._supply(viewer)
            finally:
                if self._state == "live":
                    self._live_seconds += self._loop.time() - self._since
                self._dropped += viewer.video.dropped
                self._viewer = None
                self._rates.clear()
                await self._source.drop(viewer)
                await client.end(session)

    async def _unless_stopped(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Wait for a server that may be slow to answer, but no longer than it is wanted."""
        if not self._wanted:
            return None
        try:
            async with asyncio.timeout(None) as self._patience:
                return await call()
        except TimeoutError:
            return None
        finally:
            self._patience = None

    async def _supply(self, viewer: Viewer) -> None:
        begun = self._loop.time()
        while self._wanted:
            now = self._loop.time()
            if viewer.connection.connectionState in ("failed", "closed"):
                raise OutputError("the connection was lost")
            if viewer.video.open and self._state != "live":
                self._was_live, self._viewer = True, viewer
                self._enter("live")
            if not viewer.video.open and now - begun > CONNECT_SECONDS:
                raise OutputError("the server answered, but no connection to it came about (UDP blocked?)")
            if self._state == "live" and viewer.seen is not None and now - viewer.seen.heard > SILENT_SECONDS:
                raise OutputError(f"the server has not been heard for {SILENT_SECONDS:.0f} s")
            self._rates.append((now, viewer.octets))
            await self._change(_TICK_SECONDS if self._state == "live" else _CONNECTING_TICK_SECONDS)


async def _offer(viewer: Viewer, loop: asyncio.AbstractEventLoop) -> str:
    connection = viewer.connection
    viewer.add("video", "sendonly", ("video/h264", "video/rtx"))
    viewer.add("audio", "sendonly", ("audio/opus",))
    viewer.seen = guard.watch(viewer.ice, loop.time, gather_seconds=GATHER_SECONDS)
    await connection.setLocalDescription(await connection.createOffer())
    return str(connection.localDescription.sdp)


async def _accept(viewer: Viewer, answer: str) -> None:
    try:
        await viewer.connection.setRemoteDescription(RTCSessionDescription(reachable(answer), "answer"))
    except Exception as error:
        # aiortc's parser and negotiation raise AssertionError, IndexError, KeyError, ... for what they do not like.
        raise SignallingError(f"the server's SDP answer cannot be used: {reason(error)}") from error
