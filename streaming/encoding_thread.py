"""The thread in which a program is encoded for one profile, and what waits for it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from anchor.errors import OutputError
from anchor.events import Caption
from anchor.media import Beat, Picture, Samples, VideoFormat
from streaming.encoding import ProgramEncoder
from streaming.feed import Now
from streaming.packet_feed import PacketFeed
from streaming.packets import Cue, Packet, Profile

log = logging.getLogger(__name__)

PICTURES = 8
"""Beats that may wait with their pictures; of those behind them only the sound is encoded."""

SOUNDS = 250
"""Beats that may wait at all: ten seconds of sound."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder has done. `blocked_seconds_max`: the longest that handing packets to the outputs took."""

    profile: str
    beats: int
    dropped: int
    blocked_seconds_max: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    index: int
    picture: Picture | None
    audio: Samples
    caption: Caption | None


class EncodingThread:
    """Encodes beats for `feeds` while at least one of them wants any.

    While live, `offer` never waits: when encoding does not keep up, pictures are left out and sound goes on. Otherwise
    `put` waits for room, and `check` raises what encoding has failed of.
    """

    def __init__(self, video: VideoFormat, profile: Profile, now: Now, *, patient: bool) -> None:
        self.profile = profile
        self.feeds: list[PacketFeed] = []
        self._video = video
        self._now = now
        self._patient = patient
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._encoder: ProgramEncoder | None = None
        self._cues: deque[Cue] = deque()
        self._shown: Caption | None = None
        self._thread: threading.Thread | None = None
        self._finished = False
        self._aborted = False
        self._error: OutputError | None = None
        self._beats = 0
        self._dropped = 0
        self._blocked = 0.0
        self._resting = 0

    def ask_keyframe(self) -> None:
        """Have a keyframe soon, unless the next picture is one anyway."""
        encoder = self._encoder
        if encoder is not None:
            encoder.ask_keyframe()

    def offer(self, beat: Beat) -> bool:
        """Queue a beat if there is room for it; whether it will be encoded whole."""
        if not self._needed:
            return True
        with self._changed:
            whole = len(self._queue) < PICTURES
            if not whole and self._patient:
                return False
            if not whole:
                self._dropped += 1
            if len(self._queue) < SOUNDS:
                self._queue.append(_Waiting(beat.index, beat.picture if whole else None, beat.audio, beat.caption))
                self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"encode {self.profile.name}", daemon=True)
                self._thread.start()
            return whole

    def put(self, beat: Beat, seconds: float) -> bool:
        """Queue a beat, waiting up to so long for room; whether there was any."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._queue) < PICTURES or self._error is not None, seconds)
        return self.offer(beat)

    def check(self) -> None:
        """Raise the `OutputError` with which encoding has failed, if it has."""
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Encode what waits, hand all of it on, and end."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it has ended."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def abort(self) -> None:
        with self._changed:
            self._finished = self._aborted = True
            self._queue.clear()
            self._changed.notify_all()

    def encoded(self) -> Encoded:
        return Encoded(self.profile.name, self._beats, self._dropped, self._blocked)

    @property
    def _needed(self) -> bool:
        return any(feed.wanted for feed in self.feeds) or self._encoder is not None

    # What follows runs in the thread.

    def _run(self) -> None:
        while (waiting := self._next()) is not None:
            try:
                self._encode(waiting)
            except Exception as error:
                self._failed(error)
        if self._encoder is not None and not self._aborted:
            try:
                self._hand_on(self._encoder.finish())
            except Exception as error:
                self._failed(error)
        self._encoder = None

    def _next(self) -> _Waiting | None:
        with self._changed:
            while not self._queue and not self._finished:
                self._changed.wait()
            if not self._queue:
                return None
            waiting = self._queue.popleft()
            self._changed.notify_all()
            return waiting

    def _encode(self, waiting: _Waiting) -> None:
        if waiting.caption is not self._shown:
            self._shown = waiting.caption
            self._cues.append(Cue(waiting.index, waiting.caption))
        if not any(feed.wanted for feed in self.feeds):
            self._rest()
            return
        if self._encoder is None:
            self._resting -= 1
            if waiting.picture is None or self._resting > 0:
                return
            self._encoder = ProgramEncoder(self._video, self.profile)
            for feed in self.feeds:
                feed.head(self._encoder.header)
        self._beats += waiting.picture is not None
        self._hand_on(self._encoder.encode(waiting.index, waiting.picture, waiting.audio))

    def _rest(self) -> None:
        """Nobody wants anything: let the encoder and its memory go."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            self._hand_on(encoder.finish())

    def _hand_on(self, packets: Sequence[Packet]) -> None:
        began = self._now()
        for packet in packets:
            # A caption comes with the picture that shows it first, which was looked ahead at for half a second.
            while packet.kind == "video" and self._cues and self._due(self._cues[0], packet):
                self._give(self._cues.popleft())
            self._give(packet)
        if not self._patient:
            self._blocked = max(self._blocked, self._now() - began)

    def _due(self, cue: Cue, packet: Packet) -> bool:
        return cue.begin * self._video.ticks_per_beat <= packet.pts

    def _give(self, item: Packet | Cue) -> None:
        for feed in self.feeds:
            feed.push(item)

    def _failed(self, error: Exception) -> None:
        log.exception("encoding for profile %s failed", self.profile.name)
        self._encoder = None
        self._resting = self._video.fps
        if self._patient:
            with self._changed:
                self._error = OutputError(f"encoding for profile {self.profile.name!r} failed: {error}")
                self._changed.notify_all()
