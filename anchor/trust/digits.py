"""Digits in a text as people write and say them: "4111 1111", "four one double one", "一三八零零", "138-0013-8000".

Places are of the text as it was given; everything is worked out on a copy of the same length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Form = Literal["digits", "quantity", "date", "time"]
"""How a number is written: as digits, or so that it says what it is: ``5,000``, ``3.14``, ``2025-03-05``, ``9:00``."""


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that stand together, or one number word. `gap` is what lies between it and the group before it."""

    digits: str
    start: int
    end: int
    spoken: bool
    form: Form = "digits"
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Groups with nothing but signs and fillers between them, as somebody dictates a number."""

    groups: tuple[Group, ...]

    @property
    def digits(self) -> str:
        return "".join(group.digits for group in self.groups)

    @property
    def start(self) -> int:
        return self.groups[0].start

    @property
    def end(self) -> int:
        return self.groups[-1].end

    @property
    def form(self) -> Form:
        return self.groups[0].form

    @property
    def dictated(self) -> bool:
        """Said or written digit by digit."""
        return all(group.spoken or len(group.digits) == 1 for group in self.groups)

    @property
    def tight(self) -> bool:
        """Only spaces, dashes, slashes, brackets and dots between the groups, no words."""
        return all(_TIGHT.fullmatch(group.gap) for group in self.groups)


_ONES = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "fife": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
    "cero": "0", "uno": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7",
    "ocho": "8", "nueve": "9",
    "zéro": "0", "un": "1", "deux": "2", "trois": "3", "quatre": "4", "cinq": "5", "sept": "7", "huit": "8",
    "neuf": "9",
    "null": "0", "eins": "1", "zwei": "2", "zwo": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6",
    "sieben": "7", "acht": "8", "neun": "9",
    "ゼロ": "0",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4, "两": 2, "二": 2, "俩": 2, "三": 3, "四": 4}
_HAN = {
    character: str(digit)
    for digit, characters in enumerate(
        ("零〇", "一幺壹", "二两贰貳", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_KOREAN = dict(zip("공영일이삼사오육륙칠팔구", "001234566789", strict=True))

_HAN_SET = "".join(_HAN)
_HAN_ONE = f"(?:(?![两二俩三四]个[零〇一二三四五六七八九幺])[{_HAN_SET}])"
_ONE = "|".join(sorted(_ONES, key=len, reverse=True))
_TEEN = f"(?:{'|'.join(_TEENS)})"
_TEN = f"(?:{'|'.join(_TENS)})"
_DATE = (
    r"(?:1[89]|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])[-/.](?:(?:1[89]|20)\d\d|\d\d)"
)
_TOKEN = re.compile(
    rf"""
    (?P<date>(?<![\d./-])(?:{_DATE})(?!\d|[-/.]\d))
  | (?P<time>(?<![\d:])\d{{1,2}}:\d\d(?::\d\d)?(?![\d:]))
  | (?P<quantity>(?<![\d.,])\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?!\d|,\d)
      | (?<![\d.])\d+\.\d+(?!\d|\.\d)
      | \d+(?:st|nd|rd|th)\b)
  | (?P<plain>\d+)
  | (?P<many>[两二俩三四]个[零〇一二三四五六七八九幺](?![十百千万亿个元块月小号]))
  | (?P<hanmany>(?<![{_HAN_SET}]){_HAN_ONE}+(?=[十拾百佰千仟万亿兆])|(?<=[十拾百佰千仟万亿兆点])[{_HAN_SET}]+)
  | (?P<han>{_HAN_ONE}+)
  | \b(?P<times>double|triple|treble|quadruple)[\s-]+(?P<timed>{_ONE}|\d)\b
  | \b(?P<hundred>{_ONE})\s+hundred(?=(?:[\s,-]+(?:{_ONE})\b){{4}})
  | (?P<enmany>\b(?:{_ONE}|{_TEEN}|{_TEN}(?:[\s-]+(?:{_ONE}))?)[\s-]+
      (?:point\b(?:[\s-]+(?:{_ONE})\b)*
      | (?:hundred|thousand|million|billion|percent|per\s+cent)\b
        (?:[\s-]+(?:and[\s-]+)?(?:{_TEN}(?:[\s-]+(?:{_ONE}))?|{_TEEN}|{_ONE})\b)?))
  | \b(?P<tens>{_TEN})(?:[\s-]?(?P<unit>one|two|three|four|five|six|seven|eight|nine)(?!\s+hundred)\b)?\b
  | \b(?P<teen>{_TEEN})\b
  | \b(?P<one>{_ONE})\b
  | (?P<korean>[{"".join(_KOREAN)}]{{3,}})
    """,
    re.VERBOSE | re.IGNORECASE,
)

_FILLER = (
    r"um+|uh+|er+m?|hm+|mm+|ah|okay|ok|then|and|dash|hyphen|minus|space|dot|comma|so|like|well|next|again|"
    r"followed\s+by|"
    r"wait|sorry|yeah|yes|right|no|let\s+me\s+see|you\s+know|i\s+think|it's|that's|hold\s+on|slash|after\s+that|"
    r"the\s+rest\s+is|and\s+then|euh|eh|äh|este"
)
_HAN_FILLER = (
    r"嗯|呃|啊|额|哦|噢|唔|那个|这个|然后|然后是|后面|后面是|接着|接下来|再|再来|横杠|短横|杠|空格|逗号|就是|"
    r"吧|呢|哈|还有|最后|最后是|对|等等|等一下|我看看|我想想|好|是|えっと|えー|の|어|음|다시"
)
_SIGN = r"[\s\-–—−‐‑./()（）,，、。．…·_*#|;；]"
_GAP = re.compile(rf"(?:{_SIGN}|(?<![a-z])(?:{_FILLER})(?![a-z])|{_HAN_FILLER}){{0,16}}+", re.IGNORECASE)
_TIGHT = re.compile(r"|[ \t\-–—−‐‑./()（）]{1,3}")
_HOMOPHONE = re.compile(r"\s+(?:to|too|for|won|ate|tree)\s+", re.IGNORECASE)
"""What recognisers make of two, four, one, eight and three among other digits."""

_LONGEST_GAP = 40

_DIGITISH = re.compile(
    rf"\d|[{_HAN_SET}]|\b(?:{_ONE}|{'|'.join(_TEENS)}|{'|'.join(_TENS)})\b|[{''.join(_KOREAN)}]{{3}}", re.IGNORECASE
)


def flat(text: str) -> str:
    """The same text, as long, with full-width signs and the digits of all scripts as ASCII."""
    if text.isascii():
        return text
    table = {}
    for character in set(text):
        if character.isascii():
            continue
        if character.isdecimal():
            table[ord(character)] = str(unicodedata.decimal(character))
        elif character in "\u200b\u200c\u200d\u2060\ufeff\u00a0":
            table[ord(character)] = " "
        elif "！" <= character <= "～" or character == "￥":
            table[ord(character)] = unicodedata.normalize("NFKC", character)
        elif character in "①②③④⑤⑥⑦⑧⑨⓪":
            table[ord(character)] = str(unicodedata.digit(character))
    return text.translate(table)


def has_digits(text: str) -> bool:
    return _DIGITISH.search(text) is not None


def runs(text: str) -> list[Run]:
    """Everything in a text (of `flat`) that can be read as digits, in order."""
    found = list[Run]()
    held = list[Group]()
    for group in _groups(text):
        if held and (gap := _gap(text, held[-1], group)) is not None:
            held.append(Group(group.digits, group.start, group.end, group.spoken, group.form, gap))
            continue
        if held:
            found.append(Run(tuple(held)))
        held = [group]
    if held:
        found.append(Run(tuple(held)))
    return found


def _gap(text: str, before: Group, after: Group) -> str | None:
    if before.form != "digits" or after.form != "digits" or after.start - before.end > _LONGEST_GAP:
        return None
    gap = text[before.end : after.start]
    if _GAP.fullmatch(gap):
        return gap
    alone = before.spoken and after.spoken and len(before.digits) == len(after.digits) == 1
    return gap if alone and _HOMOPHONE.fullmatch(gap) else None


def _groups(text: str) -> Iterator[Group]:
    for match in _TOKEN.finditer(text):
        form: Form = "digits"
        kind = match.lastgroup or ""
        raw = match[0].lower()
        if kind == "plain":
            digits, spoken = raw, False
        elif kind in ("date", "time", "quantity"):
            digits, spoken = re.sub(r"\D", "", raw), False
            form = "date" if kind == "date" else "time" if kind == "time" else "quantity"
        elif kind == "han":
            digits, spoken = "".join(_HAN[character] for character in raw), True
        elif kind == "hanmany":
            digits, spoken, form = "".join(_HAN[character] for character in raw), True, "quantity"
        elif kind == "many":
            digits, spoken = _HAN[raw[2]] * _TIMES[raw[0]], True
        elif kind == "hundred":
            digits, spoken = f"{_ONES[match['hundred'].lower()]}00", True
        elif kind == "enmany":
            digits, spoken, form = "0", True, "quantity"
        elif match["times"]:
            timed = match["timed"].lower()
            digits, spoken = _ONES.get(timed, timed) * _TIMES[match["times"].lower()], True
        elif match["tens"]:
            digits, spoken = _TENS[match["tens"].lower()] + _ONES[(match["unit"] or "zero").lower()], True
        elif match["teen"]:
            digits, spoken = _TEENS[raw], True
        elif kind == "korean":
            digits, spoken = "".join(_KOREAN[character] for character in raw), True
        else:
            digits, spoken = _ONES[raw], True
        yield Group(digits, match.start(), match.end(), spoken, form)
