"""What a driver means the lips to do, to compare pictures with."""

from __future__ import annotations

import numpy as np

from anchor.media import ARKIT_INDEX, Floats

BILABIAL = ("p", "b", "m")
"""How the symbols of phones begin for which lips close."""
SHUT = 0.12
"""Part of the range of openings under which lips count as closed."""


def opening(weights: Floats) -> Floats:
    """Distance of the inner lips in parts of a wide-open jaw: how the linear shapes of ARKit heads add up.

    `weights` has the shape (faces, 52).
    """

    def part(name: str) -> Floats:
        column: Floats = weights[:, ARKIT_INDEX[name]]
        return column

    opened = part("jawOpen") - part("mouthClose") + 0.3 * part("mouthLowerDownLeft") + 0.3 * part("mouthUpperUpLeft")
    pursed = 0.35 * part("mouthPucker") + 0.25 * part("mouthRollLower") + 0.25 * part("mouthRollUpper")
    size: Floats = np.maximum(0, opened * (1 - pursed) - 0.1 * part("mouthPressLeft"))
    return size
