"""The log of what went out: lines of JSON, each with the hash of the one before, a file a day.

Whoever changes, takes out or puts in a line breaks the chain, and `verify` finds the place. Of lines cut off at either
end the chain knows nothing: `head.json` beside it says where it begins and how far it reached. What begins is written
when it begins, and again when it has ended, so that a fall loses no line.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from anchor.broadcast.journal import sync_folder
from anchor.errors import StoreError
from anchor.onair import Aired

log = logging.getLogger(__name__)

RECENT = 1000
"""Lines that are kept at hand."""

FIRST = "0" * 64
"""What stands for the hash before the very first line."""

Kind = Literal["show", "breaking", "filler", "say", "takeover"]


@dataclass(frozen=True, slots=True)
class Airing:
    """Something that is going out, and since when: seconds of the wall clock."""

    number: int
    kind: Kind
    segment: str
    rundown: str
    text: str
    language: str
    voice: str
    avatar: str
    started: float


def iso(moment: float) -> str:
    """A wall clock time in ISO 8601, UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def begun_line(airing: Airing) -> dict[str, Any]:
    return {
        "event": "started",
        "number": airing.number,
        "kind": airing.kind,
        "segment": airing.segment,
        "rundown": airing.rundown,
        "language": airing.language,
        "voice": airing.voice,
        "avatar": airing.avatar,
        "started": iso(airing.started),
        "text_sha256": hashlib.sha256(airing.text.encode()).hexdigest(),
        "text": airing.text,
    }


def ended_line(airing: Airing, outcome: str, *, seconds: float, at: float, heard: str, problem: str) -> dict[str, Any]:
    """`heard` is what went out of a text that was cut."""
    line = begun_line(airing) | {"event": "ended", "ended": iso(at), "seconds": round(seconds, 3), "outcome": outcome}
    if outcome != "said":
        line["heard"] = heard
    if problem:
        line["problem"] = problem
    return line


def as_aired(line: Mapping[str, Any]) -> Aired:
    """An ended line as operators see it."""
    return Aired(
        line["segment"], line["rundown"], line["text"], line["language"], line["voice"], line["avatar"],
        line["started"], line["seconds"], line["outcome"],
    )  # fmt: skip


class AiredLog:
    """The log in a folder; its methods block, and `append` may be called from another thread.

    Days older than `retention_days` are deleted when another begins; 0 keeps all. Opening the log mends a line that a
    fall cut off. Raises `StoreError` when the folder
    cannot be made or read.
    """

    def __init__(self, folder: Path, now: float, *, retention_days: float = 0.0) -> None:
        self._folder = folder
        self._retention_days = retention_days
        self.recent: deque[Aired] = deque(maxlen=RECENT)
        self._hash, self._count, self._file, self._first = FIRST, 0, "", FIRST
        try:
            folder.mkdir(parents=True, exist_ok=True)
            open_lines = self._read()
        except OSError as error:
            raise StoreError(f"{folder}: the log of what was aired cannot be read: {error}") from error
        self.number = max((line["number"] for line in open_lines.values()), default=0)
        self.number = max(self.number, self._last_number)
        self._left = [
            line | {"event": "ended", "ended": iso(now), "seconds": 0.0, "outcome": "cancelled", "problem": "fell over"}
            for line in open_lines.values()
        ]

    def _read(self) -> dict[int, dict[str, Any]]:
        """Take up the chain where it ended; the started lines of the last two days that have no end."""
        self._last_number = 0
        files = _files(self._folder)
        if files:
            _mend(files[-1])
        open_lines: dict[int, dict[str, Any]] = {}
        for path in files[-2:]:
            for line in _lines(path):
                self._last_number = max(self._last_number, line["number"])
                self._hash, self._count = line["hash"], line["count"]
                if line["event"] == "started":
                    open_lines[line["number"]] = {key: line[key] for key in line if key not in _CHAIN}
                else:
                    open_lines.pop(line["number"], None)
                    self.recent.append(as_aired(line))
        self._file = files[-1].name if files else ""
        self._first = str(_head(self._folder).get("first", FIRST))
        return open_lines

    def left(self) -> list[dict[str, Any]]:
        """Ends of what was on air when the process fell, to be appended."""
        left, self._left = self._left, []
        return left

    def append(self, lines: Sequence[Mapping[str, Any]], now: float) -> None:
        """Write lines and bring them to the disk. Raises `OSError`; then none of them was written."""
        # A wall clock that goes back does not take the log back to an earlier day.
        name = max(self._file, f"aired-{datetime.fromtimestamp(now, UTC):%Y-%m-%d}.jsonl")
        head, count, written = self._hash, self._count, []
        for line in lines:
            count += 1
            chained = dict(line) | {"count": count, "previous": head}
            head = _hash(chained)
            written.append(json.dumps(chained | {"hash": head}, ensure_ascii=False) + "\n")
        path = self._folder / name
        size = path.stat().st_size if path.exists() else None
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write("".join(written))
                file.flush()
                os.fsync(file.fileno())
            if size is None:
                sync_folder(self._folder)
        except OSError:
            if size is not None:
                os.truncate(path, size)
            else:
                path.unlink(missing_ok=True)
            raise
        begun, self._file = name != self._file, name
        self._hash, self._count = head, count
        self.recent.extend(as_aired(line) for line in lines if line["event"] == "ended")
        self._write_head()
        if begun and self._retention_days:
            self.sweep(now - self._retention_days * 86_400)

    def _write_head(self) -> None:
        scratch = self._folder / ".head.json.part"
        with scratch.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"count": self._count, "hash": self._hash, "first": self._first}))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._folder / "head.json")

    def sweep(self, before: float) -> int:
        """Delete the files of days before a moment; what is left still verifies. Returns how many."""
        oldest = f"aired-{datetime.fromtimestamp(before, UTC):%Y-%m-%d}.jsonl"
        old = [path for path in _files(self._folder)[:-1] if path.name < oldest]
        if old:
            kept = next((path for path in _files(self._folder) if path not in old), None)
            line = next(_lines(kept), None) if kept is not None else None
            self._first = line["previous"] if line is not None else self._hash
            self._write_head()
        for path in old:
            path.unlink()
        return len(old)


_CHAIN = ("hash", "previous", "count")


def verify(path: Path) -> list[str]:
    """All that is wrong with a log, a folder or a file of one day, as sentences; nothing when it is whole."""
    files = _files(path) if path.is_dir() else [path]
    known = _head(path) if path.is_dir() else {}
    problems, count = [], 0
    head = str(known.get("first", ""))
    for file in files:
        for number, text in enumerate(file.read_text("utf-8").removesuffix("\n").split("\n"), start=1):
            where = f"{file}:{number}"
            try:
                line = json.loads(text)
                found = line.pop("hash")
                previous, place = line["previous"], line["count"]
            except (ValueError, KeyError, TypeError, AttributeError):
                problems.append(f"{where}: is not a line of the log")
                head = ""
                continue
            if found != _hash(line):
                problems.append(f"{where}: the line was changed")
            elif head and previous != head:
                problems.append(f"{where}: lines before it were taken out, put in or changed")
            head, count = found, place
    if not path.is_dir():
        return problems
    if not known:
        return [*problems, f"{path}: head.json is missing or cannot be read"] if files else problems
    if known.get("count", 0) > count:
        problems.append(f"{path}: {known['count'] - count} lines are missing at the end")
    elif known.get("count") == count and known.get("hash") != head:
        problems.append(f"{path}: the last line is not the one that was written")
    return problems


def _head(folder: Path) -> dict[str, Any]:
    """Where the chain begins and how far it reached; nothing where that cannot be read."""
    try:
        return dict(json.loads((folder / "head.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _hash(line: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(line, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("aired-*.jsonl"))


def _mend(path: Path) -> None:
    """Take a line that was not written to its end out; it was never acknowledged."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        log.warning("%s: its last line was cut off by a fall and is taken out", path)
        os.truncate(path, whole)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for text in path.read_text("utf-8").split("\n")[:-1]:
        try:
            line = json.loads(text)
            if all(key in line for key in ("event", "number", *_CHAIN)):
                yield line
        except ValueError:
            log.error("%s: has a line that cannot be read; anchor verifies what is aired", path)
