"""Clips that are heard: alone, as a segment that a clip stands for, or under what is said."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from anchor import registry
from anchor.errors import AvatarError
from anchor.events import Sentence
from anchor.graphics import Graphics, Media
from anchor.loudness import BED_LUFS, VOICE_LUFS, Meter, gain_to, limited
from anchor.media import SAMPLE_RATE, Samples
from anchor.pipeline.utterance import LEAD_IN_SECONDS
from anchor.ports import SpeechChunk, Voice, VoiceInfo

LONGEST_SECONDS = 4 * 3600.0
LONGEST_BED_SECONDS = 600.0
"""A bed is held in memory, 0.2 MB a second; what is longer ends there."""

_CHUNK = SAMPLE_RATE // 2
_EDGE = SAMPLE_RATE // 100
"""Samples over which sound that is cut off begins and ends, so that it does not click."""


class _Info(Protocol):
    @property
    def seconds(self) -> float: ...

    @property
    def sounding(self) -> bool: ...


class SilentVoice:
    """Says nothing for `seconds`: for a segment that only shows something. Its utterance has an empty text."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @property
    def info(self) -> VoiceInfo:
        return VoiceInfo("silence", "silence", ("mul",), "", phone_timings=True)

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        left = round(self.seconds * SAMPLE_RATE)
        while left > 0:
            yield SpeechChunk.silence(min(left, _CHUNK), spoken=False)
            left -= _CHUNK

    async def close(self) -> None:
        pass


class ClipVoice:
    """Plays a clip's own sound as loud as a voice, for as long as the clip has pictures: no words, and lips at rest.

    Its utterance has an empty text, and the clip for an inset. Sound is decoded while it plays. Made by `open_clip`.
    """

    def __init__(self, path: Path, seconds: float, gain: float) -> None:
        self.path, self.seconds, self._gain = path, seconds, gain

    @property
    def info(self) -> VoiceInfo:
        return VoiceInfo("clip", "clip", ("mul",), "", phone_timings=True)

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        pieces = _even(self.path, self._gain, round(self.seconds * SAMPLE_RATE))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield SpeechChunk(piece, spoken=False)

    async def close(self) -> None:
        pass


def open_clip(path: Path) -> ClipVoice:
    """A voice that plays a clip. Decodes its sound once, to measure it: call it in a worker thread.

    Raises `MissingError` and `AvatarError`.
    """
    info = _info(path)
    meter, samples = Meter(), 0
    for piece in _sound(path):
        meter.add(piece)
        samples += piece.size
    seconds = min(LONGEST_SECONDS, max(info.seconds, samples / SAMPLE_RATE))
    return ClipVoice(path, seconds, gain_to(VOICE_LUFS, meter.lufs()))


def open_bed(path: Path) -> Samples | None:
    """A clip's sound to lie under a voice (`Utterance.bed`); None where it has none. Call it in a worker thread.

    Raises `MissingError` and `AvatarError`.
    """
    pieces: list[Samples] = []
    room = round(LONGEST_BED_SECONDS * SAMPLE_RATE)
    for piece in _sound(path):
        pieces.append(piece[:room])
        room -= pieces[-1].size
        if room <= 0:
            break
    if not pieces:
        return None
    meter = Meter()
    for piece in pieces:
        meter.add(piece)
    found = meter.lufs()
    if not math.isfinite(found):
        return None
    bed = np.concatenate(pieces) * np.float32(gain_to(BED_LUFS, found))
    edge = min(bed.size, _EDGE)
    bed[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
    bed[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    return limited(bed)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard with a segment besides its speaker: a `voice` in the speaker's place, or a `bed` under it."""

    voice: Voice | None = None
    bed: Samples | None = None


def heard_with(graphics: Graphics, text: str, pause: float) -> Heard:
    """What a segment's graphics sound like. Reads files: call it in a worker thread.

    A segment without text plays its clip to the end, or shows what it shows for `pause` seconds. Raises `MissingError`
    and `AvatarError`.
    """
    inset = graphics.inset
    clip = inset if isinstance(inset, Media) and inset.clip else None
    if text:
        return Heard(bed=open_bed(clip.path)) if clip is not None and clip.sound != "off" else Heard()
    if clip is None:
        return Heard(SilentVoice(pause))
    return Heard(open_clip(clip.path) if clip.sound != "off" else SilentVoice(_info(clip.path).seconds or pause))


def _info(path: Path) -> _Info:
    info: _Info = registry.load("anchor.part", "clip_info")(path)
    if info.seconds > LONGEST_SECONDS:
        raise AvatarError(f"{path}: is longer than {LONGEST_SECONDS / 3600:g} hours; cut it")
    return info


def _sound(path: Path) -> Iterator[Samples]:
    pieces: Iterator[Samples] = registry.load("anchor.part", "clip_audio")(path)
    return pieces


def _even(path: Path, gain: float, length: int) -> Iterator[Samples]:
    """`length` samples of a clip's sound in pieces of half a second, less what lies before an utterance's first word.

    Utterances begin with silence; left out of the clip instead of put before it, it moves no sound from its picture.
    """
    skip = min(length, round(LEAD_IN_SECONDS * SAMPLE_RATE))
    held, given, size = np.zeros(0, np.float32), skip, 0
    for piece in _sound(path):
        size += piece.size
        held = np.concatenate([held, piece[max(0, piece.size - max(0, size - skip)) :]])
        while held.size >= _CHUNK and given + _CHUNK <= length:
            yield _edged(limited(held[:_CHUNK] * np.float32(gain)), given - skip, length - skip)
            held, given = held[_CHUNK:], given + _CHUNK
    while given < length:
        piece = np.zeros(min(_CHUNK, length - given), np.float32)
        count = min(piece.size, held.size)
        piece[:count] = limited(held[:count] * np.float32(gain))
        held = held[count:]
        yield _edged(piece, given - skip, length - skip)
        given += piece.size


def _edged(piece: Samples, start: int, length: int) -> Samples:
    """The piece at `start` of `length` samples, which fade in and out within 10 ms."""
    if start >= _EDGE and start + piece.size <= length - _EDGE:
        return piece
    place = np.arange(start, start + piece.size)
    return piece * np.clip(np.minimum(place, length - 1 - place) / _EDGE, 0, 1).astype(np.float32)
