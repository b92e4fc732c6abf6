"""Piper's networks at work: what `anchor.voice.engine_host` runs for `anchor.voice.piper`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from anchor.errors import ModelError
from anchor.loudness import loudness
from anchor.media import SAMPLE_RATE, Samples
from anchor.onnx_session import open_session
from anchor.onnxfile import read_checked
from anchor.protobuf import Damaged
from anchor.voice.onnx_parts import Network
from anchor.voice.piper_network import PACE, Plan, plan

PIECES_SECONDS = (0.25, 0.5, 1.0)
"""Of sound that is made at once: little first, so that it is heard soon; the last holds for all that follow."""
LEAD_SECONDS, TAIL_SECONDS = 0.05, 0.12
"""Sound kept before the first phone and after the last; the network makes up to half a second of silence there."""
AUDIBLE = -40.0
"""Decibels, of the voice's loudness, above which a sound begins; the softest consonants are 30 under it."""
RAMP_SECONDS = 0.005
CHANNELS = 192
"""Of VITS's latent values, in all of Piper's qualities (the smallest has half of them)."""

_REACHES = (10, 14, 20, 28, 40, 56)
"""Frames on each side that may change a frame's sound; the first is right for Piper's medium and low qualities."""
_ALIKE = 1e-3

_Arrays = NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Made:
    """What the first network made of ids: `frames` of each, or none, and either latent values or the sound itself."""

    frames: NDArray[np.int64] | None
    latent: NDArray[np.float32] | None
    fixed: tuple[NDArray[np.float32], ...]
    sound: Samples


class PiperEngine:
    """`model` is the .onnx file, `rate` its samples a second, `trial` ids of a sentence to measure it with.

    A request has ``parts``, each with ``ids``, ``pace`` (a factor on the time of each id), ``first`` and ``end`` (the
    ids that sound) and ``pause`` (seconds of silence before it), and ``speaker`` (or None), ``noise`` and ``noise_w``.
    The first piece of each part tells ``part``, ``onset`` and ``samples`` (where in the sentence it is first heard, and
    ends) and ``starts`` (the sample where each id begins, and where the last ends; none where the network is silent
    about it).
    Raises `ModelError`.
    """

    def __init__(
        self, *, model: str, rate: int, trial: Sequence[int], device: str, threads: int, timings: bool, many: bool
    ) -> None:
        self._path = Path(model)
        self._rate = rate
        try:
            self._plan = plan(Network.read(memoryview(read_checked(self._path))), timings=timings)
        except Damaged as reason:
            raise ModelError(f"{self._path}: {reason}") from None
        self._takes_speaker = "sid" in self._plan.network.inputs
        self._encoder, where = open_session(self._path, self._plan.encoder(), device, threads=threads)
        self._taken = tuple(one.name for one in self._encoder.get_inputs())
        self._decoder = None
        if self._plan.latent:
            self._decoder, where = open_session(self._path, self._plan.decoder(), device, threads=threads)
        self._device = str(where)
        self._plan = Plan(  # the bytes of the weights are in the sessions now
            Network(b"", (), {}, dict.fromkeys(self._plan.network.inputs, b""), {}), self._plan.output,
            self._plan.durations, self._plan.latent, self._plan.fixed, self._plan.noises, self._plan.paced,
        )  # fmt: skip
        self._hop, self._reach = 1, 0
        self._noise = np.zeros((1, CHANNELS, 0), np.float32)
        self._lufs = -24.0
        self._lufs = self._measure(trial, 0 if many else None)

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "rate": self._rate, "device": self._device, "timed": bool(self._plan.durations),
            "streams": bool(self._reach), "repeatable": len(self._plan.noises), "lufs": self._lufs,
        }  # fmt: skip

    def _measure(self, ids: Sequence[int], speaker: int | None) -> float:
        """Find how many samples a frame has and how far the decoder looks; how loud the voice is."""
        made = self._made({"speaker": speaker}, ids, np.ones(len(ids), np.float32))
        sound = made.sound if made.latent is None else self._decoded(made.latent, made.fixed)
        if made.frames is not None:
            total = int(made.frames.sum()) if made.latent is None else made.latent.shape[-1]
            self._hop = sound.size // max(1, total)
            if total < 1 or self._hop * total != sound.size or int(made.frames.sum()) != total:
                raise ModelError(
                    f"{self._path}: its durations say {int(made.frames.sum())} frames for {sound.size} samples; "
                    "set voice.options.timings = false, and timings are found in the sound"
                )
        if made.latent is not None:
            self._reach = self._looks(made.latent, made.fixed, sound)
        heard = loudness([np.asarray(soxr.resample(sound, self._rate, SAMPLE_RATE), np.float32)])
        return heard if np.isfinite(heard) else -24.0

    def _looks(self, latent: NDArray[np.float32], fixed: tuple[NDArray[np.float32], ...], sound: Samples) -> int:
        frames = latent.shape[-1]
        for reach in _REACHES:
            begin, end = frames // 3, 2 * frames // 3
            if begin < reach or end + reach > frames:
                break
            part = self._decoded(latent[..., begin - reach : end + reach], fixed)[reach * self._hop :]
            part, whole = part[: (end - begin) * self._hop], sound[begin * self._hop : end * self._hop]
            if part.shape == whole.shape and np.abs(part - whole).max() <= _ALIKE * max(1e-6, np.abs(whole).max()):
                return reach
        return 0

    def speak(self, request: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Samples]]:
        position, pieces = 0, 0
        for number, part in enumerate(request["parts"]):
            if pause := round(part["pause"] * self._rate):
                position += pause
                yield {}, np.zeros(pause, np.float32)
            made = self._made(request, part["ids"], np.asarray(part["pace"], np.float32))
            begin, end = self._ends(made, part)
            told: dict[str, Any] | None = None
            for at, sound in self._pieces(made, begin, end, pieces):
                if told is None:
                    onset, sound = self._begun(sound)
                    begin = at + onset[1]
                    told = {"part": number, "onset": position + onset[0] - onset[1], "samples": position + end - begin}
                    told["starts"] = [int(edge) + position - begin for edge in self._starts(made)]
                yield told, sound
                told, pieces = {}, pieces + 1
            position += end - begin

    def _starts(self, made: _Made) -> NDArray[np.int64]:
        if made.frames is None:
            return np.zeros(0, np.int64)
        return np.concatenate(([0], np.cumsum(made.frames))) * self._hop

    def _ends(self, made: _Made, part: Mapping[str, Any]) -> tuple[int, int]:
        """From where to where a part is worth hearing, in samples, as far as its durations tell."""
        if made.frames is None:
            heard = self._heard(made.sound)
            tail = round(TAIL_SECONDS * self._rate)
            return 0, min(made.sound.size, int(heard[-1]) + tail) if heard.size else made.sound.size
        edges = self._starts(made)
        lead, tail = (round(seconds * self._rate) for seconds in (LEAD_SECONDS, TAIL_SECONDS))
        begin = max(0, int(edges[part["first"]]) - lead) // self._hop * self._hop
        end = min(int(edges[-1]), -(-(int(edges[part["end"]]) + tail) // self._hop) * self._hop)
        return begin, max(begin, end)

    def _heard(self, sound: Samples) -> NDArray[np.int64]:
        """The samples at which stretches of 5 ms begin that are not silent for this voice."""
        step = self._rate // 200
        steps = sound.size // step
        power = np.mean(np.square(sound[: steps * step].reshape(steps, step)), axis=1)
        return np.flatnonzero(power > 10 ** ((self._lufs + AUDIBLE) / 10)) * step

    def _begun(self, sound: Samples) -> tuple[tuple[int, int], Samples]:
        """Where the first piece of a part begins to be heard, how much is cut off before, and what is left."""
        heard = self._heard(sound)
        if not heard.size:
            return (0, 0), sound
        cut = max(0, int(heard[0]) - round(LEAD_SECONDS * self._rate))
        return (int(heard[0]), cut), self._faded(sound[cut:])

    def _faded(self, sound: Samples, *, out: bool = False) -> Samples:
        ramp = min(round(RAMP_SECONDS * self._rate), sound.size)
        rise = np.linspace(0, 1, ramp, dtype=np.float32)
        if out:
            sound[sound.size - ramp :] *= rise[::-1]
        else:
            sound[:ramp] *= rise
        return sound

    def _pieces(self, made: _Made, begin: int, end: int, given: int) -> Iterator[tuple[int, Samples]]:
        """The sound from and to samples, each piece with its place; `given` of the sentence were made before."""
        at = begin
        while at < end:
            size = end - at
            if made.latent is not None and self._reach:
                seconds = PIECES_SECONDS[min(given, len(PIECES_SECONDS) - 1)]
                wanted = max(1, int(seconds * self._rate / self._hop)) * self._hop
                # A last piece of a few frames would cost as much as a whole one.
                size = wanted if size > 1.5 * wanted else size
            sound = self._sound(made, at, at + size)
            yield at, self._faded(sound, out=True) if at + size == end else sound
            at, given = at + size, given + 1

    def _sound(self, made: _Made, start: int, stop: int) -> Samples:
        if made.latent is None:
            return made.sound[start:stop].copy()
        first, last = start // self._hop, -(-stop // self._hop)
        if not self._reach:
            return self._decoded(made.latent, made.fixed)[start:stop].copy()
        before = max(0, first - self._reach)
        sound = self._decoded(made.latent[..., before : last + self._reach], made.fixed)
        return sound[start - before * self._hop : stop - before * self._hop].copy()

    def _made(self, request: Mapping[str, Any], ids: Sequence[int], pace: NDArray[np.float32]) -> _Made:
        scales = [request.get("noise", 0.667), 1.0, request.get("noise_w", 0.8)]
        feeds: dict[str, _Arrays] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        if self._takes_speaker:
            feeds["sid"] = np.array([request.get("speaker") or 0], np.int64)
        if self._plan.paced:
            feeds[PACE] = pace.reshape(1, 1, -1)
        else:
            feeds["scales"] = np.array([scales[0], float(pace.mean()), scales[2]], np.float32)
        found = self._run(feeds, ids, float(pace.max()))
        frames = found.pop().astype(np.int64).ravel() if self._plan.durations else None
        if self._plan.latent:
            return _Made(frames, found[0], tuple(found[1:]), np.zeros(0, np.float32))
        return _Made(frames, None, (), np.asarray(found[0].ravel(), np.float32))

    def _run(self, feeds: dict[str, _Arrays], ids: Sequence[int], slowest: float) -> list[NDArray[np.float32]]:
        columns = round(len(ids) * 8 * max(1.0, slowest)) + 256
        for attempt in range(4):
            # The same for the same ids: what is heard in rehearsal is what is aired.
            seed = zlib.crc32(np.asarray(ids, "<i4").tobytes())
            for number, name in enumerate(self._plan.noises):
                feeds[name] = self._chance(seed + number, columns)
            try:
                return list(self._encoder.run(None, {name: feeds[name] for name in self._taken}))
            except Exception as error:  # the runtime's own classes have no base
                # Where speech has more frames than there is noise, the sizes do not agree.
                if attempt == 3 or not self._plan.noises:
                    raise ModelError(f"{self._path}: failed: {' '.join(str(error).split())[:300]}") from error
                columns *= 4
        raise AssertionError

    def _chance(self, seed: int, columns: int) -> NDArray[np.float32]:
        """A stretch of noise that belongs to a number; normal, float32 (1, `CHANNELS`, `columns`)."""
        if self._noise.shape[-1] < 2 * columns:
            rng = np.random.default_rng(0)
            self._noise = rng.standard_normal((1, CHANNELS, max(2 * columns, 8192)), np.float32)
        start = seed % columns
        return self._noise[..., start : start + columns]

    def _decoded(self, latent: NDArray[np.float32], fixed: tuple[NDArray[np.float32], ...]) -> Samples:
        assert self._decoder is not None
        feeds = dict(zip((self._plan.latent, *self._plan.fixed), (latent, *fixed), strict=True))
        return np.asarray(self._decoder.run(None, feeds)[0], np.float32).ravel()
