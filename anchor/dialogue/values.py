"""Understanding one value: what a visitor says for a date, a time, an amount, a choice and the like.

Everything here is a pure function of text, day and specification. What can be read in two ways is not guessed: it comes
back as `Unclear` with the readings, to be asked back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any, Literal, get_args

from anchor.dialogue import dates, intents, numbers, spoken, times
from anchor.dialogue.choices import Choice, chosen
from anchor.dialogue.wording import Found, corrected, normal

Kind = Literal["date", "birthday", "time", "amount", "number", "phone", "digits", "name", "choice", "yes_no", "text"]
KINDS: tuple[str, ...] = get_args(Kind)
Problem = Literal["nothing", "several", "past", "future", "outside", "incomplete", "invalid", "currency"]

_LARGEST = Decimal(10) ** 15

LONGEST_TEXT = 200
"""Characters of a free text or a name."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is to be understood. `window`: times of day that are possible, ends included. `currency`: ISO 4217.

    `pattern`: a regular expression that digits must match in full. `least` and `most` bound numbers and amounts.
    """

    kind: Kind
    choices: tuple[Choice, ...] = ()
    window: tuple[time, time] | None = None
    currency: str = ""
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    weekdays: tuple[int, ...] = field(default=())
    """Days that are possible, Monday is 0; all when empty."""


@dataclass(frozen=True, slots=True)
class Value:
    """What was understood, as JSON has it: dates ``2026-11-27``, times ``15:30``. `start` and `end` lie in the text."""

    value: Any
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was not understood. `options` are the readings to choose from, as JSON has them."""

    problem: Problem
    options: tuple[Any, ...] = ()
    start: int = 0
    end: int = 0


def understand(
    text: str, spec: Spec, *, language: str, today: date, lenient: bool = True, before: Any = None
) -> Value | Unclear:
    """The value that a text holds. What is said after "no," or "I mean" counts for what was before it.

    `lenient`: this very value was asked for. `before`: the value to be replaced, which "an hour later" builds on.
    """
    plain = normal(text)
    rest = corrected(plain)
    skipped = len(plain) - len(rest)
    for part, offset in ((rest, skipped), (plain, 0)) if skipped else ((plain, 0),):
        result = _read(part, text, spec, language=language, today=today, lenient=lenient, before=before)
        if isinstance(result, Value):
            return Value(result.value, result.start + offset, result.end + offset)
        if result.problem != "nothing":
            return Unclear(result.problem, result.options, result.start + offset, result.end + offset)
    return Unclear("nothing")


def _read(
    plain: str, text: str, spec: Spec, *, language: str, today: date, lenient: bool, before: Any
) -> Value | Unclear:
    if spec.kind in ("date", "birthday"):
        return _date(plain, spec, language=language, today=today, lenient=lenient, before=before)
    if spec.kind == "time":
        return _time(plain, spec, lenient=lenient, before=before)
    if spec.kind == "amount":
        return _amount(plain, spec, lenient=lenient)
    if spec.kind == "number":
        return _number(plain, spec) if lenient else Unclear("nothing")
    if spec.kind in ("digits", "phone"):
        return _digits(plain, spec, lenient=lenient)
    if spec.kind == "choice":
        return _one(chosen(plain, spec.choices, lenient=lenient))
    if spec.kind == "yes_no":
        answer = intents.intent(plain) if lenient else ""
        return Value(answer == "yes", 0, len(plain)) if answer in ("yes", "no") else Unclear("nothing")
    if spec.kind == "name":
        return _name(plain, text, lenient=lenient)
    stripped = " ".join(text.split())
    return Value(stripped[:LONGEST_TEXT], 0, len(plain)) if lenient and stripped else Unclear("nothing")


def _one(found: Found | None) -> Value | Unclear:
    if found is None:
        return Unclear("nothing")
    if len(found.values) == 1:
        return Value(_json(found.values[0]), found.start, found.end)
    problem: Any = found.problem or "several"
    return Unclear(problem, tuple(_json(value) for value in found.values), found.start, found.end)


def _several(found: Sequence[Found]) -> Found | None:
    """All as one: the same said twice is one value."""
    if not found:
        return None
    sure = [one for one in found if one.values] or list(found)
    values = tuple(dict.fromkeys(value for one in sure for value in one.values))
    return Found(values, sure[0].start, sure[-1].end, "" if values else sure[0].problem)


def _json(value: Any) -> Any:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _date(plain: str, spec: Spec, *, language: str, today: date, lenient: bool, before: Any) -> Value | Unclear:
    if isinstance(before, str) and (moved := dates.shifted(plain, date.fromisoformat(before), today)):
        found: Found | None = moved
    else:
        past = spec.kind == "birthday"
        found = _several(dates.dates(plain, language, today, lenient=lenient, past=past))
    if found is not None and found.values and spec.weekdays:
        open_days = tuple(value for value in found.values if value.weekday() in spec.weekdays)
        found = Found(open_days, found.start, found.end, "" if open_days else "outside")
    return _one(found)


def _time(plain: str, spec: Spec, *, lenient: bool, before: Any) -> Value | Unclear:
    if isinstance(before, str) and (moved := times.shifted(plain, time.fromisoformat(before), spec.window)):
        return _one(moved)
    return _one(_several(times.times(plain, lenient=lenient, window=spec.window)))


def _bounded(value: Decimal, spec: Spec, start: int, end: int) -> Value | Unclear:
    if (spec.least is not None and value < Decimal(str(spec.least))) or (
        spec.most is not None and value > Decimal(str(spec.most))
    ):
        return Unclear("outside", (), start, end)
    return Value(int(value) if value == value.to_integral_value() else float(value), start, end)


def _amount(plain: str, spec: Spec, *, lenient: bool) -> Value | Unclear:
    found = numbers.amounts(plain)
    if any(not one.values for one in found):
        bad = next(one for one in found if not one.values)
        return Unclear("several", (), bad.start, bad.end) if lenient else Unclear("nothing")
    named = found if lenient else [one for one in found if one.values[0][1]]
    values = list(dict.fromkeys(one.values[0] for one in named))
    if not values:
        return Unclear("nothing")
    start, end = named[0].start, named[-1].end
    if len(values) > 1:
        return Unclear("several", (), start, end)
    value, code = values[0]
    if code and spec.currency and code != spec.currency:
        return Unclear("currency", (), start, end)
    if value >= _LARGEST:
        return Unclear("outside", (), start, end)
    if value < 0 or value != value.quantize(Decimal("0.01")) or re.search(r"(?:-|minus|负)\s*$", plain[:start]):
        return Unclear("invalid", (), start, end)
    return _bounded(value, spec, start, end)


def _number(plain: str, spec: Spec) -> Value | Unclear:
    found = numbers.numbers(plain)
    values = {one.values[0] if one.values else None for one in found}
    if not found:
        return Unclear("nothing")
    if len(values) > 1 or None in values:
        return Unclear("several", (), found[0].start, found[-1].end)
    value: Decimal = found[0].values[0]
    if value >= _LARGEST:
        return Unclear("outside", (), found[0].start, found[-1].end)
    return _bounded(value, spec, found[0].start, found[-1].end)


def _digits(plain: str, spec: Spec, *, lenient: bool) -> Value | Unclear:
    pattern = re.compile(spec.pattern or (r"\+?\d{5,15}" if spec.kind == "phone" else r"\d{1,30}"))
    found = numbers.digits(plain, lambda value: pattern.fullmatch(value) is not None)
    if not lenient and (found is None or not found.values or len(found.values[0]) < 4):
        return Unclear("nothing")
    return _one(found)


_CALLED = re.compile(
    r"(?:(?:^|.*\b)(?:my (?:full |last |first )?name is|my name's|i'm|i am|this is|call me|it's|the name is|"
    r"name is|under the name(?: of)?|for mr\.?|for mrs\.?|for ms\.?)\s+"
    r"|.*?(?:我的名字叫|我的名字是|名字是|名字叫|我叫做?|叫我|我姓|我是|姓名是?|是))[,，:：]?\s*",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][^\W\d_.'’-]*(?:[ .'’·-]+[^\W\d_]+\.?){0,4}")
_NO_NAME = re.compile(
    r"\b(?:what|why|how|where|when|the|want|need|book|card|account|don't|is|are|a|to|my|please help)\b|吗|什么|"
    r"怎么|预约|我要|为什么|不"
)


def _name(plain: str, text: str, *, lenient: bool) -> Value | Unclear:
    original = " ".join(text.replace("’", "'").split())
    introduced = _CALLED.match(original)
    if introduced is None and not lenient:
        return Unclear("nothing")
    if not lenient and not re.search(r"name|我叫|姓名|名字|我姓", introduced[0].lower() if introduced else ""):
        return Unclear("nothing")
    rest = original[introduced.end() :] if introduced else original
    rest = re.split(r"[,，。;；!！?？]|(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bmrs)\.\s|\.$", rest, flags=re.IGNORECASE)[
        0
    ].strip()
    rest = re.sub(r"^(?:um|uh|well|嗯|呃)\s*|\s*(?:please|thanks|thank you)$", "", rest, flags=re.IGNORECASE).strip()
    name = _NAME.fullmatch(rest)
    chinese = bool(re.search(r"[一-龥]", rest))
    if name is None or len(rest) > (8 if chinese else 60) or _NO_NAME.search(rest.lower()) or intents.intent(rest):
        return Unclear("nothing")
    if dates.dates(normal(rest), "en", date(2000, 1, 1)) or times.times(normal(rest)):
        return Unclear("nothing")
    if len(rest) < 2 and not (introduced and "姓" in introduced[0]):
        return Unclear("nothing")
    shown = rest.title() if rest.islower() and not chinese else rest
    start = max(0, plain.rfind(normal(rest)))
    return Value(shown, start, start + len(rest))


def shown(value: Any, spec: Spec, *, language: str, today: date) -> str:
    """A value in the visitor's words, written so that the voice reads it right."""
    if value is None:
        return ""
    if spec.kind == "date":
        return spoken.day(date.fromisoformat(value), language, today)
    if spec.kind == "birthday":
        return spoken.day(date.fromisoformat(value), language)
    if spec.kind == "time":
        return spoken.clock(time.fromisoformat(value), language)
    if spec.kind == "amount":
        return spoken.amount(value, spec.currency, language)
    if spec.kind == "phone":
        return spoken.phone(value)
    if spec.kind == "digits":
        return spoken.digits(value)
    if spec.kind == "choice":
        return next((choice.shown(language) for choice in spec.choices if choice.value == value), str(value))
    if spec.kind == "yes_no":
        return ("是" if value else "否") if language.startswith("zh") else ("yes" if value else "no")
    return f"{value:,}" if spec.kind == "number" else str(value)
