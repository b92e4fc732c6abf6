"""Speech without phones: listened to where a network is at hand, else a mouth from its loudness."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anchor.media import SAMPLE_RATE, Floats, LipSource, Samples
from drivers.energy import face_from_sound
from drivers.visemes import columns

_STEP = SAMPLE_RATE // 100
_SETTLING = 1.0
"""Seconds before the first moment without phones that are listened to, for the network to settle."""
_LOUD = 0.25
_AWAY = 0.5
"""How far from phones, 0 to 1, loud sound must be to be listened to: a timed voice runs over its phones a little."""
_SILENT = 0.15
_JAW = columns("jaw")[0]
_LIPS = columns("lowerDown", "upperUp")

Moments = NDArray[np.float64]


class Listener(Protocol):
    """Makes a mouth of the sound it is given; see `drivers.speechnet.face.Heard`."""

    def push(self, audio: Samples) -> None: ...

    def finish(self) -> None: ...

    def around(self, middles: Moments) -> Floats: ...

    def closures(self, middles: Moments) -> tuple[Moments, Moments]: ...

    def forget(self, before: float) -> None: ...


class Untimed:
    """What is seen while a voice gives no phones. `listen` opens a listener for sound from a frame of 10 ms on.

    Nothing is listened to before it is needed: a voice that times its phones costs no network.
    """

    def __init__(self, listen: Callable[[int], Listener] | None) -> None:
        self._listen = listen
        self._listener: Listener | None = None
        self._since = math.inf
        self._recent: list[Samples] = []
        self._recent_from = 0
        self._ended = False

    @property
    def source(self) -> LipSource:
        return "energy" if self._listen is None else "network"

    def push(self, audio: Samples) -> None:
        if self._listener is not None:
            self._listener.push(audio)
        elif self._listen is not None:
            self._recent.append(audio)

    def finish(self) -> None:
        self._ended = True
        if self._listener is not None:
            self._listener.finish()

    def face(self, middles: Moments, unheard: Moments, levels: Floats, brightness: Floats) -> Floats:
        """Mouth weights, float32 of shape (frames, 52), at times in seconds, scaled by how far phones are away."""
        if self._listener is None and self._listen is not None:
            self._begin(middles[(unheard > _AWAY) & (levels > _LOUD)], self._listen)
        share = unheard[:, None].astype(np.float32)
        if self._listener is None:
            return share * face_from_sound(levels, brightness)
        weights = self._listener.around(middles)
        heard, speaking = weights[:, _JAW], np.minimum(1, levels / _SILENT)
        # A jaw follows effort as much as sounds (captured faces: loudness alone correlates .6 with it), so the sound
        # decides two fifths of it and loudness the rest, less so where teeth come together.
        weights[:, _JAW] = 0.4 * heard * speaking + 0.3 * levels * (0.4 + 0.6 * np.minimum(1, heard / 0.25))
        # What the network takes a silent moment for must not show.
        weights[:, _LIPS] *= np.minimum(1.1, 1.2 * np.sqrt(levels))[:, None]
        return share * weights * (middles >= self._since)[:, None]

    def closures(self, middles: Moments, unheard: Moments) -> tuple[Moments, Moments]:
        """How far lips are closed, and the lower lip is under the teeth, where there are no phones."""
        if self._listener is None:
            return np.zeros(middles.size), np.zeros(middles.size)
        share = unheard * (middles >= self._since)
        seal, dental = self._listener.closures(middles)
        return seal * share, dental * share

    def forget(self, before: float) -> None:
        """Let go of sound from earlier than `before` seconds."""
        if self._listener is not None:
            self._listener.forget(before)
            return
        kept = (before - _SETTLING) * SAMPLE_RATE
        while self._recent and self._recent_from + self._recent[0].size < kept:
            self._recent_from += self._recent.pop(0).size

    def _begin(self, needed: Moments, listen: Callable[[int], Listener]) -> None:
        """Listen from a little before the first moment of `needed` on."""
        if not needed.size:
            return
        self._since = float(needed[0])
        origin = max(0, math.floor((self._since - _SETTLING) * 100))
        self._listener = listen(origin)
        sound = np.concatenate(self._recent)
        self._listener.push(sound[origin * _STEP - self._recent_from :])
        self._recent = []
        if self._ended:
            self._listener.finish()
