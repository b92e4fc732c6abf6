"""A performer's camera by WebRTC: one video track in, its pictures to whoever looks at them.

One performer at a time. A picture that comes while the one before is still looked at is dropped, so that nothing waits
in a queue and what is seen is always the newest. Pictures are never stored, recorded or sent on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.mediastreams import MediaStreamError

from anchor.media import Bytes
from anchor.ports import Onlooker
from streaming.guest import Door, Guest

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True, kw_only=True)
class _Performer(Guest):
    onlooker: Onlooker
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="capture"))
    receiving: asyncio.Task[None] | None = None
    looking: asyncio.Future[None] | None = None
    pictures: int = 0
    dropped: int = 0


class Camera(Door[_Performer]):
    """Lets one performer in at a time; `begin` makes what looks at their pictures."""

    kind = "video"
    codecs = ("video/vp8", "video/h264", "video/rtx")
    taken_text = "somebody performs already; one performer a channel"

    def __init__(self, begin: Callable[[], Onlooker], *, ice_servers: Sequence[str] = ()) -> None:
        super().__init__(ice_servers=ice_servers)
        self._begin = begin

    @property
    def dropped(self) -> int:
        """Pictures of the performer who is there that came while another was looked at."""
        return self._guest.dropped if self._guest is not None else 0

    def _new(self, connection: RTCPeerConnection, now: float) -> _Performer:
        return _Performer(connection=connection, joined=now, onlooker=self._begin())

    def _receive(self, guest: _Performer, transceiver: RTCRtpTransceiver) -> None:
        guest.connection.on("track", partial(self._begin_receiving, guest))

    async def _close(self, guest: _Performer) -> None:
        if guest.receiving is not None:
            # A track whose connection is closed may leave whoever waits for its next picture waiting.
            guest.receiving.cancel()
        await super()._close(guest)

    async def _gone(self, guest: _Performer) -> None:
        with contextlib.suppress(Exception):
            if guest.looking is not None:
                await guest.looking
        await self._loop.run_in_executor(guest.thread, guest.onlooker.close)
        guest.thread.shutdown(wait=False)

    def _begin_receiving(self, performer: _Performer, track: Any) -> None:
        performer.receiving = self._tasks.create_task(self._look_on(performer, track))

    async def _look_on(self, performer: _Performer, track: Any) -> None:
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


def _look(onlooker: Onlooker, picture: Any, at: float) -> None:
    bgr: Bytes = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
    onlooker.look(bgr, at)
