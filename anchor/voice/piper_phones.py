"""Phones of a Piper voice: its symbols, which are characters, put together as `anchor.voice.phones` has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from anchor.events import Phone
from anchor.media import SAMPLE_RATE
from anchor.voice.phones import AFFRICATES, SHORTEST_PAUSE, is_vowel, symbols

LATE_SECONDS = 0.014
"""By which the durations of Piper's voices are behind what is heard, as a whole: where `drivers.speechnet.align` hears
434 phones of the voice *joe*, held against where it hears those of espeak-ng, whose places are exact."""

CLOSED_SECONDS = 0.03
"""Before the first sound of a stretch is heard, its lips and tongue are where it is made."""
SHORTEST_FIRST = round(0.04 * SAMPLE_RATE)

_STOPS = frozenset("pbtdkɡgʔcq")
_STRESS = {"ˈ": 2, "ˌ": 1}
_GLIDES = ("ɪ", "ʊ", "ʏ")
"""The ends of diphthongs, as stressed as what they come from."""
_MARKS = "ːˑʰʲˤ\u0303\u0329\u032a\u032f\u0327\u031d\u031e\u0308\u0325.˞ᵝ-"
_ENGLISH = re.compile(f"((?:tʃ|dʒ|.)[{_MARKS}]*)")
_ASCII = "ts\\.h|tɕh|tsh|tʃh|[tpk]h|[tszi]s?\\.|onɡ"
"""What espeak-ng writes for sounds of Mandarin and Korean."""
_EASTERN = re.compile(f"((?:{_ASCII}|{'|'.join(AFFRICATES)}|.)[{_MARKS}]*)")
_OTHERS = re.compile(f"((?:{'|'.join(AFFRICATES)}|.)[{_MARKS}]*)")
# In Mandarin it writes the tones as 5, 2, 1 and ɜ.
_MANDARIN = re.compile(f"{_EASTERN.pattern}[0-9ɜ]*")
_GROUPS = {"en": _ENGLISH, "zh": _MANDARIN, "ko": _EASTERN}


@dataclass(frozen=True, slots=True)
class Timed:
    """A symbol with its samples of `SAMPLE_RATE`, from and to, and the token it is said for (-1 for none)."""

    text: str
    token: int
    start: float
    end: float


def phones(timed: Sequence[Timed], language: str) -> list[tuple[Phone, int]]:
    """Phones in order, each with its token; `language` is a bare tag."""
    found: list[tuple[Phone, int]] = []
    begun: float | None = None
    pattern = _GROUPS.get(language, _OTHERS)
    for index, run in _runs(timed):
        if not run[0].text.isalpha() and run[0].token < 0:
            following = timed[index + len(run)] if index + len(run) < len(timed) else None
            begun = _gap(run[0], following, found, timed[index + len(run) :])
            continue
        text = "".join(one.text[0] for one in run)
        stress = 0
        for match in pattern.finditer(text):
            group = run[match.start() : match.end()]
            name = match[1]
            if name[0] in _STRESS:
                stress = _STRESS[name[0]]
                begun = group[0].start if begun is None else begun
                continue
            if (
                name in _GLIDES
                and found
                and is_vowel(found[-1][0].symbol)
                and abs(found[-1][0].end - group[0].start) < 2
            ):
                stress = found[-1][0].stress
            made = list(_split(name, group, begun, stress))
            if made:
                found += made
                begun, stress = None, 0 if any(is_vowel(phone.symbol) for phone, _ in made) else stress
            elif found:
                found[-1] = (replace(found[-1][0], end=round(group[-1].end)), found[-1][1])
    return found


def begun(found: Sequence[tuple[Phone, int]], onset: float) -> list[tuple[Phone, int]]:
    """Phones after a pause, whose network counts some of the pause to the first of them, put where sound begins.

    Those that would be over by then share the time of the first that is not.
    """
    if not found or found[0][0].start >= onset:
        return list(found)
    until = next((number for number, (phone, _) in enumerate(found) if phone.end > onset + SHORTEST_FIRST), None)
    if until is None:
        return list(found)
    first, end = found[0][0].start, found[until][0].end
    scale = (end - onset) / (end - first)

    def moved(place: int) -> int:
        return round(onset + (place - first) * scale)

    early = [
        (replace(phone, start=moved(phone.start), end=moved(phone.end)), token) for phone, token in found[: until + 1]
    ]
    return [*early, *found[until + 1 :]]


def _runs(timed: Sequence[Timed]) -> Iterator[tuple[int, list[Timed]]]:
    """Words, and what stands between them one by one, each with its place."""
    start = 0
    for index, one in enumerate(timed):
        if one.token < 0:
            if index > start:
                yield start, list(timed[start:index])
            yield index, [one]
            start = index + 1
    if start < len(timed):
        yield start, list(timed[start:])


def _gap(gap: Timed, following: Timed | None, found: list[tuple[Phone, int]], rest: Sequence[Timed]) -> float | None:
    """Give a short gap to the stop whose closure it is, or to the phone before. Where the next phone begins then."""
    if following is None or gap.end - gap.start >= SHORTEST_PAUSE * SAMPLE_RATE or not found:
        return None
    if next((one.text for one in rest if one.text not in _STRESS), "") in _STOPS:
        return gap.start
    found[-1] = (replace(found[-1][0], end=round(gap.end)), found[-1][1])
    return None


def _split(name: str, group: Sequence[Timed], begun: float | None, stress: int) -> Iterator[tuple[Phone, int]]:
    parts, _ = symbols(name)
    start, end = group[0].start if begun is None else begun, group[-1].end
    for number, part in enumerate(parts):
        first = start + (end - start) * number / len(parts)
        last = start + (end - start) * (number + 1) / len(parts)
        yield Phone(part, round(first), round(last), stress if is_vowel(part) else 0), group[0].token
