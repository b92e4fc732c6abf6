"""Reading marked-up text: what SSML says of stretches of it goes before the rules of the language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from anchor.events import Span
from anchor.voice.text import Lexicon, Token, read, say_as
from anchor.voice.text.ipa import mnemonics
from anchor.voice.text.scripts import HAN

EXACT = ("say-as", "sub", "phoneme")

_PINYIN = re.compile(r"[a-zü:]+[1-5]")


def read_marked(
    text: str, language: str, lexicon: Lexicon, spans: Sequence[Span], bare: Callable[[str], str | None]
) -> list[Token]:
    """Tokens of display text as `read` makes them, heeding spans of say-as, sub, phoneme and lang.

    `language` is a bare tag. `bare` tells the bare tag of a language that can be spoken and None of others, which are
    read in the language around them. Tokens in the language of a span carry its whole tag.
    """
    return list(_tokens(text, language, lexicon, spans, bare))


def regions(length: int, spans: Sequence[Span]) -> Iterator[tuple[int, int, Span | None]]:
    """A text of `length` cut where what is read exactly begins and ends, and where its language changes."""
    exact: list[Span] = []
    for span in sorted((span for span in spans if span.kind in EXACT), key=lambda span: (span.start, -span.end)):
        if span.end > span.start >= (exact[-1].end if exact else 0) and span.end <= length:
            exact.append(span)
    edges = {0, length}
    for span in spans:
        if span.kind in EXACT and span in exact:
            edges |= {span.start, span.end}
        elif span.kind == "lang":
            edges |= {
                edge for edge in (span.start, span.end)
                if 0 < edge < length and not any(one.start < edge < one.end for one in exact)
            }  # fmt: skip
    places = sorted(edges)
    starts = {span.start: span for span in exact}
    for start, end in pairwise(places):
        yield start, end, starts.get(start)


def tag_at(place: int, spans: Sequence[Span]) -> str:
    """The language of the innermost span of one at a place, "" where there is none."""
    around = [span for span in spans if span.kind == "lang" and span.start <= place < span.end]
    return min(around, key=lambda span: span.end - span.start).value if around else ""


def _tokens(
    text: str, language: str, lexicon: Lexicon, spans: Sequence[Span], bare: Callable[[str], str | None]
) -> Iterator[Token]:
    for start, end, exact in regions(len(text), spans):
        tag = tag_at(start, spans)
        spoken = (bare(tag) if tag else None) or language
        piece = text[start:end]
        if exact is not None and exact.value == "ordinal" and text[:start].endswith("第"):
            exact = replace(exact, value="cardinal")
        tokens = read(piece, spoken, lexicon) if exact is None else _exactly(piece, exact, spoken, lexicon)
        for token in tokens:
            yield replace(token, language=tag) if tag and bare(tag) == token.language else token


def _exactly(text: str, span: Span, language: str, lexicon: Lexicon) -> list[Token]:
    said: str | list[Token] | None = span.value
    if span.kind == "say-as":
        said = say_as.said(text, span.value, language)
    elif span.kind == "phoneme":
        said = _phonemes(text, span.value, language)
    tokens = read(said, language, lexicon) if isinstance(said, str) else said or []
    while tokens and not tokens[-1].spoken:
        tokens.pop()
    tokens = [token for token in tokens if token.spoken or token.mark]
    if not any(token.spoken for token in tokens):
        return read(text, language, lexicon)
    # All the words are said for the whole of the text: whoever shows it has one word.
    return [replace(token, text="" if index else text) for index, token in enumerate(tokens)]


def _phonemes(text: str, value: str, language: str) -> list[Token]:
    if _PINYIN.match(value):
        return [Token(text, text, "zh", value)] if language == "zh" else []
    if language in ("zh", "ja", "ko") and not re.search(f"[{HAN}]", text):
        language = "en"
    said = mnemonics(value, language) if language not in ("zh", "ja", "ko") else ""
    return [Token(text, text, language, said)] if said else []
