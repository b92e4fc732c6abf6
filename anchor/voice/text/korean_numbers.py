"""Korean number words: Sino-Korean for most things, native ones for hours and what is counted in pieces."""

from __future__ import annotations

_DIGITS = ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")
_PLACES = ("", "십", "백", "천")
_SECTIONS = ("", "만", "억", "조", "경")
_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")

NATIVE_COUNTERS = ("시", "개", "명", "살", "마리", "잔", "권", "장", "대", "번째", "가지", "사람", "시간")


def cardinal(digits: str) -> str:
    """Say a whole number; one too long for words is said digit by digit."""
    digits = digits.replace(",", "").lstrip("0") or "0"
    if digits == "0":
        return _DIGITS[0]
    if len(digits) > 4 * len(_SECTIONS):
        return single(digits)
    said: list[str] = []
    for power in range((len(digits) - 1) // 4, -1, -1):
        section = digits[max(0, len(digits) - 4 * (power + 1)) : len(digits) - 4 * power]
        words = "".join(
            ("" if digit == "1" and place else _DIGITS[int(digit)]) + _PLACES[place]
            for place, digit in zip(range(len(section) - 1, -1, -1), section, strict=True)
            if digit != "0"
        )
        if words:
            # 10000 is 만, not 일만.
            said.append(("" if words == "일" and power == 1 and not said else words) + _SECTIONS[power])
    return " ".join(said)


def number(digits: str) -> str:
    whole, point, part = digits.replace(",", "").partition(".")
    return cardinal(whole) + (f" 점 {single(part)}" if point and part else "")


def single(digits: str) -> str:
    return "".join("공" if digit == "0" else _DIGITS[int(digit)] for digit in digits if digit.isdigit())


def native(digits: str) -> str:
    """Say a count from 1 to 99 in native words, as they stand before a counter."""
    ten, one = divmod(int(digits), 10)
    return "스무" if (ten, one) == (2, 0) else _TENS[ten] + _ONES[one]
