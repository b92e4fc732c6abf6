"""``models.lock.json``: what was pulled, from where, and by which checksums it is known from then on."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anchor.errors import ConfigError

NAME = "models.lock.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that was pulled. `trusted`: nobody had published its checksum; what came first is the measure.

    `made`: it was not fetched, but made here of others.
    """

    sha256: str
    size: int
    source: str
    trusted: bool = False
    made: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A model that was pulled: on which day, and its files by their paths."""

    day: str
    files: Mapping[str, Entry]


class Ledger:
    """The lock file of a folder of models; several processes may write it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME

    def read(self, name: str) -> Record | None:
        found = self._all().get(name)
        if found is None:
            return None
        try:
            return Record(str(found["day"]), {path: Entry(**entry) for path, entry in found["files"].items()})
        except (TypeError, KeyError, AttributeError) as error:
            raise ConfigError(f"{self._path}: {name}: cannot be read ({error}); mend it, or remove the file") from error

    def write(self, name: str, record: Record | None) -> None:
        """Set the record of a model; None takes it out."""
        with self._alone():
            models = self._all()
            models.pop(name, None)
            if record is not None:
                models[name] = {
                    "day": record.day, "files": {path: asdict(entry) for path, entry in record.files.items()}
                }  # fmt: skip
            beside = self._path.with_name(f".{NAME}.new")
            beside.write_text(json.dumps({"models": dict(sorted(models.items()))}, indent=1) + "\n", "utf-8")
            beside.replace(self._path)

    def _all(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text("utf-8"))["models"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self._path}: cannot be read ({error}); mend it, or remove the file") from error
        return dict(found)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{NAME}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
