"""One reading of a rundown's nodes, in one language: what is wrong is noted with its line, and reading goes on."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from anchor.broadcast.data import Sheet, read_csv
from anchor.broadcast.files import FileError, Reach
from anchor.broadcast.nodes import Fields, Items, Node, Scalar
from anchor.errors import ScriptError
from anchor.onair import Problem
from anchor.tags import base

Name = TypeVar("Name", bound=str)

MOST_PROBLEMS = 200
LONGEST_MESSAGE = 400
LONGEST_LINE = 500
"""Characters of anything that stands on the picture in one piece."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")


class Reading:
    """`tags` are the rundown's languages, `language` the one that is read; without any it is told from the text.

    `segment` is what is read now, from 0, None for the rundown's head, and `within` the key that holds what is read.
    Methods return what is there, or something
    harmless where there is a problem.
    """

    def __init__(self, path: Path, tags: tuple[str, ...], language: str, known: Known) -> None:
        self.path = path
        self.tags = tags
        self.language = language
        self.known = known
        self.problems: list[Problem] = []
        self.segment: int | None = None
        self.within = ""

    def fault(self, at: Node | int, message: str, key: str = "") -> None:
        line = at if isinstance(at, int) else at.line
        message = message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"
        problem = Problem(message, line, self.segment, self.within or key.partition(":")[0])
        if len(self.problems) < MOST_PROBLEMS and problem not in self.problems[-8:]:
            self.problems.append(problem)

    def fields(self, node: Node, what: str, known: Collection[str], key: str = "") -> dict[str, Node]:
        """The values of a mapping whose keys are all `known`."""
        if not isinstance(node, Fields):
            self.fault(node, f"{what} is a mapping of {', '.join(sorted(known))}", key)
            return {}
        for name, at in node.keys.items():
            if name not in known and len(self.problems) < MOST_PROBLEMS:
                self.fault(at, f"unknown key {name!r} in {what}; {_meant(name, known)}", key or name)
        return {name: value for name, value in node.values.items() if name in known}

    def local(self, node: Node, key: str) -> Node | None:
        """What a node has in the language: itself, unless it is a mapping by language tags. None where it has none."""
        if not self.by_language(node):
            return node
        assert isinstance(node, Fields)
        for name, at in node.keys.items():
            if not any(base(name) == base(one) for one in self.tags):
                known = ", ".join(self.tags) or "none"
                self.fault(
                    at, f"{key}: {name!r} is none of the rundown's languages ({known}); add it to languages", key
                )
        tag = pick(tuple(node.values), self.language, self.tags)
        if tag is None:
            self.fault(node, f"{key}: there is none in {self.language}; there is {', '.join(node.values)}", key)
            return None
        return node.values[tag]

    def by_language(self, node: Node) -> bool:
        if not isinstance(node, Fields) or not node.values:
            return False
        bases = {base(tag) for tag in self.tags}
        tags = [tag for tag in node.values if _TAG.fullmatch(tag)]
        return len(tags) == len(node.values) and any(base(tag) in bases for tag in tags)

    def text(self, node: Node, key: str) -> str:
        """One line for the screen, in the language."""
        found = self.local(node, key)
        if found is None:
            return ""
        if not isinstance(found, Scalar) or found.empty or not found.value.strip():
            self.fault(found, f"{key}: text is needed", key)
            return ""
        text = re.sub(r"[^\S\n]+", " ", found.value).strip()
        if len(text) > LONGEST_LINE:
            self.fault(found, f"{key}: {len(text):,} characters do not fit on a picture; shorten it", key)
        return text[:LONGEST_LINE]

    def word(self, node: Node, key: str) -> str:
        """Text that is the same in all languages."""
        if not isinstance(node, Scalar) or node.empty:
            self.fault(node, f"{key}: text is needed", key)
            return ""
        return node.value.strip()

    def lines(self, node: Node, key: str, most: int, *, blank: bool = False) -> tuple[str, ...]:
        """A list of lines, `blank` ones too if so; text in one piece is parted at its line ends."""
        found = self.local(node, key)
        if found is None:
            return ()
        if isinstance(found, Items):
            lines = tuple("" if blank and _blank(item) else self.text(item, key) for item in found.items)
        elif isinstance(found, Scalar) and not found.empty:
            lines = tuple(" ".join(line.split()) for line in found.value.strip().splitlines())
        else:
            self.fault(found, f"{key}: a line of text or a list of lines is needed", key)
            return ()
        if len(lines) > most:
            self.fault(found, f"{key}: has {len(lines)} lines; at most {most} are taken", key)
        return tuple(line for line in lines[:most] if line or blank)

    def items(self, node: Node, key: str, what: str) -> list[Node]:
        found = self.local(node, key)
        if found is None:
            return []
        if not isinstance(found, Items):
            self.fault(found, f"{key}: a list of {what} is needed", key)
            return []
        return found.items

    def seconds(self, node: Node, key: str, most: float) -> float:
        value = math.nan
        if isinstance(node, Scalar) and re.fullmatch(r"\s*[0-9.]+\s*", node.value):
            try:
                value = float(node.value)
            except ValueError:
                value = math.nan
        if not 0 <= value <= most:
            self.fault(node, f"{key}: a number of seconds from 0 to {most:g} is needed", key)
            return 0.0
        return value

    def choice(self, node: Node, key: str, options: Iterable[Name]) -> Name | None:
        options = tuple(options)
        value = self.word(node, key)
        if value and value not in options:
            self.fault(node, f"{key}: {value!r} is unknown; there are {', '.join(options)}", key)
        return next((option for option in options if option == value), None)

    def tag(self, node: Node, key: str) -> str:
        """A BCP 47 language tag."""
        value = self.word(node, key).replace("_", "-")
        if value and not _TAG.fullmatch(value):
            self.fault(node, f"{key}: {value!r} is no language tag; write en, zh-CN or such", key)
            return ""
        return value

    def named(self, read: Callable[[str], Name], node: Node, key: str) -> Name | None:
        value = self.word(node, key)
        if not value:
            return None
        try:
            return read(value)
        except ScriptError as error:
            self.fault(node, str(error), key)
            return None

    def name(self, node: Node, key: str, known: Collection[str] | None) -> str:
        """The name of a voice or avatar; where it is known which there are, one of those."""
        found = self.local(node, key)
        value = self.word(found, key) if found is not None else ""
        if known is not None and value and value not in known:
            self.fault(node, f"{key}: there is no {value!r}; {_meant(value, known)}", key)
        return value

    def file(self, node: Node, key: str, check: Callable[[Path], None] | None = None) -> Path | None:
        """A file that is there and that `check` lets pass."""
        found = self.local(node, key)
        name = self.word(found, key) if found is not None else ""
        if not name:
            return None
        try:
            path = self.known.reach.file(name)
            if check is not None and path not in self.known.checked:
                check(path)
                self.known.checked.add(path)
        except FileError as error:
            self.fault(node, f"{key}: {error}", key)
            return None
        return path

    def sheet(self, path: Path) -> Sheet:
        """A table, read once for all languages and charts. Raises `ScriptError`."""
        sheet = self.known.sheets.get(path)
        if sheet is None:
            sheet = self.known.sheets[path] = read_csv(path)
        return sheet


def _blank(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.empty or not node.value.strip())


class Known:
    """What several readings of a rundown share: tables that were read, files that passed, and names that there are."""

    def __init__(
        self, reach: Reach, voices: Collection[str] | None = None, avatars: Collection[str] | None = None
    ) -> None:
        self.reach = reach
        self.voices = voices
        self.avatars = avatars
        self.sheets: dict[Path, Sheet] = {}
        self.checked: set[Path] = set()


def pick(keys: tuple[str, ...], language: str, tags: tuple[str, ...]) -> str | None:
    """The key for a language: itself, its primary language, or the only one of the same that is nobody else's."""
    exact = next((key for key in keys if key.lower() == language.lower()), None)
    if exact is not None:
        return exact
    same = [key for key in keys if base(key) == base(language)]
    plain = next((key for key in same if key.lower() == base(language)), None)
    others = {tag.lower() for tag in tags}
    free = [key for key in same if key.lower() not in others]
    return plain or (free[0] if len(free) == 1 else None)


def _meant(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:60].lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
