"""What visitors say that nobody may keep: numbers of cards, people, telephones and accounts, codes, passwords.

`mask` works on one text, `anchor.trust.masker.Masker` on a conversation, `MaskingFilter` on a log. They would rather
hide a number too many than keep one, but leave prices, years, dates, times, percentages and quantities as they are.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from anchor.trust.contexts import (
    BIRTHDAY,
    BORN,
    EMAIL,
    IBAN,
    MIXED_PASSWORD,
    PASSPORT,
    PASSWORD,
    PLACE,
    SPOKEN_EMAIL,
    follows,
    near,
    strong,
)
from anchor.trust.digits import Group, Run, flat, has_digits, runs

Kind = Literal["account", "birthday", "card", "code", "email", "iban", "id", "number", "passport", "password", "phone"]

MASK = re.compile(r"\[(?:account|birthday|card|code|email|iban|id|number|passport|password|phone)\]")
"""What stands where something was."""

_STRONG_LEAST: dict[str, int] = {"code": 3, "password": 3, "card": 4, "id": 4, "passport": 5, "phone": 4, "account": 4}
_UNIT = re.compile(
    r"\s*(?:元|块|圆|人民币|美元|欧元|港币|港元|日元|英镑|万|亿|千|百|%|percent|per cent|yuan|rmb|cny|usd|eur|dollars?|"
    r"euros?|pounds?|yen|cents?|bucks|k\b|million|billion|thousand|hundred|people|persons|人|名|个|次|年|月|天|岁|小时|"
    r"分钟|分\b|秒|点|米|公里|千米|公斤|克|吨|平方|件|台|辆|家|户|股|票|度|倍|digits?\b|位|years?|months?|days?|hours?|"
    r"minutes?|seconds?|met(?:er|re)s?|km|kg|miles?|feet|square|copies|units|items|shares|votes|tons?|tonnes?|points?|"
    r"customers|residents|inhabitants|soldiers|o'clock|a\.?m\b|p\.?m\b|°|字|条|本|册|页|艘|座|所|项|级|届|世纪)",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?:[$¥€£₩]|\b(?:RMB|CNY|USD|EUR|HKD|GBP|JPY)|人民币|约|大约|about|around|nearly|over)\s*$", re.IGNORECASE
)
_PLUS = re.compile(r"(?:\+|\bplus|加号?|＋)\s*\(?$", re.IGNORECASE)
_X = re.compile(r"[\s\-]*(?:x|×|叉|艾克斯|埃克斯|ex)(?![a-z])", re.IGNORECASE)
_AT = re.compile(r"@|\bat\b|艾特|圈a", re.IGNORECASE)
_LETTER = re.compile(r"\s?[A-Za-z](?![A-Za-z'])")
_SCORES = re.compile(r"\d{1,2}[-–:]\d{1,2}(?:[,、\s]+\(?\d{1,2}[-–:]\d{1,2}\)?)+")
_MOBILE = re.compile(r"(?:0{0,2}86)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"(?:0{0,2}86)?0\d{2,3}\d{7,8}|[48]00\d{7}")
_RESIDENT = re.compile(r"[1-9]\d{5}(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]?")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d|21\d\d")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Span:
    """Something to hide, from `start` to `end` (characters)."""

    kind: Kind
    start: int
    end: int


def mask(text: str) -> str:
    """The text with ``[card]``, ``[phone]``, ... in place of what nobody may keep. Masking it again changes nothing."""
    return masked(text, find(text))


def find(text: str) -> list[Span]:
    """What `mask` hides, in order and apart from each other."""
    plain = flat(text)
    spans = _patterns(plain)
    if has_digits(plain):
        spans += _numbers(plain, runs(plain))
    return apart(spans)


def luhn(digits: str) -> bool:
    """Whether a card number's check digit is right (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text without what the spans, in order and apart, point at."""
    parts, at = list[str](), 0
    for span in spans:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*parts, text[at:]])


def apart(spans: list[Span]) -> list[Span]:
    """In order; where two overlap, one that covers both, of the kind of the longer."""
    joined = list[Span]()
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            longer = max(last, span, key=lambda each: each.end - each.start)
            span = Span(longer.kind, last.start, max(last.end, span.end))
        joined.append(span)
    return joined


def _patterns(text: str) -> list[Span]:
    spans = list[Span]()
    if _AT.search(text):
        for pattern in (EMAIL, SPOKEN_EMAIL):
            spans += [Span("email", *match.span()) for match in pattern.finditer(text)]
    spans += [Span("iban", *match.span()) for match in IBAN.finditer(text)]
    spans += [Span("passport", *match.span()) for match in PASSPORT.finditer(text)]
    spans += [Span("birthday", *match.span("date")) for match in BIRTHDAY.finditer(text)]
    spans += [Span("birthday", *match.span(match.lastgroup or 0)) for match in BORN.finditer(text)]
    for pattern in (PASSWORD, MIXED_PASSWORD):
        spans += [Span("password", *match.span("secret")) for match in pattern.finditer(text)]
    return spans


def _numbers(text: str, there: Sequence[Run]) -> list[Span]:
    """What each run is, and the pieces of a number that somebody dictates with many words between."""
    kinds = [_kind(text, run) for run in there]
    pieces = [
        place
        for place, run in enumerate(there)
        if run.form == "digits" and run.dictated and len(run.digits) >= 3 and len(run.groups) + run.groups[0].spoken > 1
        if not (counted(text, run) or _ascending(run) or _YEAR.fullmatch(run.digits))
        # "Ten fifteen" is a time.
        if any(len(group.digits) != 2 for group in run.groups)
    ]
    told = next((kind for kind in (kinds[place] for place in pieces) if kind is not None), None)
    if len(pieces) > 1 and (told is not None or sum(len(there[place].digits) for place in pieces) >= 8):
        for place in pieces:
            kinds[place] = kinds[place] or told or "number"
    return [_widened(text, run, kind) for run, kind in zip(there, kinds, strict=True) if kind is not None]


def _widened(text: str, run: Run, kind: Kind) -> Span:
    """With the signs and letters that belong to the number: plus, bracket, X, the letters of a passport."""
    start, end = run.start, run.end
    if kind == "phone" and (match := _PLUS.search(text, max(0, start - 8), start)):
        start = match.start()
    if kind == "phone" and start and text[start - 1] == "(":
        start -= 1
    if kind in ("id", "passport", "number") and (match := _X.match(text, end)):
        end = match.end()
    while start and text[start - 1].isascii() and text[start - 1].isalpha() and run.start - start < 4:
        start -= 1
    if kind == "id" and (match := _LETTER.match(text, end)):
        end = match.end()
    if kind in ("passport", "id") and (match := re.search(r"(?:(?<![\w'])[A-Za-z]\s){1,2}$", text[:start])):
        start = match.start()
    return Span(kind, start, end)


def _kind(text: str, run: Run) -> Kind | None:
    digits = run.digits
    count = len(digits)
    if count < 3 or run.form == "time":
        return None
    price = counted(text, run)
    if run.form != "digits":
        kind = None if price else strong(text, run)
        return kind if kind is not None and kind != "phone" and count >= _STRONG_LEAST[kind] else None
    if count <= 10 and price:
        return None
    if (kind := strong(text, run)) is not None and count >= _STRONG_LEAST[kind]:
        year = _YEAR.fullmatch(digits) is not None and len(run.groups) == 1 and kind not in ("code", "password")
        if not year or follows(text, run):
            return _by_shape(digits, kind)
    if count == 17 and _X.match(text, run.end):
        return "id"
    if (kind := near(text, run)) is not None and _suspicious(run, kind):
        return _by_shape(digits, kind)
    return _alone(text, run)


def counted(text: str, run: Run) -> bool:
    """A price or quantity by what stands around it."""
    if len(run.groups) > 1 and run.dictated and len(run.digits) >= 6:
        return False
    return _UNIT.match(text, run.end) is not None or _MONEY.search(text, max(0, run.start - 8), run.start) is not None


def _suspicious(run: Run, kind: Kind) -> bool:
    """Whether a run that is near a telling word may be what the word tells of."""
    digits, count = run.digits, len(run.digits)
    if _years(run) or (len(run.groups) == 1 and digits.endswith("000")) or _ascending(run) or _DAY.fullmatch(digits):
        return False
    if run.dictated and (run.groups[0].spoken or len(run.groups) > 1):
        return count >= 4
    if kind in ("code", "password"):
        return count in (4, 6, 7, 8)
    return count >= 6 and not _range(run)


def _alone(text: str, run: Run) -> Kind | None:
    """What a run is when no word tells: by its length and shape."""
    digits, count = run.digits, len(run.digits)
    if _PLUS.search(text, max(0, run.start - 8), run.start) and count >= 8:
        return "phone"
    if count == 4 and follows(text, run):
        return "number"
    if count < 4 or _years(run) or _ascending(run) or _SCORES.fullmatch(text[run.start : run.end]):
        return None
    sizes = [len(group.digits) for group in run.groups]
    if count >= 11:
        return None if _listed(run) else _by_shape(digits, None)
    if sizes == [3, 2, 4] and run.tight:
        return "id"
    if run.dictated and (len(run.groups) > 1 or run.groups[0].spoken):
        if count >= _least(text, run):
            return "code" if count <= 8 else _by_shape(digits, None)
        return None
    if 6 <= count <= 8 and len(sizes) == 1 and not digits.endswith("00") and _nothing_else(text, run):
        return "code"
    if count < 7 or not run.tight:
        return None
    if len(sizes) == 1:
        round_or_day = digits.endswith("0000") or _DAY.fullmatch(digits) is not None
        return None if round_or_day else _by_shape(digits, None)
    if min(sizes[:-1]) < 3 or (sizes[-1] < 3 and count < 9) or _range(run):
        return "phone" if sizes[0] in (1, 2) and sum(sizes) >= 9 and not _range(run) else None
    return "phone"


def _least(text: str, run: Run) -> int:
    """How many digits, given one by one, are a code. In Chinese even years and rooms are said like that."""
    if len(run.groups) == 1 and not run.digits.startswith("0"):
        return 6
    place = _YEAR.fullmatch(run.digits) or PLACE.search(text, max(0, run.start - 12), run.start)
    return 6 if place or (any(len(group.digits) > 1 for group in run.groups[:-1]) and run.groups[0].spoken) else 4


def _nothing_else(text: str, run: Run) -> bool:
    """The number is all that was said, as an answer."""
    around = text[: run.start] + text[run.end :]
    return sum(character.isalnum() for character in around) <= 3 and _DAY.fullmatch(run.digits) is None


def _by_shape(digits: str, told: Kind | None) -> Kind:
    if _MOBILE.fullmatch(digits):
        return "phone"
    if told is not None:
        return told
    if len(digits) in (17, 18) and _RESIDENT.match(digits):
        return "id"
    if len(digits) == 10 or _LANDLINE.fullmatch(digits):
        return "phone"
    if 13 <= len(digits) <= 19:
        return "card"
    return "number"


def _years(run: Run) -> bool:
    return all(_YEAR.fullmatch(group.digits) for group in run.groups) or (
        len(run.groups) == 2 and _YEAR.fullmatch(run.groups[0].digits) is not None and len(run.groups[1].digits) == 2
    )


def _ascending(run: Run) -> bool:
    """Counting: 1, 2, 3, 4, 5."""
    values = [int(group.digits) for group in run.groups]
    return len(values) > 3 and all(b - a == 1 for a, b in itertools.pairwise(values))


def _range(run: Run) -> bool:
    """From one number to a larger one: 1500-2000."""
    if len(run.groups) != 2 or run.groups[1].gap.strip() not in ("-", "–", "—", "−", "/"):
        return False
    first, second = (int(group.digits) for group in run.groups)
    return first < second and len(run.groups[0].digits) == len(run.groups[1].digits) and len(run.digits) <= 8


def _listed(run: Run) -> bool:
    """A list of numbers rather than one: round ones, years, or small ones of many sizes with words between."""
    groups = run.groups
    if len(groups) < 2 or run.dictated:
        return False
    if sum(_plain_number(group) for group in groups) > len(groups) / 2:
        return True
    loose = [group.gap for group in groups[1:] if set(group.gap) & set(",、")]
    return len(loose) >= 2 and len({len(group.digits) for group in groups}) > 2 and len(run.digits) < 13


def _plain_number(group: Group) -> bool:
    return _YEAR.fullmatch(group.digits) is not None or (len(group.digits) > 2 and group.digits.endswith("00"))


class MaskingFilter(logging.Filter):
    """Masks what a record says, with its arguments put in, before a handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            said = f"{record.msg} {record.args}"
        hidden = mask(said)
        if hidden != said or record.args:
            record.msg, record.args = hidden, ()
        if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        return True
