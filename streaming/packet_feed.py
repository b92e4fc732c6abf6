"""An output of encoded packets: its queue, and where in the stream a connection begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming.encoding import AAC_DELAY
from streaming.feed import About, Feed, Now
from streaming.nal import without_filler
from streaming.packets import Cue, Header, Packet, Writer

_RECENT = 24
"""Packets of sound kept for a connection that begins: half a second, as much as it may be ahead of pictures."""


class PacketFeed(Feed):
    """Feeds writers that `make` gives, one for each connection.

    `ask_keyframe` is called, by who pushes, when a connection has been made and no keyframe comes. A writer
    gets first a keyframe, then sound from one packet before it on, which decoders need to begin with. As much as
    `capacity_seconds` may wait; a program that is not live is held back beyond them (`patient`). `padded` leaves the
    filler of a constant bit rate in.
    """

    def __init__(
        self,
        about: About,
        make: Callable[[], Writer],
        now: Now,
        *,
        ask_keyframe: Callable[[], None],
        capacity_seconds: float,
        patient: bool = False,
        padded: bool = False,
    ) -> None:
        super().__init__(about, now)
        self._make = make
        self._ask = ask_keyframe
        self._capacity = round(capacity_seconds * VIDEO_CLOCK)
        self._patient = patient
        self._padded = padded
        self._writer: Writer | None = None
        self._header: Header | None = None
        self._queue: deque[Packet | Cue] = deque()
        self._ticks = 0
        self._listening = False
        self._joined = False
        self._behind = False
        self._asked = False
        self._begin = 0
        self._recent: deque[Packet] = deque(maxlen=_RECENT)
        self._cue: Cue | None = None

    def head(self, header: Header) -> None:
        """What the packets to come need first; from the encoder's thread, as `push` is."""
        with self._changed:
            self._header = header
            self._changed.notify_all()

    def push(self, item: Packet | Cue) -> None:
        """Queue a packet or a caption. Waits only where the program is not live."""
        with self._changed:
            if isinstance(item, Cue):
                self._cue = item if item.caption is not None else None
                if self._joined:
                    self._put(item)
                return
            if item.kind == "audio":
                self._recent.append(item)
            if not (self._listening and self._wanted):
                return
            if not self._joined:
                if not item.keyframe:
                    if item.kind == "video":
                        self._passed()
                    return
                self._join(item)
                return
            if self._ticks >= self._capacity:
                if not self._patient:
                    self._fall_behind(item)
                    return
                while self._ticks >= self._capacity and self._listening and not self._aborted:
                    self._changed.wait()
                if not self._listening:
                    return
            if item.kind == "audio" and not self._heard_after(item, self._begin):
                return
            self._put(item)

    def _passed(self) -> None:
        """A picture goes by that nothing can begin with."""
        if self._behind:
            self._dropped += 1
        elif not self._asked and self._machine.state == "live":
            # Only now is it known that what the encoder gave first was no keyframe: asking for one before would put it
            # into the pictures of a program that has just begun, which are to be those that `render` makes.
            self._asked = True
            self._ask()

    def _put(self, item: Packet | Cue) -> None:
        self._queue.append(item)
        if isinstance(item, Packet) and item.kind == "video":
            self._ticks += item.duration
        self._changed.notify_all()

    def _join(self, keyframe: Packet) -> None:
        self._joined = True
        self._behind = False
        self._begin = keyframe.pts
        self._put(keyframe)
        if self._cue is not None:
            self._put(self._cue)
        for sound in self._recent:
            if self._heard_after(sound, keyframe.pts):
                self._put(sound)

    @staticmethod
    def _heard_after(sound: Packet, ticks: int) -> bool:
        """Whether a packet of sound, or the one that follows it, is heard after a time of the pictures."""
        return (sound.pts + sound.duration + AAC_DELAY) * VIDEO_CLOCK > ticks * SAMPLE_RATE

    def _fall_behind(self, item: Packet) -> None:
        """Drop all that waits, and what comes until the next keyframe."""
        lost = sum(isinstance(waiting, Packet) and waiting.kind == "video" for waiting in self._queue)
        self._dropped += lost + (item.kind == "video")
        self._queue.clear()
        self._ticks = 0
        self._joined = False
        self._behind = True

    # What follows runs in the output's thread.

    def _wake(self) -> None:
        self._listening = True

    def _rest(self) -> None:
        self._listening = self._joined = self._behind = self._asked = False
        self._queue.clear()
        self._ticks = 0
        self._changed.notify_all()

    def _serve(self) -> None:
        header = self._await_header()
        if header is None:
            return
        writer = self._writer = self._make()
        try:
            with self._working():
                writer.open(header)
            self._connected()
            while (item := self._next()) is not None:
                with self._working():
                    self._write(writer, item)
            if not self._aborted:
                with self._working():
                    writer.finish()
        finally:
            self._writer = None
            writer.close()

    def _write(self, writer: Writer, item: Packet | Cue) -> None:
        if isinstance(item, Cue):
            writer.caption(item)
            return
        if item.kind == "video" and not self._padded and item.data:
            data = without_filler(item.data)
            item = item if len(data) == len(item.data) else replace(item, data=data)
        writer.write(item)
        self._count(len(item.data), item.duration if item.kind == "video" else 0)

    def _await_header(self) -> Header | None:
        with self._changed:
            while self._header is None and self.wanted:
                self._changed.wait()
            return self._header if self._wanted and not self._aborted else None

    def _next(self) -> Packet | Cue | None:
        """The next thing to write; None when the output is to end and nothing waits."""
        with self._changed:
            while not self._queue and self.wanted:
                self._changed.wait()
            if not self._queue or self._aborted:
                return None
            item = self._queue.popleft()
            if isinstance(item, Packet) and item.kind == "video":
                self._ticks -= item.duration
                self._changed.notify_all()
            return item

    def _break(self) -> None:
        writer = self._writer
        if writer is not None:
            writer.close()
