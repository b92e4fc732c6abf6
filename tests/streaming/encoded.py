"""A program as packets, encoded as outputs get it: x264 with B-frames and AAC, from beats of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from anchor.media import SAMPLE_RATE, VIDEO_CLOCK, Beat, VideoFormat
from streaming.packets import Header, Packet, Profile
from tests.streaming.beats import beat

PROFILE = Profile("test", bitrate=400_000, audio_bitrate=64_000, stereo=False)


class Encoded:
    """`header`, and the packets of beats `first` to `last` in the order in which they leave the encoders;
    beats that are named `extra` are keyframes besides the regular ones."""

    def __init__(
        self,
        video: VideoFormat,
        beats: int,
        *,
        first: int = 0,
        profile: Profile = PROFILE,
        make: Callable[[VideoFormat, int], Beat] = beat,
        b_frames: int = 0,
        extra: Sequence[int] = (),
    ) -> None:
        self.video, self.first = video, first
        self._picture = av.CodecContext.create("libx264", "w")
        self._picture.width, self._picture.height, self._picture.pix_fmt = video.width, video.height, "yuv420p"
        self._picture.framerate, self._picture.time_base = Fraction(video.fps), Fraction(1, VIDEO_CLOCK)
        self._picture.bit_rate, self._picture.thread_count = profile.bitrate, 1
        self._gop = self._picture.gop_size = round(profile.gop_seconds * video.fps)
        self._picture.options = {
            "preset": "veryfast", "bf": str(b_frames), "sc_threshold": "0", "rc-lookahead": "5", "forced-idr": "1",
        }  # fmt: skip
        self._picture.flags |= av.codec.context.Flags.global_header
        self._sound = av.CodecContext.create("aac", "w")
        self._sound.sample_rate, self._sound.layout, self._sound.format = SAMPLE_RATE, "mono", "fltp"
        self._sound.bit_rate, self._sound.time_base = profile.audio_bitrate, Fraction(1, SAMPLE_RATE)
        self._sound.flags |= av.codec.context.Flags.global_header
        self._picture.open()
        self._sound.open()
        self.header = Header(
            video, profile, avcc(self._picture.extradata or b""), self._sound.extradata or b"", 1, 1024
        )
        self.packets = list(self._encode([make(video, index) for index in range(first, first + beats)], extra))

    def _encode(self, beats: list[Beat], extra: Sequence[int]) -> Iterator[Packet]:
        for one in beats:
            picture = av.VideoFrame.from_numpy_buffer(one.picture.data, format="yuv420p")
            picture.pts, picture.time_base = one.index * self.video.ticks_per_beat, Fraction(1, VIDEO_CLOCK)
            picture.pict_type = (
                PictureType.I if one.index in (self.first, *extra) or one.index % self._gop == 0 else PictureType.NONE
            )
            yield from map(self._video_packet, self._picture.encode(picture))
            sound = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(one.audio)[np.newaxis], format="fltp", layout="mono"
            )
            sound.sample_rate, sound.pts = SAMPLE_RATE, one.index * self.video.samples_per_beat
            sound.time_base = Fraction(1, SAMPLE_RATE)
            yield from map(_audio_packet, self._sound.encode(sound))
        yield from map(self._video_packet, self._picture.encode(None))
        yield from map(_audio_packet, self._sound.encode(None))

    def _video_packet(self, packet: Any) -> Packet:
        assert packet.pts is not None and packet.dts is not None
        data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals(bytes(packet)))
        return Packet("video", data, packet.pts, packet.dts, self.video.ticks_per_beat, packet.is_keyframe)

    def pictures(self) -> int:
        return sum(packet.kind == "video" for packet in self.packets)


def _audio_packet(packet: Any) -> Packet:
    assert packet.pts is not None
    return Packet("audio", bytes(packet), packet.pts, packet.pts, 1024)


def nals(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B stream (ITU-T H.264)."""
    found = [nal.rstrip(b"\0") for nal in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]
    return [nal for nal in found if nal]


def avcc(extradata: bytes) -> bytes:
    sps, pps = (next(nal for nal in nals(extradata) if nal[0] & 31 == kind) for kind in (7, 8))
    return b"".join(
        [b"\1", sps[1:4], b"\xff\xe1", len(sps).to_bytes(2, "big"), sps, b"\1", len(pps).to_bytes(2, "big"), pps]
    )
