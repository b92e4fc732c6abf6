"""A knowledge base: sources in a full-text index (SQLite FTS5), searched by terms and ranked again by likeness."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from anchor.dialogue.knowledge.documents import Sources, find
from anchor.dialogue.knowledge.entries import Entry
from anchor.dialogue.knowledge.pages import sentences
from anchor.dialogue.knowledge.ranking import Asked, Profile, Rarity
from anchor.dialogue.knowledge.segment import Analyser
from anchor.errors import KnowledgeError
from anchor.tags import base
from anchor.talk import Passage

KNOWN = 0.5
"""The score from which on a passage answers a question; below it the question is not known."""

_FORMAT = "2"
"""Changes when what is stored does, so that older files are built anew."""

_CANDIDATES = 40
_LONGEST_QUESTION = 500
_MOST_TERMS = 96
_WORTH_TELLING = 0.12
_KEPT_PROFILES = 5000
_HEADING, _ANSWERED = 0.5, 0.2

_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE entries (id INTEGER PRIMARY KEY, kind TEXT, topic TEXT, language TEXT, title TEXT, answer TEXT, asked TEXT,
    keywords TEXT, file TEXT, place TEXT, line INTEGER, phrasings TEXT, also TEXT);
CREATE INDEX topics ON entries (topic, language);
CREATE VIRTUAL TABLE terms USING fts5(asked, answered, content='', tokenize="unicode61 remove_diacritics 0 tokenchars '_.'");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(terms, 'col');
"""  # noqa: E501
_COLUMNS = "id, kind, topic, language, title, answer, asked, keywords, file, place, line"


class KnowledgeBase:
    """Approved documents and questions with answers, from files and folders.

    The index lives in memory, or in the file `database`, which is built anew when a source has changed. May be called
    from several threads. Raises `KnowledgeError` for sources that cannot be read.
    """

    def __init__(self, paths: Sequence[Path], database: Path | None = None) -> None:
        sources = find(paths)
        self._analyser = Analyser(sources.table())
        self._lock = threading.Lock()
        self._profiles: dict[int, Profile] = {}
        self._connection = self._opened(sources, database)
        counts = self._connection.execute("SELECT term, doc FROM vocabulary WHERE col = 'asked'")
        frequencies = {str(term): int(count) for term, count in counts}
        self._entries = int(self._connection.execute("SELECT count(*) FROM entries").fetchone()[0])
        self._rarity = Rarity(frequencies, self._entries)
        # The first visitor waits for nothing: dictionaries are loaded, and what is compared is at hand.
        self._analyser.terms("预热")
        for number in range(1, min(self._entries, _KEPT_PROFILES) + 1):
            self._profile(number)

    def __len__(self) -> int:
        """How many pieces of knowledge there are."""
        return self._entries

    def _opened(self, sources: Sources, database: Path | None) -> sqlite3.Connection:
        fingerprint = f"{_FORMAT} {sources.fingerprint()}"
        if database is None:
            return self._built(sources, fingerprint, ":memory:")
        with contextlib.suppress(sqlite3.Error):
            if database.exists():
                connection = sqlite3.connect(database, check_same_thread=False)
                with contextlib.suppress(sqlite3.Error):
                    found = connection.execute("SELECT value FROM about WHERE name = 'fingerprint'").fetchone()
                    if found is not None and found[0] == fingerprint:
                        return connection
                connection.close()
        # Built beside the old one and put in its place when it is whole.
        new = database.with_name(f"{database.name}.new")
        try:
            new.unlink(missing_ok=True)
            self._built(sources, fingerprint, str(new)).close()
            new.replace(database)
            return sqlite3.connect(database, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(f"{database}: the index cannot be written: {error}") from error

    def _built(self, sources: Sources, fingerprint: str, where: str) -> sqlite3.Connection:
        entries = sources.entries()
        connection = sqlite3.connect(where, check_same_thread=False)
        with connection:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO about VALUES ('fingerprint', ?)", (fingerprint,))
            for number, entry in enumerate(entries, start=1):
                self._insert(connection, number, entry)
        return connection

    def _insert(self, connection: sqlite3.Connection, number: int, entry: Entry) -> None:
        terms = self._analyser.terms
        named = heading = terms(f"{entry.title} {entry.keywords}")
        if entry.kind == "faq":
            phrasings = [terms(question) for question in entry.asked]
            answered = terms(entry.answer)
            heading = {term: _ANSWERED * weight for term, weight in answered.items()} | heading
        else:
            # A sentence of a page is read under its heading.
            under = {term: _HEADING * weight for term, weight in heading.items()}
            phrasings = [under | terms(sentence) for sentence in sentences(entry.answer)]
            phrasings += [terms(question) for question in entry.asked]
            answered = {}
        asked = " ".join(term for phrasing in (*phrasings, named) for term in phrasing)
        row = [number, *astuple(entry)]
        row[6] = json.dumps(entry.asked, ensure_ascii=False)
        stored = (json.dumps(phrasings, ensure_ascii=False), json.dumps(heading, ensure_ascii=False))
        connection.execute(f"INSERT INTO entries VALUES ({', '.join('?' * 13)})", (*row, *stored))
        connection.execute(
            "INSERT INTO terms (rowid, asked, answered) VALUES (?, ?, ?)", (number, asked, " ".join(answered))
        )

    def search(self, text: str, language: str, *, limit: int = 4) -> list[Passage]:
        """What answers a question best, best first, in `language` where a topic has it."""
        terms = self._analyser.terms(text[:_LONGEST_QUESTION])
        question = Asked(terms, self._rarity)
        names = sorted(question.vector, key=lambda term: -question.vector[term])[:_MOST_TERMS]
        if not names:
            return []
        match = " OR ".join(f'"{name}"' for name in names)
        wanted = base(language)
        with self._lock:
            rows = self._connection.execute(
                "SELECT rowid FROM terms WHERE terms MATCH ? ORDER BY bm25(terms, 4.0, 0.5) LIMIT ?",
                (match, _CANDIDATES),
            ).fetchall()
            scored = sorted(
                ((question.score(self._profile(int(number))), int(number)) for (number,) in rows), reverse=True
            )
            return self._told(scored, wanted, limit)

    def _profile(self, number: int) -> Profile:
        found = self._profiles.get(number)
        if found is None:
            if len(self._profiles) >= _KEPT_PROFILES:
                self._profiles.clear()
            kind, phrasings, also = self._connection.execute(
                "SELECT kind, phrasings, also FROM entries WHERE id = ?", (number,)
            ).fetchone()
            found = Profile.of(json.loads(phrasings), json.loads(also), self._rarity, page=kind == "page")
            self._profiles[number] = found
        return found

    def _told(self, scored: Sequence[tuple[float, int]], language: str, limit: int) -> list[Passage]:
        """One passage a topic, in the visitor's language where there is one."""
        passages: dict[tuple[str, ...], Passage] = {}
        for score, number in scored:
            if score < _WORTH_TELLING or len(passages) >= limit:
                break
            entry = self._entry(number)
            if entry.topic and entry.language != language:
                entry = self._translated(entry, language) or entry
            key = (entry.topic,) if entry.topic else (entry.source, entry.answer)
            if key not in passages:
                passages[key] = Passage(entry.answer, entry.source, entry.title, score, entry.language, entry.topic)
        # What is said in another language comes after what answers as well in the visitor's own.
        return sorted(passages.values(), key=lambda found: (-round(found.score, 2), found.language != language))

    def _entry(self, number: int) -> Entry:
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM entries WHERE id = ?", (number,)).fetchone()
        return _read(row)

    def _translated(self, entry: Entry, language: str) -> Entry | None:
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM entries WHERE topic = ? AND language = ? LIMIT 1", (entry.topic, language)
        ).fetchone()
        return None if row is None else _read(row)

    def questions(self, language: str) -> list[str]:
        """Every phrasing of every question that is answered in a language."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT asked FROM entries WHERE kind = 'faq' AND language = ? ORDER BY id", (base(language),)
            ).fetchall()
        return list(dict.fromkeys(question for (asked,) in rows for question in json.loads(asked)))

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _read(row: Sequence[Any]) -> Entry:
    _, kind, topic, language, title, answer, asked, keywords, file, place, line = row
    return Entry(kind, topic, language, title, answer, tuple(json.loads(asked)), keywords, file, place, line)
