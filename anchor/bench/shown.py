"""What pictures of an avatar show of sentences: the part that the benches of faces share."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anchor import parts, registry
from anchor.bench.lips import opening
from anchor.bench.lipsync.metrics import Range, bilabials_closed
from anchor.config import VoiceConfig
from anchor.errors import AvatarError
from anchor.events import Phone, Sentence
from anchor.media import SAMPLE_RATE, Blendshapes, Floats, Look, VideoFormat
from anchor.pipeline.idle import Life
from anchor.ports import Avatar, SpeechChunk

VIDEO = VideoFormat(1280, 720, 25)
_PAUSE = 1.0
"""Seconds of silence before and after each sentence."""
_STILL = 0.6
"""Seconds of it in which nothing is prepared yet."""
_SETTLED = 0.3


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence between two pauses, and the faces for it."""

    speech: SpeechChunk
    faces: list[Blendshapes]


@dataclass(frozen=True, slots=True)
class Shown:
    """One avatar's figures; times in milliseconds of processor time, motion in percent of the range of openings.

    `shut_eyes` are the eye gaps in pictures of blinks, in eye widths.
    """

    times: list[float]
    recall: float
    correlation: float
    silence: float
    shut_eyes: list[float]


async def say(language: str, text: str) -> Said:
    voice = parts.open_voice(VoiceConfig())
    try:
        chunks = [chunk async for chunk in voice.speak(Sentence(text, language))]
    finally:
        await voice.close()
    pause = np.zeros(round(_PAUSE * SAMPLE_RATE), np.float32)
    phones: list[Phone] = [phone.shifted(len(pause)) for chunk in chunks for phone in chunk.phones]
    speech = SpeechChunk(np.concatenate([pause, *(chunk.audio for chunk in chunks), pause]), phones=tuple(phones))

    async def stream() -> AsyncIterator[SpeechChunk]:
        yield speech

    return Said(speech, [face async for face in parts.open_driver("phones").drive(stream(), VIDEO.fps)])


def show(avatar: Avatar, said: Sequence[Said]) -> Shown:
    """Draw every sentence with the life that a face has, and look at the pictures."""
    times: list[float] = []
    recalls: list[bool] = []
    correlations, silences, shut = [], [], []
    for one in said:
        life = Life(seed=1, fps=VIDEO.fps)
        alive = [face + life.frame(True) for face in one.faces]
        times += draw_times(avatar, alive)
        seen = look(avatar, alive, VIDEO)
        lips = in_parts(lip_gaps(seen))
        recalls += bilabials_closed(lips, one.speech.phones, VIDEO.fps)
        correlations.append(float(np.corrcoef(opening(np.array([face.weights for face in one.faces])), lips)[0, 1]))
        silences.append(_motion(avatar, one))
        blinks = [face["eyeBlinkLeft"] > 0.95 for face in alive]
        shut += [item.eyes for item, blink in zip(seen, blinks, strict=True) if item is not None and blink]
    return Shown(times, float(np.mean(recalls)), min(correlations), max(silences), shut)


def look(avatar: Avatar, faces: Iterable[Blendshapes], video: VideoFormat) -> list[Any]:
    """What `avatars.probe` sees in the picture of each face, or None where it finds no face."""
    return list(registry.load("anchor.part", "probe").look(avatar, faces, video))


def lip_gaps(seen: Sequence[Any]) -> Floats:
    """Openings of the lips in eye distances; pictures without a face lie between their neighbours.

    Raises `AvatarError` when no picture has a face.
    """
    gaps = np.array([math.nan if item is None else item.lips for item in seen])
    known = np.flatnonzero(~np.isnan(gaps))
    if not known.size:
        raise AvatarError("no face is found in any picture of this avatar, so its lips cannot be measured")
    filled: Floats = np.interp(np.arange(len(gaps)), known, gaps[known]).astype(np.float32)
    return filled


def in_parts(gaps: Floats) -> Floats:
    return Range.of([gaps]).parts(gaps)


def draw_times(avatar: Avatar, faces: Sequence[Blendshapes]) -> list[float]:
    scene = parts.open_scene(avatar, parts.open_driver("phones"), VIDEO, {})
    scene.draw(Look(Blendshapes()))
    times = []
    for face in faces:
        start = time.thread_time()
        scene.draw(Look(face))
        times.append(1000 * (time.thread_time() - start))
    return times


def _motion(avatar: Avatar, one: Said) -> float:
    """How much the lips stir before a word is said, without the life that every face has."""
    lips = in_parts(lip_gaps(look(avatar, one.faces, VIDEO)))
    # Following one face, MediaPipe settles on it over some pictures.
    return 100 * float(np.std(lips[round(_SETTLED * VIDEO.fps) : round(_STILL * VIDEO.fps)]))
