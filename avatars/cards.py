"""Cards of words: headlines beside the anchor, and the slate that takes the anchor's place."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from anchor.media import Picture
from avatars.charts.paint import Painter, Panel, shade
from avatars.graphics import lift, readable
from avatars.layers import Moment, covered
from avatars.layout import Layout
from avatars.overlay import Box, Overlay, Sheet
from avatars.typeset import Typesetter

_LINE = 1.24
"""Distance of the baselines of headlines, in ems."""


@dataclass(frozen=True, slots=True)
class Headline:
    text: str
    kicker: str = ""


def headline_of(moment: Moment) -> Headline | None:
    """The headline of a moment, unless something fills the picture that it would cover."""
    graphics = moment.look.graphics
    if covered(moment) or not (graphics.headline or graphics.kicker):
        return None
    return Headline(graphics.headline or graphics.kicker, graphics.kicker if graphics.headline else "")


def headline(words: Headline, layout: Layout, setter: Typesetter) -> Overlay | None:
    """A card with a headline, and a kicker on a tag of its own over it; None where nothing can be drawn."""
    text, kicker = setter.clean(words.text), setter.clean(words.kicker)
    box, template = layout.headline_box, layout.template
    if not text or not readable((words.text,), (text,)):
        return None
    least = max(10.0, layout.unit * 0.0335)
    if box.height < least * (_LINE + 0.64):
        return None
    lines, size, tag = _set(text, kicker, layout, setter, least)
    bar, pad = max(3, round(size * template.shapes.bar)), round(size * 0.45)
    kicker = setter.fit(kicker, tag, box.width - 2 * pad, tag)[0] if tag else ""
    rim, head = round(size * 0.32), round(tag * 1.6) if kicker else 0
    width = bar + 2 * pad + ceil(max(max(setter.width(line, size) for line in lines), size * 5))
    tab = ceil(setter.width(kicker, tag)) + round(tag * 1.1) if kicker else 0
    sheet = Sheet(min(box.width, max(width, tab)), head + 2 * rim + ceil(len(lines) * size * _LINE))
    colours, radius = template.colours, size * template.shapes.card_radius
    body = sheet.height - head
    sheet.plate((0, head, sheet.width, body), colours.strip, right=colours.strip_end, radius=radius)
    sheet.plate((0, head, bar, body), colours.accent, radius=min(radius, bar / 2))
    if kicker:
        sheet.plate((0, 0, tab, head), colours.kicker)
        y = round((head - tag) / 2) - lift(tag)
        sheet.text(setter.draw(kicker, tag), round(tag * 0.55) - setter.margin(tag), y, colours.kicker_text)
    for number, line in enumerate(lines):
        top = head + rim + number * size * _LINE + (size * _LINE - size) / 2 - lift(size)
        sheet.text(setter.draw(line, size), bar + pad - setter.margin(size), round(top), colours.text)
    # It stands on what is below it in tall and square pictures, and hangs from the top in wide ones.
    low = not layout.wide and not (layout.slim and layout.beside)
    return sheet.finish(box.x, box.bottom - sheet.height if low else box.y)


def _set(
    text: str, kicker: str, layout: Layout, setter: Typesetter, least: float
) -> tuple[tuple[str, ...], float, float]:
    """The lines of a headline, their size, and the size of its kicker: 0 where that has to give way."""
    box, full = layout.headline_box, float(layout.size("headline"))
    choices = [(share, True) for share in (1.0, 0.92, 0.84, 0.76, 0.7)] if kicker else []
    choices += [(share, False) for share in (1.0, 0.92, 0.84, 0.76, 0.68, 0.6)]
    for share, tagged in choices:
        size = max(least, full * share)
        tag = min(float(layout.size("kicker")), size * 0.8) if tagged else 0.0
        room = box.width - round(size * layout.template.shapes.bar) - 2 * round(size * 0.45) - 1
        high = box.height - tag * 1.6 - size * 0.66
        most = min(4, int(high / (size * _LINE)))
        if most >= 1 and (found := setter.balanced(text, size, room, most)):
            return found, size, tag
    return (setter.fit(text, least, room, least)[0],), least, 0.0


def slate(text: str, layout: Layout, setter: Typesetter) -> Panel:
    """A full frame with a few words in the middle."""
    video, colours = layout.video, layout.template.colours
    whole = Box(0, 0, video.width, video.height)
    painter = Painter(whole)
    sheet = painter.ground
    shade(sheet, whole, colours.ground, colours.ground_end)
    words = setter.clean(text)
    room = layout.safe_width * 0.86
    lines: tuple[str, ...] | None = None
    size = float(layout.size("slate"))
    for share in (1.0, 0.85, 0.7, 0.55, 0.45):
        size = layout.size("slate") * share
        lines = setter.balanced(words, size, room, 4 if share == 1 else 6)
        if lines:
            break
    lines = lines or (setter.fit(words, size, room, size)[0],)
    step = size * 1.36
    top = video.height * 0.5 - step * len(lines) / 2
    for number, line in enumerate(lines):
        x = (video.width - setter.width(line, size)) / 2 - setter.margin(size)
        y = top + number * step + (step - size) / 2 - lift(size)
        sheet.text(setter.draw(line, size), round(x), round(y), colours.text)
    wide, thick = round(layout.unit * 0.16), max(2, round(layout.unit * 0.008))
    sheet.plate(((video.width - wide) // 2, round(top - size * 0.7), wide, thick), colours.accent)
    return painter.finish()


class Slate:
    """The slate covers everything at once and goes at once: it is what an operator's stop shows."""

    def __init__(self, setter: Typesetter) -> None:
        self._setter = setter
        self._text = ""
        self._panel: Panel | None = None

    def show(self, moment: Moment, picture: Picture) -> None:
        text = moment.look.graphics.slate
        if text != self._text:
            self._text, self._panel = text, slate(text, moment.layout, self._setter) if text else None
        if self._panel is not None:
            self._panel.draw(picture, 1.0)
