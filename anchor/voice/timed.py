"""Sound whose timing is known as a whole: words from the places of tokens, and chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from anchor.events import Phone, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk
from anchor.voice.sounding import CHUNK_SECONDS
from anchor.voice.text import Token, grouped


def words(tokens: Sequence[Token], spans: Mapping[int, tuple[int, int]], length: int) -> Iterator[Word]:
    """Display words with their place in `length` samples; one that made no sound stands between its neighbours.

    `spans` are the samples of the tokens that made any, by their index.
    """
    place = 0
    for text, indexes in grouped(tokens):
        known = [spans[index] for index in indexes if index in spans]
        start = max(place, min((start for start, _ in known), default=place))
        end = max(start, min(length, max((end for _, end in known), default=start)))
        place = end
        yield Word(text, start, end)


def chunks(audio: Samples, said: tuple[Word, ...], phones: tuple[Phone, ...]) -> Iterator[SpeechChunk]:
    """Cut sound that is known as a whole; all words come with its beginning, so that captions can be paged at once."""
    step = round(CHUNK_SECONDS * SAMPLE_RATE)
    for start in range(0, len(audio), step):
        piece = audio[start : start + step]
        yield SpeechChunk(piece, said, phones) if start == 0 else SpeechChunk(piece)
