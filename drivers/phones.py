"""Lips from timed phones: ARKit weights with coarticulation, closure that always closes, and a head that takes part.

Each sound pulls at each articulator with a dominance that grows before it and fades after it; what is seen is the
weighted mean of what all sounds ask for (Cohen and Massaro, "Modeling coarticulation in synthetic visual speech", 1993,
with kernels of finite support so that frames need a bounded look-ahead). Closed lips of p, b, m and the lip under the
teeth of f, v are no matter of means: they are reached whatever stands around them (JALI, Edwards et al. 2016).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchor.errors import FormatError
from anchor.events import Phone
from anchor.media import ARKIT, SAMPLE_RATE, Blendshapes, Floats, HeadPose, LipSource, Samples
from anchor.ports import DriverInfo, SpeechChunk
from drivers.energy import Loudness
from drivers.gestures import Gestures, smooth_step
from drivers.untimed import Listener, Untimed
from drivers.visemes import CHANNEL_COLUMNS, CHANNELS, MATRIX, PULLS, VISEME_INDEX, VOWELS, columns, visemes_of

LOOKAHEAD = 0.25
"""Seconds of speech after a frame that may shape it."""

HOLD = 0.08
"""Seconds for which lips stay closed at least: two frames of 25 a second, wherever their middles fall."""

_BLOCK = 64
STRIDE = round(0.24 * SAMPLE_RATE)
"""Samples that are taken together: what a live stream costs is calls, not numbers."""
_PAST = 0.7
_PARTED_BEFORE = 0.16
_REST_AFTER = 0.22
_UNHEARD_AFTER = 0.4
_CORE = 0.22
_SILENT = 0.15
_SYLLABLE = 3
"""Hundredths of a second around a moment whose loudness tells how far a jaw goes, and not yet its neighbours'."""
_FASTEST = 9.0
"""Most a weight changes in a second outside closure; lips in speech peak near 20 cm/s over a range of some 2.5 cm."""

_DOMINANCE = np.array([pull.dominance for pull in PULLS])
_ATTACK = np.array([pull.attack for pull in PULLS])
_RELEASE = np.array([pull.release for pull in PULLS])
_MOVED = [column for indices in CHANNEL_COLUMNS for column in indices]
_CHANNEL_OF_MOVED = [channel for channel, indices in enumerate(CHANNEL_COLUMNS) for _ in indices]
_IS_OPENING = np.array([CHANNELS[channel] in ("jaw", "lips") for channel in _CHANNEL_OF_MOVED])
_MOVED_SHAPES = MATRIX[:, _MOVED]
_JAW, _CLOSE = columns("jaw")[0], columns("close")[0]
_OPENING = columns("jaw", "lowerDown", "upperUp")
# What a closure or a lip under the teeth decides alone; spreading and pursing go on underneath.
_SEALED = columns("jaw", "close", "press", "rollLower", "rollUpper", "lowerDown", "upperUp", "funnel", "tongue")
_PUCKER = columns("pucker")
_SEAL_ROW, _DENTAL_ROW = MATRIX[VISEME_INDEX["PP"]], MATRIX[VISEME_INDEX["FF"]]
_TEETH_TOGETHER = 0.13
_SEAL, _DENTAL, _TEETH = 1.0, 2.0, 3.0


@dataclass(slots=True)
class _Sound:
    """One viseme in time, seconds; its sound begins at `heard`, its mouth at `start`, sooner after an h.

    `effort` scales how far a vowel goes, `pace` the widths of its pulls.
    """

    viseme: str
    heard: float
    start: float
    end: float
    effort: float
    pace: float
    row: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        core = _CORE * (self.end - self.start)
        row = (self.start + core, self.end - core, VISEME_INDEX[self.viseme], self.effort, self.pace)
        self.row = (self.start, self.end, *row)


@dataclass(slots=True)
class _Hold:
    """A constraint that must be met from `start` to `end`, neared over `attack` and left over `release` seconds."""

    kind: float
    start: float
    end: float
    attack: float
    release: float

    @property
    def row(self) -> tuple[float, ...]:
        return (self.kind, self.start, self.end, self.attack, self.release)


@dataclass(slots=True)
class _Breath:
    start: float
    crest: float
    end: float


def _bell(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared cosine of the distance, 1 inside and 0 from one width away on."""
    # A minimum and a maximum cost a quarter of np.clip on the small arrays of live speech.
    away = np.minimum(np.maximum(np.maximum(before, after), 0), 1)
    bell: NDArray[np.float64] = np.cos(np.pi / 2 * away) ** 2
    return bell


class _Mouth:
    """Sounds known so far and the mouth they make; only what `LOOKAHEAD` allows reaches a frame."""

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self._sounds: list[_Sound] = []
        self._holds: list[_Hold] = []
        self._breaths: list[_Breath] = []
        self._mean_length = 0.085
        self._heard_until = -10.0
        self._aspirated: float | None = None

    def hear(self, phone: Phone) -> bool:
        """Take the next phone; True when it is (or holds) a vowel."""
        start, end = phone.start / SAMPLE_RATE, phone.end / SAMPLE_RATE
        vowel = False
        for viseme, share in visemes_of(phone.symbol):
            stop = start + share * (phone.end - phone.start) / SAMPLE_RATE
            if viseme != "sil" and stop > start:
                self._add(viseme, start, min(stop, end), phone.stress)
                vowel = vowel or viseme in VOWELS
            start = stop
        return vowel

    def _add(self, viseme: str, start: float, end: float, stress: int) -> None:
        self._open_after_pause(viseme, start)
        heard, length = start, end - start
        self._mean_length += 0.2 * (min(length, 0.2) - self._mean_length)
        if viseme == "hh":
            self._aspirated = start
            self._sounds.append(_Sound(viseme, heard, start, end, 1.0, 1.0))
            self._heard_until = max(self._heard_until, end)
            return
        if self._aspirated is not None and viseme in VOWELS:
            # h has the mouth of the vowel after it; more than 80 ms of that would outrun the look-ahead.
            start = max(self._aspirated, start - 0.08)
        self._aspirated = None
        pace = min(1.25, max(0.7, self._mean_length / 0.085))
        effort = min(1.1, 0.76 + 0.1 * stress + 0.9 * (min(length, 0.2) - 0.07)) if viseme in VOWELS else 1.0
        if self._holds and abs(self._holds[-1].end - start) < 0.1:
            self._holds[-1].release = min(self._holds[-1].release, max(0.03, 0.5 * length))
        self._constrain(viseme, start, end)
        self._sounds.append(_Sound(viseme, heard, start, end, effort, pace))
        self._heard_until = max(self._heard_until, end)

    def _open_after_pause(self, viseme: str, start: float) -> None:
        """Draw breath: lips part a little before speech, unless it begins with closed ones."""
        begin = max(start - 0.2, self._heard_until + 0.05, 0.0)
        if start - self._heard_until > 0.3 and start - begin > 0.1 and viseme not in ("PP", "FF", "bf"):
            self._breaths.append(_Breath(begin, begin + 0.55 * (start - begin), start + 0.06))

    def _constrain(self, viseme: str, start: float, end: float) -> None:
        before = self._sounds[-1] if self._sounds else None
        near = before is not None and start - before.end < 0.03
        attack = min(0.055, max(0.03, 0.5 * (before.end - before.start))) if before is not None and near else 0.07
        length = end - start
        if viseme == "SS" or (viseme == "CH" and length > 0.04):
            self._holds.append(_Hold(_TEETH, start + 0.2 * length, end - 0.2 * length, 0.05, 0.05))
            return
        if viseme not in ("PP", "FF"):
            return
        kept = max(self._hold, 0.8 * length)
        lead = max(0.0, 0.6 * (kept - length)) + (0.005 if kept < length else 0.0)
        kind = _SEAL if viseme == "PP" else _DENTAL
        self._holds.append(_Hold(kind, start - lead, start - lead + kept, attack, 0.045))

    def render(self, middles: NDArray[np.float64], levels: Floats) -> Floats:
        """Mouth weights, float32 of shape (frames, 52), before limits of speed and constraints."""
        self._forget(float(middles[0]))
        known = float(middles[-1]) + LOOKAHEAD
        rows = [sound.row for sound in self._sounds if sound.start <= known]
        weights = np.zeros((middles.size, len(ARKIT)), np.float32)
        if rows:
            self._blend(middles, np.array(rows), weights)
            loud = np.clip(0.58 + 0.55 * levels, 0.6, 1.08)
            weights[:, _OPENING] *= loud[:, None]
        for breath in self._breaths:
            before = (breath.crest - middles) / (breath.crest - breath.start)
            after = (middles - breath.crest) / (breath.end - breath.crest)
            weights[:, _JAW] += 0.07 * _bell(before, after)
        return weights

    def unheard(self, middles: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each moment is from any phone: 0 near one, 1 where a voice gives none."""
        if not self._sounds:
            return np.ones(middles.size)
        start, end = np.array([(sound.heard, sound.end) for sound in self._sounds]).T
        t = middles[:, None]
        ahead = (start - t - 0.05) / (LOOKAHEAD - 0.05)
        behind = (t - end - _UNHEARD_AFTER) / 0.2
        nearest: NDArray[np.float64] = np.maximum(np.minimum(np.maximum(ahead, behind), 1).min(axis=1), 0)
        return nearest

    @staticmethod
    def _blend(middles: NDArray[np.float64], rows: NDArray[np.float64], weights: Floats) -> None:
        start, end, core_start, core_end, index, effort, pace = rows.T
        viseme = index.astype(np.int64)
        t = middles[:, None]
        presence = _bell((start - t) / _PARTED_BEFORE, (t - end) / _REST_AFTER)
        alive = presence.max(axis=1)
        t = middles[:, None, None]
        scale = pace[:, None]
        bells = _bell(
            (core_start[:, None] - t) / np.minimum(_ATTACK[viseme] * scale, 0.17),
            (t - core_end[:, None]) / (_RELEASE[viseme] * scale),
        )
        # The faint tail keeps the last sound's mouth while it eases to rest, so that short gaps do not flap.
        pulls = _DOMINANCE[viseme] * (bells + 0.05 * presence[:, :, None])
        pulls /= np.maximum(pulls.sum(axis=1, keepdims=True), 1e-9)
        strength = np.where(_IS_OPENING, effort[:, None], 0.4 + 0.6 * effort[:, None])
        blend = np.einsum("fsc,sc->fc", pulls[:, :, _CHANNEL_OF_MOVED], _MOVED_SHAPES[viseme] * strength)
        weights[:, _MOVED] = blend * alive[:, None]

    def constrain(
        self, middles: NDArray[np.float64], weights: Floats, seal: NDArray[np.float64], dental: NDArray[np.float64]
    ) -> None:
        """Bring `weights` to closed lips, the lip under the teeth and teeth together where sounds demand it.

        `seal` and `dental`, shape (frames,), are what is heard of lips where there are no phones. They close over a jaw
        that stays half open then, as it does in people; phones know better how far it goes.
        """
        over = 0.5 * weights[:, _JAW] * np.maximum(seal, dental)
        first, last = float(middles[0]) - 0.1, float(middles[-1]) + 0.1
        holds = [hold.row for hold in self._holds if hold.start < last and hold.end > first]
        if holds:
            kind, start, end, attack, release = np.array(holds).T
            t = middles[:, None]
            force = _bell((start - t) / attack, (t - end) / release)
            seal = np.maximum(seal, (force * (kind == _SEAL)).max(axis=1))
            dental = np.maximum(dental, (force * (kind == _DENTAL)).max(axis=1))
            teeth = (force * (kind == _TEETH)).max(axis=1)
            weights[:, _JAW] += teeth * np.minimum(0, _TEETH_TOGETHER - weights[:, _JAW])
        dental = dental * (1 - seal)
        for share, row in ((dental, _DENTAL_ROW), (seal, _SEAL_ROW)):
            kept = (1 - share)[:, None]
            weights[:, _SEALED] = weights[:, _SEALED] * kept + row[_SEALED] * share[:, None]
        weights[:, _PUCKER] *= (1 - 0.6 * dental)[:, None]
        weights[:, [_JAW, _CLOSE]] += over[:, None]

    def _forget(self, now: float) -> None:
        gone = now - _PAST
        if self._sounds and self._sounds[0].end < gone - 0.5:
            self._sounds = [sound for sound in self._sounds if sound.end >= gone]
            self._holds = [hold for hold in self._holds if hold.end >= gone]
            self._breaths = [breath for breath in self._breaths if breath.end >= gone]


class _Take:
    """One utterance on its way from speech to face frames."""

    def __init__(self, fps: int, listen: Callable[[int], Listener] | None, *, timed: bool) -> None:
        self._fps = fps
        self._samples = SAMPLE_RATE // fps
        self._mouth = _Mouth(max(HOLD, 1 / fps))
        self._gestures = Gestures()
        self._loudness = Loudness()
        self._untimed = Untimed(listen)
        self._timed = timed
        self._source: LipSource = "voice"
        self._phones: list[Phone] = []
        self._waiting: list[Samples] = [np.zeros(0, np.float32)]
        self._known = 0
        self._next = 0
        self._last: Floats = np.zeros(len(ARKIT), np.float32)

    def push(self, chunk: SpeechChunk) -> list[Blendshapes]:
        if self._timed and chunk.phones:
            self._phones += chunk.phones
            self._source = chunk.source
        self._waiting.append(chunk.audio)
        if sum(audio.size for audio in self._waiting) < STRIDE:
            return []
        self._listen()
        ready = (self._known - round(LOOKAHEAD * SAMPLE_RATE) - self._samples // 2) // self._samples + 1
        return self._frames(ready, ended=False)

    def finish(self) -> list[Blendshapes]:
        self._listen()
        self._loudness.finish()
        self._untimed.finish()
        return self._frames(-(-self._known // self._samples), ended=True)

    def _listen(self) -> None:
        sound = np.concatenate(self._waiting)
        self._waiting = [sound[:0]]
        self._loudness.push(sound)
        self._untimed.push(sound)
        self._known += sound.size

    def _frames(self, until: int, *, ended: bool) -> list[Blendshapes]:
        frames: list[Blendshapes] = []
        while self._next < until:
            count = min(_BLOCK, until - self._next)
            frames += self._render(count, ended=ended)
            self._next += count
        return frames

    def _hear(self, horizon: float) -> None:
        reached = 0
        for phone in self._phones:
            if phone.start > horizon * SAMPLE_RATE:
                break
            reached += 1
            vowel = self._mouth.hear(phone)
            start, end = phone.start / SAMPLE_RATE, phone.end / SAMPLE_RATE
            if visemes_of(phone.symbol)[0][0] != "sil":
                self._gestures.hear(phone.symbol, start, end, accent=vowel and phone.stress == 2)
        del self._phones[:reached]

    def _render(self, count: int, *, ended: bool) -> list[Blendshapes]:
        beats = np.arange(self._next, self._next + count, dtype=np.float64)
        middles: NDArray[np.float64] = (beats + 0.5) * (self._samples / SAMPLE_RATE)
        self._hear(float(middles[-1]) + LOOKAHEAD)
        levels, _ = self._loudness.around(middles)
        weights = self._mouth.render(middles, levels)
        unheard = self._mouth.unheard(middles)
        if unheard.any():
            weights += self._untimed.face(middles, unheard, *self._loudness.around(middles, _SYLLABLE))
        self._limit(weights)
        self._mouth.constrain(middles, weights, *self._untimed.closures(middles, unheard))
        extra, pose = self._gestures.render(middles)
        if ended:
            self._come_to_rest(middles, weights, extra, pose)
        weights += extra
        np.clip(weights, 0, 1, out=weights)
        self._loudness.forget(int((middles[-1] - 1) * SAMPLE_RATE))
        self._untimed.forget(float(middles[-1]) - 1)
        return [
            Blendshapes(
                row,
                HeadPose(yaw=float(yaw), pitch=float(pitch), roll=float(roll)),
                lips=("" if level < _SILENT else self._untimed.source) if away > 0.5 else self._source,
            )
            for row, (pitch, yaw, roll), away, level in zip(weights, pose, unheard, levels, strict=True)
        ]

    def _come_to_rest(
        self, middles: NDArray[np.float64], weights: Floats, extra: Floats, pose: NDArray[np.float64]
    ) -> None:
        """Let everything settle by the end of the speech; only frames that are not known before it are touched."""
        left = (self._known / SAMPLE_RATE - middles)[:, None]
        weights *= np.clip((left + 0.02) / 0.14, 0, 1).astype(np.float32)
        extra *= np.clip((left + 0.02) / 0.10, 0, 1).astype(np.float32)
        pose *= smooth_step(left / (LOOKAHEAD - 0.01))

    def _limit(self, weights: Floats) -> None:
        most = np.float32(_FASTEST / self._fps)
        last = self._last
        for row in weights:
            np.minimum(np.maximum(row, last - most, out=row), last + most, out=row)
            last = row
        self._last = weights[-1].copy()


class PhoneDriver:
    """Drives a face from timed phones; where a voice gives none, from the sound. A pure function of the speech."""

    name = "phones"
    _timed = True

    def __init__(self) -> None:
        self._listen: Callable[[int], Listener] | None = None

    @property
    def info(self) -> DriverInfo:
        return DriverInfo(self.name, "blendshapes", LOOKAHEAD + STRIDE / SAMPLE_RATE)

    async def drive(self, speech: AsyncIterable[SpeechChunk], fps: int) -> AsyncIterator[Blendshapes]:
        """Yield one face for every started 1/fps of sound.

        Raises `FormatError` for a frame rate that does not divide `SAMPLE_RATE`.
        """
        if fps < 1 or SAMPLE_RATE % fps:
            raise FormatError(f"{fps} frames a second: a frame must hold a whole number of {SAMPLE_RATE} Hz samples")
        take = _Take(fps, self._listen, timed=self._timed)
        async for chunk in speech:
            for face in take.push(chunk):
                yield face
        for face in take.finish():
            yield face


class EnergyDriver(PhoneDriver):
    """Drives a face from loudness alone: the last resort, and what others are measured against."""

    name = "energy"
    _timed = False
