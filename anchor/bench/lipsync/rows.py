"""What the bench says of one driver fed in one way: scores of its tracks, for each kind of material."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anchor.bench.corpus import Item
from anchor.bench.lips import opening
from anchor.bench.lipsync import metrics
from anchor.bench.lipsync.classes import INDEX, RATE, Classes, label_classes, label_openings
from anchor.bench.lipsync.feeding import FPS
from anchor.bench.lipsync.metrics import Range
from anchor.bench.measure import percentile
from anchor.media import SAMPLE_RATE, Floats

HANDMADE = "by hand"
PIXELS, WEIGHTS = "pixels", "weights"


@dataclass(slots=True)
class Track:
    """A driver on one recording: weights `FPS` times a second, the rest `RATE` times; `pixels` are lip gaps."""

    item: Item
    weights: Floats
    classes: Classes
    pixels: Floats | None = None
    labels: Classes = field(init=False)
    asked: Floats = field(init=False)
    spoken: Any = field(init=False)

    def __post_init__(self) -> None:
        frames = len(self.classes)
        self.labels = label_classes(self.item.phones, frames)
        self.asked, self.spoken = label_openings(self.item.phones, frames)

    def openings(self, source: str) -> Floats:
        """How far the lips are open, `RATE` times a second, as the pictures or as the weights say."""
        slow = self.pixels if source == PIXELS else opening(self.weights)
        assert slow is not None
        return resampled(slow, len(self.classes))

    def labiodentals(self) -> list[bool]:
        held = np.repeat(metrics.lip_under_teeth(self.weights), RATE // FPS)
        shown = np.resize(held, len(self.classes)) | (self.classes == INDEX["FF"])
        return metrics.labiodentals_shown(shown, self.item.phones)


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of a driver (`name`), fed in one `way`, on one kind of `material`; NaN where there is nothing to score."""

    name: str
    way: str
    material: str
    values: dict[str, float]
    offsets: tuple[float, ...] = ()
    """Milliseconds by which the mouth is late in each recording, on pixels where there are any."""
    recalls: tuple[float, ...] = ()
    """The part of each class's frames that is shown as that class."""

    def score(self, key: str) -> float:
        """A value by its name, on pixels where there are any, else on weights; NaN where there is none."""
        names = (key, f"{key}_on_{PIXELS}", f"{key}_on_{WEIGHTS}")
        return next((self.values[name] for name in names if name in self.values), math.nan)


def frames_of(samples: int) -> int:
    """How many stretches of 10 ms a sound has."""
    return -(-samples * RATE // SAMPLE_RATE)


def resampled(values: Floats, frames: int, fps: int = FPS) -> Floats:
    """Values in the middles of faces as values in the middles of 10 ms."""
    times, steps = (np.arange(len(values)) + 0.5) / fps, (np.arange(frames) + 0.5) / RATE
    found: Floats = np.interp(steps, times, values).astype(np.float32)
    return found


def held(values: Classes, frames: int, fps: int = FPS) -> Classes:
    """Classes of faces, each held for its time."""
    found: Classes = values[np.minimum(np.arange(frames) * fps // RATE, len(values) - 1)]
    return found


def rows(name: str, way: str, tracks: Sequence[Track]) -> list[Row]:
    """One row for each language, and one for what was labelled by hand."""
    if not tracks:
        return []
    lag = metrics.best_lag([track.labels for track in tracks], [track.classes for track in tracks])
    sources = (WEIGHTS, PIXELS) if tracks[0].pixels is not None else (WEIGHTS,)
    ranges = {source: Range.of([track.openings(source) for track in tracks]) for source in sources}
    materials: dict[str, list[Track]] = {}
    for track in sorted(tracks, key=lambda each: each.item.language):
        materials.setdefault(track.item.language, []).append(track)
    if by_hand := [track for track in tracks if track.item.origin == HANDMADE]:
        materials[HANDMADE] = by_hand
    return [_row(name, way, material, chosen, lag, ranges) for material, chosen in materials.items()]


def _row(name: str, way: str, material: str, tracks: Sequence[Track], lag: int, ranges: dict[str, Range]) -> Row:
    labels, shown = [track.labels for track in tracks], [track.classes for track in tracks]
    values = {
        "recordings": float(len(tracks)),
        "seconds": sum(len(track.labels) for track in tracks) / RATE,
        "lag_ms": 1000.0 * lag / RATE,
        "accuracy15": metrics.accuracy15(labels, shown, lag),
        "group_recall": metrics.group_recall(labels, shown, lag),
        "labiodental_recall": _mean([hit for track in tracks for hit in track.labiodentals()]),
    }
    offsets: list[float] = []
    for source, span in ranges.items():
        found, offsets = _mouth(tracks, source, span)
        values |= {f"{key}_on_{source}": value for key, value in found.items()}
    counts = metrics.confusion(labels, shown, lag)
    recalls = np.diag(counts) / np.maximum(1, counts.sum(axis=1))
    recalls[counts.sum(axis=1) == 0] = math.nan
    return Row(name, way, material, values, tuple(offsets), tuple(recalls.tolist()))


def _mouth(tracks: Sequence[Track], source: str, span: Range) -> tuple[dict[str, float], list[float]]:
    parts = [span.parts(track.openings(source)) for track in tracks]
    pairs = [(part, track.item.phones) for part, track in zip(parts, tracks, strict=True)]
    fit, _ = metrics.aperture_correlation(parts, [track.asked for track in tracks], [track.spoken for track in tracks])
    late = [1000 * metrics.offset(part, track.asked) for part, track in zip(parts, tracks, strict=True)]
    offsets = [each for each in late if not math.isnan(each)]
    return {
        "bilabial_recall": _mean([hit for pair in pairs for hit in metrics.bilabials_closed(*pair)]),
        "bilabial_precision": _mean([meant for pair in pairs for meant in metrics.closures_meant(*pair)]),
        "closure_hold_ms": 1000 * _median([hold for pair in pairs for hold in metrics.closure_holds(*pair)]),
        "aperture_correlation": fit,
        "offset_median_ms": _median(offsets),
        "offset_p95_ms": percentile([abs(each) for each in offsets], 95) if offsets else math.nan,
        "jitter_percent": 100 * _mean([each for pair in pairs for each in metrics.jitter(*pair)]),
    }, offsets


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else math.nan
