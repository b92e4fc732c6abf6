"""What a segment or a cue of a rundown shows: headline, ticker, credits, and one picture, clip, chart or table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from anchor.broadcast.charts import read_chart, read_grid
from anchor.broadcast.files import check_clip, check_picture
from anchor.broadcast.nodes import Fields, Node, Scalar
from anchor.broadcast.reading import Reading
from anchor.events import LowerThird
from anchor.graphics import Chart, Graphics, Grid, Media, Place, Sound, Transition

INSETS = ("picture", "clip", "chart", "table")
GRAPHICS_KEYS = {"headline", "ticker", "credits", "transition", *INSETS}
MOST_TICKER_LINES = 50
MOST_CREDITS = 200


def cleared(node: Node) -> bool:
    """``none`` or null: what was there is taken away."""
    return isinstance(node, Scalar) and (node.empty or (node.plain and node.value == "none"))


def read_graphics(reading: Reading, fields: Mapping[str, Node], base: Graphics, *, silent: bool) -> Graphics:
    """`base`, with what `fields` change in it. `silent`: nothing is said over it."""
    graphics = base
    if "headline" in fields:
        headline, kicker = _headline(reading, fields["headline"])
        graphics = replace(graphics, headline=headline, kicker=kicker)
    if "ticker" in fields:
        node = fields["ticker"]
        lines = () if cleared(node) else reading.lines(node, "ticker", MOST_TICKER_LINES)
        graphics = replace(graphics, ticker=lines)
    if "credits" in fields:
        node = fields["credits"]
        graphics = replace(
            graphics, credits=() if cleared(node) else reading.lines(node, "credits", MOST_CREDITS, blank=True)
        )
    if "transition" in fields:
        chosen = reading.choice(fields["transition"], "transition", get_args(Transition))
        graphics = replace(graphics, transition=chosen or graphics.transition)
    named = [key for key in INSETS if key in fields]
    shown = [key for key in named if not cleared(fields[key])]
    if len(shown) > 1:
        reading.fault(fields[shown[1]], f"{shown[0]} and {shown[1]} cannot be shown at once; use cues", shown[1])
    if named:
        inset = _inset(reading, shown[0], fields[shown[0]], silent=silent) if shown else None
        graphics = replace(graphics, inset=inset)
    return graphics


def _inset(reading: Reading, key: str, node: Node, *, silent: bool) -> Chart | Grid | Media | None:
    if key == "chart":
        return read_chart(reading, node)
    if key == "table":
        return read_grid(reading, node)
    return _media(reading, node, key, silent=silent)


def _headline(reading: Reading, node: Node) -> tuple[str, str]:
    if cleared(node):
        return "", ""
    if not isinstance(node, Fields) or reading.by_language(node):
        return reading.text(node, "headline"), ""
    fields = reading.fields(node, "headline", {"text", "kicker"}, "headline")
    if "text" not in fields:
        reading.fault(node, "headline: text is needed", "headline")
        return "", ""
    kicker = reading.text(fields["kicker"], "headline: kicker") if "kicker" in fields else ""
    return reading.text(fields["text"], "headline"), kicker


def _media(reading: Reading, node: Node, key: str, *, silent: bool) -> Media | None:
    clip = key == "clip"
    fields = {"file": node}
    if isinstance(node, Fields) and not reading.by_language(node):
        fields = reading.fields(node, key, {"file", "place", "credit"} | ({"sound"} if clip else set()), key)
    if "file" not in fields:
        reading.fault(node, f"{key}: file is needed", key)
        return None
    path = reading.file(fields["file"], key, check_clip if clip else check_picture)
    place: Place = "full" if silent else "shoulder"
    sound: Sound = "full" if silent and clip else "off"
    if "place" in fields:
        place = reading.choice(fields["place"], f"{key}: place", get_args(Place)) or place
    if "sound" in fields:
        sound = reading.choice(fields["sound"], f"{key}: sound", get_args(Sound)) or sound
    credit = reading.text(fields["credit"], f"{key}: credit") if "credit" in fields else ""
    return Media(path, place, clip, credit, sound) if path is not None else None


def read_lower_third(reading: Reading, node: Node) -> LowerThird | None:
    if isinstance(node, Scalar) or reading.by_language(node):
        title = reading.text(node, "lower_third")
        return LowerThird(title) if title else None
    fields = reading.fields(node, "lower_third", {"title", "subtitle"}, "lower_third")
    if "title" not in fields:
        reading.fault(node, "lower_third: title is needed", "lower_third")
        return None
    title = reading.text(fields["title"], "lower_third: title")
    subtitle = reading.text(fields["subtitle"], "lower_third: subtitle") if "subtitle" in fields else ""
    return LowerThird(title, subtitle) if title else None
