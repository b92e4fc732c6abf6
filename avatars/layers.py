"""What lies over the anchor, layer upon layer: each follows the looks beat by beat and draws itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from anchor.events import Caption, LowerThird
from anchor.graphics import Chart, Grid
from anchor.media import Look, Picture, VideoFormat
from avatars.layout import Layout
from avatars.overlay import Overlay
from avatars.template import Animation

CAPTION_HOLD_SECONDS = 0.16
"""How long a caption waits for the next before it fades: a gap of a few beats would be seen as a blink."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A beat as the layers see it. `beats` have passed since the last; an infinity, so that all movement is over."""

    look: Look
    layout: Layout
    beats: float = 1.0


class Layer(Protocol):
    def show(self, moment: Moment, picture: Picture) -> None:
        """Move on, and draw over a picture."""
        ...


def eased(phase: float) -> float:
    """Fast at first, settling gently (the mirror of a cubic)."""
    return float(1 - (1 - phase) ** 3)


Content = TypeVar("Content")


class Drawn(Generic[Content]):
    """A graphic that is drawn anew only when its content or its place changes."""

    def __init__(self, render: Callable[[Content, Layout], Overlay | None]) -> None:
        self._render = render
        self.content: Content | None = None
        self.overlay: Overlay | None = None
        self._layout: Layout | None = None

    def take(self, content: Content | None, layout: Layout) -> None:
        if content != self.content or (content is not None and layout != self._layout):
            self.overlay = self._render(content, layout) if content is not None else None
            self.content, self._layout = content, layout

    def stay(self, layout: Layout) -> None:
        """Keep the content, where the layout now wants it."""
        self.take(self.content, layout)


class Captions:
    """Captions fade in from nothing and out to nothing; pages follow each other at once, across short gaps too."""

    def __init__(
        self, render: Callable[[Caption, Layout], Overlay | None], video: VideoFormat, animation: Animation
    ) -> None:
        self._drawn: Drawn[Caption] = Drawn(render)
        self._step = 1 / max(1, round(animation.caption * video.fps))
        self._patience = round(CAPTION_HOLD_SECONDS * video.fps)
        self._strength = 0.0
        self._absent = 0.0

    def show(self, moment: Moment, picture: Picture) -> None:
        drawn, page = self._drawn, moment.look.caption
        if page is not None:
            self._absent = 0
            now = drawn.content
            same = now is not None and (page.lines, page.second) == (now.lines, now.second)
            drawn.take(now if same else page, moment.layout)
            self._strength = min(1.0, self._strength + moment.beats * self._step)
        elif drawn.content is not None:
            self._absent += moment.beats
            if self._absent > self._patience:
                self._strength -= moment.beats * self._step
            if self._strength < self._step / 2:
                self._strength = 0.0
                drawn.take(None, moment.layout)
            else:
                drawn.stay(moment.layout)
        if drawn.overlay is not None:
            drawn.overlay.blend(picture, strength=self._strength)


class Wipe(Generic[Content]):
    """A graphic that opens from its left to the right and closes the same way; a new one waits until the old is gone.

    `wanted` says what is to be seen at a moment.
    """

    def __init__(
        self,
        wanted: Callable[[Moment], Content | None],
        render: Callable[[Content, Layout], Overlay | None],
        video: VideoFormat,
        animation: Animation,
    ) -> None:
        self._wanted = wanted
        self._drawn: Drawn[Content] = Drawn(render)
        self._open = 1 / max(1, animation.title_in * video.fps)
        self._shut = 1 / max(1, animation.title_out * video.fps)
        self._phase = 0.0

    def show(self, moment: Moment, picture: Picture) -> None:
        words = self._wanted(moment)
        if self._phase == 0.0:
            self._drawn.take(words, moment.layout)
        else:
            self._drawn.stay(moment.layout)
        opens = words is not None and words == self._drawn.content
        step = self._open if opens else -self._shut
        self._phase = min(1.0, max(0.0, self._phase + moment.beats * step))
        overlay = self._drawn.overlay
        if overlay is not None:
            overlay.blend(picture, width=round(overlay.width * eased(self._phase) / 2) * 2)


def lower_third_of(moment: Moment) -> LowerThird | None:
    """The lower third of a moment, unless it would cover what fills the picture, or there is no room for it."""
    layout = moment.layout
    return None if covered(moment) or (layout.beside and not layout.names_beside) else moment.look.lower_third


def covered(moment: Moment) -> bool:
    """Whether figures or credits take the whole picture: names and headlines step aside."""
    graphics = moment.look.graphics
    inset = graphics.inset
    figures = isinstance(inset, Chart | Grid) and moment.layout.seat(inset.place) != "shoulder"
    return figures or bool(graphics.credits)
