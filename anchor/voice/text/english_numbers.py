"""English number words."""

from __future__ import annotations

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip


def cardinal(digits: str) -> str:
    """Say a whole number; one too long for words is said digit by digit."""
    digits = digits.replace(",", "").lstrip("0") or "0"
    if len(digits) > 3 * len(_SCALES):
        return single(digits)
    number = int(digits)
    if number < 1000:
        return _below_thousand(number)
    groups = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            joint = "and " if not scale and group < 100 else ""
            groups.append(f"{joint}{_below_thousand(group)} {scale}".strip())
        if not number:
            break
    return " ".join(reversed(groups))


def _below_thousand(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return f"{_TENS[ten]} {_ONES[one]}" if one else _TENS[ten]
    hundred, rest = divmod(number, 100)
    return f"{_ONES[hundred]} hundred" + (f" and {_below_thousand(rest)}" if rest else "")


def number(digits: str) -> str:
    """Say a whole or decimal number, grouped by commas or not, signed or not."""
    sign, digits = ("minus ", digits[1:]) if digits[:1] in "-−–" else ("", digits)
    whole, point, fraction = digits.lstrip("+").partition(".")
    said = cardinal(whole or "0")
    return f"{sign}{said} point {single(fraction)}" if point and fraction else sign + said


def single(digits: str) -> str:
    """Say digits one by one."""
    return " ".join(_ONES[int(digit)] for digit in digits if digit.isdigit())


def ordinal(digits: str) -> str:
    before, _, last = cardinal(digits).rpartition(" ")
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return f"{before} {_ORDINALS.get(last, regular)}".strip()


def year(digits: str) -> str:
    """Say a year: in pairs, but 2000 to 2009 as numbers."""
    if len(digits) != 4:
        return cardinal(digits)
    first, last = divmod(int(digits), 100)
    if first % 10 == 0 and last < 10:
        return cardinal(digits)
    if not last:
        return f"{cardinal(str(first))} hundred"
    return f"{cardinal(str(first))} {'oh ' if last < 10 else ''}{cardinal(str(last))}"


def pairs(digits: str) -> str:
    """Say the number of a flight, a road or a model: 380 is "three eighty", 1702 is "seventeen oh two"."""
    if len(digits) <= 2:
        return cardinal(digits) if digits[0] != "0" else single(digits).replace("zero", "oh")
    if len(digits) > 4 or digits[0] == "0":
        return single(digits)
    first, last = digits[:-2], digits[-2:]
    if last == "00":
        return f"{cardinal(first)} hundred" if len(digits) == 3 or first[-1] != "0" else cardinal(digits)
    return f"{cardinal(first)} " + (f"oh {cardinal(last)}" if last[0] == "0" else cardinal(last))


def plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def fraction(above: str, below: str) -> str:
    """Say a fraction: "three sixteenths"."""
    top, bottom = int(above), int(below)
    if bottom in (1, 0) or bottom > 100:
        return f"{cardinal(above)} over {cardinal(below)}"
    name = {2: "half", 4: "quarter"}.get(bottom) or ordinal(below)
    if top != 1:
        name = "halves" if bottom == 2 else plural(name)
    return f"{cardinal(above)} {name}"
