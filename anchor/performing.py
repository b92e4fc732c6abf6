"""Performers for the anchor's face: takes from files, and one before a camera.

A take is a clip, whose faces are found here, or a table of ARKit weights. Pictures of performers are looked at and let
go: nothing stores or forwards them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from anchor import registry
from anchor.clock import Clock
from anchor.errors import AvatarError, TakeError
from anchor.events import Sentence, Word
from anchor.media import SAMPLE_RATE, Bytes, Samples, VideoFormat
from anchor.pipeline.acting import Acted
from anchor.ports import Answer, Capture, GuestPort, Onlooker, SpeechChunk, Take, VoiceInfo

log = logging.getLogger(__name__)

TABLES = (".csv", ".tsv", ".txt")
CLIPS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")

CLIP_FPS = 25
"""Pictures a second in which clips are looked at, as `avatars.clip` gives them."""
LONGEST_CLIP = 600.0
_CLIP_SIDE = 720
_CHUNK_SECONDS = 0.5


def open_take(path: Path, *, fps: int | None = None, tell: Callable[[float], None] | None = None) -> Take:
    """Read a take; slow for clips, at which `tell` hears how many seconds have been looked at.

    `fps` is the rate of a table that numbers its frames. Raises `TakeError` naming file, line and column.
    """
    suffix = path.suffix.lower()
    if suffix not in (*TABLES, *CLIPS):
        raise TakeError(f"{path}: is neither a clip ({', '.join(CLIPS)}) nor a table ({', '.join(TABLES)})")
    if not path.is_file():
        raise TakeError(f"{path}: there is no such file")
    if suffix in TABLES:
        take: Take = registry.load("anchor.part", "read_table")(path, fps=fps)
    else:
        tracker = registry.load("anchor.part", "face_tracker")()
        try:
            take = registry.load("anchor.part", "read_clip")(path, _pictures(path), CLIP_FPS, tracker, tell)
        finally:
            tracker.close()
    for note in take.notes:
        log.warning(note)
    return take


def _pictures(path: Path) -> Iterator[Bytes]:
    try:
        yield from registry.load("anchor.part", "clip_pictures")(path, longest=_CLIP_SIDE, most=LONGEST_CLIP)
    except AvatarError as error:
        raise TakeError(f"{path}: {error}") from error


def write_take(path: Path, take: Take) -> None:
    """Write a take as Live Link Face does. Raises `OutputError`."""
    registry.load("anchor.part", "write_table")(path, take)


def open_sound(path: Path) -> Samples | None:
    """The sound of a clip or sound file: None where it has none."""
    if not path.is_file():
        raise TakeError(f"{path}: there is no such file")
    sound: Samples | None = registry.load("anchor.part", "clip_sound")(path)
    return sound


class TakeActor:
    """A take that drives a stream's face from `begin` seconds after its first beat; its first face waits for that."""

    def __init__(self, take: Take, video: VideoFormat, *, begin: float = 0.0, mouth: bool = False) -> None:
        self._take, self._fps, self._mouth = take, video.fps, mouth
        self._begin = begin
        self._beats = 0

    def act(self) -> Acted | None:
        seconds = (self._beats + 0.5) / self._fps - self._begin
        self._beats += 1
        face = self._take.at(max(0.0, seconds))
        return Acted(face, self._take, self._mouth) if face is not None else None


class TakeVoice:
    """Says whatever it is given as a take's own sound, once."""

    def __init__(self, sound: Samples) -> None:
        self._sound = sound

    @property
    def info(self) -> VoiceInfo:
        return VoiceInfo("take", "take", ("en",), "the performer's", phone_timings=False)

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        sound, self._sound = self._sound, self._sound[:0]
        words = (Word(sentence.text, 0, sound.size),)
        step = round(_CHUNK_SECONDS * SAMPLE_RATE)
        for start in range(0, sound.size, step):
            yield SpeechChunk(sound[start : start + step], words if start == 0 else ())

    async def close(self) -> None:
        pass


def fitted(sound: Samples | None, take: Take) -> Samples:
    """A take's sound, as long as the take: silence where it has none."""
    whole = np.zeros(max(1, round(take.seconds * SAMPLE_RATE)), np.float32)
    if sound is not None:
        count = min(sound.size, whole.size)
        whole[:count] = sound[:count]
    return whole


class LivePerformance:
    """The performer before a camera who drives one channel, when there is one: an `Actor`.

    Their pictures come by WebRTC, are looked at in a thread, and are neither stored nor passed on.
    """

    def __init__(self, clock: Clock, ice_servers: Sequence[str] = ()) -> None:
        self._clock = clock
        self._capture: Capture | None = None
        self._camera: GuestPort = registry.load("anchor.part", "camera")(self._open, ice_servers=tuple(ice_servers))

    def _open(self) -> Onlooker:
        """A capture for a performer who has come."""
        make: Callable[..., Capture] = registry.load("anchor.part", "capture")
        self._capture = make(registry.load("anchor.part", "face_tracker"))
        return self._capture

    async def join(self, offer: str) -> Answer:
        """Let a performer in. Raises `SignallingError`, and `CapacityError` when there is one already."""
        return await self._camera.join(offer)

    async def leave(self, performer: str) -> None:
        """Raises `KeyError` for one who is not there."""
        await self._camera.leave(performer)

    @property
    def state(self) -> str:
        """``""`` with nobody there, else ``waiting``, ``no face``, ``calibrating`` or ``driving``."""
        capture = self._capture
        return capture.state(self._clock.now()) if self._camera.taken and capture is not None else ""

    def act(self) -> Acted | None:
        capture = self._capture
        if capture is None or not self._camera.taken:
            return None
        face = capture.face(self._clock.now())
        return Acted(face, capture) if face is not None else None

    async def __aenter__(self) -> Self:
        await self._camera.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._camera.__aexit__(kind, error, trace)
