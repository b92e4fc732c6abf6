"""Who agreed to be shown or heard, for what and until when; asked again for as long as they are on air."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anchor.clock import today
from anchor.errors import AnchorError
from anchor.packages.archive import unpacked
from anchor.packages.kinds import Kind
from anchor.packages.tables import Table, plain
from anchor.packages.writer import toml_table, write_text


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed, to what, and until when; `until` is None for good."""

    who: str
    scope: str
    until: date | None

    def valid(self, day: date) -> bool:
        return self.until is None or day <= self.until

    @property
    def ended(self) -> bool:
        return not self.valid(today())

    @property
    def lasts(self) -> str:
        """`until` as it is written in manifests."""
        return self.until.isoformat() if self.until else "unlimited"


def read_consent(table: Table, day: date, kind: Kind) -> Consent:
    """Read a record. Raises what the `kind` raises for one that is not whole, or has ended on `day`."""
    who, scope, until = table.text("who"), table.text("scope"), table.text("until")
    table.done()
    try:
        consent = Consent(who, scope, None if until == "unlimited" else date.fromisoformat(until))
    except ValueError:
        raise table.error(
            "until", f'{plain(repr(until))} is neither a date such as "2030-12-31" nor "unlimited"'
        ) from None
    if not consent.valid(day):
        raise table.error("until", f"the consent of {plain(repr(who))} ended on {until}; renew it or {kind.leaves}")
    return consent


def consent_table(consent: Consent) -> str:
    """The record as it stands in a manifest."""
    return toml_table("consent", {"who": consent.who, "scope": consent.scope, "until": consent.lasts})


def rewrite_consent(folder: Path, kind: Kind, consent: Consent) -> None:
    """Put another record into a package's manifest; all else in it stays as it is.

    Raises what the `kind` raises for a manifest without a table of its own for it, or one that cannot be written.
    """
    path = folder / kind.manifest
    text = path.read_text(encoding="utf-8")
    written = re.compile(r"^[ \t]*\[consent\][^\n]*\n(?:(?![ \t]*\[)[^\n]*(?:\n|\Z))*", re.MULTILINE)
    if len(written.findall(text)) != 1:
        raise kind.error(f"{path}: has no [consent] table of its own; write one with who, scope and until")
    write_text(path, written.sub(lambda _: consent_table(consent) + "\n", text), kind)


class ConsentWatch:
    """Whether one package may still be used: its record is read again when its file or the day has changed.

    `read` reads the manifest in a folder for a day, and raises for a record that has ended. What is on air is not
    loaded again for it.
    """

    def __init__(
        self, package: Path, kind: Kind, read: Callable[[Path, date], object], day: Callable[[], date] = today
    ) -> None:
        self._package, self._kind, self._read, self._day = package, kind, read, day
        # A folder that is removed is still asked for its manifest, not taken for a missing zip.
        self._record = package / kind.manifest if package.is_dir() else package
        self._asked: tuple[object, ...] = ()
        self._problem = ""

    def problem(self) -> str:
        """Why the package may no longer be used, or nothing. Reads files: call it in a worker thread."""
        day = self._day()
        try:
            found = self._record.stat()
            asked = (day, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        except OSError as error:
            return f"{self._record}: the record of consent is gone ({error.strerror})"
        if asked != self._asked:
            try:
                with unpacked(self._package, self._kind, only=self._kind.manifest) as folder:
                    self._read(folder, day)
                self._problem = ""
            except AnchorError as error:
                self._problem = str(error)
            self._asked = asked
        return self._problem
