"""The sound of a clip that is shown, piece by piece, from where its pictures begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from anchor.errors import AvatarError
from anchor.media import SAMPLE_RATE, Samples
from avatars.reel import opened

_SMALLEST_GAP, _LARGEST_GAP = 0.06, 60.0
"""Seconds without sound that are silence; less is how its times are rounded, more is a broken time."""


def sound(path: Path) -> Iterator[Samples]:
    """All of the sound: mono, float32, `SAMPLE_RATE`, in pieces of a size of its own; nothing where there is none.

    A clip that is damaged ends there. Raises `MissingError` and `AvatarError` for what is no clip.
    """
    with opened(path) as container:
        if not container.streams.audio:
            return
        stream, pictures = container.streams.audio[0], container.streams.video[0]
        base = float((pictures.start_time or 0) * pictures.time_base)
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        given = 0
        try:
            for frame in container.decode(stream):
                begin = round(((frame.time or 0.0) - base) * SAMPLE_RATE)
                if not given and begin < 0:
                    given = begin
                missing = begin - given
                if _SMALLEST_GAP < missing / SAMPLE_RATE < _LARGEST_GAP or (not given and 0 < missing < SAMPLE_RATE):
                    yield np.zeros(missing, np.float32)
                    given += missing
                for part in resampler.resample(frame):
                    piece = _samples(part)
                    # What sounds before the first picture is left out.
                    early = min(piece.size, max(0, -given))
                    given += piece.size
                    if early < piece.size:
                        yield piece[early:]
        except FFmpegError as error:
            if not given:
                raise AvatarError(f"{path}: its sound is damaged ({error.strerror}); export it again") from error
            return
        for part in resampler.resample(None):
            yield _samples(part)


def _samples(frame: Any) -> Samples:
    return np.asarray(np.clip(frame.to_ndarray()[0], -1, 1), np.float32)
