"""Words and phones of speech whose text is known, found in the sound as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from anchor.events import Phone, Word
from anchor.media import SAMPLE_RATE, Floats, Samples
from anchor.ports import Flaws, SpeechChunk, SpelledWord
from drivers.speechnet.heard import judge
from drivers.speechnet.inventory import SOUNDS, sounds_of
from drivers.speechnet.lattice import Lattice, Unit, silence
from drivers.speechnet.network import STEP, Listening, warm

FIRST = 70
"""Frames of 10 ms that are heard before the first phone is settled."""
SETTLING = 55
"""Frames by which a later sound may still move a phone."""
EVERY = 20
STRIDE = round(0.24 * SAMPLE_RATE)
"""Samples that are heard together."""
LEAST_LIKELY = -7.0
"""Log-probability that one frame costs at most: a phone that the speaker left out must not bend its neighbours."""
MISFIT = 1.6
"""Nepers a frame by which the text may be less likely than what the network hears; more is another text."""
ABSENT = 22.0
"""Nepers by which a sound is likelier without a word that counts as not heard. Of words that are said, one in some
thousands is past it; of those that are not, all but a few short ones (``anchor bench swallowed``)."""
EXTRA = 75.0
"""Nepers by which a sound is likelier with something in it that is no word of the text."""
WORST = 1e6
_BRIEF = frozenset(["ə", "t", "d", "ɾ", "h", "ɪ", "j", "w"])


@dataclass(frozen=True, slots=True)
class _Place:
    """Which phone of which word a unit of the lattice belongs to."""

    word: int
    phone: int


def units_of(words: Sequence[SpelledWord]) -> tuple[list[Unit], list[_Place | None]]:
    """The sounds of words, with silence allowed around each, and where each belongs."""
    units, places = [silence()], list[_Place | None]([None])
    for number, word in enumerate(words):
        for index, (symbol, _) in enumerate(word.phones):
            for sound, _ in sounds_of(symbol):
                units.append(Unit(sound, 2 if SOUNDS[sound] in _BRIEF else 3))
                places.append(_Place(number, index))
        if units[-1].optional:
            continue
        units.append(silence())
        places.append(None)
    return units, places


class Alignment:
    """One sentence being found in its sound. Times are samples from the start of the sound."""

    def __init__(self, words: Sequence[SpelledWord], *, checked: bool = False) -> None:
        """`checked` keeps what is needed for `flaws`."""
        self._words = words
        self._scores: list[Floats] | None = [] if checked else None
        units, self._places = units_of(words)
        self._lattice = Lattice(units)
        self._listening = Listening()
        self._free = 0.0
        self._settled_until = 0
        self._next_word = 0
        self._tried = 0
        self._waiting: list[Samples] = []
        self.misfit = False

    def push(self, audio: Samples) -> tuple[list[Word], list[Phone]]:
        """Take sound; give the words that are settled by now, with their phones."""
        self._waiting.append(audio)
        if sum(part.size for part in self._waiting) < STRIDE:
            return [], []
        self._listen()
        heard = len(self._lattice)
        if self.misfit or heard < FIRST or heard - self._tried < EVERY:
            return [], []
        self._tried = heard
        self._judge()
        return ([], []) if self.misfit else self._settle(heard - SETTLING, ended=False)

    def finish(self) -> tuple[list[Word], list[Phone]]:
        """Give all that is left, the sound being over."""
        self._listen()
        self._hear(self._listening.finish())
        self._judge()
        self.misfit = self.misfit or not self._lattice.complete
        return ([], []) if self.misfit else self._settle(len(self._lattice), ended=True)

    def flaws(self) -> Flaws | None:
        """What was said otherwise than the text, when all is heard; None where nothing. Takes 2 ms for a second."""
        scores = np.concatenate(self._scores or [np.zeros((0, len(SOUNDS)), np.float32)])
        word_of = [place.word if place is not None else None for place in self._places]
        verdict = judge(scores, self._lattice.units, word_of, len(self._words))
        if verdict is None or verdict.unexplained > MISFIT:
            # Too short for the text, or another text: no word can be said to have been heard.
            return Flaws(tuple(word.text for word in self._words if word.phones), cost=WORST)
        missing = tuple(word.text for word, doubt in zip(self._words, verdict.absent, strict=True) if doubt > ABSENT)
        most = int(verdict.extra.argmax())
        seconds = float(verdict.extra_frames[most]) / 100 if verdict.extra[most] > EXTRA else 0.0
        if not missing and not seconds:
            return None
        cost = float(np.maximum(verdict.absent, 0).sum() + max(0.0, verdict.extra[most]))
        return Flaws(missing, seconds, cost)

    @property
    def settled(self) -> int:
        """The sample up to which nothing further will be given, except at the end."""
        return _sample(self._settled_until)

    def _listen(self) -> None:
        if self._waiting:
            self._hear(self._listening.push(np.concatenate(self._waiting)))
            self._waiting = []

    def _hear(self, scores: Floats) -> None:
        bounded = np.maximum(scores, LEAST_LIKELY)
        if self._scores is not None:
            self._scores.append(bounded)
        self._free += float(bounded.max(axis=1).sum()) if len(bounded) else 0.0
        self._lattice.push(bounded)

    def _judge(self) -> None:
        if len(self._lattice):
            self.misfit = (self._free - self._lattice.best) / len(self._lattice) > MISFIT

    def _settle(self, until: int, *, ended: bool) -> tuple[list[Word], list[Phone]]:
        since = self._settled_until
        path = self._lattice.path(since, ended=ended)
        # Runs of one unit, not frames: a sentence has ten times as many of these.
        edges = np.flatnonzero(np.diff(path)) + 1
        starts = [0, *edges.tolist()] if path.size else []
        spans: dict[_Place, tuple[int, int]] = {}
        for first, last in zip(starts, [*starts[1:], path.size], strict=bool(starts)):
            place = self._places[int(path[first])]
            if place is not None and place.word >= self._next_word:
                earliest, _ = spans.get(place, (since + first, 0))
                spans[place] = (earliest, since + last)
        by_word: dict[int, list[tuple[_Place, int, int]]] = {}
        for place, (first, last) in spans.items():
            by_word.setdefault(place.word, []).append((place, first, last))
        words, phones = list[Word](), list[Phone]()
        for number in range(self._next_word, len(self._words)):
            found = sorted(by_word.get(number, ()), key=lambda each: each[0].phone)
            spelled = self._words[number]
            last = max((end for _, _, end in found), default=self._settled_until)
            complete = ended or (not spelled.phones and bool(words)) or (
                len(found) == len(spelled.phones) > 0 and last < until and number + 1 in by_word
            )  # fmt: skip
            if not complete:
                break
            start = min((begun for _, begun, _ in found), default=last)
            words.append(Word(spelled.text, _sample(start), max(_sample(start), _sample(last))))
            for place, begun, end in found:
                symbol, stress = spelled.phones[place.phone]
                phones.append(Phone(symbol, _sample(begun), _sample(end), stress))
            self._next_word, self._settled_until = number + 1, max(self._settled_until, last)
        return words, phones


def _sample(frame: int) -> int:
    # Frame n is centred at 10 n ms, so it begins half a frame sooner.
    return max(0, frame * STEP - STEP // 2)


class SpeechAligner:
    """Gives the words and phones of its text to a voice's bare sound; sound goes on as soon as they are settled."""

    def warm(self) -> None:
        warm()

    async def align(
        self, speech: AsyncIterable[SpeechChunk], words: Sequence[SpelledWord], *, checked: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        """Yield the same sound in chunks that carry `words`, as `anchor.ports.Aligner` says."""
        alignment = Alignment(words, checked=checked)
        held = list[Samples]()
        given = heard = 0
        async for chunk in speech:
            held.append(chunk.audio)
            heard += chunk.audio.size
            found, phones = alignment.push(chunk.audio)
            ready = heard if alignment.misfit else min(heard, alignment.settled)
            if ready > given:
                sound = np.concatenate(held)
                held = [sound[ready - given :]]
                yield SpeechChunk(sound[: ready - given], tuple(found), tuple(phones), source="aligned")
                given = ready
        found, phones = alignment.finish()
        rest = np.concatenate(held) if held else np.zeros(0, np.float32)
        flaws = await asyncio.to_thread(alignment.flaws) if checked and heard else None
        if rest.size or flaws is not None:
            end = given + rest.size
            yield SpeechChunk(
                rest,
                tuple(word for word in found if word.start < end),
                tuple(phone for phone in phones if phone.start < end),
                source="aligned",
                flaws=flaws,
            )
