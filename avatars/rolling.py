"""What runs: the ticker along the foot of the picture, and credits upwards. Drawn once, then only shifted."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

import cv2
import numpy as np

from anchor.media import Bytes, Picture, VideoFormat
from avatars.graphics import lift, readable
from avatars.layers import Moment, eased
from avatars.layout import Layout
from avatars.overlay import Overlay, Sheet, yuv
from avatars.template import Template
from avatars.typeset import Typesetter

SEPARATOR_EMS = 2.4
"""From the end of one line of the ticker to the beginning of the next."""

MOST_PIXELS = 400_000
"""A ticker longer than this is cut: hours of reading."""


def even_step(share: float, video: VideoFormat) -> int:
    """Pixels a beat for a speed in shorter sides a second.

    A whole, even number: only then every beat moves luma and chroma by just as much, and letters stay sharp.
    """
    return max(2, 2 * round(share * video.shorter_side / video.fps / 2))


class Strip:
    """The lines of a ticker as one endless strip of planes Y, U and V, cut out anywhere in one piece."""

    def __init__(self, lines: Sequence[str], layout: Layout, setter: Typesetter) -> None:
        box, size = layout.ticker_box, float(layout.size("ticker"))
        colours = layout.template.colours
        gap = round(size * SEPARATOR_EMS / 2) * 2
        pieces = []
        total = 0
        for line in lines:
            sheet = Sheet(ceil(setter.width(line, size)) + gap, box.height)
            sheet.plate((-2, -2, sheet.width + 4, sheet.height + 4), colours.ticker)
            y = round((box.height - size) / 2) - lift(size)
            sheet.text(setter.draw(line, size), -setter.margin(size), y, colours.ticker_text)
            mark = round(size * 0.34)
            sheet.plate((sheet.width - gap / 2 - mark / 2, (box.height - mark) / 2, mark, mark), colours.accent)
            total += sheet.width
            pieces.append(sheet.finish(0, 0))
            if total > MOST_PIXELS:
                break
        self.length = total
        planes = [np.concatenate([piece.planes[number].add for piece in pieces], axis=1) for number in range(3)]
        room = total + layout.video.width
        self.planes: list[Bytes] = [
            np.ascontiguousarray(np.tile(plane, (1, ceil(room / total)))[:, : room if number == 0 else room // 2])
            for number, plane in enumerate(planes)
        ]

    def cut(self, at: int, width: int) -> tuple[Bytes, Bytes, Bytes]:
        """The part that begins so many pixels in."""
        y, u, v = self.planes
        half = at // 2
        return y[:, at : at + width], u[:, half : half + width // 2], v[:, half : half + width // 2]


class Ticker:
    """Opens upwards, runs at an even pace without an end, and closes before other lines open."""

    def __init__(self, setter: Typesetter, video: VideoFormat, template: Template) -> None:
        self._setter, self._template = setter, template
        self._step = even_step(template.animation.ticker_speed, video)
        self._open = 1 / max(1, template.animation.ticker_in * video.fps)
        self._lines: tuple[str, ...] = ()
        self._strip: Strip | None = None
        self._phase = 0.0
        self._at = 0

    @property
    def seen(self) -> bool:
        return self._strip is not None and self._phase > 0

    def show(self, moment: Moment, picture: Picture) -> None:
        wanted, layout = moment.look.graphics.ticker, moment.layout
        if self._phase == 0.0 and wanted != self._lines:
            self._lines, self._at = wanted, 0
            kept = [line for line in map(self._setter.clean, wanted) if line and readable((line,), (line,))]
            self._strip = Strip(kept, layout, self._setter) if kept else None
            # The first line begins at the safe edge, so that it can be read from its beginning.
            if self._strip is not None:
                self._at = (-layout.left // 2 * 2) % self._strip.length
        step = self._open if wanted and wanted == self._lines else -self._open
        self._phase = min(1.0, max(0.0, self._phase + moment.beats * step))
        if self._strip is None or self._phase <= 0:
            return
        box = layout.ticker_box
        height = min(box.height, round(box.height * eased(self._phase) / 2) * 2)
        parts = self._strip.cut(self._at, picture.width)
        for plane, part in zip((picture.y, picture.u, picture.v), parts, strict=True):
            share = picture.width // plane.shape[1]
            plane[(box.bottom - height) // share : box.bottom // share] = part[: height // share]
        edge = max(2, round(layout.unit * 0.004 / 2) * 2)
        if height > edge:
            for plane, value in zip((picture.y, picture.u, picture.v), yuv(self._template.colours.accent), strict=True):
                share = picture.width // plane.shape[1]
                plane[(box.bottom - height) // share : (box.bottom - height + edge) // share] = value
        if moment.beats < inf:
            self._at = (self._at + self._step) % self._strip.length


class Credits:
    """Lines that roll up over the darkened picture, once; the picture stays dark until they are taken away."""

    FADE_SECONDS = 0.5
    DARK = 0.8
    """How much of the picture the dark takes."""
    BANDS = 8
    """Of four rows each, in which lines fade at the edges of their window."""

    def __init__(self, setter: Typesetter, video: VideoFormat, template: Template) -> None:
        self._setter, self._template = setter, template
        self._step = even_step(template.animation.credits_speed, video)
        self._open = 1 / max(1, self.FADE_SECONDS * video.fps)
        self._lines: tuple[str, ...] = ()
        self._roll: Overlay | None = None
        self._strength = 0.0
        self._risen = 0

    def seconds(self, lines: tuple[str, ...], layout: Layout) -> float:
        """How long lines take from the first that is seen to the last that is gone."""
        roll = self._drawn(lines, layout)
        if roll is None:
            return 0.0
        beats = (layout.full_box.height + roll.height) / self._step + 2 / self._open
        return beats / layout.video.fps

    def show(self, moment: Moment, picture: Picture) -> None:
        wanted, layout = moment.look.graphics.credits, moment.layout
        if wanted and wanted != self._lines:
            self._lines, self._risen = wanted, 0
            self._roll = self._drawn(wanted, layout)
        self._strength = min(1.0, max(0.0, self._strength + moment.beats * (self._open if wanted else -self._open)))
        if self._strength <= 0:
            self._lines, self._roll = (), None
            return
        self._darken(picture)
        window = layout.full_box
        if self._roll is not None:
            settled = moment.beats == inf
            risen = min(window.height, self._roll.height) if settled else self._risen
            self._lay(picture, self._roll, window.y, window.bottom, window.bottom - risen // 2 * 2)
            if not settled and self._risen < window.height + self._roll.height:
                self._risen += self._step

    def _darken(self, picture: Picture) -> None:
        share = self.DARK * self._strength
        for plane, value in zip((picture.y, picture.u, picture.v), yuv(self._template.colours.ground_end), strict=True):
            cv2.convertScaleAbs(plane, dst=plane, alpha=1 - share, beta=value * share)

    def _lay(self, picture: Picture, roll: Overlay, top: int, bottom: int, at: int) -> None:
        """Lay the part of the roll that is within the window, fainter towards its edges."""
        bands = self.BANDS
        for number in range(bands):
            strength = self._strength * (number + 1) / (bands + 1)
            for y in (top + 4 * number, bottom - 4 * (number + 1)):
                roll.blend_rows(picture, y - at, y, 4, strength=strength)
        y = top + 4 * bands
        roll.blend_rows(picture, y - at, y, bottom - 4 * bands - y, strength=self._strength)

    def _drawn(self, lines: Sequence[str], layout: Layout) -> Overlay | None:
        """All lines below one another in the middle; the first, and the first after an empty one, are heads."""
        setter, size, colours = self._setter, float(layout.size("credits")), layout.template.colours
        room = layout.safe_width * 0.9
        set_lines: list[tuple[str, bool]] = []
        head = True
        for line in lines:
            words = setter.clean(line)
            if not words:
                set_lines.append(("", False))
                head = True
                continue
            for part in setter.balanced(words, size, room, 3) or (setter.fit(words, size, room, size * 0.7)[0],):
                set_lines.append((part, head))
            head = False
        if not any(words for words, _ in set_lines):
            return None
        step = ceil(size * 1.5 / 2) * 2
        width = ceil(max(setter.width(words, size) for words, _ in set_lines)) + 2 * setter.margin(size)
        sheet = Sheet(width, step * len(set_lines))
        for number, (words, is_head) in enumerate(set_lines):
            if words:
                x = round((width - setter.width(words, size)) / 2) - setter.margin(size)
                y = number * step + round((step - size) / 2) - lift(size)
                sheet.text(setter.draw(words, size), x, y, colours.accent if is_head else colours.text)
        return sheet.finish((layout.video.width - sheet.width) // 2, 0)
