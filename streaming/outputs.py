"""The outputs of a configuration, as a program."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from anchor.clock import wall_time
from anchor.errors import ConfigError, MissingError
from anchor.media import VideoFormat
from streaming.archive import FileWriter
from streaming.destinations import Destination, Kind, destination
from streaming.hls import HlsWriter
from streaming.packets import Writer
from streaming.profiles import UPRIGHT, profile
from streaming.program import DeviceTarget, Program, Target
from streaming.rtmp_writer import RtmpWriter
from streaming.virtual_camera import VirtualCamera

log = logging.getLogger(__name__)

HLS_SEGMENTS = 15
"""Segments of two seconds that a live playlist keeps."""

WriterFactory = Callable[[Destination, "Wish", Mapping[str, str]], Writer]
"""Makes a writer for a destination as it is wished for, with metadata for what it writes."""


class Wish(Protocol):
    """What a configuration says of an output (`anchor.config.OutputConfig`)."""

    @property
    def to(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def profile(self) -> str: ...

    @property
    def bitrate(self) -> int | None: ...

    @property
    def start(self) -> bool: ...

    @property
    def part_minutes(self) -> float: ...


def open_program(
    video: VideoFormat,
    wishes: Iterable[Wish],
    *,
    live: bool = True,
    metadata: Mapping[str, str] | None = None,
    writers: Mapping[Kind, WriterFactory] | None = None,
    wall: Callable[[], datetime] = wall_time,
    folder: Path | None = None,
) -> Program:
    """A program of `video` with all outputs that are wished for; nothing is connected or written before it is entered.

    `metadata` (``AIGC``, ``title``) goes into every container that can carry it. `writers`, by kind, stand for those of
    here. A program that is not live writes whole files, not parts. Paths are relative to `folder`.

    Raises `ConfigError` for an address, profile or name that is wrong, `MissingError` for a kind that nothing here
    makes.
    """
    makers: dict[Kind, WriterFactory] = {
        "rtmp": lambda to, wish, labels: RtmpWriter(to, metadata=labels),
        "file": lambda to, wish, labels: FileWriter(
            Path(to.address), metadata=labels, part_seconds=wish.part_minutes * 60 if live else None, wall=wall
        ),
        "hls": lambda to, wish, labels: HlsWriter(
            Path(to.address), metadata=labels, window=HLS_SEGMENTS if live else None, now=wall
        ),
        **(writers or {}),
    }
    labels = dict(metadata or {})
    targets: list[Target | DeviceTarget] = []
    for wish in wishes:
        to = destination(wish.to, folder=folder)
        name = wish.name or _name(to.kind, [target.name for target in targets])
        if to.kind == "camera":
            targets.append(DeviceTarget(name, "camera", to.shown, partial(VirtualCamera, to.address), wish.start))
            continue
        if to.kind not in makers:
            raise MissingError(f"{to.shown}: outputs of kind {to.kind!r} are not sent by this program")
        found = profile(wish.profile or to.profile, video, bitrate=wish.bitrate)
        if found.name in UPRIGHT and video.width > video.height:
            log.warning("output %s: %s shows tall pictures; a channel of 720x1280 fills its screen", name, found.name)
        targets.append(Target(name, to.kind, to.shown, found, partial(makers[to.kind], to, wish, labels), wish.start))
    files = [target.address for target in targets if target.kind in ("file", "hls", "camera")]
    for address in files:
        if files.count(address) > 1:
            raise ConfigError(f"two outputs go to {address}: give each a place of its own")
    return Program(video, targets, live=live)


def _name(kind: str, taken: list[str]) -> str:
    """``rtmp``, ``rtmp-2``, ..."""
    number = 1
    while (name := kind if number == 1 else f"{kind}-{number}") in taken:
        number += 1
    return name
