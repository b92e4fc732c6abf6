"""Playlists of HTTP Live Streaming (RFC 8216bis) as plain values: written for players, read back after a restart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from anchor.media import VIDEO_CLOCK
from streaming.packets import Header

END = "#EXT-X-ENDLIST"


@dataclass(frozen=True, slots=True)
class Segment:
    """One entry: `number` counts all that the stream ever had, `init` is the name of the header it needs.

    `at`: when its first picture was shown. `new_time_line`: its times do not follow those of the one before it.
    """

    number: int
    seconds: float
    at: datetime
    init: str
    new_time_line: bool = False

    @property
    def media(self) -> str:
        return f"{self.number:08}.m4s"

    @property
    def captions(self) -> str:
        return f"{self.number:08}.vtt"


def media_playlist(
    segments: Sequence[Segment],
    *,
    target_seconds: int,
    discontinuities: int,
    captions: bool = False,
    ended: bool = False,
    growing: bool = False,
) -> str:
    """The list of `segments`, or of their captions.

    `discontinuities`: how many the stream had before those that this list shows. `growing`: nothing is ever taken out.
    """
    # The first entry's own mark is told by the number above alone once nothing stands before it.
    hidden = discontinuities + int(bool(segments) and segments[0].new_time_line)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target_seconds}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].number if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{hidden}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if growing:
        lines.append("#EXT-X-PLAYLIST-TYPE:EVENT")
    init = ""
    for place, segment in enumerate(segments):
        if segment.new_time_line and place:
            lines.append("#EXT-X-DISCONTINUITY")
        if not captions and segment.init != init:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{init}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{segment.at.isoformat(timespec='milliseconds')}")
        lines.append(f"#EXTINF:{segment.seconds:.5f},")
        lines.append(segment.captions if captions else segment.media)
    if ended:
        lines.append(END)
    return "\n".join(lines) + "\n"


def read_media_playlist(text: str) -> tuple[list[Segment], int]:
    """What `media_playlist` wrote: segments, and the discontinuities before them. Raises `ValueError` for others'."""
    segments: list[Segment] = []
    number = discontinuities = 0
    init, seconds, new, at = "", 0.0, False, None
    for line in text.splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(value)
        elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
            discontinuities = int(value)
        elif tag == "#EXT-X-DISCONTINUITY":
            new = True
        elif tag == "#EXT-X-MAP":
            init = re.fullmatch(r'URI="([\w.-]+)"', value)[1]  # type: ignore[index]
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            at = datetime.fromisoformat(value)
        elif tag == "#EXTINF":
            seconds = float(value.rstrip(","))
        elif line and not line.startswith("#"):
            if at is None or line != f"{number:08}.m4s":
                raise ValueError(f"not a playlist of ours: {line!r}")
            segments.append(Segment(number, seconds, at, init, new))
            number, new = number + 1, False
    return segments, discontinuities


def master_playlist(
    header: Header, *, bandwidth: int, media: str, captions: str = "", language: str = "", label: str = ""
) -> str:
    """The list of renditions: one, its captions beside it. `label` is a JSON file with the hidden AI-content label."""
    video = header.video
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if label:
        lines.append(f'#EXT-X-SESSION-DATA:DATA-ID="AIGC",URI="{label}",FORMAT=JSON')
    group = ""
    if captions:
        spoken = f',LANGUAGE="{language}"' if language else ""
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="{language or "captions"}"{spoken},'
            f'DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="{captions}"'
        )
        group = ',SUBTITLES="captions"'
    lines.append(
        f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS="{codecs(header)}",'
        f"RESOLUTION={video.width}x{video.height},FRAME-RATE={video.fps:.3f},CLOSED-CAPTIONS=NONE{group}"
    )
    return "\n".join([*lines, media]) + "\n"


def codecs(header: Header) -> str:
    """The codecs as RFC 6381 names them."""
    return f"avc1.{header.avcc[1:4].hex()},mp4a.40.{header.asc[0] >> 3}"


def longest_ticks(segment_seconds: float, gop_seconds: float) -> int:
    """The longest that a segment can be, which never changes while a stream lasts: whole groups of pictures."""
    return math.ceil(segment_seconds / gop_seconds - 1e-9) * round(gop_seconds * VIDEO_CLOCK)


def later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)
