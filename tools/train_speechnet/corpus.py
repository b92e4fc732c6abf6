"""From spoken sentences to what the network is fed: levelled features and the sound of each 10 ms, in crops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.speechnet.features import BLOCK, HOP, RATE, WINDOW, Leveller, log_mel
from drivers.speechnet.inventory import sounds_of
from tools.train_speechnet.spoken import Segment, Spoken, load


@dataclass(frozen=True, slots=True)
class Example:
    """`features`: float16, shape (frames, 40); `sounds`: uint8, shape (frames,)."""

    features: NDArray[np.float16]
    sounds: NDArray[np.uint8]


def labels(segments: Iterable[Segment], frames: int, factor: float = 1.0) -> NDArray[np.uint8]:
    """The sound of each 10 ms, of speech that is played faster by `factor`."""
    found = np.zeros(frames, np.uint8)
    for segment in segments:
        if not segment.symbol:
            continue
        start, length = segment.start, segment.end - segment.start
        for sound, share in sounds_of(segment.symbol):
            stop = start + share * length
            found[_frame(start / factor) : _frame(stop / factor)] = sound
            start = stop
    return found


def _frame(seconds: float) -> int:
    # Frame n is centred at 10 n ms.
    return max(0, round(seconds * RATE / HOP))


def heard(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Levelled features of a whole sound, as a stream would have them."""
    mel = log_mel(np.concatenate([np.zeros(WINDOW // 2, np.float32), sound, np.zeros(WINDOW, np.float32)]))
    return Leveller().level(mel[: len(mel) // BLOCK * BLOCK])


def examples(paths: Iterable[Path], copies: int, seed: int, pause: float) -> Iterator[Example]:
    """Every sentence once as it is and `copies` times disturbed, with up to `pause` seconds of silence on each side.

    Long pauses are mostly filled with noise: what a room and a microphone do while nobody speaks is to be told from
    speech.
    """
    for path in paths:
        rng = np.random.default_rng([seed, *path.name.encode()])
        items = list(load(path))
        others = [item.audio for item in items]
        for item in items:
            for copy in range(copies + 1):
                yield _example(item, rng, others if copy else None, pause)


def _example(item: Spoken, rng: np.random.Generator, others: list[NDArray[np.float32]] | None, pause: float) -> Example:
    from tools.train_speechnet.augment import disturbed, stretched

    sound, factor = item.audio, 1.0
    before, after = rng.uniform(0, pause), rng.uniform(0.2, max(0.4, pause))
    if others is not None and rng.random() < 0.75:
        factor = float(rng.uniform(0.84, 1.2))
        sound = stretched(sound, factor)
    padding = np.zeros(int(before * RATE), np.float32)
    sound = np.concatenate([padding, sound, np.zeros(int(after * RATE), np.float32)])
    if others is not None:
        sound = disturbed(sound, rng, others, 0.65 if pause < 1 else 0.85)
    features = heard(sound)
    moved = [Segment(one.symbol, one.start / factor + before, one.end / factor + before) for one in item.segments]
    return Example(features.astype(np.float16), labels(moved, len(features)))
