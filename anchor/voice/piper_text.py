"""What a Piper voice is to say: the symbols it was trained on, and which words of the display text they belong to.

As in training, a clause is put into IPA as a whole by espeak-ng, decomposed into characters, and followed by its mark.
espeak-ng says some words in one ("in the"); which symbols are whose is found by holding the clause against each of its
words alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from anchor.voice.text import Lexicon, Token, mandarin
from anchor.voice.text.scripts import is_cjk

ENDING, LINKING = ".?!", ",;:"
LONGEST = 240
"""Symbols of a stretch that the network makes in one go; longer ones are cut at a mark, or else at a space."""
QUICK_FIRST, QUICK_FROM = 30, 110
"""A sentence of so many symbols begins with a stretch that ends at the first mark after so many."""
ENDING_PAUSE, LINKING_PAUSE = 0.2, 0.08
"""Seconds between two stretches, besides the silence that the network makes itself."""

_LETTERS = re.compile(r"\b[A-Z](?: [A-Z]\b(?!'))+")
_SWITCH = re.compile(r"\([a-z]{2,3}(?:-[a-z0-9-]+)?\)")
_EDGES = re.compile(r"^[^\w$€£¥+-]+|[^\w%°€$£]+$|^\W+$")
_WORD = re.compile(r"\s*\S+\s*")

Phonemize = Callable[[Sequence[tuple[str, str]]], Sequence[str]]
"""IPA for pairs of an espeak-ng voice and a text."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A character of a voice's alphabet, and the token that it is said for (-1 for marks and spaces between)."""

    text: str
    token: int = -1


@dataclass(frozen=True, slots=True)
class Stretch:
    """Symbols that are spoken in one go, `pause` seconds after those before."""

    symbols: tuple[Symbol, ...]
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class _Run:
    """Tokens of a clause that are put into IPA at once, each with the text that espeak-ng is given."""

    voice: str
    said: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.said)


def plain_tokens(text: str, language: str, lexicon: Lexicon) -> list[Token]:
    """Tokens of a language that `anchor.voice.text` does not read: words, whose numbers espeak-ng reads itself."""
    found = []
    for word in _WORD.findall(text):
        bare = _EDGES.sub("", word)
        after = word[word.rindex(bare) + len(bare) :] if bare else word
        mark = next((_MARKS[letter] for letter in reversed(after) if letter in _MARKS), "")
        entry = lexicon.find(bare, language)
        said, phonemes = (entry.spoken, entry.phonemes) if entry else (bare or "", "")
        found.append(Token(word, said, "", phonemes, mark))
    return found


_MARKS = {
    **{letter: letter for letter in ENDING + LINKING}, "。": ".", "，": ",", "、": ",", "？": "?", "！": "!", "：": ":",
    "；": ";", "؟": "?", "،": ",", "؛": ";", "।": ".", "…": ",", "—": ",", "–": ",",
}  # fmt: skip


def stretches(tokens: Sequence[Token], voice_of: Callable[[str], str], phonemize: Phonemize | None) -> list[Stretch]:
    """The symbols of a sentence; `voice_of` tells espeak-ng's voice for a token's language.

    Without `phonemize` they are the letters of its words.
    """
    clauses = [(mark, indexes) for mark, indexes in _clauses(tokens) if indexes]
    if phonemize is None:
        spelled = [(mark, _lettered(tokens, indexes)) for mark, indexes in clauses]
    else:
        runs = [list(_runs(tokens, indexes, voice_of)) for _, indexes in clauses]
        asked = dict.fromkeys(
            pair
            for run in (run for clause in runs for run in clause)
            for pair in ((run.voice, run.text), *((run.voice, text) for _, text in run.said))
        )
        ipa = dict(zip(asked, map(_cleaned, phonemize(list(asked))), strict=True)) if asked else {}
        spelled = [
            (mark, _spaced([_assigned(run, ipa) for run in clause]))
            for (mark, _), clause in zip(clauses, runs, strict=True)
        ]
    return list(_cut([(mark, symbols) for mark, symbols in spelled if any(one.token >= 0 for one in symbols)]))


def _clauses(tokens: Sequence[Token]) -> Iterator[tuple[str, list[int]]]:
    said: list[int] = []
    for index, token in enumerate(tokens):
        if token.spoken:
            said.append(index)
        if token.mark and said:
            yield token.mark, said
            said = []
    yield "", said


def _runs(tokens: Sequence[Token], indexes: Sequence[int], voice_of: Callable[[str], str]) -> Iterator[_Run]:
    """Tokens of one language together; exact phonemes stand alone, for espeak-ng takes them by another way."""

    def kind(index: int) -> tuple[str, int]:
        token = tokens[index]
        exact = bool(token.phonemes) and token.language.split("-")[0] != "zh"
        return voice_of(token.language), index if exact else -1

    for (voice, exact), group in groupby(indexes, kind):
        members = list(group)
        if exact >= 0:
            yield _Run(voice, ((exact, f"[[{tokens[exact].phonemes}]]"),))
        elif voice == "cmn":
            yield _Run(voice, tuple(_pinyin(tokens, members)))
        else:
            yield _Run(voice, tuple((index, _written(tokens[index].spoken)) for index in members))


def _written(spoken: str) -> str:
    # "A.I" is one word of two letters; "A I" would be an article and a pronoun.
    return _LETTERS.sub(lambda match: match[0].replace(" ", "."), spoken).replace("[", " ").replace("’", "'")


def _pinyin(tokens: Sequence[Token], indexes: Sequence[int]) -> Iterator[tuple[int, str]]:
    words: list[tuple[int, str, tuple[str, ...]]] = []
    for index in indexes:
        token = tokens[index]
        if token.phonemes:
            words.append((index, token.spoken, mandarin.split_pinyin(token.phonemes)))
        elif any(map(is_cjk, token.spoken)):
            words += ((index, word, ()) for word in mandarin.said(token.spoken))
        else:
            words.append((index, token.spoken, ()))
    pronounced = mandarin.pronounced([word for _, word, _ in words])
    known = [(word, exact or said) for (_, _, exact), (word, said) in zip(words, pronounced, strict=True)]
    for (index, word, _), said in zip(words, mandarin.sandhi(known), strict=True):
        yield index, mandarin.espeak_word(said) or word


def _cleaned(ipa: str) -> str:
    return " ".join(unicodedata.normalize("NFD", _SWITCH.sub("", ipa)).split())


def _assigned(run: _Run, ipa: dict[tuple[str, str], str]) -> list[Symbol]:
    """The symbols of a run, each with its token."""
    whole = ipa[run.voice, run.text]
    alone = [(index, ipa[run.voice, text]) for index, text in run.said]
    owners = [index for index, said in alone for _ in said.split()]
    groups = whole.split()
    if len(groups) == len(owners):
        return _spaced(
            [[Symbol(letter, owner) for letter in group] for group, owner in zip(groups, owners, strict=True)]
        )
    letters = [(letter, index) for index, said in alone for letter in said.replace(" ", "")]
    bare = whole.replace(" ", "")
    owned = _held_against(bare, letters) if letters else []
    place, symbols = 0, list[Symbol]()
    for letter in whole if letters else "":
        symbols.append(Symbol(" ") if letter == " " else Symbol(letter, owned[place]))
        place += letter != " "
    return symbols


def _held_against(whole: str, letters: Sequence[tuple[str, int]]) -> list[int]:
    """Whose each character of `whole` is, by what it shares with the letters of words alone."""
    owned: list[int] = []
    matcher = SequenceMatcher(None, whole, "".join(letter for letter, _ in letters), autojunk=False)
    for _, start, end, first, last in matcher.get_opcodes():
        for place in range(start, end):
            share = first + (place - start) * (last - first) // (end - start)
            # What only the whole has, such as a linking sound, goes with the word before.
            index = min(share, last - 1) if last > first else max(0, first - 1)
            owned.append(max(letters[index][1], owned[-1] if owned else 0))
    return owned


def _spaced(groups: Sequence[list[Symbol]]) -> list[Symbol]:
    found: list[Symbol] = []
    for group in filter(None, groups):
        found += [Symbol(" "), *group] if found else group
    return found


def _lettered(tokens: Sequence[Token], indexes: Sequence[int]) -> list[Symbol]:
    found: list[Symbol] = []
    for index in indexes:
        token = tokens[index]
        if found and not token.joined and not (is_cjk(token.spoken[0]) and is_cjk(found[-1].text)):
            found.append(Symbol(" "))
        found += (Symbol(letter, index) for letter in unicodedata.normalize("NFD", token.spoken))
    return found


def _cut(clauses: Sequence[tuple[str, list[Symbol]]]) -> Iterator[Stretch]:
    quick = sum(len(symbols) for _, symbols in clauses) > QUICK_FROM
    held: list[Symbol] = []
    pause = 0.0
    for number, (mark, symbols) in enumerate(clauses):
        if held and len(held) + len(symbols) > LONGEST:
            yield Stretch(tuple(held), pause)
            held, pause = [], LINKING_PAUSE
        while len(symbols) > LONGEST:
            spaces = [place for place, one in enumerate(symbols[:LONGEST]) if one.text == " "]
            place = spaces[-1] if spaces else LONGEST
            yield Stretch(tuple(symbols[:place]), pause)
            symbols, pause = symbols[place + bool(spaces) :], 0.0
        last = number + 1 == len(clauses)
        mark = mark if mark in ENDING and mark else "." if last else mark or ","
        held += [*([Symbol(" ")] if held else []), *symbols, Symbol(mark)]
        if last or mark in ENDING or (quick and len(held) >= QUICK_FIRST):
            quick = False
            yield Stretch(tuple(held), pause)
            held, pause = [], ENDING_PAUSE if mark in ENDING else LINKING_PAUSE
