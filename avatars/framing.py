"""Where a figure made from a picture of limited size stands, so that no cut edge of it shows."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from anchor.media import Bytes, VideoFormat
from anchor.ports import Placement, Setting
from avatars.puppet_parts import Layer

_LARGEST, _SMALLEST = 0.62, 0.36
"""Heights of the head in the picture between which a picture's own framing is kept."""
_LOWEST_EYES = 0.47
_DIM = 0.72
"""How bright the blurred picture beside a narrow one is."""


def frame(
    tall: float, chin: float, body: Layer, background: Layer | None, video: VideoFormat, wanted: Placement
) -> Setting:
    """Place a figure on its own background, which then fills the picture, or cut out in front of another.

    `tall` is its height from crown to chin, `chin` where that is, in art pixels.
    """
    if background is None:
        return Setting(_cut_out(tall, chin, body, video, wanted))
    width, height = float(background.pixels.shape[1]), float(background.pixels.shape[0])
    left, top = background.left, background.top
    cover = max(video.width / width, video.height / height)
    largest, smallest = (share * video.height / tall for share in (_LARGEST, _SMALLEST))
    scale = min(max(cover, smallest), max(largest, video.height / height))
    x = _within(0.5 * video.width, video.width, left * scale, (left + width) * scale)
    y = _within(wanted.eyes * video.height, video.height, top * scale, (top + height) * scale)
    placement = Placement(x / video.width, y / video.height, scale * tall / video.height)
    return Setting(placement, _fill(background, video, scale, (round(x), round(y))))


def _within(wanted: float, length: int, before: float, after: float) -> float:
    """The origin nearest to `wanted` at which an extent before and after it fills 0..length, if it can."""
    if after - before <= length:
        return wanted if after - before < length - 1 else -before
    return min(max(wanted, length - after), -before)


def _fill(background: Layer, video: VideoFormat, scale: float, origin: tuple[int, int]) -> Bytes:
    """The background at its place, over a blurred and dimmed copy of itself where it is too narrow to fill."""
    image = np.ascontiguousarray(background.pixels[..., :3])
    height, width = image.shape[:2]
    matrix = np.array([
        [scale, 0, origin[0] + background.left * scale + 0.5 * scale - 0.5],
        [0, scale, origin[1] + background.top * scale + 0.5 * scale - 0.5],
    ])  # fmt: skip
    size = (video.width, video.height)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    whole = cv2.warpAffine(image, matrix, size, flags=way, borderMode=cv2.BORDER_REPLICATE)
    x0, y0 = matrix[0, 2] - 0.5 * scale + 0.5, matrix[1, 2] - 0.5 * scale + 0.5
    x1, y1 = x0 + width * scale, y0 + height * scale
    if x0 <= 0.5 and y0 <= 0.5 and x1 >= video.width - 0.5 and y1 >= video.height - 0.5:
        return cast(Bytes, whole)
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), (0, 0), video.shorter_side / 24)
    out: Bytes = np.clip(blurred * np.float32(_DIM), 0, 255).astype(np.uint8)
    rows = slice(max(0, round(y0)), min(video.height, round(y1)))
    columns = slice(max(0, round(x0)), min(video.width, round(x1)))
    out[rows, columns] = whole[rows, columns]
    return out


def _cut_out(tall: float, chin: float, body: Layer, video: VideoFormat, wanted: Placement) -> Placement:
    """Where a figure without its background stands: larger or lower than wanted when it is cut off above the edge."""
    bottom = body.top + body.pixels.shape[0]
    if bottom <= chin:
        return wanted
    head = wanted.head
    needed = (1 - wanted.eyes) * tall / bottom
    if needed > head:
        head = min(needed, _LARGEST)
    eyes = max(wanted.eyes, 1 - head * bottom / tall)
    return Placement(wanted.x, min(eyes, max(_LOWEST_EYES, wanted.eyes)), head)
