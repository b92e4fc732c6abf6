"""What brows, lids and head do while the mouth speaks: they follow stress and phrasing.

Everything is a function of the phones alone. Chance comes from a running checksum of the symbols spoken so far, so that
the same text moves the same way and another text does not.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.media import ARKIT, ARKIT_INDEX, Floats

PHRASE_GAP = 0.15
"""Seconds without a phone that end a phrase."""

_MEASURES = ("pitch", "yaw", "roll", "innerUp", "outerUp", "browDown", "wide", "blink", "smile")
_PITCH, _YAW, _ROLL = range(3)
_WEIGHTS = {
    "innerUp": ("browInnerUp",),
    "outerUp": ("browOuterUpLeft", "browOuterUpRight"),
    "browDown": ("browDownLeft", "browDownRight"),
    "wide": ("eyeWideLeft", "eyeWideRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
}
_TO_ARKIT = np.zeros((len(_MEASURES), len(ARKIT)), np.float64)
for _name, _shapes in _WEIGHTS.items():
    _TO_ARKIT[_MEASURES.index(_name), [ARKIT_INDEX[shape] for shape in _shapes]] = 1.0

_ACCENT_RISE, _ACCENT_FALL = 0.17, 0.38
_BROW_FALL = 0.5
_MEMORY = 3.0
_FARTHEST = math.radians(2.8)


@dataclass(frozen=True, slots=True)
class _Pulse:
    """Measures that swell from `start` to `crest`, stay for `hold` seconds and are gone at `end`."""

    start: float
    crest: float
    hold: float
    end: float
    measures: tuple[float, ...]


@dataclass(slots=True)
class _Phrase:
    start: float
    end: float
    closed: bool
    yaw: float
    roll: float
    luck: int


def _measures(**values: float) -> tuple[float, ...]:
    return tuple(values.get(name, 0.0) for name in _MEASURES)


def smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1 as x does, without a start or a stop."""
    x = np.minimum(np.maximum(x, 0), 1)
    return x * x * (3 - 2 * x)


class Gestures:
    """Accents and phrases heard so far, as movements; times are seconds of utterance time."""

    def __init__(self) -> None:
        self._luck = zlib.crc32(b"gestures")
        self._pulses: list[_Pulse] = []
        self._phrases: list[_Phrase] = []
        self._next_accent = 0.0

    def _chance(self, salt: str) -> float:
        return zlib.crc32(salt.encode(), self._luck) / 2**32

    def hear(self, symbol: str, start: float, end: float, *, accent: bool) -> None:
        """Take the next phone; `accent` says that it is a vowel with primary stress."""
        if not self._phrases or start - self._phrases[-1].end >= PHRASE_GAP:
            self._begin_phrase(start)
        phrase = self._phrases[-1]
        phrase.end = max(phrase.end, end)
        self._luck = phrase.luck = zlib.crc32(symbol.encode(), self._luck)
        if accent and start >= self._next_accent:
            self._accent(start, end)

    def _begin_phrase(self, start: float) -> None:
        if self._phrases:
            self._phrases[-1].closed = True
            self._pulses += self._farewell(self._phrases[-1])
        lean = math.radians(0.9)
        yaw, roll = lean * (2 * self._chance("yaw") - 1), 0.6 * lean * (2 * self._chance("roll") - 1)
        self._phrases.append(_Phrase(start, start, False, yaw, roll, self._luck))

    def _accent(self, start: float, end: float) -> None:
        strength = 0.55 + 0.45 * self._chance("strength")
        crest = start + min(0.09, 0.5 * (end - start))
        kind = self._chance("kind")
        if kind < 0.78:
            nod = -math.radians(1.7) * strength
            sway = math.radians(0.5) * (2 * self._chance("sway") - 1)
            head = _measures(pitch=nod, yaw=sway)
            self._pulses.append(_Pulse(crest - _ACCENT_RISE, crest, 0.0, crest + _ACCENT_FALL, head))
        if kind > 0.45:
            brows = _measures(innerUp=0.24 * strength, outerUp=0.26 * strength, wide=0.12 * strength)
            self._pulses.append(_Pulse(crest - _ACCENT_RISE, crest, 0.06, crest + _BROW_FALL, brows))
        elif kind < 0.12:
            frown = _measures(browDown=0.16 * strength, innerUp=0.08)
            self._pulses.append(_Pulse(crest - _ACCENT_RISE, crest, 0.06, crest + _BROW_FALL, frown))
        self._next_accent = start + 0.55 + 0.75 * self._chance("rest")

    @staticmethod
    def _farewell(phrase: _Phrase) -> list[_Pulse]:
        """What the end of a phrase brings. Nothing starts more than 50 ms before it: it is not known earlier."""
        draw = [zlib.crc32(salt, phrase.luck) / 2**32 for salt in (b"nod", b"blink")]
        start = phrase.end - 0.05
        pulses = [_Pulse(start, start + 0.3, 0.1, start + 1.0, _measures(smile=0.05))]
        if draw[0] < 0.65:
            pulses.append(_Pulse(start, start + 0.2, 0.0, start + 0.65, _measures(pitch=-math.radians(1.3))))
        if draw[1] < 0.4:
            pulses.append(_Pulse(start, start + 0.1, 0.06, start + 0.34, _measures(blink=1.0)))
        return pulses

    def render(self, middles: NDArray[np.float64]) -> tuple[Floats, NDArray[np.float64]]:
        """Weights to add, float32 of shape (frames, 52), and pitch, yaw and roll in radians, shape (frames, 3)."""
        now, until = float(middles[0]), float(middles[-1])
        self._pulses = [pulse for pulse in self._pulses if pulse.end > now]
        self._phrases = [phrase for phrase in self._phrases if not phrase.closed or phrase.end + _MEMORY > now]
        active = [pulse for pulse in self._pulses if pulse.start < until]
        if self._phrases and self._phrases[-1].end - 0.05 < until:
            active += self._farewell(self._phrases[-1])
        total = np.zeros((middles.size, len(_MEASURES)))
        if active:
            total += self._swell(middles, active) @ np.array([pulse.measures for pulse in active])
        for phrase in self._phrases:
            begun, over = (middles - phrase.start + 0.1) / 0.6, (middles - phrase.end + 0.05) / 0.7
            lean = smooth_step(begun) * (1 - smooth_step(over))
            total[:, _YAW] += phrase.yaw * lean
            total[:, _ROLL] += phrase.roll * lean
        pose = np.clip(total[:, :3], -_FARTHEST, _FARTHEST)
        return (total @ _TO_ARKIT).astype(np.float32), pose

    @staticmethod
    def _swell(middles: NDArray[np.float64], pulses: list[_Pulse]) -> NDArray[np.float64]:
        start, crest, hold, end = np.array([(p.start, p.crest, p.hold, p.end) for p in pulses]).T
        t = middles[:, None]
        near = np.minimum((t - start) / (crest - start), (end - t) / (end - crest - hold))
        size: NDArray[np.float64] = np.sin(np.pi / 2 * np.minimum(np.maximum(near, 0), 1)) ** 2
        return size
