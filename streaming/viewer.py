"""One receiver of a WebRTC stream: its connection, and what is sent on it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
)

from anchor.errors import FormatError, SignallingError
from anchor.media import VideoFormat
from streaming import guard
from streaming.encoder import KEYFRAME_GAP_SECONDS, Codec, EncodedBeat
from streaming.microphone import Microphone
from streaming.tracks import BeatSender, BeatTrack, Pleas, Shot

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.5
"""How long a STUN or TURN server may take to answer."""


@dataclass(eq=False, slots=True)
class Viewer:
    """Who watches; `pushed`: a server that we call, not a page that called us."""

    name: str
    connection: RTCPeerConnection
    video: BeatTrack
    audio: BeatTrack
    joined: float
    pushed: bool = False
    username: str = ""
    codec: Codec = "H264"
    seen: guard.Watch | None = None
    events: RTCDataChannel | None = None
    microphone: Microphone | None = None
    pleas: Pleas = field(default_factory=partial(Pleas, KEYFRAME_GAP_SECONDS))

    def add(self, kind: str, direction: str, codecs: Sequence[str]) -> RTCRtpTransceiver:
        """Send the track of a kind; `codecs` are MIME types, best first."""
        track = self.video if kind == "video" else self.audio
        transceiver = self.connection.addTransceiver(track, direction=direction)
        transceiver.setCodecPreferences(_codecs(kind, codecs))
        BeatSender.convert(transceiver.sender, track)
        return transceiver

    @property
    def ice(self) -> Any:
        """aioice's connection; the sections share one transport."""
        return self.connection.getTransceivers()[0].sender.transport.transport._connection

    @property
    def octets(self) -> int:
        """Bytes of sound and picture sent, without retransmissions and headers."""
        senders = [transceiver.sender for transceiver in self.connection.getTransceivers()]
        return sum(sender.octets for sender in senders if isinstance(sender, BeatSender))

    async def close(self) -> None:
        self.video.stop()
        self.audio.stop()
        if self.microphone is not None:
            self.microphone.close()
        try:
            await self.connection.close()
        except Exception:
            # aiortc stops at the first part that does not close; sockets must not stay open for it.
            logger.exception("closing a viewer's connection has failed")
            for transport in getattr(self.connection, "_RTCPeerConnection__iceTransports", ()):
                await transport.stop()


def new_connection(ice_servers: Sequence[RTCIceServer]) -> RTCPeerConnection:
    # One transport for everything, as every browser does it; the default opens one a section and closes two again.
    configuration = RTCConfiguration(iceServers=list(ice_servers), bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    return RTCPeerConnection(configuration)


def ice_server(url: str) -> RTCIceServer:
    scheme, _, rest = url.partition(":")
    credentials, at, host = rest.rpartition("@")
    if scheme not in ("stun", "stuns", "turn", "turns") or not host:
        raise FormatError(f"ICE server {url!r}: write stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT")
    if not at:
        return RTCIceServer(urls=url)
    user, _, password = credentials.partition(":")
    return RTCIceServer(urls=f"{scheme}:{host}", username=user, credential=password)


def _codecs(kind: str, names: Sequence[str]) -> list[Any]:
    known = RTCRtpSender.getCapabilities(kind).codecs
    return [codec for name in names for codec in known if codec.mimeType.lower() == name]


def negotiated(video: RTCRtpTransceiver) -> Codec:
    if video._offerDirection not in ("sendonly", "sendrecv"):
        raise SignallingError("the SDP offer does not want to receive video")
    return "VP8" if video._codecs[0].mimeType.lower() == "video/vp8" else "H264"


def reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def picture_shot(beat: EncodedBeat, codec: Codec, release: int, video: VideoFormat) -> Shot:
    start = beat.index * video.ticks_per_beat
    picture = beat.pictures[codec]
    last = len(picture.payloads) - 1
    packets = tuple((start, payload, place == last) for place, payload in enumerate(picture.payloads))
    return Shot(release, start, packets, picture.keyframe)
