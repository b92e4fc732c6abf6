"""Words and phones out of the durations that Kokoro's network predicts for its symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from anchor.events import Phone, Word
from anchor.media import SAMPLE_RATE
from anchor.voice.kokoro_reading import Reading, Symbol
from anchor.voice.kokoro_symbols import FRAME, LATE_SECONDS, MARKS, RATE, phones_of

_STOPS = frozenset("pbtdkɡqcʧʤʨʦʣʥꭧʈɖʔ")
_LONGEST_GAP = 0.08
"""Seconds of a space that is part of the sounds around it; a longer one is a pause."""
_STRESS = {"ˈ": 2, "ˌ": 1}
_LEFT = frozenset("ː→↗↓↘ʲᵝ")
_SPLIT = 0.6
"""Share of the first part of a diphthong."""


@dataclass(slots=True)
class _Sound:
    symbols: tuple[str, ...]
    start: float
    end: float
    token: int
    stress: int = 0


class Timing:
    """The times of one sentence: takes its pieces in order and gives what is said in each."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._word_of = {token: number for number, (_, tokens) in enumerate(reading.words) for token in tokens}
        self._told = 0
        self._place = 0

    def piece(
        self, symbols: Sequence[Symbol], durations: Sequence[int], *, begin: float, at: int, samples: int, last: bool
    ) -> tuple[tuple[Word, ...], tuple[Phone, ...]]:
        """Words and phones of a piece, whose sound is `samples` long and lies at sample `at` of the sentence.

        `begin`: seconds that were cut off before its sound. The last piece brings all words that are left.
        """
        edges = np.concatenate([[0], np.cumsum(durations)]) * FRAME / RATE - LATE_SECONDS - begin

        def sample(seconds: float) -> int:
            return at + min(samples, max(0, round(seconds * SAMPLE_RATE)))

        phones, spans = list[Phone](), dict[int, tuple[int, int]]()
        for sound in sounds(symbols, [float(edge) for edge in edges]):
            start, end = sample(sound.start), sample(sound.end)
            if end <= start:
                continue
            number = self._word_of.get(sound.token)
            if number is not None:
                spans[number] = (spans.get(number, (start, 0))[0], end)
            middle = start + round((end - start) * _SPLIT) if len(sound.symbols) > 1 else end
            phones.append(Phone(sound.symbols[0], start, middle, sound.stress))
            if middle < end:
                phones.append(Phone(sound.symbols[1], middle, end, sound.stress))
        return tuple(self._words(spans, last=last)), tuple(phones)

    def _words(self, spans: dict[int, tuple[int, int]], *, last: bool) -> Iterator[Word]:
        until = len(self._reading.words) if last else max(spans, default=self._told - 1) + 1
        for number in range(self._told, until):
            start, end = spans.get(number, (self._place, self._place))
            start = max(start, self._place)
            self._place = max(start, end)
            yield Word(self._reading.words[number][0], start, self._place)
        self._told = max(self._told, until)


def sounds(symbols: Sequence[Symbol], edges: Sequence[float]) -> list[_Sound]:
    """Each sound with its time. Marks belong to a neighbour, and a short gap between words to the closure after it."""
    found = list[_Sound]()
    begun, stress = None, 0
    for index, symbol in enumerate(symbols):
        start, end = edges[index + 1], edges[index + 2]
        letter = symbol.letter
        if letter in _STRESS:
            begun, stress = (start if begun is None else begun), _STRESS[letter]
        elif letter in ("ʰ", "\u0303") and found:
            found[-1].end = end
            found[-1].symbols = (found[-1].symbols[0] + letter,)
        elif letter in _LEFT and found:
            found[-1].end = end
        elif parts := phones_of(letter):
            vowel = parts[0] in "aeiouyøœɐɑɒɔəɚɛɜɤɨɪɯʊʌæ"
            found.append(_Sound(parts, start if begun is None else begun, end, symbol.token, stress if vowel else 0))
            begun, stress = None, stress if not vowel else 0
        elif letter == " " and end - start < _LONGEST_GAP and symbols[index - 1].letter not in MARKS and found:
            after = next((one.letter for one in symbols[index + 1 :] if one.letter not in _STRESS), "")
            if after in _STOPS:
                begun = start
            else:
                found[-1].end = end
    return found
