"""The live encoder that all viewers of a channel share: H.264, VP8 when somebody needs it, and Opus.

aiortc would encode once for every viewer, at x264's *medium* preset. Here a beat is encoded once and cut into RTP
payloads once, whoever watches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder as H264Packer
from aiortc.codecs.vpx import Vp8Encoder as Vp8Packer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from anchor.media import SAMPLE_RATE, Beat, Picture, Samples, VideoFormat

Codec = Literal["H264", "VP8"]

OPUS_SAMPLES = 960
"""20 ms, the packet that every WebRTC stack expects (RFC 7587)."""

OPUS_DELAY = 312
"""Samples by which libopus holds its input back (RFC 7845 section 4.2); RTP has no field for it."""

KEYFRAME_GAP_SECONDS = 0.5
"""Keyframes asked for more often than this wait: a storm of requests costs two a second."""

GOP_SECONDS = 10
"""A keyframe comes after this long without one, for viewers that cannot ask."""

BITS_PER_PIXEL = 0.07
"""At 1280x720, 25 frames a second: 1.6 Mbit/s, where x264 superfast reaches 45 dB on a presenter and a ticker."""

# ISO/IEC 23091-2 code points of our pictures: sRGB turned into BT.601, limited range. Untagged, Chromium takes BT.709.
BT709 = 1
SMPTE170M = 6
LIMITED = 1

# Finer steps than this nobody sees (46 dB on the presenter); without a bound x264 would fill the bitrate with them, at
# four times the packets and a third more time.
_FINEST_H264 = 18
_FINEST_VP8 = 8

_OPUS_BITRATE = 64_000


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture as RTP payloads, each at most 1,300 bytes."""

    payloads: tuple[bytes, ...]
    keyframe: bool


@dataclass(frozen=True, slots=True)
class EncodedSound:
    """One Opus packet; `timestamp` in samples of stream time, less what the codec delays."""

    payload: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class EncodedBeat:
    index: int
    pictures: Mapping[Codec, EncodedPicture]
    sounds: tuple[EncodedSound, ...]


def default_bitrate(video: VideoFormat) -> int:
    """Bits a second that suit a presenter in a studio at this size."""
    return round(min(6e6, max(300e3, BITS_PER_PIXEL * video.width * video.height * video.fps)))


class KeyframeGate:
    """Turns any number of keyframe requests into at most one keyframe every `gap` beats."""

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self._wanted = True
        self._last: int | None = None

    def ask(self) -> None:
        self._wanted = True

    def due(self, index: int) -> bool:
        return self._wanted and (self._last is None or not 0 <= index - self._last < self._gap)

    def made(self, index: int) -> None:
        self._last = index
        self._wanted = False


class _VideoEncoder:
    """One codec of the live encoder."""

    def __init__(self, video: VideoFormat, bitrate: int) -> None:
        self._context = self._open(video, bitrate)
        self._gate = KeyframeGate(math.ceil(KEYFRAME_GAP_SECONDS * video.fps))
        self._count = 0

    def _open(self, video: VideoFormat, bitrate: int) -> VideoCodecContext:
        raise NotImplementedError

    def _pack(self, data: bytes) -> list[bytes]:
        raise NotImplementedError

    def ask_keyframe(self) -> None:
        self._gate.ask()

    def encode(self, picture: Picture, index: int) -> EncodedPicture:
        frame = av.VideoFrame.from_numpy_buffer(picture.data, format="yuv420p")
        # Rate control wants even steps; the time a viewer sees comes from the beat's index, not from here.
        frame.pts = self._count
        frame.time_base = self._context.time_base
        frame.pict_type = PictureType.I if self._gate.due(index) else PictureType.NONE
        self._count += 1
        packets = self._context.encode(frame)
        keyframe = any(packet.is_keyframe for packet in packets)
        if keyframe:
            self._gate.made(index)
        return EncodedPicture(tuple(self._pack(b"".join(bytes(packet) for packet in packets))), keyframe)


def _context(name: str, video: VideoFormat, bitrate: int, options: dict[str, str]) -> VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = video.width, video.height, "yuv420p"
    context.framerate = Fraction(video.fps)
    context.time_base = Fraction(1, video.fps)
    context.bit_rate = bitrate
    context.gop_size = GOP_SECONDS * video.fps
    context.colorspace, context.color_range = SMPTE170M, LIMITED
    context.color_primaries = context.color_trc = BT709
    # One thread is the cheapest per picture, and many channels share a machine.
    context.thread_count = 1
    context.options = options
    return context


class _H264(_VideoEncoder):
    def _open(self, video: VideoFormat, bitrate: int) -> VideoCodecContext:
        rates = {"maxrate": str(bitrate), "bufsize": str(bitrate)}
        context = _context(
            "libx264",
            video,
            bitrate,
            {
                "preset": "superfast",
                "tune": "zerolatency",
                "profile": "baseline",  # what every browser decodes (RFC 7742 section 6.2)
                "forced-idr": "1",
                # Psychovisual search and motion in chroma cost a tenth and show nothing on a presenter (PSNR within
                # 0.03 dB, same size).
                "x264-params": "scenecut=0:sliced-threads=0:psy=0:chroma-me=0",
                **rates,
            },
        )
        context.qmin = _FINEST_H264
        return context

    def _pack(self, data: bytes) -> list[bytes]:
        return H264Packer._packetize(H264Packer._split_bitstream(data))


class _Vp8(_VideoEncoder):
    _picture_id = 0

    def _open(self, video: VideoFormat, bitrate: int) -> VideoCodecContext:
        # aiortc's own settings smear the picture (noise-sensitivity 4) and cost twice as much.
        options = {"deadline": "realtime", "cpu-used": "-12", "lag-in-frames": "0", "static-thresh": "1"}
        rates = {"minrate": str(bitrate), "maxrate": str(bitrate), "bufsize": str(bitrate)}
        context = _context("libvpx", video, bitrate, {**options, **rates, "undershoot-pct": "100"})
        context.qmin, context.qmax = _FINEST_VP8, 56
        return context

    def _pack(self, data: bytes) -> list[bytes]:
        self._picture_id = (self._picture_id + 1) % (1 << 15)
        return Vp8Packer._packetize(data, self._picture_id)


class OpusEncoder:
    """Mono speech in 20 ms packets, whatever the length of a beat."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._rest = np.zeros(0, np.float32)

    def encode(self, audio: Samples, start: int) -> tuple[EncodedSound, ...]:
        """Encode the samples that begin at `start` in stream time; begin anew where they do not follow the last."""
        if start != self._next:
            self._open()
            self._rest = audio[:0]
        rest_start = start - self._rest.size
        samples = np.concatenate([self._rest, audio])
        whole = samples.size // OPUS_SAMPLES * OPUS_SAMPLES
        self._rest = samples[whole:]
        self._next = start + audio.size
        blocks = samples[:whole].reshape(-1, OPUS_SAMPLES)
        return tuple(self._block(block, rest_start + place * OPUS_SAMPLES) for place, block in enumerate(blocks))

    def _open(self) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate, context.layout, context.format = SAMPLE_RATE, "mono", "flt"
        context.bit_rate = _OPUS_BITRATE
        context.time_base = Fraction(1, SAMPLE_RATE)
        context.options = {"application": "audio", "frame_duration": "20"}
        context.open()
        self._context = context

    def _block(self, block: Samples, start: int) -> EncodedSound:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block)[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        (packet,) = self._context.encode(frame)
        return EncodedSound(bytes(packet), start - OPUS_DELAY)


class LiveEncoder:
    """All that viewers of one channel get. `encode` blocks for milliseconds and belongs to one thread."""

    def __init__(self, video: VideoFormat, bitrate: int | None = None) -> None:
        self.video = video
        self.bitrate = bitrate or default_bitrate(video)
        self._sound = OpusEncoder()
        self._codecs: dict[Codec, _VideoEncoder] = {}

    def ask_keyframe(self, codec: Codec) -> None:
        """Ask for a keyframe as soon as the throttle allows; from any thread, as often as you like."""
        if codec in self._codecs:
            self._codecs[codec].ask_keyframe()

    def encode(self, beat: Beat, codecs: Iterable[Codec]) -> EncodedBeat:
        """Encode the sound, and the picture for each of `codecs`."""
        pictures = {codec: self._codec(codec).encode(beat.picture, beat.index) for codec in codecs}
        sounds = self._sound.encode(beat.audio, beat.index * self.video.samples_per_beat)
        return EncodedBeat(beat.index, pictures, sounds)

    def _codec(self, name: Codec) -> _VideoEncoder:
        if name not in self._codecs:
            self._codecs[name] = (_H264 if name == "H264" else _Vp8)(self.video, self.bitrate)
        return self._codecs[name]
