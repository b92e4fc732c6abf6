"""Words and phones as a server tells them, put on the sound that they are for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from anchor.events import Phone, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk
from anchor.voice.received import UnsoundError


class Timings:
    """What was told of one sentence of `text`, in seconds, until there is sound to put it on. Raises `UnsoundError`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._told = ""
        self._words: list[Word] = []
        self._phones: list[Phone] = []
        self._position = 0
        self._last = {"words": 0, "phones": 0}

    def words(self, listed: Any) -> None:
        for text, start, end in _rows(listed, 3, "words"):
            self._told += str(text)
            if not self._text.startswith(self._told):
                raise UnsoundError("times words that do not give the text back")
            self._words.append(Word(str(text), *self._place("words", start, end)))

    def phones(self, listed: Any) -> None:
        for symbol, start, end, stress in _rows(listed, 4, "phones"):
            level = stress if stress in (0, 1, 2) else 0
            self._phones.append(Phone(str(symbol), *self._place("phones", start, end), level))

    def _place(self, kind: str, start: float, end: float) -> tuple[int, int]:
        """In samples; never before what has been given away or told."""
        begin = max(round(start * SAMPLE_RATE), self._last[kind], self._position)
        self._last[kind] = begin
        return begin, max(begin, round(end * SAMPLE_RATE))

    def on(self, chunk: SpeechChunk) -> SpeechChunk:
        words, phones = tuple(self._words), tuple(self._phones)
        self._words, self._phones = [], []
        self._position += len(chunk.audio)
        return replace(chunk, words=words, phones=phones)

    def rest(self) -> SpeechChunk | None:
        if not self._words and not self._phones:
            return None
        end = self._position
        chunk = self.on(SpeechChunk.silence(0))
        return replace(
            chunk,
            words=tuple(replace(word, start=end, end=end) for word in chunk.words),
            phones=tuple(replace(phone, start=end, end=end) for phone in chunk.phones),
        )


def _rows(listed: Any, width: int, kind: str) -> list[list[Any]]:
    rows = listed if isinstance(listed, list) else [None]
    found = list[list[Any]]()
    for row in rows:
        if not isinstance(row, list) or len(row) != width or not all(_is_time(value) for value in row[1:3]):
            raise UnsoundError(f"tells {kind} in a form that is not the protocol's")
        found.append(row)
    return found


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 3600
