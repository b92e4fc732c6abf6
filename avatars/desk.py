"""The presenter's desk: curved glass with two lines of light, before the anchor at the foot of the picture."""

from __future__ import annotations

import numpy as np

from anchor.media import VideoFormat
from avatars.overlay import Field, Overlay, Sheet

# sRGB shares, red, green, blue.
_GLASS = ((0.045, 0.085, 0.160), (0.100, 0.185, 0.330))
_PANEL = ((0.045, 0.092, 0.185), (0.017, 0.037, 0.080))
_COLD = (0.68, 0.88, 0.98)
_BLUE = (0.13, 0.33, 0.50)
_WARM = (0.95, 0.66, 0.24)
_LAMP = (1.0, 0.66, 0.35)


def desk(video: VideoFormat) -> Overlay:
    """Paint the desk as an overlay; above its edge it only darkens what is close behind."""
    return _Desk(video).paint()


class _Desk:
    """Coordinates are fractions of the shorter side: `x` from the middle, `y` from the top of the picture."""

    def __init__(self, video: VideoFormat) -> None:
        self.video = video
        self.unit = video.shorter_side
        self.tall = video.height > video.width
        self.top = round(video.height * 0.42) * 2
        self.foot = video.height / self.unit
        self.x: Field = ((np.arange(video.width, dtype=np.float32) + 0.5 - video.width / 2) / self.unit)[None, :]
        self.y: Field = ((np.arange(self.top, video.height, dtype=np.float32) + 0.5) / self.unit)[:, None]
        # It bends around the anchor, so its edges rise towards the sides of the picture.
        bend = 0.030 * (self.x * self.unit / video.width / 0.5) ** 2
        self.back: Field = (0.872 if self.tall else 0.880) * self.foot - 0.8 * bend
        self.front: Field = self.back + 0.040 - 0.25 * bend

    def paint(self) -> Overlay:
        colours = np.where(self.y > self.front, self._panel(), self._top())
        edges = self._line(self.y - self.front, 0.0020) + 0.25 * self._line(self.y - self.back - 0.0015, 0.0016)
        colours += _tint(_COLD, 0.55 * edges)
        noise = np.random.default_rng(3).random((2, *colours.shape[1:]), np.float32)
        colours += (noise[0] - noise[1]) * np.float32(1.2 / 255)
        solid = np.clip((self.y - self.back) * self.unit + 0.5, 0, 1)
        shade = 0.45 * np.exp(-np.clip(self.back - self.y, 0, None) / 0.012)
        sheet = Sheet(self.video.width, self.video.height - self.top)
        sheet.paint[:3] = np.clip(colours, 0, 1) * solid
        sheet.paint[3] = solid + (1 - solid) * shade
        return sheet.finish(0, self.top)

    def _top(self) -> Field:
        """The glass top: lighter towards its front edge, with the studio's warm lights mirrored in it."""
        depth = np.clip((self.y - self.back) / (self.front - self.back), 0, 1)
        lamps = np.exp(-(((np.abs(self.x) - (0.455 if self.tall else 0.735)) / 0.035) ** 2))
        sheen = 0.10 * np.exp(-((self.x / 0.30) ** 2)) * (0.4 + 0.6 * depth)
        mirrored = _tint(_LAMP, 0.34 * lamps * (0.4 + 0.6 * depth))
        return np.asarray(_between(_GLASS, depth**2) + mirrored + sheen)

    def _panel(self) -> Field:
        """The front: panels with dark seams, lit from the edge above, and a warm line of light."""
        below = np.clip(self.y - self.front, 0, None)
        seam = self._line((np.mod(self.x / 0.16 + 0.5, 1) - 0.5) * 0.16, 0.0016)
        body = _between(_PANEL, np.clip(below / (self.foot - self.front), 0, 1))
        body *= (1 - 0.45 * seam) * (0.75 + 0.5 * np.exp(-((self.x / 0.45) ** 2)))
        strip = self._line(below - 0.040, 0.0020) + 0.16 * np.exp(-np.abs(below - 0.040) / 0.012)
        return body + _tint(_BLUE, 0.34 * np.exp(-below / 0.03)) + _tint(_WARM, 0.62 * strip)

    @staticmethod
    def _line(distance: Field, width: float) -> Field:
        return np.asarray(np.exp(-((distance / width) ** 2)))


Colour = tuple[float, float, float]


def _tint(colour: Colour, strength: Field) -> Field:
    return np.asarray(np.array(colour, np.float32)[:, None, None] * strength)


def _between(ends: tuple[Colour, Colour], share: Field) -> Field:
    first, last = (np.array(colour, np.float32)[:, None, None] for colour in ends)
    return np.asarray(first + (last - first) * share)
