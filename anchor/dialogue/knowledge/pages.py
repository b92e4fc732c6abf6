"""Pages of Markdown, plain text and PDF, cut where a topic ends."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anchor.dialogue.folding import has_han, language_of, visible
from anchor.dialogue.knowledge.entries import Entry, check_size, read_text
from anchor.errors import KnowledgeError
from anchor.tags import base

LONGEST_PIECE = 700
"""Characters of one piece of a page; a longer section is divided between paragraphs, or sentences."""

_LONGEST_HEADING = 60

MOST_PAGES = 2000
"""Pages of one PDF."""

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_SENTENCE_END = re.compile(r"(?<=[。！？!?])\s*|(?<=[.;；])\s+|\n+")
_MARKS = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r"(\*\*|__|`)"), ""),
    (re.compile(r"(?<!\w)[*_](\S[^*_]*)[*_](?!\w)"), r"\1"),
    (re.compile(r"<[^>\n]{1,200}>"), ""),
)
_RULE = re.compile(r"^[\s|:+-]*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")


def sentences(text: str) -> list[str]:
    """Whole sentences of a piece, in order."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def join(parts: list[str]) -> str:
    """Put sentences together again: with a space between those that are not Chinese."""
    return "".join(
        part if number == 0 or has_han(part[:1] + parts[number - 1][-2:]) else f" {part}"
        for number, part in enumerate(parts)
    )


def read_page(path: Path) -> Iterator[Entry]:
    """The sections of a Markdown or text file; the language is that of its name (``fees.zh.md``) or of its text."""
    text = visible(read_text(path))
    named = path.suffixes[-2][1:].lower() if len(path.suffixes) > 1 else ""
    language = base(named) if re.fullmatch(r"[a-z]{2}(-[a-z]+)?", named) else language_of(text)
    headings: list[tuple[int, str]] = []
    section: list[str] = []
    begins, fenced = 1, False
    for number, line in enumerate(text.split("\n"), start=1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        heading = _HEADING.match(line) if path.suffix.lower() == ".md" and not fenced else None
        if heading is None:
            section.append(line)
            continue
        yield from _section(path.name, language, headings, section, begins)
        level = len(heading[1])
        headings = [*((depth, title) for depth, title in headings if depth < level), (level, _plain(heading[2]))]
        section, begins = [], number
    yield from _section(path.name, language, headings, section, begins)


def _section(
    file: str, language: str, headings: list[tuple[int, str]], lines: list[str], begins: int
) -> Iterator[Entry]:
    titles = [title for _, title in headings]
    place = f"#{titles[-1]}" if titles else ""
    for piece in _pieces(_lines(lines)):
        title = " – ".join(titles) or file
        yield Entry("page", "", language, title, piece, tuple(titles[-1:]), " ".join(titles[:-1]), file, place, begins)


def _lines(lines: list[str]) -> list[str]:
    """Paragraphs; an item of a list and a row of a table are sentences of their own."""
    paragraphs: list[str] = []
    open_paragraph = False
    header: list[str] = []
    for line in lines:
        if not line.strip():
            open_paragraph, header = False, []
        elif line.lstrip().startswith("|"):
            cells = [_plain(cell) for cell in line.strip().strip("|").split("|")]
            if not header:
                header = cells
            elif not _RULE.match(line):
                paragraphs.append(_row(header, cells))
            open_paragraph = False
        elif _ITEM.match(line):
            paragraphs.append(_stopped(_plain(_ITEM.sub("", line))))
            open_paragraph = False
        elif open_paragraph:
            paragraphs[-1] = join([paragraphs[-1], _plain(line)])
        else:
            paragraphs.append(_plain(line))
            open_paragraph = True
    return paragraphs


def _row(header: list[str], cells: list[str]) -> str:
    """A row of a table as a sentence: its first cell, and what the other columns say of it."""
    chinese = has_han("".join(cells))
    rest = [
        (f"{name} {cell}" if name else cell) for name, cell in zip(header[1:], cells[1:], strict=False) if cell.strip()
    ]
    return f"{cells[0]}：{'，'.join(rest)}。" if chinese else f"{cells[0]}: {', '.join(rest)}."


def _stopped(text: str) -> str:
    return text if text[-1:] in ".。!！?？;；:：" else text + ("。" if has_han(text) else ".")


def _plain(text: str) -> str:
    text = text.strip().removeprefix(">").strip()
    for pattern, instead in _MARKS:
        text = pattern.sub(instead, text)
    return text.strip()


def _pieces(paragraphs: list[str]) -> Iterator[str]:
    piece: list[str] = []
    for paragraph in paragraphs:
        for part in [paragraph] if len(paragraph) <= LONGEST_PIECE else _divided(paragraph):
            if piece and sum(map(len, piece)) + len(part) > LONGEST_PIECE:
                yield "\n".join(piece)
                piece = []
            if part:
                piece.append(part)
    if piece:
        yield "\n".join(piece)


def _divided(paragraph: str) -> Iterator[str]:
    for sentence in sentences(paragraph):
        for start in range(0, len(sentence), LONGEST_PIECE):
            yield sentence[start : start + LONGEST_PIECE]


def read_pdf(path: Path) -> Iterator[Entry]:
    """The pages of a PDF that has text in it. Raises `KnowledgeError` for one that is locked, scanned or too large."""
    check_size(path)
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        yield from _pdf_pages(path)
    except KnowledgeError:
        raise
    except Exception as error:  # a parser of foreign files: whatever it trips over is the file's fault
        raise KnowledgeError(f"{path}: cannot be read as PDF: {str(error)[:200] or type(error).__name__}") from error


def _pdf_pages(path: Path) -> Iterator[Entry]:
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise KnowledgeError(f"{path}: is locked with a password; save it without one")
    if len(reader.pages) > MOST_PAGES:
        raise KnowledgeError(f"{path}: has {len(reader.pages)} pages; {MOST_PAGES} at most: divide it")
    title = _title(reader) or path.stem
    seen = False
    for number, page in enumerate(reader.pages, start=1):
        text = visible(page.extract_text() or "")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if not lines:
            continue
        seen = True
        first = lines[0]
        if _is_heading(lines):
            lines = lines[1:]
        for piece in _pieces(_lines(lines)):
            yield Entry(
                "page", "", language_of(text), f"{title} – {number}", piece, (first[:80],), title, path.name,
                f"#page={number}", number,
            )  # fmt: skip
    if not seen:
        raise KnowledgeError(f"{path}: has no text in it, only pictures of text; run OCR over it first")


def _is_heading(lines: list[str]) -> bool:
    """Whether the first line of a page stands over the text instead of in it."""
    first, second = lines[0], lines[1] if len(lines) > 1 else ""
    begins = second[:1].isupper() or has_han(second[:1])
    return begins and len(first) <= _LONGEST_HEADING and first[-1] not in ".。,，;；:：!！?？"


def _title(reader: Any) -> str:
    found = reader.metadata.title if reader.metadata is not None else None
    return visible(str(found)).strip() if found else ""
