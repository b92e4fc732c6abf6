"""How fast a bulletin is rendered, and where the time goes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import av
import numpy as np

from anchor import parts, registry, rendering
from anchor.bench import one_render
from anchor.bench.measure import TEXT, Figure, Tell
from anchor.bench.one_render import SETTLED_SECONDS
from anchor.broadcast.script import Segment
from anchor.clock import FreeClock
from anchor.config import VoiceConfig
from anchor.events import LowerThird, Sentence
from anchor.media import SAMPLE_RATE, Beat, Look, Picture, VideoFormat
from anchor.pipeline.idle import Life
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.ports import Avatar, Scene, SpeechChunk, Voice

VIDEO = VideoFormat(1280, 720, 25)
LOWER_THIRD = LowerThird("Measured here", "A bulletin that measures itself")
REPEATS = 3
IDLE_BEATS = 250
LONG_SEGMENTS = 12
"""Of about 20 seconds: four minutes."""


async def measure(tell: Tell) -> list[Figure]:
    voice = parts.open_voice(VoiceConfig())
    try:
        with tempfile.TemporaryDirectory(prefix="anchor-bench-") as folder:
            return await _measure(voice, Path(folder), tell)
    finally:
        await voice.close()


async def _measure(voice: Voice, folder: Path, tell: Tell) -> list[Figure]:
    tell("drawing alone")
    driving, looks = await _drive(voice)
    speaking, encoding = _draw_and_encode(looks)
    life = Life(seed=1, fps=VIDEO.fps)
    idle, _ = _draw_and_encode([Look(life.frame(False)) for _ in range(IDLE_BEATS)])
    scene = _scene()
    pictures = [scene.draw(look) for look in looks]
    tell("x264 alone on the pictures of the bulletin")
    alone = min(_x264_alone(pictures) for _ in range(REPEATS))
    del pictures
    tell("rendering the bulletin")
    avatar = parts.open_avatar(registry.DEFAULT_AVATAR)
    for _ in range(2):
        await _render(voice, avatar, folder / "bench.mp4")
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        seconds = await _render(voice, avatar, folder / "bench.mp4")
        times.append(time.perf_counter() - start)
    offset = await _file_offset(folder / "flash.mp4")
    tell("rendering bulletins with graphics")
    small = [_watched(folder, "1280x720", 1) for _ in range(REPEATS)]
    large = [_watched(folder, "1920x1080", 1) for _ in range(REPEATS)]
    tell("rendering a bulletin of some minutes")
    long = _watched(folder, "1280x720", LONG_SEGMENTS)
    minutes = (long["film_seconds"] - SETTLED_SECONDS) / 60
    return [
        Figure("render_times_real_time_min", seconds / min(times), "x", 4),
        Figure("render_to_x264_fast_alone_ratio_max", min(times) / alone, "", 1.5),
        Figure("render_720p_with_graphics_times_real_time_min", _speed(small), "x", 4),
        Figure("render_1080p_with_graphics_times_real_time_min", _speed(large), "x", 2),
        Figure("render_720p_seconds_of_cpu_a_second", _cost(small), "s"),
        Figure("render_1080p_seconds_of_cpu_a_second", _cost(large), "s"),
        Figure("render_first_picture_seconds_max", min(one["first_seconds"] for one in small), "s", 2),
        Figure("render_memory_peak_mib_max", long["peak_mib"], "MiB", 400),
        Figure("render_memory_growth_mib_a_minute_max", (long["end_mib"] - long["settled_mib"]) / minutes, "MiB", 1),
        Figure("render_memory_of_another_bulletin_mib_max", long["another_mib"], "MiB", 20),
        Figure("drive_ms_of_cpu", driving, "ms"),
        Figure("draw_speaking_ms_of_cpu", speaking, "ms"),
        Figure("draw_idle_ms_of_cpu", idle, "ms"),
        Figure("live_encode_ms_of_cpu", encoding, "ms"),
        Figure("drive_and_draw_speaking_to_live_encode_ratio_max", (driving + speaking) / encoding, "", 1.0),
        Figure("draw_idle_to_live_encode_ratio_max", idle / encoding, "", 0.5),
        Figure("av_offset_in_file_ms_max", offset, "ms", 20),
    ]


def _watched(folder: Path, size: str, count: int) -> dict[str, float]:
    """A render in a process of its own; see `anchor.bench.one_render`."""
    # -P: its folder holds modules named as some of the standard library are.
    command = [sys.executable, "-P", one_render.__file__, str(folder / "one.mp4"), size, str(count)]
    done = subprocess.run(
        [*command, str(time.perf_counter())], input=TEXT, check=True, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _speed(runs: Sequence[dict[str, float]]) -> float:
    return max(run["film_seconds"] / run["seconds"] for run in runs)


def _cost(runs: Sequence[dict[str, float]]) -> float:
    return min(run["processor_seconds"] / run["film_seconds"] for run in runs)


async def _render(voice: Voice, avatar: Avatar, target: Path) -> float:
    made = await rendering.render(
        [Segment(TEXT, "en", LOWER_THIRD)], target, voice=voice, driver=parts.open_driver(registry.DEFAULT_DRIVER),
        avatar=avatar, video=VIDEO,
    )  # fmt: skip
    return made.seconds


def _scene() -> Scene:
    return parts.open_scene(
        parts.open_avatar(registry.DEFAULT_AVATAR), parts.open_driver(registry.DEFAULT_DRIVER), VIDEO, {}
    )


class _Notebook:
    """A scene that draws nothing and keeps what it was asked for."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self._picture = Picture.black(VIDEO)

    def draw(self, look: Look) -> Picture:
        self.looks.append(look)
        return self._picture


async def _drive(voice: Voice) -> tuple[float, list[Look]]:
    """Milliseconds of processor time a beat that the driver takes, and what there is to draw for the bulletin."""
    clock, notebook = FreeClock(), _Notebook()
    driver = parts.open_driver(registry.DEFAULT_DRIVER)
    performer = Performer(
        driver, VIDEO, clock, head_beats=round(rendering.HEAD_SECONDS * VIDEO.fps),
        tail_beats=round(rendering.TAIL_SECONDS * VIDEO.fps),
    )  # fmt: skip
    async with performer.open():
        performer.perform(Utterance(TEXT, "en", voice, lower_third=LOWER_THIRD))
        performer.finish()
        await Playout(performer, Life(seed=1, fps=VIDEO.fps), notebook, [], clock).run()
    chunks = [chunk async for chunk in voice.speak(Sentence(TEXT, "en"))]

    async def speech() -> AsyncIterator[SpeechChunk]:
        for chunk in chunks:
            yield chunk

    start = time.thread_time()
    frames = [face async for face in driver.drive(speech(), VIDEO.fps)]
    return 1000 * (time.thread_time() - start) / len(frames), notebook.looks


def _draw_and_encode(looks: Sequence[Look]) -> tuple[float, float]:
    """Milliseconds of processor time that drawing and the shared live encoder take for a picture on average.

    They take turns, as they do on air, so that each finds the caches as the other leaves them. The better of `REPEATS`.
    """
    best = (math.inf, math.inf)
    silence = np.zeros(VIDEO.samples_per_beat, np.float32)
    for _ in range(REPEATS):
        scene, encoder = _scene(), registry.load("anchor.part", "live_encoder")(VIDEO)
        encoder.encode(Beat(0, scene.draw(looks[0]), silence), ("H264",))
        drawing = encoding = 0.0
        for index, look in enumerate(looks[1:], start=1):
            start = time.thread_time()
            picture = scene.draw(look)
            middle = time.thread_time()
            encoder.encode(Beat(index, picture, silence), ("H264",))
            drawing += middle - start
            encoding += time.thread_time() - middle
        best = min(best[0], drawing), min(best[1], encoding)
    return 1000 * best[0] / len(looks), 1000 * best[1] / len(looks)


def _x264_alone(pictures: Sequence[Picture]) -> float:
    """Seconds to encode the pictures with x264's *fast* at 20, the yardstick of this machine, and nothing else."""
    with av.open("bench.null", "w", format="null") as nowhere:
        stream = registry.load("anchor.part", "video_stream")(nowhere, VIDEO, {"preset": "fast", "crf": "20"}, 0)
        start = time.perf_counter()
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_numpy_buffer(picture.data, format="yuv420p")
            frame.pts = index * VIDEO.ticks_per_beat
            frame.time_base = stream.time_base
            stream.encode(frame)
        stream.encode(None)
        return time.perf_counter() - start


async def _file_offset(target: Path) -> float:
    """Milliseconds between a white picture and the sound under it, after writing and reading a file."""
    flash = 30
    dark, bright = Picture.black(VIDEO), Picture.black(VIDEO)
    bright.y[:] = 235
    silence = np.zeros(VIDEO.samples_per_beat, np.float32)
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(VIDEO.samples_per_beat) / SAMPLE_RATE).astype(np.float32)
    async with registry.load("anchor.sink", "mp4")(target, VIDEO) as sink:
        for index in range(2 * flash):
            on = index == flash
            await sink.send(Beat(index, bright if on else dark, tone if on else silence))
    with av.open(str(target)) as container:
        seen = next(
            _seconds(frame) for frame in container.decode(video=0) if frame.to_ndarray()[: VIDEO.height].mean() > 128
        )
    with av.open(str(target)) as container:
        heard = next(
            _seconds(frame) + int(np.argmax(loud)) / SAMPLE_RATE
            for frame in container.decode(audio=0)
            if (loud := np.abs(frame.to_ndarray()[0]) > 0.1).any()
        )
    return 1000 * abs(heard - seen)


def _seconds(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base is not None
    return float(frame.pts * frame.time_base)
