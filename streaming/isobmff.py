"""Boxes of ISO base media files (ISO/IEC 14496-12) for fragmented MP4: one header, then fragments of any length.

PyAV's muxer writes fragments, too, but decides itself where they end and what time they begin at. Here a fragment says
exactly what it was told, and costs a join of bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming.encoder import BT709, LIMITED, SMPTE170M
from streaming.packets import Header, Packet

VIDEO_TRACK = 1
AUDIO_TRACK = 2

_MATRIX = struct.pack("!9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOVIE_TIMESCALE = 1000

# sample_depends_on and sample_is_non_sync_sample (section 8.8.3.1).
_SYNC_SAMPLE = 0x02000000
_OTHER_SAMPLE = 0x01010000

_DEFAULT_BASE_IS_MOOF = 0x020000
_HAS_OFFSET, _HAS_DURATION, _HAS_SIZE, _HAS_FLAGS, _HAS_COMPOSITION = 0x1, 0x100, 0x200, 0x400, 0x800
_SELF_CONTAINED = 1
_TRACK_SHOWN = 3
_UTF8 = 1


def box(kind: str, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack("!I4s", 8 + len(content), kind.encode()) + content


def full_box(kind: str, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack("!I", version << 24 | flags), *parts)


def init_segment(header: Header, metadata: Mapping[str, str]) -> bytes:
    """The header of a fragmented file: one track of H.264 in 90 kHz ticks and one of AAC in samples.

    `metadata` has any keys; it is kept as FFmpeg does with ``use_metadata_tags`` (QuickTime metadata, ``mdta`` keys).
    """
    movie = full_box(
        "mvhd", 0, 0,
        struct.pack("!IIII", 0, 0, _MOVIE_TIMESCALE, 0),
        struct.pack("!IH10x", 0x10000, 0x100), _MATRIX, struct.pack("!24xI", AUDIO_TRACK + 1),
    )  # fmt: skip
    extends = box("mvex", *(full_box("trex", 0, 0, struct.pack("!5I", track, 1, 0, 0, 0)) for track in (1, 2)))
    # iso6: the reader must know fragments based on their own moof; cmfc and hlsf: CMAF and HLS tools look for them.
    kinds = struct.pack("!4sI", b"iso6", 0) + b"iso6" + b"mp41" + b"cmfc" + b"hlsf"
    moov = box("moov", movie, _video_track(header), _audio_track(header), extends, _user_data(metadata))
    return box("ftyp", kinds) + moov


def _track(
    track: int, size: tuple[int, int], timescale: int, handler: bytes, media_header: bytes, entry: bytes
) -> bytes:
    width, height = size
    volume = 0 if width else 0x100
    track_header = full_box(
        "tkhd", 0, _TRACK_SHOWN,
        struct.pack("!IIIII8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0), _MATRIX,
        struct.pack("!II", width << 16, height << 16),
    )  # fmt: skip
    undetermined = 0x55C4  # the language "und", five bits a letter
    description = box(
        "mdia",
        full_box("mdhd", 0, 0, struct.pack("!IIIIHH", 0, 0, timescale, 0, undetermined, 0)),
        full_box("hdlr", 0, 0, struct.pack("!I4s12x", 0, handler), b"\0"),
        box(
            "minf",
            media_header,
            box("dinf", full_box("dref", 0, 0, struct.pack("!I", 1), full_box("url ", 0, _SELF_CONTAINED))),
            box(
                "stbl",
                full_box("stsd", 0, 0, struct.pack("!I", 1), entry),
                *(full_box(kind, 0, 0, struct.pack("!I", 0)) for kind in ("stts", "stsc")),
                full_box("stsz", 0, 0, struct.pack("!II", 0, 0)),
                full_box("stco", 0, 0, struct.pack("!I", 0)),
            ),
        ),
    )
    return box("trak", track_header, description)


def _video_track(header: Header) -> bytes:
    video = header.video
    entry = box(
        "avc1",
        struct.pack("!6xH16xHHIIIH32xHh", 1, video.width, video.height, 0x480000, 0x480000, 0, 1, 0x18, -1),
        box("avcC", header.avcc),
        box("colr", b"nclx", struct.pack("!HHHB", BT709, BT709, SMPTE170M, 0 if LIMITED else 0x80)),
        box("pasp", struct.pack("!II", 1, 1)),
    )
    media_header = full_box("vmhd", 0, 1, bytes(8))
    return _track(VIDEO_TRACK, (video.width, video.height), VIDEO_CLOCK, b"vide", media_header, entry)


def _audio_track(header: Header) -> bytes:
    rate = header.profile.audio_bitrate
    # ISO/IEC 14496-1 section 7.2.6: AAC (0x40), an audio stream (0x15).
    decoder = _descriptor(4, struct.pack("!BB3sII", 0x40, 0x15, bytes(3), rate, rate), _descriptor(5, header.asc))
    stream = _descriptor(3, struct.pack("!HB", AUDIO_TRACK, 0), decoder, _descriptor(6, b"\x02"))
    entry = box(
        "mp4a",
        struct.pack("!6xH8xHHIHxx", 1, header.channels, 16, 0, SAMPLE_RATE),
        full_box("esds", 0, 0, stream),
    )
    return _track(AUDIO_TRACK, (0, 0), SAMPLE_RATE, b"soun", full_box("smhd", 0, 0, bytes(4)), entry)


def _descriptor(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    return bytes([tag, size >> 21 | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F]) + content


def _user_data(metadata: Mapping[str, str]) -> bytes:
    """QuickTime File Format, "Metadata": a table of keys, and a list of values by their number in it."""
    if not metadata:
        return b""
    keys = [box("mdta", key.encode()) for key in metadata]
    values = [
        struct.pack("!II", 8 + len(data), number) + data
        for number, data in enumerate(
            (box("data", struct.pack("!II", _UTF8, 0), value.encode()) for value in metadata.values()), start=1
        )
    ]
    return box(
        "udta",
        full_box(
            "meta", 0, 0,
            full_box("hdlr", 0, 0, struct.pack("!I4s12x", 0, b"mdta"), b"\0"),
            full_box("keys", 0, 0, struct.pack("!I", len(keys)), *keys),
            box("ilst", *values),
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """The packets of one track in a fragment, in decoding order.

    `shift` is added to their times, in the track's unit, and `delay` to decoding times only: with that of the first
    picture behind its decoding, a fragment's time is that of its first picture, as players take it to be, and pictures
    that are shown before others decoded earlier get offsets below 0 (CMAF's way, ISO/IEC 23000-19).
    """

    track: int
    packets: Sequence[Packet]
    shift: int = 0
    delay: int = 0


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """A ``moof`` and its ``mdat``; `number` counts the fragments of a file from 1. Runs without packets are left out.

    A sample lasts until the next one of its run is decoded, the last as long as its packet says. Raises `ValueError`
    for a time before 0.
    """
    runs = [run for run in runs if run.packets]
    tables = [_run_table(run) for run in runs]
    header = full_box("mfhd", 0, 0, struct.pack("!I", number))
    # A table's place for its offset is fixed, so sizes are known before the offsets are.
    size = len(box("moof", header, *(_track_fragment(run, *table, 0) for run, table in zip(runs, tables, strict=True))))
    offset = size + 8
    parts = []
    for run, table in zip(runs, tables, strict=True):
        parts.append(_track_fragment(run, *table, offset))
        offset += sum(len(packet.data) for packet in run.packets)
    data = [packet.data for run in runs for packet in run.packets]
    return box("moof", header, *parts) + box("mdat", *data)


def _run_table(run: Run) -> tuple[int, bytes]:
    packets = run.packets
    video = packets[0].kind == "video"
    ends = [packet.dts for packet in packets[1:]] + [packets[-1].dts + packets[-1].duration]
    rows = []
    for packet, end in zip(packets, ends, strict=True):
        row = struct.pack("!II", end - packet.dts, len(packet.data))
        if video:
            flags = _SYNC_SAMPLE if packet.keyframe else _OTHER_SAMPLE
            row += struct.pack("!Ii", flags, packet.pts - packet.dts - run.delay)
        rows.append(row)
    flags = _HAS_OFFSET | _HAS_DURATION | _HAS_SIZE | ((_HAS_FLAGS | _HAS_COMPOSITION) if video else 0)
    return flags, b"".join(rows)


def _track_fragment(run: Run, flags: int, rows: bytes, offset: int) -> bytes:
    begin = run.packets[0].dts + run.shift + run.delay
    if begin < 0:
        raise ValueError(f"a fragment cannot begin before 0 ({begin})")
    return box(
        "traf",
        full_box("tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack("!I", run.track)),
        full_box("tfdt", 1, 0, struct.pack("!Q", begin)),
        full_box("trun", 1, flags, struct.pack("!Ii", len(run.packets), offset), rows),
    )
