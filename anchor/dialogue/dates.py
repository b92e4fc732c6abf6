"""Dates as they are said and typed in English and Mandarin, seen from a given day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from anchor.dialogue.numbers import CHINESE_DIGITS, SMALL, chinese_number, english_number
from anchor.dialogue.wording import Found
from anchor.tags import base

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_ORDINAL = rf"(?:(?:twenty|thirty)[\s-]+)?(?:{'|'.join(_ORDINALS)})"
_NUMBER = rf"(?:(?:twenty|thirty)[\s-]+)?(?:{'|'.join(SMALL)})"
_DAY = rf"(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL}|{_NUMBER})\b(?!\s*(?::|o'clock|am\b|pm\b))"
_ORDINAL_DAY = rf"(?P<day>\d{{1,2}}(?:st|nd|rd|th)|{_ORDINAL})\b(?!\s+(?:one|option|choice|branch|time|of\s+these))"
_UP_TO_99 = (
    r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[\s-]+(?:one|two|three|four|five|six|seven|"
    r"eight|nine))?"
    rf"|{'|'.join(SMALL)})"
)
_YEAR_WORDS = (
    rf"(?:nineteen|twenty)\s+(?:hundred(?:\s+and)?\s+)?(?:oh\s+)?{_UP_TO_99}|"
    rf"two\s+thousand(?:\s+(?:and\s+)?{_UP_TO_99})?"
)
_YEAR = rf"(?:[\s,]+(?:in\s+|of\s+)?(?P<year>(?:19|20)\d\d|{_YEAR_WORDS})\b(?!\s*(?:o'clock|am\b|pm\b)))?"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = r"(?P<weekday>monday|tuesday|tues|wednesday|thursday|thurs|friday|saturday|sunday)s?\b"
_COUNT = rf"(?P<count>\d{{1,3}}|an?|{_NUMBER})"
_ZH = "".join(CHINESE_DIGITS) + "十"
_ZH_NUMBER = rf"(?:\d{{1,2}}|[{_ZH}]{{1,3}})"
_ZH_YEAR = rf"(?:(?P<year>\d{{4}}|[{''.join(CHINESE_DIGITS)}]{{4}}|明年|今年|去年)年?\s*的?)?"
_ZH_WEEKDAY = r"(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天1-6])"
_ANY_WEEKDAY = re.compile("day|tues|thurs|周|星期|礼拜")

Resolve = Callable[["re.Match[str]", date, str], Found]
_RULES: list[tuple[re.Pattern[str], Resolve, bool]] = []


def _rule(*patterns: str, lenient: bool = False) -> Callable[[Resolve], Resolve]:
    def add(resolve: Resolve) -> Resolve:
        _RULES.extend((re.compile(pattern), resolve, lenient) for pattern in patterns)
        return resolve

    return add


def dates(text: str, language: str, today: date, *, lenient: bool = False, past: bool = False) -> list[Found]:
    """The days that a normal text names. One that can be two days has both as values.

    `lenient`: a date was asked for, so "the third" is one. `past`: days of birth are wanted, which need a year.
    """
    found: list[Found] = []
    for pattern, resolve, only_lenient in _RULES:
        if only_lenient and not lenient:
            continue
        for match in pattern.finditer(text):
            if not any(match.start() < f.end and match.end() > f.start for f in found):
                found.append(_checked(resolve(match, today, base(language)), today, past=past))
    found.sort(key=lambda f: f.start)
    return _merged(text, found)


def _checked(found: Found, today: date, *, past: bool) -> Found:
    values = tuple(v for v in found.values if (v <= today if past else v >= today))
    if found.problem == "yearless" and past:
        return Found((), found.start, found.end, "incomplete")
    if found.values and not values:
        return Found((), found.start, found.end, "future" if past else "past")
    return Found(values, found.start, found.end, found.problem if not values else "")


def _merged(text: str, found: list[Found]) -> list[Found]:
    """A weekday beside its date ("Thursday the third") is one date; where they differ, neither is sure."""
    merged: list[Found] = []
    for one in found:
        if merged and one.start - merged[-1].end <= 3:
            before = merged.pop()
            common = tuple(v for v in before.values if v in one.values) or _of_weekday(text, before, one)
            values = common or tuple(dict.fromkeys((*before.values, *one.values)))
            one = Found(values, before.start, one.end, before.problem or one.problem if not values else "")
        merged.append(one)
    return merged


def _of_weekday(text: str, first: Found, second: Found) -> tuple[date, ...]:
    """The date of two that is not a weekday alone, if it falls on the weekday that the other is."""
    for day, dated in ((first, second), (second, first)):
        if _ANY_WEEKDAY.search(text[day.start : day.end]) and not _ANY_WEEKDAY.search(text[dated.start : dated.end]):
            named = {value.weekday() for value in day.values}
            return tuple(value for value in dated.values if value.weekday() in named)
    return ()


def _at(match: re.Match[str], *values: date, problem: str = "") -> Found:
    return Found(values, match.start(), match.end(), problem)


def _calendar(match: re.Match[str], today: date, month: int, day: int, year: int | None) -> Found:
    try:
        if year is not None:
            return _at(match, date(year, month, day))
        for candidate in range(today.year, today.year + 5):
            try:
                value = date(candidate, month, day)
            except ValueError:
                continue
            if value >= today:
                return _at(match, value, problem="yearless")
    except ValueError:
        pass
    return _at(match, problem="invalid")


def _whole(text: str) -> int:
    text = text.strip()
    if text in ("a", "an"):
        return 1
    if text[0].isdigit():
        return int(re.sub(r"\D", "", text))
    if text[0].isascii():
        words = re.split(r"[\s-]+", text)
        if words[-1] in _ORDINALS:
            return _ORDINALS[words[-1]] + (SMALL[words[0]] if len(words) > 1 else 0)
        return int(english_number(text) or 0)
    if len(text) == 4:
        return int("".join(str(CHINESE_DIGITS[letter]) for letter in text))
    return int(chinese_number(text) or 0)


def _year(text: str | None, today: date) -> int | None:
    if not text:
        return None
    if text in ("明年", "今年", "去年"):
        return today.year + {"明年": 1, "今年": 0, "去年": -1}[text]
    if text[0].isdigit() or not text[0].isascii():
        return _whole(text)
    words = [word for word in text.split() if word not in ("hundred", "and", "oh")]
    if words[:2] == ["two", "thousand"]:
        return 2000 + (_whole(" ".join(words[2:])) if words[2:] else 0)
    return SMALL[words[0]] * 100 + _whole(" ".join(words[1:]))


@_rule(r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\b")
def _iso(match: re.Match[str], today: date, language: str) -> Found:
    return _calendar(match, today, int(match["month"]), int(match["day"]), int(match["year"]))


@_rule(
    rf"\b(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}",
    rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}",
)
def _english(match: re.Match[str], today: date, language: str) -> Found:
    month = _MONTHS.index(match["month"][:3]) + 1
    return _calendar(match, today, month, _whole(match["day"]), _year(match["year"], today))


@_rule(rf"{_ZH_YEAR}(?P<month>{_ZH_NUMBER})月(?P<day>{_ZH_NUMBER})[号日]?")
def _chinese(match: re.Match[str], today: date, language: str) -> Found:
    return _calendar(match, today, _whole(match["month"]), _whole(match["day"]), _year(match["year"], today))


@_rule(
    rf"(?P<next>下个?月|这个?月|本月)(?P<day>{_ZH_NUMBER})[号日]",
    r"\b(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)? of (?P<next>next|this) month",
)
def _day_of_next_month(match: re.Match[str], today: date, language: str) -> Found:
    months = today.month - 1 + (match["next"][0] in "下n")
    return _calendar(match, today, months % 12 + 1, _whole(match["day"]), today.year + months // 12)


@_rule(r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>\d{4}))?\b(?!/)")
def _slashes(match: re.Match[str], today: date, language: str) -> Found:
    """Month first in Chinese; in English both orders are in use, so each that exists is a reading."""
    first, second, year = int(match["first"]), int(match["second"]), _year(match["year"], today)
    orders = [(first, second)] if language == "zh" else [(first, second), (second, first)]
    found = [_calendar(match, today, month, day, year) for month, day in dict.fromkeys(orders)]
    values = tuple(dict.fromkeys(value for one in found for value in one.values))
    return _at(match, *values, problem="yearless" if year is None and values else "" if values else "invalid")


@_rule(rf"\bin\s+{_COUNT}\s+(?P<unit>day|week)s?(?:'? time)?\b",
       rf"\b{_COUNT}\s+(?P<unit>day|week)s?\s+from\s+(?:now|today)\b",
       rf"(?P<count>\d{{1,3}}|[{_ZH}]{{1,3}})个?(?P<unit>天|星期|礼拜|周)(?:以后|之后|后)")  # fmt: skip
def _ahead(match: re.Match[str], today: date, language: str) -> Found:
    return _at(match, today + timedelta(_whole(match["count"]) * (1 if match["unit"] in ("day", "天") else 7)))


_RELATIVE = {
    "day after tomorrow": 2, "tomorrow": 1, "today": 0, "tonight": 0, "yesterday": -1, "大后天": 3, "后天": 2,
    "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "今天": 0, "今日": 0, "今晚": 0, "今早": 0, "昨天": -1, "前天": -2,
}  # fmt: skip


@_rule(
    r"\bday after tomorrow\b|\btomorrow\b|\btoday\b|\btonight\b|\byesterday\b|大后天|后天|明[天日早晚]|"
    r"今[天日晚早]|昨天|前天"
)
def _relative(match: re.Match[str], today: date, language: str) -> Found:
    return _at(match, today + timedelta(_RELATIVE[match[0]]))


def _weekday(match: re.Match[str]) -> int:
    name = match["weekday"]
    if name[0].isascii() and name.isalpha():
        return next(number for number, day in enumerate(_WEEKDAYS) if day.startswith(name))
    return 6 if name in "日天" else (_whole(name) - 1)


@_rule(rf"(?P<next>下+)(?:一?个?){_ZH_WEEKDAY}")
def _next_chinese(match: re.Match[str], today: date, language: str) -> Found:
    monday = today - timedelta(today.weekday())
    return _at(match, monday + timedelta(7 * len(match["next"]) + _weekday(match)))


@_rule(rf"\b{_WEEKDAY}\s+week\b", rf"\b(?P<after>week\s+after\s+next|next\s+week)(?:\s+on)?[\s,]+{_WEEKDAY}",
       rf"\b{_WEEKDAY}\s+(?:(?:of|in)\s+)?(?P<after>week\s+after\s+next|next\s+week)")  # fmt: skip
def _week_of(match: re.Match[str], today: date, language: str) -> Found:
    monday = today - timedelta(today.weekday())
    if "after" in match.groupdict():
        return _at(match, monday + timedelta((14 if "after" in match["after"] else 7) + _weekday(match)))
    ahead = (_weekday(match) - today.weekday()) % 7
    return _at(match, today + timedelta(ahead + 7))


@_rule(rf"\bnext\s+{_WEEKDAY}")
def _next_english(match: re.Match[str], today: date, language: str) -> Found:
    """The one of next week; while this week's is still to come, people mean either."""
    coming = today + timedelta((_weekday(match) - today.weekday() - 1) % 7 + 1)
    of_next_week = today - timedelta(today.weekday()) + timedelta(7 + _weekday(match))
    return _at(match, *dict.fromkeys((coming, of_next_week)))


@_rule(rf"\bthis\s+(?:coming\s+)?{_WEEKDAY}", rf"(?:这个?|本){_ZH_WEEKDAY}")
def _this(match: re.Match[str], today: date, language: str) -> Found:
    return _at(match, today - timedelta(today.weekday()) + timedelta(_weekday(match)))


@_rule(rf"\b(?:last|past)\s+{_WEEKDAY}", rf"上+个?{_ZH_WEEKDAY}")
def _last(match: re.Match[str], today: date, language: str) -> Found:
    monday = today - timedelta(today.weekday())
    return _at(match, monday - timedelta(7) + timedelta(_weekday(match)))


@_rule(rf"\b(?:(?:on|coming)\s+)?{_WEEKDAY}", rf"(?<![下上这本个]){_ZH_WEEKDAY}")
def _coming(match: re.Match[str], today: date, language: str) -> Found:
    """The next one; on that very day it may be today or in a week."""
    ahead = (_weekday(match) - today.weekday()) % 7
    value = today + timedelta(ahead)
    return _at(match, value) if ahead else _at(match, value, value + timedelta(7))


@_rule(r"\b(?:this |the )?weekend\b|周末", r"\bnext week\b|下个?(?:周|星期|礼拜)(?![一二三四五六日天])")
def _vague(match: re.Match[str], today: date, language: str) -> Found:
    return _at(match, problem="incomplete")


@_rule(rf"(?P<day>{_ZH_NUMBER})[号日](?!线|楼|店|机|码)")
def _day_chinese(match: re.Match[str], today: date, language: str) -> Found:
    return _coming_day(match, today)


@_rule(
    rf"\b(?:on\s+)?the\s+{_ORDINAL_DAY}(?!\s+(?:of|january|february|march|april|may|june|july|august))",
    rf"^(?:on\s+)?{_ORDINAL_DAY}\W*$",
    lenient=True,
)
def _day_english(match: re.Match[str], today: date, language: str) -> Found:
    return _coming_day(match, today)


def _coming_day(match: re.Match[str], today: date) -> Found:
    day = _whole(match["day"])
    for ahead in range(62):
        value = today + timedelta(ahead)
        if value.day == day:
            return _at(match, value, problem="yearless")
    return _at(match, problem="invalid")


_SHIFTS = {
    1: r"\b(?:the )?(?:next day|day after|following day|day later|one day later|a day later)\b"
    r"|后一天|第二天|晚一天|推后一天|往后一天",
    -1: r"\b(?:the )?(?:day before|day earlier|previous day)\b|前一天|早一天|提前一天|往前一天",
    7: r"\b(?:the |a |one )?(?:week after|following week|week later)\b|(?:晚|推后|往后)一(?:周|个?星期|个?礼拜)|后一周",
    -7: r"\b(?:the |a |one )?(?:week before|week earlier)\b|(?:早|提前|往前)一(?:周|个?星期|个?礼拜)|前一周",
}


def shifted(text: str, value: date, today: date) -> Found | None:
    """A date said in relation to another: "the day after", 晚一天."""
    if re.search(r"day after tomorrow", text):
        return None
    for days, pattern in _SHIFTS.items():
        if match := re.search(pattern, text):
            return _checked(_at(match, value + timedelta(days)), today, past=False)
    return None
