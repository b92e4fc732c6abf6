"""Finds the sources of a knowledge base and reads each by its ending."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from anchor.dialogue.folding import folded
from anchor.dialogue.knowledge.entries import Entry, read_text
from anchor.dialogue.knowledge.pages import read_page, read_pdf
from anchor.dialogue.knowledge.segment import Synonyms, read_synonyms
from anchor.dialogue.knowledge.tables import read_csv, read_yaml
from anchor.errors import KnowledgeError

READERS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    ".csv": read_csv,
    ".md": read_page,
    ".pdf": read_pdf,
    ".txt": read_page,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}
SYNONYMS = "synonyms.txt"
MOST_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a knowledge base: what is read for answers, and tables of synonyms."""

    documents: tuple[Path, ...]
    synonyms: tuple[Path, ...]

    def fingerprint(self) -> str:
        """Changes whenever a file does. Raises `KnowledgeError`."""
        digest = hashlib.sha256()
        for path in (*self.documents, *self.synonyms):
            try:
                digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
            except OSError as error:
                raise KnowledgeError(f"{path}: cannot be read: {error.strerror}") from error
        return digest.hexdigest()

    def table(self) -> Synonyms:
        groups = []
        for path in self.synonyms:
            lines = dict(enumerate(read_text(path).splitlines(), start=1))
            groups += read_synonyms(lines)
        return Synonyms(groups)

    def entries(self) -> list[Entry]:
        """Everything that is known. Raises `KnowledgeError`, also where one question leads to two topics."""
        found: list[Entry] = []
        asked: dict[tuple[str, str], tuple[Path, Entry]] = {}
        for path in self.documents:
            for entry in READERS[path.suffix.lower()](path):
                found.append(entry)
                if len(found) > MOST_ENTRIES:
                    raise KnowledgeError(f"{path}: more than {MOST_ENTRIES} pieces of knowledge; leave some out")
                if entry.kind == "faq":
                    _check_unambiguous(path, entry, asked)
        return found


def _check_unambiguous(path: Path, entry: Entry, asked: dict[tuple[str, str], tuple[Path, Entry]]) -> None:
    for question in entry.asked:
        before = asked.setdefault((entry.language, folded(question).rstrip("?？。.!！ ")), (path, entry))
        if before[1].topic != entry.topic:
            raise KnowledgeError(
                f"{path}:{entry.line}: {question!r} also asks for {before[1].topic} ({before[0]}:{before[1].line}); "
                "one question leads to one topic"
            )


def find(paths: Sequence[Path]) -> Sources:
    """Files as they are given, and what folders hold, hidden files aside. Raises `KnowledgeError`."""
    documents: dict[Path, None] = {}
    synonyms: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
            for file in inside:
                if file.name == SYNONYMS:
                    synonyms[file] = None
                elif file.suffix.lower() in READERS:
                    documents[file] = None
            if not inside:
                raise KnowledgeError(f"{path}: the folder is empty; put pages ({', '.join(READERS)}) into it")
        elif not path.is_file():
            raise KnowledgeError(f"{path}: there is no such file or folder")
        elif path.name == SYNONYMS:
            synonyms[path] = None
        elif path.suffix.lower() in READERS:
            documents[path] = None
        else:
            raise KnowledgeError(f"{path}: cannot be read; give one of {', '.join(READERS)}")
    return Sources(tuple(documents), tuple(synonyms))


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith((".", "~")) for part in file.relative_to(folder).parts)
