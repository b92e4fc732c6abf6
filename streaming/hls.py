"""HTTP Live Streaming (RFC 8216bis) into a folder for any web server: fragmented MP4, captions, playlists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from anchor.errors import OutputError
from anchor.media import SAMPLE_RATE, VIDEO_CLOCK
from streaming.isobmff import AUDIO_TRACK, VIDEO_TRACK, Run, fragment, init_segment
from streaming.packets import Cue, Header, Packet
from streaming.playlist import (
    Segment,
    later,
    longest_ticks,
    master_playlist,
    media_playlist,
    read_media_playlist,
)
from streaming.subtitles import vtt_cue

MASTER, MEDIA, CAPTIONS, LABEL = "index.m3u8", "media.m3u8", "captions.m3u8", "aigc.json"

LEAD_SECONDS = 1
"""Media time runs ahead of stream time by this, for AAC's first packet lies before the first beat."""

_MPEG_WRAP = 1 << 33
_TICKS_PER_MILLISECOND = VIDEO_CLOCK // 1000


def _now() -> datetime:
    return datetime.now(UTC)


class HlsWriter:
    """A `Writer` that keeps a live playlist of the last `window` segments in `folder`; with None, all of them.

    Players open ``index.m3u8``. A segment has whole groups of pictures and is `segment_seconds` long, or as much longer
    as that takes. Files appear whole, and are removed when no player can ask for them any more. What is in the folder
    already is gone on from, behind a discontinuity. `metadata` goes into each header, and its ``AIGC`` into
    ``aigc.json``, too.

    `now` is asked once, for the first picture; all later times of day follow from stream time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_seconds: float = 2.0,
        window: int | None = 10,
        metadata: Mapping[str, str] | None = None,
        captions: bool = True,
        language: str = "",
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._folder = folder
        self._segment_seconds = segment_seconds
        self._window = window
        self._metadata = dict(metadata or {})
        self._with_captions = captions
        self._language = language
        self._now = now
        self._segments: list[Segment] = []
        self._discontinuities = 0
        self._video: list[Packet] = []
        self._audio: list[Packet] = []
        self._cues: list[Cue] = []
        self._origin: datetime | None = None
        self._first_pts = 0
        self._delay = 0
        self._new_time_line = False
        self._fragments = 0
        self._peak = 0
        self._closed = False

    def open(self, header: Header) -> None:
        """Raises `OutputError` when the folder cannot be written to."""
        self._header = header
        self._ticks = header.video.ticks_per_beat
        self._gop = round(header.profile.gop_seconds * VIDEO_CLOCK)
        self._longest = longest_ticks(self._segment_seconds, header.profile.gop_seconds)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self._folder}: cannot be made: {error.strerror or error}") from error
        for part in self._folder.glob(".*.part"):
            part.unlink(missing_ok=True)
        self._go_on()
        number = self._segments[-1].number + 1 if self._segments else self._unused_number()
        self._number = number
        self._init = f"init-{number:08}.mp4"
        self._new_time_line = bool(self._segments)
        self._put(self._init, init_segment(header, self._metadata))
        if "AIGC" in self._metadata:
            self._put(LABEL, self._metadata["AIGC"].encode())

    def _go_on(self) -> None:
        """Take up what an earlier writer has left."""
        try:
            text = (self._folder / MEDIA).read_text("utf-8")
            segments, discontinuities = read_media_playlist(text)
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError):
            return  # not ours, or half a file from a fallen machine: numbers go on behind all that is there
        whole = [segment for segment in segments if (self._folder / segment.media).is_file()]
        gone = segments[: segments.index(whole[0])] if whole else segments
        self._segments = whole
        self._discontinuities = discontinuities + sum(segment.new_time_line for segment in gone)

    def _unused_number(self) -> int:
        numbers = [int(file.stem) for file in self._folder.glob("*.m4s") if file.stem.isdigit()]
        return max(numbers) + 1 if numbers else 0

    def write(self, packet: Packet) -> None:
        if self._closed:
            raise OutputError(f"{self._folder}: the output was closed")
        if packet.kind == "audio":
            self._audio.append(packet)
            return
        if self._video and self._is_cut(packet):
            self._end_segment(packet.pts)
        if not self._video:
            self._begin(packet)
        self._video.append(packet)

    def _is_cut(self, packet: Packet) -> bool:
        """Whether a new segment begins here: it is due, or there is a hole in time before it."""
        if not packet.keyframe:
            return False
        last = self._video[-1]
        # A keyframe may be an extra one, for somebody who has just connected; the regular ones divide stream time.
        following = (packet.pts // self._gop + 1) * self._gop
        return packet.dts != last.dts + last.duration or following - self._first_pts > self._longest

    def _begin(self, packet: Packet) -> None:
        if self._origin is None:
            self._origin = later(self._now(), -packet.pts / VIDEO_CLOCK)
            self._delay = packet.pts - packet.dts
        if self._new_time_line or not self._fragments:
            begin = _samples(packet.pts)
            self._audio = [sound for sound in self._audio if sound.pts + sound.duration > begin]
        self._first_pts = packet.pts

    def caption(self, cue: Cue) -> None:
        self._cues.append(cue)

    def _end_segment(self, next_pts: int) -> None:
        """Write what is there; what belongs after `next_pts` waits for the next segment."""
        last = self._video[-1]
        hole = next_pts != self._first_pts + (len(self._video)) * last.duration
        end_pts = max(packet.pts + packet.duration for packet in self._video)
        border = _samples(end_pts)
        sounds = [packet for packet in self._audio if packet.pts < border]
        data = self._fragment(sounds)
        seconds = (end_pts - self._first_pts) / VIDEO_CLOCK
        assert self._origin is not None
        at = later(self._origin, self._first_pts / VIDEO_CLOCK)
        segment = Segment(self._number, seconds, at, self._init, self._new_time_line)
        self._put(segment.media, data)
        if self._with_captions:
            self._put(segment.captions, self._captions_of(self._first_pts, end_pts).encode())
        self._audio = self._audio[len(sounds) :]
        self._video = []
        self._number += 1
        self._new_time_line = hole
        self._segments.append(segment)
        self._publish(len(data) * 8 / seconds)

    def _fragment(self, sounds: list[Packet]) -> bytes:
        self._fragments += 1
        runs = (
            Run(VIDEO_TRACK, self._video, LEAD_SECONDS * VIDEO_CLOCK, self._delay),
            Run(AUDIO_TRACK, sounds, LEAD_SECONDS * SAMPLE_RATE),
        )
        return fragment(self._fragments, runs)

    def _captions_of(self, begin: int, end: int) -> str:
        """A segment's captions, in milliseconds from `begin`: one over the border is two cues that meet there."""
        marks = [(cue.begin * self._ticks, cue.caption) for cue in self._cues]
        shown = [(max(begin, start), caption) for start, caption in marks if start < end]
        following = [*(start for start, _ in shown), end][1:]
        cues = [
            vtt_cue(caption, (start - begin) // _TICKS_PER_MILLISECOND, (until - begin) // _TICKS_PER_MILLISECOND)
            for (start, caption), until in zip(shown, following, strict=True)
            if caption is not None and until > start
        ]
        if shown:
            self._cues = self._cues[len(shown) - 1 :]
        media_time = (begin + LEAD_SECONDS * VIDEO_CLOCK) % _MPEG_WRAP
        return f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{media_time},LOCAL:00:00:00.000\n\n" + "".join(cues)

    def _publish(self, bitrate: float, *, ended: bool = False) -> None:
        dropped = 0
        if self._window is not None:
            while len(self._segments) > self._window:
                self._discontinuities += self._segments.pop(0).new_time_line
                dropped += 1
        self._write_lists(ended=ended)
        if bitrate > self._peak:
            self._peak = self._bandwidth(bitrate)
            self._put(MASTER, self._master().encode())
        if dropped:
            self._remove_old()

    def _bandwidth(self, bitrate: float) -> int:
        """What a player must be able to load: what the profile allows, or more where a segment had more."""
        profile = self._header.profile
        promised = 0 if profile.crf is not None else profile.bitrate + profile.audio_bitrate
        return round(max(promised * 1.1, bitrate * (1.1 if profile.crf is None else 1.25)))

    def _master(self) -> str:
        return master_playlist(
            self._header,
            bandwidth=self._peak,
            media=MEDIA,
            captions=CAPTIONS if self._with_captions else "",
            language=self._language,
            label=LABEL if "AIGC" in self._metadata else "",
        )

    def _write_lists(self, *, ended: bool) -> None:
        for name, captions in ((MEDIA, False), (CAPTIONS, True)):
            if captions and not self._with_captions:
                continue
            text = media_playlist(
                self._segments,
                target_seconds=max(1, -(-self._longest // VIDEO_CLOCK)),
                discontinuities=self._discontinuities,
                captions=captions,
                ended=ended,
                growing=self._window is None,
            )
            self._put(name, text.encode())

    def _remove_old(self) -> None:
        """Remove what has been out of the list for as long as the list is (RFC 8216bis section 6.2.2)."""
        first = self._segments[0].number
        limit = first - len(self._segments) - 1
        needed = {segment.init for segment in self._segments}
        for file in self._folder.iterdir():
            found = re.fullmatch(r"(init-)?(\d{8})\.(m4s|vtt|mp4)", file.name)
            if found and int(found[2]) < limit and file.name not in needed:
                # A header is older than the segments that need it, which may still be loaded.
                if found[1] and self._heads_kept(int(found[2]), limit):
                    continue
                with suppress(OSError):
                    file.unlink()

    def _heads_kept(self, number: int, limit: int) -> bool:
        later_inits = [int(file.stem[5:]) for file in self._folder.glob("init-*.mp4") if int(file.stem[5:]) > number]
        return not later_inits or min(later_inits) > limit

    def _put(self, name: str, data: bytes) -> None:
        part = self._folder / f".{name}.part"
        try:
            part.write_bytes(data)
            part.replace(self._folder / name)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise OutputError(f"{self._folder / name}: cannot write: {error.strerror or error}") from error

    def finish(self) -> None:
        if self._closed:
            return
        if self._video:
            self._end_segment(-1)
        if self._segments:
            self._write_lists(ended=True)
        self._closed = True

    def close(self) -> None:
        self._closed = True


def _samples(ticks: int) -> int:
    return ticks * SAMPLE_RATE // VIDEO_CLOCK
