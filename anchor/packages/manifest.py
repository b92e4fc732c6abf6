"""Manifests: TOML of a sensible size, the head that all kinds of packages share, and the folder around it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from anchor.packages.archive import ignored
from anchor.packages.consent import Consent, read_consent
from anchor.packages.kinds import Kind
from anchor.packages.tables import Table, plain

_MOST_MANIFEST = 64 << 10
# A dot between the parts of a key, not one inside a number.
_KEY_DOT, _MOST_DOTS = re.compile(r"(?<!\d)\.|\.(?!\d)|\.(?=\d{1,20}\.)"), 30
_NAME, _LANGUAGE = r"[\w-]{1,64}", r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}"


def read_values(folder: Path, kind: Kind) -> dict[str, Any]:
    """All that a manifest says, unread. Raises what the `kind` raises for a file that is no TOML."""
    path = folder / kind.manifest
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise kind.error(f"{path}: is no plain file")
        if path.stat().st_size > _MOST_MANIFEST:
            raise kind.error(f"{path}: larger than {_MOST_MANIFEST >> 10} kB")
        text = path.read_text(encoding="utf-8")
        # Python's own reader takes time and memory by the square of a key's parts.
        if any(len(_KEY_DOT.findall(line)) > _MOST_DOTS for line in text.splitlines()):
            raise kind.error(f"{path}: a key of many parts; {kind.noun}s need none")
        return tomllib.loads(text)
    except OSError as error:
        raise kind.error(f"{path}: cannot be read ({error.strerror}); every {kind.noun} has one") from error
    except (ValueError, RecursionError) as error:  # of text, of TOML, of numbers of many digits, of lists in lists
        raise kind.error(f"{path}: is not valid TOML: {plain(error, 120)}") from error


def folder_problems(folder: Path, kind: Kind, judge: Callable[[Path], str]) -> Iterator[str]:
    """What is wrong with the files of a package folder; `judge` says it of each plain file, by its first bytes."""
    total, count, waiting = 0, 0, [(folder, 1)]
    while waiting:
        place, depth = waiting.pop()
        seen = dict[str, str]()
        with os.scandir(place) as items:
            for item in items:
                count += 1
                if count > kind.most_files:
                    yield f"{folder}: more than {kind.most_files} files in it"
                    return
                path = place / item.name
                if item.is_symlink():
                    yield f"{plain(path, 300)}: {kind.a} package holds no links; put the file itself there"
                elif not ignored(item.name):
                    if item.is_dir(follow_symlinks=False) and depth < kind.depth:
                        waiting.append((path, depth + 1))
                        continue
                    total += item.stat(follow_symlinks=False).st_size
                    problem = judge(path) if item.is_file(follow_symlinks=False) else _misplaced(kind)
                    if problem:
                        yield f"{plain(path, 300)}: {problem}"
                    twin = seen.setdefault(item.name.casefold(), item.name)
                    if twin != item.name:
                        yield f"{plain(path, 300)}: differs from {plain(twin)} only in capitals; rename one"
    if total > kind.most_bytes:
        yield f"{folder}: larger than {kind.most_bytes >> 20} MB"


def _misplaced(kind: Kind) -> str:
    where = "one folder" if kind.depth == 1 else f"{kind.depth} folders, one in another, at most"
    return f"is no plain file; the files of {kind.a} lie in {where}"


def valid_name(name: str) -> bool:
    return re.fullmatch(_NAME, name) is not None


def read_name(table: Table) -> str:
    name = table.text("name")
    if not valid_name(name):
        raise table.error("name", f"{plain(repr(name))}: use up to 64 letters, digits, - and _")
    return name


def read_languages(table: Table) -> tuple[str, ...]:
    tags = table.texts("languages", ())
    for tag in tags:
        if not re.fullmatch(_LANGUAGE, tag):
            raise table.error("languages", f"{plain(repr(tag))} is no language tag such as zh-CN")
    return tags


def read_record(table: Table, day: date, kind: Kind) -> Consent:
    """The record of consent. Raises what `read_consent` raises, and for one that is missing."""
    if "consent" not in table:
        raise table.error("consent", "is missing; say who agreed, the scope, and until when")
    return read_consent(table.table("consent"), day, kind)
