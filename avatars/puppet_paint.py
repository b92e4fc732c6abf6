"""A painted mouth as a layer of a puppet: it goes where the skin of the face goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import cv2
import numpy as np

from anchor.media import ARKIT, Bytes, Floats, PatchedFace
from avatars.puppet_parts import Grid

SPOKEN = np.array([name.startswith(("jaw", "mouth", "cheekPuff", "tongue")) for name in ARKIT])
"""The coefficients that a patch stands for."""


class Skin(Protocol):
    """What is known of where the face's skin goes."""

    grid: Grid
    moves: Floats
    rounds: int
    step: int

    def lattice(self, left: float, top: float, right: float, bottom: float) -> tuple[Floats, Floats]: ...
    def reach_of(self, lattice: tuple[Floats, Floats]) -> tuple[float, float, float, float]: ...


@dataclass(frozen=True, slots=True)
class Painted:
    """What is drawn of a patch, with the same parts as a layer of the puppet has."""

    pixels: Bytes
    grid: Grid
    moves: Floats
    to_texture: Any
    """From node coordinates to pixels of the patch."""
    rounds: int
    step: int
    reach: tuple[float, float, float, float]

    @classmethod
    def on(cls, skin: Skin, patch: PatchedFace) -> Painted:
        mouth, grid = patch.mouth, skin.grid
        back = np.linalg.inv(mouth.to_art[:, :2].astype(np.float64))
        shift = back @ (np.array([grid.left, grid.top]) - mouth.to_art[:, 2]) - 0.5
        height, width = mouth.mask.shape
        ends = np.array([[0, 0], [width, height]]) @ mouth.to_art[:, :2].T + mouth.to_art[:, 2]
        mask = mouth.mask if patch.strength >= 1 else cv2.convertScaleAbs(mouth.mask, alpha=patch.strength)
        pixels = cast(Bytes, cv2.cvtColor(np.dstack([mouth.pixels, mask]), cv2.COLOR_RGBA2mRGBA))
        return cls(
            pixels, grid, skin.moves, np.column_stack([back * grid.step, shift]), skin.rounds, skin.step,
            skin.reach_of(skin.lattice(*ends.ravel().tolist())),
        )  # fmt: skip
