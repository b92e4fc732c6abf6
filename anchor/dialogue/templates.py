"""What is said of a back-end's answer: text with ``{field}``, written so that the voice reads values right.

``{balance}`` is a field of the JSON answer, ``{account.balance}`` one inside another, ``{$date}`` what the visitor gave
for a slot. A filter after a bar says how it is shown: ``{balance|amount CNY}``, ``{balance|amount currency}`` (a field
that holds the ISO 4217 code), ``{on|date}``, ``{at|time}``, ``{reference|digits}``, ``{rate|number}``.
``{each branches: {name}, {address}}`` says at most three and how many more there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from anchor.dialogue import spoken
from anchor.tags import base

AT_MOST = 3
"""Entries of a list that are said; nobody remembers more."""

LONGEST_FIELD = 300
"""Characters of a field that are said."""

_FILTERS = ("amount", "date", "time", "digits", "number", "text")


@dataclass(frozen=True, slots=True)
class _Field:
    path: str
    filter: str = "text"
    option: str = ""


@dataclass(frozen=True, slots=True)
class _Each:
    path: str
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Text with fields; `slots` are the names of what the visitor gave that it shows."""

    parts: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises `ValueError` saying what is wrong."""
        parts, rest = _parse(text, 0, inside=False)
        assert rest == len(text)
        return cls(parts)

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(field.path[1:] for field in _fields(self.parts) if field.path.startswith("$"))

    def empty(self, answer: Any) -> bool:
        """There is nothing to tell: the answer, or the list that the template goes through, has nothing in it."""
        if answer is None or answer in ([], {}):
            return True
        lists = [part for part in self.parts if isinstance(part, _Each)]
        return bool(lists) and all(_find(answer, each.path) in (None, [], "") for each in lists)

    def fill(self, answer: Any, slots: Mapping[str, str], *, language: str, today: date) -> str:
        """Raises `ValueError` naming the field that the answer lacks."""
        return _fill(self.parts, answer, slots, language, today)


def _parse(text: str, place: int, *, inside: bool) -> tuple[tuple[Any, ...], int]:
    parts: list[Any] = []
    plain = ""
    while place < len(text):
        letter = text[place]
        if letter == "}":
            if not inside:
                raise ValueError("there is a } without its {")
            break
        if letter != "{":
            plain += letter
            place += 1
            continue
        if plain:
            parts.append(plain)
            plain = ""
        part, place = _braces(text, place + 1)
        parts.append(part)
    else:
        if inside:
            raise ValueError("there is a { without its }")
    if plain:
        parts.append(plain)
    return tuple(parts), place


def _braces(text: str, place: int) -> tuple[Any, int]:
    if each := re.compile(r"each\s+([\w.]+)\s*:\s*").match(text, place):
        body, end = _parse(text, each.end(), inside=True)
        return _Each(each[1], body), end + 1
    field = re.compile(r"\s*(\$?[\w.-]+)\s*(?:\|\s*(\w+)(?:\s+([\w.]+))?\s*)?\}").match(text, place)
    if field is None:
        raise ValueError(f"what does {{{text[place : place + 20]} mean?")
    if field[2] and field[2] not in _FILTERS:
        raise ValueError(f"there is no filter {field[2]!r}; there are: {', '.join(_FILTERS)}")
    return _Field(field[1], field[2] or "text", field[3] or ""), field.end()


def _fields(parts: tuple[Any, ...]) -> list[_Field]:
    found: list[_Field] = []
    for part in parts:
        if isinstance(part, _Field):
            found.append(part)
        elif isinstance(part, _Each):
            found += _fields(part.body)
    return found


def _find(answer: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return answer if step == "it" else None
    return answer


def _fill(parts: tuple[Any, ...], answer: Any, slots: Mapping[str, str], language: str, today: date) -> str:
    said = ""
    for part in parts:
        if isinstance(part, str):
            said += part
        elif isinstance(part, _Each):
            entries = _find(answer, part.path)
            if not isinstance(entries, list):
                raise ValueError(f"the answer has no list {part.path!r}")
            each = [_fill(part.body, entry, slots, language, today).strip() for entry in entries[:AT_MOST]]
            said += _row(each, len(entries) - len(each), language)
        elif part.path.startswith("$"):
            said += slots.get(part.path[1:], "")
        else:
            said += _show(part, answer, language, today)
    return " ".join(said.split())


def _row(entries: list[str], more: int, language: str) -> str:
    if base(language) == "zh":
        return "；".join(entries) + (f"；另外还有{more}个" if more else "")
    return "; ".join(entries) + (f"; and {more} more" if more else "")


def _show(field: _Field, answer: Any, language: str, today: date) -> str:
    value = _find(answer, field.path)
    if value is None or isinstance(value, (dict, list)):
        raise ValueError(f"the answer has no field {field.path!r} that can be said")
    try:
        if field.filter == "amount":
            code = (
                field.option if re.fullmatch(r"[A-Z]{3}", field.option) else _find(answer, field.option or "currency")
            )
            return spoken.amount(Decimal(str(value)), str(code or ""), language)
        if field.filter == "date":
            return spoken.day(date.fromisoformat(str(value)[:10]), language, today)
        if field.filter == "time":
            text = str(value)
            when = datetime.fromisoformat(text).time() if "T" in text else time.fromisoformat(text)
            return spoken.clock(when, language)
        if field.filter == "number":
            return f"{Decimal(str(value)):,f}"
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"the answer's {field.path!r} is no {field.filter}") from error
    if field.filter == "digits":
        return spoken.digits(str(value))
    if isinstance(value, bool):
        return {"zh": "是" if value else "否"}.get(base(language), "yes" if value else "no")
    return " ".join(str(value).split())[:LONGEST_FIELD]
