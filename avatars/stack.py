"""All graphics over the anchor as one stack of layers, the AI label on top."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from math import inf

from anchor.events import Caption, LowerThird
from anchor.graphics import Chart, Graphics, Grid, Media
from anchor.media import Look, Picture
from avatars import cards, graphics
from avatars.charts import panel
from avatars.charts.paint import Panel
from avatars.ident import Ident
from avatars.inset_layer import Content, Insets
from avatars.insets import Inset, Library
from avatars.layers import Captions, Layer, Moment, Wipe, lower_third_of
from avatars.layout import Layout
from avatars.overlay import Overlay
from avatars.rolling import Credits, Ticker
from avatars.typeset import Typesetter

MOST_PANELS = 6
"""Charts that are kept drawn: those of the segments that are prepared."""


class Panels:
    """Charts and tables, drawn when their segment is prepared, so that none is drawn as it goes on air."""

    def __init__(self, setter: Typesetter, language: str) -> None:
        self._setter, self._language = setter, language
        self._kept: OrderedDict[tuple[Chart | Grid, Layout], Panel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, content: Chart | Grid, layout: Layout) -> Panel:
        key = (content, layout)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        drawn = panel.draw(content, layout, self._setter, self._language)
        with self._lock:
            self._kept[key] = drawn
            while len(self._kept) > MOST_PANELS:
                self._kept.popitem(last=False)
        return drawn


class Stack:
    """Draws the graphics of the looks in a row. Equal looks in a row give equal pictures."""

    def __init__(
        self, ident: Ident, setter: Typesetter, label: Overlay, panels: Panels, library: Library, *, second: bool
    ) -> None:
        self._layout, self._setter, self._label, self._panels = ident.layout, setter, label, panels
        self._library, self._second = library, second
        video, template = self._layout.video, self._layout.template
        self._insets = Insets(self._open, video, template)
        self._ticker, self._credits = Ticker(setter, video, template), Credits(setter, video, template)
        self._layers: list[Layer] = [
            self._insets,
            *self._straps(),
            self._credits,
            self._ticker,
            ident,
            Captions(self._caption, video, template.animation),
            cards.Slate(setter),
        ]

    def show(self, look: Look, picture: Picture, *, beats: float = 1.0) -> None:
        """Move on by some beats and draw over a picture of the anchor; after infinitely many, nothing moves."""
        if look.caption is not None and look.caption.second:
            # Room that was needed once is kept, so that names do not jump from sentence to sentence.
            self._second = True
        moment = Moment(look, self._arranged(look.graphics), beats)
        for layer in self._layers:
            layer.show(moment, picture)
        self._label.blend(picture)

    def settle(self, look: Look, picture: Picture) -> None:
        self.show(look, picture, beats=inf)

    def seconds(self, shown: Graphics) -> float:
        """How long what moves by itself takes: credits, from the first line to the last."""
        return self._credits.seconds(shown.credits, self._layout) if shown.credits else 0.0

    def prepare(self, shown: Graphics) -> None:
        """Draw or load what takes long before it goes on air. May be called in a thread of its own.

        Raises `MissingError`, and `AvatarError` for a picture or clip that cannot be shown.
        """
        if isinstance(shown.inset, Chart | Grid):
            layout = self._layout.showing(ticker=bool(shown.ticker), second=self._second, beside=False, figures=True)
            self._panels.get(replace(shown.inset, place=layout.seat(shown.inset.place)), layout)
        elif isinstance(shown.inset, Media):
            self._library.prepare(shown.inset)

    def _straps(self) -> list[Layer]:
        """Names and headlines; in square pictures they have one place, and names come first."""
        layout = self._layout
        if layout.wide or layout.slim:
            return [
                Wipe(cards.headline_of, self._headline, layout.video, layout.template.animation),
                Wipe(lower_third_of, self._lower_third, layout.video, layout.template.animation),
            ]

        def first(moment: Moment) -> LowerThird | cards.Headline | None:
            return lower_third_of(moment) or cards.headline_of(moment)

        def either(words: LowerThird | cards.Headline, at: Layout) -> Overlay | None:
            return self._lower_third(words, at) if isinstance(words, LowerThird) else self._headline(words, at)

        both: Wipe[LowerThird | cards.Headline] = Wipe(first, either, layout.video, layout.template.animation)
        return [both]

    def _arranged(self, shown: Graphics) -> Layout:
        """The layout for graphics and for what is still to be seen of those before."""
        inset, layers = shown.inset, self._insets
        return self._layout.showing(
            ticker=bool(shown.ticker) or self._ticker.seen,
            second=self._second,
            beside=layers.beside or (inset is not None and self._layout.seat(inset.place) == "shoulder"),
            figures=layers.figures or isinstance(inset, Chart | Grid),
        )

    def _open(self, content: Content, layout: Layout) -> Inset:
        if isinstance(content, Media):
            return self._library.open(content, layout)
        return self._panels.get(content, layout)

    def _caption(self, page: Caption, at: Layout) -> Overlay | None:
        return graphics.caption(page, at, self._setter)

    def _lower_third(self, words: LowerThird, at: Layout) -> Overlay | None:
        return graphics.lower_third(words, at, self._setter)

    def _headline(self, words: cards.Headline, at: Layout) -> Overlay | None:
        return cards.headline(words, at, self._setter)
