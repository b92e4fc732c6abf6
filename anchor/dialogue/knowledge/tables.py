"""Questions with answers in a spreadsheet (CSV) or in YAML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from anchor.dialogue.knowledge.entries import Entry, faq_entry, read_text
from anchor.errors import KnowledgeError

_NEEDED = ("topic", "language", "questions", "answer")
_KNOWN = (*_NEEDED, "title", "keywords")
_SEPARATORS = re.compile(r"[|\n]")


def read_csv(path: Path) -> Iterator[Entry]:
    """Rows with the columns topic, language, questions (``|`` between them), answer, and perhaps title and keywords."""
    text = read_text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    line = 1
    try:
        for row in rows:
            where, begins = f"{path}:{line}", line
            line = rows.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = _header(where, row)
                continue
            if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
                raise KnowledgeError(
                    f"{where}: has {len(row)} cells, the header {len(header)}; put quotes around commas"
                )
            values = dict(zip(header, row, strict=False))
            yield faq_entry(where, path.name, begins, values, _SEPARATORS.split(values.get("questions", "")))
    except csv.Error as error:
        raise KnowledgeError(f"{path}:{rows.line_num}: is not proper CSV: {error}") from error
    if not header:
        raise KnowledgeError(f"{path}:1: is empty; the first row names the columns: {', '.join(_KNOWN)}")


def _header(where: str, row: list[str]) -> list[str]:
    header = [cell.strip().lower() for cell in row]
    header = ["questions" if name == "question" else name for name in header]
    for name in _NEEDED:
        if name not in header:
            raise KnowledgeError(f"{where}: there is no column {name!r}; columns: {', '.join(_KNOWN)}")
    for name in header:
        if name and name not in _KNOWN:
            raise KnowledgeError(f"{where}: unknown column {name!r}; known: {', '.join(_KNOWN)}")
        if name and header.count(name) > 1:
            raise KnowledgeError(f"{where}: there are two columns {name!r}")
    return header


def read_yaml(path: Path) -> Iterator[Entry]:
    """Either a list of mappings with the columns of `read_csv`, or topics that hold one mapping for each language."""
    text = read_text(path)
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise KnowledgeError(f"{path}:{line}: is not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if isinstance(root, yaml.SequenceNode):
        for node in root.value:
            yield _entry(path, node, {})
    elif isinstance(root, yaml.MappingNode):
        for topic, languages in _pairs(path, root):
            for language, node in _pairs(path, languages):
                yield _entry(path, node, {"topic": topic, "language": language})
    else:
        raise KnowledgeError(f"{path}:1: holds neither a list of questions nor topics")


def _pairs(path: Path, node: Any) -> Iterator[tuple[str, Any]]:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise KnowledgeError(f"{path}:{line}: should be a mapping (name: value)")
    seen = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise KnowledgeError(f"{path}:{key.start_mark.line + 1}: a name should be a plain word")
        if key.value in seen:
            raise KnowledgeError(f"{path}:{key.start_mark.line + 1}: there are two named {key.value!r} here")
        seen.add(key.value)
        yield str(key.value), value


def _entry(path: Path, node: Any, given: dict[str, str]) -> Entry:
    line = node.start_mark.line + 1
    values, questions = dict(given), list[str]()
    for name, value in _pairs(path, node):
        where = f"{path}:{value.start_mark.line + 1}"
        if name in ("question", "questions"):
            questions = _questions(where, value)
        elif name not in _KNOWN or name in given:
            raise KnowledgeError(f"{where}: unknown key {name!r}; known: {', '.join(_KNOWN)}")
        elif isinstance(value, yaml.ScalarNode):
            values[name] = str(value.value)
        else:
            raise KnowledgeError(f"{where}: {name} should be a text")
    return faq_entry(f"{path}:{line}", path.name, line, values, questions)


def _questions(where: str, node: Any) -> list[str]:
    if isinstance(node, yaml.ScalarNode):
        return _SEPARATORS.split(str(node.value))
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [str(item.value) for item in node.value]
    raise KnowledgeError(f"{where}: questions should be texts, one a line or in a list")
