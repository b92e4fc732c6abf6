"""Speech to drive faces with: made by hand, or real recordings with phone labels."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anchor.bench.corpus import items
from anchor.bench.lips import opening
from anchor.bench.lipsync.classes import RATE, label_openings
from anchor.bench.lipsync.metrics import Openings
from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Blendshapes, Floats
from anchor.ports import SpeechChunk
from drivers.phones import PhoneDriver


@dataclass(frozen=True)
class Recording:
    name: str
    speech: SpeechChunk


def make_speech(
    sounds: Sequence[tuple[str, float] | tuple[str, float, int]], *, lead: float = 0.4, tail: float = 0.5
) -> SpeechChunk:
    """Noise for every (symbol, seconds[, stress]) in turn, silence for the symbol ``_``."""
    noise = np.random.default_rng(1)
    phones: list[Phone] = []
    at = lead
    for symbol, seconds, *stress in sounds:
        if symbol != "_":
            start, end = round(at * SAMPLE_RATE), round((at + seconds) * SAMPLE_RATE)
            phones.append(Phone(symbol, start, end, *stress))
        at += seconds
    audio = np.zeros(round((at + tail) * SAMPLE_RATE), np.float32)
    for phone in phones:
        audio[phone.start : phone.end] = noise.normal(0, 0.1, phone.end - phone.start)
    return SpeechChunk(audio, phones=tuple(phones))


def cut(speech: SpeechChunk, edges: Sequence[int]) -> list[SpeechChunk]:
    """Cut speech into chunks at the samples `edges`; each phone comes in the chunk where it starts."""
    bounds = [0, *sorted(edges), len(speech.audio)]
    chunks = []
    for index, (low, high) in enumerate(itertools.pairwise(bounds)):
        last = index == len(bounds) - 2
        phones = tuple(phone for phone in speech.phones if low <= phone.start and (phone.start < high or last))
        chunks.append(SpeechChunk(speech.audio[low:high], phones=phones))
    return chunks


async def _in_order(chunks: Sequence[SpeechChunk]) -> AsyncIterator[SpeechChunk]:
    for chunk in chunks:
        yield chunk


def drive(*chunks: SpeechChunk, fps: int = 25) -> list[Blendshapes]:
    async def collect() -> list[Blendshapes]:
        return [face async for face in PhoneDriver().drive(_in_order(chunks), fps)]

    return asyncio.run(collect())


def track(faces: Sequence[Blendshapes], name: str) -> Floats:
    return np.array([face[name] for face in faces], np.float32)


def aperture(faces: Sequence[Blendshapes]) -> Floats:
    return opening(np.array([face.weights for face in faces]))


def opening_asked(speech: SpeechChunk, rate: int) -> tuple[Floats, NDArray[np.bool_]]:
    """The opening of every phone's own viseme, without its neighbours, `rate` = 100 times a second; where speech is."""
    assert rate == RATE
    return label_openings(speech.phones, len(speech.audio) * rate // SAMPLE_RATE)


def lag(shown: NDArray[np.float64], asked: Openings, reach: int) -> int:
    """Steps by which `shown` comes after `asked`, where both fit best."""
    shown, asked = shown - shown.mean(), asked - asked.mean()
    inner = asked[reach : asked.size - reach]
    fits = [shown[reach + late : asked.size - reach + late] @ inner for late in range(-reach, reach + 1)]
    return int(np.argmax(fits)) - reach


def recordings(data: Path) -> Iterator[Recording]:
    """Every recording with phone labels, made by hand or by aligners."""
    for item in items(data / "aligned"):
        yield Recording(item.name, SpeechChunk(item.audio(), phones=item.phones))
