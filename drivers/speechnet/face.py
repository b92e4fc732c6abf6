"""A mouth from what the network hears: each moment asks for every mouth it may be, in proportion to its chance.

The blend is that of `drivers.phones` (dominance, Cohen and Massaro 1993) with chances in the place of known phones, so
that doubt shows as a middling mouth and not as a wrong one. Closed lips and the lip under the teeth are decided, not
blended: a chance of one third is enough, for a missed closure is seen and a short one too many is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, Floats, Samples
from drivers.speechnet.inventory import INDEX, SOUNDS
from drivers.speechnet.network import Listening
from drivers.visemes import CHANNEL_COLUMNS, MATRIX, PULLS, VISEME_INDEX, visemes_of

RATE = 100
"""Frames of the network a second."""
CLOSED = 0.35
DENTAL = 0.25
"""Chances from which on a closure and a lip under the teeth are shown."""

_ATTACK = np.array([0.07, 0.09, 0.13, 0.06, 0.05])
_RELEASE = np.array([0.07, 0.09, 0.10, 0.06, 0.05])
_REST = 0.6
"""Dominance of silence."""


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
_BILABIAL = [INDEX[sound] for sound in "pbm"]
_LABIODENTAL = [INDEX[sound] for sound in "fv"]


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
        reach = float(max(_ATTACK.max(), _RELEASE.max()))
        first = max(0, int((middles[0] - reach) * RATE) - self._dropped)
        last = min(len(self._chances), int((middles[-1] + reach) * RATE) + 2 - self._dropped)
        chances = self._chances[first:last]
        weights = np.zeros((middles.size, len(ARKIT)), np.float32)
        if not len(chances):
            return weights
        times = (np.arange(first, last) + self._dropped) / RATE
        dominance, shaped = chances @ _DOMINANCE, chances @ _SHAPED
        away = times[None, :] - middles[:, None]
        for channel, columns in enumerate(CHANNEL_COLUMNS):
            width = np.where(away > 0, _ATTACK[channel], _RELEASE[channel])
            kernel = np.cos(np.pi / 2 * np.minimum(1, np.abs(away) / width)).astype(np.float32) ** 2
            total = kernel @ dominance[:, channel]
            weights[:, columns] = (kernel @ shaped[:, columns]) / np.maximum(total, 1e-6)[:, None]
        return weights

    def events(self, since: float, until: float) -> list[tuple[str, float, float]]:
        """Closures (``PP``) and lips under teeth (``FF``) that begin from `since` on and before `until`, in seconds.

        One that reaches what is not heard yet ends there.
        """
        found = []
        for name, which, least in (("PP", _BILABIAL, CLOSED), ("FF", _LABIODENTAL, DENTAL)):
            shown = np.concatenate([[False], self._chances[:, which].sum(1) > least, [False]])
            edges = np.flatnonzero(np.diff(shown.astype(np.int8))).reshape(-1, 2)
            for low, high in (edges + self._dropped) / RATE:
                if since <= low < until:
                    found.append((name, float(low), float(high)))
        return found

    def forget(self, before: float) -> None:
        """Let go of what was heard earlier than `before` seconds."""
        count = int(before * RATE) - self._dropped
        if count > RATE:
            self._chances = self._chances[count:]
            self._dropped += count
