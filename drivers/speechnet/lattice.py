"""The best way through the sounds of a text, frame by frame as they are heard (Viterbi 1967, with a bounded delay)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.media import Floats
from drivers.speechnet.inventory import SILENCE

_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Unit:
    """One sound that must be passed through, or may be where it is `optional`; `least` is frames of 10 ms."""

    sound: int
    least: int = 2
    optional: bool = False
    stay: float = 0.0
    """Log-probability of another frame in the sound after the least ones, in relation to going on."""


class Lattice:
    """Aligns log-posteriors to `units`; belongs to one sentence.

    A unit is a chain of `least` states whose last one may be stayed in. `push` frames as they come; `path` is the unit
    of each frame so far, whose last half second the frames after it may still change.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = tuple(units)
        self._unit_of = np.concatenate([np.full(unit.least, index) for index, unit in enumerate(units)])
        self._sound = np.array([units[index].sound for index in self._unit_of])
        firsts = np.concatenate([[0], np.cumsum([unit.least for unit in units])])
        count = int(firsts[-1])
        self._stay = np.full(count, _NEVER, np.float32)
        lasts = firsts[1:] - 1
        self._stay[lasts] = [unit.stay for unit in units]
        # Where a state can be entered from past an optional unit; -1 for nowhere.
        self._skip = np.full(count, -1)
        for index in range(2, len(units)):
            if units[index - 1].optional:
                self._skip[firsts[index]] = lasts[index - 2]
        self._skips = np.flatnonzero(self._skip >= 0)
        self._skipped = self._skip[self._skips]
        self._score: Floats = np.full(count, _NEVER, np.float32)
        self._starts = [0] + ([int(firsts[1])] if units[0].optional and len(units) > 1 else [])
        self._lasts = [int(lasts[-1])] + ([int(lasts[-2])] if units[-1].optional and len(units) > 1 else [])
        self._moves: list[NDArray[np.int8]] = []

    def __len__(self) -> int:
        return len(self._moves)

    def push(self, scores: Floats) -> None:
        """Take log-probabilities of every sound, float32 of shape (frames, sounds)."""
        heard = scores[:, self._sound]
        score = self._score
        entered = np.empty_like(score)
        for row in heard:
            if not self._moves:
                score[:] = _NEVER
                score[self._starts] = 0
                moves = np.zeros(score.size, np.int8)
            else:
                entered[0] = _NEVER
                entered[1:] = score[:-1]
                stayed = score + self._stay
                moves = (entered > stayed).view(np.int8)
                best = np.maximum(entered, stayed)
                if self._skips.size:
                    past = score[self._skipped]
                    better = past > best[self._skips]
                    where = self._skips[better]
                    best[where] = past[better]
                    moves[where] = 2
                score[:] = best
            score += row
            self._moves.append(moves)

    def path(self, since: int = 0, *, ended: bool) -> NDArray[np.int64]:
        """The unit of every frame from `since` on, by the best way to the end of the text, or to wherever it is now."""
        states = np.zeros(max(0, len(self._moves) - since), np.int64)
        if not states.size:
            return states
        state = max(self._lasts, key=lambda last: self._score[last]) if ended else int(np.argmax(self._score))
        for frame in range(len(self._moves) - 1, since - 1, -1):
            states[frame - since] = state
            move = self._moves[frame][state]
            if frame and move:
                state = state - 1 if move == 1 else int(self._skip[state])
        units: NDArray[np.int64] = self._unit_of[states]
        return units

    @property
    def best(self) -> float:
        """The score of the best way to wherever it is by now."""
        return float(self._score.max()) if self._moves else 0.0

    @property
    def complete(self) -> bool:
        """Whether the end of the text can be reached by now."""
        return bool(self._moves) and max(self._score[last] for last in self._lasts) > _NEVER / 2


def silence(least: int = 1) -> Unit:
    return Unit(SILENCE, least, optional=True)
