"""The room behind the anchor: a news studio out of focus, painted by us at any size, or the user's own picture.

Everything is painted in linear light, in float, at half the size of the picture (it is out of focus anyway), then
graded, enlarged and dithered, so that wide soft gradients show no bands in 8 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anchor.errors import AvatarError, MissingError
from anchor.media import Bytes, VideoFormat

Light = NDArray[np.floating[Any]]
"""Linear light, BGR, float32, shape (height, width, 3)."""

MOST_PIXELS = 64_000_000
"""Pictures with more pixels are refused before they are decoded (TRUST.md S5)."""

FORMATS = ("PNG", "JPEG", "WEBP")

# Linear BGR. A cold room with warm practical lights, so that skin stands out from what is behind it.
_NIGHT = np.array((0.050, 0.018, 0.0065), np.float32)
_DUSK = np.array((0.250, 0.095, 0.028), np.float32)
_HAZE = np.array((0.300, 0.200, 0.130), np.float32)
_BLUE = np.array((0.42, 0.15, 0.035), np.float32)
_CYAN = np.array((0.62, 0.36, 0.085), np.float32)
_WHITE = np.array((0.80, 0.74, 0.66), np.float32)
_AMBER = np.array((0.09, 0.34, 0.80), np.float32)


def studio(video: VideoFormat) -> Bytes:
    """Paint the studio: BGR, uint8, shape (height, width, 3). The same size always gives the same picture."""
    painter = _Painter(video.width // 2, video.height // 2)
    painter.sky()
    painter.city()
    painter.lamps()
    painter.windows()
    painter.pool()
    painter.ceiling()
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
                raise Image.DecompressionBombError(f"{picture.width}x{picture.height}")
            picture.draft("RGB", (video.width, video.height))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            filled = ImageOps.fit(upright, (video.width, video.height), Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise AvatarError(
            f"background picture {path} is too large ({error}); make it {2 * video.width}x{2 * video.height}"
        ) from error
    except UnidentifiedImageError as error:
        raise AvatarError(f"background picture {path}: not a picture; use PNG, JPEG or WebP") from error
    except (OSError, ValueError, SyntaxError) as error:
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
        self.horizon = self.bottom * (0.72 if self.tall else 0.86)

    def sky(self) -> None:
        """Night over the city: dark above, and the glow of streets at the foot."""
        fall = np.clip(self.y / self.horizon, 0, 1)[..., None]
        self.light[:] = _NIGHT * (1 - fall) + _DUSK * fall * 0.8 + _HAZE * (0.16 * fall**5)

    def city(self) -> None:
        """Three rows of towers with lit windows, the farther the hazier, out of focus as behind a portrait lens."""
        for row, (height, haze, lit) in enumerate(((0.58, 0.62, 0.5), (0.46, 0.34, 0.8), (0.32, 0.12, 1.0))):
            x = -self.right - self.chance.uniform(0, 0.1)
            while x < self.right:
                wide = float(self.chance.uniform(0.055, 0.15))
                tall = self.horizon * height * float(self.chance.uniform(0.45, 1.0))
                self._tower(x, wide, tall, haze, lit * (0.6 + 0.2 * row))
                x += wide + float(self.chance.choice((0.0, 0.004, 0.03)))
        radius = max(1.0, 0.0080 * self.unit)
        self.light = np.asarray(cv2.filter2D(self.light, -1, _lens(radius)), np.float32)

    def _tower(self, x: float, wide: float, tall: float, haze: float, lit: float) -> None:
        # A generator of its own: how many windows a size has room for must not change the rest of the city.
        chance = self.chance.spawn(1)[0]
        left, right = self._column_of(x), self._column_of(x + wide)
        top, foot = round((self.horizon - tall) * self.unit), round(self.horizon * self.unit)
        if right - left < 3 or foot - top < 3:
            return
        body = self.light[top:foot, left:right]
        body += (_NIGHT * 0.5 - body) * (1 - haze)
        step = max(3, round(chance.uniform(0.0145, 0.019) * self.unit))
        rows, columns = (foot - top) // step, max(1, (right - left) // step)
        on = chance.random((rows, columns)) < chance.uniform(0.16, 0.5)
        on[chance.random(rows) < 0.12] = True
        warmth = chance.random((rows, columns))
        power = lit * chance.gamma(1.6, 0.35, (rows, columns))
        hue = (_AMBER, _WHITE, _CYAN)[int(chance.choice(3, p=(0.5, 0.3, 0.2)))]
        for row, column in zip(*np.nonzero(on), strict=True):
            y, z = int(row) * step + 1, int(column) * step + 1
            pane = body[y : y + max(1, step * 5 // 9), z : z + max(1, step * 5 // 9)]
            pane += hue * float(power[row, column]) if warmth[row, column] < 0.8 else _AMBER * float(power[row, column])

    def lamps(self) -> None:
        """Bokeh: discs of near street and studio lamps, each with a brighter rim."""
        discs = np.zeros_like(self.light)
        for number in range(30 if self.tall else 44):
            x = float(self.chance.uniform(-self.right, self.right))
            y = float(self.chance.beta(3.4, 1.3)) * self.horizon * 0.98
            if abs(x) < 0.2:
                continue
            radius = float(self.chance.uniform(0.011, 0.027))
            colour = (_AMBER, _CYAN, _AMBER, _WHITE, _AMBER, _BLUE)[number % 6]
            self._disc(discs, x, y, radius, colour * float(self.chance.uniform(0.10, 0.34)))
        self.light += self._blur(discs, 0.0016)

    def _disc(self, sheet: Light, x: float, y: float, radius: float, colour: Light) -> None:
        reach = radius * self.unit + 2
        row, column = y * self.unit, self.width / 2 + x * self.unit
        top, left = max(0, int(row - reach)), max(0, int(column - reach))
        part = sheet[top : int(row + reach) + 2, left : int(column + reach) + 2]
        if not part.size:
            return
        down = np.arange(part.shape[0], dtype=np.float32)[:, None] + top - row
        away = np.hypot(down, np.arange(part.shape[1], dtype=np.float32)[None, :] + left - column)
        cover = _step(radius * self.unit - away) * (0.72 + 0.5 * np.clip(away / (radius * self.unit), 0, 1) ** 8)
        part += cover[..., None] * colour

    def windows(self) -> None:
        """The glass front: mullions, faint reflections in the panes, and vertical light bars that frame the set."""
        pane = 0.36 if self.tall else 0.42
        for number in range(-int(self.right / pane) - 2, int(self.right / pane) + 3):
            centre = (number + 0.5) * pane
            post = np.exp(-(((self.x - centre) / 0.0075) ** 4)) * self._column(0.0, self.horizon, 0.02)
            self.light *= 1 - 0.80 * post[..., None]
            sheen = np.exp(-((((self.x - centre) / pane - 0.85 + 0.75 * self.y / self.horizon) / 0.16) ** 2))
            self.light += (0.030 * sheen * self._column(0.0, self.horizon, 0.2))[..., None] * _CYAN
            for side in (-1, 1):
                edge = np.exp(-(((self.x - centre - side * 0.011) / 0.003) ** 2))
                self.light += (0.06 * edge * self._column(0.05, self.horizon - 0.02, 0.2))[..., None] * _CYAN
        self._bars()

    def _bars(self) -> None:
        warm, cold = (0.455, 0.395) if self.tall else (0.735, 0.665)
        for distance, colour, strength in ((warm, _AMBER, 1.2), (cold, _CYAN, 0.55)):
            for side in (-1, 1):
                away = self.x - side * distance
                core = np.exp(-((away / 0.0065) ** 2)) + 0.10 * np.exp(-np.abs(away) / 0.05)
                rise = self._column(self.bottom * 0.07, self.horizon - 0.035, 0.015)
                self.light += (strength * core * rise)[..., None] * colour

    def pool(self) -> None:
        """Soft light on the haze behind the anchor's head and shoulders: it lifts them off the background."""
        middle = self.bottom * (0.33 if self.tall else 0.44)
        glow = np.exp(-((self.x / 0.40) ** 2) - ((self.y - middle) / 0.42) ** 2)
        self.light *= 1 - 0.55 * glow[..., None]
        self.light += (0.30 * glow)[..., None] * _BLUE

    def ceiling(self) -> None:
        """A dark soffit with a thin line of light and a row of downlights."""
        edge = self.bottom * (0.035 if self.tall else 0.055)
        above = _step((edge - self.y) / 0.008 + 0.0 * self.x)
        self.light *= 1 - 0.9 * above[..., None]
        self.light += (0.8 * above)[..., None] * _NIGHT
        line = np.exp(-(((self.y - edge) / 0.0035) ** 2)) + 0.10 * np.exp(-np.abs(self.y - edge) / 0.03)
        self.light += (0.42 * line)[..., None] * _CYAN
        for x in np.linspace(-self.right, self.right, 5 if self.tall else 9)[1:-1]:
            spot = np.exp(-(((self.x - float(x)) / 0.022) ** 2) - ((self.y - edge * 0.45) / 0.007) ** 2)
            cone = np.exp(-(((self.x - float(x)) / (0.015 + 0.10 * self.y)) ** 2)) * np.exp(-self.y / 0.12)
            self.light += (0.75 * spot + 0.03 * cone)[..., None] * _WHITE

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

    def _column_of(self, x: float) -> int:
        return min(self.width, max(0, round(self.width / 2 + x * self.unit)))

    def _column(self, top: float, foot: float, soft: float) -> Light:
        return np.asarray(_step((self.y - top) / soft) * _step((foot - self.y) / soft), np.float32)


def _step(distance: Light) -> Light:
    """A soft edge: 0 below -0.5, 1 above 0.5."""
    return np.asarray(np.clip(distance + 0.5, 0, 1))


def _lens(radius: float) -> Light:
    """A disc that sums to one: how a wide open lens spreads a point of light."""
    reach = int(np.ceil(radius))
    grid = np.arange(-reach, reach + 1, dtype=np.float32)
    disc = _step(radius - np.hypot(grid[:, None], grid[None, :]))
    return np.asarray(disc / disc.sum(), np.float32)


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
    noise = np.random.default_rng(7).random((2, video.height, video.width, 1), np.float32)
    full += 1.2 * (noise[0] - noise[1]) + 0.5
    return np.clip(full, 0, 255, out=full).astype(np.uint8)
