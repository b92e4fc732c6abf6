"""A visitor's microphone: their Opus packets become sound the moment they come in.

aiortc's own way waits for four packets, then for one more of another time, and decodes in a thread: 100 ms, and a lost
packet stops it for a third of a second. Here a packet that is next in line is decoded at once, on the event loop (30 µs
each). Only after a gap packets wait, for `PATIENCE_SECONDS` at most, and then silence takes the place of what is lost.
Nothing is queued: sound is handed on as it comes, and what comes faster than time itself passes is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import RTCRtpReceiver
from av import CodecContext
from av.error import FFmpegError
from av.packet import Packet

from anchor.media import SAMPLE_RATE, Samples
from streaming.guard import require

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.045
"""How long the packets after a gap wait for those that are missing."""

_MOST_WAITING = 3
_LONGEST_SILENCE = SAMPLE_RATE // 2
_HEADSTART = SAMPLE_RATE
_SOURCE_SECONDS = 1.0
_UINT16 = 0xFFFF
_UINT32 = 0xFFFFFFFF
_BUFFER = "_RTCRtpReceiver__jitter_buffer"


class Microphone:
    """Takes the place of an audio receiver's jitter buffer; `hear` gets mono sound and when it came in."""

    def __init__(self, hear: Callable[[Samples, float], None]) -> None:
        self.lost = 0
        """Packets that never came, came too late, could not be decoded or came faster than time passes."""
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._source: int | None = None
        self._next: int | None = None
        self._time: int | None = None
        self._heard = 0.0
        self._begin(0)

    def listen(self, receiver: RTCRtpReceiver) -> None:
        """Hear what `receiver` receives from now on."""
        require(receiver, (_BUFFER, "_handle_rtp_packet"), "aiortc")
        require(getattr(receiver, _BUFFER), ("add",), "aiortc")
        setattr(receiver, _BUFFER, self)

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._stop_waiting()

    def add(self, packet: Any) -> tuple[bool, None]:
        """Take an `aiortc.rtp.RtpPacket`, as aiortc's buffer would, and give nothing back that it should decode."""
        if self._closed or not self._is_ours(packet.ssrc):
            return False, None
        sequence = packet.sequence_number
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next) & _UINT16
        if ahead > _UINT16 // 2:
            self.lost += 1
            return False, None
        self._waiting[sequence] = (packet.timestamp, bytes(packet._data))
        self._take_those_in_line()
        if len(self._waiting) >= _MOST_WAITING:
            self._skip()
        elif self._waiting and self._timer is None:
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._skip)
        return False, None

    def _is_ours(self, source: int) -> bool:
        """One source at a time; another one is heard when this one has been silent."""
        now = self._loop.time()
        if source != self._source:
            if self._source is not None and now - self._heard < _SOURCE_SECONDS:
                return False
            self._source = source
            self._begin(now)
        self._heard = now
        return True

    def _begin(self, now: float) -> None:
        self._decoder = CodecContext.create("libopus", "r")
        self._decoder.format = "s16"
        self._decoder.layout = "mono"
        self._decoder.sample_rate = SAMPLE_RATE
        self._next = self._time = None
        self._began = now
        self._given = 0
        self._waiting.clear()
        self._stop_waiting()

    def _take_those_in_line(self) -> None:
        while self._next in self._waiting:
            assert self._next is not None
            timestamp, payload = self._waiting.pop(self._next)
            self._next = (self._next + 1) & _UINT16
            self._take(timestamp, payload)
        if not self._waiting:
            self._stop_waiting()

    def _skip(self) -> None:
        """Give up on what is missing before the first packet that waits."""
        self._stop_waiting()
        if not self._waiting or self._next is None:
            return
        first = min(self._waiting, key=lambda sequence: (sequence - (self._next or 0)) & _UINT16)
        self.lost += (first - self._next) & _UINT16
        self._next = first
        self._take_those_in_line()
        if self._waiting:
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._skip)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, timestamp: int, payload: bytes) -> None:
        if self._time is not None:
            # What a microphone leaves out while nobody speaks (DTX) is a gap like that of lost packets.
            gap = (timestamp - self._time) & _UINT32
            if 0 < gap <= _LONGEST_SILENCE:
                self._give(np.zeros(gap, np.float32))
        sound = self._decode(payload)
        self._time = (timestamp + len(sound)) & _UINT32
        self._give(sound)

    def _decode(self, payload: bytes) -> Samples:
        silence = np.zeros(SAMPLE_RATE // 50, np.float32)
        if not payload:
            return silence  # an empty packet would end the decoder
        try:
            frames = self._decoder.decode(Packet(payload))
        except FFmpegError as error:
            logger.debug("a packet of a microphone cannot be decoded: %s", error)
            self.lost += 1
            return silence
        pieces = [frame.to_ndarray()[0].astype(np.float32) / 32768 for frame in frames]
        return np.concatenate(pieces) if pieces else silence

    def _give(self, sound: Samples) -> None:
        now = self._loop.time()
        passed = round((now - self._began) * SAMPLE_RATE)
        if self._given + len(sound) > passed + _HEADSTART:
            self.lost += 1
            return
        # A microphone that was off is behind, and may not make up for it all at once.
        self._given = max(self._given, passed - _HEADSTART) + len(sound)
        try:
            self._hear(sound, now)
        except Exception:
            # Raised into aiortc it would end the visitor's connection.
            logger.exception("sound of a visitor could not be taken in")
