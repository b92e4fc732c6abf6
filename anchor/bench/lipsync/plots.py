"""The bench in pictures: bars of every score, offsets, classes, and the lips themselves on one recording."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from anchor.bench.lips import BILABIAL, SHUT
from anchor.bench.lipsync.classes import CLASSES, RATE
from anchor.bench.lipsync.metrics import Range
from anchor.bench.lipsync.rows import PIXELS, WEIGHTS, Row, Track
from anchor.media import SAMPLE_RATE

PANELS = (
    ("accuracy15", "15 visemes, frames right"),
    ("group_recall", "7 groups, mean recall"),
    ("bilabial_recall", "closures of p b m shown"),
    ("bilabial_precision", "closures that are meant"),
    ("labiodental_recall", "f v shown"),
    ("aperture_correlation", "correlation of opening"),
    ("captured_jaw_correlation", "correlation with a captured jaw"),
    ("jitter_percent", "stirring in pauses, % of range"),
)
_LONGEST = 6.0
"""Seconds of a recording that are drawn."""


def draw(folder: Path, rows: Sequence[Row], examples: Mapping[str, Track]) -> list[Path]:
    """Write the PNG files into `folder` and say which."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"scores": _scores(rows), "offsets": _offsets(rows), "classes": _classes(rows)}
    if examples:
        figures["lips"] = _lips(examples)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"lipsync-{name}.png")
        figure.savefig(paths[-1])
    return paths


def label(row: Row) -> str:
    return f"{row.name} {row.way}, {row.material}"


def _scores(rows: Sequence[Row]) -> Figure:
    figure = Figure(figsize=(13, 1.6 + 0.55 * len(rows)), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(2, 4, sharey=True).flat, PANELS, strict=True):
        values = [row.score(key) for row in rows]
        bars = axes.barh(range(len(rows)), np.nan_to_num(values), color=[_colour(row, rows) for row in rows])
        axes.bar_label(bars, ["" if math.isnan(value) else f"{value:.2f}" for value in values], padding=2, fontsize=7)
        axes.set_title(title, fontsize=9)
        axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=7)
        axes.invert_yaxis() if axes is figure.axes[0] else None
        axes.set_xlim(0, 1.15 if key != "jitter_percent" else None)
        axes.tick_params(axis="x", labelsize=7)
    return figure


def _colour(row: Row, rows: Sequence[Row]) -> str:
    drivers = list(dict.fromkeys((each.name, each.way) for each in rows))
    return f"C{drivers.index((row.name, row.way)) % 10}"


def _offsets(rows: Sequence[Row]) -> Figure:
    rows = [row for row in rows if row.offsets]
    figure = Figure(figsize=(9, 1.5 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-20, 20, color="0.9")
    axes.axvline(0, color="0.6", linewidth=0.8)
    for number, row in enumerate(rows):
        spread = number + np.linspace(-0.25, 0.25, len(row.offsets))
        axes.plot(row.offsets, spread, ".", color=_colour(row, rows), markersize=4)
        axes.plot([float(np.median(row.offsets))], [number], "|", color="black", markersize=16)
    axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ms by which the lips are late in each recording; stroke: median; grey: goal of the median")
    return figure


def _classes(rows: Sequence[Row]) -> Figure:
    figure = Figure(figsize=(9, 1.5 + 0.35 * len(rows)), layout="constrained")
    axes = figure.subplots()
    table = np.array([row.recalls[1:] for row in rows]).reshape(len(rows), -1)
    image = axes.imshow(table, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    for (y, x), value in np.ndenumerate(table):
        if not math.isnan(value):
            axes.text(
                x, y, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color="w" if value < 0.6 else "k"
            )
    axes.set_xticks(range(table.shape[1]), CLASSES[1:])
    axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=8)
    axes.set_title("percent of each viseme's frames that are shown as it", fontsize=9)
    figure.colorbar(image)
    return figure


def _lips(examples: Mapping[str, Track]) -> Figure:
    figure = Figure(figsize=(12, 1.2 + 1.6 * len(examples)), layout="constrained")
    panels = figure.subplots(len(examples), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (title, track) in zip(panels, examples.items(), strict=True):
        openings = track.openings(WEIGHTS if track.pixels is None else PIXELS)
        times = (np.arange(len(openings)) + 0.5) / RATE
        asked = track.asked / max(1e-6, float(np.percentile(track.asked, 97)))
        for phone in track.item.phones:
            place = phone.start / SAMPLE_RATE, phone.end / SAMPLE_RATE
            if phone.symbol.startswith(BILABIAL):
                axes.axvspan(*place, color="0.85")
            if axes is panels[0] and place[0] < _LONGEST:
                axes.text(sum(place) / 2, 1.32, phone.symbol, ha="center", fontsize=8)
        axes.plot(times, asked, color="0.5", linewidth=1, label="labels")
        axes.plot(times, Range.of([openings]).parts(openings), color="C3", linewidth=1.4, label="shown")
        axes.axhline(SHUT, color="0.6", linewidth=0.6, linestyle=":")
        axes.set_ylim(-0.05, 1.3)
        axes.set_ylabel(title, fontsize=8)
    panels[0].set_xlim(0, min(_LONGEST, len(times) / RATE))
    panels[0].legend(loc="upper right", fontsize=7)
    panels[-1].set_xlabel(f"s of {track.item.name}; grey: p b m; dotted: below this lips count as closed")
    return figure
