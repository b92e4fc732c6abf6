"""A program recorded to files: one, or a part an hour, each of which plays alone."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from anchor.clock import wall_time
from anchor.errors import OutputError, RefusedError
from anchor.events import Caption
from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming.destinations import FORMATS
from streaming.encoding import AAC_DELAY
from streaming.packets import Cue, Header, Packet
from streaming.part import Part, abandoned, playable, settle, trim
from streaming.subtitles import write_srt, write_vtt

HOUR = 3600.0

LEAST_FREE_BYTES = 64 << 20
"""A disk with less room is full: nothing is begun on it."""

_RECENT = 24
"""Packets of sound kept for a part that begins."""


class FileWriter:
    """Writes a program to `path`, with captions as .srt and .vtt beside it.

    With `part_seconds` a new part begins at the first keyframe after every multiple of them since local midnight.
    Parts are named ``NAME-YYYYMMDD-HHMM.mp4``, after when they begin, and ``NAME-YYYYMMDD-HHMM.part.mp4`` while they
    grow. A recording that ends within its first part is just `path`, if there is no such file yet. What a crash left
    is given its name when the next recording is opened. Without `part_seconds` there is one file, which appears when
    it is whole, and not at all where the program fails.

    Raises `OutputError` when the disk is full, which leaves what was written.
    """

    def __init__(
        self,
        path: Path,
        *,
        metadata: Mapping[str, str] | None = None,
        part_seconds: float | None = HOUR,
        wall: Callable[[], datetime] = wall_time,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self._path = path
        self._metadata = dict(metadata or {})
        self._part_seconds = part_seconds
        self._wall = wall
        self._least_free = least_free_bytes
        self._form = FORMATS[path.suffix.lower()]
        self._part: Part | None = None
        self._ending: Part | None = None
        self._next_part: datetime | None = None
        self._names: dict[Path, Path] = {}
        self._settled = 0
        self._pending: list[Packet] = []
        self._recent: deque[Packet] = deque(maxlen=_RECENT)
        self._captions: list[Caption] = []
        self._owner = 0
        self._aborted = False

    def open(self, header: Header) -> None:
        self._owner = threading.get_ident()
        self._header = header
        if self._path.is_dir():
            raise RefusedError(f"{self._path}: is a folder; name a file to write")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._path.parent).free
        except OSError as error:
            raise OutputError(f"{self._path}: cannot write: {error.strerror}") from error
        if free < self._least_free:
            raise OutputError(f"{self._path}: the disk is full: {free >> 20} MiB left; make room, and it goes on")
        if self._part_seconds is not None:
            self._salvage()

    def write(self, packet: Packet) -> None:
        if self._aborted:
            raise OutputError(f"{self._path}: given up")
        if packet.kind == "audio":
            self._sound(packet)
        elif self._pending:
            self._pending.append(packet)
        elif packet.keyframe and (self._part is None or self._due(packet)):
            self._ending, self._part = self._part, None
            self._pending.append(packet)
            self._begin()
        elif self._part is not None:
            self._part.write(packet)

    def caption(self, cue: Cue) -> None:
        begin = cue.begin * self._header.video.samples_per_beat
        if self._captions and self._captions[-1].end > begin:
            self._captions[-1] = replace(self._captions[-1], end=begin)
        if cue.caption is not None:
            self._captions.append(replace(cue.caption, start=begin, end=1 << 62))

    def finish(self) -> None:
        ending, part = self._ending, self._part
        if ending is not None:
            self._settle(ending, part.begin if part is not None else ending.end)
        if part is not None:
            self._settle(part, part.end, last=True)
        self._ending = self._part = None

    def close(self) -> None:
        self._aborted = True
        if threading.get_ident() != self._owner:
            return  # whatever blocks on a disk cannot be woken; the thread ends when it comes back
        for part in (self._ending, self._part):
            if part is not None:
                part.abandon()
                self._rescue(part.growing)
        self._ending = self._part = None

    def _sound(self, packet: Packet) -> None:
        self._recent.append(packet)
        begin = self._begin_samples
        if self._ending is not None and begin is not None:
            # A part's last sound comes after its last picture.
            if packet.pts < begin:
                self._ending.write(packet)
            else:
                ending, self._ending = self._ending, None
                self._settle(ending, begin * VIDEO_CLOCK // SAMPLE_RATE)
        if self._pending:
            self._begin()
        elif self._part is not None and self._heard(packet):
            self._part.write(packet)

    @property
    def _begin_samples(self) -> int | None:
        """When the newest part begins."""
        if self._pending:
            return self._pending[0].pts * SAMPLE_RATE // VIDEO_CLOCK
        return None if self._part is None else self._part.begin * SAMPLE_RATE // VIDEO_CLOCK

    def _heard(self, sound: Packet) -> bool:
        """Whether a packet belongs to the newest part: decoders need the one before the first that is heard."""
        begin = self._begin_samples
        return begin is not None and sound.pts + sound.duration + AAC_DELAY > begin

    def _due(self, keyframe: Packet) -> bool:
        """Whether a part begins here: by the wall clock, and by the stream where that clock was set back."""
        if self._next_part is None or self._part_seconds is None or self._part is None or self._ending is not None:
            return False
        recorded = (keyframe.pts - self._part.begin) / VIDEO_CLOCK
        return self._wall() >= self._next_part or recorded > self._part_seconds + 60

    def _begin(self) -> None:
        """Begin the part that is pending, as soon as there is any sound to describe."""
        if not self._recent:
            return
        growing, final = self._fresh()
        sounds = list(filter(self._heard, self._recent))
        pictures, self._pending = self._pending, []
        self._part = part = Part(
            growing, self._form, self._header, first=pictures[0], sound=self._recent[-1], metadata=self._metadata
        )
        self._names[growing] = final
        for packet in [*pictures, *sounds]:
            part.write(packet)

    def _fresh(self) -> tuple[Path, Path]:
        """The names of a part that begins now, while it grows and after."""
        if self._part_seconds is None:
            return self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.part"), self._path
        now = self._wall().astimezone()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        whole = (now - midnight).total_seconds() // self._part_seconds + 1
        self._next_part = midnight + timedelta(seconds=whole * self._part_seconds)
        final = self._free(f"{self._path.stem}-{now:%Y%m%d-%H%M}")
        return final.with_suffix(f".part{self._path.suffix}"), final

    def _free(self, stem: str) -> Path:
        """A name that no file has, nor will have when it is finished."""
        names = [stem, *(f"{stem}-{number}" for number in range(2, 10_000))]
        for name in names:
            path = self._path.with_name(name + self._path.suffix)
            if not path.exists() and not path.with_suffix(f".part{self._path.suffix}").exists():
                return path
        raise RefusedError(f"{self._path}: there are too many recordings of this name; move some away")

    def _settle(self, part: Part, end: int, *, last: bool = False) -> None:
        path = self._names.pop(part.growing)
        alone = last and not self._settled and self._part_seconds is not None
        if alone and not self._path.exists():
            path = self._path
        captions = self._taken(part.begin, end)
        if captions:
            write_srt(path.with_suffix(".srt"), captions)
            write_vtt(path.with_suffix(".vtt"), captions)
        part.finish(path)
        self._settled += 1

    def _taken(self, begin: int, end: int) -> list[Caption]:
        """The captions between two times of the stream, in ticks, as of the first of them."""
        start, stop = (ticks * SAMPLE_RATE // VIDEO_CLOCK for ticks in (begin, end))
        inside = [
            replace(caption, start=max(caption.start, start) - start, end=min(caption.end, stop) - start)
            for caption in self._captions
            if caption.end > start and caption.start < stop
        ]
        self._captions = [caption for caption in self._captions if caption.end > stop]
        return inside

    def _salvage(self) -> None:
        """Give what a crash left its name."""
        named = re.compile(re.escape(self._path.stem) + r"-\d{8}-\d{4}(-\d+)?\.part" + re.escape(self._path.suffix))
        for growing in sorted(self._path.parent.iterdir()):
            if named.fullmatch(growing.name) and abandoned(growing):
                self._rescue(growing)

    def _rescue(self, growing: Path) -> None:
        """Keep what can be played of a file that did not end well, unless it was to appear whole or not at all."""
        self._names.pop(growing, None)
        with contextlib.suppress(OSError):
            if self._form in ("mp4", "mov"):
                trim(growing)
            if self._part_seconds is None or not playable(growing):
                growing.unlink(missing_ok=True)
            else:
                stem = growing.name.removesuffix(f".part{self._path.suffix}")
                taken = growing.with_name(stem + self._path.suffix)
                settle(growing, taken if not taken.exists() else self._free(stem), self._form, self._metadata)
