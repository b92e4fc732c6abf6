"""When somebody speaks: from the chance of speech in each window to the moments where speech begins and ends.

Pure: windows go in, moments come out. Times are seconds on any scale, of the window's end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from anchor.talk import Hearing

WINDOW_SECONDS = 0.032

LIKELY = 0.6
"""Chance of speech from which a window may begin it, and `UNLIKELY` under which it is not in it."""
UNLIKELY = 0.35

EVIDENCE = 1.0
"""What three windows must have together: never one alone, so that a click is none. Over 75 recordings the begin is
noticed 82 ms (median) and 142 ms (95 of 100) after the onset; asking for two likely windows costs 20 ms more. In three
minutes of noise of streets and offices nothing begins; with `LIKELY` at 0.5 it is two times."""

PAUSE = 0.2
"""Seconds without a voiced window after which speech has stopped."""

GAP = 0.5
"""Seconds without any window after which nothing that comes follows on what was."""

PREROLL = 0.3
"""Seconds before the first likely window that belong to speech: its soft beginning."""

# Levels in dB of full scale. Speech into a kiosk's microphone, with its gain control, has -40 to -10.
QUIETEST = -55.0
ABOVE_FLOOR = 6.0
BELOW_USUAL = 26.0
"""What is this much softer than people here usually speak is no visitor: a passer-by, the anchor's own rest of echo."""
WARY = 6.0
"""More of level, and half as much evidence again, while the anchor is heard: what echo cancelling leaves is speech."""
_FLOOR_LOWEST, _FLOOR_HIGHEST = -90.0, -35.0
_FLOOR_FALL, _FLOOR_RISE = 0.2, 0.01
_USUAL_RISE, _USUAL_FALL = 0.05, 0.002


class VoiceActivity(Protocol):
    """Hears windows of 512 samples at `HEARING_RATE`, one after another, of one stream."""

    def probability(self, window: Hearing) -> float:
        """The chance that somebody speaks in it, 0..1."""
        ...

    def reset(self) -> None:
        """What comes next does not follow on what was."""
        ...


@dataclass(frozen=True, slots=True)
class Began:
    """Speech began at `at`, the begin of its first window."""

    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing has been said since `at`, the end of the last voiced window."""

    at: float


Moment = Began | Ended


class Activity:
    """Hysteresis with an ear for loudness: one for each stream."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque(maxlen=3)
        self._last = float("-inf")
        self._voiced = float("-inf")
        self._floor = _FLOOR_HIGHEST - 20
        self._usual: float | None = None
        self.speaking = False
        self.wary = False

    @property
    def gate(self) -> float:
        """What is softer, in dB of full scale, begins no speech."""
        usual = QUIETEST if self._usual is None else self._usual - BELOW_USUAL
        return max(QUIETEST, self._floor + ABOVE_FLOOR, min(usual, -30.0)) + (WARY if self.wary else 0.0)

    def feed(self, at: float, probability: float, level: float, *, echo: bool = False) -> list[Moment]:
        """Take the window that ended at `at`, with its `level` in dB of full scale.

        One that is `echo` tells nothing of a visitor, nor of the noise around them.
        """
        moments: list[Moment] = []
        if at - self._last > GAP + WINDOW_SECONDS:
            moments += self.end()
            self._recent.clear()
        self._last = at
        probability = 0.0 if echo else probability
        if self.speaking:
            if probability >= UNLIKELY:
                self._voiced = at
                self._accustom(level)
            elif at - self._voiced >= PAUSE - 1e-6:
                moments += self.end()
            return moments
        if not echo:
            self._settle(level, probability)
        loud = level >= self.gate
        self._recent.append((at, probability if loud else 0.0))
        needed = EVIDENCE * (1.5 if self.wary else 1.0)
        if loud and probability >= LIKELY and sum(chance for _, chance in self._recent) >= needed:
            self.speaking, self._voiced = True, at
            first = next(end for end, chance in self._recent if chance >= UNLIKELY / 2)
            moments.append(Began(first - WINDOW_SECONDS))
        return moments

    def end(self) -> list[Moment]:
        """Speech stops here whatever comes: the sound has ended. Nothing when nobody speaks."""
        if not self.speaking:
            return []
        self.speaking = False
        self._recent.clear()
        return [Ended(self._voiced)]

    def _settle(self, level: float, probability: float) -> None:
        """Follow the noise between speech: down within a second, up within a few."""
        if probability < UNLIKELY:
            rate = _FLOOR_FALL if level < self._floor else _FLOOR_RISE
            floor = self._floor + rate * (level - self._floor)
            self._floor = min(_FLOOR_HIGHEST, max(_FLOOR_LOWEST, floor))

    def _accustom(self, level: float) -> None:
        """Learn how loud people are here; the loud half of a sentence counts."""
        if self._usual is None:
            self._usual = level
        rate = _USUAL_RISE if level > self._usual else _USUAL_FALL
        self._usual += rate * (level - self._usual)
