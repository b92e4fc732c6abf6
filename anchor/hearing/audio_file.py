"""Sound that somebody uploads, as what is listened to: read as if its maker meant harm."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from anchor.errors import FormatError
from anchor.talk import HEARING_RATE, Hearing

LARGEST_BYTES = 64 << 20
LONGEST_SECONDS = 30 * 60
MOST_CHANNELS = 8

FORMATS = {
    "wav": "wav", "mp3": "mp3", "ogg": "ogg", "flac": "flac",
    "mov,mp4,m4a,3gp,3g2,mj2": "mov", "matroska,webm": "matroska", "aac": "aac",
}  # fmt: skip
"""FFmpeg's demuxers that may be tried, by the names it gives them: none that opens other files or addresses."""

_SIGNATURES = (
    (0, b"RIFF", "wav"), (0, b"RF64", "wav"), (0, b"ID3", "mp3"), (0, b"OggS", "ogg"), (0, b"fLaC", "flac"),
    (4, b"ftyp", "mov"), (0, b"\x1aE\xdf\xa3", "matroska"),
)  # fmt: skip

_WANTED = "send WAV, MP3, Ogg, FLAC, M4A or WebM"


def read_audio(data: bytes, name: str = "the recording") -> Hearing:
    """Decode a file's bytes to mono sound at `HEARING_RATE`. Blocks. Raises `FormatError`, which names `name`.

    At most `LARGEST_BYTES` and `LONGEST_SECONDS`. The container is chosen by its first bytes, and FFmpeg may try no
    other; pictures in it are not decoded.
    """
    if not data:
        raise FormatError(f"{name}: is empty; {_WANTED}")
    if len(data) > LARGEST_BYTES:
        raise FormatError(f"{name}: {len(data) >> 20} MiB; at most {LARGEST_BYTES >> 20} can be taken")
    kind = _kind(data)
    if not kind:
        raise FormatError(f"{name}: is no recording that is known; {_WANTED}")
    import av

    try:
        # No protocol but the bytes at hand: a playlist within a container reaches nothing.
        options = {"protocol_whitelist": "", "format_whitelist": ",".join(FORMATS)}
        with av.open(io.BytesIO(data), format=kind, options=options, metadata_errors="ignore") as container:
            return _decoded(container, name)
    except (av.error.FFmpegError, ValueError) as error:  # PyAV's own for sound that changes its make in the middle
        why = error.strerror if isinstance(error, av.error.FFmpegError) else error
        raise FormatError(f"{name}: cannot be decoded as {kind}: {why}; {_WANTED}") from error


def _kind(data: bytes) -> str:
    for place, signature, kind in _SIGNATURES:
        if data[place : place + len(signature)] == signature:
            return kind
    # MPEG audio without tags: eleven set bits, then a layer that is not reserved; layer 0 is AAC.
    if data[0] == 0xFF and len(data) > 1 and data[1] & 0xE0 == 0xE0:
        return "aac" if data[1] & 0x06 == 0 else "mp3"
    return ""


def _decoded(container: Any, name: str) -> Hearing:
    import av

    if not container.streams.audio:
        raise FormatError(f"{name}: has no sound")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise FormatError(f"{name}: its sound is coded in a way that cannot be read; {_WANTED}")
    if stream.rate and not 4000 <= stream.rate <= 384_000:
        raise FormatError(f"{name}: {stream.rate} samples a second; 4,000 to 384,000 can be read")
    if container.duration is not None and container.duration > LONGEST_SECONDS * av.time_base:
        raise _too_long(name)
    # Interleaved: PyAV reads planes past the eighth from where there are none.
    resampler = av.AudioResampler("flt", None, HEARING_RATE)
    pieces: list[Hearing] = []
    samples = 0
    failure: av.error.FFmpegError | None = None
    try:
        for frame in container.decode(stream):
            frame.pts = None
            if not 1 <= frame.layout.nb_channels <= MOST_CHANNELS:
                raise FormatError(f"{name}: {frame.layout.nb_channels} channels; at most {MOST_CHANNELS} can be read")
            for piece in resampler.resample(frame):
                pieces.append(_mixed(piece))
                samples += len(pieces[-1])
            if samples > LONGEST_SECONDS * HEARING_RATE:
                raise _too_long(name)
        pieces += [_mixed(piece) for piece in resampler.resample(None)]
    except av.error.FFmpegError as error:
        failure = error
    sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if failure is not None and len(sound) < HEARING_RATE // 4:
        raise failure
    if len(sound) == 0:
        raise FormatError(f"{name}: has no sound in it")
    # What was cut off in the middle is used as far as it goes.
    return np.clip(np.nan_to_num(sound), -1.0, 1.0).astype(np.float32)


def _mixed(frame: Any) -> Hearing:
    """The mean of the channels: FFmpeg's own mixing makes two equal ones louder than full scale."""
    mixed: Hearing = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).mean(axis=1)
    return mixed


def _too_long(name: str) -> FormatError:
    return FormatError(f"{name}: longer than {LONGEST_SECONDS // 60} minutes; send a part of it")
