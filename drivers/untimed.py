"""Speech without phones: listened to where a network is at hand, else a mouth from its loudness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anchor.media import SAMPLE_RATE, Floats, LipSource, Samples
from drivers.energy import face_from_sound
from drivers.visemes import columns

_STEP = SAMPLE_RATE // 100
_KEPT = SAMPLE_RATE
"""Samples from before the first moment without phones that are listened to, for the network to settle."""
_LOUD = 0.25
_OPENING = columns("jaw", "lowerDown", "upperUp")


class Listener(Protocol):
    """Makes a mouth of the sound it is given; see `drivers.speechnet.face.Heard`."""

    def push(self, audio: Samples) -> None: ...

    def finish(self) -> None: ...

    def around(self, middles: NDArray[np.float64]) -> Floats: ...

    def events(self, since: float, until: float) -> list[tuple[str, float, float]]: ...

    def forget(self, before: float) -> None: ...


class Untimed:
    """What is seen while a voice gives no phones. `listen` opens a listener for sound from a frame of 10 ms on.

    Nothing is listened to before it is needed: a voice that times its phones costs no network.
    """

    def __init__(self, listen: Callable[[int], Listener] | None) -> None:
        self._listen = listen
        self._listener: Listener | None = None
        self._recent: Samples = np.zeros(0, np.float32)
        self._recent_from = 0
        self._ended = False
        self._held_until = 0.0

    @property
    def source(self) -> LipSource:
        return "energy" if self._listener is None else "network"

    def push(self, audio: Samples) -> None:
        if self._listener is not None:
            self._listener.push(audio)
        elif self._listen is not None:
            self._recent = np.concatenate([self._recent, audio])

    def finish(self) -> None:
        self._ended = True
        if self._listener is not None:
            self._listener.finish()

    def face(
        self, middles: NDArray[np.float64], unheard: NDArray[np.float64], levels: Floats, brightness: Floats
    ) -> Floats:
        """Mouth weights, float32 of shape (frames, 52), at times in seconds."""
        if self._listener is None and self._listen is not None and (levels[unheard > 0] > _LOUD).any():
            self._begin(self._listen)
        if self._listener is None:
            return face_from_sound(levels, brightness)
        weights = self._listener.around(middles)
        weights[:, _OPENING] *= np.clip(0.45 + 0.75 * levels, 0.3, 1.15)[:, None]
        return weights

    def holds(self, middles: NDArray[np.float64], unheard: NDArray[np.float64]) -> list[tuple[str, float, float]]:
        """Closures and lips under teeth that become known and lie where there are no phones; each comes once."""
        if self._listener is None:
            return []
        since, self._held_until = self._held_until, max(self._held_until, float(middles[-1]) + 0.08)
        found = self._listener.events(since, self._held_until)
        return [each for each in found if np.interp(each[1], middles, unheard) > 0.5]

    def forget(self, before: float) -> None:
        """Let go of sound from earlier than `before` seconds."""
        if self._listener is not None:
            self._listener.forget(before)
            return
        count = (int(before * SAMPLE_RATE) - self._recent_from) // _STEP * _STEP
        if count > _KEPT:
            self._recent = self._recent[count:]
            self._recent_from += count

    def _begin(self, listen: Callable[[int], Listener]) -> None:
        self._listener = listen(self._recent_from // _STEP)
        self._listener.push(self._recent)
        self._recent = self._recent[:0]
        if self._ended:
            self._listener.finish()
