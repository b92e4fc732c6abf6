"""Clips of odd makes, written by FFmpeg's own libraries."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SIZE = (160, 90)
RATE = 48_000


def shade(number: int) -> int:
    """The brightness of a clip's picture: told apart after any codec."""
    return 40 + (number * 13) % 160


def write(
    path: Path,
    times: Iterable[float],
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    size: tuple[int, int] = SIZE,
    base: Fraction = Fraction(1, 90_000),
    tone: tuple[float, float] | None = None,
    turned: int = 0,
) -> Path:
    """A clip of flat pictures, `shade(n)` bright, shown from `times`; `tone` sounds at 1 kHz between two seconds."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=30)
        video.width, video.height = size
        video.pix_fmt, video.time_base = form, base
        video.codec_context.time_base = base
        quick = {"deadline": "realtime", "cpu-used": "8"} if "vp" in codec else {"preset": "ultrafast", "crf": "12"}
        video.options = quick | ({"x265-params": "log-level=none:pools=1"} if codec == "libx265" else {})
        video.codec_context.thread_count = 1
        sound: Any = container.add_stream("aac", rate=RATE, layout="mono") if tone is not None else None
        if turned:
            video.set_display_rotation(turned)
        for number, at in enumerate(times):
            grey = np.full((size[1], size[0], 3), shade(number), np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=form)
            picture.pts, picture.time_base = round(at / base), base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if sound is not None and tone is not None:
            t = np.arange(round((tone[1] + 0.5) * RATE)) / RATE
            wave = np.where((t >= tone[0]) & (t < tone[1]), 0.3 * np.sin(2000 * np.pi * t), 0).astype(np.float32)
            for start in range(0, wave.size, 1024):
                frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path
