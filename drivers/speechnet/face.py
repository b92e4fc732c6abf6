"""A mouth from what the network hears: each moment asks for every mouth it may be, in proportion to its chance.

The blend is that of `drivers.phones` (dominance, Cohen and Massaro 1993) with chances in the place of known phones, so
that doubt shows as a middling mouth and not as a wrong one. Closed lips and the lip under the teeth are decided, not
blended: a chance of about a half is enough, whatever else may be as likely: a missed closure is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, Floats, Samples
from drivers.speechnet.inventory import SOUNDS
from drivers.speechnet.network import Listening
from drivers.visemes import CHANNEL_COLUMNS, MATRIX, PULLS, VISEME_INDEX, visemes_of

RATE = 100
"""Frames of the network a second."""
CLOSED = 0.6
DENTAL = 0.55
"""Chances from which on a closure and a lip under the teeth are shown."""

_ATTACK = np.array([0.07, 0.09, 0.09, 0.06, 0.05])
_RELEASE = np.array([0.07, 0.09, 0.12, 0.06, 0.05])
_REST = 0.6
"""Dominance of silence."""
_CLOSING, _PARTING = 0.05, 0.045
"""Seconds in which lips come together before a closure and part after it."""
_EARLY, _HELD = 2, 7
"""Frames by which a closure comes before it is heard, for lips close before sound stops, and lasts at least."""


def _asked() -> Floats:
    """For each sound the dominance times shape of every ARKit weight, and its dominance in each channel."""
    dominance = np.zeros((len(SOUNDS), len(CHANNEL_COLUMNS)), np.float32)
    shaped = np.zeros((len(SOUNDS), len(ARKIT)), np.float32)
    for row, sound in enumerate(SOUNDS):
        for viseme, share in visemes_of(sound):
            index = VISEME_INDEX[viseme]
            pull = np.array(PULLS[index].dominance) if viseme != "sil" else np.full(len(CHANNEL_COLUMNS), _REST)
            dominance[row] += share * pull
            for channel, columns in enumerate(CHANNEL_COLUMNS):
                shaped[row, columns] += share * pull[channel] * MATRIX[index, columns]
    return np.concatenate([shaped, dominance], axis=1)


_ASKED = _asked()
_WIDTH = _ASKED.shape[1]
_CHANNEL = np.zeros(len(ARKIT), np.int64)
for _channel, _columns in enumerate(CHANNEL_COLUMNS):
    _CHANNEL[_columns] = _channel
_DECIDED = np.array([[sound in "pbm", sound in "fv"] for sound in SOUNDS], np.float32)
_LEAST = np.array([CLOSED, DENTAL], np.float32)
AHEAD = 9
_BEFORE = 12
"""Frames after and before a moment that may shape its mouth."""


class Heard:
    """What the network has made of a growing sound, and the mouth at any moment that it reaches.

    The sound begins at `origin`, a whole number of frames; times are seconds of the whole speech.
    """

    def __init__(self, origin: int = 0) -> None:
        self._listening = Listening()
        self._first = origin
        self._asked: Floats = np.zeros((0, _WIDTH), np.float32)
        self._shown: NDArray[np.bool_] = np.zeros((0, 2), bool)
        self._kept: NDArray[np.bool_] = np.zeros((0, 2), bool)

    def push(self, audio: Samples) -> None:
        self._add(self._listening.push(audio))

    def finish(self) -> None:
        self._add(self._listening.finish())

    def _add(self, sounds: Floats) -> None:
        if not len(sounds):
            return
        chances = np.exp(sounds)
        self._asked = np.concatenate([self._asked, chances @ _ASKED])
        self._shown = np.concatenate([self._shown, chances @ _DECIDED > _LEAST])
        known = max(0, len(self._kept) - _EARLY)
        # What is kept closed depends on a few frames to either side, so the last ones are judged again.
        since = max(0, known - _HELD)
        self._kept = np.concatenate([self._kept[:known], _lasting(self._shown[since:])[known - since :]])

    def around(self, middles: NDArray[np.float64]) -> Floats:
        """Mouth weights, float32 of shape (len(middles), 52), at times in seconds; closures are not in it."""
        sums = np.zeros((middles.size, _WIDTH), np.float32)
        for row, (place, kernel) in enumerate(self._near(middles, _blend_kernel)):
            np.einsum("fc,fc->c", kernel, self._asked[place], out=sums[row])
        shaped, dominance = sums[:, : len(ARKIT)], sums[:, len(ARKIT) :] + 1e-6
        weights: Floats = shaped / dominance[:, _CHANNEL]
        return weights

    def closures(self, middles: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far lips are closed, and the lower lip is under the teeth, at times in seconds: 0 to 1."""
        found = np.zeros((middles.size, 2))
        for row, (place, kernel) in enumerate(self._near(middles, _closing_kernel)):
            found[row] = (kernel * self._kept[place]).max(axis=0, initial=0.0)
        return found[:, 0], found[:, 1]

    def _near(self, middles: NDArray[np.float64], kernel_at: Callable[[int], Floats]) -> Iterator[tuple[slice, Floats]]:
        """Frames around each moment, and what each of them counts; frames nobody has heard yet are left out."""
        for middle in middles:
            ticks = round(middle * RATE * _PHASES)
            frame, phase = divmod(ticks, _PHASES)
            begun = frame - _BEFORE - self._first
            low, high = max(0, begun), min(len(self._asked), frame + AHEAD + 1 - self._first)
            yield slice(low, max(low, high)), kernel_at(phase)[low - begun : max(low, high) - begun]

    def forget(self, before: float) -> None:
        """Let go of what was heard earlier than `before` seconds."""
        count = int(before * RATE) - self._first
        if count > RATE:
            self._asked = self._asked[count:]
            self._shown, self._kept = self._shown[count:], self._kept[count:]
            self._first += count


_PHASES = 24
"""Parts of a frame in which the middles of pictures can fall, at any frame rate there is."""


def _bell(phase: int, before: NDArray[np.float64], after: NDArray[np.float64]) -> Floats:
    """Squared cosine over frames around a moment: 1 at it, 0 from `before` seconds ahead and `after` behind on."""
    away = (np.arange(-_BEFORE, AHEAD + 1) - phase / _PHASES)[:, None] / RATE
    width = np.minimum(1, np.maximum(away / before, -away / after))
    return (np.cos(np.pi / 2 * width) ** 2).astype(np.float32)


@lru_cache(maxsize=_PHASES)
def _blend_kernel(phase: int) -> Floats:
    """What frames count in each column of `_ASKED`, float32 of shape (frames, columns)."""
    kernel = _bell(phase, _ATTACK, _RELEASE)
    return np.concatenate([kernel[:, _CHANNEL], kernel], axis=1)


@lru_cache(maxsize=_PHASES)
def _closing_kernel(phase: int) -> Floats:
    """How far a closure at each frame reaches, float32 of shape (frames, 1)."""
    return _bell(phase, np.array([_CLOSING]), np.array([_PARTING]))


def _lasting(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a closure is kept that is heard where `shown`, shape (frames, kinds): from a little before, and for long
    enough to be seen.
    """
    kept = shown.copy()
    for step in range(1, _EARLY + 1):
        kept[:-step] |= shown[step:]
    begun = shown.copy()
    begun[1:] &= ~shown[:-1]
    for step in range(1, _HELD - _EARLY):
        kept[step:] |= begun[:-step]
    return kept
