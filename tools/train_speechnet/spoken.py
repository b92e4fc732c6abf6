"""Speech with its sounds in time, and how it is kept between the steps of the recipe: one `.npz` a batch, no pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 16_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A sound from `start` to `end` seconds; `symbol` is IPA, or empty for silence."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """One spoken sentence. `audio`: float32, mono, 16 kHz. `exact`: whether the times need no refinement."""

    audio: NDArray[np.float32]
    segments: tuple[Segment, ...]
    language: str
    voice: str
    text: str
    exact: bool = True


def resampled(audio: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    out: NDArray[np.float32] = soxr.resample(audio, rate, RATE).astype(np.float32)
    return out


def save(path: Path, items: Sequence[Spoken]) -> None:
    sounds = [(np.clip(item.audio, -1, 1) * 32767).astype(np.int16) for item in items]
    facts = [
        {
            "language": item.language, "voice": item.voice, "text": item.text, "exact": item.exact,
            "segments": [asdict(segment) for segment in item.segments],
        }
        for item in items
    ]  # fmt: skip
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        audio=np.concatenate(sounds),
        lengths=np.array([len(sound) for sound in sounds]),
        facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
    )
    partial.replace(path)


def load(path: Path) -> Iterator[Spoken]:
    with np.load(path) as file:
        audio, lengths = file["audio"], file["lengths"]
        facts = json.loads(file["facts"].tobytes())
    ends = np.cumsum(lengths)
    for fact, start, end in zip(facts, ends - lengths, ends, strict=True):
        segments = tuple(Segment(**segment) for segment in fact.pop("segments"))
        yield Spoken(audio[start:end].astype(np.float32) / 32768, segments, **fact)
