"""Filmed faces: how long clips take to be made into avatars, and what is then seen of the driver and of seams."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from anchor import parts, registry
from anchor.bench.avatars import further_session
from anchor.bench.measure import Figure, Tell, percentile
from anchor.bench.shown import VIDEO, Said, Shown, show

SUFFIXES = (".mp4", ".mov", ".webm")
_MAKE = (
    "avatar",
    "make",
    "--consent-who",
    "a bench",
    "--consent-scope",
    "this measurement",
    "--consent-until",
    "unlimited",
)


@dataclass(frozen=True, slots=True)
class _Scores:
    """What one clip's avatar came to; seams in percent, the loop's in parts of the largest change elsewhere in it."""

    made: float
    """Seconds of making for a second of the clip, start-up included."""
    peak: float
    """Most memory that making took, mebibytes."""
    shown: Shown
    seam: float
    loop: float


def measure(folder: Path, clips: Path, said: Sequence[Said], tell: Tell) -> list[Figure]:
    """Make avatars of every clip in `clips` and measure them; `folder` is for scratch.

    A clip is keyed where it can be; else it keeps its background once, and is cut out once.
    """
    scores, packs = [], []
    for pack, made, peak in _make(folder, clips, tell):
        scores.append(_score(pack, made, peak, said, tell))
        packs.append(pack)
    if not scores:
        return []
    times = [time for score in scores for time in score.shown.times]
    return [
        Figure("made_from_clips", len(scores), ""),
        Figure("make_from_clip_to_its_length_max", max(score.made for score in scores), "", 1),
        Figure("make_from_clip_memory_mib_max", max(score.peak for score in scores), "MiB", 600),
        Figure("clip_draw_and_composite_ms_mean_max", max(float(np.mean(s.shown.times)) for s in scores), "ms", 6),
        Figure("clip_draw_and_composite_ms_p99_max", percentile(times, 99), "ms", 12),
        Figure("clip_memory_of_a_further_session_mib_max", further_session(str(packs[0])), "MiB", 30),
        Figure("clip_bilabial_recall_on_pixels_min", min(score.shown.recall for score in scores), "", 0.95),
        Figure("clip_aperture_correlation_on_pixels_min", min(score.shown.correlation for score in scores), "", 0.9),
        Figure("clip_motion_in_silence_percent_max", max(score.shown.silence for score in scores), "%", 1),
        Figure("clip_seam_gradient_percent_max", max(score.seam for score in scores), "%", 10),
        Figure("clip_loop_seam_to_largest_change_max", max(score.loop for score in scores), "", 1),
    ]


def _make(folder: Path, clips: Path, tell: Tell) -> Iterator[tuple[Path, float, float]]:
    """Packages of all clips that are accepted, seconds each took for one of the clip, and mebibytes at the most."""
    for clip in sorted(item for item in clips.iterdir() if item.suffix.lower() in SUFFIXES):
        for background in ("key", "keep", "remove"):
            pack = folder / f"{clip.stem}-{background}"
            command = [sys.executable, "-m", "anchor", *_MAKE, str(clip), "-o", str(pack), "--background", background]
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            assert process.stderr is not None
            words = process.stderr.read().strip().splitlines()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode, seconds = os.waitstatus_to_exitcode(status), time.perf_counter() - start
            process.stderr.close()
            if process.returncode == 0:
                yield pack, seconds / _length(clip), usage.ru_maxrss / 1024
                if background == "key":
                    break
            elif background != "key":
                tell(f"refused: {words[-1] if words else clip}")
                break


def _length(clip: Path) -> float:
    with av.open(f"file:{clip}") as container:
        return float((container.duration or 0) / 1e6)


def _score(pack: Path, made: float, peak: float, said: Sequence[Said], tell: Tell) -> _Scores:
    probe, avatar = registry.load("anchor.part", "probe"), parts.open_avatar(str(pack))
    shown = show(avatar, said)
    faces = [face for one in said for face in one.faces]
    seam, loop = probe.footage_seam_percent(avatar, faces, VIDEO), probe.loop_seam(avatar)
    scores = _Scores(made, peak, shown, seam, loop)
    tell(
        f"{pack.name}: made in {made:.2f} of its length with {peak:.0f} MiB, {float(np.mean(shown.times)):.1f} ms, "
        f"recall {shown.recall:.2f}, correlation {shown.correlation:.2f}, silence {shown.silence:.2f} %, seam "
        f"{scores.seam:.1f} %, loop {scores.loop:.2f}"
    )
    return scores
