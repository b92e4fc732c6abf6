"""What every family of networks is to the driver: where it looks, what it hears, and how it paints or moves a mouth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from anchor.batching import Batcher
from anchor.errors import ModelError
from anchor.media import Bytes
from anchor.ports import FaceShape
from drivers.features import Ear
from drivers.image.paste import Box
from drivers.image.signature import Bound


class Hearing(Protocol):
    """What one utterance sounds like to a network, moment by moment; may remember what was before."""

    def needs(self, middle: float) -> int:
        """The end of what must be known (samples at `drivers.features.RATE`) for the moment at `middle` seconds."""
        ...

    async def cue(self, ear: Ear, middle: float, deadline: float) -> Any:
        """What a network that paints hears in that moment; of one that gives numbers, its weights: float32, (52,).

        Moments come in order. Raises `LateError` and `ModelError`.
        """
        ...


class Net(Protocol):
    """A family's networks, loaded; shared by all streams."""

    @property
    def family(self) -> str: ...
    @property
    def bounds(self) -> tuple[Bound, ...]: ...
    @property
    def lookahead(self) -> float:
        """Seconds after the middle of a moment that must be known for it."""
        ...

    @property
    def batchers(self) -> tuple[Batcher[Any, Any], ...]:
        """What it shares with other streams of the process: each is asked about once for every picture."""
        ...

    def hearing(self) -> Hearing: ...


@runtime_checkable
class MouthNet(Net, Protocol):
    """Networks that paint a mouth over a crop of a face."""

    size: tuple[int, int]
    """Width and height of the crop."""
    painted: Box
    """What of the crop is painted, in parts of its sides."""

    def box(self, shape: FaceShape) -> Box:
        """Where the crop lies, in art coordinates."""
        ...

    def look(self, crops: Sequence[Bytes]) -> Sequence[Any]:
        """What is worked out of every crop beforehand. May take seconds. Raises `ModelError`."""
        ...

    async def paint(self, cue: Any, crop: Bytes, seen: Any, deadline: float) -> Bytes:
        """The crop with another mouth: BGR, uint8; `seen` is what `look` made of it.

        Raises `LateError` and `ModelError`.
        """
        ...


def picture(bound: Bound, values: Any, scale: float = 255.0, shift: float = 0.0) -> Any:
    """A network's picture, (3, rows, columns) around 0..1, as bytes with colours last.

    Raises `ModelError` for numbers that are no picture: not finite, or in another range.
    """
    found = np.asarray(values, np.float32)
    if not np.isfinite(found).all():
        raise ModelError(f"{bound.model.path}: gives numbers that are not finite (NaN or infinity)")
    found = found * scale + shift
    low, high = float(found.min()), float(found.max())
    if high > 2 * 255 or low < -255:
        raise ModelError(
            f"{bound.model.path}: gives a picture from {low / 255:.3g} to {high / 255:.3g}, not from 0 to 1: "
            "it seems to be scaled inside; export it without that"
        )
    return np.rint(np.clip(found, 0, 255)).astype(np.uint8).transpose(1, 2, 0)
