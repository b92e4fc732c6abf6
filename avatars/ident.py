"""What stands in the corner across from the AI label: the channel's logo and the time."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path

import cv2
import numpy as np

from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes, Picture
from avatars.graphics import lift
from avatars.layers import Drawn, Moment
from avatars.layout import Layout
from avatars.overlay import Box, Overlay, Sheet
from avatars.typeset import Typesetter

MOST_PIXELS = 16_000_000
"""Logos with more pixels are refused before they are decoded (TRUST.md S5)."""

FORMATS = ("PNG", "WEBP", "JPEG")
_SAMPLE = "00:00:00"
"""Room is kept for a time as long as this."""


def read_logo(path: Path) -> Bytes:
    """A logo: RGBA, uint8, (rows, columns, 4), without its empty margin.

    Raises `MissingError` where there is no file, and `AvatarError` for one that is no picture, too large or empty.
    """
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise MissingError(f"logo {path}: there is no such file")
    try:
        with Image.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError(f"{picture.width}x{picture.height}")
            pixels = np.asarray(picture.convert("RGBA"), np.uint8)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise AvatarError(f"logo {path} is too large ({error}); make it 1000 pixels wide") from error
    except UnidentifiedImageError as error:
        raise AvatarError(f"logo {path}: not a picture; use PNG or WebP") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise AvatarError(f"logo {path} cannot be read ({error}); save it again as PNG") from error
    seen = pixels[:, :, 3] > 8
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        raise AvatarError(f"logo {path}: nothing of it can be seen; it is transparent all over")
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


class Ident:
    """Logo and clock at their places; `layout` has the row that they take."""

    def __init__(self, layout: Layout, setter: Typesetter, *, logo: Bytes | None, clock: bool) -> None:
        self._setter = setter
        self._logo = _placed(logo, layout) if logo is not None else None
        self._clock_box = self._room(layout) if clock else None
        self._clock: Drawn[str] = Drawn(self._draw)
        boxes = [self._logo.box] if self._logo is not None else []
        boxes += [self._clock_box] if self._clock_box is not None else []
        self.layout = replace(layout, row=max((box.bottom for box in boxes), default=0))
        self.boxes = tuple(boxes)

    def show(self, moment: Moment, picture: Picture) -> None:
        if self._logo is not None:
            self._logo.blend(picture)
        if self._clock_box is not None:
            self._clock.take(moment.look.clock or None, moment.layout.plain)
            if self._clock.overlay is not None:
                self._clock.overlay.blend(picture)

    def _room(self, layout: Layout) -> Box:
        """At the right of the logo, or below it where the AI label leaves no room there."""
        size = layout.size("clock")
        width, height = ceil(self._advance(_SAMPLE, size)) + 2 * _rim(size), ceil(size * 1.5 / 2) * 2
        right = layout.label.x - layout.gap if layout.label else layout.left + layout.safe_width
        logo = self._logo.box if self._logo is not None else None
        x = logo.right + layout.gap if logo else layout.left
        y = logo.y + max(0, (logo.height - height) // 2) if logo else layout.top
        if x + width > right:
            x = layout.left
            y = logo.bottom + layout.gap if logo else layout.label.bottom + layout.gap if layout.label else layout.top
            if layout.label and x + width > right:
                y = max(y, layout.label.bottom + layout.gap)
        return Box.inside(x, y, x + width + 2, y + height + 2)

    def _advance(self, text: str, size: float) -> float:
        return sum(self._cell(character, size) for character in text)

    def _cell(self, character: str, size: float) -> float:
        """Room of a character: all digits have the widest one's, so that nothing jitters."""
        if character.isdigit():
            return max(self._setter.width(digit, size) for digit in "0123456789")
        return self._setter.width(character, size)

    def _draw(self, text: str, layout: Layout) -> Overlay | None:
        box, setter, colours = self._clock_box, self._setter, layout.template.colours
        words = setter.clean(text)
        if box is None or not words:
            return None
        size = float(layout.size("clock"))
        size *= min(1.0, (box.width - 2 * _rim(size)) / max(1.0, self._advance(words, size)))
        width = ceil(self._advance(words, size)) + 2 * _rim(size)
        sheet = Sheet(min(box.width, width), box.height)
        sheet.plate((0, 0, sheet.width, sheet.height), colours.plate, radius=layout.size("clock") * 0.16, alpha=0.9)
        x = (sheet.width - self._advance(words, size)) / 2
        y = round((sheet.height - size) / 2) - lift(size)
        for character in words:
            cell = self._cell(character, size)
            inside = (cell - setter.width(character, size)) / 2
            sheet.text(setter.draw(character, size), round(x + inside) - setter.margin(size), y, colours.text)
            x += cell
        return sheet.finish(box.x, box.y)


def _rim(size: float) -> int:
    return round(size * 0.42)


def _placed(pixels: Bytes, layout: Layout) -> Overlay:
    """A logo scaled into its corner."""
    right = layout.label.x - layout.gap if layout.label else layout.left + layout.safe_width
    room = max(8.0, min(right - layout.left, layout.safe_width * 0.3))
    rows, columns = pixels.shape[:2]
    scale = min(layout.size("logo") / rows, room / columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    rgba = pixels.astype(np.float32) / 255
    rgba[:, :, :3] *= rgba[:, :, 3:]
    small = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    sheet = Sheet(*size)
    sheet.paint[:, : size[1], : size[0]] = np.clip(small.transpose(2, 0, 1), 0, 1)
    np.minimum(sheet.paint[:3], sheet.paint[3], out=sheet.paint[:3])
    return sheet.finish(layout.left, layout.top)
