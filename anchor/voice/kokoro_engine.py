"""Kokoro at work, in the process of `anchor.voice.engine_host`.

A request is ``{"speaker": {name: share}, "language", "pieces": [{"symbols", "speed", "pitch", "volume", "pause"}]}``:
speed and pitch (factors) and volume (decibels) of each symbol, and the silence after the piece in seconds. The first
part of each piece's sound is told ``{"durations", "begin", "samples"}``: frames of each symbol and the two ends, how
many samples were cut off at its beginning, and how many it has in all. Networks that tell no durations leave them out.

A sentence is planned as a whole and sounded in stretches, so that the first is heard soon. They are normalised by
means that the speaker has in a sentence of the language (`_HEARD`), made once and kept beside the network: against its
own means a sentence so differs by 2 dB of its short-time spectrum, as much as by the network's chance; stretches that
are normalised each by itself differ by 4 and change their loudness.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
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

FIRST, GROWTH, LONGEST = 36, 1.5, 160
"""Frames of the first stretch, how much longer each next one is, and of any."""
AROUND = 8
"""Frames on both sides that a stretch must hear to sound as it does in the whole (to 0.2 dB)."""
_CROSSING = round(0.008 * RATE)
_FADE_SECONDS = 0.01
_AUDIBLE = 0.0
"""Strength of a frame that is heard: under it, its sound is 50 dB below full scale."""
_QUIET = 0.003
"""Largest sample of what counts as silence, where there are no durations to tell."""

_HEARD = {
    "en": "ðə ɡˈʌvəɹnmənt sˈɛd ɑn mˈʌndA ðæt ɪt wɪl ɹˈAz tˈæksᵻz fɔɹ lˈɑɹʤ "
    "kˈʌmpəniz, bʌt smˈɔl ʃˈɑps wɪl pˈA nˈʌθɪŋ mˈɔɹ.",
    "zh": "ʨi→ntʰjɛ→n ʂa↘ŋu↓, ʂɨ↘ʨje↘ kɤ↘ti↘ tɤ wɤ↗nxwa↘ ʨje↗ ʦai↘ pei↓ʨi→ŋ "
    "kʰai→mu↘, ʨi↓tʰjɛ→n nei↘ ʨjou↓ ʂou→tau↘ xən↓ two→ xwan→ji↗ŋ.",
    "ja": "kʲoː βa toːkʲoː de ɕiɴbɯɴ o jomɯ çito ɡa ɸɯete, zeɴkokɯ de βa hatɕi "
    "maɴ niɴ ni nata to ʔiɯ koto desɨ.",
    "es": "el ɡoβjˈeɾno anunθjˈo el mˈaɾtes ke suβiɾˈa las pensjˈones, peɾo los "
    "siŋdikˈatos kˈɾeen ke no bˈasta paɾa todos.",
    "fr": "lə ministʁ a pʁezɑ̃te maʁdˈi œ̃ bɔ̃ plˈɑ̃ puʁ lekonomˈi fʁɑ̃sˈɛz, mɛ "
    "le syndikˈa dəmˈɑ̃d boku plys dəpɥi tʁwˈa mwˈa.",
}  # fmt: skip
"""What a speaker's means are taken from: some six seconds with most of a language's sounds."""

_Floats = NDArray[np.float32]


class KokoroEngine:
    """`anchor.voice.engine_host.Engine`. `device` is ``cpu``, ``auto`` or ``cuda:0``. Raises `AnchorError`."""

    def __init__(self, *, model: str, threads: int = 1, device: str = "cpu") -> None:
        self._files = kokoro_files.find(Path(model))
        self._network = Network(self._files.network, threads=threads, device=device)
        self._styles = dict[str, _Floats]()
        self._means = dict[str, _Floats]()

    @property
    def facts(self) -> dict[str, Any]:
        return {"rate": RATE, "provider": self._network.provider}

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        style = self._style(request["speaker"])
        norms = self._norms(request["speaker"], request["language"], style) if self._network.halved else None
        for piece in request["pieces"]:
            silence = np.zeros(round(float(piece["pause"]) * RATE), np.float32)
            row = style[min(len(piece["symbols"]), MOST) - 1][None]
            if norms is None:
                yield {}, np.concatenate([self._plainly(piece, row), silence])
            else:
                yield from self._finely(piece, row, norms, silence)

    def _plainly(self, piece: dict[str, Any], row: _Floats) -> Samples:
        sound = self._network.whole(piece["symbols"], row, float(np.mean(piece["speed"])))
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        if not loud.size:
            return sound[:0]
        sound = sound[max(0, loud[0] - round(LEAD_SECONDS * RATE)) : loud[-1] + round(TAIL_SECONDS * RATE)]
        return _faded(sound * np.float32(10 ** (np.mean(piece["volume"]) / 20)), first=True, last=True)

    def _finely(
        self, piece: dict[str, Any], row: _Floats, norms: _Floats, silence: Samples
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
        for sound, last in self._stretches(planned, row, norms, begin, end):
            if curve is not None:
                sound = np.asarray(sound * curve[place : place + len(sound)], np.float32)
            sound = _faded(sound, first=place == begin, last=last)
            place += len(sound)
            yield told, np.concatenate([sound, silence]) if last else sound
            told = {}

    def _stretches(
        self, planned: Planned, row: _Floats, norms: _Floats, begin: int, end: int
    ) -> Iterator[tuple[Samples, bool]]:
        """The samples from `begin` to `end` in stretches, each crossfaded with the one before it."""
        start, past = begin // FRAME, min(planned.frames, -(-end // FRAME))
        if past - start < 1.5 * FIRST:
            # The style of few symbols is one of its own, and what is short is soon there.
            yield self._network.sound(planned, row)[begin:end], True
            return
        place, length, tail = begin, float(FIRST), np.zeros(0, np.float32)
        while start < past:
            cut = past if past - start < 1.5 * length else _quietest(planned, start, round(length))
            first = max(0, start - AROUND)
            sound = self._network.sound(planned, row, norms=norms, start=first, end=min(planned.frames, cut + AROUND))
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

    def _norms(self, shares: dict[str, float], language: str, style: _Floats) -> _Floats:
        text = _HEARD.get(language, _HEARD["en"])
        key = hashlib.sha256(json.dumps([self._files.version, sorted(shares.items()), text]).encode()).hexdigest()[:24]
        if key not in self._means:
            path = self._files.network.parent / "means" / f"{key}.npy"
            means = _kept(path)
            if means is None:
                means = self._measured(text, style)
                _keep(path, means)
            self._means[key] = means
        return self._means[key]

    def _measured(self, text: str, style: _Floats) -> _Floats:
        row, ones = style[len(text) - 1][None], np.ones(len(text) + 2, np.float32)
        return self._network.means(self._network.plan(text, row, speed=ones, pitch=ones), row)


def _kept(path: Path) -> _Floats | None:
    with contextlib.suppress(OSError, ValueError, EOFError):
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    return None


def _keep(path: Path, means: _Floats) -> None:
    """Write for the next start; where nothing can be written, they are made again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        with part.open("wb") as file:
            np.save(file, means)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


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
