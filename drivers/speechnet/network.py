"""The network itself: sound in, log-probabilities of sounds out, for one stream at a time.

`net.onnx` beside this file is ours: trained by `tools/train_speechnet` on synthesised speech alone; see `CARD.md`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anchor.errors import ModelError
from anchor.media import SAMPLE_RATE, Floats, Samples
from anchor.onnx_session import open_session
from drivers.speechnet.features import BANDS, Ear
from drivers.speechnet.inventory import SOUNDS

if TYPE_CHECKING:
    import onnxruntime

NETWORK = Path(__file__).with_name("net.onnx")
STEP = SAMPLE_RATE // 100
"""Samples a frame."""
DELAY = 10
"""Frames that the network answers late: its look-ahead of 100 ms."""


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    """The network. Raises `ModelError`."""
    try:
        session, _ = open_session(NETWORK, NETWORK.read_bytes())  # one thread: a chunk is a fraction of a millisecond
    except OSError as error:
        raise ModelError(f"{NETWORK}: cannot be read: {error}") from error
    return session


def warm() -> None:
    """Load the network before its first use. Raises `ModelError`, and `ImportError` without onnxruntime."""
    _session()


class Listening:
    """One stream of sound as the network hears it; all state is here, the network itself has none."""

    def __init__(self) -> None:
        self._ear = Ear()
        self._state = np.zeros((1, _session().get_inputs()[1].shape[1]), np.float32)
        self._late = DELAY
        self._samples = 0
        self._given = 0

    def push(self, audio: Samples) -> Floats:
        """Take sound; give log-probabilities of `SOUNDS`, float32 of shape (frames, sounds), that are known by now.

        Frames follow one another; frame n is centred at 10 n ms.
        """
        self._samples += audio.size
        return self._answer(self._ear.push(audio))

    def finish(self) -> Floats:
        """The frames that are left, as if silence followed: one for every started 10 ms of all sound."""
        left = -(-self._samples // STEP) - self._given
        return self._answer(self._ear.finish(left + DELAY))[: max(0, left)]

    def _answer(self, features: Floats) -> Floats:
        if not len(features):
            return np.zeros((0, len(SOUNDS)), np.float32)
        assert features.shape[1] == BANDS
        feeds = {"features": features[None], "state": self._state}
        sounds, self._state = _session().run(None, feeds)
        skipped = min(self._late, sounds.shape[1])
        self._late -= skipped
        found: Floats = sounds[0, skipped:]
        self._given += len(found)
        return found
