"""A person's microphone by WebRTC, whose sound goes out in place of the show: one audio track in, nothing back.

Sound is handed on as it comes (`streaming.microphone`) and is never stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiortc import RTCPeerConnection, RTCRtpTransceiver

from anchor.media import Samples
from streaming.guest import Door, Guest
from streaming.microphone import Microphone

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True, kw_only=True)
class _Speaker(Guest):
    microphone: Microphone
    left: Callable[[], None]


class SpeakerDoor(Door[_Speaker]):
    """Lets one speaker in at a time.

    `begin` is asked for each: who hears them, mono sound and when it came in, and what to call when they are gone.
    """

    kind = "audio"
    codecs = ("audio/opus",)
    taken_text = "somebody speaks already; one speaker a channel"

    def __init__(
        self,
        begin: Callable[[], tuple[Callable[[Samples, float], None], Callable[[], None]]],
        *,
        ice_servers: Sequence[str] = (),
    ) -> None:
        super().__init__(ice_servers=ice_servers)
        self._begin = begin

    def _new(self, connection: RTCPeerConnection, now: float) -> _Speaker:
        hear, left = self._begin()
        return _Speaker(connection=connection, joined=now, microphone=Microphone(hear), left=left)

    def _receive(self, guest: _Speaker, transceiver: RTCRtpTransceiver) -> None:
        guest.microphone.listen(transceiver.receiver)

    async def _close(self, guest: _Speaker) -> None:
        guest.microphone.close()
        guest.left()
        await super()._close(guest)
