"""Insets: what stands full, at the anchor's shoulder, or behind the anchor in the corner."""

from __future__ import annotations

from typing import Protocol

from anchor.errors import AvatarError
from anchor.graphics import Media
from anchor.media import Picture, VideoFormat
from avatars.layout import Layout
from avatars.typeset import Typesetter


class Inset(Protocol):
    """Something that is shown in a picture beside or instead of the anchor."""

    def draw(self, picture: Picture, phase: float) -> None:
        """Lay it whole over a picture, for one beat; called once a beat, in order.

        `phase` goes from 0 to 1 in its first second on air and stays there, for what moves in: the scene itself cuts,
        fades or wipes it in and out. Where it is the big picture behind a small anchor (``corner``), it fills the frame
        but keeps what matters within ``layout.inset_box("corner")``; the scene draws the anchor over it.
        """
        ...


def open_inset(media: Media, video: VideoFormat, layout: Layout, setter: Typesetter) -> Inset:
    """A picture or clip as an inset, within ``layout.inset_box(media.place)``. Raises `AvatarError`."""
    raise AvatarError(f"{media.path}: pictures and clips cannot be shown yet")
