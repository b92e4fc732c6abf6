"""Insets: what stands full, at the anchor's shoulder, or behind the anchor in the corner; here pictures and clips."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import replace
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from anchor.errors import AvatarError
from anchor.graphics import Media
from anchor.media import Bytes, Picture, VideoFormat
from avatars.fitting import fitted
from avatars.layout import Layout
from avatars.overlay import Box, Overlay, Sheet
from avatars.pictures import WHITE, read_picture
from avatars.reel import ClipInfo, Reel, inspect
from avatars.typeset import ASCENT, Typesetter

log = logging.getLogger(__name__)

MOST_BYTES = 64 << 20
"""Of pictures that were prepared and wait; those that waited longest are given up."""
MOST_REELS = 3
"""Clips that are open and wait for their turn."""

_NARROWEST, _NARROWEST_BELOW, _WIDEST = 3 / 4, 4 / 3, 16 / 9
"""Shapes that a picture at the shoulder, or below the head, may have; others are cropped to the nearest."""
_LEAST_ROOM = 0.12
"""In shares of the shorter side; what is shown smaller is not seen."""
_CREDIT, _SMALLEST_CREDIT = 0.028, 0.022
"""Size of a credit line, in shares of the shorter side."""


class Inset(Protocol):
    """Something that is shown in a picture beside or instead of the anchor."""

    def draw(self, picture: Picture, phase: float) -> None:
        """Lay it whole over a picture, for one beat; called once a beat, in order.

        `phase` goes from 0 to 1 in its first second on air and stays there, for what moves in: the scene itself cuts,
        fades or wipes it in and out. Where it is the big picture behind a small anchor (``corner``), it fills the frame
        but keeps what matters within ``layout.inset_box("corner")``; the scene draws the anchor over it.
        """
        ...


@runtime_checkable
class Follows(Protocol):
    """An inset that can keep to what is heard."""

    def follow(self, since: int) -> None:
        """The next `draw` is of the beat that comes `since` beats after the utterance on air began."""
        ...


class Library:
    """The pictures and clips of one scene: loaded when a segment is prepared, drawn at once when it goes on air.

    `live`: somebody is watching, so a picture of a clip that is not decoded yet is not waited for.
    """

    def __init__(self, layout: Layout, setter: Typesetter, *, live: bool = False) -> None:
        self._layout, self._setter, self._live = layout, setter, live
        self._lock = Lock()
        self._stills: OrderedDict[tuple[Path, int, int], Bytes] = OrderedDict()
        self._reels: OrderedDict[Media, tuple[ClipInfo, Reel]] = OrderedDict()

    def prepare(self, media: Media) -> None:
        """Load a picture, or the beginning of a clip; blocks, from any thread but the one that draws.

        Raises `MissingError`, and `AvatarError` for what cannot be shown.
        """
        if not media.clip:
            self._still(media.path)
            return
        media = replace(media, place=self._layout.seat(media.place))
        with self._lock:
            if media in self._reels:
                self._reels.move_to_end(media)
                return
        info, reel = self._roll(media)
        try:
            reel.warm()
        except AvatarError:
            reel.close()
            raise
        with self._lock:
            spare = self._reels.pop(media, None)
            self._reels[media] = (info, reel)
            left = [] if spare is None else [spare]
            while len(self._reels) > MOST_REELS:
                left.append(self._reels.popitem(last=False)[1])
        for _, old in left:
            old.close()

    def open(self, media: Media, layout: Layout) -> Inset:
        """Show a picture or clip. Instant where it was prepared. Raises what `prepare` raises."""
        if not media.clip:
            still = self._still(media.path)
            box = _box(media, layout, still.shape[1] / still.shape[0])
            shown = Picture(_planes(fitted(still, box.width, box.height, _centre(media, layout))))
            return _Still(_Frame(media, layout, box, self._setter), shown)
        with self._lock:
            info, reel = self._reels.pop(media, None) or (None, None)
        if info is None or reel is None:
            info, reel = self._roll(media)
        box = _box(media, layout, info.width / info.height)
        return _Clip(_Frame(media, layout, box, self._setter), reel, live=self._live)

    def _still(self, path: Path) -> Bytes:
        """A picture no larger than any place for it: BGR. Kept by its file's state."""
        try:
            state = path.stat()
        except OSError:
            state = None
        key = (path, state.st_mtime_ns, state.st_size) if state is not None else (path, 0, 0)
        with self._lock:
            if (found := self._stills.get(key)) is not None:
                self._stills.move_to_end(key)
                return found
        video = self._layout.video
        picture = read_picture(path, longest=round(1.5 * max(video.width, video.height)), ground=WHITE)
        with self._lock:
            self._stills[key] = picture
            while len(self._stills) > 1 and sum(kept.nbytes for kept in self._stills.values()) > MOST_BYTES:
                self._stills.popitem(last=False)
        return picture

    def _roll(self, media: Media) -> tuple[ClipInfo, Reel]:
        info = inspect(media.path)
        # By the layout of the scene alone, so that what else is shown does not change the pixels.
        plain = replace(self._layout, ticker=False, second=False, beside=False)
        box = _box(media, plain, info.width / info.height)
        return info, Reel(
            media.path, (box.width, box.height), fps=plain.video.fps, centre=_centre(media, plain)
        )  # fmt: skip


class _Still:
    def __init__(self, frame: _Frame, shown: Picture) -> None:
        self._frame, self._shown = frame, shown

    def draw(self, picture: Picture, phase: float) -> None:
        self._frame.draw(self._shown, picture)


class _Clip:
    """A clip; one that is heard keeps to the utterance that plays it (`follow`), others run by themselves."""

    def __init__(self, frame: _Frame, reel: Reel, *, live: bool) -> None:
        self._frame, self._reel, self._live = frame, reel, live
        self._number = 0
        self._followed: int | None = None
        self._problem = ""

    def follow(self, since: int) -> None:
        self._followed = since

    def draw(self, picture: Picture, phase: float) -> None:
        number = self._number if self._followed is None or self._frame.media.sound == "off" else self._followed
        self._number, self._followed = number + 1, None
        if self._problem:
            return
        try:
            shown = self._reel.at(number, wait=not self._live)
        except AvatarError as error:
            self._problem = str(error)
            log.warning("inset left out: %s", error)
            return
        if shown is not None:
            self._frame.draw(shown, picture)


class _Frame:
    """Where a picture stands, what frames it, and its credit."""

    def __init__(self, media: Media, layout: Layout, box: Box, setter: Typesetter) -> None:
        self.media, self.box = media, box
        self._whole = media.place != "shoulder"
        self._rim = None if self._whole else _rim(box, layout)
        self._credit = _credit(media, layout, box, setter) if media.credit else None

    def draw(self, shown: Picture, picture: Picture) -> None:
        if self._whole:
            np.copyto(picture.data, shown.data)
        else:
            box = self.box
            if self._rim is not None:
                self._rim.blend(picture)
            for target, source in zip((picture.y, picture.u, picture.v), (shown.y, shown.u, shown.v), strict=True):
                share = picture.width // target.shape[1]
                rows, columns = slice(box.y // share, box.bottom // share), slice(box.x // share, box.right // share)
                size = (box.width // share, box.height // share)
                target[rows, columns] = source if source.shape[::-1] == size else cv2.resize(
                    source, size, interpolation=cv2.INTER_AREA
                )  # fmt: skip
        if self._credit is not None:
            self._credit.blend(picture)


def _box(media: Media, layout: Layout, aspect: float) -> Box:
    """Where a picture of this shape stands."""
    if media.place != "shoulder":
        return Box(0, 0, layout.video.width, layout.video.height)
    room, edge = layout.inset_box("shoulder"), _edge(layout)
    if min(room.width, room.height) < _LEAST_ROOM * layout.unit:
        size = f"{layout.video.width}x{layout.video.height}"
        raise AvatarError(f"{media.path}: there is no room at the shoulder in {size}; place it full or in the corner")
    aspect = min(max(aspect, _NARROWEST if layout.wide else _NARROWEST_BELOW), _WIDEST)
    width = min(room.width - 2 * edge, (room.height - 2 * edge) * aspect)
    height = width / aspect
    x, y = room.x + (room.width - width) / 2, room.y + (room.height - height) / 2
    return Box.inside(x, y, x + width, y + height)


def _centre(media: Media, layout: Layout) -> tuple[float, float]:
    """Where the middle of a full picture belongs that is shown whole: clear of what stands over it."""
    if media.place == "shoulder":
        return (0.5, 0.5)
    room, video = layout.inset_box(media.place), layout.video
    x = room.x + room.width / 2 if media.place == "corner" and not layout.tall else video.width / 2
    y = room.y + room.height / 2 if layout.tall else video.height / 2
    return (x / video.width, y / video.height)


def _edge(layout: Layout) -> int:
    return max(2, round(layout.unit * layout.template.shapes.frame / 2) * 2)


def _rim(box: Box, layout: Layout) -> Overlay:
    """A thin frame with a soft shadow behind it."""
    edge = _edge(layout)
    soft = max(4, round(layout.unit * 0.012 / 2) * 2)
    margin = edge + 3 * soft + 2
    sheet = Sheet(box.width + 2 * margin, box.height + 2 * margin)
    outer = (margin - edge, margin - edge, box.width + 2 * edge, box.height + 2 * edge)
    mask = np.full((outer[3], outer[2]), 255, np.uint8)
    sheet.shadow(mask, outer[0], outer[1] + soft // 2, blur=float(soft), alpha=0.42)
    sheet.plate(outer, layout.template.colours.text)
    return cropped(sheet, box.x - margin, box.y - margin, layout.video)


def cropped(sheet: Sheet, x: int, y: int, video: VideoFormat) -> Overlay:
    """A sheet as an overlay at (x, y), both even, without what lies outside the picture."""
    left, top = max(0, -x), max(0, -y)
    sheet.paint = sheet.paint[:, top : video.height - y, left : video.width - x]
    sheet.height, sheet.width = sheet.paint.shape[1:]
    return sheet.finish(x + left, y + top)


def _credit(media: Media, layout: Layout, box: Box, setter: Typesetter) -> Overlay | None:
    """A small line over the lower edge of a framed picture or, of a full one, where nothing else comes."""
    text = setter.clean(media.credit)
    if not text:
        return None
    colours, size = layout.template.colours, float(max(10, round(layout.unit * _CREDIT)))
    pad, inside = round(size * 0.35), media.place == "shoulder"
    area = box if inside else layout.inset_box(media.place)
    room = area.width if inside or not layout.wide else area.right - layout.title_box.right - layout.gap
    text, size = setter.fit(text, size, room - 2 * pad, max(10.0, layout.unit * _SMALLEST_CREDIT))
    sheet = Sheet(min(room, ceil(setter.width(text, size)) + 2 * pad), ceil(size * 1.4))
    sheet.plate((0, 0, sheet.width, sheet.height), colours.plate, alpha=0.72)
    y = round((sheet.height - size) / 2) - round(size * (ASCENT - 0.88))
    sheet.text(setter.draw(text, size), pad - setter.margin(size), y, colours.dim)
    # Names stand at the left; in tall pictures all along above the captions.
    top = area.bottom - sheet.height if inside or layout.wide else area.y
    return sheet.finish(area.right - sheet.width, top)


def _planes(bgr: Bytes) -> Bytes:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
