"""Phones out of espeak-ng's events: `anchor.events.Phone` with plain IPA symbols and places that lips can trust.

espeak-ng's own names become symbols so (`tests/voice/phone_inventory.json` lists every symbol a language can emit):

- stress marks become `Phone.stress`; length marks, tones and fine diacritics are dropped (``iː`` is ``i``, ``o̞`` is
  ``o``); a tilde stays, for a nasal vowel is a sound of its own (``ɑ̃``);
- the ASCII that espeak-ng uses in Mandarin and Korean becomes IPA: ``th`` is ``tʰ``, ``ts.h`` is ``tʂʰ``, ``s.`` is
  ``ʂ``, ``i.`` and ``i̪`` (the vowels of *shi* and *si*) are ``ɨ``, ``o-`` is ``ɤ``, ``t-`` (tense) is ``t``,
  ``q`` is ``k``;
- an affricate is one phone (``tʃ``, ``tɕʰ``): one movement of the lips;
- what espeak-ng times as one but the lips travel through is split: diphthongs and triphthongs (``aɪ`` is ``a`` +
  ``ɪ``, ``uei`` is ``u`` + ``e`` + ``i``), and vowel with r or l (``ɔːɹ`` is ``ɔ`` + ``ɹ``). Parts share its
  time by `_SHARES`;
- pauses are not phones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

import numpy as np

from anchor.events import Phone
from anchor.media import SAMPLE_RATE, Samples

AFFRICATES = ("tʂʰ", "tɕʰ", "tsʰ", "tʃʰ", "tʂ", "tɕ", "ts", "tʃ", "dʒ", "dʑ", "dz", "pf")
VOICELESS_STOPS = frozenset(("p", "t", "k", "pʰ", "tʰ", "kʰ", "q", "c", "ʔ", "pf", "ts", "tʃ", "tɕ", "tʂ")) | frozenset(
    name for name in AFFRICATES if name.endswith("ʰ")
)
VOWELS = frozenset("aeiouyøœɐɑɒɔəɚɛɜɤɨɪɯʉʊʌʏæ")

_NAMES = {
    "o-": "ɤ", "i.": "ɨ", "i̪": "ɨ", "ər": "ɚ", "χ": "x", "onɡ": "uŋ", "q": "k", "q-": "k", "N-": "ŋ", "ᵻ": "ɪ",
    "əɹ": "ɚ", "ɜɹ": "ɜ", "ʲ": "j", "r.": "ɻ", "ɔø": "ɔʏ", "l̩": "əl", "n̩": "ən", "m̩": "əm",
}  # fmt: skip
_ASPIRATED = {
    "ph": "pʰ", "th": "tʰ", "kh": "kʰ", "tsh": "tsʰ", "ts.h": "tʂʰ", "ts.": "tʂ", "s.": "ʂ", "z.": "ʐ", "tɕh": "tɕʰ",
    "tʃh": "tʃʰ", "tS;h": "tɕʰ",
}  # fmt: skip
_DROPPED = dict.fromkeys(map(ord, "ːˑ-.;ᵝ˞̪̞̟̠̝̩̯̬̥̈͜͡ˈˌʲ0123456789"))
_TILDE = "\u0303"
_STRESS = {"ˈ": 2, "ˌ": 1}

_SHARES = {
    1: (1.0,),
    2: (0.6, 0.4),
    3: (0.3, 0.4, 0.3),
    4: (0.25, 0.3, 0.25, 0.2),
}
"""How the parts of a split phone share its time; from the formant tracks of espeak-ng's own diphthongs, to a tenth."""

_RISING = (0.35, 0.65)
"""For ``ia``, ``ua``, ``ya``...: the glide is the short part."""

LONGEST_CLOSURE = 0.120
"""Seconds of silence before a burst that can be its closure."""

LONGEST_FIRST_CLOSURE = 0.060
"""The same after a pause, where the lips need not have been shut all the time."""

LONGEST_CODA = 0.090
"""Seconds of a vowel that belong to the consonant in which the engine lets it end."""

SHORTEST_PAUSE = 0.060
"""Seconds; a shorter gap between two phones belongs to the first of them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event of espeak-ng: at `sample` (of the engine's own rate) phone `name` starts, or a pause ('').

    `character` is the place in the spoken text of the word it belongs to.
    """

    sample: int
    name: str
    character: int


@dataclass(frozen=True, slots=True)
class Sounded:
    """A phone, and the place in the spoken text of the word it belongs to."""

    phone: Phone
    character: int


def symbols(name: str) -> tuple[tuple[str, ...], int]:
    """Split one of espeak-ng's phone names into plain IPA symbols; the second value is the stress."""
    stress = max((_STRESS.get(letter, 0) for letter in name), default=0)
    bare = name.replace("ˈ", "").replace("ˌ", "")
    bare = _NAMES.get(bare) or _ASPIRATED.get(bare) or bare
    # Decomposed, so that a tilde is a letter of its own, except for c cedilla, a phone with its own letter.
    bare = unicodedata.normalize("NFD", bare).replace("c\u0327", "ç").translate(_DROPPED)
    bare = _NAMES.get(bare, bare)
    parts: list[str] = []
    while bare:
        length = next((len(one) for one in AFFRICATES if bare.startswith(one)), 1)
        part, bare = bare[:length], bare[length:]
        if part in (_TILDE, "ʰ") and parts:
            parts[-1] += part
        elif part.isalpha():
            parts.append(part)
    return tuple(parts), stress


def is_vowel(symbol: str) -> bool:
    return symbol[0] in VOWELS


def sounded(marks: Sequence[Mark], rate: int, sound: Samples) -> list[Sounded]:
    """Phones of a stretch of speech in order, without gaps shorter than `SHORTEST_PAUSE`, closures in their place.

    `marks` are in samples of `rate`, `sound` and the answer in samples of `SAMPLE_RATE`. An event of espeak-ng marks a
    voiceless stop's burst (the pause before it is put out first): the start is pulled back over the silence.
    """
    scale = SAMPLE_RATE / rate
    found: list[Sounded] = []
    pauses: list[int] = []
    for mark, after in zip_longest(marks, marks[1:]):
        start = min(round(mark.sample * scale), len(sound))
        end = min(round(after.sample * scale), len(sound)) if after else len(sound)
        if not mark.name:
            pauses.append(start)
        elif mark.name.startswith("("):
            continue
        elif end > start:
            found += (Sounded(phone, mark.character) for phone in split(mark.name, start, end))
        elif found and is_vowel(found[-1].phone.symbol) and found[-1].phone.end == start:
            # The l that ends "well" is in the engine's sound of its vowel: the last part of that is taken for it.
            vowel = found[-1].phone
            begun = start - min(round(LONGEST_CODA * SAMPLE_RATE), (vowel.end - vowel.start) // 3)
            found[-1] = replace(found[-1], phone=replace(vowel, end=begun))
            found += (Sounded(phone, mark.character) for phone in split(mark.name, begun, start))
    return _joined(_with_closures(found, sound))


def split(name: str, start: int, end: int) -> Iterable[Phone]:
    """The phones that one of the engine's makes, between two samples; `name` as `symbols` takes it."""
    parts, stress = symbols(name)
    shares: Sequence[float] = _SHARES.get(len(parts)) or (1 / len(parts),) * len(parts) if parts else ()
    if len(parts) == 2 and parts[0] in "iuy" and is_vowel(parts[1]):
        shares = _RISING
    edges = [start + round((end - start) * share) for share in np.cumsum((0.0, *shares))]
    for part, first, last in zip(parts, edges, edges[1:], strict=False):
        if last > first:
            yield Phone(part, first, last, stress if is_vowel(part) else 0)


def _with_closures(found: list[Sounded], sound: Samples) -> list[Sounded]:
    level = _Level(sound)
    answer = list(found)
    for index, one in enumerate(answer):
        if one.phone.symbol not in VOICELESS_STOPS:
            continue
        before = answer[index - 1].phone if index else None
        after_pause = before is None or one.phone.start - before.end > LONGEST_CLOSURE * SAMPLE_RATE
        longest = round((LONGEST_FIRST_CLOSURE if after_pause else LONGEST_CLOSURE) * SAMPLE_RATE)
        # A phone keeps at least a third of itself, however quiet its end is.
        earliest = max(one.phone.start - longest, (before.start + (before.end - before.start) // 3) if before else 0, 0)
        start = level.silence_before(one.phone.start, earliest)
        answer[index] = replace(one, phone=replace(one.phone, start=start))
        if before is not None and before.end > start:
            answer[index - 1] = replace(answer[index - 1], phone=replace(before, end=start))
    return answer


def _joined(found: list[Sounded]) -> list[Sounded]:
    answer = list(found)
    for index, (one, after) in enumerate(pairwise(found)):
        if one.phone.end < after.phone.start <= one.phone.end + SHORTEST_PAUSE * SAMPLE_RATE:
            answer[index] = replace(one, phone=replace(one.phone, end=after.phone.start))
    return answer


class _Level:
    """Root mean square of a sound in steps of 2.5 ms."""

    step = SAMPLE_RATE // 400

    def __init__(self, sound: Samples) -> None:
        steps = len(sound) // self.step
        self._rms = np.sqrt(np.mean(np.square(sound[: steps * self.step].reshape(steps, self.step)), axis=1))
        # 36 dB under the loud parts: above the engine's noise floor, below any voicing.
        self._floor = float(np.percentile(self._rms, 95)) * 0.016 if steps else 0.0

    def silence_before(self, start: int, earliest: int) -> int:
        """The sample, not before `earliest`, where the silence that ends at `start` begins (`start` if none does)."""
        step = min(start // self.step, len(self._rms)) - 1
        while step >= 0 and step * self.step >= earliest and self._rms[step] <= self._floor:
            step -= 1
        first = (step + 1) * self.step
        return max(min(first, start), earliest) if first < start else start
