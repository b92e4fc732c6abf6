"""How well a piece of knowledge answers a question, as a number that means the same for all questions.

Three things are looked at, all weighted by how rare a term is (idf, as in BM25): how alike the question and the
nearest known phrasing are (cosine), how alike it and all phrasings together are, and how much of the question is
known in connection with the entry. A logistic function of them is the score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anchor.dialogue.folding import has_han
from anchor.dialogue.knowledge.segment import SINGLE

Vector = Mapping[str, float]

NEAREST, TOGETHER, COVERED, OFFSET = 1.0, 21.0, 1.5, -5.6
"""Weights of the three and where the scale begins, fitted so that 0.5 parts what is known from what is not."""

PAGE = 0.9
"""What a page's likeness counts for beside that of a question somebody has written an answer for."""

SPELLED = 0.8
"""What a word counts for that had to be corrected first."""

_SHORTEST, _LONG = 4, 6


class Rarity:
    """Inverse document frequencies, and the spelling of the words that are known."""

    def __init__(self, frequencies: Mapping[str, int], entries: int) -> None:
        self._entries = entries
        self._idf = {term: self._weigh(count) for term, count in frequencies.items()}
        self._unknown = self._weigh(0)
        self._spelled: dict[str, str] = {}
        for term, _ in sorted(frequencies.items(), key=lambda item: item[1]):
            if _correctable(term):
                # The more frequent of two words that may be meant comes last and stays.
                self._spelled.update(dict.fromkeys(_shortened(term), term))

    def _weigh(self, count: int) -> float:
        return math.log(1 + (self._entries - count + 0.5) / (count + 0.5))

    def __contains__(self, term: str) -> bool:
        return term in self._idf

    def __getitem__(self, term: str) -> float:
        return self._idf.get(term, self._unknown)

    def vector(self, terms: Vector) -> dict[str, float]:
        return {term: weight * self[term] for term, weight in terms.items()}

    def corrected(self, terms: Vector) -> dict[str, float]:
        """Replace words that nobody knows by known ones a letter away."""
        answer = dict(terms)
        for term in terms:
            if term not in self._idf and _correctable(term):
                forms = (self._spelled[form] for form in _shortened(term) if form in self._spelled)
                near = next((form for form in forms if _slip(form, term)), None)
                if near is not None:
                    del answer[term]
                    answer.setdefault(near, SPELLED * terms[term])
        return answer


def _alone(term: str) -> bool:
    """Whether a term is the least part of a question: an English word, or one Chinese character."""
    return term.startswith(SINGLE) or ("_" not in term and not has_han(term))


def _correctable(term: str) -> bool:
    return len(term) >= _SHORTEST and term.isascii() and term.isalpha()


def _slip(meant: str, typed: str) -> bool:
    """Whether a letter is missing or too many, two stand in the wrong order, or one of a long word is wrong."""
    if len(meant) != len(typed):
        return True
    wrong = [at for at in range(len(meant)) if meant[at] != typed[at]]
    if len(wrong) == 1:
        return len(meant) >= _LONG
    return len(wrong) == 2 and meant[wrong[0]] == typed[wrong[1]] and meant[wrong[1]] == typed[wrong[0]]


def _shortened(word: str) -> Iterable[str]:
    """A word and what is left of it without one of its letters (Garbe's symmetric deletes)."""
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def norm(vector: Vector) -> float:
    return math.sqrt(sum(weight * weight for weight in vector.values()))


def _dot(first: Vector, second: Vector) -> float:
    if len(second) < len(first):
        first, second = second, first
    return sum(weight * second[term] for term, weight in first.items() if term in second)


@dataclass(frozen=True, slots=True)
class Profile:
    """An entry as it is compared: unit vectors of its phrasings, that of their sum, and all its terms."""

    phrasings: tuple[Vector, ...]
    together: Vector
    terms: frozenset[str]
    likeness: float

    @classmethod
    def of(cls, phrasings: Sequence[Vector], also: Vector, rarity: Rarity, *, page: bool) -> Profile:
        """`also`: terms that belong to the entry without being asked for (its title, its answer)."""
        units = tuple(_unit(rarity.vector(phrasing)) for phrasing in phrasings if phrasing)
        total: dict[str, float] = {}
        for unit in (*units, _unit(rarity.vector(also))):
            for term, weight in unit.items():
                total[term] = total.get(term, 0.0) + weight
        # A term in every phrasing is what the entry is about; roots keep a few from hiding the others.
        together = _unit({term: math.sqrt(weight) for term, weight in total.items()})
        return cls(units, together, frozenset(total), PAGE if page else 1.0)


def _unit(vector: Vector) -> dict[str, float]:
    length = norm(vector)
    return {term: weight / length for term, weight in vector.items()} if length else {}


class Asked:
    """A question, ready to be compared with many entries."""

    def __init__(self, terms: Vector, rarity: Rarity) -> None:
        terms = rarity.corrected(terms)
        # Pairs nobody knows say nothing: every new sentence has some. Words and characters nobody knows do.
        self.vector = rarity.vector({term: weight for term, weight in terms.items() if term in rarity or _alone(term)})
        self._unit = _unit(self.vector)
        words = {term: weight for term, weight in self.vector.items() if _alone(term)} or self.vector
        self._total = sum(words.values())
        self._words = words

    def score(self, profile: Profile) -> float:
        """0..1: how well an entry answers."""
        nearest, together, covered = self.features(profile)
        sum_ = NEAREST * nearest + TOGETHER * together + COVERED * covered + OFFSET
        return 1 / (1 + math.exp(-sum_))

    def features(self, profile: Profile) -> tuple[float, float, float]:
        """Likeness to the nearest phrasing and to all together, and the share of the question that the entry knows."""
        nearest = max((_dot(self._unit, phrasing) for phrasing in profile.phrasings), default=0.0)
        together = _dot(self._unit, profile.together)
        known = sum(weight for term, weight in self._words.items() if term in profile.terms)
        return nearest * profile.likeness, together * profile.likeness, known / self._total if self._total else 0.0
