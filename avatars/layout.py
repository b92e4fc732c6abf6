"""Where graphics go in one picture size. Boxes of what can be seen at the same time never overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, log

from anchor.graphics import Place
from anchor.media import VideoFormat
from anchor.ports import Placement
from avatars.overlay import Box
from avatars.template import HOUSE, Template

LEADING = 1.3
"""Distance of the baselines of captions, in ems."""

_PLACES = ((9 / 16, 0.31, 0.28), (1.0, 0.34, 0.33), (16 / 9, 0.36, 0.40))
"""Aspect of the picture, height of the eyes, height of the head: a presenter's medium close-up."""

_HEAD = 0.46
"""Half the width of a head with its hair, in head heights; what stands beside it keeps off."""

_CHIN = 0.57
"""How far below the eyes a chin that nods may come, in head heights."""


def place(video: VideoFormat) -> Placement:
    """Where the anchor's head belongs in a picture of this shape."""
    aspect = video.width / video.height
    aspect = min(max(aspect, _PLACES[0][0]), _PLACES[-1][0])
    for (narrow, eyes, head), (wide, eyes_wide, head_wide) in pairwise(_PLACES):
        if aspect <= wide:
            share = log(aspect / narrow) / log(wide / narrow)
            return Placement(0.5, eyes + share * (eyes_wide - eyes), head + share * (head_wide - head))
    return Placement(0.5, *_PLACES[-1][1:])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where graphics go, in pixels, in pictures of one size while certain graphics are shown.

    `label`: where the AI label is. `row`: how low logo and clock reach, in the other upper corner. `ticker`, `second`:
    room is kept for a ticker, and for a second language below the captions. `beside`: an inset stands at the shoulder,
    so a headline goes elsewhere. `figures`: the inset is a chart or table, which needs more room than names do.
    """

    video: VideoFormat
    template: Template = HOUSE
    label: Box | None = None
    row: int = 0
    ticker: bool = False
    second: bool = False
    beside: bool = False
    figures: bool = False

    @classmethod
    def of(cls, video: VideoFormat, template: Template = HOUSE) -> Layout:
        return cls(video, template)

    def showing(self, *, ticker: bool, second: bool, beside: bool, figures: bool = False) -> Layout:
        """The layout while these are shown."""
        return replace(self, ticker=ticker, second=second, beside=beside, figures=figures)

    @property
    def plain(self) -> Layout:
        """The layout when nothing else is shown."""
        return self.showing(ticker=False, second=False, beside=False)

    @property
    def unit(self) -> int:
        return self.video.shorter_side

    @property
    def wide(self) -> bool:
        return self.video.width > 1.4 * self.video.height

    @property
    def tall(self) -> bool:
        return self.video.height > 1.2 * self.video.width

    @property
    def slim(self) -> bool:
        """Whether there is room for something over the anchor's chest."""
        return self.video.height > 1.5 * self.video.width

    @property
    def left(self) -> int:
        return round(self.video.width * self.template.places.safe)

    @property
    def top(self) -> int:
        return round(self.video.height * self.template.places.safe)

    @property
    def safe_width(self) -> int:
        return self.video.width - 2 * self.left

    @property
    def gap(self) -> int:
        """Between two graphics."""
        return max(4, round(self.unit * self.template.places.gap))

    @property
    def foot(self) -> int:
        """Lower edge of all graphics."""
        # Phone players cover the foot of a tall picture with their buttons.
        places = self.template.places
        return round(self.video.height * (1 - (places.foot_tall if self.tall else places.foot)))

    def size(self, name: str) -> int:
        """A size of the template in pixels; letters below ten pixels cannot be read at all."""
        return max(10, round(self.unit * self.template.sizes.share(name, tall=self.tall)))

    @property
    def ticker_box(self) -> Box:
        height = ceil(self.size("ticker") * 1.75 / 2) * 2
        return Box(0, (self.foot - height) // 2 * 2, self.video.width, height)

    @property
    def caption_size(self) -> int:
        return self.size("caption")

    @property
    def second_size(self) -> int:
        return self.size("second")

    @property
    def second_lines(self) -> int:
        """How many lines a second language may take."""
        return 2 if self.slim else 1

    @property
    def captions_bottom(self) -> int:
        return self.ticker_box.y - self.gap // 2 if self.ticker else self.foot

    @property
    def captions_height(self) -> int:
        """Room of two lines and, where one is shown, of a second language."""
        below = self.second_lines * leading(self.second_size) + padding(self.caption_size) if self.second else 0
        return self.lines_height + below

    @property
    def lines_height(self) -> int:
        """Room of two lines of captions."""
        return ceil(2 * leading(self.caption_size) + 2 * padding(self.caption_size))

    @property
    def captions_top(self) -> int:
        return self.captions_bottom - self.captions_height

    @property
    def captions_box(self) -> Box:
        return Box.inside(self.left, self.captions_top, self.left + self.safe_width, self.captions_bottom)

    @property
    def title_size(self) -> int:
        return self.size("title")

    @property
    def raised(self) -> bool:
        """Whether what is below pushes the lower third up, beside the chin."""
        return self.ticker or self.second

    @property
    def title_width(self) -> int:
        if self.tall:
            return self.safe_width
        if self.wide:
            return round(self.safe_width * 0.46) if not self.raised else self.beside_head - self.left
        return round(self.safe_width * 0.62)

    @property
    def title_bottom(self) -> int:
        return self.captions_top - round(self.unit * 0.025)

    @property
    def title_height(self) -> int:
        """Room of a lower third with both of its lines."""
        return round(self.title_size * 1.56) + round(self.title_size * 1.06)

    @property
    def title_box(self) -> Box:
        top = self.title_bottom - self.title_height
        return Box.inside(self.left, top, self.left + self.title_width, self.title_bottom)

    @property
    def beside_head(self) -> int:
        """How far to the right something at the left of the head may reach."""
        at = place(self.video)
        return round(at.x * self.video.width - _HEAD * at.head * self.video.height)

    @property
    def chin(self) -> int:
        at = place(self.video)
        return round((at.eyes + _CHIN * at.head) * self.video.height)

    @property
    def crown(self) -> int:
        at = place(self.video)
        return round((at.eyes - _CHIN * at.head) * self.video.height)

    @property
    def below_row(self) -> int:
        """Where the picture is free below logo and clock."""
        return self.row + self.gap if self.row else self.top

    @property
    def below_label(self) -> int:
        """Where the picture is free below logo, clock and AI label."""
        return max(self.below_row, self.label.bottom + self.gap if self.label else 0)

    @property
    def shoulder_box(self) -> Box:
        """Where an inset stands beside the anchor: left of the head or, in tall pictures, over the chest."""
        bottom = (self.title_box.y if self.names_beside else self.captions_top) - self.gap
        if self.wide:
            return Box.inside(self.left, self.below_row, self.beside_head, bottom)
        return Box.inside(self.left, self.chin, self.left + self.safe_width, bottom)

    @property
    def names_beside(self) -> bool:
        """Whether there is room for a lower third while an inset stands at the shoulder."""
        return (self.wide and not self.raised) if self.figures else (self.wide or not self.raised)

    def seat(self, at: Place) -> Place:
        """The place that an inset takes: where there is no room at the shoulder, the anchor goes to the corner."""
        return "corner" if at == "shoulder" and not (self.wide or self.slim) else at

    @property
    def full_box(self) -> Box:
        """What of a full frame nothing else covers: above the captions, below logo, clock and label."""
        return Box.inside(self.left, self.below_label, self.left + self.safe_width, self.captions_top - self.gap)

    @property
    def corner_box(self) -> Box:
        """Where the anchor is seen, small, while an inset takes the rest of the picture."""
        places, share = self.template.places, 0.8 if self.slim else 1.0
        width, height = self.unit * places.corner_width * share, self.unit * places.corner_height * share
        right, bottom = self.left + self.safe_width, self.captions_top - self.gap
        return Box.inside(right - width, max(self.below_label, bottom - height), right, bottom)

    def inset_box(self, at: Place) -> Box:
        """Where the content of an inset goes at a place."""
        if at == "shoulder":
            return self.shoulder_box
        full = self.full_box
        if at == "full":
            return full
        corner = self.corner_box
        if self.slim:
            return Box.inside(full.x, full.y, full.right, corner.y - self.gap)
        return Box.inside(full.x, full.y, corner.x - self.gap, full.bottom)

    @property
    def headline_box(self) -> Box:
        """Where a headline card may be: beside the head, or below the chin."""
        at = place(self.video)
        title_top = self.title_box.y - self.gap
        if self.wide and self.beside:
            left = 2 * round(at.x * self.video.width) - self.beside_head
            return Box.inside(left, self.below_label, self.left + self.safe_width, self.captions_top - self.gap)
        if self.wide:
            return Box.inside(self.left, self.below_row, self.beside_head, title_top)
        if self.slim and self.beside:
            return Box.inside(self.left, self.below_label, self.left + self.safe_width, self.crown)
        if self.slim:
            return Box.inside(self.left, self.chin, self.left + self.safe_width, title_top)
        return Box.inside(self.left, self.title_box.y, self.left + self.safe_width, self.title_bottom)


def leading(size: float) -> int:
    """Distance of baselines at a letter size."""
    return ceil(size * LEADING)


def padding(size: float) -> int:
    """Room around captions at a letter size."""
    return round(size * 0.24)
