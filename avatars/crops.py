"""Faces cut from footage for drivers that paint mouths, and painted mouths laid back over it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast, overload

import cv2
import numpy as np

from anchor.media import Bytes, Floats, MouthPatch
from avatars.film import Film, Player
from avatars.puppet_draw import Box

_QUALITY = 97
"""Of the JPEG in which crops are kept: a minute of faces would take gigabytes as they are."""
_CORNER = np.array([0.5, 0.5])


class Crops(Sequence[Bytes]):
    """Pictures of a face, kept as JPEG and decoded when they are asked for: BGR, uint8."""

    def __init__(self, files: Sequence[Bytes]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> Bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Crops: ...
    def __getitem__(self, index: int | slice) -> Bytes | Crops:
        if isinstance(index, slice):
            return Crops(self._files[index])
        return cast(Bytes, cv2.imdecode(self._files[index], cv2.IMREAD_COLOR))

    @classmethod
    def of(cls, pictures: Iterator[Bytes]) -> Crops:
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                   cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # fmt: skip
        return cls([cast(Bytes, cv2.imencode(".jpg", picture, options)[1]) for picture in pictures])


def cut(picture: Bytes, to_picture: Floats, box: tuple[float, float, float, float], size: tuple[int, int]) -> Bytes:
    """What a box of art coordinates shows of a picture; `to_picture`, (2, 3), maps art coordinates to its pixels."""
    left, top, right, bottom = box
    width, height = size
    scale = np.array([(right - left) / width, (bottom - top) / height])
    turn = to_picture[:, :2].astype(np.float64)
    # Pictures much larger than the crop are sampled finer first, and their samples averaged.
    fine = max(1, min(8, math.ceil(float(np.linalg.norm(turn, axis=0).max() * scale.max()))))
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn * (scale / fine)
    matrix[:, 2] = turn @ (left, top) + to_picture[:, 2] + matrix[:, :2] @ _CORNER - _CORNER
    found = cv2.warpAffine(
        picture, matrix, (width * fine, height * fine), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return cast(Bytes, found if fine == 1 else cv2.resize(found, size, interpolation=cv2.INTER_AREA))


def footage_crops(film: Film, maps: Floats, box: tuple[float, float, float, float], size: tuple[int, int]) -> Crops:
    """A box of art coordinates in every picture of a film. Raises `AvatarError` for a film that is damaged."""
    player = Player(film)
    return Crops.of(cut(player.next().bgr(), maps[index], box, size) for index in range(film.count))


def laid(patch: MouthPatch, to_picture: Floats, frame: Box) -> tuple[Box, Bytes, Bytes] | None:
    """The box of `frame` that a patch covers, BGR of it, and its mask there; None outside the frame.

    `to_picture`, (2, 3), maps art coordinates to pixels of the frame.
    """
    height, width = patch.mask.shape
    turn = to_picture[:, :2].astype(np.float64) @ patch.to_art[:, :2]
    shift = to_picture[:, :2].astype(np.float64) @ patch.to_art[:, 2] + to_picture[:, 2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn.T + shift
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    box = Box.around(x0, y0, x1, y1, frame)
    if box.empty:
        return None
    pixels, mask = patch.pixels, patch.mask
    shrink = float(np.sqrt(abs(np.linalg.det(turn))))
    if shrink < 0.6:
        # Patches much finer than the picture would flicker.
        half = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        pixels = cast(Bytes, cv2.resize(pixels, half, interpolation=cv2.INTER_AREA))
        mask = cast(Bytes, cv2.resize(mask, half, interpolation=cv2.INTER_AREA))
        turn = turn * np.array([width / half[0], height / half[1]])
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn
    matrix[:, 2] = shift - (box.x0, box.y0) + turn @ _CORNER - _CORNER
    painted = cv2.warpAffine(pixels, matrix, box.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(mask, matrix, box.size, flags=cv2.INTER_LINEAR)
    return box, cast(Bytes, painted), cast(Bytes, cover)
