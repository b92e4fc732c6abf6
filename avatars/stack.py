"""All graphics over the anchor as one stack of layers, the AI label on top."""

from __future__ import annotations

from math import inf

from anchor.events import Caption, LowerThird
from anchor.graphics import Media
from anchor.media import Look, Picture
from avatars import graphics
from avatars.charts import panel
from avatars.inset_layer import Content, Insets
from avatars.insets import Inset, Library
from avatars.layers import Captions, Layer, Moment, Wipe, lower_third_of
from avatars.layout import Layout
from avatars.overlay import Overlay
from avatars.typeset import Typesetter


class Stack:
    """Draws the graphics of the looks in a row. Equal looks in a row give equal pictures."""

    def __init__(self, layout: Layout, setter: Typesetter, label: Overlay, language: str, library: Library) -> None:
        self._layout, self._setter, self._label = layout, setter, label
        self._language, self._library = language, library
        self._second = False
        video, template = layout.video, layout.template

        def caption(page: Caption, at: Layout) -> Overlay | None:
            return graphics.caption(page, at, setter)

        def lower_third(words: LowerThird, at: Layout) -> Overlay | None:
            return graphics.lower_third(words, at, setter)

        self._layers: list[Layer] = [
            Insets(self._open, video, template),
            Wipe(lower_third_of, lower_third, video, template.animation),
            Captions(caption, video, template.animation),
        ]

    def show(self, look: Look, picture: Picture, *, beats: float = 1.0) -> None:
        """Move on by some beats and draw over a picture of the anchor; after infinitely many, nothing moves."""
        if look.caption is not None and look.caption.second:
            # Room that was needed once is kept, so that names do not jump from sentence to sentence.
            self._second = True
        moment = Moment(look, self._arranged(look), beats)
        for layer in self._layers:
            layer.show(moment, picture)
        self._label.blend(picture)

    def settle(self, look: Look, picture: Picture) -> None:
        self.show(look, picture, beats=inf)

    def _arranged(self, look: Look) -> Layout:
        inset = look.graphics.inset
        return self._layout.showing(
            ticker=bool(look.graphics.ticker), second=self._second,
            beside=inset is not None and inset.place == "shoulder",
        )  # fmt: skip

    def _open(self, content: Content, layout: Layout) -> Inset:
        if isinstance(content, Media):
            return self._library.open(content, layout)
        return panel.draw(content, layout, self._setter, self._language)
