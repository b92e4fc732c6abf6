"""How what was encoded once reaches one viewer: a track that holds it, and a sender that sends it.

aiortc's own sender packs every packet anew for every viewer and takes the time of day for each. `BeatSender` sends the
shared payloads with a header of its own; the sender reports of sound and picture pair the beat's one release time with
the beat's own place in stream time, so a receiver lines them up exactly (RFC 3550 section 6.4.1).
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import randbits
from typing import Any

from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpSendParameters
from aiortc.rtp import AnyRtcpPacket, RtcpRrPacket, RtcpSrPacket

from streaming.guard import require

logger = logging.getLogger(__name__)

MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"

HISTORY = 512
"""Packets kept for retransmission: two seconds at 2.5 Mbit/s."""

LOSSY = 5 / 256
"""Loss from which a packet is sent again `COPIES` times: on such a network the first repetition is often lost as well,
and waiting for the next request shows as a freeze. The others go out with the next pictures, for losses come in
bursts."""

COPIES = 3

_SQUEEZED_TICKS = 90
_UINT16 = 0xFFFF
_UINT32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Shot:
    """One beat of one kind, ready for every viewer.

    `release` is the NTP time (64 bits) at which the whole beat leaves, `start` the beat's first tick or sample in
    stream time; `packets` are RTP timestamp, payload and marker bit.
    """

    release: int
    start: int
    packets: tuple[tuple[int, bytes, bool], ...]
    keyframe: bool = False

    def shifted(self, ticks: int, to: Shot) -> Shot:
        """This shot at the time of another, moved by `ticks`."""
        when = to.start + ticks
        packets = tuple((when & _UINT32, payload, marker) for _, payload, marker in self.packets)
        return Shot(to.release, to.start, packets, self.keyframe)


class Recent:
    """The shots since the last keyframe while it is young: whoever joins now need not wait for another one.

    `span` is in ticks. Pictures that nobody watched are not encoded and leave no gap here.
    """

    def __init__(self, span: int) -> None:
        self._span = span
        self._shots: list[Shot] = []

    def add(self, shot: Shot) -> None:
        if shot.keyframe:
            self._shots = [shot]
        elif self._is_young(shot.start):
            self._shots.append(shot)
        else:
            self._shots = []

    def _is_young(self, now: int) -> bool:
        return bool(self._shots) and 0 <= now - self._shots[0].start < self._span

    def squeezed(self, now: int) -> list[Shot]:
        """The shots as if they were a millisecond apart: a receiver decodes them at once and shows the last.

        At their own times it would play them at their own pace, and stay late by as much.
        """
        if not self._is_young(now):
            return []
        newest, last = len(self._shots) - 1, self._shots[-1]
        return [shot.shifted(_SQUEEZED_TICKS * (place - newest), last) for place, shot in enumerate(self._shots)]


class Spread:
    """Lets the sound packets of a beat out one after another at their own pace.

    Sent together they look like a network that holds packets back, and receivers answer with 40 ms more delay.
    """

    def __init__(self, seconds: float, out: Callable[[Shot], None]) -> None:
        self._seconds = seconds
        self._out = out
        self._waiting: deque[Shot] = deque()
        self._timers: list[asyncio.TimerHandle] = []

    def put(self, shots: Sequence[Shot]) -> None:
        """Let the first out now and the others later, but all before the first of the next call."""
        while self._waiting:
            self._next()
        self._waiting.extend(shots)
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(place * self._seconds, self._next) for place in range(1, len(shots))]
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._out(self._waiting.popleft())

    def close(self) -> None:
        self._waiting.clear()
        for timer in self._timers:
            timer.cancel()


class BeatTrack(MediaStreamTrack):
    """One viewer's share of a kind: bounded, and begun with a keyframe where there are any.

    A viewer that lags by more than `capacity` beats loses what waits, and sees again from the next keyframe on.
    `on_begin` is called when the connection stands and takes shots from now on.
    """

    def __init__(
        self,
        kind: str,
        capacity: int,
        *,
        on_begin: Callable[[], None] = lambda: None,
        ask_keyframe: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.dropped = 0
        self._on_begin = on_begin
        self.ask_keyframe = ask_keyframe
        self._capacity = capacity
        self._shots: deque[Shot] = deque()
        self._ready = asyncio.Event()
        self._open = False
        self._needs_keyframe = kind == "video"

    @property
    def open(self) -> bool:
        """Somebody takes shots out: the connection stands."""
        return self._open

    def begin(self) -> None:
        self._open = True
        self._on_begin()

    def put(self, shot: Shot) -> None:
        if not self._open or (self._needs_keyframe and not shot.keyframe):
            return
        if len(self._shots) >= self._capacity:
            self.dropped += len(self._shots) + 1
            self._shots.clear()
            if self.kind == "video":
                self._needs_keyframe = True
                self.ask_keyframe()
                return
        self._needs_keyframe = False
        self._shots.append(shot)
        self._ready.set()

    async def recv(self) -> Shot:  # type: ignore[override]
        """The next shot. Raises `MediaStreamError` when the track has ended."""
        while not self._shots:
            if self.readyState != "live":
                raise MediaStreamError
            self._ready.clear()
            await self._ready.wait()
        return self._shots.popleft()

    def stop(self) -> None:
        self._open = False
        self._shots.clear()
        super().stop()
        self._ready.set()


class BeatSender(RTCRtpSender):
    """An `RTCRtpSender` that sends a `BeatTrack`. aiortc makes its senders itself, so ours are converted in place."""

    _beats: BeatTrack
    _extension: bytes
    _history: list[tuple[int, bytes, bytes] | None]
    _rtx_sequence: int
    _loss: float
    _again: deque[tuple[int, int]]
    """Sequence numbers to repeat, and how often."""

    @classmethod
    def convert(cls, sender: RTCRtpSender, track: BeatTrack) -> None:
        names = ("rtp_started", "rtp_exited", "rtx_payload_type", *_COUNTERS)
        require(
            sender,
            ("_run_rtp", "_retransmit", "_handle_rtcp_packet", "_send_keyframe", *map(_private, names)),
            "aiortc",
        )
        sender.__class__ = cls
        assert isinstance(sender, cls)
        sender._beats = track
        sender._extension = b""
        sender._history = [None] * HISTORY
        sender._rtx_sequence = randbits(15)
        sender._loss = 0.0
        sender._again = deque(maxlen=HISTORY // 4)

    @property
    def octets(self) -> int:
        """Bytes of payload sent."""
        return int(self._inner("octet_count"))

    def _inner(self, name: str) -> Any:
        return getattr(self, _private(name))

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        self._extension = _mid_extension(parameters)
        await super().send(parameters)

    def _send_keyframe(self) -> None:
        # Reached by PLI and FIR (RFC 4585, RFC 5104); aiortc would remember it for an encoder of its own.
        self._beats.ask_keyframe()

    async def _run_rtp(self, codec: RTCRtpCodecParameters) -> None:
        self._inner("rtp_started").set()
        # 15 bits: a sequence number that wraps at once can break SRTP's guess of the roll-over counter.
        sequence, origin = randbits(15), randbits(32)
        payload_type = codec.payloadType or 0
        self._beats.begin()
        try:
            while True:
                shot = await self._beats.recv()
                sequence = await self._send_shot(shot, payload_type, sequence, origin)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass  # as in aiortc: the sender's end is told by the event below
        except Exception:
            logger.exception("sending to a viewer has failed")
        finally:
            self._beats.stop()
            self._inner("rtp_exited").set()

    async def _send_shot(self, shot: Shot, payload_type: int, sequence: int, origin: int) -> int:
        for _ in range(len(self._again)):
            again, left = self._again.popleft()
            packet = self._repetition(again)
            if packet is not None:
                await self.transport._send_rtp(packet)
                if left > 1:
                    self._again.append((again, left - 1))
        octets = 0
        first_byte = 0x90 if self._extension else 0x80
        for timestamp, payload, marker in shot.packets:
            fixed = struct.pack(
                "!BBHII",
                first_byte,
                payload_type | marker << 7,
                sequence,
                (origin + timestamp) & _UINT32,
                self._ssrc,
            )
            header = fixed + self._extension
            if self.kind == "video":  # nobody asks for a sound again: it would come too late
                self._history[sequence % HISTORY] = (sequence, header, payload)
            await self.transport._send_rtp(header + payload)
            sequence = (sequence + 1) & _UINT16
            octets += len(payload)
        self._note(
            ntp_timestamp=shot.release,
            rtp_timestamp=(origin + shot.start) & _UINT32,
            packet_count=self._inner("packet_count") + len(shot.packets),
            octet_count=self._inner("octet_count") + octets,
        )
        return sequence

    def _note(self, **counters: int) -> None:
        """Give aiortc's sender report its figures."""
        for name, value in counters.items():
            setattr(self, _private(name), value)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, (RtcpRrPacket, RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    # Slow to forget: reports cover a second, and losses come in bursts.
                    self._loss = max(report.fraction_lost / 256, 0.8 * self._loss)
        await super()._handle_rtcp_packet(packet)

    async def _retransmit(self, sequence_number: int) -> None:
        packet = self._repetition(sequence_number)
        if packet is None:
            return
        await self.transport._send_rtp(packet)
        if self._loss >= LOSSY and self._inner("rtx_payload_type") is not None:
            self._again.append((sequence_number, COPIES - 1))

    def _repetition(self, sequence_number: int) -> bytes | None:
        kept = self._history[sequence_number % HISTORY]
        if kept is None or kept[0] != sequence_number:
            return None
        _, header, payload = kept
        rtx_type = self._inner("rtx_payload_type")
        if rtx_type is not None:
            # RFC 4588 section 4: own SSRC and sequence, the original sequence number before the payload.
            marker = header[1] & 0x80
            fixed = struct.pack("!BBH", header[0], marker | rtx_type, self._rtx_sequence)
            payload = struct.pack("!H", sequence_number) + payload
            header = fixed + header[4:8] + struct.pack("!I", self._rtx_ssrc) + header[12:]
            self._rtx_sequence = (self._rtx_sequence + 1) & _UINT16
        return header + payload


_COUNTERS = ("ntp_timestamp", "rtp_timestamp", "packet_count", "octet_count")


def _private(name: str) -> str:
    return f"_RTCRtpSender__{name}"


def _mid_extension(parameters: RTCRtpSendParameters) -> bytes:
    """The header extension that says which media section a packet is of (RFC 8843 section 15, RFC 8285 section 4.2)."""
    for extension in parameters.headerExtensions:
        mid = (parameters.muxId or "").encode()
        if extension.uri == MID_EXTENSION and 1 <= extension.id <= 14 and 1 <= len(mid) <= 16:
            element = bytes([extension.id << 4 | len(mid) - 1]) + mid
            padded = element + bytes(-len(element) % 4)
            return struct.pack("!HH", 0xBEDE, len(padded) // 4) + padded
    return b""
