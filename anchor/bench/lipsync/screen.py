"""Lips in pixels: every face of every track is drawn, and its lips are found again in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anchor import parts
from anchor.bench import shown
from anchor.bench.lipsync.feeding import FPS
from anchor.bench.lipsync.rows import Track
from anchor.media import ARKIT, Blendshapes, Floats, VideoFormat

VIDEO = VideoFormat(640, 640, FPS)
_MOUTH = np.array([name.startswith(("jaw", "mouth", "cheekPuff", "tongue")) for name in ARKIT])
_SETTLES = 3
"""Pictures after which the finder of landmarks has followed a face that stands still; more are not drawn."""


class Screen:
    """The avatar that faces are drawn by, with nothing but its mouth moving."""

    def __init__(self, name: str) -> None:
        self._avatar = parts.open_avatar(name)

    def fill(self, tracks: Sequence[Track]) -> None:
        """Give every track the gaps between its lips, in eye distances. Raises `AvatarError` where no face is found."""
        if not tracks:
            return
        weights = np.concatenate([track.weights for track in tracks]) * _MOUTH
        drawn = needed(weights)
        seen = shown.look(self._avatar, [Blendshapes(row) for row in weights[drawn]], VIDEO)
        gaps: Floats = shown.lip_gaps(seen)[np.cumsum(drawn) - 1]
        edges = np.cumsum([len(track.weights) for track in tracks])[:-1]
        for track, part in zip(tracks, np.split(gaps, edges), strict=True):
            track.pixels = part


def needed(weights: Floats) -> NDArray[np.bool_]:
    """Which of the faces must be drawn: all but those that have been the same for `_SETTLES` pictures."""
    same = np.concatenate([[False], (np.abs(np.diff(weights, axis=0)) < 1e-4).all(axis=1)])
    still = same.copy()
    for before in range(1, _SETTLES):
        still[before:] &= same[:-before]
        still[:before] = False
    return ~still
