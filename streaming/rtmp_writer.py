"""An output to an RTMP ingest: a program's packets as FLV messages, from time 0 at every connection."""

from __future__ import annotations

from collections.abc import Mapping

from streaming import amf, flv
from streaming.destinations import Destination
from streaming.packets import Cue, Header, Packet
from streaming.rtmp import STALL_SECONDS, RtmpConnection


class RtmpWriter:
    """Writes to an ingest. `metadata` goes into ``onMetaData``; RTMP has no captions, so those stay behind.

    Time begins at `first_timestamp` milliseconds with the first keyframe of a connection: ingests take a stream that
    comes back for a new one, and some refuse one that begins late. Sound from before that keyframe is left out.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        metadata: Mapping[str, str] | None = None,
        first_timestamp: int = 0,
        patience_seconds: float = STALL_SECONDS,
    ) -> None:
        self._connection = RtmpConnection(destination.address, destination.shown, patience_seconds=patience_seconds)
        self._metadata = dict(metadata or {})
        self._first = first_timestamp
        self._origin: float | None = None

    def open(self, header: Header) -> None:
        self._connection.open()
        about = amf.encode("@setDataFrame", "onMetaData", flv.metadata(header, self._metadata))
        self._connection.send(flv.SCRIPT, self._first, about)
        self._connection.send(flv.VIDEO, self._first, flv.video_header(header))
        self._connection.send(flv.AUDIO, self._first, flv.audio_header(header))

    def write(self, packet: Packet) -> None:
        when = flv.milliseconds(packet)
        if self._origin is None:
            self._origin = when
        if when < self._origin:
            return
        kind = flv.VIDEO if packet.kind == "video" else flv.AUDIO
        self._connection.send(kind, self._first + round(when - self._origin), flv.body(packet))

    def caption(self, cue: Cue) -> None:
        pass

    def finish(self) -> None:
        self._connection.end()

    def close(self) -> None:
        self._connection.close()
