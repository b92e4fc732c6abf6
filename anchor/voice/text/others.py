"""Reading Spanish, French, German and Korean text.

espeak-ng reads the numbers of these languages itself (Korean ones are put in words here, for it forgets the point);
what it cannot know is which signs group digits, how dates are said, and that a currency sign is said after its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from anchor.voice.text import korean_numbers as korean
from anchor.voice.text.rules import Reading, Rules


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a language writes and says numbers; `signs` are units and currencies by how they are written."""

    group: str
    point: str
    to: str
    minus: str
    months: tuple[str, ...]
    date: str
    signs: dict[str, str]


_MANNERS = {
    "es": _Manner(
        group=r"[. \u00a0\u202f]",
        point=",",
        to="a",
        minus="menos",
        months=(
            "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
            "noviembre", "diciembre",
        ),
        date="{day} de {month} de {year}",
        signs={
            "%": "por ciento", "€": "euros", "$": "dólares", "£": "libras", "¥": "yenes", "km/h": "kilómetros por hora",
            "km": "kilómetros", "kg": "kilos", "m²": "metros cuadrados", "cm": "centímetros", "mm": "milímetros",
            "m": "metros", "°C": "grados", "ºC": "grados", "°": "grados", "GB": "gigas", "&": "y", "+": "más",
            "=": "igual a",
        },
    ),
    "fr": _Manner(
        group=r"[. \u00a0\u202f]",
        point=",",
        to="à",
        minus="moins",
        months=(
            "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
            "novembre", "décembre",
        ),
        date="{day} {month} {year}",
        signs={
            "%": "pour cent", "€": "euros", "$": "dollars", "£": "livres", "¥": "yens", "km/h": "kilomètres heure",
            "km": "kilomètres", "kg": "kilos", "m²": "mètres carrés", "cm": "centimètres", "mm": "millimètres",
            "m": "mètres", "°C": "degrés", "°": "degrés", "Go": "giga-octets", "&": "et", "+": "plus", "=": "égale",
        },
    ),
    "de": _Manner(
        group=r"[. \u00a0\u202f]",
        point=",",
        to="bis",
        minus="minus",
        months=(
            "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November", "Dezember",
        ),
        date="{day} {month} {year}",
        signs={
            "%": "Prozent", "€": "Euro", "$": "Dollar", "£": "Pfund", "¥": "Yen", "km/h": "Kilometer pro Stunde",
            "km": "Kilometer", "kg": "Kilogramm", "m²": "Quadratmeter", "cm": "Zentimeter", "mm": "Millimeter",
            "m": "Meter", "°C": "Grad", "°": "Grad", "GB": "Gigabyte", "&": "und", "+": "plus", "=": "gleich",
        },
    ),
    "ko": _Manner(
        group=",",
        point=".",
        to="에서",
        minus="마이너스",
        months=("일월", "이월", "삼월", "사월", "오월", "유월", "칠월", "팔월", "구월", "시월", "십일월", "십이월"),
        date="{year}년 {month} {day}일",
        signs={
            "%": "퍼센트", "€": "유로", "$": "달러", "£": "파운드", "¥": "엔", "₩": "원", "km/h": "킬로미터 매 시",
            "km": "킬로미터", "kg": "킬로그램", "m²": "제곱미터", "㎡": "제곱미터", "cm": "센티미터", "mm": "밀리미터",
            "m": "미터", "°C": "도", "℃": "도", "°": "도", "GB": "기가바이트", "&": "그리고", "+": "더하기", "=": "는",
        },
    ),
}  # fmt: skip

_GERMAN_DAYS = (
    "erste", "zweite", "dritte", "vierte", "fünfte", "sechste", "siebte", "achte", "neunte", "zehnte", "elfte",
    "zwölfte", "dreizehnte", "vierzehnte", "fünfzehnte", "sechzehnte", "siebzehnte", "achtzehnte", "neunzehnte",
    "zwanzigste", *(f"{one}undzwanzigste" for one in (
        "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")), "dreißigste", "einunddreißigste",
)  # fmt: skip
_GERMAN_HUNDREDS = ("elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn")


def _rules(language: str, manner: _Manner) -> Rules:
    rules = Rules(language, r"[\d€$£¥₩%&+=°-]")
    number = rf"(?:\d{{1,3}}(?:{manner.group}\d{{3}})+(?!\d)|\d+)(?:{re.escape(manner.point)}\d+)?"
    signed = rf"(?:(?<![\w.,])[-−–])?{number}"
    units = "|".join(re.escape(sign) for sign in sorted(manner.signs, key=len, reverse=True) if sign not in "&+=")

    def said(digits: str) -> str:
        sign = f"{manner.minus} " if digits[0] in "-−–" else ""
        plain = re.sub(rf"{manner.group}(?=\d{{3}})", "", digits.lstrip("-−–"))
        return sign + (korean.number(plain) if language == "ko" else plain)

    def day(digits: str, before: str) -> str:
        if language == "ko":
            return korean.cardinal(digits)
        if language == "de":
            return _GERMAN_DAYS[int(digits) - 1] + (
                "n" if re.search(r"\b(?:am|dem|vom|zum|bis)\s$", before, re.I) else ""
            )
        return "1er" if language == "fr" and int(digits) == 1 else str(int(digits))

    def year(digits: str) -> str:
        if language == "de" and "1100" <= digits <= "1999":
            return f"{_GERMAN_HUNDREDS[int(digits[:2]) - 11]}hundert {int(digits[2:]) or ''}".strip()
        return korean.cardinal(digits) if language == "ko" else digits

    @rules.rule(r"0\d{1,3}-\d{3,4}-\d{4}(?!\d)")
    def _telephone(match: re.Match[str]) -> Reading:
        digits = match[0].split("-")
        return ", ".join(korean.single(part) if language == "ko" else " ".join(part) for part in digits)

    @rules.rule(r"(?P<year>\d{4})[-./](?P<month>\d{1,2})[-./](?P<day>\d{1,2})(?!\d)")
    @rules.rule(r"(?P<day>\d{1,2})[-./](?P<month>\d{1,2})[-./](?P<year>\d{4})(?!\d)")
    def _date(match: re.Match[str]) -> Reading:
        if not 1 <= int(match["month"]) <= 12 or not 1 <= int(match["day"]) <= 31:
            return None
        month = manner.months[int(match["month"]) - 1]
        before = match.string[: match.start()]
        return manner.date.format(day=day(match["day"], before), month=month, year=year(match["year"]))

    @rules.rule(rf"(\d{{1,2}})\.(?=\s(?:{'|'.join(manner.months)})\b)")
    def _german_day(match: re.Match[str]) -> Reading:
        if language != "de" or not 1 <= int(match[1]) <= 31:
            return None
        return day(match[1], match.string[: match.start()])

    @rules.rule(r"(\d{1,2}):(\d\d)(?:\s(?:Uhr|h)\b)?(?![\d:])")
    def _time(match: re.Match[str]) -> Reading:
        if int(match[1]) > 24 or int(match[2]) > 59:
            return None
        if language == "ko":
            hour = korean.native(match[1]) if 0 < int(match[1]) <= 12 else korean.cardinal(match[1])
            return f"{hour} 시" + (f" {korean.cardinal(match[2])} 분" if int(match[2]) else "")
        return f"{int(match[1])}:{match[2]}"

    @rules.rule(rf"(?P<sign>[€$£¥₩])\s?(?P<number>{number})", rf"(?P<number>{signed})\s?(?P<sign>{units})(?![A-Za-z])")
    def _measure(match: re.Match[str]) -> Reading:
        return f"{said(match['number'])} {manner.signs.get(match['sign']) or manner.signs['$']}"

    @rules.rule(rf"({signed})\s?[-–—~]\s?({number})(?:\s?({units})(?![A-Za-z]))?")
    def _range(match: re.Match[str]) -> Reading:
        return f"{said(match[1])} {manner.to} {said(match[2])} {manner.signs.get(match[3], '')}".rstrip()

    @rules.rule(r"(\d{1,2})월")
    def _month(match: re.Match[str]) -> Reading:
        return manner.months[int(match[1]) - 1] if language == "ko" and 1 <= int(match[1]) <= 12 else None

    @rules.rule(signed)
    def _number(match: re.Match[str]) -> Reading:
        rest = match.string[match.end() :].lstrip()
        if language == "ko" and rest.startswith(korean.NATIVE_COUNTERS) and re.fullmatch(r"[1-9]\d?", match[0]):
            return korean.native(match[0])
        bare_year = (
            language == "de" and re.fullmatch(r"1[1-9]\d\d", match[0]) and not re.match(rf"\s?(?:{units})", rest)
        )
        return year(match[0]) if bare_year else said(match[0])

    @rules.rule(r"[&+=%€$°]")
    def _sign(match: re.Match[str]) -> Reading:
        sided = re.search(r"\w\s?$", match.string[: match.start()]) and re.match(r"\s?\w", match.string[match.end() :])
        return manner.signs[match[0]] if sided else None

    return rules


RULES = {language: _rules(language, manner) for language, manner in _MANNERS.items()}
