"""Recordings as tables: Live Link Face's CSV files, and plain ones with ARKit's names over their columns.

A plain table has any of ARKit's 52 names, and time as seconds (``time``), milliseconds (``time_ms``), timecodes, or
numbers of frames with their rate given apart. Blank cells keep the value before them.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anchor.errors import OutputError, TakeError
from anchor.media import ARKIT
from drivers.mocap.columns import Columns, read_header
from drivers.mocap.take import Take

Array = NDArray[np.float64]

SUFFIXES = (".csv", ".tsv", ".txt")
LIVE_LINK_FPS = 60
"""Frames a second that the timecodes of Live Link Face count."""
LARGEST_FILE = 256 * 2**20
LONGEST_SECONDS = 3600.0
_MOST_FRAMES = 1_000_000
_TIMECODE = re.compile(r"(\d{1,2})[:;](\d{1,2})[:;](\d{1,2})[:;.](\d{1,3}(?:\.\d+)?)")
_DAY = 86400.0
_TOUCHING = 5e-4
"""How far outside of 0..1 a weight may be without being counted: rounding."""


def read_table(path: Path, *, fps: int | None = None) -> Take:
    """Read a take. `fps` is the rate of a table that numbers its frames, and of timecodes (60 if not given).

    Raises `TakeError` that names file, line and column.
    """
    lines = _lines(path)
    names = next(lines, (1, []))[1]
    try:
        columns = read_header(names)
    except LookupError as error:
        raise TakeError(f"{path}:1:{error.args[0]}: {error.args[1]}") from None
    if not columns.weights and not columns.pose:
        raise TakeError(f"{path}:1: no column is of ARKit's; write names such as eyeBlinkLeft or JawOpen")
    if columns.time is None:
        raise TakeError(f"{path}:1: there is no column of time; write Timecode, time (seconds), time_ms or frame")
    if columns.unit == "frame" and fps is None:
        raise TakeError(f"{path}:1:{columns.time + 1}: frames are numbered, but not how many a second; give --take-fps")
    return _Reader(path, columns, fps or LIVE_LINK_FPS).read(lines)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not blank, with their numbers."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise TakeError(f"{path}: is larger than {LARGEST_FILE // 2**20} MiB")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TakeError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise TakeError(f"{path}: cannot be read: {error.strerror}") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TakeError(f"{path}:{reader.line_num}: is no table: {error}") from error


class _Reader:
    def __init__(self, path: Path, columns: Columns, fps: int) -> None:
        self._path, self._columns, self._fps = path, columns, fps
        self._clipped = 0
        self._row = np.zeros(59)

    def read(self, lines: Iterator[tuple[int, list[str]]]) -> Take:
        times: list[float] = []
        rows: list[Array] = []
        for number, cells in lines:
            at = self._time(number, cells)
            # A take that runs past midnight goes on.
            if times and self._columns.unit == "timecode" and at < times[-1] - _DAY / 2:
                at += _DAY
            if times and at < times[-1]:
                raise self._error(number, self._columns.time, f"time goes back by {times[-1] - at:.3f} s")
            if times and (at - times[0] > LONGEST_SECONDS or len(times) >= _MOST_FRAMES):
                raise self._error(number, self._columns.time, f"is longer than {LONGEST_SECONDS:g} s; cut it")
            if times and at == times[-1]:
                # The frame came again: the later one counts.
                times.pop(), rows.pop()
            times.append(at)
            rows.append(self._values(number, cells).copy())
        if not times:
            raise TakeError(f"{self._path}: there is a header, but no frame under it")
        return self._take(np.array(times) - times[0], np.array(rows))

    def _take(self, times: Array, values: Array) -> Take:
        notes = []
        if self._clipped:
            notes.append(f"{self._path}: {self._clipped} values were out of 0 to 1 and were clipped")
        pose = values[:, 52:55]
        if float(np.abs(pose).max()) > math.pi:
            pose[:] = np.radians(pose)
            notes.append(f"{self._path}: head angles are taken for degrees, as some are larger than pi")
        # Where the camera stood is not what the performer did.
        pose -= np.median(pose, axis=0)
        return Take(times, values, self._clipped, tuple(notes))

    def _values(self, number: int, cells: Sequence[str]) -> Array:
        for place, shape in self._columns.weights.items():
            value = self._number(number, cells, place)
            if value is not None:
                if not -_TOUCHING <= value <= 1 + _TOUCHING:
                    self._clipped += 1
                self._row[shape] = min(1.0, max(0.0, value))
        for place, (angle, sign) in self._columns.pose.items():
            value = self._number(number, cells, place)
            if value is not None:
                self._row[52 + angle] = sign * value
        return self._row

    def _number(self, number: int, cells: Sequence[str], place: int) -> float | None:
        text = cells[place].strip() if place < len(cells) else ""
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._error(number, place, f"{text[:40]!r} is no number")
        return value

    def _time(self, number: int, cells: Sequence[str]) -> float:
        place = self._columns.time
        assert place is not None
        if self._columns.unit == "timecode":
            text = cells[place].strip() if place < len(cells) else ""
            found = _TIMECODE.fullmatch(text)
            if found is None:
                raise self._error(number, place, f"{text[:40]!r} is no timecode; write HH:MM:SS:FF.mmm")
            hours, minutes, seconds = (int(part) for part in found.groups()[:3])
            if float(found[4]) >= self._fps:
                raise self._error(number, place, f"frame {found[4]} of a second that has {self._fps}")
            return hours * 3600 + minutes * 60 + seconds + float(found[4]) / self._fps
        value = self._number(number, cells, place)
        if value is None:
            raise self._error(number, place, "there is no time")
        return value / {"seconds": 1.0, "milliseconds": 1000.0}.get(self._columns.unit or "", float(self._fps))

    def _error(self, line: int, place: int | None, text: str) -> TakeError:
        return TakeError(f"{self._path}:{line}:{(place or 0) + 1}: {text}")


def write_table(path: Path, take: Take) -> None:
    """Write a take as Live Link Face does. Raises `OutputError`."""
    names = [name[0].upper() + name[1:] for name in ARKIT]
    head = ["HeadYaw", "HeadPitch", "HeadRoll"]
    eyes = [f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")]
    scratch = path.with_name(f".{path.name}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Timecode", "BlendShapeCount", *names, *head, *eyes])
            for at, row in zip(take.times, take.values, strict=True):
                angles = [row[52], -row[53], row[54]]
                numbers = [f"{value:.6f}" for value in (*row[:52], *angles, *[0.0] * len(eyes))]
                writer.writerow([_timecode(float(at)), 61, *numbers])
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _timecode(seconds: float) -> str:
    thousandths = round(seconds * LIVE_LINK_FPS * 1000)
    whole, frames = divmod(thousandths, LIVE_LINK_FPS * 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{frames // 1000:02}.{frames % 1000:03}"
