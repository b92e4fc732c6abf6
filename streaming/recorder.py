"""A file that any player opens: H.264 and AAC in MP4, whole or not there at all."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import PictureType

from anchor.errors import OutputError
from anchor.media import SAMPLE_RATE, VIDEO_CLOCK, Beat, VideoFormat
from streaming.encoder import BT709, LIMITED, SMPTE170M

AHEAD = 8
"""Beats that may wait for the encoder; `Mp4Sink.send` holds its caller back beyond them."""

_KEYFRAME_SECONDS = 2

THREADS = 2
"""Of x264: with them it keeps up with the drawing, which has one. More would only hold more pictures, and a file would
depend on the machine."""

QUALITY: Mapping[str, str] = MappingProxyType(
    {"preset": "veryfast", "crf": "18", "x264-params": "sync-lookahead=0"}  # no second row of pictures that wait
)
"""x264's settings. On a presenter they give what *fast* gives at 20 (49 dB, the face 45.5 dB) in a file that is smaller
by a twelfth, for half the time and two thirds of the memory."""


class Mp4Sink:
    """Write beats to `path`: H.264 (x264, constant quality `crf`) with mono AAC at 48 kHz.

    The file grows under a hidden name beside `path` and gets its own name when the context ends without an exception;
    otherwise it is removed, and whatever was at `path` before stays. `metadata` goes into the file as it is, whatever
    its keys (``AIGC``, ``title``, ``comment``). Raises `OutputError` on entering when the folder cannot be written to,
    and later when the disk is full.

    Encoding runs in a thread of its own, `AHEAD` beats behind the caller at most.
    """

    def __init__(
        self,
        path: Path,
        video: VideoFormat,
        *,
        metadata: Mapping[str, str] | None = None,
        preset: str = QUALITY["preset"],
        crf: float = float(QUALITY["crf"]),
        audio_bitrate: int = 128_000,
        threads: int = THREADS,
    ) -> None:
        self.path = path
        self.video = video
        self._metadata = dict(metadata or {})
        self._options = {**QUALITY, "preset": preset, "crf": str(crf)}
        self._audio_bitrate = audio_bitrate
        self._threads = threads
        self._partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        self._container: Any = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._first: int | None = None
        self._beats = 0

    async def __aenter__(self) -> Self:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mp4")
        try:
            await self._run(self._open)
        except BaseException:
            # A cancelled opening goes on in its thread; what it makes is thrown away after it.
            self._executor.submit(self._discard)
            self._executor.shutdown()
            raise
        return self

    async def send(self, beat: Beat) -> None:
        """Queue a beat. Raises `OutputError`, and `ValueError` for one of another size or out of order."""
        self._check(beat)
        while len(self._waiting) >= AHEAD:
            await self._waiting.popleft()
        self._waiting.append(self._run(self._encode, beat, self._beats))
        self._beats += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        finished = False
        try:
            if error is None:
                while self._waiting:
                    await self._waiting.popleft()
                await self._run(self._finish)
                finished = True
        finally:
            for future in self._waiting:
                future.cancel()
            await asyncio.gather(*self._waiting, return_exceptions=True)
            if not finished:
                await self._run(self._discard)
            self._executor.shutdown()

    def _run(self, work: Any, *values: Any) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._executor, self._guarded, work, *values)

    def _guarded(self, work: Any, *values: Any) -> None:
        try:
            work(*values)
        except (OSError, FFmpegError) as error:
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error

    def _check(self, beat: Beat) -> None:
        if self._first is None:
            self._first = beat.index
        if beat.index != self._first + self._beats:
            raise ValueError(f"beat {beat.index} came where {self._first + self._beats} was due")
        if beat.picture.data.shape != (self.video.height * 3 // 2, self.video.width):
            raise ValueError(f"beat {beat.index} has a picture of {beat.picture.width}x{beat.picture.height}")
        if beat.audio.shape != (self.video.samples_per_beat,):
            raise ValueError(f"beat {beat.index} has {beat.audio.size} samples, not {self.video.samples_per_beat}")

    # What follows runs in the executor's thread.

    def _open(self) -> None:
        if self.path.is_dir():
            raise OutputError(f"{self.path}: is a folder; name a file to write")
        with self._partial.open("xb"):
            pass
        # Players that stream want the index first, and MP4 drops keys it does not know without the second flag.
        flags = "+faststart+use_metadata_tags"
        try:
            self._container = av.open(str(self._partial), "w", format="mp4", options={"movflags": flags})
        except (OSError, FFmpegError):
            self._partial.unlink(missing_ok=True)
            raise
        self._container.metadata.update(self._metadata)
        self._video_stream = add_video_stream(self._container, self.video, self._options, self._threads)
        self._add_audio()

    def _add_audio(self) -> None:
        stream = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="mono", format="fltp")
        stream.bit_rate = self._audio_bitrate
        stream.time_base = Fraction(1, SAMPLE_RATE)
        self._audio_stream = stream

    def _encode(self, beat: Beat, number: int) -> None:
        picture = av.VideoFrame.from_numpy_buffer(beat.picture.data, format="yuv420p")
        picture.pts = number * self.video.ticks_per_beat
        picture.time_base = Fraction(1, VIDEO_CLOCK)
        picture.pict_type = PictureType.NONE
        self._container.mux(self._video_stream.encode(picture))
        samples = np.ascontiguousarray(beat.audio, np.float32).reshape(1, -1)
        sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        sound.sample_rate = SAMPLE_RATE
        sound.pts = number * self.video.samples_per_beat
        sound.time_base = Fraction(1, SAMPLE_RATE)
        self._container.mux(self._audio_stream.encode(sound))

    def _finish(self) -> None:
        if not self._beats:
            raise OutputError(f"{self.path}: nothing to write: there was not one picture")
        self._container.mux(self._video_stream.encode(None))
        self._container.mux(self._audio_stream.encode(None))
        self._container.close()
        with self._partial.open("rb+") as file:
            os.fsync(file.fileno())
        self._partial.replace(self.path)

    def _discard(self) -> None:
        try:
            if self._container is not None:
                self._container.close()
        except (OSError, ValueError, FFmpegError):
            pass  # a file that is thrown away need not end well
        finally:
            self._partial.unlink(missing_ok=True)


def add_video_stream(
    container: Any, video: VideoFormat, options: Mapping[str, str] = QUALITY, threads: int = THREADS
) -> Any:
    """Add an H.264 stream for our pictures to an open PyAV container; `options` are x264's."""
    stream = container.add_stream("libx264", rate=video.fps, options=dict(options))
    stream.width, stream.height = video.width, video.height
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, VIDEO_CLOCK)
    context = stream.codec_context
    context.time_base = Fraction(1, VIDEO_CLOCK)
    context.gop_size = video.fps * _KEYFRAME_SECONDS
    # Slices, PyAV's default, cost quality and a third of the speed; only a live stream needs them.
    context.thread_type = "FRAME"
    context.thread_count = threads
    context.colorspace = SMPTE170M
    context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    return stream
