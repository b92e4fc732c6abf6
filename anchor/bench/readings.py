"""Whether numbers, dates, money and the like are read right: against readings written by hand, by class.

``--texts FOLDER`` adds pairs that others have published: ``tn_chinese`` and ``tn_english`` in it hold files of lines
``text => reading``. Where those disagree with themselves or are no way to speak on air, the difference counts only
strictly (`CONVENTIONS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from anchor.bench import readings_en, readings_zh
from anchor.bench.measure import Figure, Tell
from anchor.errors import MissingError
from anchor.voice.text import read

GOAL = 98.0
"""Percent."""
FOLDERS = {"zh": "tn_chinese", "en": "tn_english"}

CONVENTIONS = {
    "zh": (
        (r"幺", "一"),  # its 110 is 幺幺零 and its 010 is 零一零
    ),
    "en": (
        (r"^negative ", "minus "),  # -23
        (r"\bone thousand\b", "thousand"),  # its 1000 is "thousand"
        (r"\b(hundred|thousand) and ", r"\1 "),  # "one hundred one thousand" and "one hundred and one" are both its own
        (r"\boh\b", "zero"),  # 0.500
        (r"^the (\w+(?: \w+)?) of (\w+),?", r"\2 \1"),  # "the fifth of January" is "January fifth"
        (r"\b([a-z]) (?=[a-z]\b)", r"\1"),  # "B C" is "BC"
        (r"\bgo u ?haul\b", "gouhaul"),  # letters of a telephone number
        # A bare number of four digits can be a year or a count; its two files disagree with each other.
        (r"^eleven eleven$", "thousand one hundred eleven"),
        (r"^two thousand nine hundred ninety nine$", "twenty nine ninety nine"),
    ),
}
"""By language, what is made alike before a reading is compared with a published one: differences of taste."""

Pair = tuple[str, str]


def said(text: str, language: str) -> str:
    """How the reader says a text, in words."""
    return " ".join(token.spoken for token in read(text, language) if token.spoken)


def plain(text: str, language: str) -> str:
    """Without case, marks and, in Chinese, spaces."""
    text = re.sub(r"[,，\s\x01]+", "" if language == "zh" else " ", text.lower()).strip()
    return text if language == "zh" else text.replace("-", " ")


def alike(text: str, language: str) -> str:
    """As `plain`, with the differences that are taste taken away."""
    text = plain(text, language)
    for pattern, same in CONVENTIONS[language]:
        text = re.sub(pattern, same, text)
    return text


def _ours(text: str, language: str) -> str:
    """What our own tables leave free: the "and" of hundreds and whether letters are apart."""
    text = re.sub(r"\b(hundred|thousand) and ", r"\1 ", plain(text, language))
    return re.sub(r"\b([a-z]) (?=[a-z]\b)", r"\1", text)


def own(language: str) -> Mapping[str, Iterable[Pair]]:
    """Our own texts and readings of a language by class."""
    return {"zh": readings_zh.READINGS, "en": readings_en.READINGS}[language]


def published(folder: Path) -> dict[str, list[Pair]]:
    """Pairs by the name of their file. Raises `MissingError` for a folder without any."""
    found = {
        path.stem: [(text, reading) for text, arrow, reading in _lines(path) if arrow]
        for path in sorted(folder.glob("*.txt"))
    }
    if not any(found.values()):
        raise MissingError(f"{folder}: holds no .txt files with lines of TEXT => READING")
    return found


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for line in path.read_text("utf-8").splitlines():
        text, arrow, reading = line.partition(" => ")
        yield text, arrow, reading.strip()


def wrong(
    pairs: Iterable[Pair], language: str, same: Callable[[str, str], str] = _ours
) -> tuple[list[tuple[str, str, str]], int]:
    """Pairs that are read otherwise, each with how, and how many pairs there are."""
    told = [(text, reading, said(text, language)) for text, reading in pairs]
    missed = [
        (text, reading, spoken)
        for text, reading, spoken in told
        if same(spoken, language) not in [same(one, language) for one in reading.split("|")]
    ]
    return missed, len(told)


async def measure(tell: Tell, *, texts: Path | None = None) -> list[Figure]:
    """Figures of the embedded reader. `texts`: a folder with published pairs. Raises `MissingError`."""
    figures: list[Figure] = []
    for language, name in FOLDERS.items():
        figures += _figures(tell, f"{language}_own", own(language), language, _ours)
        if texts is not None:
            pairs = published(texts / name)
            figures += _figures(tell, f"{language}_published", pairs, language, alike)
            every = [pair for of_class in pairs.values() for pair in of_class]
            missed, total = wrong(every, language, plain)
            figures.append(Figure(f"{language}_published_to_the_letter", _percent(len(missed), total), "%"))
    return figures


def _figures(
    tell: Tell,
    name: str,
    classes: Mapping[str, Iterable[Pair]],
    language: str,
    same: Callable[[str, str], str],
) -> list[Figure]:
    figures, misses, totals = [], 0, 0
    for kind, pairs in classes.items():
        missed, total = wrong(pairs, language, same)
        for text, reading, spoken in missed:
            tell(f"{name} {kind}: {text} is {reading}, not {spoken}")
        figures.append(Figure(f"{name}_{kind}", _percent(len(missed), total), "%"))
        misses, totals = misses + len(missed), totals + total
    return [
        Figure(f"{name}_texts", totals, "texts"),
        Figure(f"{name}_right_min", _percent(misses, totals), "%", GOAL),
        *figures,
    ]


def _percent(missed: int, total: int) -> float:
    return 100 * (1 - missed / total) if total else 0.0
