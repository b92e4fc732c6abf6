"""How well a mouth fits speech: numbers from arrays that are sampled `RATE` = 100 times a second.

Openings are in any unit; what counts is their range, from the smallest to the 97th percentile. Phones are in samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.bench.lips import BILABIAL, SHUT
from anchor.bench.lipsync.classes import CLASSES, GROUPS, INDEX, RATE, Classes
from anchor.events import Phone
from anchor.media import ARKIT_INDEX, SAMPLE_RATE, Floats

SLACK = 0.02
"""Seconds by which a closure may come before or after its label."""
EARLIEST, LATEST = -10, 15
"""Steps of 10 ms within which a driver's one constant lag is looked for."""
OFFSETS = 0.25
"""Seconds to either side within which the offset of a recording is looked for."""
PAUSE = 0.3
_EDGE = 0.25
_STILL = 1e-3
_LABIODENTAL = ("f", "v", "ɱ", "ʋ")
Openings = NDArray[np.float32] | NDArray[np.float64]


def shifted(track: Classes, steps: int) -> Classes:
    """`track` as it would be `steps` of 10 ms earlier; its ends are held."""
    return track[np.clip(np.arange(len(track)) + steps, 0, len(track) - 1)] if len(track) else track


def best_lag(labels: Sequence[Classes], shown: Sequence[Classes]) -> int:
    """The one lag of all recordings, in steps of 10 ms, at which most frames of speech are right."""
    lags = sorted(range(EARLIEST, LATEST + 1), key=abs)
    return max(lags, key=lambda lag: _right(labels, shown, lag))


def _right(labels: Sequence[Classes], shown: Sequence[Classes], lag: int) -> int:
    pairs = zip(labels, shown, strict=True)
    return sum(int(((label > 0) & (label == shifted(given, lag))).sum()) for label, given in pairs)


def confusion(labels: Sequence[Classes], shown: Sequence[Classes], lag: int = 0) -> NDArray[np.int64]:
    """Frames by what they are labelled (rows) and shown as (columns): int64, shape (15, 15)."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for label, given in zip(labels, shown, strict=True):
        np.add.at(counts, (label, shifted(given, lag)), 1)
    return counts


def accuracy15(labels: Sequence[Classes], shown: Sequence[Classes], lag: int | None = None) -> float:
    """The part of the frames of speech whose class is right, after one constant lag (the best, where none is given)."""
    counts = confusion(labels, shown, best_lag(labels, shown) if lag is None else lag)[1:]
    return float(np.trace(counts, offset=1)) / max(1, int(counts.sum()))


def group_recall(labels: Sequence[Classes], shown: Sequence[Classes], lag: int = 0) -> float:
    """Unweighted mean over `GROUPS` that occur of the part of a group's frames that are shown as one of it (UAR)."""
    counts = confusion(labels, shown, lag)
    recalls = []
    for names in GROUPS.values():
        members = [INDEX[name] for name in names]
        if total := int(counts[members].sum()):
            recalls.append(int(counts[np.ix_(members, members)].sum()) / total)
    return float(np.mean(recalls)) if recalls else math.nan


@dataclass(frozen=True, slots=True)
class Range:
    """From where to where a mouth opens."""

    low: float
    high: float

    @classmethod
    def of(cls, tracks: Sequence[Openings]) -> Range:
        together = np.concatenate([np.asarray(track, np.float64) for track in tracks])
        return cls(float(together.min()), float(np.percentile(together, 97)))

    def parts(self, openings: Openings) -> Floats:
        """Openings in parts of the range. A mouth that does not move is open all the time."""
        if self.high - self.low < _STILL:
            return np.ones(len(openings), np.float32)
        return ((openings - self.low) / (self.high - self.low)).astype(np.float32)


def within(phone: Phone, frames: int, slack: float = SLACK, rate: int = RATE) -> slice:
    """The steps whose middles lie in a phone, `slack` seconds to either side included."""
    first = math.ceil((phone.start / SAMPLE_RATE - slack) * rate - 0.5 - 1e-6)
    last = math.floor((phone.end / SAMPLE_RATE + slack) * rate - 0.5 + 1e-6)
    return slice(max(0, first), max(0, min(frames, last + 1)))


def bilabials_closed(parts: Floats, phones: Sequence[Phone], rate: int = RATE) -> list[bool]:
    """For every p, b, m whether lips that open by `parts` of their range close in it: recall is the mean."""
    return [
        bool(parts[within(phone, len(parts), rate=rate)].min(initial=1.0) < SHUT)
        for phone in phones
        if phone.symbol.startswith(BILABIAL)
    ]


def runs(mask: NDArray[np.bool_]) -> list[slice]:
    """Where `mask` is true without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(int(low), int(high)) for low, high in edges.reshape(-1, 2)]


def closures_meant(parts: Floats, phones: Sequence[Phone]) -> list[bool]:
    """For every time that lips are closed whether a p, b, m or silence is there: precision is the mean.

    An f or v means it too: with the lip under the teeth no gap is left between a speaker's lips either.
    """
    meant = np.ones(len(parts), bool)
    for closing in (False, True):
        for phone in phones:
            if phone.symbol.startswith((*BILABIAL, *_LABIODENTAL)) == closing:
                meant[within(phone, len(parts), SLACK if closing else 0.0)] = closing
    return [bool(meant[run].any()) for run in runs(parts < SHUT)]


def closure_holds(parts: Floats, phones: Sequence[Phone]) -> list[float]:
    """Seconds for which lips stay closed at every p, b, m that closes them between two other phones."""
    spoken = np.zeros(len(parts), bool)
    for phone in phones:
        spoken[within(phone, len(parts), 0.0)] = True
    shut = runs(parts < SHUT)
    holds = []
    for phone in phones:
        if phone.symbol.startswith(BILABIAL):
            place = within(phone, len(parts))
            found = [run for run in shut if run.start < place.stop and run.stop > place.start and spoken[run].all()]
            holds += [(run.stop - run.start) / RATE for run in found[:1]]
    return holds


def lip_under_teeth(weights: Floats) -> NDArray[np.bool_]:
    """Whether faces, shape (faces, 52), show an f: the lower lip rolled in below an upper lip that is raised.

    The lower lip rolls in more than the upper one and the pressing of closed lips would account for.
    """

    def part(name: str) -> Floats:
        column: Floats = weights[:, ARKIT_INDEX[name]]
        return column

    rolled, raised = part("mouthRollLower"), part("mouthUpperUpLeft")
    shown: NDArray[np.bool_] = (
        (rolled > 0.3) & (raised > 0.1) & (rolled > 2 * part("mouthRollUpper")) & (rolled > part("mouthPressLeft"))
    )
    return shown


def labiodentals_shown(shown: NDArray[np.bool_], phones: Sequence[Phone]) -> list[bool]:
    """For every f and v whether it is `shown` in it: recall is the mean."""
    return [bool(shown[within(phone, len(shown))].any()) for phone in phones if phone.symbol.startswith(_LABIODENTAL)]


def correlation(shown: Openings, asked: Openings, where: NDArray[np.bool_] | None = None, lag: int = 0) -> float:
    """Pearson's, `shown` being `lag` steps late; NaN where either stands still."""
    steps = np.arange(len(asked)) + lag
    known = (steps >= 0) & (steps < len(shown))
    if where is not None:
        known &= where
    x, y = np.asarray(shown, np.float64)[steps[known]], np.asarray(asked, np.float64)[known]
    if len(x) < 3 or np.ptp(x) < _STILL or np.ptp(y) < _STILL:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def aperture_correlation(
    shown: Sequence[Openings], asked: Sequence[Openings], spoken: Sequence[NDArray[np.bool_]]
) -> tuple[float, int]:
    """Mean over recordings of the correlation in speech after the one lag that is best for all, and that lag.

    A mouth that stands still correlates 0.
    """

    def mean(lag: int) -> float:
        found = [correlation(*each, lag) for each in zip(shown, asked, spoken, strict=True)]
        return float(np.mean(np.nan_to_num(found))) if found else math.nan

    return _best(mean, range(EARLIEST, LATEST + 1))


def _best(score: Callable[[int], float], lags: range) -> tuple[float, int]:
    scores = {lag: score(lag) for lag in sorted(lags, key=abs)}
    lag = max(scores, key=lambda each: scores[each])
    return scores[lag], lag


def offset(shown: Openings, asked: Openings) -> float:
    """Seconds by which `shown` comes after `asked`, where their cross-correlation peaks; NaN for a still mouth.

    The peak is a parabola through the best step and its neighbours.
    """
    reach = round(OFFSETS * RATE)
    size = min(len(shown), len(asked))
    if size <= 2 * reach:
        return math.nan
    x, y = np.asarray(shown[:size], np.float64), np.asarray(asked[:size], np.float64)
    if np.ptp(x) < _STILL or np.ptp(y) < _STILL:
        return math.nan
    x, y = np.pad(x - x.mean(), reach), y - y.mean()
    fits = [float(x[lag : lag + size] @ y) for lag in range(2 * reach + 1)]
    at = int(np.argmax(fits))
    between = 0.0
    if 0 < at < 2 * reach:
        before, peak, after = fits[at - 1 : at + 2]
        bend = before - 2 * peak + after
        between = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return (at + between - reach) / RATE


def jitter(parts: Floats, phones: Sequence[Phone]) -> list[float]:
    """How much lips stir, as the standard deviation in parts of their range, in every pause of `PAUSE` or more.

    A quarter of a second at either end (a third of shorter pauses), in which a mouth comes to rest or draws breath, is
    left out.
    """
    quiet = np.ones(len(parts), bool)
    for phone in phones:
        quiet[within(phone, len(parts), 0.0)] = False
    stirred = []
    for run in runs(quiet):
        length = run.stop - run.start
        edge = min(round(_EDGE * RATE), length // 3)
        if length >= PAUSE * RATE:
            stirred.append(float(np.std(parts[run.start + edge : run.stop - edge])))
    return stirred
