"""A person cut out of a portrait: a soft matte, and the background filled in behind."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np

from anchor.media import Bytes, Floats
from avatars.landmarks import Face, person_mask
from avatars.puppet_draw import paste


def _guided(guide: Floats, mask: Floats, radius: int, sharpness: float) -> Floats:
    """Bring a rough mask to the edges of a grey picture 0..1 (fast guided filter, He and Sun 2015)."""
    small = (max(1, guide.shape[1] // 3), max(1, guide.shape[0] // 3))
    size = (max(1, radius // 3) * 2 + 1,) * 2
    thin, rough = (cv2.resize(values, small, interpolation=cv2.INTER_AREA) for values in (guide, mask))

    def mean(values: Any) -> Any:
        return cv2.blur(values, size)

    g, m = mean(thin), mean(rough)
    slope = (mean(thin * rough) - g * m) / (mean(thin * thin) - g * g + np.float32(sharpness))
    found = (mean(slope), mean(m - slope * g))
    steep, level = (cv2.resize(part, guide.shape[::-1], interpolation=cv2.INTER_LINEAR) for part in found)
    return cast(Floats, np.clip(steep * guide + level, 0, 1))


def matte(bgr: Bytes, face: Face) -> Floats:
    """How much of each pixel is the person: float32, 0..1. The head is looked at closer than the rest."""
    out = person_mask(bgr).copy()
    left, top, right, bottom = face.box
    reach = 0.75 * (bottom - top)
    x0, y0 = max(0, int(left - reach)), max(0, int(top - reach))
    x1, y1 = min(bgr.shape[1], int(right + reach)), min(bgr.shape[0], int(bottom + reach))
    close = person_mask(np.ascontiguousarray(bgr[y0:y1, x0:x1]))
    ramp = max(2.0, 0.1 * reach)
    height, width = close.shape
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    high, wide = bgr.shape[:2]
    edges = [
        np.inf if flush else distance / ramp
        for flush, distance in ((y0 == 0, y), (y1 == high, height - y), (x0 == 0, x), (x1 == wide, width - x))
    ]
    share = np.ones_like(close)
    for edge in edges:
        share = np.minimum(share, edge)
    out[y0:y1, x0:x1] += np.clip(share, 0, 1) * (close - out[y0:y1, x0:x1])
    return _in_one_piece(sharpened(bgr, out, max(2, round(0.06 * face.inter_ocular))), face)


def sharpened(bgr: Bytes, rough: Floats, reach: int) -> Floats:
    """A rough mask, 0..1, brought to the edges that the picture has within `reach` pixels."""
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32) * np.float32(1 / 255)
    fine = cv2.convertScaleAbs(_guided(grey, rough, reach, 1e-4), None, 255)
    known = cv2.convertScaleAbs(rough, None, 255)
    # Where the mask itself is sure, texture of clothes and hair shall not open holes.
    levels = np.arange(256) / 255
    sure = cv2.LUT(known, (255 * np.clip((levels - 0.90) / 0.08, 0, 1) + 0.5).astype(np.uint8))
    near = cv2.threshold(known, 10, 255, cv2.THRESH_BINARY)[1]
    fine = cv2.LUT(cv2.max(fine, sure), (255 * np.clip((levels - 0.10) / 0.80, 0, 1) + 0.5).astype(np.uint8))
    return cast(Floats, cv2.bitwise_and(fine, near).astype(np.float32) * np.float32(1 / 255))


def _in_one_piece(mask: Floats, face: Face) -> Floats:
    """Without islands that do not belong to the person of this face, and without holes."""
    solid = (mask > 0.3).astype(np.uint8)
    _, labels = cv2.connectedComponents(solid)
    x, y = face.points[:468, 0].mean(), face.points[:468, 1].mean()
    label = labels[min(mask.shape[0] - 1, int(y)), min(mask.shape[1] - 1, int(x))]
    own = (labels == label).astype(np.uint8)
    near = cv2.dilate(own, np.ones((7, 7), np.uint8))
    outside = np.pad(1 - own, 1, constant_values=1)
    _, around = cv2.connectedComponents(outside)
    holes = (around != around[0, 0])[1:-1, 1:-1] & (own == 0)
    return cast(Floats, np.where(holes & (mask < 0.3), 1, mask * near).astype(np.float32))


def widened(mask: Floats, by: float, softness: float) -> Floats:
    """1 up to `by` pixels around a mask, then falling to 0 over `softness` pixels."""
    near = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    t = np.clip((by + softness - near) / softness, 0, 1)
    return cast(Floats, (t * t * (3 - 2 * t)).astype(np.float32))


def filled(bgr: Bytes, hole: Floats) -> Bytes:
    """The picture with what `hole` covers replaced by what lies around it, smoothly, from near to far."""
    keep = 1 - np.clip(hole, 0, 1)
    fill = _spread(cast(Floats, bgr.astype(np.float32) * keep[..., None]), cast(Floats, keep.astype(np.float32)))
    out = bgr.astype(np.float32) * keep[..., None] + fill * (1 - keep[..., None])
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _spread(total: Floats, mass: Floats) -> Floats:
    """Colours everywhere from those that are known: `total` holds them times `mass`, how well each is known, 0..1."""
    levels = []
    while min(mass.shape) > 2:
        levels.append((total, mass))
        size = (max(1, mass.shape[1] // 2), max(1, mass.shape[0] // 2))
        total = cast(Floats, cv2.resize(total, size, interpolation=cv2.INTER_AREA))
        mass = cast(Floats, cv2.resize(mass, size, interpolation=cv2.INTER_AREA))
    fill = total / np.maximum(mass, 1e-4)[..., None] if mass.max() > 0 else np.full_like(total, 128)
    for total, mass in reversed(levels):
        fill = cast(Floats, cv2.resize(fill, mass.shape[::-1], interpolation=cv2.INTER_LINEAR))
        known = np.clip(mass, 0, 1)[..., None]
        fill = known * (total / np.maximum(mass, 1e-4)[..., None]) + (1 - known) * fill
    return cast(Floats, fill)


def decontaminated(bgr: Bytes, mask: Floats) -> Bytes:
    """The picture with the colour of soft edges taken from the person behind them, not from the old background."""
    inner = cv2.erode((mask > 0.95).astype(np.uint8), np.ones((3, 3), np.uint8))
    # A third of the size is enough for what is smooth.
    size = (max(1, bgr.shape[1] // 3), max(1, bgr.shape[0] // 3))
    total = cv2.resize(cv2.bitwise_and(bgr, bgr, mask=inner), size, interpolation=cv2.INTER_AREA)
    mass = cv2.resize(inner * np.uint8(255), size, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(
        1 / 255
    )
    person = np.clip(_spread(cast(Floats, total.astype(np.float32)), cast(Floats, mass)) + 0.5, 0, 255).astype(np.uint8)
    person = cv2.resize(person, bgr.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    share = (np.clip((np.float32(0.97) - mask) * np.float32(1 / 0.3), 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
    out = bgr.copy()
    paste(out, cast(Bytes, person), share)
    return out


def screen_colour(bgr: Bytes) -> Floats | None:
    """The colour, BGR, of a green or blue screen behind a person, or None where there is none.

    It is looked for along the upper edge and the upper sides.
    """
    height, width = bgr.shape[:2]
    rim = max(2, width // 25)
    sides = (bgr[:rim], bgr[: height // 2, :rim], bgr[: height // 2, -rim:])
    pixels = np.concatenate([side.reshape(-1, 3) for side in sides]).astype(np.float32)
    for channel in (1, 0):
        others = np.delete(pixels, channel, axis=1).max(axis=1)
        lit = (pixels[:, channel] > 70) & (pixels[:, channel] > 1.35 * others)
        if lit.mean() > 0.6:
            return cast(Floats, np.median(pixels[lit], axis=0).astype(np.float32))
    return None


def keyed(bgr: Bytes, screen: Floats) -> tuple[Bytes, Floats]:
    """Take a person from in front of a screen: the picture without the screen's colour, and the matte, 0..1.

    The matte is by how much the screen's channel stands above the others (after Vlahos). What the screen throws onto
    the person is taken off, and soft edges take their colour from the person behind them.
    """
    channel = int(screen.argmax())
    planes = list(cv2.split(bgr))
    one, two = (planes[index] for index in range(3) if index != channel)
    most = cv2.max(one, two)
    full = max(1.0, float(screen[channel] - np.delete(screen, channel).max()))
    # Film stores colour at half the sharpness of brightness: its steps are smoothed.
    excess = cv2.GaussianBlur(cv2.subtract(planes[channel], most), (0, 0), 0.7)
    share = np.clip((np.arange(256) / full - 0.10) / 0.62, 0, 1)
    matte = cv2.LUT(excess, (255 * np.clip((1 - share - 0.03) / 0.95, 0, 1) + 0.5).astype(np.uint8))
    # The nearer an edge, where the screen is seen round the corner, the less of its colour is believed.
    reach = max(3, bgr.shape[0] // 18) | 1
    near = cv2.blur(cv2.bitwise_not(matte), (reach, reach))
    near = cv2.LUT(near, np.clip((np.arange(256) - 2) * 8, 0, 255).astype(np.uint8))
    limit = cv2.subtract(most, cv2.multiply(cv2.absdiff(one, two), near, None, 0.5 / 255))
    planes[channel] = cv2.min(planes[channel], limit)
    mask = cast(Floats, matte.astype(np.float32) * np.float32(1 / 255))
    return decontaminated(cast(Bytes, cv2.merge(planes)), mask), mask
