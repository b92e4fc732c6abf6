"""Faces: how long they take to make and to draw, and what their pictures show of what the driver meant."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anchor import parts, registry
from anchor.bench.measure import Figure, Tell, percentile, resident_mib
from anchor.bench.shown import VIDEO, Said, Shown, say, show
from anchor.errors import AvatarError
from anchor.media import Blendshapes, Look
from anchor.pipeline.idle import Life
from anchor.ports import Avatar

TEXTS = (
    ("en", "Papa bought a big map of Bohemia, and people have been putting up umbrellas."),
    ("zh", "爸爸妈妈买面包，明天北部平原部分地区有暴风雨。"),
)
_SESSIONS = 4


@dataclass(frozen=True, slots=True)
class _Scores:
    """What one avatar came to; the seam in percent, shut eyes in eye widths."""

    shown: Shown
    shut_eyes: float
    seam: float
    stray: int


async def measure(tell: Tell, portraits: Path | None = None) -> list[Figure]:
    """Measure the bundled avatars, and those made from every picture and clip in `portraits` that is accepted."""
    said = [await say(tag, text) for tag, text in TEXTS]
    avatars = registry.load("anchor.part", "avatars")
    with tempfile.TemporaryDirectory(prefix="anchor-bench-") as folder:
        packs, seconds = _make(Path(folder), portraits, tell)
        memory = further_session(str(packs[0]) if packs else registry.DEFAULT_AVATAR)
        made = [_score(parts.open_avatar(str(pack)), said, tell) for pack in packs]
        bundled = [_score(parts.open_avatar(name), said, tell) for name in avatars.library()]
        filmed = _filmed(Path(folder), portraits, said, tell)
    scores = made + bundled
    figures = [Figure("avatars_measured", len(scores), ""), Figure("made_from_portraits", len(made), "")]
    if seconds:
        figures.append(Figure("make_from_portrait_seconds_max", max(seconds), "s", 10))
    times = [time for score in scores for time in score.shown.times]
    figures += [
        Figure("draw_and_composite_ms_mean_max", max(float(np.mean(score.shown.times)) for score in scores), "ms", 6),
        Figure("draw_and_composite_ms_p99_max", percentile(times, 99), "ms", 12),
        Figure("memory_of_a_further_session_mib_max", memory, "MiB", 30),
        Figure("bilabial_recall_on_pixels_min", min(score.shown.recall for score in scores), "", 0.95),
        Figure("aperture_correlation_on_pixels_min", min(score.shown.correlation for score in scores), "", 0.9),
        Figure("motion_in_silence_percent_max", max(score.shown.silence for score in scores), "%", 1),
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


def further_session(name: str) -> float:
    """Mebibytes that one more picture of an avatar takes which is shown already."""
    avatar = parts.open_avatar(name)
    scenes: list[Any] = []

    def one_more() -> None:
        scenes.append(parts.open_scene(avatar, parts.open_driver("phones"), VIDEO, {}))
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
    shown = show(avatar, said)
    still = [Blendshapes(face.weights) for one in said for face in one.faces]
    moved = [face for one in said for face in one.faces]
    scores = _Scores(
        shown, max(shown.shut_eyes, default=math.nan),
        probe.seam_percent(avatar, still, VIDEO), probe.stray_pixels(avatar, moved, VIDEO),
    )  # fmt: skip
    tell(
        f"{avatar.info.title}: {float(np.mean(shown.times)):.1f} ms, recall {shown.recall:.2f}, correlation "
        f"{shown.correlation:.2f}, silence {shown.silence:.2f} %, eyes shut to {scores.shut_eyes:.2f}, "
        f"seam {scores.seam:.1f} %"
    )
    return scores
