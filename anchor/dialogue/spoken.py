"""How values are shown so that the voice reads them right: amounts, dates, times, digits."""

from __future__ import annotations

from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal

from anchor.tags import base

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SIGNS = {"CNY": "¥", "USD": "$", "HKD": "HK$", "EUR": "€", "GBP": "£"}
_CENTS = {"USD": "cents", "EUR": "cents", "GBP": "pence"}
_CHINESE = {"CNY": "元", "USD": "美元", "HKD": "港元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}


def amount(value: Decimal | float | int, currency: str, language: str) -> str:
    """An amount of money with at most two decimals."""
    exact = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    whole = exact == exact.to_integral_value()
    sign, size = ("-" if exact < 0 else ""), abs(exact)
    if base(language) == "zh":
        digits = f"{size.to_integral_value():,}" if whole else f"{size:,}".rstrip("0")
        return f"{'负' if sign else ''}{digits}{_CHINESE.get(currency, f' {currency}' if currency else '')}"
    digits = f"{size.to_integral_value():,}" if whole else f"{size:,}"
    minus = "minus " if sign else ""
    if currency in _CENTS and 0 < size < 1:
        return f"{minus}{int(size * 100)} {_CENTS[currency]}"
    if currency in _SIGNS:
        return f"{minus}{_SIGNS[currency]}{digits}"
    if currency == "JPY":
        return f"{minus}{digits} yen"
    return f"{minus}{digits} {currency}".rstrip()


def day(value: date, language: str, today: date | None = None) -> str:
    """A date with its weekday; the year only where it is not clear from `today`."""
    year = today is None or abs((value - today).days) > 300
    if base(language) == "zh":
        return f"{f'{value.year}年' if year else ''}{value.month}月{value.day}日{'' if year else _weekday_zh(value)}"
    if year:
        return f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"
    return f"{_DAYS[value.weekday()]}, {_MONTHS[value.month - 1]} {value.day}"


def _weekday_zh(value: date) -> str:
    return "星期" + "一二三四五六日"[value.weekday()]


def clock(value: time, language: str) -> str:
    """A time of day on a clock of twelve hours."""
    hour = value.hour % 12 or 12
    if base(language) == "zh":
        part = "凌晨" if value.hour < 5 else "上午" if value.hour < 12 else "中午" if value.hour == 12 else "下午"
        part = "晚上" if value.hour >= 18 else part
        minute = "" if not value.minute else "半" if value.minute == 30 else f"{value.minute:02d}分"
        return f"{part}{hour}点{minute}"
    half = "AM" if value.hour < 12 else "PM"
    return f"{hour}:{value.minute:02d} {half}" if value.minute else f"{hour} {half}"


def digits(value: str) -> str:
    """Digits apart, so that they are read one by one."""
    return " ".join(letter for letter in value if letter.isalnum())


def phone(value: str) -> str:
    """A telephone number in groups, which are read digit by digit."""
    if len(value) == 11 and value.startswith("1"):
        return f"{value[:3]}-{value[3:7]}-{value[7:]}"
    return digits(value)
