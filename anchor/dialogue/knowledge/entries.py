"""A piece of knowledge as its source has it, and how sources are opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from anchor.errors import KnowledgeError
from anchor.tags import base

LARGEST_FILE = 32 << 20
"""Bytes of one source."""

LONGEST_ANSWER = 2000
"""Characters of what a table has said aloud; two minutes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Questions with an answer, or a piece of a page.

    `asked` is what people may say when they mean this entry. `place` is what follows the file's name in a source
    (``#Heading``, ``#page=3``), `line` where the entry begins. `language` is a bare tag.
    """

    kind: Literal["faq", "page"]
    topic: str
    language: str
    title: str
    answer: str
    asked: tuple[str, ...]
    keywords: str
    file: str
    place: str
    line: int = field(default=0, compare=False)

    @property
    def source(self) -> str:
        return self.file + self.place


def check_size(path: Path) -> None:
    """Raise `KnowledgeError` for a file that is too large, and `OSError` for none."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise KnowledgeError(f"{path}: has {size >> 20} MiB; {LARGEST_FILE >> 20} at most: divide it")


def read_text(path: Path) -> str:
    """The text of a file. Raises `KnowledgeError` for what is too large or is not UTF-8."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise KnowledgeError(
                f"{path}: has {path.stat().st_size >> 20} MiB; {LARGEST_FILE >> 20} at most: divide it"
            )
        data = path.read_bytes()
    except OSError as error:
        raise KnowledgeError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise KnowledgeError(
            f'{path}:{line}: is not UTF-8 text; save it as UTF-8 (in a spreadsheet: "CSV UTF-8")'
        ) from error


def faq_entry(where: str, file: str, line: int, values: dict[str, str], questions: list[str]) -> Entry:
    """Check what a table says of one entry. Raises `KnowledgeError` that begins with `where`."""
    topic, answer = values.get("topic", "").strip(), " ".join(values.get("answer", "").split())
    language = base(values.get("language", "").strip())
    for name, value in (("topic", topic), ("language", language), ("answer", answer)):
        if not value:
            raise KnowledgeError(f"{where}: {name} is empty")
    if not (2 <= len(language) <= 3 and language.isascii() and language.isalpha()):
        raise KnowledgeError(f"{where}: {values['language']!r} is not a language tag such as en or zh")
    asked = tuple(dict.fromkeys(" ".join(question.split()) for question in questions if question.strip()))
    if not asked:
        raise KnowledgeError(f"{where}: {topic} has no question")
    if len(answer) > LONGEST_ANSWER:
        raise KnowledgeError(f"{where}: the answer has {len(answer)} characters; {LONGEST_ANSWER} at most can be said")
    title = " ".join(values.get("title", "").split()) or asked[0]
    return Entry(
        "faq", topic, language, title, answer, asked, values.get("keywords", "").strip(), file, f"#{topic}", line
    )
