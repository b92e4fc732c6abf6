"""Draw the picture of the news example: ``python tools/draw_moon_phases.py configs/news/moon.webp``.

Eight phases of the moon as the northern half of the Earth sees them, from new to waning: balls lit from the side. The
seas and craters are random, and no photograph is used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

WIDTH, HEIGHT = 960, 540
RADIUS = 92
_FINER = 2


def ground(size: int, random: np.random.Generator) -> Floats:
    """Brightness of a moon's face, 0..1, shape (size, size): grey seas, and craters with bright rims."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    seas = np.zeros((size, size), np.float32)
    for _ in range(26):
        cx, cy = random.uniform(-0.55, 0.45), random.uniform(-0.7, 0.5)
        spread = random.uniform(0.08, 0.26)
        seas += random.uniform(0.1, 0.4) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / spread**2)
    face = np.clip(0.92 - 0.3 * np.clip(seas, 0, 1), 0, 1)
    for _ in range(130):
        angle, far = random.uniform(0, 2 * np.pi), np.sqrt(random.uniform(0, 0.9))
        radius = random.uniform(0.012, 0.05)
        away = np.hypot(x - far * np.cos(angle), y - far * np.sin(angle)) / radius
        face += 0.07 * np.exp(-((away - 1) ** 2) * 8) - 0.06 * np.exp(-((away * 1.4) ** 2))
    return np.asarray(np.clip(face, 0, 1), np.float32)


def moon(face: Floats, phase: float) -> tuple[Floats, Floats]:
    """Brightness and cover of a moon, `phase` 0..1 from new over full back to new."""
    size = face.shape[0]
    y, x = np.mgrid[-1.04 : 1.04 : size * 1j, -1.04 : 1.04 : size * 1j].astype(np.float32)
    depth = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    turn = 2 * np.pi * phase
    light = x * np.sin(turn) - depth * np.cos(turn)
    lit = np.clip(light * 4, 0, 1) ** 0.7
    cover = np.clip((1 - np.hypot(x, y)) * size / 3, 0, 1)
    return np.asarray(face * lit, np.float32), np.asarray(cover, np.float32)


def draw() -> Image.Image:
    random = np.random.default_rng(7)
    width, height, radius = WIDTH * _FINER, HEIGHT * _FINER, RADIUS * _FINER
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = (1 - fall) * np.array([12, 19, 44], np.float32) + fall * np.array([30, 44, 86], np.float32)
    picture = np.broadcast_to(sky, (height, width, 3)).copy()
    for _ in range(240):
        row, column = int(random.integers(0, height - 3)), int(random.integers(0, width - 3))
        picture[row : row + 2, column : column + 2] += random.uniform(20, 120)
    face = ground(2 * radius, random)
    for number in range(8):
        shown, cover = moon(face, number / 8)
        left = round(width * (2 * (number % 4) + 1) / 8) - radius
        top = round(height * (0.27 if number < 4 else 0.73)) - radius
        spot = picture[top : top + 2 * radius, left : left + 2 * radius]
        colour = shown[..., None] * np.array([246, 242, 228], np.float32) + (1 - shown[..., None]) * np.array(
            [24, 30, 50], np.float32
        )
        spot[:] = spot * (1 - cover[..., None]) + colour * cover[..., None]
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    draw().save(parser.parse_args().out, quality=90)


if __name__ == "__main__":
    main()
