"""The inside of a mouth that no portrait shows: cavity, teeth and tongue, drawn to size and matched to the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from avatars.puppet_parts import Layer

_FINE = 4
"""Samples a pixel, each way."""
_EYES_MM = 63.0
"""Distance between the middles of a grown person's eyes: gives the scale of teeth."""
_UPPER = (8.4, 6.6, 7.2, 6.2, 5.6, 5.0)
_LOWER = (5.3, 5.8, 6.6, 6.2, 5.8, 5.4)
"""Widths of teeth from the middle outwards, in millimetres (Wheeler's Dental Anatomy)."""
_ARCH_MM = 27.0
"""Radius of the arch of teeth as it is seen from the front."""


@dataclass(frozen=True, slots=True)
class Light:
    """Colours of a portrait's light: BGR of a white thing in it, and of the flesh inside the lips."""

    white: Floats
    flesh: Floats
    grey: bool = False
    """Whether the portrait is black and white."""


def _canvas(width: float, height: float) -> tuple[Floats, Floats, Floats]:
    """An empty picture at fine scale, premultiplied float BGRA, and the art coordinates of its samples."""
    rows, columns = round(height) * _FINE, round(width) * _FINE
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return np.zeros((rows, columns, 4), np.float32), (x + 0.5) / _FINE, (y + 0.5) / _FINE


def _done(canvas: Floats, left: float, top: float) -> Layer:
    small = cv2.resize(canvas, None, fx=1 / _FINE, fy=1 / _FINE, interpolation=cv2.INTER_AREA)
    return Layer(np.clip(small + 0.5, 0, 255).astype(np.uint8), round(left), round(top))


def _lay(canvas: Floats, colour: Floats, alpha: Floats) -> None:
    canvas *= 1 - alpha[..., None]
    canvas[..., :3] += colour * alpha[..., None]
    canvas[..., 3] += 255 * alpha


def _teeth(mm: float, widths: tuple[float, ...], height_mm: float, light: Light, *, lower: bool) -> Layer:
    """A row of teeth, its cutting edge on y = 0; upper ones reach up from there, lower ones down."""
    half, tall = 26.5 * mm, (height_mm + 5) * mm
    canvas, x, y = _canvas(2 * half, tall + 2 * mm)
    x, y = x - half, (y - mm) if lower else (tall + mm - y)
    # y now runs from the cutting edge to the gum. Round the arch, teeth are seen narrower and darker.
    edges = np.concatenate([[0.0], np.cumsum(widths)])
    seen = _ARCH_MM * np.sin(np.clip(edges / _ARCH_MM, 0, 1.45)) * mm
    turned = np.sqrt(np.clip(1 - (np.abs(x) / (_ARCH_MM * mm)) ** 2, 0.05, 1))
    shade = 0.22 + 0.78 * turned**1.6
    gum = light.flesh * np.float32(0.80)
    along = np.interp(np.abs(x), seen, np.arange(len(seen)))
    within = along % 1
    middle = np.abs(within - 0.5) * 2
    scallop = height_mm * mm * (1 - 0.10 * middle**2 - 0.02 * np.floor(along))
    flesh = np.clip((tall - y) / (2 * mm), 0, 1) * np.clip((y - 0.62 * scallop) / mm, 0, 1)
    _lay(canvas, gum * (shade * (0.9 + 0.1 * np.cos(y / mm)))[..., None], flesh.astype(np.float32))
    # One tooth: a rounded blade, bulging towards the viewer, clearer at its edge and warmer at the gum.
    width = np.interp(np.floor(along) + 0.5, np.arange(len(widths)) + 0.5, np.diff(seen))
    side = (1 - middle) * width / 2
    lift = (np.array([0.0, 0.45, 0.2, 0.5, 0.8, 1.0]) if not lower else np.array([0.0, 0.1, 0.2, 0.5, 0.8, 1.0])) * mm
    rise = lift[np.clip(along.astype(int), 0, len(lift) - 1)]
    corner = (0.5 if lower else 0.8) * mm
    inset = np.maximum(0, corner - side)
    bottom = rise + corner - np.sqrt(np.maximum(0, corner**2 - inset**2))
    cut = np.clip((y - bottom) * 1.6 + 0.5, 0, 1) * np.clip((scallop - y) * 1.2 + 0.5, 0, 1)
    cut *= (along < len(widths) - 0.02).astype(np.float32)
    part = np.clip(side / (0.35 * mm), 0, 1)
    up = np.clip(y / (height_mm * mm), 0, 1)
    bulge = 0.90 + 0.10 * np.sqrt(np.clip(1 - middle**2, 0, 1))
    tone = shade * bulge * (0.80 + 0.20 * part) * (0.93 + 0.07 * np.clip(up * 4, 0, 1)) * (1 - 0.10 * up)
    if lower:
        tone *= 0.82
    warm = np.array([0.90, 0.965, 1.0], np.float32)
    colour = light.white * (1 + (warm - 1) * (0.6 + 0.6 * up)[..., None]) * tone[..., None]
    # A broad sheen where the light from above meets the bulge.
    sheen = np.exp(-(((up - 0.42) / 0.16) ** 2) - ((middle / 0.42) ** 2)) * shade**2 * (0.05 if lower else 0.10)
    _lay(canvas, colour + sheen[..., None] * (255 - colour), cut.astype(np.float32))
    return _done(canvas, -half, -mm if lower else -(tall + mm))


def _tongue(mm: float, light: Light) -> Layer:
    """A tongue lying in the lower jaw, its back's upper edge at y = 0, in the dark; its tip is lighter and nearer."""
    half, tall = 21 * mm, 34 * mm
    canvas, x, y = _canvas(2 * half, tall)
    x = x - half
    near = np.clip(y / (22 * mm), 0, 1)
    u, v = x / ((15.5 + 3.5 * near) * mm), (y - 18 * mm) / (17 * mm)
    inside = 1 - (np.abs(u) ** 2.6 + np.abs(v) ** 2.6)
    alpha = np.clip(inside * 4, 0, 1) * np.clip(y / (5 * mm), 0, 1)
    groove = np.exp(-((x / (1.5 * mm)) ** 2)) * np.clip((y - 4 * mm) / (8 * mm), 0, 1)
    round_off = np.clip(inside, 0, 1) ** 0.4
    tone = (0.16 + 0.62 * near**0.8) * (0.55 + 0.45 * round_off) * (1 - 0.14 * groove)
    noise: Any = np.random.default_rng(7).normal(0, 1, canvas.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.35 * mm * _FINE)
    tone = tone * (1 + 0.03 * noise / max(1e-6, float(noise.std())))
    colour = light.flesh * np.array([1.02, 0.98, 1.06], np.float32) * tone[..., None]
    wet = np.exp(-(((y - 17 * mm) / (2.4 * mm)) ** 2) - (((np.abs(x) - 5 * mm) / (4 * mm)) ** 2)) * 0.12
    _lay(canvas, colour + wet[..., None] * (light.white - colour), alpha.astype(np.float32))
    return _done(canvas, -half, 0)


def _cavity(mm: float, width: float, light: Light) -> Layer:
    """The dark behind it all: the palate's glow above, darkest in the middle, flesh at the sides."""
    half, tall = width / 2 + 4 * mm, 46 * mm
    canvas, x, y = _canvas(2 * half, tall)
    x = x - half
    side = np.clip(np.abs(x) / half, 0, 1)
    tone = 0.10 + 0.10 * np.clip(1 - y / (0.4 * tall), 0, 1) + 0.16 * side**3 + 0.14 * np.clip(y / tall - 0.4, 0, 1)
    _lay(canvas, light.flesh * np.array([0.85, 0.85, 1.0], np.float32) * tone[..., None], np.ones_like(x))
    return _done(canvas, -half, -6 * mm)


def interior(line: Floats, below: Floats, eyes: float, light: Light) -> dict[str, Layer]:
    """Cavity, teeth and tongue, placed for a mouth at rest whose lips meet along `line`; premultiplied BGRA.

    `line` and `below`, (n, 2), are the inner edges of the lips in art pixels; `eyes` is the distance between the eyes.
    """
    mm = eyes / _EYES_MM
    ends = (line[[0, -1]] + below[[0, -1]]) / 2
    x = float(ends[:, 0].mean())
    wide = float(ends[1, 0] - ends[0, 0])
    middle = len(line) // 2
    # Resting lips let the upper teeth end a little below where they meet.
    y = float(line[middle, 1] * 0.7 + below[middle, 1] * 0.3)
    edge = y + 2.4 * mm
    layers = {
        "cavity": _cavity(mm, wide, light).at(x, y),
        "teeth_upper": _teeth(mm, _UPPER, 9.6, light, lower=False).at(x, edge),
        "teeth_lower": _teeth(mm, _LOWER, 8.0, light, lower=True).at(x, edge - 0.8 * mm),
        "tongue": _tongue(mm, light).at(x, edge - 8.0 * mm),
    }
    return {name: _grey(layer) for name, layer in layers.items()} if light.grey else layers


def _grey(layer: Layer) -> Layer:
    tone = cv2.cvtColor(layer.pixels[..., :3], cv2.COLOR_BGR2GRAY)
    return Layer(cast(Bytes, cv2.merge((tone, tone, tone, layer.pixels[..., 3]))), layer.left, layer.top)


def light_of(bgr: Bytes, sclera: Floats, cheeks: Floats, lips: Floats, teeth: Floats | None) -> Light:
    """How white and flesh look in a portrait, from pixels (n, 3): the whites of its eyes, cheeks, lips, teeth seen."""
    if teeth is not None and len(teeth) > 20:
        white = np.percentile(teeth, 70, axis=0)
    else:
        bright = float(np.percentile(sclera.max(axis=1), 80)) if len(sclera) else 0.0
        level = max(bright * 1.02, 0.88 * float(np.percentile(cheeks.max(axis=1), 75)))
        cast_ = sclera.mean(axis=0) if len(sclera) else np.full(3, 200.0)
        cast_ = 0.55 + 0.45 * cast_ / max(1.0, cast_.max())
        white = level * cast_ / cast_.max()
    white = white * np.clip(white.max(), 95, 226) / max(1.0, white.max())
    flesh = 0.55 * lips.mean(axis=0) + 0.45 * np.array([92, 84, 172]) * white.max() / 210
    spread = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)[..., 1].mean()
    return Light(cast(Floats, white.astype(np.float32)), cast(Floats, flesh.astype(np.float32)), bool(spread < 6))
