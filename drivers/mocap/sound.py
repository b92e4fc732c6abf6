"""The sound of a clip, or of a file beside a table."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from anchor.errors import TakeError
from anchor.media import FILES_ONLY, SAMPLE_RATE, Samples

LONGEST_SECONDS = 3600.0


def read_sound(path: Path) -> Samples | None:
    """All of a file's sound, from where its pictures begin; None when it holds none. Raises `TakeError`."""
    blocks: list[Samples] = []
    try:
        # So that no name is taken for an address.
        with av.open(f"file:{path}", options=FILES_ONLY) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
            begin, length = None, 0
            for frame in container.decode(stream):
                if begin is None:
                    begin = float(frame.time or 0.0)
                for part in resampler.resample(frame):
                    blocks.append(part.to_ndarray()[0].astype(np.float32))
                    length += blocks[-1].size
                if length > LONGEST_SECONDS * SAMPLE_RATE:
                    raise TakeError(f"{path}: its sound is longer than {LONGEST_SECONDS:g} s; cut it")
            blocks += [part.to_ndarray()[0].astype(np.float32) for part in resampler.resample(None)]
            pictures = container.streams.video[0] if container.streams.video else None
            base = float((pictures.start_time or 0) * (pictures.time_base or 0)) if pictures is not None else 0.0
    except (FFmpegError, OSError) as error:
        raise TakeError(f"{path}: its sound cannot be read ({error.strerror}); export it again") from error
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    late = round(((begin or 0.0) - base) * SAMPLE_RATE)
    sound = np.concatenate([np.zeros(late, np.float32), sound]) if late > 0 else sound[-late:]
    return np.clip(sound, -1, 1)
