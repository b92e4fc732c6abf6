"""Sentences as Kokoro reads them: symbols, each with the token of display text it is said for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from anchor.events import Sentence, SpanKind
from anchor.tags import base
from anchor.voice.kokoro_symbols import MARKS, SMALL_WORDS, VOCABULARY, from_espeak, from_kana, from_pinyin
from anchor.voice.manner import Manner, manners
from anchor.voice.pronouncing import Pronouncer, Word
from anchor.voice.text import Lexicon, Token, grouped, mandarin
from anchor.voice.text.marked import read_marked

LANGUAGES = ("en", "zh", "ja", "es", "fr", "en-US", "en-GB", "zh-CN", "zh-TW")
HEEDS: tuple[SpanKind, ...] = ("say-as", "sub", "phoneme", "lang")

SHORTEST, GROWTH, LONGEST = 24, 2.0, 240
"""Symbols of the first piece that a sentence is cut into, how much longer each next one may be, and of any."""
_LATIN = ("en", "es", "fr")


@dataclass(frozen=True, slots=True)
class Symbol:
    """`token`: the index of the token that it is said for, -1 for a mark or a space."""

    letter: str
    token: int = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """`words`: the display words as `anchor.voice.text.grouped` makes them. `ways`: the manner of each token."""

    words: tuple[tuple[str, list[int]], ...]
    ways: tuple[Manner, ...]
    pieces: tuple[tuple[Symbol, ...], ...]


class Reader:
    """Reads sentences; blocks, in a thread of the pool of `pronouncer`."""

    def __init__(self, pronouncer: Pronouncer, lexicon: Lexicon) -> None:
        self._pronouncer = pronouncer
        self._lexicon = lexicon

    def read(self, sentence: Sentence) -> Reading:
        """Raises `VoiceError` when the pronouncer fails."""
        language = base(sentence.language)
        accent = "en-GB" if sentence.language.lower() in ("en-gb", "en-au", "en-nz", "en-ie", "en-in") else "en-US"
        tokens = read_marked(sentence.text, language, self._lexicon, sentence.spans, _bare)
        said = dict[int, str]()
        for spoken, run in groupby(
            (index for index, token in enumerate(tokens) if token.spoken), lambda index: _language(tokens[index])
        ):
            indexes = list(run)
            said.update(self._said([tokens[index] for index in indexes], indexes, spoken, accent))
        pieces = tuple(pieces_of(list(_laid_out(tokens, said))))
        return Reading(tuple(grouped(tokens)), tuple(manners(tokens, sentence.spans)), pieces)

    def _said(
        self, tokens: Sequence[Token], indexes: Sequence[int], language: str, accent: str
    ) -> Iterator[tuple[int, str]]:
        if language == "zh":
            for index, words in mandarin.spoken(tokens, indexes).items():
                yield index, " ".join("".join(map(from_pinyin, word)) for word in words)
        elif language == "ja":
            yield from ((index, from_kana(token.spoken)) for index, token in zip(indexes, tokens, strict=True))
        else:
            tag = accent if language == "en" else language
            for index, token, said in zip(indexes, tokens, self._pronouncer.pronounced(tokens, tag), strict=True):
                small = SMALL_WORDS.get(token.spoken.lower(), "") if tag == "en-US" and not token.phonemes else ""
                yield index, small or " ".join(_word(word, tag) for word in said)


def _word(names: Word, tag: str) -> str:
    said = "".join(from_espeak(name, tag) for name in names)
    # Within a word only: a flap before the next word's vowel is not written.
    return said[:-1] + "t" if said.endswith("T") else said


def _bare(tag: str) -> str | None:
    return base(tag) if base(tag) in {base(one) for one in LANGUAGES} else None


def _language(token: Token) -> str:
    return base(token.language)


def _laid_out(tokens: Sequence[Token], said: dict[int, str]) -> Iterator[Symbol]:
    """Symbols in order, words parted by spaces and followed by their marks. Nothing where nothing is said."""
    before = ""
    for index, token in enumerate(tokens):
        for number, letter in enumerate(said.get(index, "")):
            if letter not in VOCABULARY:
                continue
            if not number and before and not token.joined:
                yield Symbol(" ")
            yield Symbol(letter, index if letter != " " else -1)
            before = letter
        if token.mark and before and before not in MARKS:
            yield Symbol(token.mark)
            before = token.mark
    if before and before not in MARKS:
        yield Symbol(".")


def pieces_of(symbols: Sequence[Symbol]) -> Iterator[tuple[Symbol, ...]]:
    """Cut symbols at marks into pieces, a short one first, so that it is heard soon."""
    start, shortest = 0, float(SHORTEST)
    while start < len(symbols):
        end = _end(symbols, start, round(shortest))
        piece = symbols[start:end]
        while piece and piece[0].letter == " ":
            piece = piece[1:]
        if piece:
            yield tuple(piece)
        start, shortest = end, min(LONGEST / 2, shortest * GROWTH)


def _end(symbols: Sequence[Symbol], start: int, shortest: int) -> int:
    if len(symbols) - start <= shortest * 1.5:
        return len(symbols)
    marks = [index + 1 for index in range(start, len(symbols)) if symbols[index].letter in MARKS]
    # What is left behind a mark must be worth a piece of its own.
    fit = [
        mark
        for mark in marks
        if mark - start >= shortest and (len(symbols) - mark >= SHORTEST / 2 or mark == len(symbols))
    ]
    end = fit[0] if fit else len(symbols)
    if end - start <= LONGEST:
        return end
    early = [mark for mark in marks if SHORTEST <= mark - start <= LONGEST]
    if early:
        return early[-1]
    spaces = [index for index in range(start + 1, min(len(symbols), start + LONGEST)) if symbols[index].letter == " "]
    return spaces[-1] if spaces else min(len(symbols), start + LONGEST)
