"""What a text is about, as terms that can be counted.

Terms are English stems and pairs of them (``wrong_amount``), Chinese words, their characters and pairs of those, which
hold where words are cut otherwise, and pairs of syllables without tones, which hold where a recogniser has written
another character of the same sound.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from anchor import chinese
from anchor.dialogue.folding import HAN, folded
from anchor.dialogue.knowledge.stemming import stem
from anchor.dialogue.knowledge.stopwords import NEGATED, STOP_CHINESE, STOP_ENGLISH

_TOKEN = re.compile(rf"[{HAN}]+|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*", re.UNICODE)
_HAN_RUN = re.compile(rf"[{HAN}]+")
_SIGNS = {
    "%": " percent ",
    "％": " percent ",
    "$": " dollar ",
    "€": " euro ",
    "£": " pound ",
    "¥": " 元 ",
    "￥": " 元 ",
}
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_NUMBERS = {
    name: str(value)
    for value, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()  # noqa: SIM905
    )
}
_QUESTIONS = (
    (re.compile(r"\bhow (?:much|expensive)\b"), " q_cost "),
    (re.compile(r"\bhow (?:long|soon|fast|quick\w*)\b|\bwhen\b|\bwhat time\b"), " q_when "),
    (re.compile(r"\bhow (?:many|often)\b"), " q_count "),
    (re.compile(r"\bwhere\b|在?哪(?:里|儿|边)|在哪"), " q_where "),
    (re.compile(r"为什么|为啥|怎么回事|\bwhy\b|\bhow come\b|\bwhat(?:'s| is) (?:the )?reason\b"), " q_why "),
)
_ASKED = re.compile(r"q_[a-z]+")

WORD, PAIR, CHARACTER, CHARACTERS, SYLLABLES = 1.0, 0.45, 0.4, 0.5, 0.3
"""What a term of each kind weighs."""

SINGLE = "c_"
"""Begins the term of a single Chinese character."""


def chinese_words(text: str) -> list[str]:
    """Cut a run of Chinese characters into words."""
    return chinese.words(text, guess=False)


@functools.lru_cache(maxsize=20_000)
def _syllables(run: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(run, errors="ignore"))


class Synonyms:
    """Words that mean the same, each line of a table a group; the first of a group stands for all of it.

    English members may have several words and are compared by their stems. Chinese members are replaced as they are
    written, the longest first.
    """

    def __init__(self, groups: Sequence[Sequence[str]] = ()) -> None:
        self._han: dict[str, str] = {}
        self._latin: dict[tuple[str, ...], str] = {}
        for group in groups:
            head = folded(group[0]).strip()
            stands = head if _HAN_RUN.fullmatch(head) else "_".join(_stems(head))
            for member in (folded(member).strip() for member in group[1:]):
                if _HAN_RUN.search(member):
                    self._han[member] = head
                elif stems := tuple(_stems(member)):
                    self._latin[stems] = stands
            if not _HAN_RUN.fullmatch(head) and "_" in stands:
                self._latin[tuple(_stems(head))] = stands
        longest_first = sorted(self._han, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._longest = max(map(len, self._latin), default=0)

    def in_text(self, text: str) -> str:
        """Replace Chinese members; `text` is folded."""
        return self._pattern.sub(lambda found: self._han[found[0]], text) if self._pattern else text

    def in_stems(self, stems: Sequence[str]) -> list[str]:
        """Replace English members in a row of stems."""
        answer: list[str] = []
        at = 0
        while at < len(stems):
            for size in range(min(self._longest, len(stems) - at), 0, -1):
                if (stands := self._latin.get(tuple(stems[at : at + size]))) is not None:
                    answer.append(stands)
                    at += size
                    break
            else:
                answer.append(stems[at])
                at += 1
        return answer


def _stems(text: str) -> list[str]:
    return [stem(word) for token in _TOKEN.findall(text) for word in _pieces(token)]


def _pieces(token: str) -> Iterator[str]:
    """A Latin token without its contraction; ``isn't`` is ``not``."""
    word = token.replace("’", "'")
    if word.endswith("n't") or word in NEGATED:
        yield "not"
    elif word[0].isdigit():
        yield word.replace(",", "")
    else:
        word = word.partition("'")[0]
        yield _NUMBERS.get(word, word)


class Analyser:
    """Turns texts into weighted terms, with the synonyms of one knowledge base."""

    def __init__(self, synonyms: Synonyms) -> None:
        self._synonyms = synonyms

    def terms(self, text: str) -> dict[str, float]:
        """The terms of a text and what each weighs; a text of nothing but stop words keeps those."""
        plain = self._synonyms.in_text(_SIGN.sub(lambda found: _SIGNS[found[0]], folded(text)))
        asked: list[str] = []
        for pattern, name in _QUESTIONS:
            if pattern.search(plain):
                asked.append(name.strip())
                plain = pattern.sub(" ", plain)
        found: dict[str, float] = dict.fromkeys(asked, WORD)
        everything: dict[str, float] = {}
        for row in self._rows(plain):
            if isinstance(row, str):
                self._chinese(row, found, everything)
            else:
                self._english(row, found, everything)
        return found or everything

    @staticmethod
    def _rows(plain: str) -> Iterator[str | list[str]]:
        """Runs of Chinese, and rows of other words between them."""
        row: list[str] = []
        for token in _TOKEN.findall(plain):
            if _HAN_RUN.match(token):
                if row:
                    yield row
                    row = []
                yield token
            else:
                row.extend(_pieces(token))
        if row:
            yield row

    def _english(self, row: list[str], found: dict[str, float], everything: dict[str, float]) -> None:
        stems = self._synonyms.in_stems([stem(word) for word in row])
        everything.update(dict.fromkeys(stems, WORD))
        kept = [word for word in stems if word not in STOP_ENGLISH]
        found.update(dict.fromkeys(kept, WORD))
        for first, second in itertools.pairwise(kept):
            found.setdefault(f"{first}_{second}", PAIR)

    @staticmethod
    def _chinese(run: str, found: dict[str, float], everything: dict[str, float]) -> None:
        words = chinese_words(run)
        everything.update(dict.fromkeys(words, WORD))
        kept = [word for word in words if word not in STOP_CHINESE]
        found.update(dict.fromkeys(kept, WORD))
        rest = "".join(kept)
        for letter in rest:
            found.setdefault(f"{SINGLE}{letter}", CHARACTER)
        # Pairs are taken of what is left, so that particles between words do not hide that they belong together.
        for first, second in itertools.pairwise(rest):
            found.setdefault(f"{first}_{second}", CHARACTERS)
        for before, after in itertools.pairwise(_syllables(rest)):
            found.setdefault(f"{before}__{after}", SYLLABLES)


def read_synonyms(lines: Mapping[int, str]) -> list[list[str]]:
    """Groups of a table: members between commas, ``#`` begins a remark."""
    groups = []
    for line in lines.values():
        members = [member.strip() for member in re.split(r"[,，、]", line.partition("#")[0]) if member.strip()]
        if len(members) > 1:
            groups.append(members)
    return groups
