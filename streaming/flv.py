"""What FLV and RTMP put around H.264 and AAC ("Adobe Flash Video File Format Specification", version 10.1)."""

from __future__ import annotations

from collections.abc import Mapping

from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming.amf import EcmaArray
from streaming.packets import Header, Packet

AUDIO, VIDEO, SCRIPT = 8, 9, 18
"""Tag types, which are RTMP's message types as well."""

_AVC_KEYFRAME, _AVC_INTER = 0x17, 0x27
_AAC = 0xAF  # AAC, "44 kHz", 16 bits, stereo: whatever the sound is, as the specification has it


def milliseconds(packet: Packet) -> float:
    """The decoding time of a packet."""
    return packet.dts * 1000 / (VIDEO_CLOCK if packet.kind == "video" else SAMPLE_RATE)


def video_header(header: Header) -> bytes:
    return bytes([_AVC_KEYFRAME, 0, 0, 0, 0]) + header.avcc


def audio_header(header: Header) -> bytes:
    return bytes([_AAC, 0]) + header.asc


def body(packet: Packet) -> bytes:
    """A packet as the body of a tag of its kind."""
    if packet.kind == "audio":
        return bytes([_AAC, 1]) + packet.data
    composition = round((packet.pts - packet.dts) * 1000 / VIDEO_CLOCK)
    kind = _AVC_KEYFRAME if packet.keyframe else _AVC_INTER
    return bytes([kind, 1]) + composition.to_bytes(3, "big", signed=True) + packet.data


def metadata(header: Header, more: Mapping[str, str]) -> EcmaArray:
    """``onMetaData``: what players and ingests ask about a stream, and `more` (``AIGC``, ``title``)."""
    profile, video = header.profile, header.video
    rates = {} if profile.crf is not None else {"videodatarate": profile.bitrate / 1000}
    return EcmaArray(
        {
            "duration": 0.0, "width": video.width, "height": video.height, "framerate": video.fps, "videocodecid": 7,
            **rates,
            "audiodatarate": profile.audio_bitrate / 1000, "audiosamplerate": SAMPLE_RATE, "audiosamplesize": 16,
            "stereo": header.channels == 2, "audiocodecid": 10, "encoder": "anchor",
            **more,
        }
    )  # fmt: skip


def tag(kind: int, data: bytes) -> bytes:
    """A tag of a file at time 0, with the size that follows it."""
    head = bytes([kind]) + len(data).to_bytes(3, "big") + bytes(7)
    return head + data + (len(head) + len(data)).to_bytes(4, "big")


def file_head(header: Header) -> bytes:
    """The beginning of a file, up to where pictures and sound come."""
    start = b"FLV\x01\x05" + (9).to_bytes(4, "big") + bytes(4)
    return start + tag(VIDEO, video_header(header)) + tag(AUDIO, audio_header(header))
