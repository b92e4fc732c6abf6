"""What an editor says a stretch of text is (SSML's say-as), put in words.

Kinds and formats are those of the W3C note *SSML 1.0 say-as attribute values* and of what engines have added to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from anchor.voice.text import chinese, chinese_numbers, english, english_numbers, japanese, korean_numbers
from anchor.voice.text.scripts import narrow
from anchor.voice.text.tokens import Token

KINDS = (
    "cardinal", "number", "ordinal", "digits", "characters", "spell-out", "verbatim", "date", "time", "telephone",
    "currency", "unit", "fraction",
)  # fmt: skip

_SPELLED = ("characters", "spell-out", "verbatim")
_NUMBER = re.compile(r"[-−–+]?(?:\d[\d, ]*(?:\.\d+)?|\.\d+)")
_SIGNS = {
    "zh": {
        ".": "点", "-": "杠", "/": "斜杠", "@": "艾特", "_": "下划线", "#": "井号", "*": "星号", "+": "加", "&": "和",
        "%": "百分号", "=": "等于", ":": "冒号", "?": "问号", "!": "感叹号",
    },
    "en": {
        ".": "dot", "-": "dash", "/": "slash", "@": "at", "_": "underscore", "#": "hash", "*": "star", "+": "plus",
        "&": "and", "%": "percent", "=": "equals", ":": "colon", "?": "question mark", "!": "exclamation mark",
    },
}  # fmt: skip
_DATES = ("mdy", "dmy", "ymd", "md", "dm", "ym", "my", "y", "m", "d")


def said(text: str, value: str, language: str) -> str | list[Token] | None:
    """How `text` is said: words to be read, tokens, or None where it is best read as ever.

    `value` is one of `KINDS`, with ``:format`` where there is one; `language` is a bare tag.
    """
    kind, _, form = value.partition(":")
    plain = narrow(text).strip()
    if kind in _SPELLED:
        return list(_spelled(plain, language)) or None
    reading = _READINGS.get(kind)
    return reading(plain, form, language) if reading is not None else None


def _cardinal(text: str, _: str, language: str) -> str | None:
    match = _NUMBER.search(text)
    if match is None or match.end() - match.start() != len(text):
        return _numeral(text, language)
    digits = re.sub("[, ]", "", match[0])
    words = {
        "en": english_numbers.number, "zh": chinese_numbers.number, "ja": japanese.number, "ko": korean_numbers.number,
    }.get(language)  # fmt: skip
    if words is None or (language == "ko" and digits[0] in "-−–+"):
        return digits
    return words(digits.lstrip("+").replace("−", "-").replace("–", "-"))


def _numeral(text: str, language: str) -> str | None:
    digits = english.NUMERALS.get(text.upper())
    return _cardinal(digits, "", language) if digits else None


def _ordinal(text: str, _: str, language: str) -> str | None:
    digits = re.sub(r"[,\s]|(?:st|nd|rd|th|\.|º|ª|e|er)$|^第", "", text, flags=re.IGNORECASE)
    digits = english.NUMERALS.get(digits.upper(), digits)
    if not digits.isascii() or not digits.isdigit():
        return None
    if language == "en":
        return english_numbers.ordinal(digits)
    if language in ("zh", "ja"):
        return f"第{chinese_numbers.cardinal(digits)}"
    forms = {"es": "{}º", "fr": "1er" if digits == "1" else "{}e", "de": "{}.", "ko": "제{}"}
    return forms[language].format(digits) if language in forms else None


def _single(digits: str, language: str) -> str:
    words = {
        "en": english_numbers.single, "zh": chinese_numbers.single, "ja": japanese.single, "ko": korean_numbers.single,
    }.get(language)  # fmt: skip
    return words(digits) if words is not None else " ".join(digits)


def _digits(text: str, _: str, language: str) -> str | None:
    groups = re.findall(r"\d+", text)
    return _comma(language).join(_single(group, language) for group in groups) or None


def _telephone(text: str, _: str, language: str) -> str | None:
    groups = re.findall(r"\d+", text)
    plus = {"en": "plus ", "zh": "加"}.get(language, "") if text.startswith("+") else ""
    dialled = chinese_numbers.dialled if language == "zh" else lambda digits: _single(digits, language)
    return plus + _comma(language).join(dialled(group) for group in groups) if groups else None


def _comma(language: str) -> str:
    return "，" if language == "zh" else "、" if language == "ja" else ", "


def _spelled(text: str, language: str) -> Iterator[Token]:
    signs = _SIGNS.get(language, {})
    for letter in unicodedata.normalize("NFC", text):
        if letter.isdecimal():
            yield Token(letter, _single(str(int(letter)), language), language)
        elif letter.isascii() and letter.isalpha():
            latin = "en" if language in ("en", "zh", "ja", "ko") else language
            yield english.letter_a() if letter in "aA" and latin == "en" else Token(letter, letter.upper(), latin)
        elif letter.isalpha():
            yield Token(letter, letter, language)
        elif letter in signs:
            yield Token(letter, signs[letter], language)


def _date(text: str, form: str, language: str) -> str | None:
    if form not in _DATES:
        form = {"yyyymmdd": "ymd", "yyyymm": "ym", "mmddyyyy": "mdy", "ddmmyyyy": "dmy"}.get(form, "")
    compact = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text) if form in ("ymd", "") else None
    parts = list(compact.groups()) if compact else re.findall(r"\d+", text)
    if not form:
        form = {3: "ymd" if parts and len(parts[0]) == 4 else "mdy", 2: "md", 1: "y"}.get(len(parts), "")
    if not form or len(parts) != len(form):
        return None
    found = dict(zip(form, parts, strict=True))
    if not 1 <= int(found.get("m", "1")) <= 12 or not 1 <= int(found.get("d", "1")) <= 31:
        return None
    if language == "en":
        return _english_date(found)
    if language in ("zh", "ja"):
        year = f"{found['y']}年" if "y" in found else ""
        month = f"{int(found['m'])}月" if "m" in found else ""
        return year + month + (f"{int(found['d'])}日" if "d" in found else "")
    if len(found) == 3 and len(found["y"]) == 4:
        return f"{found['y']}-{int(found['m'])}-{int(found['d'])}"
    return None


def _english_date(found: dict[str, str]) -> str:
    month = english.MONTHS[int(found["m"]) - 1] if "m" in found else ""
    day = english_numbers.ordinal(found["d"]) if "d" in found else ""
    year = english_numbers.year(found["y"]) if "y" in found else ""
    said = f"{month} {day}".strip() if month or not day else f"the {day}"
    return f"{said}, {year}" if day and year else f"{said} {year}".strip()


def _time(text: str, _: str, language: str) -> str | None:
    match = re.fullmatch(r"(\d{1,2})[:.h]?(\d\d)(?:[:.m]?(\d\d))?s?(?:\s?([ap])\.?m\.?)?", text, re.IGNORECASE)
    if match is None or int(match[1]) > 24 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        return None
    clock = f"{int(match[1])}:{match[2]}" + (f":{match[3]}" if match[3] else "")
    half = f" {match[4]}m" if match[4] else ""
    return clock + half if language in ("en", "zh") else clock


def _currency(text: str, form: str, language: str) -> str | None:
    # The rules read money; all they want is the currency, which may stand in the format.
    code = form.upper()
    return f"{code} {text}" if re.fullmatch("[A-Z]{3}", code) and _NUMBER.fullmatch(text) else None


def _unit(text: str, form: str, language: str) -> str | None:
    match = re.fullmatch(rf"(?P<number>{_NUMBER.pattern})\s*(?P<unit>\D*)", text)
    if match is None:
        return None
    measure: Callable[[str, str], str | None] | None = {"en": english.measure, "zh": chinese.measure}.get(language)
    unit = match["unit"].strip() or form
    return measure(re.sub("[, ]", "", match["number"]), unit) if measure is not None and unit else None


def _fraction(text: str, _: str, language: str) -> str | None:
    match = re.fullmatch(r"(?:(\d{1,9})[\s+]+)?(\d{1,9})\s?[/⁄]\s?(\d{1,9})", text)
    if match is None:
        return None
    whole, above, below = match.groups()
    if language == "en":
        said = english_numbers.fraction(above, below)
        return f"{english_numbers.cardinal(whole)} and {said}" if whole else said
    if language in ("zh", "ja"):
        cardinal = chinese_numbers.cardinal
        joint = "又" if language == "zh" else "と"
        return (f"{cardinal(whole)}{joint}" if whole else "") + f"{cardinal(below)}分之{cardinal(above)}".replace(
            "分之", "分之" if language == "zh" else "分の"
        )
    return None


_READINGS: dict[str, Callable[[str, str, str], str | None]] = {
    "cardinal": _cardinal, "number": _cardinal, "ordinal": _ordinal, "digits": _digits, "date": _date, "time": _time,
    "telephone": _telephone, "currency": _currency, "unit": _unit, "fraction": _fraction,
}  # fmt: skip
