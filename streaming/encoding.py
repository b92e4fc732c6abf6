"""A program's encoder: beats of one profile become H.264 and AAC packets, once, for however many outputs."""

from __future__ import annotations

import math
import os
from collections import deque
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from anchor.errors import FormatError
from anchor.media import SAMPLE_RATE, VIDEO_CLOCK, Picture, Samples, VideoFormat
from streaming.encoder import BT709, KEYFRAME_GAP_SECONDS, LIMITED, SMPTE170M, KeyframeGate
from streaming.fitting import Fitting
from streaming.packets import Header, Packet, Profile
from streaming.recorder import QUALITY, THREADS

LOOKAHEAD = 10
"""Pictures by which x264 looks ahead at a live profile: still backgrounds need it, and 0.4 s nobody misses."""

FINEST = 16
"""Finer steps than this nobody sees; without a bound x264 fills the bit rate with them, which takes a fifth more time
and, where filler is left out, four times the bytes."""

LONGEST_GAP_SECONDS = 10.0
"""Sound that is missing for longer than this is not filled with silence; the encoder begins anew behind it."""

AAC_DELAY = 1024
"""Samples that FFmpeg's AAC encoder puts before the first of ours."""

# 1280x720 at 30 a second takes a quarter of a core; what is larger is shared between some.
_ONE_THREAD_PIXELS = 1280 * 720 * 30


class ProgramEncoder:
    """Encodes the beats of a program for a profile; belongs to one thread, which it keeps for milliseconds a beat.

    A live profile has a keyframe in every beat whose index is a multiple of its GOP, so that profiles are cut at the
    same places, and those that `ask_keyframe` adds. A `crf` profile is encoded exactly as `streaming.recorder` does.
    Beats may be missing: sound goes on with silence, and the picture before stays. Raises `FormatError` when the
    profile wants another frame rate.
    """

    def __init__(self, video: VideoFormat, profile: Profile) -> None:
        self.profile = profile
        self.video = profile.video or video
        if self.video.fps != video.fps:
            raise FormatError(
                f"profile {profile.name!r} has {self.video.fps} pictures a second and the program {video.fps}: "
                "give both the same"
            )
        self._fitting = Fitting(video, self.video)
        self._gop = max(1, round(profile.gop_seconds * video.fps))
        self._gate = KeyframeGate(math.ceil(KEYFRAME_GAP_SECONDS * video.fps))
        self._group: int | None = None
        self._keyframe, self._out = 0, -1
        self._pictures = _video_context(self.video, profile, self._gop)
        self._sound = _Sound(profile)
        self._interleave = _Interleave()
        avcc, sound = bytes(self._pictures.extradata or b""), self._sound
        self.header = Header(self.video, profile, avcc, sound.asc, sound.channels, AAC_DELAY)

    def ask_keyframe(self) -> None:
        """Have a keyframe as soon as the throttle allows, unless one is under way; from any thread."""
        if self._keyframe <= self._out:
            self._gate.ask()

    def encode(self, index: int, picture: Picture | None, audio: Samples) -> list[Packet]:
        """Encode a beat, of which the picture may be missing; what is finished by now, in order of decoding time."""
        pictures = []
        if picture is not None:
            frame = av.VideoFrame.from_numpy_buffer(self._fitting.fit(picture).data, format="yuv420p")
            frame.pts = index * self.video.ticks_per_beat
            frame.time_base = Fraction(1, VIDEO_CLOCK)
            frame.pict_type = PictureType.I if self._keyframe_due(index) else PictureType.NONE
            pictures = [self._picture(packet) for packet in self._pictures.encode(frame)]
        sounds = self._sound.encode(audio, index * self.video.samples_per_beat)
        return self._interleave.take(pictures, sounds)

    def finish(self) -> list[Packet]:
        pictures = [self._picture(packet) for packet in self._pictures.encode(None)]
        return self._interleave.take(pictures, self._sound.finish()) + self._interleave.rest()

    def _keyframe_due(self, index: int) -> bool:
        asked = self._gate.due(index)
        if self.profile.crf is not None:
            regular = False
        else:
            regular = self._group is None or index // self._gop != self._group
            self._group = index // self._gop
        if asked or regular:
            self._gate.made(index)
            self._keyframe = index * self.video.ticks_per_beat
        return asked or regular

    def _picture(self, packet: av.Packet[Any]) -> Packet:
        assert packet.pts is not None and packet.dts is not None
        self._out = max(self._out, packet.pts)
        return Packet(
            "video", bytes(packet), packet.pts, packet.dts, self.video.ticks_per_beat, keyframe=packet.is_keyframe
        )


def _video_context(video: VideoFormat, profile: Profile, gop: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = video.width, video.height, "yuv420p"
    context.framerate = Fraction(video.fps)
    context.time_base = Fraction(1, VIDEO_CLOCK)
    context.colorspace, context.color_range = SMPTE170M, LIMITED
    context.color_primaries = context.color_trc = BT709
    context.flags |= Flags.global_header
    context.thread_type = "FRAME"
    options = {"preset": profile.preset, "forced-idr": "1"}
    x264 = {"annexb": "0"}
    if profile.crf is not None:
        context.bit_rate = 0
        context.gop_size = gop
        context.thread_count = THREADS
        options["crf"] = f"{profile.crf:g}"
        x264 |= dict(pair.split("=") for pair in QUALITY["x264-params"].split(":"))
    else:
        context.bit_rate = profile.bitrate
        # Keyframes come from us, at multiples of the GOP; x264's own clock only guards against our forgetting one.
        context.gop_size = 2 * gop
        context.thread_count = _threads(video)
        options |= {
            "profile": profile.h264,
            "maxrate": str(profile.bitrate),
            "bufsize": str(round(profile.bitrate * profile.vbv_seconds)),
        }
        x264 |= {
            "bframes": "0", "scenecut": "0", "open-gop": "0", "rc-lookahead": str(LOOKAHEAD), "sync-lookahead": "0",
            "filler": "1", "qpmin": str(FINEST),
        }  # fmt: skip
    context.options = options | {"x264-params": ":".join(f"{key}={value}" for key, value in x264.items())}
    context.open(strict=False)
    return context


def _threads(video: VideoFormat) -> int:
    return 1 if video.width * video.height * video.fps <= _ONE_THREAD_PIXELS else min(4, os.cpu_count() or 1)


class _Sound:
    """AAC of a program's mono sound, in one channel or in two that are alike."""

    def __init__(self, profile: Profile) -> None:
        self.channels = 2 if profile.stereo else 1
        self._bitrate = profile.audio_bitrate
        self._open()
        self.asc = bytes(self._context.extradata or b"")
        self._next: int | None = None

    def _open(self) -> None:
        context = av.CodecContext.create("aac", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate, context.format = SAMPLE_RATE, "fltp"
        context.layout = "stereo" if self.channels == 2 else "mono"
        context.bit_rate = self._bitrate
        context.time_base = Fraction(1, SAMPLE_RATE)
        context.flags |= Flags.global_header
        context.open(strict=False)
        self._context = context

    def encode(self, audio: Samples, start: int) -> list[Packet]:
        packets: list[Packet] = []
        missing = 0 if self._next is None else start - self._next
        if missing < 0:
            raise ValueError(f"sound of sample {start} came where {self._next} was due")
        if missing > LONGEST_GAP_SECONDS * SAMPLE_RATE:
            packets += self.finish()
            self._open()
        elif missing:
            packets += self._take(np.zeros(missing, np.float32), start - missing)
        self._next = start + audio.size
        return packets + self._take(audio, start)

    def _take(self, audio: Samples, start: int) -> list[Packet]:
        samples = np.ascontiguousarray(np.broadcast_to(audio, (self.channels, audio.size)), np.float32)
        layout = "stereo" if self.channels == 2 else "mono"
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        return [self._packet(packet) for packet in self._context.encode(frame)]

    def finish(self) -> list[Packet]:
        return [self._packet(packet) for packet in self._context.encode(None)]

    @staticmethod
    def _packet(packet: av.Packet[Any]) -> Packet:
        assert packet.pts is not None
        return Packet("audio", bytes(packet), packet.pts, packet.pts, packet.duration or AAC_DELAY)


class _Interleave:
    """Holds sound back until the picture of its time is encoded, which is looked ahead at and comes later."""

    def __init__(self) -> None:
        self._pictures: deque[Packet] = deque()
        self._sounds: deque[Packet] = deque()

    def take(self, pictures: list[Packet], sounds: list[Packet]) -> list[Packet]:
        self._pictures += pictures
        self._sounds += sounds
        out = []
        while self._pictures and self._sounds:
            picture_first = self._pictures[0].dts * SAMPLE_RATE <= self._sounds[0].dts * VIDEO_CLOCK
            out.append((self._pictures if picture_first else self._sounds).popleft())
        return out

    def rest(self) -> list[Packet]:
        out = [*self._pictures, *self._sounds]
        self._pictures.clear()
        self._sounds.clear()
        return out
