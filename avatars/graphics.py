"""What stands over the anchor: the AI label, captions and lower thirds. Each is drawn once into an `Overlay`."""

from __future__ import annotations

import re
from math import ceil

from anchor.errors import FormatError
from anchor.events import Caption, LowerThird
from avatars.layout import Layout, leading, padding
from avatars.overlay import Overlay, Sheet
from avatars.typeset import ASCENT, Typesetter

DEFAULT_LABEL = "AI生成 · AI-generated"

LABEL_HEIGHT = 0.05
"""Least height of the label's characters as a share of the shorter side (GB 45438-2025; TRUST.md C1)."""

_NAMES_AI = re.compile(r"人工智[能慧]|artificial\s+intelligence|(?<![a-z])a\.?i\.?(?![a-z])", re.IGNORECASE)
_NAMES_MAKING = re.compile(r"生成|合成|generat(?:ed|ion|ive)|synthe(?:tic|sis|si[sz]ed)", re.IGNORECASE)


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
    size, colours = _label_size(drawn, layout, setter), layout.template.colours
    edge, bar, gap = round(size * 0.26), max(2, round(size * 0.11)), round(size * 0.22)
    room = layout.safe_width - 2 * edge - bar - gap
    lines = _label_lines(drawn, size, room, setter, beside=layout.wide and not middle)
    if not lines:
        raise FormatError(f"AI label {text!r} is too long for {layout.video.width}x{layout.video.height}: shorten it")
    step, rim = round(size * 1.14), round(size * 0.17)
    sheet = Sheet(
        2 * edge + bar + gap + ceil(max(setter.width(words, size) for words in lines)),
        step * (len(lines) - 1) + size + 2 * rim,
    )
    sheet.plate((0, 0, sheet.width, sheet.height), colours.plate, radius=size * 0.16)
    sheet.plate((edge, rim * 1.6, bar, sheet.height - 3.2 * rim), colours.accent, radius=bar / 2)
    for number, words in enumerate(lines):
        y = rim + number * step - lift(size)
        sheet.text(setter.draw(words, size), edge + bar + gap - setter.margin(size), y, colours.text)
    left = (layout.video.width - sheet.width) // 2 if middle else layout.video.width - layout.left - sheet.width
    return sheet.finish(left, layout.top)


def caption(page: Caption, layout: Layout, setter: Typesetter) -> Overlay | None:
    """Lines on a dark translucent plate at the foot of the picture, or None where too little of them can be drawn.

    A second language stands below, smaller and set off by its colour.
    """
    lines = tuple(filter(None, map(setter.clean, page.lines)))
    if not lines or not readable(page.lines, lines):
        return None
    colours, shapes = layout.template.colours, layout.template.shapes
    lines, size = _set_lines(lines, layout, setter)
    below, small = _set_second(page.second, layout, setter)
    pad, step, small_step = padding(size), leading(size), leading(small)
    widths = [setter.width(words, size) for words in lines] + [setter.width(words, small) for words in below]
    height = step * len(lines) + 2 * pad + (small_step * len(below) + pad if below else 0)
    sheet = Sheet(ceil(max(widths)) + 4 * pad, height)
    sheet.plate(
        (0, 0, sheet.width, sheet.height),
        colours.plate,
        radius=size * shapes.caption_radius,
        alpha=shapes.caption_alpha,
    )
    for number, (words, width) in enumerate(zip((*lines, *below), widths, strict=True)):
        first = number < len(lines)
        em = size if first else small
        mask = setter.draw(words, em)
        x = round((sheet.width - width) / 2) - setter.margin(em)
        y = pad + number * step if first else 2 * pad + len(lines) * step + (number - len(lines)) * small_step
        y += round((leading(em) - em) / 2) - lift(em)
        sheet.shadow(mask, x, y + max(1, round(em / 24)), blur=max(1.0, em / 16), alpha=0.75)
        sheet.text(mask, x, y, colours.text if first else colours.dim)
    left = (layout.video.width - sheet.width) // 2
    return sheet.finish(left, layout.captions_bottom - sheet.height)


def lower_third(words: LowerThird, layout: Layout, setter: Typesetter) -> Overlay | None:
    """A headline on a blue strip with an amber bar, and a smaller line below; None where nothing can be drawn."""
    title, subtitle = setter.clean(words.title), setter.clean(words.subtitle)
    if not title:
        title, subtitle = subtitle, ""
    if not title or not readable((words.title or words.subtitle,), (title,)):
        return None
    size = float(layout.title_size)
    small = size * 0.64
    colours = layout.template.colours
    bar, pad = max(3, round(size * layout.template.shapes.bar)), round(size * 0.5)
    room = layout.title_width - bar - 2 * pad
    title, size = setter.fit(title, size, room, size * 0.7)
    subtitle, small = setter.fit(subtitle, small, room, small * 0.8)
    width = bar + 2 * pad + ceil(max(setter.width(title, size), setter.width(subtitle, small), size * 5))
    upper = round(layout.title_size * 1.56)
    lower = round(layout.title_size * 1.06) if subtitle else 0
    sheet = Sheet(width, upper + lower)
    sheet.plate((0, 0, sheet.width, upper), colours.strip, right=colours.strip_end)
    sheet.plate((0, 0, bar, sheet.height), colours.accent)
    if subtitle:
        sheet.plate((bar, upper, sheet.width, sheet.height - upper), colours.plate)
        y = upper + round((lower - small * 1.0) / 2) - lift(small)
        sheet.text(setter.draw(subtitle, small), bar + pad - setter.margin(small), y, colours.dim)
    y = round((upper - size) / 2) - lift(size)
    sheet.text(setter.draw(title, size), bar + pad - setter.margin(size), y, colours.text)
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
        if all(setter.width(words, size) <= room for words in lines):
            return lines
    return setter.wrap(text, size, room, 3)


def _set_lines(lines: tuple[str, ...], layout: Layout, setter: Typesetter) -> tuple[tuple[str, ...], float]:
    """The lines as they are when they fit the safe width, else broken anew and smaller until they do."""
    for share in (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5):
        size = layout.caption_size * share
        room = layout.safe_width - 4 * padding(size)
        if all(setter.width(words, size) <= room for words in lines):
            return lines, size
        most = int((layout.lines_height - 2 * padding(size)) / leading(size))
        if share < 1 and (broken := setter.wrap(_join(lines), size, room, most)):
            return broken, size
    return tuple(setter.fit(words, size, room, size * 0.8)[0] for words in lines[:2]), size * 0.8


def _set_second(lines: tuple[str, ...], layout: Layout, setter: Typesetter) -> tuple[tuple[str, ...], float]:
    """The lines of a second language in the room there is for them: as few as will do."""
    kept = tuple(filter(None, map(setter.clean, lines)))
    size = float(layout.second_size)
    room = layout.safe_width - 4 * padding(layout.caption_size)
    if not kept or not readable(lines, kept):
        return (), size
    text = _join(kept)
    for share in (1.0, 0.9, 0.8):
        if broken := setter.balanced(text, size * share, room, layout.second_lines):
            return broken, size * share
    if len(kept) > layout.second_lines:
        kept = (text,)
    return tuple(setter.fit(words, size * 0.8, room, size * 0.8)[0] for words in kept), size * 0.8


def _join(lines: tuple[str, ...]) -> str:
    """Put lines together again; a space goes in where both sides are written with spaces."""
    joined = lines[0]
    for words in lines[1:]:
        joined += (" " if joined[-1].isascii() or words[0].isascii() else "") + words
    return joined


def readable(wanted: tuple[str, ...], drawn: tuple[str, ...]) -> bool:
    """Whether most letters are there: a line with only its figures and commas left would mislead."""
    before, after = (sum(character.isalnum() for words in text for character in words) for text in (wanted, drawn))
    return after >= 0.7 * before


def lift(size: float) -> int:
    """How far a mask reaches above the em square, whose baseline is 0.88 em below its top (as in CJK fonts)."""
    return round(size * (ASCENT - 0.88))
