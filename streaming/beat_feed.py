"""An output of pictures as they are, for devices on this machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from anchor.media import VIDEO_CLOCK, Beat, VideoFormat
from streaming.feed import About, Feed, Now

_WAITING = 3
"""Beats; a device shows the newest, so the oldest goes."""


class BeatOutput(Protocol):
    """A device that shows beats, in a thread of its own; calls may block and raise `OutputError`."""

    def open(self, video: VideoFormat) -> None: ...

    def show(self, beat: Beat) -> None: ...

    def close(self) -> None: ...


class BeatFeed(Feed):
    """Feeds a device, opened anew by `make` whenever it fails."""

    def __init__(self, about: About, make: Callable[[], BeatOutput], now: Now, video: VideoFormat) -> None:
        super().__init__(about, now)
        self._make = make
        self._video = video
        self._beats: deque[Beat] = deque(maxlen=_WAITING)
        self._device: BeatOutput | None = None

    def push(self, beat: Beat) -> None:
        with self._changed:
            if self.wanted and self._machine.state == "live":
                self._dropped += len(self._beats) == _WAITING
                self._beats.append(beat)
                self._changed.notify_all()

    def _rest(self) -> None:
        self._beats.clear()

    def _serve(self) -> None:
        device = self._device = self._make()
        try:
            with self._working():
                device.open(self._video)
            self._connected()
            while (beat := self._next()) is not None:
                with self._working():
                    device.show(beat)
                self._count(beat.picture.data.nbytes, VIDEO_CLOCK // self._video.fps)
        finally:
            self._device = None
            device.close()

    def _next(self) -> Beat | None:
        with self._changed:
            while not self._beats and self.wanted:
                self._changed.wait()
            return self._beats.popleft() if self._beats and self.wanted else None

    def _break(self) -> None:
        if self._device is not None:
            self._device.close()
