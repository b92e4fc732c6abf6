"""Chinese number words."""

from __future__ import annotations

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_SECTIONS = ("", "万", "亿", "万亿", "亿亿")


def cardinal(digits: str) -> str:
    """Say a whole number; one too long for words is said digit by digit."""
    digits = digits.replace(",", "").lstrip("0") or "0"
    if digits == "0":
        return "零"
    if len(digits) > 4 * len(_SECTIONS):
        return single(digits)
    said = ""
    sections = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    for power, section in reversed(list(enumerate(sections))):
        if int(section) == 0:
            continue
        # A gap in the places is a zero: 10011 is 一万零一十一.
        joint = "零" if said and section[0] == "0" else ""
        said += joint + _section(section.lstrip("0"), leading=not said, scaled=power > 0) + _SECTIONS[power]
    return said


def _section(digits: str, *, leading: bool, scaled: bool) -> str:
    if digits == "2" and scaled:
        return "两"
    said, gap = "", False
    for place, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit == "0":
            gap = bool(said)
            continue
        name = _DIGITS[int(digit)]
        if digit == "2" and not said and (place == 3 or (place == 2 and leading)):
            name = "两"
        if digit == "1" and place == 1 and not said and leading:
            name = ""
        said += ("零" if gap else "") + name + _PLACES[place]
        gap = False
    return said


def number(digits: str) -> str:
    """Say a whole or decimal number, grouped by commas or not, signed or not."""
    sign, digits = ("负", digits[1:]) if digits[:1] in "-−–" else ("", digits)
    whole, point, part = digits.lstrip("+").partition(".")
    return sign + cardinal(whole or "0") + (f"点{single(part)}" if point and part else "")


def single(digits: str) -> str:
    """Say digits one by one."""
    return "".join(_DIGITS[int(digit)] for digit in digits if digit.isdigit())


def dialled(digits: str) -> str:
    """Say digits as of a telephone, a room or a train: one is 幺, which cannot be taken for seven."""
    return single(digits).replace("一", "幺")
