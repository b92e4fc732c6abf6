"""Times of day as they are said and typed in English and Mandarin."""

from __future__ import annotations

import re
from datetime import time

from anchor.dialogue.numbers import CHINESE_DIGITS, SMALL, chinese_number, english_number
from anchor.dialogue.wording import Found

_HOURS = "|".join(word for word, value in SMALL.items() if 1 <= value <= 12)
_HOUR = rf"(?P<hour>\d{{1,2}}|{_HOURS})"
_ONES = "|".join(word for word, value in SMALL.items() if 0 < value < 10)
_TEENS = "|".join(word for word, value in SMALL.items() if 10 <= value < 20)
_MINUTE_WORDS = rf"(?:oh\s+(?:{_ONES})|(?:twenty|thirty|forty|fifty)(?:[\s-](?:{_ONES}))?|{_TEENS})"
_SMALL = "|".join(SMALL)
_HALF = r"(?P<half>a\.?m\b\.?|p\.?m\b\.?)"
_PART = (
    r"(?P<part>in the (?:early )?(?:morning|afternoon|evening)|at night|tonight"
    r"|(?:this |tomorrow |day )?(?:morning|afternoon|evening))"
)
_ZH_DIGITS = "".join(CHINESE_DIGITS) + "十"
_ZH_PART = r"(?P<part>凌晨|清晨|早上|早晨|上午|中午|下午|午后|傍晚|晚上|今晚|明晚|夜里|明早|今早)"
_RULES = [
    # 3:30pm, 15:30, 3.30 pm, 09:00
    re.compile(rf"(?<![\d.:])(?P<hour>\d{{1,2}})(?P<colon>:)(?P<minute>\d\d)(?!\d|:)\s*{_HALF}?"),
    re.compile(rf"(?<![\d.:])(?P<hour>\d{{1,2}})\.(?P<minute>\d\d)\s*{_HALF}"),
    re.compile(
        rf"\b(?P<past>half|a? ?quarter|{_MINUTE_WORDS}|five|\d{{1,2}})(?:\s+minutes?)?\s+(?P<to>past|after|to|"
        rf"before|till)\s+{_HOUR}(?:\s+o'?clock)?\b(?:\s*{_HALF})?"
    ),
    re.compile(
        rf"\b{_HOUR}\s+(?P<minute>{_MINUTE_WORDS})(?:\s*{_HALF}|(?![\s-]+(?:{_SMALL}|hundred|thousand|dollars|yuan|"
        rf"percent)\b))"
    ),
    re.compile(rf"\b{_HOUR}\s*(?:o'?clock\b(?:\s*{_HALF})?|(?P<halfday>a\.?m\b\.?|p\.?m\b\.?))"),
    re.compile(
        rf"(?:{_ZH_PART}的?)?(?P<to>差)(?P<minute>一刻|(?:[{_ZH_DIGITS}]{{1,3}}|"
        rf"\d{{1,2}}))分?(?:钟)?(?P<hour>\d{{1,2}}|[{_ZH_DIGITS}]{{1,3}})点"
    ),
    re.compile(
        rf"(?:{_ZH_PART}的?)?(?P<hour>\d{{1,2}}|[{_ZH_DIGITS}]{{1,3}})[点时](?!间|候|心|的时)(?:钟|整|"
        rf"(?P<minute>半|[一三]刻|过?零?(?:[{_ZH_DIGITS}]{{1,3}}|\d{{1,2}})分?))?(?!\d)"
    ),
    re.compile(r"\b(?P<noon>noon|midday|midnight)\b|(?P<zhnoon>正午|午夜)"),
]  # fmt: skip
_AT = re.compile(
    rf"\b(?:at|around|about|by)\s+{_HOUR}\b(?![\s-]*(?:%|percent|yuan|dollars|of\b|{_SMALL}|hundred|thousand|days?|"
    rf"weeks?))"
)
_OR = re.compile(rf"\bor\s+(?:at\s+)?{_HOUR}\b")
_BARE_HOUR = re.compile(rf"\b{_HOUR}\b")
_ONLY_HOURS = re.compile(
    rf"\W*(?:(?:at|around|about|say|maybe|it's|uh|um|please|then|tomorrow|on)\s+)*(?:\d{{1,2}}|{_HOURS})"
    rf"(?:,?\s+or\s+(?:\d{{1,2}}|{_HOURS}))?\W*(?:please|then|works?|is (?:fine|good|ok|okay))?\W*(?:{_PART})?\W*"
)
_ANY_PART = re.compile(rf"\b{_PART}\b|{_ZH_PART.replace('part', 'zhpart')}")
_MORNING = ("morning", "凌晨", "清晨", "早", "上午")
_LATE = ("afternoon", "evening", "night", "tonight", "下午", "午后", "傍晚", "晚", "夜里")


def times(text: str, *, lenient: bool = False, window: tuple[time, time] | None = None) -> list[Found]:
    """The times of day in a normal text. "Three" has two values unless only one lies in `window`, ends included.

    `lenient`: a time was asked for, so a bare number is one.
    """
    found: list[Found] = []
    alone = lenient and _ONLY_HOURS.fullmatch(text)
    for rule in [*_RULES, _AT, *([_BARE_HOUR] if alone else [])]:
        for match in rule.finditer(text):
            if not any(match.start() < f.end and match.end() > f.start for f in found):
                found.append(_resolve(match, text, window))
    if found:
        # "At three or four": the second is only a time beside the first.
        found += [_resolve(m, text, window) for m in _OR.finditer(text) if m.start() - found[-1].end <= 1]
    if not found and (part := _ANY_PART.search(text)):
        whole = part["part"] or part["zhpart"]
        if whole == "中午":
            found.append(_windowed((time(12),), part, window))
        elif lenient or "tomorrow" not in whole:
            found.append(Found((), part.start(), part.end(), "incomplete"))
    return sorted(found, key=lambda f: f.start)


def _resolve(match: re.Match[str], text: str, window: tuple[time, time] | None) -> Found:
    named = match.groupdict()
    if noon := named.get("noon") or named.get("zhnoon"):
        return _windowed((time(0) if noon in ("midnight", "午夜") else time(12),), match, window)
    hour = _number(match["hour"])
    minute = _minute(named.get("past") or named.get("minute"))
    if named.get("to") in ("to", "before", "till", "差") and minute is not None:
        hour, minute = (hour - 1) % 12 or 12, (60 - minute) % 60
    if hour is None or minute is None or hour > 24 or minute > 59 or (hour == 24 and minute):
        return Found((), match.start(), match.end(), "invalid")
    half = (named.get("half") or named.get("halfday") or "").replace(".", "")
    part = _part(named, text)
    if half and not 1 <= hour <= 12:
        return Found((), match.start(), match.end(), "invalid")
    return _windowed(_readings(hour % 24, minute, half or part, match["hour"]), match, window)


def _part(named: dict[str, str | None], text: str) -> str:
    """Am or pm by the part of the day that is named with the time, or else anywhere."""
    part = named.get("part") or ""
    if not part and (anywhere := _ANY_PART.search(text)):
        part = anywhere["part"] or anywhere["zhpart"]
    if any(word in part for word in _MORNING):
        return "am"
    if any(word in part for word in _LATE):
        return "night" if "night" in part or part in ("晚上", "夜里", "今晚", "明晚") else "pm"
    return "noon" if part == "中午" else ""


def _readings(hour: int, minute: int, half: str, written: str) -> tuple[time, ...]:
    if hour > 12 or hour == 0 or written.startswith("0"):
        return (time(hour, minute),)
    if half == "noon":
        return (time(hour + 12 if hour < 10 and hour != 12 else hour, minute),)
    if half == "am":
        return (time(hour % 12, minute),)
    if half == "night" and hour == 12:
        return (time(0, minute),)
    if half in ("pm", "night"):
        return (time(hour % 12 + 12, minute),)
    if hour == 12:
        return (time(12, minute),)
    return (time(hour, minute), time(hour + 12, minute))


def _windowed(values: tuple[time, ...], match: re.Match[str], window: tuple[time, time] | None) -> Found:
    within = values if window is None else tuple(value for value in values if window[0] <= value <= window[1])
    return Found(within, match.start(), match.end(), "" if within else "outside")


def _number(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    value = english_number(text) if text[0].isascii() else chinese_number(text)
    return 99 if value is None else int(value)


def _minute(text: str | None) -> int | None:
    if not text:
        return 0
    if text in ("half", "半"):
        return 30
    if "quarter" in text or text == "一刻":
        return 15
    if text == "三刻":
        return 45
    text = text.strip("过分").removeprefix("oh ")
    if text.startswith("零"):
        text = text[1:]
    value = _number(text)
    return value if value < 60 else None


_SHIFT = re.compile(
    r"\b(?P<by>half an|an|one|two)\s+hours?\s+(?P<way>later|earlier)\b|(?P<zhway>晚|推后|早|提前)(?P<zhby>半个?|"
    r"一个?|两个?)(?:小时|钟头)"
)


def shifted(text: str, value: time, window: tuple[time, time] | None) -> Found | None:
    """A time said in relation to another: "an hour later", 早半小时, "in the afternoon" for one before noon."""
    match = _SHIFT.search(text)
    if match is None:
        return None
    by = match["by"] or match["zhby"]
    minutes = 30 if by[0] in "h半" else 120 if by[0] in "t两" else 60
    later = (match["way"] or match["zhway"]) in ("later", "晚", "推后")
    moved = value.hour * 60 + value.minute + (minutes if later else -minutes)
    if not 0 <= moved < 24 * 60:
        return Found((), match.start(), match.end(), "invalid")
    return _windowed((time(*divmod(moved, 60)),), match, window)
