"""A performer's face over the anchor's own: which parts of a face are whose, and how one becomes the other.

Speech, life and manner make the anchor's own face. While a performer drives it, eyes, brows, cheeks and head are the
performer's, blinks included, so that nobody blinks for two; the mouth stays with speech, unless the sound is the
performer's too. At both ends, and when one performance follows another, the faces cross within `CROSS_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, Blendshapes, Floats, HeadPose, VideoFormat
from anchor.pipeline.utterance import LEAD_IN_SECONDS, Part, Performance

Region = Literal["eyes", "brows", "cheeks", "mouth"]

CROSS_SECONDS = 0.4

_PREFIXES: Mapping[str, Region] = {
    "eye": "eyes", "brow": "brows", "cheekSquint": "cheeks", "noseSneer": "cheeks", "cheekPuff": "mouth",
    "jaw": "mouth", "mouth": "mouth", "tongue": "mouth",
}  # fmt: skip
REGIONS: Mapping[str, Region] = {
    name: next(region for prefix, region in _PREFIXES.items() if name.startswith(prefix)) for name in ARKIT
}
"""Whose each of ARKit's shapes is: the mouth is speech's, all others the performer's, with head and gaze.

Eyes: blinks, looks, squints and wide eyes (14). Brows: down, inner and outer up (5). Cheeks: squints and the nose's
sneer (4). Mouth: jaw, lips, tongue, and the puff of the cheeks, which shut lips hold (29).
"""
_MOUTH: NDArray[np.bool_] = np.array([REGIONS[name] == "mouth" for name in ARKIT])


@dataclass(frozen=True, slots=True)
class Acted:
    """A performer's face in one beat, and whether the mouth is theirs too. `source` tells performances apart."""

    face: Blendshapes
    source: object
    mouth: bool = False


class Actor(Protocol):
    """Who drives a stream's face: a performer before a camera, or a take. Asked once for every beat, in order."""

    def act(self) -> Acted | None: ...


def _row(face: Blendshapes) -> Floats:
    head = face.head
    return np.array([*face.weights, head.yaw, head.pitch, head.roll, head.x, head.y, *face.gaze], np.float32)


def _smooth(share: float) -> np.float32:
    return np.float32(share * share * (3 - 2 * share))


class Acting:
    """One stream's meeting of faces; call `frame` exactly once for every beat, in stream order."""

    def __init__(self, video: VideoFormat, actor: Actor | None = None) -> None:
        self._actor = actor
        self._step = 1 / max(1.0, CROSS_SECONDS * video.fps)
        self._fps = video.fps
        self._part: Part | None = None
        self._beats = 0
        self._source: object = None
        self._upper = self._lower = 0.0
        self._from = self._shown = np.zeros(len(ARKIT) + 7, np.float32)
        self._crossed = 1.0

    @property
    def mouth(self) -> float:
        """How much of the mouth was the performer's in the last beat, 0..1."""
        return float(_smooth(self._lower))

    def frame(self, own: Blendshapes, performance: Performance | None) -> Blendshapes:
        """What the next beat shows of the anchor's own face and of whoever performs in it."""
        part = self._of(performance)
        acted = (self._actor.act() if self._actor is not None else None) or part
        if acted is None:
            # Whoever comes back may be another, and elsewhere.
            self._source = None
        else:
            self._follow(acted)
        self._upper = self._towards(self._upper, acted is not None)
        self._lower = self._towards(self._lower, acted is not None and acted.mouth)
        return self._mixed(own) if self._upper or self._lower else own

    def _of(self, performance: Performance | None) -> Acted | None:
        """What the take of the utterance on air shows; one take may go on over several utterances."""
        part = performance.utterance.part if performance is not None else None
        if part is not None and part is not self._part:
            self._part, self._beats = part, 0
        if self._part is None:
            return None
        seconds = (self._beats + 0.5) / self._fps - LEAD_IN_SECONDS
        self._beats += 1
        face = part.take.at(seconds) if part is not None else None
        return Acted(face, part, part.mouth) if part is not None and face is not None else None

    def _follow(self, acted: Acted) -> None:
        row = _row(acted.face)
        if acted.source is not self._source:
            self._source = acted.source
            self._from, self._crossed = self._shown, 0.0 if self._upper else 1.0
        self._crossed = min(1.0, self._crossed + self._step)
        self._shown = self._from + _smooth(self._crossed) * (row - self._from)

    def _towards(self, share: float, wanted: bool) -> float:
        return min(1.0, share + self._step) if wanted else max(0.0, share - self._step)

    def _mixed(self, own: Blendshapes) -> Blendshapes:
        upper, lower = _smooth(self._upper), _smooth(self._lower)
        mine, row = _row(own), self._shown
        share = np.full(mine.size, upper, np.float32)
        share[: len(ARKIT)][_MOUTH] = lower
        # At the ends exactly one or the other: lips that meet must go on meeting.
        mixed = np.where(share >= 1, row, mine + share * (row - mine))
        yaw, pitch, roll, x, y, right, up = mixed[len(ARKIT) :].tolist()
        head = HeadPose(yaw, pitch, roll, x, y)
        return replace(own, weights=mixed[: len(ARKIT)], head=head, gaze=(right, up))
