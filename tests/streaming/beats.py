"""Beats for tests: a moving picture with clicks and flashes at known places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from anchor.events import Caption, Word
from anchor.media import SAMPLE_RATE, Beat, Picture, VideoFormat

SMALL = VideoFormat(160, 96, 25)


def moving_picture(video: VideoFormat, index: int, *, white: bool = False) -> Picture:
    """A grey slope with a bright square that walks; all white on demand."""
    picture = Picture.black(video)
    if white:
        picture.y[:] = 235
        return picture
    picture.y[:] = np.linspace(40, 120, video.width, dtype=np.uint8)
    side = video.shorter_side // 4
    left = index * 7 % (video.width - side)
    top = index * 3 % (video.height - side)
    picture.y[top : top + side, left : left + side] = 200
    picture.u[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = 90
    return picture


def tone(video: VideoFormat, index: int, hertz: float = 440.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    start = index * video.samples_per_beat
    when = np.arange(start, start + video.samples_per_beat) / SAMPLE_RATE
    return (0.2 * np.sin(2 * np.pi * hertz * when)).astype(np.float32)


def beat(video: VideoFormat, index: int, *, said: str | None = None, caption: Caption | None = None) -> Beat:
    start = index * video.samples_per_beat
    words = (Word(said, start, start + video.samples_per_beat),) if said else ()
    return Beat(
        index,
        moving_picture(video, index),
        tone(video, index),
        speaking=said is not None,
        words=words,
        caption=caption,
    )


def beats(video: VideoFormat, count: int) -> Iterator[Beat]:
    return (beat(video, index) for index in range(count))


def click_and_flash(video: VideoFormat, index: int, *, every: int) -> Beat:
    """Silence and darkness, but a white picture and a 2 ms burst at its first sample in one beat of `every`."""
    audio = np.zeros(video.samples_per_beat, np.float32)
    if index % every:
        return Beat(index, Picture.black(video), audio)
    burst = SAMPLE_RATE // 500
    audio[:burst] = 0.8 * np.sin(2 * np.pi * 3000 * np.arange(burst) / SAMPLE_RATE)
    return Beat(index, moving_picture(video, index, white=True), audio)
