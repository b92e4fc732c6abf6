"""Numbers, amounts and dictated digits as they are said and typed in English and Mandarin."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from anchor.dialogue.wording import Found

_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_SCALES = {"thousand": 1000, "million": 10**6, "billion": 10**9, "k": 1000}
SMALL = _ONES | _TEENS | _TENS
"""English number words below a hundred, without compounds."""
_WORD = "|".join([*_ONES, *_TEENS, *_TENS, "hundred", "thousand", "million", "billion"])
_ENGLISH = re.compile(
    rf"\b(?:an?\s+(?=hundred|thousand|million))?(?:{_WORD})\b(?:(?:\s*-\s*|\s+)(?:and\s+(?:a\s+)?|"
    rf"point\s+)?(?:{_WORD})\b)*"
)
_ARABIC = re.compile(
    r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\d]|[.,]\d)(?:\s*(?:thousand|million|billion|k)\b)?(?![a-z])"
)
CHINESE_DIGITS = dict(zip("零〇一二三四五六七八九", (0, *range(10)), strict=True)) | {
    "两": 2, "幺": 1, "俩": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
_PLACES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_HAN = "".join(CHINESE_DIGITS) + "".join(_PLACES) + "万亿"
_CHINESE = re.compile(
    rf"(?:\d+(?:\.\d+)?(?=[百千万亿])|[{_HAN}])(?:[{_HAN}]|\d(?![\d.]*[a-z]))*(?:点[{_HAN}]+)?(?!点|月|号|日|年|刻)"
)


def numbers(text: str) -> list[Found]:
    """The numbers in a normal text, as `Decimal`. One without values is a run of number words that is no one number."""
    arabic = [m for m in _ARABIC.finditer(text) if text[m.end() : m.end() + 1] not in tuple("百千万亿")]
    found = [_found(m, _arabic(m[0])) for m in arabic]
    for pattern, read in ((_ENGLISH, english_number), (_CHINESE, chinese_number)):
        taken = [(f.start, f.end) for f in found]
        matches = [m for m in pattern.finditer(text) if not any(m.start() < end and m.end() > at for at, end in taken)]
        found += [_found(m, read(m[0])) for m in matches]
    return sorted(found, key=lambda f: f.start)


def _found(match: re.Match[str], value: Decimal | None) -> Found:
    return Found(() if value is None else (value,), match.start(), match.end(), "" if value is not None else "several")


def _arabic(text: str) -> Decimal:
    match = re.match(r"[\d,.]+", text)
    assert match is not None
    scale = text[match.end() :].strip()
    return Decimal(match[0].replace(",", "")) * _SCALES.get(scale, 1)


def english_number(text: str) -> Decimal | None:
    """What English number words say, or None for words that are no one number ("two fifty")."""
    whole, point, fraction = text.partition(" point ")
    words = [word for word in re.split(r"[\s-]+", whole) if word not in ("and", "a", "an")]
    total, last = 0, 10**12
    group: list[str] = []
    for word in words:
        if word in _SCALES:
            part = _below_thousand(group) if group else 1
            if part is None or _SCALES[word] >= last or (not group and total):
                return None
            last = _SCALES[word]
            total += part * last
            group = []
        else:
            group.append(word)
    rest = _below_thousand(group) if group else 0
    if rest is None or (rest >= 1000 and total):
        return None
    value = Decimal(total + rest)
    if point:
        digits = [_ONES.get(word) for word in fraction.split()]
        if None in digits:
            return None
        value += Decimal("0." + "".join(map(str, digits)))
    return value


def _below_thousand(words: list[str]) -> int | None:
    """Up to 9900 in fact: "twelve hundred"."""
    if "hundred" in words:
        place = words.index("hundred")
        above = _below_hundred(words[:place]) if place else 1
        below = _below_hundred(words[place + 1 :]) if words[place + 1 :] else 0
        return None if above in (None, 0) or below is None else above * 100 + below
    return _below_hundred(words)


def _below_hundred(words: list[str]) -> int | None:
    if len(words) == 1:
        return SMALL.get(words[0])
    if len(words) == 2 and words[0] in _TENS and _ONES.get(words[1], 0) > 0:
        return _TENS[words[0]] + _ONES[words[1]]
    return None


def chinese_number(text: str) -> Decimal | None:
    """What a Chinese number says, 两百五 (250) and 1万2 included; None for dictated digits and 三四百."""
    whole, point, fraction = text.partition("点")
    total, rest = Decimal(0), whole
    scale_before = 0
    for mark, scale in (("亿", 10**8), ("万", 10**4)):
        above, sign, below = rest.rpartition(mark)
        if not sign:
            continue
        section = _section(above)
        if not section:
            return None
        total += section * scale
        rest, scale_before = below, scale
    if rest:
        if scale_before and re.fullmatch(rf"[1-9{''.join(CHINESE_DIGITS)}]", rest) and rest not in "零〇":
            total += Decimal(_digit(rest) * scale_before // 10)
        else:
            section = _section(rest, after_scale=bool(scale_before))
            if section is None:
                return None
            total += section
    elif not scale_before:
        return None
    if point:
        digits = [CHINESE_DIGITS.get(letter) for letter in fraction]
        if None in digits or not digits:
            return None
        total += Decimal("0." + "".join(map(str, digits)))
    return total


def _digit(letter: str) -> int:
    return int(letter) if letter.isdigit() and letter.isascii() else CHINESE_DIGITS[letter]


def _section(text: str, *, after_scale: bool = False) -> Decimal | None:
    """A number below ten thousand."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Decimal(text)
    total, digit, last, gap = Decimal(0), None, 10_000, after_scale and text[:1] in "零〇"
    tokens = re.findall(r"\d+(?:\.\d+)?|.", text[1:] if gap else text)
    for token in tokens:
        if token in _PLACES:
            place = _PLACES[token]
            if place >= last or (digit is None and not (place == 10 and (last == 10_000 or gap))):
                return None
            total += (Decimal(1) if digit is None else digit) * place
            digit, last, gap = None, place, False
        elif token in "零〇" and total:
            if digit is not None or gap:
                return None
            gap = True
        elif digit is not None or not (token in CHINESE_DIGITS or token[0].isdigit()):
            return None
        else:
            digit = Decimal(token) if token[0].isascii() else Decimal(CHINESE_DIGITS[token])
    if digit is not None:
        total += digit * (last // 10 if last in (100, 1000) and not gap else 1)
    elif gap:
        return None
    return total


_CURRENCIES = {
    "CNY": r"yuan|rmb|cny|renminbi|kuai|人民币|元|块钱?",
    "USD": r"us dollars?|u\.s\. dollars?|american dollars?|dollars?|usd|bucks?|美元|美金|美刀",
    "HKD": r"hong kong dollars?|hk dollars?|hkd|港币|港元",
    "EUR": r"euros?|eur|欧元",
    "GBP": r"pounds?(?: sterling)?|gbp|sterling|英镑",
    "JPY": r"(?:japanese )?yen|jpy|日元|日币",
}
_SIGNS = {"hk$": "HKD", "us$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "rmb": "CNY", "usd": "USD",
          "cny": "CNY", "eur": "EUR", "gbp": "GBP", "hkd": "HKD", "jpy": "JPY"}  # fmt: skip
_AFTER = re.compile("|".join(rf"(?P<{code}>{words})(?![a-z])" for code, words in [
    ("HKD", _CURRENCIES["HKD"]), *((c, w) for c, w in _CURRENCIES.items() if c != "HKD")]))  # fmt: skip
_BEFORE = re.compile(rf"(?:^|(?<=[^a-z]))({'|'.join(re.escape(sign) for sign in _SIGNS)})\s*$")
_SMALL_CHANGE = re.compile(
    rf"(?:\s*(?:and\s+)?(?P<cents>\d{{1,2}}|[a-z]+(?:[\s-][a-z]+)?)\s+(?:cents?|pence|fen)\b)"
    rf"|(?P<jiao>[{''.join(CHINESE_DIGITS)}\d])(?:毛|"
    rf"角)?(?:(?P<fen>[{''.join(CHINESE_DIGITS)}\d])分?)?(?![{_HAN}\d点月号])"
)
_CENTS = re.compile(r"\s*(?:cents?|pence|fen)\b")
_JIAO = re.compile(rf"([{''.join(CHINESE_DIGITS)}\d])(?:毛|角)钱?(?:([{''.join(CHINESE_DIGITS)}\d])分?)?")


def currencies(text: str) -> list[Found]:
    """Currencies that are named in a normal text, by ISO 4217 code."""
    return [Found((str(match.lastgroup),), match.start(), match.end()) for match in _AFTER.finditer(text)]


def amounts(text: str) -> list[Found]:
    """Amounts of money in a normal text, as (`Decimal`, ISO 4217 code); the code is "" when no currency is named."""
    found: list[Found] = []
    end = 0
    for number in numbers(text):
        if number.start < end:
            continue
        start, end, code = number.start, number.end, ""
        if before := _BEFORE.search(text[:start]):
            code, start = _SIGNS[before[1]], before.start()
        gap = len(text[end:]) - len(text[end:].lstrip())
        if after := _AFTER.match(text, end + gap):
            code, end = str(after.lastgroup), after.end()
        if not number.values:
            found.append(Found((), start, end, "several"))
            continue
        value: Decimal = number.values[0]
        if not code and (cents := _CENTS.match(text, end)):
            found.append(Found(((value / 100, ""),), start, cents.end()))
            continue
        if after and (change := _SMALL_CHANGE.match(text, end)):
            part = _change(change)
            if part is not None:
                value, end = value + part, change.end()
        found.append(Found(((value, code),), start, end))
    for small in _JIAO.finditer(text):
        if not any(f.start < small.end() and f.end > small.start() and f.values[0][1] for f in found if f.values):
            value = Decimal(_digit(small[1])) / 10 + (Decimal(_digit(small[2])) / 100 if small[2] else 0)
            found = [f for f in found if f.end <= small.start() or f.start >= small.end()]
            found.append(Found(((value, "CNY"),), small.start(), small.end()))
    return found


def _change(match: re.Match[str]) -> Decimal | None:
    if words := match["cents"]:
        cents = Decimal(words) if words.isdigit() else english_number(words) if re.match(_WORD, words) else None
        return None if cents is None or cents >= 100 else cents / 100
    fen = Decimal(_digit(match["fen"])) / 100 if match["fen"] else Decimal(0)
    return Decimal(_digit(match["jiao"])) / 10 + fen


_TIMES = {"double": 2, "triple": 3, "treble": 3}
_DIGIT = rf"(?:double|triple|treble|oh|o|{'|'.join(SMALL)}|\d+|[{''.join(CHINESE_DIGITS)}]|两个|三个)"
_DICTATED = re.compile(rf"(?<![a-z\d])\+?{_DIGIT}(?:[\s,.\-、/]*{_DIGIT})*(?![a-z])")
_DIGIT_TOKEN = re.compile(
    rf"\+|两个|三个|double|triple|treble|\boh\b|\bo\b|{'|'.join(sorted(SMALL, key=len, reverse=True))}|\d+|[一-龥〇]"
)
_AND_THEN = re.compile(r"[\s,，.、-]*(?:and|then|and then|um|uh|dash|space|然后|杠|嗯|呃)?[\s,，.、-]*")


def dictated(text: str) -> list[Found]:
    """Runs of digits, dictated or typed, as strings; each reading of "forty four" (404 and 44) is one of the values."""
    joined: list[tuple[int, int]] = []
    for match in _DICTATED.finditer(text):
        if joined and _AND_THEN.fullmatch(text[joined[-1][1] : match.start()]):
            joined[-1] = (joined[-1][0], match.end())
        else:
            joined.append(match.span())
    return [Found(_readings(text[start:end]), start, end) for start, end in joined]


def digits(text: str, fits: Callable[[str], bool]) -> Found | None:
    """The one string of digits in a normal text that fits; None where there are no digits at all."""
    runs = dictated(text)
    if not runs:
        return None
    whole = Found(_products(runs), runs[0].start, runs[-1].end)
    for run in (whole, *runs):
        values = tuple(dict.fromkeys(value for value in run.values if fits(value)))
        if values:
            return Found(values, run.start, run.end, "" if len(values) == 1 else "several")
    return Found((), whole.start, whole.end, "invalid")


def _products(runs: list[Found]) -> tuple[str, ...]:
    ways = [""]
    for run in runs:
        ways = [way + value for way in ways for value in run.values][:64]
    return tuple(ways)


def _readings(text: str) -> tuple[str, ...]:
    tokens = _DIGIT_TOKEN.findall(text)
    ways, times, place = [""], 1, 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token in _TIMES or token in ("两个", "三个"):
            times = _TIMES.get(token, 2 if token == "两个" else 3)
            continue
        options = [_as_digits(token) * times]
        after = tokens[place] if place < len(tokens) else ""
        if token in _TENS and times == 1 and _ONES.get(after, 0) > 0:
            options = [options[0] + str(_ONES[after]), str(_TENS[token] + _ONES[after])]
            place += 1
        ways = [way + option for way in ways for option in options][:64]
        times = 1
    return tuple(ways)


def _as_digits(token: str) -> str:
    if token in SMALL:
        return str(SMALL[token])
    if token in ("oh", "o"):
        return "0"
    return token if token[0].isascii() else str(CHINESE_DIGITS.get(token, ""))
