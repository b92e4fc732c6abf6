"""All drivers on all material: what the bench measures, and what it says of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anchor import parts, registry
from anchor.bench import corpus
from anchor.bench.corpus import Item
from anchor.bench.lipsync import feeding
from anchor.bench.lipsync import rhubarb as beside
from anchor.bench.lipsync.captured import Capture, captures, jaw_correlation
from anchor.bench.lipsync.classes import face_classes
from anchor.bench.lipsync.feeding import WAYS, Way
from anchor.bench.lipsync.rows import PIXELS, WEIGHTS, Row, Track, frames_of, held, resampled, rows
from anchor.bench.lipsync.screen import Screen
from anchor.bench.measure import Figure, Tell
from anchor.errors import ConfigError, MissingError
from anchor.media import ARKIT_INDEX, SAMPLE_RATE, Floats, Samples
from anchor.ports import Driver

AVATAR = "yue"
PREFERRED: tuple[tuple[str, Way], ...] = (
    ("phones", "timings"), ("energy", "audio"), ("speechnet", "audio"), ("auto", "text"),
)  # fmt: skip
"""What is measured where no driver is named, as far as it is there."""
LOUDNESS = ("energy", "audio")
_JAW = ARKIT_INDEX["jawOpen"]

COLUMNS = (
    ("recordings", "files", 1), ("accuracy15", "acc15 %", 100), ("group_recall", "UAR7 %", 100),
    ("lag_ms", "lag ms", 1),
    ("bilabial_recall", "pbm recall %", 100), ("bilabial_precision", "precision %", 100),
    ("labiodental_recall", "fv recall %", 100), ("aperture_correlation", "opening r", 1),
    ("captured_jaw_correlation", "captured jaw r", 1), ("offset_median_ms", "offset ms", 1),
    ("offset_p95_ms", "p95 ms", 1),
    ("jitter_percent", "jitter %", 1), ("closure_hold_ms", "hold ms", 1), ("cpu_ms_per_second", "cpu ms/s", 1),
)  # fmt: skip
"""Scores in the table, what they are called there, and what they are multiplied by."""

GOALS: dict[str, dict[str, tuple[str, float]]] = {
    "audio": {
        "accuracy15": ("min", 0.60), "bilabial_recall": ("min", 0.85), "labiodental_recall": ("min", 0.70),
        "captured_jaw_correlation": ("min", 0.70),
    },
    "text": {"accuracy15": ("min", 0.75), "bilabial_recall": ("min", 0.97), "labiodental_recall": ("min", 0.95)},
}  # fmt: skip
ALWAYS = {"offset_median_ms": ("max", 20.0), "offset_p95_ms": ("max", 40.0), "cpu_ms_per_second": ("max", 5.0)}
"""Goals of every driver that listens; loudness and Rhubarb are there to be compared with."""
GOAL_LANGUAGE = "en"
UNITS = {"ms": "ms", "percent": "%", "seconds": "s", "second": "ms/s"}


@dataclass(frozen=True, slots=True)
class Report:
    """Figures for the JSON, rows for the table, and what was listened to."""

    figures: list[Figure]
    rows: list[Row]
    material: dict[str, Any]

    def table(self) -> list[dict[str, Any]]:
        """What the command line prints: a line a row, numbers as they are read; on pixels where they were looked at."""
        return [
            {"driver": row.name, "given": row.way, "material": row.material}
            | {title: _cell(row, key, scale) for key, title, scale in COLUMNS}
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A driver and how it is fed; `title` is what its figures are called by."""

    driver: str
    way: Way

    @property
    def title(self) -> str:
        return "loudness" if (self.driver, self.way) == LOUDNESS else self.driver


async def measure(
    tell: Tell,
    speech: Path | None = None,
    drivers: Sequence[str] = (),
    avatar: str = AVATAR,
    plots: Path | None = None,
    pixels: bool = True,
    rhubarb: bool = True,
) -> Report:
    """Score `drivers`, each ``NAME`` or ``NAME:WAY``, on the labelled recordings in `speech` or on the own voice."""
    entries = _entries(drivers)
    items = corpus.items(speech) if speech else await corpus.spoken()
    captured = captures(speech) if speech else []
    sounds = [item.audio() for item in items]
    material = _material(speech, items, captured, sounds)
    for line in material["said"]:
        tell(line)
    screen = Screen(avatar) if pixels else None
    found: list[Row] = []
    examples: dict[str, Track] = {}
    for entry in entries:
        tell(f"{entry.title}, given {entry.way}")
        tracks, more = await _driven(parts.open_driver(entry.driver), entry.way, items, sounds, captured)
        found += _finished(entry.title, entry.way, tracks, more, screen, examples)
    if rhubarb:
        try:
            tracks, more = _rhubarb(items, sounds, captured, tell)
            found += _finished("rhubarb", "audio", tracks, more, screen, examples)
        except MissingError as error:
            tell(f"rhubarb is left out: {error}")
            material["left_out"] = f"rhubarb: {error}"
    if plots is not None:
        from anchor.bench.lipsync import plots as drawn

        for path in drawn.draw(plots, found, examples):
            tell(f"drawn: {path}")
    return Report(_figures(found), found, material)


def _entries(drivers: Sequence[str]) -> list[_Entry]:
    known = registry.names("anchor.driver")
    if not drivers:
        return [_Entry(name, way) for name, way in PREFERRED if name in known]
    entries = []
    for text in drivers:
        name, _, way = text.partition(":")
        registry.entry("anchor.driver", name)
        if way and way not in WAYS:
            raise ConfigError(f"driver {text!r}: a driver is given {', '.join(WAYS)}")
        preferred = tuple(each for driver, each in PREFERRED if driver == name)
        entries += [_Entry(name, each) for each in ((way,) if way else preferred or WAYS)]
    return entries


def _material(
    speech: Path | None, items: Sequence[Item], captured: Sequence[Capture], sounds: Sequence[Samples]
) -> dict[str, Any]:
    kinds = Counter((item.language, item.origin) for item in items)
    seconds = sum(len(sound) for sound in sounds) / SAMPLE_RATE
    where = (
        f"recordings in {speech}" if speech else "speech made here by the embedded voice, which knows its own phones"
    )
    said = [f"material: {where}; {len(items)} of {seconds:.0f} s"]
    said += [f"  {language}: {count} labelled {origin}" for (language, origin), count in sorted(kinds.items())]
    silent = sum(not item.text for item in items)
    said += [f"  {silent} without a text, left out where text is given"] if silent else []
    said += [f"  captured jaw: {len(captured)}"] if captured else []
    return {
        "speech": str(speech) if speech else "embedded voice",
        "recordings": len(items), "seconds": round(seconds, 1), "captured": len(captured),
        "labels": {f"{language} {origin}": count for (language, origin), count in sorted(kinds.items())},
        "said": said,
    }  # fmt: skip


async def _driven(
    driver: Driver, way: Way, items: Sequence[Item], sounds: Sequence[Samples], captured: Sequence[Capture]
) -> tuple[list[Track], dict[str, float]]:
    """Tracks of all recordings that can be given this way, and what counts for all of them together."""
    tracks: list[Track] = []
    spent = length = 0.0
    spelled = await feeding.spelled(items) if way == "text" else [()] * len(items)
    for item, sound, words in zip(items, sounds, spelled, strict=True):
        if way == "text" and not words:
            continue
        speech = feeding.feed(sound, way, item, words)
        if not tracks:
            await feeding.processor_ms(driver, speech)  # What is loaded on first use is not counted.
        spent += await feeding.processor_ms(driver, speech)
        length += len(sound) / SAMPLE_RATE
        weights, frames = await feeding.faces(driver, speech), frames_of(len(sound))
        classes = await feeding.classes(driver, speech)
        if classes is None:
            classes = held(face_classes(weights), frames)
        tracks.append(Track(item, weights, classes[:frames]))
    more = {"cpu_ms_per_second": spent / length if length else math.nan}
    if way == "audio" and captured:
        jaws = []
        for capture in captured:
            audio = capture.audio()
            weights = await feeding.faces(driver, feeding.feed(audio, way, items[0]))
            jaws.append(resampled(weights[:, _JAW], frames_of(len(audio))))
        more |= _captured(jaws, captured)
    return tracks, more


def _captured(jaws: list[Floats], captured: Sequence[Capture]) -> dict[str, float]:
    fit, lag = jaw_correlation(jaws, list(captured))
    return {"captured_jaw_correlation": fit, "captured_jaw_lag_ms": 10.0 * lag}


def _rhubarb(
    items: Sequence[Item], sounds: Sequence[Samples], captured: Sequence[Capture], tell: Tell
) -> tuple[list[Track], dict[str, float]]:
    heard = [*sounds, *(capture.audio() for capture in captured)]
    cues, seconds = beside.cues(heard, tell)
    faces = [beside.faces(said, len(sound) / SAMPLE_RATE) for said, sound in zip(cues, heard, strict=True)]
    blank = [
        Track(item, weights, np.zeros(frames_of(len(sound)), np.int64))
        for item, weights, sound in zip(items, faces, sounds, strict=False)
    ]
    mouths = [beside.mouths(said, len(track.classes)) for said, track in zip(cues, blank, strict=False)]
    for track, classes in zip(blank, beside.best_classes(mouths, [track.labels for track in blank]), strict=True):
        track.classes = classes
    more = {} if seconds is None else {"cpu_ms_per_second": 1e3 * seconds * SAMPLE_RATE / sum(map(len, heard))}
    jaws = [
        resampled(weights[:, _JAW], frames_of(len(sound)))
        for weights, sound in zip(faces[len(items) :], heard[len(items) :], strict=True)
    ]
    return blank, more | (_captured(jaws, captured) if captured else {})


def _finished(
    title: str,
    way: str,
    tracks: Sequence[Track],
    more: dict[str, float],
    screen: Screen | None,
    examples: dict[str, Track],
) -> list[Row]:
    if screen is not None:
        screen.fill(tracks)
    if tracks:
        examples[f"{title} {way}"] = max(tracks, key=lambda track: track.item.origin == "by hand")
    found = rows(title, way, tracks)
    for row in found[:1]:
        row.values.update(more)
    return found


def _cell(row: Row, key: str, scale: int) -> float | None:
    value = row.score(key)
    return round(scale * value, 1 if scale > 1 or "ms" in key else 3) if math.isfinite(value) else None


def _figures(found: Sequence[Row]) -> list[Figure]:
    figures = []
    for row in found:
        judged = row.name not in ("loudness", "rhubarb") and row.way in GOALS and row.material == GOAL_LANGUAGE
        goals = GOALS[row.way] | ALWAYS if judged else {}
        for name, value in row.values.items():
            plain, _, source = name.partition("_on_")
            direction, goal = goals.get(plain, ("", None))
            if source == WEIGHTS and f"{plain}_on_{PIXELS}" in row.values:
                direction, goal = "", None
            if math.isnan(value) and goal is None:
                continue
            title = "_".join((row.name, row.way, row.material.replace(" ", "_"), name, *([direction] if goal else [])))
            counts = abs(value) if plain == "offset_median_ms" and goal else value
            figures.append(Figure(title, counts, UNITS.get(plain.rpartition("_")[2], ""), goal))
    return figures
