"""Caption files beside a video: SubRip (.srt) and WebVTT (.vtt), written whole or not at all."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from anchor.errors import OutputError
from anchor.events import Caption
from anchor.media import SAMPLE_RATE, Beat, VideoFormat


class SubtitleSink:
    """Write the captions of a stream beside the video at `path`, as .srt and .vtt, when the context ends well.

    A caption's times are those of the beats that show it, so that files and burned captions agree to the frame.
    """

    def __init__(self, path: Path, video: VideoFormat) -> None:
        self._path = path
        self._samples = video.samples_per_beat
        self._captions: list[Caption] = []
        self._shown: Caption | None = None
        self._beats = 0

    async def __aenter__(self) -> Self:
        return self

    async def send(self, beat: Beat) -> None:
        start, end = self._beats * self._samples, (self._beats + 1) * self._samples
        self._beats += 1
        if beat.caption is not None and beat.caption is self._shown:
            self._captions[-1] = replace(self._captions[-1], end=end)
        elif beat.caption is not None:
            self._captions.append(Caption(beat.caption.lines, start, end))
        self._shown = beat.caption

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            write_srt(self._path.with_suffix(".srt"), self._captions)
            write_vtt(self._path.with_suffix(".vtt"), self._captions)


BLINK_MILLISECONDS = 300
"""A gap this short between two cues would be seen as a blink; the earlier cue stays until the next."""


def write_srt(path: Path, captions: Sequence[Caption]) -> None:
    """Write captions in stream time (samples) as SubRip. No caption gives an empty file. Raises `OutputError`.

    SubRip has no way to escape text, and players read ``<i>`` and ``{\\an8}`` as orders; where text would be taken
    for one, an invisible word joiner (U+2060) keeps it text.
    """
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_lines(cue.lines, _plain)}\n\n"
        for number, cue in enumerate(_cues(captions), start=1)
    ]
    _write(path, "".join(blocks))


def write_vtt(path: Path, captions: Sequence[Caption]) -> None:
    """Write captions in stream time (samples) as WebVTT (W3C). No caption gives a bare header. Raises `OutputError`."""
    blocks = [
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_lines(cue.lines, _escaped)}\n\n"
        for cue in _cues(captions)
    ]
    _write(path, "WEBVTT\n\n" + "".join(blocks))


@dataclass(frozen=True, slots=True)
class _Cue:
    lines: tuple[str, ...]
    start: int
    end: int


def _cues(captions: Sequence[Caption]) -> list[_Cue]:
    """Captions in whole milliseconds: in order, without blinks, none empty. An overlapped one gives way to the next."""
    cues: list[_Cue] = []
    for caption in sorted(captions, key=lambda caption: caption.start):
        lines = tuple(filter(None, map(_clean, caption.lines)))
        start, end = (round(max(0, samples) * 1000 / SAMPLE_RATE) for samples in (caption.start, caption.end))
        if not lines or end <= start:
            continue
        if cues and cues[-1].end > start:
            earlier = cues.pop()
            if earlier.start < start:
                cues.append(_Cue(earlier.lines, earlier.start, start))
        if cues and 0 < start - cues[-1].end < BLINK_MILLISECONDS:
            cues[-1] = replace(cues[-1], end=start)
        cues.append(_Cue(lines, start, end))
    return cues


def _clean(line: str) -> str:
    """One line of text: white space is a space, control characters and lone surrogates are dropped."""
    spaced = "".join(" " if character.isspace() else character for character in line)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs")).strip()


def _lines(lines: tuple[str, ...], escape: Callable[[str], str]) -> str:
    return "\n".join(map(escape, lines))


def _plain(line: str) -> str:
    return re.sub(r"(<(?=[/a-zA-Z])|\{(?=\\)|--(?=>))", "\\1\u2060", line)


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _write(path: Path, text: str) -> None:
    """Put text under its final name in one step, so that no reader ever sees half a file."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def vtt_cue(caption: Caption, start: int, end: int) -> str:
    """One cue of a WebVTT file, its second language below, in milliseconds. Nothing for a caption without text."""
    lines = tuple(filter(None, map(_clean, (*caption.lines, *caption.second))))
    return f"{_clock(start, '.')} --> {_clock(end, '.')}\n{_lines(lines, _escaped)}\n\n" if lines else ""
