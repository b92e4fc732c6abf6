"""The layer of insets: opens them, lets them follow one another by cut, fade or wipe, and keeps the anchor small."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from math import inf

import cv2
import numpy as np

from anchor.errors import AnchorError
from anchor.graphics import Chart, Grid, Media, Transition
from anchor.media import Bytes, Picture, VideoFormat
from avatars.insets import Follows, Inset
from avatars.layers import Moment
from avatars.layout import Layout, place
from avatars.overlay import Box, fill
from avatars.template import Template

log = logging.getLogger(__name__)

Content = Chart | Grid | Media
Open = Callable[[Content, Layout], Inset]


class _Shown:
    """An inset on air, or nothing but the anchor."""

    def __init__(self, content: Content | None, layout: Layout, opened: Inset | None, seconds: float) -> None:
        self.content, self.layout, self._opened = content, layout, opened
        self._seconds = seconds
        self._age = 0.0

    @property
    def empty(self) -> bool:
        return self._opened is None

    def move(self, seconds: float) -> None:
        self._age += seconds

    def follow(self, since: int) -> None:
        """Keep to the utterance on air, which began `since` beats ago."""
        if isinstance(self._opened, Follows):
            self._opened.follow(since)

    def draw(self, picture: Picture) -> None:
        """Lay it over a picture of the anchor."""
        if self._opened is None or self.content is None:
            return
        small, edge = None, _edge(self.layout)
        box = self.layout.corner_box
        inner = Box(box.x + edge, box.y + edge, box.width - 2 * edge, box.height - 2 * edge)
        if self.content.place == "corner":
            small = _shrunk(picture, self.layout.video, inner)
        self._opened.draw(picture, min(1.0, self._age / self._seconds))
        if small is not None:
            fill(picture, box, self.layout.template.colours.text)
            for plane, part in zip((picture.y, picture.u, picture.v), small, strict=True):
                share = picture.width // plane.shape[1]
                y, x = inner.y // share, inner.x // share
                plane[y : y + part.shape[0], x : x + part.shape[1]] = part


class Insets:
    """What differs comes in by its transition; equal insets in a row go on. One change waits for the one before."""

    def __init__(self, opens: Open, video: VideoFormat, template: Template) -> None:
        self._opens, self._video, self._template = opens, video, template
        self._now = self._open(None, None)
        self._before: _Shown | None = None
        self._by: Transition = "cut"
        self._phase = 1.0

    @property
    def beside(self) -> bool:
        """Whether something is still or already at the anchor's shoulder."""
        return any(content.place == "shoulder" for content in self._contents())

    @property
    def figures(self) -> bool:
        """Whether a chart or table is still or already there."""
        return any(not isinstance(content, Media) for content in self._contents())

    def _contents(self) -> list[Content]:
        shown = (self._now.content, self._before.content if self._before else None)
        return [content for content in shown if content is not None]

    def show(self, moment: Moment, picture: Picture) -> None:
        graphics, wanted = moment.look.graphics, _seated(moment)
        # It has its place whether a headline stands elsewhere or not.
        layout = replace(moment.layout, beside=False, figures=isinstance(wanted, Chart | Grid))
        if self._before is None:
            if wanted != self._now.content:
                self._before, self._now = self._now, self._open(wanted, layout)
                self._by, self._phase = graphics.transition, 0.0
                if self._before.empty and self._now.empty:
                    self._before = None
            elif not self._now.empty and layout != self._now.layout and not _running(self._now.content):
                # It makes room for what has come in below it, and stands there at once.
                self._now = self._open(self._now.content, layout)
                self._now.move(inf)
        self._now.follow(moment.look.since)
        seconds = moment.beats / self._video.fps
        self._now.move(seconds)
        if self._before is None:
            self._now.draw(picture)
            return
        self._before.move(seconds)
        self._phase = (
            1.0 if self._by == "cut" else min(1.0, self._phase + seconds / self._template.animation.transition)
        )
        if self._phase >= 1.0:
            self._before = None
            self._now.draw(picture)
            return
        older, newer = picture.copy(), picture.copy()
        self._before.draw(older)
        self._now.draw(newer)
        if self._by == "fade":
            # Smoothstep: neither begins nor ends at a jerk.
            share = self._phase**2 * (3 - 2 * self._phase)
            cv2.addWeighted(older.data, 1 - share, newer.data, share, 0, dst=picture.data)
        else:
            self._wipe(older, newer, picture)

    def _wipe(self, older: Picture, newer: Picture, picture: Picture) -> None:
        """The new picture from the left, behind a bar of the accent colour; only where something changes."""
        share = self._phase**2 * (3 - 2 * self._phase)
        video = self._video
        area = Box(0, 0, video.width, video.height)
        if all(content.place == "shoulder" for content in self._contents()):
            area = (self._before if self._now.content is None and self._before else self._now).layout.shoulder_box
        bar = max(2, round(video.shorter_side * 0.008 / 2) * 2)
        edge = area.x + round(share * (area.width + bar) / 2) * 2 - bar
        at = min(max(area.x, edge), area.right)
        for out, old, new in zip(*((p.y, p.u, p.v) for p in (picture, older, newer)), strict=True):
            cut = at * out.shape[1] // video.width
            out[:, :cut] = new[:, :cut]
            out[:, cut:] = old[:, cut:]
        left, right = max(area.x, edge), min(area.right, edge + bar)
        if right > left:
            fill(picture, Box(left, area.y, right - left, area.height), self._template.colours.accent)

    def _open(self, content: Content | None, layout: Layout | None) -> _Shown:
        opened = None
        if content is not None and layout is not None:
            try:
                opened = self._opens(content, layout)
            except AnchorError as error:
                log.warning("inset left out: %s", error)
        return _Shown(content, layout or Layout.of(self._video), opened, self._template.animation.chart)


def _running(content: Content | None) -> bool:
    """Whether it would begin anew if it were opened again."""
    return isinstance(content, Media) and content.clip


def _seated(moment: Moment) -> Content | None:
    """The inset of a moment at the place that there is for it in a picture of this shape."""
    inset = moment.look.graphics.inset
    if inset is None or moment.layout.seat(inset.place) == inset.place:
        return inset
    return replace(inset, place=moment.layout.seat(inset.place))


def _shrunk(picture: Picture, video: VideoFormat, box: Box) -> list[Bytes]:
    """The anchor's head and shoulders, scaled into a box: planes Y, U and V."""
    at = place(video)
    height = min(video.height, 1.7 * at.head * video.height)
    width = min(video.width, height * box.width / box.height)
    height = width * box.height / box.width
    middle = at.x * video.width
    top = max(0.0, (at.eyes - 0.72 * at.head) * video.height)
    cut = Box.inside(middle - width / 2, top, middle + width / 2, min(video.height, top + height))
    parts = []
    for plane in (picture.y, picture.u, picture.v):
        share = video.width // plane.shape[1]
        part = plane[cut.y // share : cut.bottom // share, cut.x // share : cut.right // share]
        size = (box.width // share, box.height // share)
        # At about half the size two neighbours a pixel are enough, and a third of the cost of averaging by area.
        parts.append(np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.uint8))
    return parts


def _edge(layout: Layout) -> int:
    """Width of the frame around the small anchor."""
    return max(2, round(layout.unit * layout.template.shapes.frame / 2) * 2)
