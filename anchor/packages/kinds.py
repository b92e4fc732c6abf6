"""What packages of one kind are called, and how much may be in them."""

from __future__ import annotations

from dataclasses import dataclass

from anchor.errors import AnchorError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of package: its `noun` for messages, its manifest's name, and what is raised for one that is wrong.

    `most_bytes` packed or not, `depth` the folders that files may lie in below each other, the package's own included.
    `leaves`: what to do when its consent has ended.
    """

    noun: str
    manifest: str
    error: type[AnchorError]
    leaves: str
    most_bytes: int
    most_files: int = 200
    depth: int = 1

    @property
    def a(self) -> str:
        """The noun with its article."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"
