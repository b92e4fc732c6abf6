"""Marked-up sentences through any voice: what a voice does not heed itself is done to what it is given and gives.

A break is silence between two pieces that are spoken apart. What sub and say-as ask for is put in words and its words
are mapped back to the text that viewers read. A stretch in another language is a piece of its own where the voice
speaks that language; loudness is turned up or down. Speed, pitch and phonemes are left to voices that know how.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import numpy as np

from anchor.events import Sentence, Span, SpanKind, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk, Voice
from anchor.tags import among
from anchor.voice.manner import manner_at
from anchor.voice.sound import limited
from anchor.voice.text import say_as
from anchor.voice.text.marked import regions
from anchor.voice.text.tokens import OPENING

_DYING_SECONDS = 0.04

_SHAPING: tuple[SpanKind, ...] = ("prosody", "emphasis")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a sentence that is spoken in one go. `seconds`: the break before it. `volume` in decibels."""

    sentence: Sentence
    seconds: float = 0.0
    volume: float = 0.0


async def spoken(voice: Voice, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
    """What `voice` says of a sentence, as `Voice.speak` does, with its spans heeded. Raises `VoiceError`."""
    if not any(span.kind != "mark" for span in sentence.spans):
        plain = replace(sentence, spans=()) if sentence.spans else sentence
        async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", voice.speak(plain))) as chunks:
            async for chunk in chunks:
                yield chunk
        return
    position = ended = 0
    for piece in _pieces(sentence, voice):
        # A voice's sound dies away after its last phone; that is part of the silence.
        silence = round(piece.seconds * SAMPLE_RATE) - min(position - ended, round(_DYING_SECONDS * SAMPLE_RATE))
        if silence > 0 and piece.seconds:
            yield SpeechChunk.silence(silence)
            position += silence
        if not piece.sentence.text:
            continue
        begun = position
        async with aclosing(_said(voice, piece)) as chunks:
            async for chunk in chunks:
                chunk = chunk.shifted(begun)
                yield chunk
                position += len(chunk.audio)
                ended = max(ended, begun, *(said.end for said in chunk.phones or chunk.words))


def _pieces(sentence: Sentence, voice: Voice) -> Iterator[_Piece]:
    """Cut where a break is, and where language or loudness change for a voice that does not see to that itself."""
    length = len(sentence.text)
    exact = [(start, end) for start, end, span in regions(length, sentence.spans) if span is not None]
    pauses = dict[int, float]()
    edges = {0, length}
    for span in sentence.spans:
        if span.kind == "break" and span.seconds:
            pauses[span.start] = pauses.get(span.start, 0.0) + span.seconds
            edges.add(span.start)
        elif _parts(span, voice):
            edges |= {span.start, span.end}
    places = sorted(edge for edge in edges if not any(start < edge < end for start, end in exact))
    begun, before, after, said = 0, 0.0, 0.0, False
    for start, end in pairwise(places):
        # What is no word goes with the words around it.
        pause, speakable = pauses.get(start, 0.0), any(letter.isalnum() for letter in sentence.text[start:end])
        if said and speakable:
            yield _piece(sentence, begun, start, before, voice)
            begun, before, after = start, after + pause, 0.0
        elif said:
            after += pause
        else:
            before += pause
        said = said or speakable
    if said:
        yield _piece(sentence, begun, length, before, voice)
    if after := after + pauses.get(length, 0.0):
        yield _Piece(replace(sentence, text=""), after)


def _parts(span: Span, voice: Voice) -> bool:
    """Whether a voice is given what is in a span apart."""
    if span.kind in voice.info.heeds:
        return False
    if span.kind == "lang":
        return among(span.value, voice.info.languages)
    return span.kind in _SHAPING and manner_at(span.start, [span]).volume != 0


def _piece(sentence: Sentence, start: int, end: int, seconds: float, voice: Voice) -> _Piece:
    heeds, spans, shaping, language = voice.info.heeds, list[Span](), list[Span](), sentence.language
    text = sentence.text[start:end]
    first = start + next((place for place, letter in enumerate(text) if letter.isalnum()), 0)
    for span in sentence.spans:
        if span.kind in ("break", "mark") or span.end <= start or span.start >= end:
            continue
        if span.kind in heeds or span.kind in ("sub", "say-as"):
            spans.append(replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start))
        elif span.kind == "lang" and span.start <= first < span.end and _parts(span, voice):
            language = span.value
        elif span.kind in _SHAPING:
            shaping.append(span)
    spoken_so = Sentence(text, language, sentence.pause, tuple(spans))
    return _Piece(spoken_so, seconds, manner_at(first, shaping).volume)


async def _said(voice: Voice, piece: _Piece) -> AsyncGenerator[SpeechChunk, None]:
    sentence, back = _worded(piece.sentence, voice.info.heeds)
    gain = np.float32(10 ** (piece.volume / 20))
    async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", voice.speak(sentence))) as chunks:
        async for chunk in chunks:
            if gain != 1:
                chunk = replace(chunk, audio=limited(chunk.audio * gain))
            yield replace(chunk, words=back.words(chunk.words)) if back is not None else chunk


def _worded(sentence: Sentence, heeds: Sequence[SpanKind]) -> tuple[Sentence, _Back | None]:
    """The sentence with sub and say-as put in words where a voice does not heed them, and the way back."""
    exact = [span for span in sentence.spans if span.kind in ("sub", "say-as") and span.kind not in heeds]
    if not exact:
        return sentence, None
    language = sentence.language.replace("_", "-").lower().split("-")[0]
    said, back = "", _Back()
    for start, end, span in regions(len(sentence.text), exact):
        text = sentence.text[start:end]
        words = text if span is None else _words(text, span, language)
        back.add(words, text, same=words == text)
        said += words
    kept = tuple(span for span in sentence.spans if span not in exact)
    # Spans of other kinds would have to move with the words; a voice that heeds those heeds these, too.
    return replace(sentence, text=said, spans=() if kept and said != sentence.text else kept), back


def _words(text: str, span: Span, language: str) -> str:
    said = span.value if span.kind == "sub" else say_as.said(text, span.value, language)
    if isinstance(said, list):
        said = ("" if language in ("zh", "ja") else " ").join(token.spoken for token in said)
    return said or text


class _Back:
    """The way from a text as it is said to the text as it is read. Takes the words of a voice in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stretches: list[tuple[str, str, bool]] = []
        self._said = 0
        self._place = 0
        self._shown = 0
        self._text = ""

    def add(self, said: str, text: str, *, same: bool) -> None:
        if same and self._stretches and not self._stretches[-1][2]:
            # A stop or a space that follows a word goes with it, as soon as that begins.
            trail = next(
                (place for place, letter in enumerate(text) if letter.isalnum() or letter in OPENING), len(text)
            )
            before = self._stretches.pop()
            self._stretches.append((before[0] + text[:trail], before[1] + text[:trail], False))
            self._said, self._text = self._said + trail, self._text + text[:trail]
            said = text = text[trail:]
        self._starts.append(self._said)
        self._stretches.append((said, text, same))
        self._said += len(said)
        self._text += text

    def words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        answer: list[Word] = []
        for word in words:
            self._place += len(word.text)
            shown = self._shown_at(self._place)
            text = self._text[self._shown : shown]
            self._shown = max(self._shown, shown)
            if text:
                answer.append(replace(word, text=text))
            elif answer:
                answer[-1] = replace(answer[-1], end=max(answer[-1].end, word.end))
        return tuple(answer)

    def _shown_at(self, place: int) -> int:
        """How much of the text is shown when so much is said: all of what is said otherwise, as soon as that begins."""
        if place >= self._said:
            return len(self._text)
        number = max(0, bisect_right(self._starts, place) - 1)
        before = sum(len(text) for _, text, _ in self._stretches[:number])
        _, text, same = self._stretches[number]
        inside = place - self._starts[number]
        return before + (inside if same else len(text) if inside else 0)
