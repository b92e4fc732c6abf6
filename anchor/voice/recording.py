"""Recordings of people who speak: decoded as files from strangers are, and judged as material for a voice."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchor.errors import VoiceError
from anchor.loudness import loudness
from anchor.media import FILES_ONLY, SAMPLE_RATE, Samples

LONGEST_SECONDS = 1800.0
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
LEAST_RATE, MOST_RATE = 8000, 192_000

SHORTEST_CLIP, LONGEST_CLIP = 6.0, 30.0
"""Seconds of a clip that a voice is made like: what cloning models ask for, XTTS six and most no more than thirty."""
_QUIET_LUFS, _LOUD_LUFS = -42.0, -6.0
_LEAST_SNR = 20.0
"""Decibels between speech and the room; below it, models learn the room."""
_TWO_PEOPLE = 0.75
"""Octaves between the higher and the lower half of what is said: one person's, reading the news, are half an octave
apart."""
_CLIPPED_RUN = 3
_MOST_CLIPPED = 5
"""Places a second at which it is overdriven."""
_FRAME = round(0.02 * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Recording:
    """The sound of a file, mono; `rate` and `channels` are as it was recorded."""

    path: Path
    sound: Samples
    rate: int
    channels: int

    @property
    def seconds(self) -> float:
        return self.sound.size / SAMPLE_RATE


def read_recording(path: Path, *, longest: float = LONGEST_SECONDS) -> Recording:
    """All of a file's sound. Blocks. Raises `VoiceError` naming the file for one that cannot be used, or is cut off."""
    import av

    try:
        if not path.is_file():
            raise VoiceError(f"{path}: there is no such file")
        if not path.stat().st_size:
            raise VoiceError(f"{path}: is empty; record it again")
        # So that no name is taken for an address.
        with av.open(f"file:{path}", options=FILES_ONLY, metadata_errors="ignore") as container:
            return _decoded(container, path, longest)
    except (av.error.FFmpegError, OSError, ValueError) as error:  # PyAV's own ValueError: sound that changes its make
        why = getattr(error, "strerror", None) or error
        raise VoiceError(f"{path}: cannot be read as sound ({why}); export it as WAV or FLAC") from error


def _decoded(container: Any, path: Path, longest: float) -> Recording:
    import av

    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        raise VoiceError(f"{path}: has no sound that can be read; export it as WAV or FLAC")
    stream = container.streams.audio[0]
    rate, channels = int(stream.rate or 0), int(stream.codec_context.channels or 0)
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise VoiceError(f"{path}: {rate} samples a second; {LEAST_RATE:,} to {MOST_RATE:,} can be read")
    if not 1 <= channels <= 8:
        raise VoiceError(f"{path}: {channels} channels; give one or two")
    resampler = av.AudioResampler("flt", None, SAMPLE_RATE)
    pieces, size = list[Samples](), 0
    try:
        for frame in _frames(container, stream, resampler):
            pieces.append(frame.to_ndarray().reshape(-1, frame.layout.nb_channels).mean(axis=1))
            size += pieces[-1].size
            if size > longest * SAMPLE_RATE:
                raise VoiceError(f"{path}: is longer than {longest:g} s; cut it")
    except av.error.FFmpegError as error:
        raise VoiceError(f"{path}: is damaged after {size / SAMPLE_RATE:.1f} s; export it again") from error
    told = _told_seconds(container, stream, path)
    if told - size / SAMPLE_RATE > max(0.5, 0.05 * told):
        raise VoiceError(
            f"{path}: is cut off: {told:.1f} s by its header, {size / SAMPLE_RATE:.1f} s are there; copy it again"
        )
    if not size:
        raise VoiceError(f"{path}: has no sound in it")
    sound = np.concatenate(pieces)
    if not np.isfinite(sound).all():
        raise VoiceError(f"{path}: holds what is no sound; export it again")
    return Recording(path, np.clip(sound, -1, 1).astype(np.float32), rate, channels)


def _frames(container: Any, stream: Any, resampler: Any) -> Iterator[Any]:
    for frame in container.decode(stream):
        frame.pts = None
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _told_seconds(container: Any, stream: Any, path: Path) -> float:
    """How long a file says that it is; of a WAV its header is asked, since FFmpeg corrects it by the file's size."""
    if "wav" in container.format.name:
        try:
            with wave.open(str(path), "rb") as file:
                frames = file.getnframes()
                # Recorders that do not come to write the length leave the largest number, or none.
                return 0.0 if frames * file.getnchannels() * file.getsampwidth() >= 0x7FFFFF00 else frames / (
                    file.getframerate() or math.inf
                )  # fmt: skip
        except (wave.Error, EOFError):
            return 0.0
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def trimmed(sound: Samples, *, margin: float = 0.1) -> Samples:
    """Without the silence at both ends, but for `margin` seconds of it."""
    start, end = heard(sound)
    edge = round(margin * SAMPLE_RATE)
    return sound[max(0, start - edge) : end + edge]


def heard(sound: Samples) -> tuple[int, int]:
    """The samples between which somebody speaks; (0, 0) where nobody does."""
    levels = frame_levels(sound)
    if not levels.size or levels.max() < -60:
        return 0, 0
    # Where there is no pause, the softest is speech and no room.
    room = min(floor_level(levels) + 10.0, levels.max() - 30.0)
    loud = np.flatnonzero(levels > max(-55.0, room, levels.max() - 45.0))
    if not loud.size:
        return 0, 0
    return int(loud[0]) * _FRAME, min(sound.size, int(loud[-1] + 1) * _FRAME)


def frame_levels(sound: Samples) -> NDArray[np.float64]:
    """Decibels of each 20 ms against full scale."""
    whole = sound[: sound.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    return np.asarray(20 * np.log10(np.sqrt(np.mean(whole.astype(np.float64) ** 2, axis=1)) + 1e-9))


def floor_level(levels: NDArray[np.float64]) -> float:
    """How loud it is where nobody speaks; digital silence does not count as a room."""
    real = levels[levels > -90]
    return float(np.percentile(real, 5)) if real.size else -90.0


def judge(recording: Recording) -> list[str]:
    """What is wrong with a clip that a voice is to be made like, in words for who recorded it."""
    found, sound = list[str](), recording.sound
    start, end = heard(sound)
    seconds = (end - start) / SAMPLE_RATE
    if seconds < SHORTEST_CLIP:
        found.append(f"{seconds:.1f} s of speech; record {SHORTEST_CLIP:g} to {LONGEST_CLIP:g} s")
    elif recording.seconds > LONGEST_CLIP:
        found.append(f"{recording.seconds:.1f} s; cut it to {SHORTEST_CLIP:g} to {LONGEST_CLIP:g} s")
    if recording.rate < 16_000:
        found.append(f"{recording.rate:,} samples a second, as on a telephone; record at 24,000 or more")
    if not end:
        return found
    lufs = loudness([sound])
    if lufs < _QUIET_LUFS:
        found.append(f"too quiet ({lufs:.0f} LUFS); go nearer to the microphone, or turn it up")
    elif lufs > _LOUD_LUFS:
        found.append(f"too loud ({lufs:.0f} LUFS); turn the microphone down")
    clipped = _clipped(sound) / recording.seconds
    if clipped > _MOST_CLIPPED:
        found.append(f"overdriven at {clipped:.0f} places a second; turn the microphone down and record again")
    levels = frame_levels(sound)
    noise = float(np.percentile(levels, 90)) - floor_level(levels)
    if noise < _LEAST_SNR:
        found.append(f"the room is only {noise:.0f} dB below the voice; record where it is quiet, without music")
    if (voices := speakers(sound)) is not None:
        low, high = voices
        found.append(f"two people seem to speak ({low:.0f} and {high:.0f} Hz); one voice a recording")
    return found


def _clipped(sound: Samples) -> int:
    """Places where several samples in a row stand at the loudest there is."""
    top = float(np.abs(sound).max())
    if top < 0.5:
        return 0
    flat = (np.abs(sound) >= 0.995 * top).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
    runs = edges[1::2] - edges[::2]
    return int((runs >= _CLIPPED_RUN * SAMPLE_RATE // 16_000).sum())


def speakers(sound: Samples) -> tuple[float, float] | None:
    """The pitches of two people, where a recording has stretches of two that lie far apart; None for one voice."""
    pitches = pitch(sound)
    if pitches.size < 200 or np.ptp(pitches) == 0:
        return None
    # Medians of a quarter of a second: intonation swings within a phrase, another person stays where they are.
    steady = np.array([np.median(part) for part in np.array_split(pitches, max(4, pitches.size // 25))])
    octaves = np.sort(np.log2(steady))
    split = octaves.mean()
    for _ in range(20):
        low, high = octaves[octaves <= split], octaves[octaves > split]
        split = (low.mean() + high.mean()) / 2
    if min(low.size, high.size) < 0.2 * octaves.size or high.mean() - low.mean() < _TWO_PEOPLE:
        return None
    return float(2 ** low.mean()), float(2 ** high.mean())


def pitch(sound: Samples) -> NDArray[np.float64]:
    """Fundamental frequency of the voiced frames of 10 ms, in hertz, by normalised autocorrelation at 8 kHz."""
    import soxr

    rate, size, step = 8000, 400, 80
    slow = np.asarray(soxr.resample(sound, SAMPLE_RATE, rate), np.float64)
    if slow.size < size:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(slow, size)[::step] * np.hanning(size)
    power = (frames**2).sum(axis=1)
    frames = frames[power > 0.001 * np.percentile(power, 95)]
    spectrum = np.abs(np.fft.rfft(frames, 1024, axis=1)) ** 2
    lags = np.fft.irfft(spectrum, axis=1)
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 1024)) ** 2)
    shortest, longest = rate // 400, rate // 65
    shape = lags[:, shortest:longest] / (lags[:, :1] + 1e-12) / (window[shortest:longest] / window[0])
    best = shape.max(axis=1)
    # The shortest lag that is nearly as good, so that no octave below is taken.
    first = np.argmax(shape > 0.9 * best[:, None], axis=1)
    rising = np.array([_peak(row, at) for row, at in zip(shape, first, strict=True)])
    # A best lag at the very edge is a hiss, not a voice.
    return np.asarray(rate / (shortest + rising[(best > 0.6) & (rising > 1)]))


def _peak(row: NDArray[np.float64], at: int) -> int:
    while at + 1 < row.size and row[at + 1] > row[at]:
        at += 1
    return at
