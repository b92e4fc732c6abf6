"""From the rate of microphones to the rate of listening, as a stream."""

from __future__ import annotations

import numpy as np
import soxr

from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE, Hearing

QUALITY = "HQ"
"""soxr's name: flat up to 7 kHz, for 20 ms of delay. LQ has half the delay and nothing above 7 kHz, VHQ twice."""


class Resampler:
    """One stream from `SAMPLE_RATE` to `HEARING_RATE`, in chunks of any size; how they are cut makes no difference.

    Sample n that comes out lies under sample 3n that went in. Some 20 ms are held back until more comes.
    """

    def __init__(self) -> None:
        self._stream = soxr.ResampleStream(SAMPLE_RATE, HEARING_RATE, 1, dtype="float32", quality=QUALITY)

    def feed(self, sound: Samples, *, last: bool = False) -> Hearing:
        """What can be told of the sound so far. After the `last` piece a new stream begins."""
        out: Hearing = self._stream.resample_chunk(np.ascontiguousarray(sound, np.float32), last=last)
        if last:
            self._stream.clear()
        return out

    def clear(self) -> None:
        """Forget what was held back: the next sound does not follow on the last."""
        self._stream.clear()
