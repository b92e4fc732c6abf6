"""What can be seen at the same time never overlaps, in any shape of picture, with any template."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from anchor.events import Caption, LowerThird
from anchor.media import VideoFormat
from avatars import graphics
from avatars.cards import Headline, headline
from avatars.ident import Ident
from avatars.layout import Layout, place
from avatars.overlay import Box
from avatars.template import bundled, load_template
from avatars.typeset import Typesetter

SIZES = [
    VideoFormat(1280, 720), VideoFormat(1920, 1080), VideoFormat(640, 360), VideoFormat(1080, 1920),
    VideoFormat(720, 1280), VideoFormat(720, 720), VideoFormat(1080, 1350), VideoFormat(960, 720),
]  # fmt: skip
SHOWN = list(product((False, True), repeat=3))
SETTER = Typesetter()
LOGO = np.full((60, 160, 4), 255, np.uint8)
LONG = "国家统计局今天发布的数据显示前三季度国内生产总值同比增长百分之四点八经济运行总体平稳"


def fixed(video: VideoFormat, template: str, *, clock: bool = False, logo: bool = False) -> Ident:
    layout = Layout.of(video, load_template(template))
    label = graphics.label(graphics.DEFAULT_LABEL, layout, SETTER)
    return Ident(replace(layout, label=label.box), SETTER, logo=LOGO if logo else None, clock=clock)


def face(video: VideoFormat) -> Box:
    """From the brow to below the lips, as wide as a face."""
    at = place(video)
    x, y, head = at.x * video.width, at.eyes * video.height, at.head * video.height
    return Box.inside(x - 0.3 * head, y - 0.2 * head, x + 0.3 * head, y + 0.42 * head)


def seen(ident: Ident, layout: Layout, inset: str) -> dict[str, Box]:
    """Boxes of all that may be seen at once."""
    assert layout.label is not None
    boxes = {"label": layout.label, "captions": layout.captions_box}
    boxes |= {f"ident {number}": box for number, box in enumerate(ident.boxes)}
    if layout.ticker:
        boxes["ticker"] = layout.ticker_box
    if inset == "corner":
        return boxes | {"corner": layout.corner_box, "chart": layout.inset_box("corner")}
    if inset == "full":
        return boxes | {"chart": layout.inset_box("full")}
    if layout.beside:
        boxes["shoulder"] = layout.shoulder_box
    if not layout.beside or layout.names_beside:
        boxes["lower third"] = layout.title_box
    # In square pictures a headline has the place of the lower third, when there is none.
    if (layout.wide or layout.slim) and layout.headline_box.height > layout.unit * 0.07:
        boxes["headline"] = layout.headline_box
    return boxes


@pytest.mark.parametrize("template", bundled())
@pytest.mark.parametrize("video", SIZES, ids=str)
def test_no_two_graphics_overlap_whatever_is_shown(video: VideoFormat, template: str) -> None:
    for clock, logo in product((False, True), repeat=2):
        ident = fixed(video, template, clock=clock, logo=logo)
        for ticker, second, beside in SHOWN:
            if beside and ident.layout.seat("shoulder") != "shoulder":
                continue
            layout = ident.layout.showing(ticker=ticker, second=second, beside=beside)
            for inset in ("", "full", "corner"):
                boxes = seen(ident, layout, inset)
                for (one, first), (other, second_box) in combinations(boxes.items(), 2):
                    assert not first.overlaps(second_box), (one, other, layout)
                for name, box in boxes.items():
                    assert box.x >= 0
                    assert box.right <= video.width
                    assert box.y >= round(video.height * 0.05) - 2
                    assert box.bottom <= round(video.height * 0.95) + 2, name


@pytest.mark.parametrize("video", SIZES, ids=str)
def test_nothing_but_a_full_inset_reaches_the_face(video: VideoFormat) -> None:
    ident = fixed(video, "house", clock=True, logo=True)
    for ticker, second, beside in SHOWN:
        if beside and ident.layout.seat("shoulder") != "shoulder":
            continue
        layout = ident.layout.showing(ticker=ticker, second=second, beside=beside)
        for name, box in seen(ident, layout, "").items():
            assert not box.overlaps(face(video)), (name, layout)


@pytest.mark.parametrize("video", SIZES, ids=str)
def test_insets_have_room_for_a_chart_everywhere(video: VideoFormat) -> None:
    ident = fixed(video, "house", clock=True, logo=True)
    for ticker, second in product((False, True), repeat=2):
        layout = ident.layout.showing(ticker=ticker, second=second, beside=True, figures=True)
        for at in ("full", "shoulder", "corner"):
            box = layout.inset_box(layout.seat(at))
            assert box.height >= 0.27 * video.shorter_side, (at, layout)
            assert box.width >= 0.45 * video.shorter_side, (at, layout)


@pytest.mark.parametrize("video", [SIZES[2], SIZES[4], SIZES[5]], ids=str)
@pytest.mark.parametrize("words", ["短", LONG, "A headline in English that goes on for longer than any card has room"])
def test_words_stay_within_their_boxes(video: VideoFormat, words: str) -> None:
    ident = fixed(video, "house", clock=True)
    for ticker, second, beside in SHOWN:
        layout = ident.layout.showing(ticker=ticker, second=second, beside=beside)
        page = Caption((words[:20], words[20:40] or words), 0, 1, (words, words) if second else ())
        drawn = [
            (graphics.caption(page, layout, SETTER), layout.captions_box),
            (graphics.lower_third(LowerThird(words, words), layout, SETTER), layout.title_box),
            (headline(Headline(words, words), layout, SETTER), layout.headline_box),
        ]
        for overlay, box in drawn:
            if overlay is not None:
                assert overlay.x >= box.x - 2
                assert overlay.y >= box.y - 2
                assert overlay.x + overlay.width <= box.right + 4
                assert overlay.y + overlay.height <= box.bottom + 4


def test_names_give_way_to_an_inset_where_a_tall_picture_has_room_for_one_only() -> None:
    tall = fixed(VideoFormat(1080, 1920), "house").layout
    assert tall.showing(ticker=False, second=False, beside=True).names_beside
    assert not tall.showing(ticker=True, second=True, beside=True).names_beside
    wide = fixed(VideoFormat(1280, 720), "house").layout
    assert wide.showing(ticker=True, second=True, beside=True).names_beside
