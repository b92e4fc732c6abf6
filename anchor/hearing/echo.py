"""The anchor's own voice in the visitor's microphone: what echo cancelling in a browser leaves of it.

What was sent is known to the sample, but not when it comes back, nor how loud. Both are learnt from envelopes in bands:
the delay is where the changes of what is heard are most like those of what was sent, the gain is the usual difference
there. Where nothing is alike (a headset) nothing is ever taken for echo. Numbers only; threads: see `Echo.sent`.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from anchor.media import SAMPLE_RATE, Floats, Samples
from anchor.talk import HEARING_RATE, Hearing

HOP_SECONDS = 0.008
"""Of envelopes; each of their frames is two hops long."""
EDGES = (200, 500, 1000, 2000, 3500, 6500)
"""Hz, of the bands."""
FLOOR = -75.0
"""dB of full scale in a band under which there is nothing."""

LONGEST_DELAY = 0.8
"""Seconds from a beat's going out to its coming back: network, jitter buffer, room and network again."""
REMEMBERED = 3.0
"""Seconds of the anchor's voice after which what was learnt has faded to a third."""
USUAL = 70
"""Of a hundred differences between what is heard and what was sent, the gain is the one this far up."""
MARGIN, WIDEST = 6.0, 10.0
"""dB over the echo that is expected, up to which a window is echo: more, where cancelling lets through now more and now
less."""
RARE = 95
ALIKE, SAME = 0.3, 0.6
"""Likeness of a tenth of a second that is learnt from, and of one in which the anchor is heard, however loud it is."""
SLOWLY = 0.2
"""dB that the echo may become louder in such a time: somebody else may be in it."""
TAIL, TAIL_DECAY = -3.0, 60 / 0.45
"""A room's: dB under what makes it, and dB a second it falls."""

UNKNOWN_SECONDS = 2.0
"""Of the anchor's voice, until which what is softer than `UNKNOWN_GAIN` may be echo although nothing is known yet."""
UNKNOWN_GAIN = -15.0
SURE = 0.4
"""Likeness, as a correlation, from which a delay is believed; it must also stand out of all others by `DISTINCT`."""
UNSURE, UNSURE_SECONDS = 0.25, 2.5
"""How much more it takes at first, when little has been heard and much is alike by chance."""
DISTINCT = 1.35
LOST = 0.2
"""Likeness under which it is not believed any more."""
ENOUGH = 0.6
"""Seconds of the anchor's voice before anything is believed."""

_KEPT = round(2.5 / HOP_SECONDS)
_LAGS = round(LONGEST_DELAY / HOP_SECONDS) + 1
_REACH = round(0.3 / HOP_SECONDS)
_STEP = 6
_BLOCK = 16
"""Frames that are learnt from at once."""
_RATIOS = round(2.5 / HOP_SECONDS)


class Bands:
    """Envelopes of one stream at `rate`, in dB of full scale: a row of bands for each hop."""

    def __init__(self, rate: int) -> None:
        self._hop = round(rate * HOP_SECONDS)
        size = 2 * self._hop
        window = np.hanning(size + 1)[:-1]
        self._window = window.astype(np.float32)
        self._scale = 2.0 / (size * float((window**2).sum()))
        self._edges = np.round(np.array(EDGES) * size / rate).astype(int)
        self._rest = np.zeros(self._hop, np.float32)

    @property
    def waiting(self) -> float:
        """Seconds that are held back until more comes."""
        return (len(self._rest) - self._hop) / self._hop * HOP_SECONDS

    def clear(self) -> None:
        self._rest = np.zeros(self._hop, np.float32)

    def feed(self, sound: Samples | Hearing) -> Floats:
        """Rows, float32 of shape (hops, bands), each of the frame that ends with its hop."""
        whole = np.concatenate([self._rest, sound])
        hops = len(whole) // self._hop - 1
        if hops <= 0:
            self._rest = whole
            return np.zeros((0, len(EDGES) - 1), np.float32)
        self._rest = whole[hops * self._hop :]
        if not whole.any():
            return np.full((hops, len(EDGES) - 1), FLOOR, np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(whole, 2 * self._hop)[:: self._hop][:hops]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2 * self._scale
        power = np.add.reduceat(power[:, : self._edges[-1]], self._edges[:-1], axis=1)
        rows: Floats = np.maximum(10 * np.log10(power + 1e-12), FLOOR).astype(np.float32)
        return rows


class Track:
    """The last rows of an envelope, by their number: frame n ends at n hops of the clock."""

    def __init__(self) -> None:
        self.end = 0
        self.rows = np.full((_KEPT, len(EDGES) - 1), FLOOR, np.float32)

    def put(self, end: int, rows: Floats) -> None:
        """Put rows that end before frame `end`. Where nothing was, there is silence; what overlaps is replaced."""
        start = end - len(rows)
        missing = start - self.end
        if missing >= _KEPT or missing <= -_KEPT:
            self.rows = np.full_like(self.rows, FLOOR)
        elif missing > 0:
            self.rows = np.concatenate([self.rows[missing:], np.full((missing, rows.shape[1]), FLOOR, np.float32)])
        elif missing < 0:
            self.rows = np.concatenate([np.full((-missing, rows.shape[1]), FLOOR, np.float32), self.rows[:missing]])
        self.rows = np.concatenate([self.rows, rows])[-_KEPT:]
        self.end = end

    def between(self, start: int, end: int) -> Floats:
        """Frames `start` to `end`; those that are not kept, or have not come, are silent."""
        rows = np.full((max(0, end - start), self.rows.shape[1]), FLOOR, np.float32)
        first = self.end - _KEPT
        a, b = max(start, first), min(end, self.end)
        if a < b:
            rows[a - start : b - start] = self.rows[a - first : b - first]
        return rows


class Echo:
    """Of one conversation. `sent` may be called in any thread; all else belongs to one thread at a time."""

    def __init__(self) -> None:
        self._coming: deque[tuple[Samples, float]] = deque(maxlen=100)
        self._sent, self._heard = Track(), Track()
        self._sent_bands, self._heard_bands = Bands(SAMPLE_RATE), Bands(HEARING_RATE)
        self._alike = np.zeros(_LAGS)
        self._sent_power = np.zeros(_LAGS)
        self._heard_power = 1e-9
        self._spoken = 0
        self._learnt = 0
        self._lag: int | None = None
        self._candidate: int | None = None
        self._gain = np.full(len(EDGES) - 1, UNKNOWN_GAIN, np.float32)
        self._ratios: deque[Floats] = deque(maxlen=_RATIOS)
        self._margin = MARGIN
        self._noise = np.full(len(EDGES) - 1, FLOOR, np.float32)
        self._judged: deque[bool] = deque(maxlen=_BLOCK // 4)

    @property
    def delay(self) -> float | None:
        """Seconds from a beat's going out to its echo; None while no echo is known."""
        return None if self._lag is None else self._lag * HOP_SECONDS

    @property
    def gain(self) -> float | None:
        """How loud the echo is against what was sent, in dB; None while no echo is known."""
        return None if self._lag is None else float(np.median(self._gain))

    @property
    def likely(self) -> bool:
        """Whether there is an echo, or there may be, for all that is known yet."""
        return self._lag is not None or self._spoken * HOP_SECONDS < UNKNOWN_SECONDS

    def sent(self, sound: Samples, at: float) -> None:
        """Sound of the anchor, 48 kHz mono, that goes out from `at` on; it is not copied. Costs nothing."""
        self._coming.append((sound, at))

    def explains(self, window: Hearing, at: float, *, follows: bool = True) -> bool:
        """Whether what the microphone heard, in a window at 16 kHz that ended at `at`, is the anchor's own voice."""
        self._take_sent()
        if not follows:
            self._heard_bands.clear()
        rows = self._heard_bands.feed(window)
        self._heard.put(_placed(self._heard.end + len(rows), at), rows)
        echo = self._is_echo(rows)
        self._judged.append(echo)
        if self._heard.end - self._learnt >= _BLOCK or self._heard.end < self._learnt:
            self._learnt = self._heard.end
            self._learn()
        return echo

    def _take_sent(self) -> None:
        while self._coming:
            try:
                sound, at = self._coming.popleft()
            except IndexError:  # the oldest went while we looked
                return
            rows = self._sent_bands.feed(sound)
            end = at + len(sound) / SAMPLE_RATE - self._sent_bands.waiting
            # A browser plays without gaps what came a little late.
            self._sent.put(_placed(self._sent.end + len(rows), end, within=0.06), rows)

    def _is_echo(self, rows: Floats) -> bool:
        heard = 10 ** (rows.mean(axis=0) / 10)
        end = self._heard.end
        if self._lag is not None:
            expected = self._expected(end - len(rows), end).max(axis=0) + self._gain
        elif self._spoken * HOP_SECONDS < UNKNOWN_SECONDS:
            expected = self._sent.between(end - _LAGS, end).max(axis=0) + UNKNOWN_GAIN
            expected[expected < FLOOR + UNKNOWN_GAIN + 1] = -np.inf
        else:
            return False
        loudest = float(np.sum(10 ** (expected / 10)))
        return bool(loudest > 1e-7 and heard.sum() <= loudest * 10 ** (self._margin / 10))

    def _expected(self, start: int, end: int) -> Floats:
        """What was sent, as it would come back in frames `start` to `end` at a gain of 1, the room's tail included."""
        assert self._lag is not None
        around = 2
        rows = self._sent.between(start - self._lag - _REACH - around, end - self._lag + around)
        rows = np.where(rows <= FLOOR, -200.0, rows)
        near = np.lib.stride_tricks.sliding_window_view(rows, 2 * around + 1, axis=0).max(axis=2)
        falling = TAIL - TAIL_DECAY * HOP_SECONDS * np.arange(_REACH, -1, -1)
        falling[-1] = 0.0
        tails = np.lib.stride_tricks.sliding_window_view(near, _REACH + 1, axis=0) + falling
        expected: Floats = tails.max(axis=2).astype(np.float32)
        return expected

    # What is learnt.

    def _learn(self) -> None:
        end = self._heard.end
        sent = self._sent.between(end - _BLOCK - _STEP - _LAGS, end)
        if sent.max() < FLOOR + 25:
            return
        self._noise = np.percentile(self._heard.rows, 10, axis=0).astype(np.float32)
        peak = np.maximum(sent.max(axis=0), FLOOR + 25)
        voiced = int((sent[-_BLOCK:].max(axis=1) > FLOOR + 25).sum())
        self._spoken += voiced
        heard = self._heard.between(end - _BLOCK - _STEP, end)
        moved = _changes(np.maximum(heard, self._noise + 4))
        out = _changes(np.maximum(sent, peak - 40))
        shifted = np.lib.stride_tricks.sliding_window_view(out, len(moved), axis=0)[::-1]
        shifted = shifted[:_LAGS]
        fade = np.exp(-_BLOCK * HOP_SECONDS / REMEMBERED)
        self._alike = fade * self._alike + np.einsum("lbt,tb->l", shifted, moved)
        self._sent_power = fade * self._sent_power + np.einsum("lbt,lbt->l", shifted, shifted)
        self._heard_power = fade * self._heard_power + float((moved**2).sum())
        self._find_delay()
        if self._lag is not None:
            then = shifted[self._lag].T
            same = float((then * moved).sum()) / (float(np.linalg.norm(then) * np.linalg.norm(moved)) + 1e-6)
            self._find_gain(heard[_STEP:], same)

    def likeness(self) -> Floats:
        """Correlation at each delay of 0, 1, 2... hops."""
        found: Floats = self._alike / np.sqrt(np.maximum(self._sent_power, self._sent_power.max() / 4 + 1e-9)
                                              * self._heard_power)  # fmt: skip
        return found

    def _find_delay(self) -> None:
        if self._spoken * HOP_SECONDS < ENOUGH:
            return
        likeness = self.likeness()
        best = int(likeness.argmax())
        others = likeness.copy()
        others[max(0, best - 9) : best + 10] = 0
        early = max(0.0, 1 - self._spoken * HOP_SECONDS / UNSURE_SECONDS)
        sure = likeness[best] >= SURE + UNSURE * early and likeness[best] >= DISTINCT * others.max()
        if self._lag is not None and likeness[max(0, self._lag - 3) : self._lag + 4].max() < LOST:
            self._lag = None
        if sure and self._candidate is not None and abs(self._candidate - best) <= 3:
            if self._lag is None or abs(self._lag - best) > 3:
                self._ratios.clear()
            self._lag = best
        self._candidate = best if sure else None

    def _find_gain(self, heard: Floats, same: float) -> None:
        """Learn from where the anchor is loud, and no one else is."""
        known_well = len(self._ratios) > _RATIOS // 3
        if known_well and same < (ALIKE if all(self._judged) else SAME):
            return
        end = self._heard.end
        expected = self._expected(end - len(heard), end)
        loud = expected > np.maximum(expected.max(axis=0), FLOOR + 25) - 20
        ratios = np.where(loud, heard - expected, np.nan)
        self._ratios.extend(row for row in ratios if not np.isnan(row).all())
        known = np.array(self._ratios)
        if len(known) < _BLOCK // 2:
            return
        spread = []
        for band in range(known.shape[1]):
            column = known[:, band]
            column = column[~np.isnan(column)]
            if len(column) >= _BLOCK // 2:
                usual, rare = np.percentile(column, (USUAL, RARE))
                self._gain[band] = min(usual, self._gain[band] + SLOWLY) if known_well else usual
                spread.append(float(rare - usual))
        if spread:
            wanted = float(np.clip(np.median(spread) + 2, MARGIN, WIDEST))
            self._margin = min(wanted, self._margin + SLOWLY)


def _placed(next_end: int, at: float, *, within: float = 0.02) -> int:
    """The number of the frame that ends at `at`: the next one, where that is as good as true."""
    return next_end if abs(next_end * HOP_SECONDS - at) <= within else round(at / HOP_SECONDS)


def _changes(rows: Floats) -> Floats:
    """How an envelope rises and falls: what was `_STEP` frames ago taken off."""
    changes: Floats = np.clip(rows[_STEP:] - rows[:-_STEP], -25, 25)
    return changes
