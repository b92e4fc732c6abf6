"""An article as blocks: headings, paragraphs, lists and tables, out of plain text or Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from anchor.linebreak import columns

LONGEST_HEADING = 80
"""Half-width columns; a longer line is a sentence."""

SHORT_HEADING = 44
"""Of a line that stands among others."""

_STOPS = "。！？!?.;；:：，,…"
_CLOSERS = "”’」』）)】》\"'"
_ENTRY = re.compile(r"^\s{0,3}(?:[-*+•]|\d{1,3}[.)、])\s+(.+)$")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"^\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_UNDERLINE = re.compile(r"^\s{0,3}(=+|-+)\s*$")
_ROW = re.compile(r"^\s*\|?(.+\|.*?)\|?\s*$")
_RULED = re.compile(r"^[\s|:-]*-[\s|:-]*$")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*\S+")


@dataclass(frozen=True, slots=True)
class Block:
    """`rows` of a table begin with its headers; `items` are a list's."""

    kind: Literal["heading", "text", "list", "table"]
    text: str = ""
    level: int = 0
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def heading_like(text: str, most: int = LONGEST_HEADING) -> bool:
    """Whether a line that stands alone reads as a heading: short, and without a stop."""
    bare = text.rstrip(_CLOSERS)
    return 0 < columns(text) <= most and bare[-1:] not in _STOPS and "\n" not in text


def text_blocks(text: str) -> Iterator[Block]:
    """Plain text: blank lines part paragraphs; where there are none, every line is one. Short lines are headings."""
    stripped = text.strip()
    spaced = re.search(r"\n[^\S\n]*\n", stripped) is not None
    most = LONGEST_HEADING if spaced else SHORT_HEADING
    for part in re.split(r"\n[^\S\n]*\n", stripped) if spaced else stripped.split("\n"):
        lines = [line.strip() for line in part.splitlines() if line.strip()]
        if not lines:
            continue
        entries = [_ENTRY.match(line) for line in lines]
        if len(lines) > 1 and all(entries):
            yield Block("list", items=tuple(entry[1].strip() for entry in entries if entry is not None))
            continue
        while len(lines) > 1 and heading_like(lines[0], SHORT_HEADING) and not heading_like(lines[1]):
            yield Block("heading", lines.pop(0), 2)
        joined = _joined(lines)
        yield Block("heading", joined, 2) if len(lines) == 1 and heading_like(joined, most) else Block("text", joined)


def _joined(lines: list[str]) -> str:
    """Lines of a paragraph as one: with spaces, but not between ideographs."""
    text = lines[0]
    for line in lines[1:]:
        apart = "" if ord(text[-1]) > 0x2E80 and ord(line[0]) > 0x2E80 else " "
        text += apart + line
    return text


def markdown_blocks(text: str) -> Iterator[Block]:
    """Markdown: headings, paragraphs, lists and pipe tables. Code, rules, pictures and raw HTML are left out."""
    yield from _Markdown(text).blocks()


class _Markdown:
    def __init__(self, text: str) -> None:
        lines = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).splitlines()
        if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:]):
            end = next(number for number, line in enumerate(lines[1:], start=1) if line.strip() == "---")
            titles = [line.partition(":")[2] for line in lines[1:end] if line.lower().startswith("title:")]
            lines = [f"# {title.strip().strip(chr(34)).strip(chr(39))}" for title in titles] + lines[end + 1 :]
        self._lines = lines
        self._paragraph: list[str] = []
        self._entries: list[str] = []
        self._rows: list[str] = []

    def blocks(self) -> Iterator[Block]:
        fence = ""
        for line in self._lines:
            marker = _FENCE.match(line)
            if fence or marker:
                fence = ("" if marker and marker[1] == fence else fence) if fence else marker[1] if marker else ""
                yield from self._flush()
                continue
            yield from self._line(re.sub(r"^\s{0,3}(?:>\s?)+", "", line))
        yield from self._flush()

    def _line(self, line: str) -> Iterator[Block]:
        if not line.strip() or _REFERENCE.match(line):
            yield from self._flush()
        elif heading := _HEADING.match(line):
            yield from self._flush()
            yield from _heading(heading[2], len(heading[1]))
        elif self._paragraph and (under := _UNDERLINE.match(line)):
            text = inline(_joined(self._paragraph))
            self._paragraph = []
            yield from _heading(text, 1 if under[1][0] == "=" else 2)
        elif _RULE.match(line):
            yield from self._flush()
        elif entry := _ENTRY.match(line):
            if self._paragraph or self._rows:
                yield from self._flush()
            self._entries.append(entry[1].strip())
        elif self._entries and line[:1].isspace():
            self._entries[-1] += f" {line.strip()}"
        elif _ROW.match(line) and not self._paragraph:
            self._rows.append(line)
        else:
            if self._entries or self._rows:
                yield from self._flush()
            self._paragraph.append(line.strip())

    def _flush(self) -> Iterator[Block]:
        if self._rows:
            yield from _table(self._rows)
        if self._entries:
            yield Block("list", items=tuple(filter(None, map(inline, self._entries))))
        if self._paragraph and (text := inline(_joined(self._paragraph))):
            yield Block("text", text)
        self._rows, self._entries, self._paragraph = [], [], []


def _heading(text: str, level: int) -> Iterator[Block]:
    if text := inline(text):
        yield Block("heading", text, level)


def _table(lines: list[str]) -> Iterator[Block]:
    if len(lines) < 3 or not _RULED.match(lines[1]):
        if text := inline(_joined([line.strip() for line in lines])):
            yield Block("text", text)
        return
    rows = [
        [
            inline(cell.replace("\\|", "|"))
            for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
        ]
        for line in (lines[0], *lines[2:])
    ]
    yield Block("table", rows=squared(rows))


def squared(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Rows of a table, all as long as the first."""
    width = len(rows[0])
    return tuple(tuple([*row, *[""] * width][:width]) for row in rows)


def inline(text: str) -> str:
    """Markdown inside a line, as it is read: links by their text, no pictures, no emphasis."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"\[\^[^\]]+\]", "", text)
    text = re.sub(r"</?[A-Za-z][^<>]*>", "", text)
    text = re.sub(r"`+([^`]*)`+", r"\1", text)
    text = re.sub(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])([*_])(?=\S)([^*_]+?)(?<=\S)\1(?![\w*])", r"\2", text)
    text = re.sub(r"\\([\\`*_{}\[\]()#+.!|>~-])", r"\1", text)
    return " ".join(text.split())
