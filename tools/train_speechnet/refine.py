"""Better times for voices that know theirs only roughly: `python -m tools.train_speechnet.refine DATA --out DIR`.

Neural voices tell durations in steps of 12 or 25 ms, and all of them late or early by as much. A network trained on the
exact voices finds the same sounds in their sound (self-training by our own alignment): first by how much a voice is off
as a whole, then each sound within `REACH` of where that puts it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anchor.media import SAMPLE_RATE, Floats
from drivers.speechnet.inventory import SILENCE, SOUNDS, sounds_of
from drivers.speechnet.lattice import Lattice, Unit
from drivers.speechnet.network import Listening
from tools.train_speechnet.spoken import RATE, Segment, Spoken, load, save

REACH = 0.06
SEARCHED = 0.15
"""Seconds within which the constant offset of a voice is looked for."""
_FRAMES = 100
_FAR = -30.0
_LEAST = -6.0


def refined(item: Spoken, offset: float = 0.0, reach: float = REACH) -> Spoken:
    """The same speech, its times moved to where the network hears the sounds: by `offset` and up to `reach` more."""
    spans = [(sound, start, end) for segment in item.segments for sound, start, end in _parts(segment) if end > start]
    scores = np.maximum(_heard(item.audio), _LEAST)
    times = np.arange(len(scores)) / _FRAMES - offset
    columns = np.stack([_column(scores, times, *span, reach) for span in spans], axis=1)
    lattice = Lattice([Unit(index, 1) for index in range(len(spans))])
    lattice.push(columns.astype(np.float32))
    if not lattice.complete:
        return item
    path = lattice.path(ended=True)
    found = []
    for index, (sound, _, _) in enumerate(spans):
        frames = np.flatnonzero(path == index)
        start, end = (frames[0] - 0.5) / _FRAMES, (frames[-1] + 0.5) / _FRAMES
        found.append(Segment("" if sound == SILENCE else SOUNDS[sound], max(0.0, float(start)), float(end)))
    return replace(item, segments=tuple(found), exact=True)


def _parts(segment: Segment) -> list[tuple[int, float, float]]:
    if not segment.symbol:
        return [(SILENCE, segment.start, segment.end)]
    found, start = [], segment.start
    for sound, share in sounds_of(segment.symbol):
        stop = start + share * (segment.end - segment.start)
        found.append((sound, start, stop))
        start = stop
    return found


def _column(
    scores: Floats, times: NDArray[np.float64], sound: int, start: float, end: float, reach: float
) -> NDArray[np.float64]:
    """How well each frame fits a sound that is said to be from `start` to `end`."""
    away = np.maximum(np.maximum(start - times, times - end), 0)
    return np.where(away <= reach, scores[:, sound] - 0.3 * away / reach, _FAR)


def moves(before: Spoken, after: Spoken) -> list[float]:
    """By how many seconds the sounds of an item were moved."""
    starts = [start for segment in before.segments for _, start, end in _parts(segment) if end > start]
    pairs = zip(after.segments, starts, strict=True) if after.exact else ()
    return [one.start - start for one, start in pairs if one.symbol]


def _heard(audio: NDArray[np.float32]) -> Floats:
    wide = np.interp(np.arange(audio.size * SAMPLE_RATE // RATE) * (RATE / SAMPLE_RATE), np.arange(audio.size), audio)
    listening = Listening()
    return np.concatenate([listening.push(wide.astype(np.float32)), listening.finish()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="files of `generate`")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    offsets: dict[str, float] = {}
    for path in given.data:
        kind = path.name.partition("-")[0]
        if kind not in offsets:
            tried = [(item, refined(item, reach=SEARCHED)) for item in load(path)]
            offsets[kind] = float(np.median([move for before, after in tried for move in moves(before, after)]))
            print(f"{kind}: {1000 * offsets[kind]:+.0f} ms", flush=True)
        items = [(item, refined(item, offsets[kind])) for item in load(path)]
        moved = np.array([move for before, after in items for move in moves(before, after)]) - offsets[kind]
        save(given.out / path.name, [after for _, after in items])
        print(f"{path.name}: {1000 * np.median(moved):+.0f} ms more, spread {1000 * np.std(moved):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
