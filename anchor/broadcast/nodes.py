"""YAML as nodes that know their lines, bounded in size: mappings, lists and text, and nothing else.

Every scalar is its text, whatever YAML would make of it: ``2026-11-26`` is no date and ``no`` a language. Anchors and
aliases are followed, and what they stand for counts every time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_NODES = 200_000
DEEPEST = 24
LONGEST = 8 * 2**20
"""Characters of a whole rundown."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BRACKETS = re.compile(r"(?:^|[:-])\s*\[\s*(?:mood|gesture)\s*:", re.IGNORECASE)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")


class NodeError(Exception):
    """Text that is not YAML of the kind we read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True, eq=False)
class Scalar:
    """`plain`: without quotes. `block`: its text begins in the next line."""

    line: int
    value: str
    plain: bool = False
    block: bool = False
    size: int = 1

    @property
    def empty(self) -> bool:
        """Whether it is YAML's null."""
        return self.plain and self.value in _NULL


@dataclass(slots=True, eq=False)
class Items:
    line: int
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True, eq=False)
class Fields:
    """A mapping; no key is there twice."""

    line: int
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)
    size: int = 1


Node = Scalar | Items | Fields


def compose(text: str) -> Node | None:
    """The root of a YAML document, None where it is empty. Raises `NodeError`."""
    if len(text) > LONGEST:
        raise NodeError(1, f"is longer than {LONGEST // 2**20} million characters; make several rundowns of it")
    try:
        return _compose(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else _line_of(text, getattr(error, "position", 0))
        line = min(line, text.rstrip().count("\n") + 1)
        raise NodeError(
            line, f"is not valid YAML: {_reason(error, text.splitlines()[max(0, line - 2) : line])}"
        ) from error


def _reason(error: yaml.YAMLError, lines: list[str]) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "mapping values are not allowed" in problem:
        return f"{problem}; put quotes around text that has ': ' in it"
    if any(_BRACKETS.search(line) for line in lines):
        return f"{problem}; put quotes around text that begins with ["
    return problem


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _compose(events: Iterator[Any]) -> Node | None:
    """Nodes from events with a stack of our own: no depth of a file can end the interpreter's."""
    root: Node | None = None
    stack: list[tuple[Items | Fields, str]] = []
    keys: list[Scalar | None] = []
    anchors: dict[str, Node] = {}
    total = documents = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise NodeError(line, "is a second document (---) in one file; make two files of it")
            continue
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            node, anchor = stack.pop()
            keys.pop()
            if anchor:
                anchors[anchor] = node
            if stack:
                stack[-1][0].size += node.size
            continue
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise NodeError(line, f"there is no &{event.anchor} before this *{event.anchor}")
            made: Node = anchors[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            if (found := _CONTROL.search(event.value)) is not None:
                raise NodeError(line, f"there is a control character (U+{ord(found[0]):04X}); take it out")
            plain = not event.style and bool(event.implicit[0])
            made = Scalar(line, event.value, plain, event.style in ("|", ">"))
        elif isinstance(event, yaml.SequenceStartEvent):
            made = Items(line)
        elif isinstance(event, yaml.MappingStartEvent):
            made = Fields(line)
        else:
            continue
        total += made.size
        if total > MOST_NODES:
            raise NodeError(line, f"has more than {MOST_NODES:,} values, repeated ones counted; make several rundowns")
        if stack:
            _put(stack[-1][0], keys, made, line)
        else:
            root = made
        anchor = getattr(event, "anchor", None) or ""
        if isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(stack) >= DEEPEST:
                raise NodeError(line, f"is nested more than {DEEPEST} deep")
            assert isinstance(made, Items | Fields)
            stack.append((made, anchor))
            keys.append(None)
        else:
            if stack:
                stack[-1][0].size += made.size
            if anchor and not isinstance(event, yaml.AliasEvent):
                anchors[anchor] = made
    return root


def _put(parent: Items | Fields, keys: list[Scalar | None], made: Node, line: int) -> None:
    if isinstance(parent, Items):
        parent.items.append(made)
        return
    key = keys[-1]
    if key is None:
        if not isinstance(made, Scalar):
            raise NodeError(line, "a key must be a word; put quotes around text that begins with [ or {")
        if made.value in parent.values:
            raise NodeError(line, f"{made.value} is there twice")
        keys[-1] = Scalar(line, made.value, made.plain)
    else:
        parent.values[key.value] = made
        parent.keys[key.value] = key
        keys[-1] = None


def scalars(node: Node | None) -> Iterator[str]:
    """All text in a node but its keys."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, Scalar):
            yield one.value
        elif isinstance(one, Items):
            stack += one.items
        elif isinstance(one, Fields):
            stack += one.values.values()


def plain(node: Node | None) -> Any:
    """What a node holds, as JSON has it. Scalars are text, but for null and numbers that are written as JSON does."""
    if isinstance(node, Fields):
        return {key: plain(value) for key, value in node.values.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    if node is None or node.empty:
        return None
    if node.plain and _INTEGER.fullmatch(node.value):
        return int(node.value)
    if node.plain and _FLOAT.fullmatch(node.value) and repr(float(node.value)) == node.value:
        return float(node.value)
    return node.value
