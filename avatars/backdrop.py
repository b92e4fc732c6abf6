"""The room behind the anchor: a news studio out of focus, painted by us at any size, or the user's own picture.

Everything is painted in linear light, in float, at half the size of the picture (it is out of focus anyway), then
graded, enlarged and dithered, so that wide soft gradients show no bands in 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes, VideoFormat

Light = NDArray[np.float32]
"""Linear light, BGR, float32, shape (height, width, 3)."""

MOST_PIXELS = 64_000_000
"""Pictures with more pixels are refused before they are decoded (TRUST.md S5)."""

FORMATS = ("PNG", "JPEG", "WEBP")

# Linear BGR. A cold room with warm practical lights, so that skin stands out from what is behind it.
_NIGHT = np.array((0.052, 0.020, 0.0075), np.float32)
_BLUE = np.array((0.42, 0.15, 0.035), np.float32)
_CYAN = np.array((0.62, 0.36, 0.085), np.float32)
_WHITE = np.array((0.85, 0.72, 0.60), np.float32)
_AMBER = np.array((0.10, 0.36, 0.80), np.float32)


def studio(video: VideoFormat) -> Bytes:
    """Paint the studio: BGR, uint8, shape (height, width, 3). The same size always gives the same picture."""
    painter = _Painter(video.width // 2, video.height // 2)
    painter.room()
    painter.wall()
    painter.lamps()
    painter.floor()
    return _develop(painter.light, video)


def load(path: Path, video: VideoFormat) -> Bytes:
    """Read a picture and crop it to fill the frame: BGR, uint8, shape (height, width, 3).

    Raises `MissingError` where there is no file, and `AvatarError` for a file that is no picture or is too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not path.is_file():
        raise MissingError(f"background picture {path}: there is no such file")
    try:
        with Image.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise AvatarError(
                    f"background picture {path}: {picture.width}x{picture.height} is too large; "
                    f"make it {2 * video.width}x{2 * video.height} or smaller"
                )
            picture.draft("RGB", (video.width, video.height))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            filled = ImageOps.fit(upright, (video.width, video.height), Image.Resampling.LANCZOS)
    except UnidentifiedImageError as error:
        raise AvatarError(f"background picture {path}: not a picture; use PNG, JPEG or WebP") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise AvatarError(f"background picture {path} cannot be read ({error}); save it again as PNG") from error
    return np.ascontiguousarray(np.asarray(filled, np.uint8)[:, :, ::-1])


class _Painter:
    """A canvas of light. Coordinates are fractions of the shorter side from the middle of the top edge."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.unit = min(width, height)
        self.right = width / 2 / self.unit
        self.bottom = height / self.unit
        self.tall = height > width
        self.light: Light = np.empty((height, width, 3), np.float32)
        self.x: Light = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / self.unit)[None, :]
        self.y: Light = ((np.arange(height, dtype=np.float32) + 0.5) / self.unit)[:, None]
        self.chance = np.random.default_rng(20)
        self.horizon = self.bottom * (0.70 if self.tall else 0.80)

    def room(self) -> None:
        """Air and far wall: night blue, with a soft pool of light behind the anchor's head and shoulders."""
        middle = self.bottom * (0.32 if self.tall else 0.42)
        pool = np.exp(-((self.x / 0.62) ** 2) - ((self.y - middle) / 0.52) ** 2)
        wide = np.exp(-((self.x / 1.3) ** 2) - ((self.y - middle) / 0.8) ** 2)
        self.light[:] = _NIGHT * (0.55 + 0.9 * wide[..., None])
        self.light += pool[..., None] * _BLUE * 0.34

    def wall(self) -> None:
        """The screen wall: tall glass panels with abstract data light, brighter towards the edges of the picture."""
        panel = 0.30
        count = int(self.right / panel) + 2
        for number in range(-count, count + 1):
            centre = number * panel + (0.0 if self.tall else 0.02)
            self._panel(centre, panel * 0.455, strength=0.25 + 0.75 * min(1.0, abs(centre) / 0.7))
        self._streaks()
        self._bars()

    def _panel(self, centre: float, half: float, strength: float) -> None:
        top, foot = self.bottom * 0.06, self.horizon - 0.05
        tilt = self.chance.uniform(0.75, 1.1)
        inside = self._box(centre, half, top, foot, soft=0.012)
        rise = np.clip((self.y - top) / (foot - top), 0, 1)
        sheen = np.exp(-(((self.x - centre) / half - 0.9 + 1.6 * rise) / 0.8) ** 2)
        glow = strength * tilt * inside * (0.10 + 0.30 * sheen + 0.22 * (1 - rise) ** 2)
        self.light += glow[..., None] * _BLUE
        for side in (-1, 1):
            edge = np.exp(-(((self.x - centre - side * half) / 0.006) ** 2)) * self._column(top, foot, 0.03)
            self.light += (0.20 * strength * edge)[..., None] * _CYAN

    def _streaks(self) -> None:
        """Out-of-focus graphics on the screens: curves like orbits, and rows of points."""
        sheet = np.zeros((self.height, self.width), np.float32)
        for number in range(9):
            radius = 0.55 + 0.17 * number
            centre = (self.width / 2 + (-1) ** number * 0.25 * self.unit, self.height * (0.62 if self.tall else 0.75))
            axes = (radius * self.unit * 1.25, radius * self.unit * 0.62)
            box = (centre, (2 * axes[0], 2 * axes[1]), -14.0 + 5 * number)
            cv2.ellipse(sheet, box, (0.55 - 0.04 * number,), max(1, round(self.unit * 0.004)), cv2.LINE_AA)
        for _ in range(170):
            x = self.chance.uniform(-self.right, self.right)
            y = self.chance.uniform(0.08, 0.62) * self.horizon
            place = (round(self.width / 2 + x * self.unit), round(y * self.unit))
            size = max(1, round(self.unit * self.chance.uniform(0.002, 0.005)))
            cv2.circle(sheet, place, size, (float(self.chance.uniform(0.3, 1.0)),), -1, cv2.LINE_AA)
        away = np.clip(np.abs(self.x) / 0.55, 0.15, 1) * self._column(0.0, self.horizon - 0.06, 0.1)
        blurred = self._blur(sheet, 0.006) + 0.8 * self._blur(sheet, 0.03)
        self.light += (0.34 * blurred * away)[..., None] * _CYAN

    def _bars(self) -> None:
        """Vertical light bars that frame the set: two warm, two cold."""
        spots = ((0.44, _AMBER, 0.9), (0.36, _CYAN, 0.45)) if self.tall else ((0.74, _AMBER, 1.0), (0.58, _CYAN, 0.5))
        top, foot = self.bottom * 0.05, self.horizon - 0.03
        for distance, colour, strength in spots:
            for side in (-1, 1):
                away = self.x - side * distance
                core = np.exp(-((away / 0.0085) ** 2)) + 0.16 * np.exp(-np.abs(away) / 0.045)
                self.light += (strength * core * self._column(top, foot, 0.02))[..., None] * colour

    def lamps(self) -> None:
        """Bokeh: discs of far studio lamps and city lights beyond the glass, each with a brighter rim."""
        discs = np.zeros_like(self.light)
        for number in range(34 if self.tall else 46):
            x = self.chance.uniform(-self.right, self.right)
            if abs(x) < 0.24:
                continue
            y = self.chance.beta(1.2, 2.6) * self.horizon * 0.92
            radius = self.chance.uniform(0.008, 0.030) * (1.2 if number % 5 == 0 else 0.9)
            colour = (_AMBER, _CYAN, _WHITE, _BLUE, _AMBER, _BLUE)[number % 6]
            strength = float(self.chance.uniform(0.05, 0.22))
            self._disc(discs, x, y, radius, colour * strength)
        self.light += self._blur(discs, 0.0022)
        for x in np.linspace(-self.right, self.right, 5 if self.tall else 9):
            spot = np.exp(-(((self.x - float(x)) / 0.05) ** 2) - ((self.y - 0.012) / 0.018) ** 2)
            cone = np.exp(-(((self.x - float(x)) / (0.02 + 0.16 * self.y)) ** 2)) * np.exp(-self.y / 0.16)
            self.light += (0.55 * spot + 0.055 * cone)[..., None] * _WHITE

    def _disc(self, sheet: Light, x: float, y: float, radius: float, colour: Light) -> None:
        centre = (round((self.width / 2 + x * self.unit) * 16), round(y * self.unit * 16))
        body, rim = colour * 0.75, colour * 1.25
        layer = sheet.copy()
        cv2.circle(layer, centre, round(radius * self.unit * 16), rim.tolist(), -1, cv2.LINE_AA, 4)
        cv2.circle(layer, centre, round(radius * self.unit * 0.86 * 16), body.tolist(), -1, cv2.LINE_AA, 4)
        np.maximum(sheet, layer, out=sheet)

    def floor(self) -> None:
        """Below the wall a glossy floor mirrors it, fading to black: captions lie on a calm dark ground."""
        edge = round(self.horizon * self.unit)
        depth = self.height - edge
        if depth < 2:
            return
        mirrored = self.light[edge - depth : edge][::-1] if edge >= depth else self.light[:edge][::-1]
        mirrored = cv2.resize(mirrored, (self.width, depth)).astype(np.float32)
        down = np.linspace(0, 1, depth, dtype=np.float32)[:, None, None]
        smeared = cv2.GaussianBlur(mirrored, (0, 0), self.unit * 0.004, sigmaY=self.unit * 0.045)
        self.light[edge:] = smeared * (0.42 * (1 - down) ** 1.5) + _NIGHT * (0.65 - 0.35 * down)
        seam = np.exp(-(((self.y - self.horizon) / 0.006) ** 2)) * np.clip(np.abs(self.x) / 0.5, 0.35, 1)
        self.light += (0.16 * seam)[..., None] * _CYAN

    def _blur(self, sheet: Light, sigma: float) -> Light:
        return np.asarray(cv2.GaussianBlur(sheet, (0, 0), max(0.6, sigma * self.unit)), np.float32)

    def _box(self, centre: float, half: float, top: float, foot: float, soft: float) -> Light:
        across = _step((half - np.abs(self.x - centre)) / soft)
        return np.asarray(across * self._column(top, foot, soft), np.float32)

    def _column(self, top: float, foot: float, soft: float) -> Light:
        return np.asarray(_step((self.y - top) / soft) * _step((foot - self.y) / soft), np.float32)


_step: Callable[[Light], Light] = lambda t: np.clip(t + 0.5, 0, 1)  # noqa: E731


def _develop(light: Light, video: VideoFormat) -> Bytes:
    """Bloom, vignette, film curve, sRGB; then full size and dither (triangular noise of one step, Lipshitz 1992)."""
    height, width = light.shape[:2]
    unit = min(height, width)
    small = cv2.resize(light, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    bloom = cv2.resize(cv2.GaussianBlur(small, (0, 0), unit * 0.012), (width, height), interpolation=cv2.INTER_LINEAR)
    light = light * 0.86 + bloom * 0.30
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    light *= 1 - 0.34 * np.clip(0.62 * x**2 + 0.55 * y**2, 0, 1)
    toned = light / (1 + 0.55 * light)
    graded = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * np.maximum(toned, 1e-6) ** (1 / 2.4) - 0.055) * 255
    full = cv2.resize(graded.astype(np.float32), (video.width, video.height), interpolation=cv2.INTER_CUBIC)
    chance = np.random.default_rng(7)
    noise = chance.random((2, video.height, video.width, 1), np.float32)
    return np.clip(full + 1.2 * (noise[0] - noise[1]) + 0.5, 0, 255).astype(np.uint8)
