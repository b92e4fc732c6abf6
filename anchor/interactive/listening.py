"""A microphone's sound on one line of time, and what each window of it is: the work of `anchor.interactive.ears`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anchor.hearing.activity import VoiceActivity
from anchor.hearing.echo import Echo
from anchor.hearing.resample import Resampler
from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE, Hearing

WINDOW = 512
RATIO = SAMPLE_RATE // HEARING_RATE

GAP_SECONDS = 1.0
"""Sound that comes so much later than the sound before it ended does not follow on it."""

CATCH_UP = 0.002
"""How fast, in seconds a second, the line follows a microphone whose clock is slower than ours."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound as it came, float32 of shape (samples,), from sample `start` of the time line on.

    `origin`: when the line's first sample was spoken, on the event loop's clock, as far as was known.
    """

    start: int
    sound: Samples
    origin: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """512 samples at `HEARING_RATE` that end at sample `end` of the time line, with what was made of them."""

    end: int
    sound: Hearing
    probability: float
    level: float
    follows: bool = True
    """Whether it begins where the one before it ended."""
    echo: bool = False
    """Whether it is no more than the anchor's own voice."""

    @property
    def end_seconds(self) -> float:
        return self.end / SAMPLE_RATE


class Timeline:
    """Gives each sample a place and each place a time.

    Sound comes late by a varying time and never early, so the earliest of it says when the first sample was spoken.
    """

    def __init__(self) -> None:
        self._next = 0
        self._origin: float | None = None

    def place(self, sound: Samples, at: float, most: int, *, muted: bool = False) -> Piece:
        """Place sound that came in at `at`, its end: the last `most` samples of it. What is `muted` becomes silence."""
        size = len(sound)
        begun = at - (self._next + size) / SAMPLE_RATE
        if self._origin is None:
            self._origin = begun
        elif begun > self._origin + GAP_SECONDS:
            self._next += round((begun - self._origin) * SAMPLE_RATE)
        elif begun < self._origin:
            self._origin = begun
        else:
            self._origin = min(begun, self._origin + CATCH_UP * size / SAMPLE_RATE)
        start, self._next = self._next, self._next + size
        left_out = max(0, size - most)
        kept = sound[left_out:]
        # A copy: whose buffer it is may be filled again before anybody looks.
        return Piece(start + left_out, np.zeros(len(kept), np.float32) if muted else np.array(kept), self._origin)

    def time_of(self, seconds: float) -> float:
        """When a moment of the line was spoken, on the event loop's clock, as far as is known."""
        return (self._origin or 0.0) + seconds


class Listening:
    """Judges the sound of one microphone; belongs to one thread at a time."""

    def __init__(self, activity: VoiceActivity, echo: Echo | None = None) -> None:
        self._activity = activity
        self._echo = echo
        self._resampler = Resampler()
        self._rest: Hearing = np.zeros(0, np.float32)
        self._start = 0
        """Place of the first sample of `_rest`."""
        self._expected: int | None = None
        self._follows = False

    def judge(self, pieces: Sequence[Piece]) -> list[Window]:
        """The windows that are complete now."""
        found: list[Window] = []
        for piece in pieces:
            if piece.start != self._expected:
                self._restart(piece.start)
            self._expected = piece.start + len(piece.sound)
            heard = self._resampler.feed(clean(piece.sound))
            self._rest = np.concatenate([self._rest, heard]) if len(self._rest) else heard
            while len(self._rest) >= WINDOW:
                found.append(self._window(self._rest[:WINDOW], piece.origin))
                self._rest = self._rest[WINDOW:]
        return found

    def _restart(self, start: int) -> None:
        self._resampler.clear()
        self._activity.reset()
        self._rest = np.zeros(0, np.float32)
        self._start = start
        self._follows = False

    def _window(self, sound: Hearing, origin: float) -> Window:
        follows, self._follows = self._follows, True
        self._start += WINDOW * RATIO
        at = origin + self._start / SAMPLE_RATE
        echo = self._echo is not None and self._echo.explains(sound, at, follows=follows)
        return Window(self._start, sound.copy(), self._activity.probability(sound), level(sound), follows, echo)


def clean(sound: Samples) -> Samples:
    """Finite numbers in -1..1, float32, one channel, whatever came."""
    sound = np.asarray(sound)
    if sound.ndim > 1:
        sound = sound.reshape(len(sound), -1).mean(axis=1)
    return np.clip(np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32, copy=False)


def level(sound: Hearing) -> float:
    """Root mean square in dB of full scale without its mean, which microphones with an offset have; at least -120."""
    return float(10 * np.log10(max(1e-12, float(np.var(sound)))))
