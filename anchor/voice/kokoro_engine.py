"""Kokoro at work, in the process of `anchor.voice.engine_host`.

A request is ``{"speaker": {name: share}, "pieces": [{"symbols", "speed", "pitch", "volume", "pause"}]}``:
speed and pitch (factors) and volume (decibels) of each symbol, and the silence after the piece in seconds. The first
part of each piece's sound is told ``{"durations", "begin", "samples"}``: frames of each symbol and the two ends, how
many samples were cut off at its beginning, and how many it has in all. Networks that tell no durations leave them out.

A sentence is planned as a whole and sounded in stretches, so that the first is heard soon. The network normalises its
layers over all frames that it is given, so a stretch is not quite what it is in the whole: over thirteen sentences of
five languages its loudness differed by 1.3 dB (standard deviation, by 50 ms). Means of other sentences instead of its
own made some stretches fade away.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.errors import VoiceError
from anchor.media import Samples
from anchor.voice import kokoro_files
from anchor.voice.kokoro_network import Network, Planned
from anchor.voice.kokoro_symbols import FRAME, LATE_SECONDS, LEAD_SECONDS, MARKS, MOST, RATE, TAIL_SECONDS

FIRST, GROWTH, LONGEST = 36, 4, 200
"""Frames of the first stretch, how much longer each next one is, and of any."""
AROUND = 8
"""Frames on both sides that the network looks at."""
_CROSSING = round(0.008 * RATE)
_FADE_SECONDS = 0.01
_AUDIBLE = 0.0
"""Strength of a frame that is heard: under it, its sound is 50 dB below full scale."""
_QUIET = 0.003
"""Largest sample of what counts as silence, where there are no durations to tell."""

_Floats = NDArray[np.float32]


class KokoroEngine:
    """`anchor.voice.engine_host.Engine`. `device` is one of `anchor.onnx_session.devices`. Raises `AnchorError`."""

    def __init__(self, *, model: str, threads: int = 1, device: str = "cpu") -> None:
        self._files = kokoro_files.find(Path(model))
        self._network = Network(self._files.network, threads=threads, device=device)
        self._styles = dict[str, _Floats]()

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": RATE, "device": str(self._network.device)}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        style = self._style(request["speaker"])
        for piece in request["pieces"]:
            silence = np.zeros(round(float(piece["pause"]) * RATE), np.float32)
            row = style[min(len(piece["symbols"]), MOST) - 1][None]
            if not self._network.halved:
                yield {}, np.concatenate([self._plainly(piece, row), silence])
            else:
                yield from self._finely(piece, row, silence)

    def _plainly(self, piece: dict[str, Any], row: _Floats) -> Samples:
        sound = self._network.whole(piece["symbols"], row, float(np.mean(piece["speed"])))
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        if not loud.size:
            return sound[:0]
        sound = sound[max(0, loud[0] - round(LEAD_SECONDS * RATE)) : loud[-1] + round(TAIL_SECONDS * RATE)]
        return _faded(sound * np.float32(10 ** (np.mean(piece["volume"]) / 20)), first=True, last=True)

    def _finely(
        self, piece: dict[str, Any], row: _Floats, silence: Samples
    ) -> Iterator[tuple[dict[str, Any], Samples]]:
        planned = self._network.plan(
            piece["symbols"], row, speed=_with_ends(piece["speed"]), pitch=_with_ends(piece["pitch"])
        )
        begin, end = _edges(planned, piece["symbols"])
        curve = _volumes(piece["volume"], planned)
        told: dict[str, Any] = {
            "durations": planned.durations.tolist(), "begin": begin, "samples": end - begin + len(silence)
        }  # fmt: skip
        place = begin
        for sound, last in self._stretches(planned, row, begin, end):
            if curve is not None:
                sound = np.asarray(sound * curve[place : place + len(sound)], np.float32)
            sound = _faded(sound, first=place == begin, last=last)
            place += len(sound)
            yield told, np.concatenate([sound, silence]) if last else sound
            told = {}

    def _stretches(self, planned: Planned, row: _Floats, begin: int, end: int) -> Iterator[tuple[Samples, bool]]:
        """The samples from `begin` to `end` in stretches, each crossfaded with the one before it."""
        start, past = begin // FRAME, min(planned.frames, -(-end // FRAME))
        if past - start < 1.5 * FIRST:
            # What is short is soon there.
            yield self._network.sound(planned, row)[begin:end], True
            return
        place, length, tail = begin, float(FIRST), np.zeros(0, np.float32)
        while start < past:
            cut = past if past - start < 1.5 * length else _quietest(planned, start, round(length))
            first = max(0, start - AROUND)
            sound = self._network.sound(planned, row, start=first, end=min(planned.frames, cut + AROUND))
            until = min(end, cut * FRAME)
            stretch = sound[place - first * FRAME : until - first * FRAME].copy()
            crossed = min(len(tail), len(stretch))
            ramp = np.linspace(0, 1, crossed, dtype=np.float32)
            stretch[:crossed] = stretch[:crossed] * ramp + tail[:crossed] * (1 - ramp)
            tail = sound[until - first * FRAME :][:_CROSSING]
            yield stretch, cut == past
            start, place, length = cut, until, min(LONGEST, length * GROWTH)

    def _style(self, shares: dict[str, float]) -> _Floats:
        mixed = np.zeros((MOST, kokoro_files.STYLE), np.float32)
        for name, share in shares.items():
            if name not in self._styles:
                if name not in self._files.speakers:
                    raise VoiceError(f"Kokoro has no speaker {name!r}")
                rows = self._files.style(name)
                self._styles[name] = rows[np.minimum(np.arange(MOST), len(rows) - 1)]
            mixed += np.float32(share) * self._styles[name]
        return mixed


def _with_ends(values: list[float]) -> _Floats:
    return np.array([1.0, *values, 1.0], np.float32)


def _edges(planned: Planned, symbols: str) -> tuple[int, int]:
    """Samples between which something is said, and a little around them."""
    last = max((place for place, one in enumerate(symbols) if one not in MARKS and one != " "), default=0)
    times = np.cumsum(planned.durations) * FRAME - round(LATE_SECONDS * RATE)
    begin = max(0, int(times[0]) - round(LEAD_SECONDS * RATE))
    end = min(planned.frames * FRAME, int(times[last + 1]) + round(TAIL_SECONDS * RATE))
    # The last sound's time holds the silence that follows it, half a second in Chinese.
    loud = np.flatnonzero(planned.strength[0][::2][: -(-end // FRAME)] > _AUDIBLE)
    if loud.size:
        end = min(end, (int(loud[-1]) + 1) * FRAME + round(TAIL_SECONDS * RATE))
    return begin, max(begin + FRAME, end)


def _quietest(planned: Planned, start: int, length: int) -> int:
    """The frame about `length` behind `start` before which a seam is heard least: without voice, and soft."""
    frames = np.arange(start + round(length * 0.8), start + round(length * 1.2))
    frames = frames[frames < planned.frames]
    voiced, strength = planned.tune[0] > 10, planned.strength[0]
    cost = [
        strength[2 * one - 2 : 2 * one + 2].mean() + 10 * voiced[2 * one - 2 : 2 * one + 2].mean() for one in frames
    ]
    return int(frames[int(np.argmin(cost))])


def _volumes(decibels: list[float], planned: Planned) -> _Floats | None:
    if not any(decibels):
        return None
    middles = (np.cumsum(planned.durations) - planned.durations / 2) * FRAME - round(LATE_SECONDS * RATE)
    curve = np.interp(np.arange(planned.frames * FRAME), middles, [decibels[0], *decibels, decibels[-1]])
    return np.asarray(10 ** (curve / 20), np.float32)


def _faded(sound: Samples, *, first: bool, last: bool) -> Samples:
    length = min(len(sound) // 2, round(_FADE_SECONDS * RATE))
    if not length or not (first or last):
        return sound
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
    faded = sound.copy()
    if first:
        faded[:length] *= ramp
    if last:
        faded[-length:] *= ramp[::-1]
    return faded
