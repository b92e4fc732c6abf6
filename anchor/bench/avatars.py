"""Faces: how long they take to make and to draw, and what their pictures show of what the driver meant."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anchor import app, registry
from anchor.bench.lips import BILABIAL, SHUT, opening
from anchor.bench.measure import Figure, Tell, percentile, resident_mib
from anchor.config import VoiceConfig
from anchor.errors import AvatarError
from anchor.events import Phone, Sentence
from anchor.media import SAMPLE_RATE, Blendshapes, Floats, Look, VideoFormat
from anchor.pipeline.idle import Life
from anchor.ports import Avatar, SpeechChunk

VIDEO = VideoFormat(1280, 720, 25)
TEXTS = (
    ("en", "Papa bought a big map of Bohemia, and people have been putting up umbrellas."),
    ("zh", "爸爸妈妈买面包，明天北部平原部分地区有暴风雨。"),
)
_PAUSE = 1.0
"""Seconds of silence before and after each sentence."""
_STILL = 0.6
"""Seconds of it in which nothing is prepared yet."""
_SETTLED = 0.3
_SESSIONS = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence between two pauses, and the faces for it."""

    speech: SpeechChunk
    faces: list[Blendshapes]


@dataclass(frozen=True, slots=True)
class _Scores:
    """One avatar's figures; times in milliseconds of processor time, motion in percent of the range of openings."""

    times: list[float]
    recall: float
    correlation: float
    silence: float
    shut_eyes: float
    seam: float
    stray: int


async def measure(tell: Tell, portraits: Path | None) -> list[Figure]:
    """Measure the bundled avatars, and those made from every picture and clip in `portraits` that is accepted."""
    said = [await say(tag, text) for tag, text in TEXTS]
    avatars = registry.load("anchor.part", "avatars")
    with tempfile.TemporaryDirectory(prefix="anchor-bench-") as folder:
        packs, seconds = _make(Path(folder), portraits, tell)
        memory = further_session(str(packs[0]) if packs else registry.DEFAULT_AVATAR)
        made = [_score(app.open_avatar(str(pack)), said, tell) for pack in packs]
        bundled = [_score(app.open_avatar(name), said, tell) for name in avatars.library()]
        filmed = _filmed(Path(folder), portraits, said, tell)
    scores = made + bundled
    figures = [Figure("avatars_measured", len(scores), ""), Figure("made_from_portraits", len(made), "")]
    if seconds:
        figures.append(Figure("make_from_portrait_seconds_max", max(seconds), "s", 10))
    times = [time for score in scores for time in score.times]
    figures += [
        Figure("draw_and_composite_ms_mean_max", max(float(np.mean(score.times)) for score in scores), "ms", 6),
        Figure("draw_and_composite_ms_p99_max", percentile(times, 99), "ms", 12),
        Figure("memory_of_a_further_session_mib_max", memory, "MiB", 30),
        Figure("bilabial_recall_on_pixels_min", min(score.recall for score in scores), "", 0.95),
        Figure("aperture_correlation_on_pixels_min", min(score.correlation for score in scores), "", 0.9),
        Figure("motion_in_silence_percent_max", max(score.silence for score in scores), "%", 1),
        Figure("eyes_shut_in_blinks_gap_max", max(score.shut_eyes for score in scores), "eye widths", 0.15),
        Figure("stray_pixels_max", max(score.stray for score in scores), "", 0),
    ]
    if made:
        # A drawn figure's lips are cut along their edges, where there is nothing to compare with.
        figures.append(Figure("seam_gradient_percent_max", max(score.seam for score in made), "%", 10))
    return figures + filmed


def _filmed(folder: Path, clips: Path | None, said: Sequence[Said], tell: Tell) -> list[Figure]:
    from anchor.bench import clips as bench

    return bench.measure(folder, clips, said, tell) if clips else []


def _make(folder: Path, portraits: Path | None, tell: Tell) -> tuple[list[Path], list[float]]:
    """Packages of all pictures that are accepted, and how many seconds each took."""
    packs, seconds = [], []
    consent = registry.load("anchor.part", "consent_of")("a bench", "this measurement", "unlimited")
    for picture in sorted(portraits.iterdir()) if portraits else ():
        if picture.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp"):
            continue
        start = time.perf_counter()
        try:
            registry.load("anchor.part", "make_avatar")(picture, folder / picture.stem, consent=consent)
        except AvatarError as error:
            tell(f"refused: {error}")
            continue
        packs.append(folder / picture.stem)
        seconds.append(time.perf_counter() - start)
    return packs, seconds


async def say(language: str, text: str) -> Said:
    voice = app.open_voice(VoiceConfig())
    try:
        chunks = [chunk async for chunk in voice.speak(Sentence(text, language))]
    finally:
        await voice.close()
    pause = np.zeros(round(_PAUSE * SAMPLE_RATE), np.float32)
    phones: list[Phone] = []
    at = len(pause)
    for chunk in chunks:
        phones += chunk.shifted(at).phones
        at += len(chunk.audio)
    speech = SpeechChunk(np.concatenate([pause, *(chunk.audio for chunk in chunks), pause]), phones=tuple(phones))

    async def stream() -> AsyncIterator[SpeechChunk]:
        yield speech

    return Said(speech, [face async for face in app.open_driver("phones").drive(stream(), VIDEO.fps)])


def further_session(name: str) -> float:
    """Mebibytes that one more picture of an avatar takes which is shown already."""
    avatar = app.open_avatar(name)
    scenes: list[Any] = []

    def one_more() -> None:
        scenes.append(app.open_scene(avatar, app.open_driver("phones"), VIDEO, {}))
        life = Life(seed=1, fps=VIDEO.fps)
        for _ in range(VIDEO.fps):
            scenes[-1].draw(Look(life.frame(True)))

    one_more()
    before = resident_mib()
    for _ in range(_SESSIONS):
        one_more()
    return (resident_mib() - before) / _SESSIONS


def _score(avatar: Avatar, said: Sequence[Said], tell: Tell) -> _Scores:
    probe = registry.load("anchor.part", "probe")
    times: list[float] = []
    recalls, correlations, silences, shut = [], [], [], []
    for one in said:
        life = Life(seed=1, fps=VIDEO.fps)
        alive = [face + life.frame(True) for face in one.faces]
        times += draw_times(avatar, alive)
        seen = list(probe.look(avatar, alive, VIDEO))
        lips = share([math.nan if item is None else item.lips for item in seen])
        recalls += closures(one, lips)
        correlations.append(float(np.corrcoef(opening(np.array([face.weights for face in one.faces])), lips)[0, 1]))
        silences.append(motion(avatar, one))
        blinks = [face["eyeBlinkLeft"] > 0.95 for face in alive]
        shut += [item.eyes for item, blink in zip(seen, blinks, strict=True) if item is not None and blink]
    still = [Blendshapes(face.weights) for one in said for face in one.faces]
    moved = [face for one in said for face in one.faces]
    scores = _Scores(
        times, float(np.mean(recalls)), min(correlations), max(silences), max(shut, default=math.nan),
        probe.seam_percent(avatar, still, VIDEO), probe.stray_pixels(avatar, moved, VIDEO),
    )  # fmt: skip
    tell(
        f"{avatar.info.title}: {float(np.mean(times)):.1f} ms, recall {scores.recall:.2f}, correlation "
        f"{scores.correlation:.2f}, silence {scores.silence:.2f} %, eyes shut to {scores.shut_eyes:.2f}, "
        f"seam {scores.seam:.1f} %"
    )
    return scores


def draw_times(avatar: Avatar, faces: Sequence[Blendshapes]) -> list[float]:
    scene = app.open_scene(avatar, app.open_driver("phones"), VIDEO, {})
    scene.draw(Look(Blendshapes()))
    times = []
    for face in faces:
        start = time.thread_time()
        scene.draw(Look(face))
        times.append(1000 * (time.thread_time() - start))
    return times


def share(gaps: Sequence[float]) -> Floats:
    """Openings in parts of their range; pictures without a face lie between their neighbours."""
    known = np.flatnonzero(~np.isnan(gaps))
    filled = np.interp(np.arange(len(gaps)), known, np.asarray(gaps)[known])
    low = filled.min()
    share: Floats = ((filled - low) / (np.percentile(filled, 97) - low)).astype(np.float32)
    return share


def closures(one: Said, lips: Floats) -> list[bool]:
    """For every bilabial, whether the lips are seen to close."""
    middles = (np.arange(len(lips)) + 0.5) / VIDEO.fps
    found = []
    for phone in one.speech.phones:
        if phone.symbol.startswith(BILABIAL):
            near = (middles >= phone.start / SAMPLE_RATE - 0.02) & (middles <= phone.end / SAMPLE_RATE + 0.02)
            found.append(bool(lips[near].min(initial=1.0) < SHUT))
    return found


def motion(avatar: Avatar, one: Said) -> float:
    """How much the lips stir before a word is said, without the life that every face has."""
    seen = registry.load("anchor.part", "probe").look(avatar, one.faces, VIDEO)
    lips = share([math.nan if item is None else item.lips for item in seen])
    # Following one face, MediaPipe settles on it over some pictures.
    return 100 * float(np.std(lips[round(_SETTLED * VIDEO.fps) : round(_STILL * VIDEO.fps)]))
