"""What stands over the anchor: the AI label, captions and lower thirds. Each is drawn once into an `Overlay`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil

from anchor.errors import FormatError
from anchor.events import Caption, LowerThird
from anchor.media import VideoFormat
from avatars.overlay import Colour, Overlay, Sheet
from avatars.typeset import ASCENT, Typesetter

DEFAULT_LABEL = "AI生成 · AI-generated"

LABEL_HEIGHT = 0.05
"""Least height of the label's characters as a share of the shorter side (GB 45438-2025; TRUST.md C1)."""

LEADING = 1.3
"""Distance of the baselines of captions, in ems."""

SAFE = 0.05
"""Margin around the title-safe area, which is 90 % of each side (EBU R 95; SMPTE ST 2046-1)."""

NAVY: Colour = (11, 21, 45)
DEEP_BLUE: Colour = (16, 52, 112)
MIDNIGHT: Colour = (8, 24, 58)
WHITE: Colour = (255, 255, 255)
PALE_BLUE: Colour = (188, 213, 244)
AMBER: Colour = (255, 176, 59)

_NAMES_AI = re.compile(r"人工智[能慧]|artificial\s+intelligence|(?<![a-z])a\.?i\.?(?![a-z])", re.IGNORECASE)
_NAMES_MAKING = re.compile(r"生成|合成|generat(?:ed|ion|ive)|synthe(?:tic|sis|si[sz]ed)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where graphics go in one picture size, in pixels. They never overlap and never reach the anchor's mouth.

    `captions_bottom`: lower edge of the captions. `captions_height`: room of two lines; the lower third stands above.
    """

    video: VideoFormat
    caption_size: int
    captions_bottom: int
    captions_height: int
    title_size: int
    title_width: int

    @classmethod
    def of(cls, video: VideoFormat) -> Layout:
        unit, tall = video.shorter_side, video.height > 1.2 * video.width
        size = max(10, round(unit * (0.051 if tall else 0.053)))
        safe = video.width * (1 - 2 * SAFE)
        return cls(
            video,
            caption_size=size,
            # Phone players cover the foot of a tall picture with their buttons.
            captions_bottom=round(video.height * (0.84 if tall else 1 - SAFE)),
            captions_height=ceil(2 * _line(size) + 2 * _pad(size)),
            title_size=max(10, round(unit * 0.046)),
            title_width=round(safe * (1.0 if tall else 0.46 if video.width > 1.4 * video.height else 0.62)),
        )

    @property
    def wide(self) -> bool:
        return self.video.width > 1.4 * self.video.height

    @property
    def left(self) -> int:
        return round(self.video.width * SAFE)

    @property
    def top(self) -> int:
        return round(self.video.height * SAFE)

    @property
    def safe_width(self) -> int:
        return self.video.width - 2 * self.left

    @property
    def title_bottom(self) -> int:
        return self.captions_bottom - self.captions_height - round(self.video.shorter_side * 0.025)


def check_label(text: str) -> str:
    """Refuse a label that does not say, in Chinese or English, that AI made what is seen. Raises `FormatError`."""
    if not (_NAMES_AI.search(text) and _NAMES_MAKING.search(text)):
        raise FormatError(
            f"AI label {text!r}: it must name AI (AI, 人工智能) and that it made this (生成, 合成, generated), "
            f"for example {DEFAULT_LABEL!r}"
        )
    return text


def label(text: str, layout: Layout, setter: Typesetter, *, middle: bool = False) -> Overlay:
    """The AI label in the upper right corner, on a plate of its own: at least 15:1 in contrast over any picture.

    In the `middle` of the upper edge it is seen on every page that cuts the sides off.

    Raises `FormatError` for a text that does not name AI and generation once what cannot be drawn is left out, or
    that is too long for the picture.
    """
    drawn = setter.clean(check_label(text))
    if not (_NAMES_AI.search(drawn) and _NAMES_MAKING.search(drawn)):
        # Our own glyphs and the built-in font always have these.
        drawn = setter.clean(DEFAULT_LABEL)
    size = _label_size(drawn, layout, setter)
    edge, bar, gap = round(size * 0.26), max(2, round(size * 0.11)), round(size * 0.22)
    room = layout.safe_width - 2 * edge - bar - gap
    lines = _label_lines(drawn, size, room, setter, beside=layout.wide and not middle)
    if not lines:
        raise FormatError(f"AI label {text!r} is too long for {layout.video.width}x{layout.video.height}: shorten it")
    step, rim = round(size * 1.14), round(size * 0.17)
    sheet = Sheet(
        2 * edge + bar + gap + ceil(max(setter.width(line, size) for line in lines)),
        step * (len(lines) - 1) + size + 2 * rim,
    )
    sheet.plate((0, 0, sheet.width, sheet.height), NAVY, radius=size * 0.16)
    sheet.plate((edge, rim * 1.6, bar, sheet.height - 3.2 * rim), AMBER, radius=bar / 2)
    for number, line in enumerate(lines):
        y = rim + number * step - _lift(size)
        sheet.text(setter.draw(line, size), edge + bar + gap - setter.margin(size), y, WHITE)
    left = (layout.video.width - sheet.width) // 2 if middle else layout.video.width - layout.left - sheet.width
    return sheet.finish(left, layout.top)


def caption(page: Caption, layout: Layout, setter: Typesetter) -> Overlay | None:
    """Lines on a dark translucent plate at the foot of the picture, or None where too little of them can be drawn."""
    lines = tuple(filter(None, map(setter.clean, page.lines)))
    if not lines or not _readable(page.lines, lines):
        return None
    lines, size = _set_lines(lines, layout, setter)
    pad, step = _pad(size), _line(size)
    widths = [setter.width(line, size) for line in lines]
    sheet = Sheet(ceil(max(widths)) + 4 * pad, step * len(lines) + 2 * pad)
    sheet.plate((0, 0, sheet.width, sheet.height), NAVY, radius=size * 0.22, alpha=0.62)
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        mask = setter.draw(line, size)
        x = round((sheet.width - width) / 2) - setter.margin(size)
        y = pad + number * step + round((step - size) / 2) - _lift(size)
        sheet.shadow(mask, x, y + max(1, round(size / 24)), blur=max(1.0, size / 16), alpha=0.75)
        sheet.text(mask, x, y, WHITE)
    left = (layout.video.width - sheet.width) // 2
    return sheet.finish(left, layout.captions_bottom - sheet.height)


def lower_third(words: LowerThird, layout: Layout, setter: Typesetter) -> Overlay | None:
    """A headline on a blue strip with an amber bar, and a smaller line below; None where nothing can be drawn."""
    title, subtitle = setter.clean(words.title), setter.clean(words.subtitle)
    if not title:
        title, subtitle = subtitle, ""
    if not title or not _readable((words.title or words.subtitle,), (title,)):
        return None
    size = float(layout.title_size)
    small = size * 0.64
    bar, pad = max(3, round(size * 0.22)), round(size * 0.5)
    room = layout.title_width - bar - 2 * pad
    title, size = setter.fit(title, size, room, size * 0.7)
    subtitle, small = setter.fit(subtitle, small, room, small * 0.8)
    width = bar + 2 * pad + ceil(max(setter.width(title, size), setter.width(subtitle, small), size * 5))
    upper = round(layout.title_size * 1.56)
    lower = round(layout.title_size * 1.06) if subtitle else 0
    sheet = Sheet(width, upper + lower)
    sheet.plate((0, 0, sheet.width, upper), DEEP_BLUE, right=MIDNIGHT)
    sheet.plate((0, 0, bar, sheet.height), AMBER)
    if subtitle:
        sheet.plate((bar, upper, sheet.width, sheet.height - upper), NAVY)
        y = upper + round((lower - small * 1.0) / 2) - _lift(small)
        sheet.text(setter.draw(subtitle, small), bar + pad - setter.margin(small), y, PALE_BLUE)
    y = round((upper - size) / 2) - _lift(size)
    sheet.text(setter.draw(title, size), bar + pad - setter.margin(size), y, WHITE)
    return sheet.finish(layout.left, layout.title_bottom - sheet.height)


def _label_size(text: str, layout: Layout, setter: Typesetter) -> int:
    """The least size at which capitals and ideographs alike have the height the law asks for."""
    wanted = ceil(layout.video.shorter_side * LABEL_HEIGHT)
    size = wanted
    while setter.ink_height(text, size) < wanted:
        size += max(1, round((wanted - setter.ink_height(text, size)) * 1.2))
    return size


def _label_lines(text: str, size: int, room: float, setter: Typesetter, *, beside: bool) -> tuple[str, ...] | None:
    """One line above the head; `beside` it, its parts one below the other."""
    parts = tuple(filter(None, (part.strip() for part in re.split(r"[·|]", text))))
    choices = [parts, (text,)] if beside else [(text,), parts]
    for lines in choices:
        if all(setter.width(line, size) <= room for line in lines):
            return lines
    return setter.wrap(text, size, room, 3)


def _set_lines(lines: tuple[str, ...], layout: Layout, setter: Typesetter) -> tuple[tuple[str, ...], float]:
    """The lines as they are when they fit the safe width, else broken anew and smaller until they do."""
    for share in (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5):
        size = layout.caption_size * share
        room = layout.safe_width - 4 * _pad(size)
        if all(setter.width(line, size) <= room for line in lines):
            return lines, size
        most = int((layout.captions_height - 2 * _pad(size)) / _line(size))
        if share < 1 and (broken := setter.wrap(_join(lines), size, room, most)):
            return broken, size
    return tuple(setter.fit(line, size, room, size * 0.8)[0] for line in lines[:2]), size * 0.8


def _join(lines: tuple[str, ...]) -> str:
    """Put lines together again; a space goes in where both sides are written with spaces."""
    joined = lines[0]
    for line in lines[1:]:
        joined += (" " if joined[-1].isascii() or line[0].isascii() else "") + line
    return joined


def _readable(wanted: tuple[str, ...], drawn: tuple[str, ...]) -> bool:
    """Whether most letters are there: a line with only its figures and commas left would mislead."""
    before, after = (sum(character.isalnum() for line in text for character in line) for text in (wanted, drawn))
    return after >= 0.7 * before


def _lift(size: float) -> int:
    """How far a mask reaches above the em square, whose baseline is 0.88 em below its top (as in CJK fonts)."""
    return round(size * (ASCENT - 0.88))


def _line(size: float) -> int:
    return ceil(size * LEADING)


def _pad(size: float) -> int:
    return round(size * 0.24)
