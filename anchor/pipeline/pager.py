"""What of a sentence has its place in its words: the captions, and the marks of the text."""

from __future__ import annotations

from dataclasses import replace

from anchor.events import Caption, Sentence, Word
from anchor.linebreak import columns
from anchor.media import SAMPLE_RATE
from anchor.pipeline.bilingual import bilingual
from anchor.pipeline.captions import CaptionStyle

SECONDS_PER_COLUMN = 0.072
"""How long a letter or half an ideograph takes, where nothing better is known: 14 letters a second, 7 ideographs."""

DYING_SECONDS = 0.1

_ENDLESS = 1 << 48


class Pager:
    """Pages a sentence into captions, each as soon as it is known when it begins.

    A voice that knows all words from the start has its pages with the first sound. One whose words come while it speaks
    has its pages planned by what its pace lets expect, and each begins when its first word does; one that times no
    words at all has them by the usual pace. `second` is the sentence in a second language, for a line below.
    """

    def __init__(self, sentence: Sentence, begun: int, style: CaptionStyle, second: str = "") -> None:
        self._sentence = sentence
        self._begun = begun
        self._style = style
        self._second = second
        self._words: list[Word] = []
        self._plan: list[tuple[int, Caption]] | None = None
        self._given = 0
        self._complete = False

    @property
    def wordless(self) -> bool:
        return not self._words

    def add(self, words: tuple[Word, ...]) -> tuple[Caption, ...]:
        self._words += words
        known = "".join(word.text for word in self._words)
        self._complete = known == self._sentence.text
        if self._plan is None:
            self._plan = self._planned(self._sentence.text[len(known) :])
        pages = []
        while self._given < len(self._plan) and (self.wordless or self._plan[self._given][0] < len(known)):
            place, page = self._plan[self._given]
            start = page.start if self.wordless else self._start_of(place)
            end = page.end if self._complete else _ENDLESS
            pages.append(replace(page, start=start, end=end).shifted(self._begun))
            self._given += 1
        return tuple(pages)

    def unheard(self, end: int) -> tuple[Word, ...]:
        """The sentence as one word, in utterance time, where its voice timed none."""
        text = self._sentence.text
        return (Word(text, self._begun, end),) if self.wordless and text else ()

    def until(self, end: int) -> int:
        """When the captions of the sentence, whose sound ends at `end`, are gone."""
        # A voice's sound runs on a little after its last word; a caption that ends early would blink.
        last = self._begun + self._words[-1].end if self._words else end
        return last + round((self._sentence.pause + DYING_SECONDS) * SAMPLE_RATE)

    def _planned(self, rest: str) -> list[tuple[int, Caption]]:
        """Pages and the places in the text where they begin; words that are not known yet follow at a usual pace."""
        if not self._sentence.text:
            return []  # sound whose words nobody knows
        words, until = list(self._words), None
        if self._complete:
            until = words[-1].end + round((self._sentence.pause + DYING_SECONDS) * SAMPLE_RATE)
        elif rest:
            clock = words[-1].end if words else 0
            seconds = sum(columns(char) for char in rest) * SECONDS_PER_COLUMN
            words.append(Word(rest, clock, clock + round(seconds * SAMPLE_RATE)))
        plan, place = [], 0
        for page in bilingual(words, self._style, self._second, until=until):
            place = self._sentence.text.index(page.lines[0], place)
            plan.append((place, page))
            place += sum(map(len, page.lines))
        return plan

    def _start_of(self, place: int) -> int:
        """When the word begins that holds a place of the text."""
        until = 0
        for word in self._words:
            until += len(word.text)
            if place < until:
                return word.start
        return self._words[-1].end


class Marker:
    """Finds when the marks of a sentence are reached: where the next word begins, or the sentence where none does."""

    def __init__(self, sentence: Sentence, begun: int) -> None:
        self._begun = begun
        self._marks = [(span.start, span.value) for span in sentence.spans if span.kind == "mark"]
        self._late = any(span.kind == "break" and not span.start for span in sentence.spans)
        self._length = len(sentence.text)
        self._place = 0

    def add(self, words: tuple[Word, ...]) -> tuple[tuple[int, str], ...]:
        """The marks that are now known, with their places in utterance time."""
        found = list[tuple[int, str]]()
        for word in words:
            while self._marks and self._marks[0][0] <= self._place:
                start = word.start if self._place or self._late else 0
                found.append((self._begun + start, self._marks.pop(0)[1]))
            self._place += len(word.text)
        return tuple(found)

    def rest(self, end: int) -> tuple[tuple[int, str], ...]:
        """Those that no word follows, at the end; where no words are known, as far in as they stand in the text."""
        length = end - self._begun
        found = [
            (end if self._place else self._begun + length * place // max(1, self._length), name)
            for place, name in self._marks
        ]
        self._marks = []
        return tuple(found)
