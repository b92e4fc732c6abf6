"""The pronunciation lexicon: words a house says in its own way.

A file has lines ``word<TAB>how to say it``, ``#`` comments, and sections ``[zh]``, ``[en]``... for languages (lines
before the first section hold for all). How to say it is one of

- a respelling in the same language: ``Anthropic<TAB>an throppic``;
- for Mandarin, pinyin with tone digits: ``行长<TAB>hang2 zhang3``;
- espeak-ng's phoneme mnemonics: ``Worcester<TAB>[[w'Ust@]]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from anchor.errors import ConfigError

_PINYIN = re.compile(r"[a-zü:]+[1-5]( ?[a-zü:]+[1-5])*")
_SECTION = re.compile(r"\[([A-Za-z]{2,3}(-[A-Za-z0-9]+)*)\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """How a word is said: a respelling, or exact phonemes (pinyin, or mnemonics without their brackets)."""

    spoken: str
    phonemes: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries by language ("" for all of them) and word."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)

    def find(self, word: str, language: str) -> Entry | None:
        """The entry for a word, also where it is written in lower case."""
        for section in (self.entries.get(language, {}), self.entries.get("", {})):
            entry = section.get(word) or section.get(word.lower())
            if entry is not None:
                return entry
        return None

    def words(self, language: str) -> tuple[str, ...]:
        """All words that hold for a language, longest first."""
        found = {*self.entries.get(language, {}), *self.entries.get("", {})}
        return tuple(sorted(found, key=len, reverse=True))

    def merged(self, other: Lexicon) -> Lexicon:
        """Both; where both know a word, the other one's entry."""
        languages = {*self.entries, *other.entries}
        return Lexicon({one: {**self.entries.get(one, {}), **other.entries.get(one, {})} for one in languages})

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        """Read a lexicon file. Raises `ConfigError` that names file and line."""
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: the pronunciation lexicon cannot be read: {error}") from error
        entries: dict[str, dict[str, Entry]] = {}
        language = ""
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if section := _SECTION.fullmatch(line.strip()):
                language = section[1].split("-")[0].lower()
                continue
            word, _, said = (part.strip() for part in line.partition("\t"))
            if not (word and said):
                raise ConfigError(f"{path}:{number}: write a word, a tab and how it is said, not {line.strip()!r}")
            entries.setdefault(language, {})[word] = _entry(word, said, language, f"{path}:{number}")
        return cls(entries)


def _entry(word: str, said: str, language: str, where: str) -> Entry:
    if said.startswith("[[") or said.endswith("]]"):
        phonemes = said.removeprefix("[[").removesuffix("]]").strip()
        if not (said.startswith("[[") and said.endswith("]]")) or not phonemes or {"[", "]"} & set(phonemes):
            raise ConfigError(f"{where}: phonemes are written [[...]], with both brackets once, not {said!r}")
        return Entry(word, phonemes)
    if language == "zh" and said.isascii() and any(letter.isdigit() for letter in said):
        if not _PINYIN.fullmatch(said.lower()):
            raise ConfigError(f"{where}: pinyin is syllables with tones 1 to 5, such as hang2 zhang3, not {said!r}")
        return Entry(word, said.lower())
    return Entry(said)
