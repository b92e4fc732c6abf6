"""A mouth from what the network hears: each moment asks for every mouth it may be, in proportion to its chance.

The blend is that of `drivers.phones` (dominance, Cohen and Massaro 1993) with chances in the place of known phones, so
that doubt shows as a middling mouth and not as a wrong one. Closed lips and the lip under the teeth are decided, not
blended: a chance of one third is enough, for a missed closure is seen and a short one too many is not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, Floats, Samples
from drivers.speechnet.inventory import SOUNDS
from drivers.speechnet.network import Listening
from drivers.visemes import CHANNEL_COLUMNS, MATRIX, PULLS, VISEME_INDEX, visemes_of

RATE = 100
"""Frames of the network a second."""
AHEAD = 0.09
"""Seconds after a moment whose sounds may shape its mouth; with the network's own delay well within a driver's."""
CLOSED = 0.35
DENTAL = 0.25
"""Chances from which on a closure and a lip under the teeth are shown."""

_ATTACK = np.array([0.07, 0.09, 0.09, 0.06, 0.05])
_RELEASE = np.array([0.07, 0.09, 0.12, 0.06, 0.05])
_REST = 0.6
"""Dominance of silence."""
_CLOSING, _PARTING = 0.05, 0.045
"""Seconds in which lips come together before a closure and part after it."""
_EARLY, _HELD = 2, 7
"""Frames by which a closure comes before it is heard, for lips close before sound stops, and lasts at least."""


def _asked() -> tuple[Floats, Floats]:
    """For each sound and channel its dominance, and for each sound the dominance times shape of every ARKit weight."""
    dominance = np.zeros((len(SOUNDS), len(CHANNEL_COLUMNS)), np.float32)
    shaped = np.zeros((len(SOUNDS), len(ARKIT)), np.float32)
    for row, sound in enumerate(SOUNDS):
        for viseme, share in visemes_of(sound):
            index = VISEME_INDEX[viseme]
            pull = np.array(PULLS[index].dominance) if viseme != "sil" else np.full(len(CHANNEL_COLUMNS), _REST)
            dominance[row] += share * pull
            for channel, columns in enumerate(CHANNEL_COLUMNS):
                shaped[row, columns] += share * pull[channel] * MATRIX[index, columns]
    return dominance, shaped


_DOMINANCE, _SHAPED = _asked()
_DECIDED = np.array([[sound in "pbm", sound in "fv"] for sound in SOUNDS], np.float32)
_LEAST = np.array([CLOSED, DENTAL], np.float32)


class Heard:
    """What the network has made of a growing sound, and the mouth at any moment that it reaches.

    The sound begins at `origin`, a whole number of frames; times are seconds of the whole speech.
    """

    def __init__(self, origin: int = 0) -> None:
        self._listening = Listening()
        self._chances: Floats = np.zeros((0, len(SOUNDS)), np.float32)
        self._dropped = origin

    def push(self, audio: Samples) -> None:
        self._add(self._listening.push(audio))

    def finish(self) -> None:
        self._add(self._listening.finish())

    def _add(self, sounds: Floats) -> None:
        if len(sounds):
            self._chances = np.concatenate([self._chances, np.exp(sounds)])

    @property
    def chances(self) -> Floats:
        """Chances of sounds for frames not yet forgotten, float32 of shape (frames, sounds)."""
        return self._chances

    def around(self, middles: NDArray[np.float64]) -> Floats:
        """Mouth weights, float32 of shape (len(middles), 52), at times in seconds; closures are not in it."""
        weights = np.zeros((middles.size, len(ARKIT)), np.float32)
        chances, away = self._near(middles)
        if not len(chances):
            return weights
        dominance, shaped = chances @ _DOMINANCE, chances @ _SHAPED
        for channel, columns in enumerate(CHANNEL_COLUMNS):
            kernel = _bell(away, _ATTACK[channel], _RELEASE[channel])
            total = kernel @ dominance[:, channel]
            weights[:, columns] = (kernel @ shaped[:, columns]) / np.maximum(total, 1e-6)[:, None]
        return weights

    def closures(self, middles: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far lips are closed, and the lower lip is under the teeth, at times in seconds: 0 to 1."""
        chances, away = self._near(middles)
        if not len(chances):
            return np.zeros(middles.size), np.zeros(middles.size)
        kernel = _bell(away, _CLOSING, _PARTING)
        kept = _lasting(chances @ _DECIDED > _LEAST)
        seal, dental = ((kernel * kept[:, which]).max(axis=1).astype(np.float64) for which in (0, 1))
        return seal, dental

    def _near(self, middles: NDArray[np.float64]) -> tuple[Floats, NDArray[np.float64]]:
        """Chances around `middles`, and how much later than each of them they are: shape (middles, frames).

        What is later than `AHEAD` counts as endlessly late, known or not: frames do not depend on the cut of the sound.
        """
        first = max(0, math.floor((middles[0] - 0.25) * RATE) - self._dropped)
        last = min(len(self._chances), math.floor((middles[-1] + AHEAD) * RATE) + 1 - self._dropped)
        times = (np.arange(first, max(first, last)) + self._dropped) / RATE
        away = times[None, :] - middles[:, None]
        away[away > AHEAD] = np.inf
        return self._chances[first : max(first, last)], away

    def forget(self, before: float) -> None:
        """Let go of what was heard earlier than `before` seconds."""
        count = int(before * RATE) - self._dropped
        if count > RATE:
            self._chances = self._chances[count:]
            self._dropped += count


def _bell(away: NDArray[np.float64], before: float, after: float) -> Floats:
    """Squared cosine, 1 at no distance and 0 from `before` seconds ahead and `after` seconds behind on."""
    width = np.minimum(1, np.maximum(away / before, -away / after))
    return (np.cos(np.pi / 2 * width) ** 2).astype(np.float32)


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
