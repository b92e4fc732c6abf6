"""Better times for voices that know theirs only roughly: `python -m tools.train_speechnet.refine DATA --out DIR`.

Neural voices tell durations in steps of 25 ms, off by one or two. A network trained on the exact voices finds the same
sounds in their sound, within `REACH` of where they are said to be (self-training by our own alignment).
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

REACH = 0.07
_FRAMES = 100
_FAR = -30.0
_LEAST = -6.0


def refined(item: Spoken) -> Spoken:
    """The same speech with its times moved to where the network hears the sounds."""
    spans = [(sound, start, end) for segment in item.segments for sound, start, end in _parts(segment) if end > start]
    scores = np.maximum(_heard(item.audio), _LEAST)
    times = np.arange(len(scores)) / _FRAMES
    columns = np.stack([_column(scores, times, *span) for span in spans], axis=1)
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


def _column(scores: Floats, times: NDArray[np.float64], sound: int, start: float, end: float) -> NDArray[np.float64]:
    """How well each frame fits a sound that is said to be from `start` to `end`."""
    away = np.maximum(np.maximum(start - times, times - end), 0)
    return np.where(away <= REACH, scores[:, sound] - 8 * away, _FAR)


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
    for path in given.data:
        moved, items = list[float](), list[Spoken]()
        for item in load(path):
            better = refined(item)
            items.append(better)
            before = [start for segment in item.segments for _, start, end in _parts(segment) if end > start]
            if better.exact:
                moved += [one.start - at for one, at in zip(better.segments, before, strict=True)]
        save(given.out / path.name, items)
        print(f"{path.name}: moved by {1000 * np.median(moved):+.0f} ms, to either side {1000 * np.std(moved):.0f} ms")


if __name__ == "__main__":
    main()
