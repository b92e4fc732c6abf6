"""A language model of what visitors may say: trigrams over the phrases that are expected, and their pronunciations."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from anchor.hearing import english

ORDER = 3
EXPECTED_WEIGHT, ANSWER_WEIGHT, COURTESY_WEIGHT = 6, 10, 2
"""How often expected phrases, a plain yes or no, and courtesies count against numbers and dates."""
_ANSWERS = ("yes", "no", "yes please", "no thank you", "a person please")

_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONEY = ("dollars", "euros", "pounds", "yuan", "dollars please")

_EVERYWHERE = (
    """
yes|no|yes please|no thank you|yes i do|no i don't|yes that's right|that's right|that is correct|correct|that's wrong
that is not correct|okay|okay thank you|sure|of course|maybe|i don't know|thank you|thanks|thank you very much|goodbye
bye|hello|hi|good morning|good afternoon|good evening|help|help me please|a person please|a human please|an agent please
can i talk to a person|i want to talk to a person|i would like to speak to a person|may i speak to somebody
speak to an agent|talk to a human|call someone please|stop|cancel|go back|start again|start over|repeat that please
say that again please|can you repeat that|what did you say|pardon|i beg your pardon|sorry|wait|wait a moment|one moment
continue|go on|next|finish|that's all|nothing else|that is all thank you|confirm|i confirm|today|tomorrow
the day after tomorrow|this week|next week|this morning|this afternoon|this evening|tonight|now|later|right now
i have|i lost|i lost my|i forgot|my|in the morning|in the afternoon|in the evening|at noon|at midnight|can you tell me
could you tell me please|tell me about
i want to|i'd like to|i would like to|i need to|i need|i want|i have a question|i have a question about|can i|could i
may i|how do i|how can i|how much is|how much does it cost|how long does it take|what is|what's|what are|what time|when
where is|where are|where can i find|who is|why|which|is it possible to|do you have|is there|are there|please
yeah|yep|right|all right|oh|oh okay|i see|oh i see|okay i see|really|aha|great|uh huh|huh|mhm|mm|mm hm|hm|hmm|um|uh
stop talking|be quiet|hold on|stop please|no wait
excuse me|english|english please|chinese please|speak english please
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def everywhere() -> list[list[str]]:
    """What is understood in every domain: yes and no, numbers, days, times, courtesies, a wish for a person."""
    phrases = [phrase.split() for phrase in _EVERYWHERE]
    digits = english.ONES[:10]
    # "oh" begins no number: alone it would be a rival of "no".
    phrases += [list(pair) for pair in itertools.product(digits, (*digits, "oh"))]
    # Digits are dictated in fours to elevens: what follows a digit is mostly a digit.
    phrases += [[a, b, digits[(digits.index(a) + 3) % 10]] for a, b in itertools.product(digits, digits)]
    phrases += [[digits[(digits.index(a) + 3) % 10], "oh", a] for a in digits]
    numbers = (*range(101), *range(200, 1001, 100), *range(2000, 10001, 1000))
    phrases += [english.cardinal(number) for number in numbers]
    phrases += [[*english.cardinal(number), *money.split()] for number in (5, 10, 20, 50, 100, 200, 500, 1000, 5000)
                for money in _MONEY]  # fmt: skip
    phrases += [[*english.cardinal(tens), *english.cardinal(ones), "dollars"] for tens in range(20, 100, 10)
                for ones in (1, 5, 9)]  # fmt: skip
    for day in ("today", "tomorrow", "this", "yesterday"):
        phrases += [[day, part] for part in ("morning", "afternoon", "evening")]
    for day in _DAYS:
        phrases += [[day], ["on", day], ["next", day], ["this", day], [day, "morning"], [day, "afternoon"], [day, "at"]]
    for month in _MONTHS:
        phrases += [[month], ["in", month], ["the", "first", "of", month]]
        phrases += [[month, *english.ordinal(day)] for day in range(1, 32)]
    for hour in range(1, 13):
        clock = english.ONES[hour] if hour < 20 else ""
        phrases += [["at", clock], [clock, "o'clock"], ["at", clock, "o'clock"], [clock, "thirty"], [clock, "a.", "m."],
                    [clock, "p.", "m."], ["half", "past", clock], ["at", clock, "thirty"]]  # fmt: skip
        for day in ("today", "tomorrow", *_DAYS):
            phrases += [[day, "at", clock], ["on", day, "at", clock], [day, "at", clock, "thirty"]]
        phrases += [["next", day, "at", clock] for day in _DAYS]
    return phrases


def words_of(expected: Iterable[str]) -> set[str]:
    """Every word that a domain of these phrases has: what `build` will look up."""
    words = {word for phrase in expected for word in english.said(phrase)}
    return words | {word for phrase in everywhere() for word in phrase}


@dataclass(frozen=True, slots=True)
class Domain:
    """`arpa` and `dictionary` are the contents of the two files that a decoder takes.

    `guessed`: words that stand in no dictionary and are pronounced by rule. `left_out`: phrases with words that cannot
    be pronounced at all.
    """

    arpa: str
    dictionary: str
    words: frozenset[str]
    guessed: tuple[str, ...]
    left_out: tuple[str, ...]


def build(expected: Iterable[str], lookup: Callable[[str], Sequence[str]]) -> Domain:
    """Make a domain of expected phrases. `lookup` gives the pronunciations of a word, none when it is unknown."""
    pronunciations: dict[str, Sequence[str]] = {}
    guessed, left_out = [], []
    sentences: Counter[tuple[str, ...]] = Counter()
    for phrase in expected:
        words = tuple(english.said(phrase))
        for word in words:
            if word not in pronunciations:
                pronunciations[word] = lookup(word) or ([by_rule] if (by_rule := english.pronounced(word)) else [])
                if pronunciations[word] and not lookup(word):
                    guessed.append(word)
        if words and all(pronunciations[word] for word in words):
            sentences[words] = EXPECTED_WEIGHT
        elif words or phrase.strip():
            left_out.append(phrase)
    weights = dict.fromkeys(_EVERYWHERE, COURTESY_WEIGHT) | dict.fromkeys(_ANSWERS, ANSWER_WEIGHT)
    for known in everywhere():
        if all(pronunciations.setdefault(word, lookup(word)) for word in known):
            sentences[tuple(known)] += weights.get(" ".join(known), 1)
    used = {word for sentence in sentences for word in sentence}
    dictionary = "".join(
        f"{word if number == 0 else f'{word}({number + 1})'} {phones}\n"
        for word in sorted(used)
        for number, phones in enumerate(pronunciations[word])
    )
    return Domain(arpa(sentences), dictionary, frozenset(used), tuple(guessed), tuple(left_out))


def arpa(sentences: Counter[tuple[str, ...]]) -> str:
    """A trigram model in ARPA's form, by interpolated Witten-Bell smoothing (Chen and Goodman 1998, section 2.7)."""
    counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(ORDER)]
    for sentence, times in sentences.items():
        tokens = ("<s>", *sentence, "</s>")
        for size in range(1, ORDER + 1):
            for place in range(len(tokens) - size + 1):
                counts[size - 1][tokens[place : place + size]] += times
    counts[0].pop(("<s>",), None)
    totals: dict[tuple[str, ...], int] = defaultdict(int)
    kinds: dict[tuple[str, ...], int] = defaultdict(int)
    for level in counts:
        for gram, count in level.items():
            totals[gram[:-1]] += count
            kinds[gram[:-1]] += 1
    chances: dict[tuple[str, ...], float] = {}
    for level in counts:
        for gram, count in level.items():
            context = gram[:-1]
            shorter = chances[gram[1:]] if context else 1 / len(counts[0])
            chances[gram] = (count + kinds[context] * shorter) / (totals[context] + kinds[context])
    lines = ["\\data\\", *(f"ngram {size}={len(level) + (size == 1)}" for size, level in enumerate(counts, 1))]
    for size, level in enumerate(counts, 1):
        lines += ["", f"\\{size}-grams:"]
        grams = sorted(level) if size > 1 else [("<s>",), *sorted(level)]
        for gram in grams:
            chance = -99.0 if gram == ("<s>",) else math.log10(chances[gram])
            left = f" {math.log10(kinds[gram] / (totals[gram] + kinds[gram])):.4f}" if gram in totals else ""
            lines.append(f"{chance:.4f} {' '.join(gram)}{left if size < ORDER else ''}")
    return "\n".join([*lines, "", "\\end\\", ""])
