"""Whether all words of a text, and nothing else, are heard in a sound.

Two hypotheses are held against the text as it stands, each by its best path through the lattice: that one word is not
there, and that something is said between two words that is in no word. Scores before and after every frame, from both
ends (as in Rabiner 1989, with maxima for sums), give all of them in two passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.media import Floats
from drivers.speechnet.inventory import SILENCE
from drivers.speechnet.lattice import Unit

NEVER = np.float32(-1e9)
SHORTEST_EXTRA = 30
"""Frames of 10 ms that must be in no word before they count."""
EXTRA_COST = 0.6
"""Nepers a frame that what is in no word must be better than what is heard at best, which always wins otherwise."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The states of a lattice: units of at least so many frames, of which optional ones may be passed by."""

    sounds: NDArray[np.int64]
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    optional: NDArray[np.bool_]

    @classmethod
    def of(cls, units: Sequence[Unit]) -> Chain:
        least = np.array([unit.least for unit in units])
        ends = np.cumsum(least)
        return cls(
            np.repeat([unit.sound for unit in units], least), ends - least, ends - 1,
            np.array([unit.optional for unit in units]),
        )  # fmt: skip

    def reversed(self) -> Chain:
        count = len(self.sounds)
        return Chain(
            self.sounds[::-1], count - 1 - self.lasts[::-1], count - 1 - self.firsts[::-1], self.optional[::-1]
        )


def forward(scores: Floats, chain: Chain) -> Floats:
    """The best way from the start to each state, by frame: float32 of shape (frames, states).

    The best way from each state to the end is the same of both reversed. `scores` are log-probabilities of sounds.
    """
    heard = scores[:, chain.sounds]
    stays = np.full(len(chain.sounds), NEVER, np.float32)
    stays[chain.lasts] = 0
    # Where a unit is entered from past an optional one.
    over = [index for index in range(2, len(chain.firsts)) if chain.optional[index - 1]]
    into, out_of = chain.firsts[over], chain.lasts[[index - 2 for index in over]]
    found = np.full(heard.shape, NEVER, np.float32)
    if not len(heard):
        return found
    found[0, chain.firsts[0]] = 0
    if chain.optional[0] and len(chain.firsts) > 1:
        found[0, chain.firsts[1]] = 0
    found[0] += heard[0]
    for frame in range(1, len(heard)):
        before, now = found[frame - 1], found[frame]
        np.add(before, stays, out=now)
        np.maximum(now[1:], before[:-1], out=now[1:])
        now[into] = np.maximum(now[into], before[out_of])
        now += heard[frame]
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said against a text. `absent`: of each word, by how many nepers the sound is likelier without it.

    `extra`: of each place before, between and behind words, by how many it is likelier with something else in it, and
    `extra_frames` how long that is. `unexplained`: nepers a frame between the text and what is heard at best, but for
    the worst of these.
    """

    absent: Floats
    extra: Floats
    extra_frames: NDArray[np.int64]
    unexplained: float


def judge(scores: Floats, units: Sequence[Unit], word_of: Sequence[int | None], words: int) -> Verdict | None:
    """Hold a sentence against its text; None where the sound is too short for it.

    `scores` are bounded log-probabilities, `word_of` says which word a unit belongs to.
    """
    chain = Chain.of(units)
    ahead = forward(scores, chain)
    behind = forward(scores[::-1], chain.reversed())[::-1, ::-1]
    frames = len(scores)
    if not frames:
        return None
    ends = [int(chain.lasts[-1])] + ([int(chain.lasts[-2])] if chain.optional[-1] and len(units) > 1 else [])
    total = float(ahead[-1, ends].max())
    if total < NEVER / 2:
        return None
    best = scores.max(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(np.delete(scores, SILENCE, axis=1).max(axis=1) - EXTRA_COST)])
    spans = {number: [index for index, word in enumerate(word_of) if word == number] for number in range(words)}
    absent = np.full(words, NEVER, np.float32)
    for number, own in spans.items():
        if own:
            left, right = _before(chain, ahead, own[0]), _after(chain, behind, own[-1] + 1, len(units))
            absent[number] = (left + right).max() - total
    places = [0, *(own[-1] + 1 for own in spans.values() if own)]
    extra, lengths = np.full(len(places), NEVER, np.float32), np.zeros(len(places), np.int64)
    for number, place in enumerate(places):
        left, right = _before(chain, ahead, place), _after(chain, behind, place, len(units))
        # Something from frame a to frame b - 1: what is best until a, and from b on.
        opening = np.maximum.accumulate(left - sums)
        since = np.maximum.accumulate(np.where(left - sums == opening, np.arange(frames + 1), 0))
        gains = (right + sums)[SHORTEST_EXTRA:] + opening[: frames + 1 - SHORTEST_EXTRA]
        if len(gains):
            at = int(gains.argmax())
            extra[number], lengths[number] = gains[at] - total, at + SHORTEST_EXTRA - since[at]
    worst = max(0.0, float(absent.max(initial=0.0)), float(extra.max()))
    return Verdict(absent, extra, lengths, (float(best.sum()) - total - worst) / frames)


def _before(chain: Chain, ahead: Floats, unit: int) -> Floats:
    """The best way through all before a unit, by the number of frames it takes: float32 of shape (frames + 1,)."""
    found = np.full(len(ahead) + 1, NEVER, np.float32)
    if unit == 0 or (unit == 1 and chain.optional[0]):
        found[0] = 0
    if unit:
        found[1:] = ahead[:, chain.lasts[unit - 1]]
        if unit > 1 and chain.optional[unit - 1]:
            found[1:] = np.maximum(found[1:], ahead[:, chain.lasts[unit - 2]])
    return found


def _after(chain: Chain, behind: Floats, unit: int, units: int) -> Floats:
    """The best way through a unit and all behind it, by the frame it begins in: float32 of shape (frames + 1,)."""
    found = np.full(len(behind) + 1, NEVER, np.float32)
    if unit == units or (unit == units - 1 and chain.optional[unit]):
        found[-1] = 0
    if unit < units:
        found[:-1] = behind[:, chain.firsts[unit]]
        if unit + 1 < units and chain.optional[unit]:
            found[:-1] = np.maximum(found[:-1], behind[:, chain.firsts[unit + 1]])
    return found
