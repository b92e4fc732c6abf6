"""What an encoder makes of a program once and many outputs write: packets, and the header they need first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from anchor.events import Caption
from anchor.media import VideoFormat


@dataclass(frozen=True, slots=True)
class Profile:
    """How a program is encoded for a platform.

    Bit rates are bits a second; with `crf` the picture has that quality and `bitrate` is unused. `video` None keeps the
    program's own size. Sound is AAC, 48 kHz; a keyframe (IDR) every `gop_seconds` exactly, and rate control is CBR with
    a VBV of `vbv_seconds`.
    """

    name: str
    video: VideoFormat | None = None
    bitrate: int = 3_000_000
    crf: float | None = None
    preset: str = "veryfast"
    gop_seconds: float = 2.0
    vbv_seconds: float = 1.0
    audio_bitrate: int = 128_000
    stereo: bool = True
    h264: Literal["baseline", "main", "high"] = "high"


@dataclass(frozen=True, slots=True)
class Header:
    """`avcc` is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15), `asc` the AudioSpecificConfig (14496-3)."""

    video: VideoFormat
    profile: Profile
    avcc: bytes
    asc: bytes
    channels: int
    audio_delay: int
    """Samples that the AAC encoder puts before the first of ours."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture or 1,024 samples of sound.

    Times are stream time: 90 kHz ticks for video, samples at 48 kHz for audio, with `pts` of beat n at
    ``n * ticks_per_beat``. Video `data` has NAL units with four-byte lengths (avcC), audio is raw AAC.
    """

    kind: Literal["video", "audio"]
    data: bytes
    pts: int
    dts: int
    duration: int
    keyframe: bool = False


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption as a beat shows it first, `begin` in beats; None clears the screen."""

    begin: int
    caption: Caption | None


class Writer(Protocol):
    """One connection or file of an output, in a thread of its own: all calls may block, and come from that thread.

    The first packet written is a video keyframe. Any call may raise `OutputError`: the output then closes this writer
    and tries again with a new one, from a keyframe on. `close` may be called from another thread to abort a call that
    blocks; it is safe to call twice.
    """

    def open(self, header: Header) -> None: ...

    def write(self, packet: Packet) -> None: ...

    def caption(self, cue: Cue) -> None: ...

    def finish(self) -> None:
        """The program is over: end the file well."""
        ...

    def close(self) -> None: ...
