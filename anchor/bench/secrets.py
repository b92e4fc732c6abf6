"""Made-up utterances with secrets in them, as people write and say them, and ordinary ones without any. Seeded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from anchor.bench.sentences import ORDINARY, WITH_SECRET_EN, WITH_SECRET_ZH

EN_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ZH_DIGITS = "零一二三四五六七八九"
EN_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
EN_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth",
    "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh",
    "twenty-eighth",
)  # fmt: skip
EN_FILLERS = ("um", "uh", "er", "then", "and then", "dash", "okay", "and", "let me see", "space")
ZH_FILLERS = ("嗯", "呃", "然后", "那个", "后面是", "再", "杠", "啊")


@dataclass(frozen=True, slots=True)
class Utterance:
    """`secret` is the part of `text` of which nothing may be left; `kind` and `form` say what and how."""

    text: str
    secret: str
    language: str
    kind: str
    form: str


def card(chance: random.Random, *, valid: bool = True) -> str:
    """A card number of 16 or 19 digits, or 15 of them; with a right check digit, or a wrong one."""
    start, length = chance.choice((("4", 16), ("5", 16), ("62", 16), ("62", 19), ("34", 15), ("37", 15), ("6222", 19)))
    body = start + "".join(str(chance.randrange(10)) for _ in range(length - len(start) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    check = (10 - total % 10) % 10
    return body + str(check if valid else (check + chance.randrange(1, 10)) % 10)


def resident(chance: random.Random) -> str:
    """A Chinese resident identity number with its check character (GB 11643)."""
    area = chance.choice(("110105", "310115", "440305", "510107", "330106", "420111"))
    born = f"{chance.randrange(1940, 2010)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
    body = f"{area}{born}{chance.randrange(1000):03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(a) * b for a, b in zip(body, weights, strict=True)) % 11]


def iban(chance: random.Random) -> str:
    country, length = chance.choice((("DE", 18), ("FR", 23), ("ES", 20), ("NL", 14), ("GB", 18)))
    letters = "".join(chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(4)) if country in ("GB", "NL") else ""
    body = letters + _number(chance, length - len(letters))
    value = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    return f"{country}{98 - value % 97:02}{body}"


def _number(chance: random.Random, length: int) -> str:
    return str(chance.randrange(1, 10)) + "".join(str(chance.randrange(10)) for _ in range(length - 1))


def mobile(chance: random.Random) -> str:
    return "1" + chance.choice("3456789") + "".join(str(chance.randrange(10)) for _ in range(9))


def grouped(digits: str, sizes: Sequence[int], sign: str) -> str:
    parts, at = list[str](), 0
    for size in (*sizes, *([4] * 9)):
        if at < len(digits):
            parts.append(digits[at : at + size])
            at += size
    return sign.join(parts)


def said_en(digits: str, chance: random.Random, *, fillers: bool = False) -> str:
    """Digit by digit, with doubles, "oh" and now and then a pair as one number."""
    words, at = list[str](), 0
    oh, pairs = chance.random() < 0.4, chance.random() < 0.15
    while at < len(digits):
        digit = digits[at]
        if not digit.isdigit():
            words.append(digit.lower())
            at += 1
            continue
        same = len(digits) - at - len(digits[at:].lstrip(digit))
        name = "oh" if oh and digit == "0" else EN_DIGITS[int(digit)]
        if same >= 2 and chance.random() < 0.6:
            times = min(same, 3)
            words.append(f"{'double' if times == 2 else 'triple'} {name}")
            at += times
        elif pairs and digits[at : at + 2].isdigit() and len(digits[at : at + 2]) == 2 and digit != "0":
            words.append(two_digits(int(digits[at : at + 2])))
            at += 2
        else:
            words.append(name)
            at += 1
        if at < len(digits) and fillers and chance.random() < 0.2:
            words.append(chance.choice(EN_FILLERS))
        elif at < len(digits) and chance.random() < 0.06:
            words[-1] += ","
    return " ".join(words)


def two_digits(value: int) -> str:
    if value < 10:
        return EN_DIGITS[value]
    if value < 20:
        return EN_TEENS[value - 10]
    return EN_TENS[value // 10] + (f" {EN_DIGITS[value % 10]}" if value % 10 else "")


def said_zh(digits: str, chance: random.Random, *, fillers: bool = False) -> str:
    yao = chance.random() < 0.6
    names = dict(zip("0123456789", ZH_DIGITS, strict=True)) | ({"1": "幺"} if yao else {})
    parts = list[str]()
    for place, digit in enumerate(digits):
        parts.append(names.get(digit, digit))
        if place + 1 < len(digits):
            if fillers and chance.random() < 0.15:
                parts.append(chance.choice(("，", "")) + chance.choice(ZH_FILLERS) + chance.choice(("，", "")))
            elif chance.random() < 0.08:
                parts.append(chance.choice(("，", " ", "、")))
    return "".join(parts)


def written(digits: str, chance: random.Random) -> str:
    """With groups as recognisers and people make them."""
    sign = chance.choice((" ", "-", "", " ", "", " - ", "."))
    sizes: Sequence[int] = (4, 4, 4, 4, 3)
    if len(digits) == 11:
        sizes = chance.choice(((3, 4, 4), (3, 4, 4), (3, 3, 5)))
    elif len(digits) in (15, 18):
        sizes = (4, 6, 5) if len(digits) == 15 else chance.choice(((6, 8, 4), (6, 4, 4, 4)))
    elif len(digits) <= 8:
        sizes = chance.choice(((3, 3, 2), (2, 2, 2, 2), (4, 4)))
    if len(digits) <= 8 and sign == ".":
        sign = " "
    return grouped(digits, sizes, sign)


def spaced(digits: str, chance: random.Random) -> str:
    return chance.choice((" ", " ", "-", ", ")).join(digits)


FORMS: dict[str, Callable[[str, random.Random], str]] = {
    "digits": written,
    "spaced": spaced,
    "said en": said_en,
    "said en, fillers": lambda digits, chance: said_en(digits, chance, fillers=True),
    "said zh": said_zh,
    "said zh, fillers": lambda digits, chance: said_zh(digits, chance, fillers=True),
}

_NAMES = ("john", "mary", "li", "wei", "zhang", "anna", "peter", "chen", "maria", "wang")
_HOSTS = (("gmail", "com"), ("163", "com"), ("qq", "com"), ("example", "org"), ("outlook", "com"), ("web", "de"))


def _email(chance: random.Random, language: str) -> tuple[str, str]:
    first, second, (host, end) = chance.choice(_NAMES), chance.choice(_NAMES), chance.choice(_HOSTS)
    if chance.random() < 0.5:
        tail = chance.choice(("", str(chance.randrange(100))))
        return f"{first}{chance.choice('._')}{second}{tail}@{host}.{end}", "digits"
    if language == "en":
        sign = chance.choice(("dot", "underscore"))
        spoken_host = " ".join(EN_DIGITS[int(c)] for c in host) if host.isdigit() else host
        return f"{first} {sign} {second} at {spoken_host} dot {end}", "said en"
    return f"{first}{chance.choice(('点', '下划线'))}{second}{chance.choice(('艾特', '@'))}{host}点{end}", "said zh"


def _birthday(chance: random.Random, language: str) -> tuple[str, str]:
    year, month, day = chance.randrange(1940, 2012), chance.randrange(1, 13), chance.randrange(1, 29)
    if language == "zh":
        if chance.random() < 0.5:
            return f"{year}年{month}月{day}{chance.choice('日号')}", "digits"
        number = {n: _zh_number(n) for n in range(1, 32)}
        said = "".join(ZH_DIGITS[int(c)] for c in str(year))
        return f"{said}年{number[month]}月{number[day]}{chance.choice('日号')}", "said zh"
    form = chance.randrange(5)
    if form == 0:
        return f"{EN_MONTHS[month - 1]} {day}, {year}", "digits"
    if form == 1:
        return f"{day} {EN_MONTHS[month - 1]} {year}", "digits"
    if form == 2:
        return chance.choice(
            (f"{year}-{month:02}-{day:02}", f"{month}/{day}/{year}", f"{day:02}.{month:02}.{year}")
        ), "digits"
    said = (
        f"{two_digits(year // 100)} {two_digits(year % 100)}"
        if year % 100 > 9
        else f"{two_digits(year // 100)} oh {EN_DIGITS[year % 10]}"
    )
    if form == 3:
        return f"{EN_MONTHS[month - 1]} {EN_ORDINALS[day - 1]} {said}", "said en"
    return f"the {EN_ORDINALS[day - 1]} of {EN_MONTHS[month - 1]} {said}", "said en"


def _zh_number(value: int) -> str:
    if value < 10:
        return ZH_DIGITS[value]
    tens = "" if value // 10 == 1 else ZH_DIGITS[value // 10]
    return f"{tens}十{ZH_DIGITS[value % 10] if value % 10 else ''}"


def _phone(chance: random.Random, language: str) -> tuple[str, str | None]:
    """A number, and how it must be written where only one way will do."""
    kind = chance.randrange(5)
    if language == "zh" or kind == 0:
        if kind == 1:
            area = chance.choice(("010", "021", "0755", "0571"))
            number = area + _number(chance, 8)
            return number, chance.choice((f"{area}-{number[len(area) :]}", f"({area}){number[len(area) :]}", None))
        return mobile(chance), None
    if kind in (1, 2):
        number = f"{chance.randrange(2, 10)}{_number(chance, 9)[1:]}"
        a, b, c = number[:3], number[3:6], number[6:]
        return number, chance.choice((f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"+1 {a} {b} {c}", None))
    if kind == 3:
        number = mobile(chance)
        return number, f"+86 {number[:3]} {number[3:7]} {number[7:]}"
    number = _number(chance, 10)
    return number, f"+44 {number[:2]} {number[2:6]} {number[6:]}"


def _digits(kind: str, chance: random.Random, language: str) -> tuple[str, str | None]:
    """The digits of a secret, and the one way to write them where there is only one."""
    if kind == "card":
        return card(chance, valid=chance.random() < 0.7), None
    if kind == "id":
        return resident(chance), None
    if kind == "ssn":
        number = _number(chance, 9)
        return number, chance.choice((f"{number[:3]}-{number[3:5]}-{number[5:]}", None))
    if kind == "passport":
        return chance.choice(("E", "G", "EA", "EB", "C", "AB")) + _number(chance, 7 + chance.randrange(2)), "as it is"
    if kind == "phone":
        return _phone(chance, language)
    if kind == "code":
        return "".join(str(chance.randrange(10)) for _ in range(chance.choice((4, 6, 6, 6, 8)))), None
    if kind == "account":
        return _number(chance, chance.randrange(8, 20)), None
    if kind == "iban":
        number = iban(chance)
        return number, grouped(number, (4,), " ") if chance.random() < 0.6 else number
    assert kind == "pin"
    return "".join(str(chance.randrange(10)) for _ in range(chance.choice((4, 6)))), None


def utterance(chance: random.Random, language: str) -> Utterance:
    """One secret in one sentence."""
    templates = WITH_SECRET_EN if language == "en" else WITH_SECRET_ZH
    kind = chance.choice(sorted(templates))
    template = chance.choice(templates[kind])
    if kind == "email":
        secret, form = _email(chance, language)
    elif kind == "birthday":
        secret, form = _birthday(chance, language)
    elif kind == "password":
        letters = "".join(chance.choice("abcdefghkmnprstuvwxyz") for _ in range(chance.randrange(3, 8)))
        secret, form = letters.capitalize() + str(chance.randrange(10, 9999)) + chance.choice(("", "!", "#")), "digits"
    else:
        digits, fixed = _digits(kind, chance, language)
        forms = ["digits", "digits", "spaced", f"said {language}", f"said {language}, fillers"]
        form = "digits" if fixed is not None and chance.random() < 0.7 else chance.choice(forms)
        if kind == "iban":
            form = "digits"
        if form == "digits" and fixed is not None:
            secret = digits if fixed == "as it is" else fixed
        else:
            secret = FORMS[form](digits, chance)
    return Utterance(template.format(secret), secret, language, kind, form)


def utterances(count: int, seed: int = 1) -> Iterator[Utterance]:
    chance = random.Random(seed)
    for number in range(count):
        yield utterance(chance, ("en", "zh")[number % 2])


def ordinary(chance: random.Random, language: str) -> str:
    """A sentence of a bank's hall with numbers in it that may be kept."""
    template = chance.choice(ORDINARY[language])
    while "{" in template:
        start = template.index("{")
        end = template.index("}", start)
        template = template[:start] + _filled(template[start + 1 : end], chance) + template[end + 1 :]
    return template


def _filled(name: str, chance: random.Random) -> str:
    if name == "amount":
        return str(
            chance.choice((chance.randrange(100, 1000), 50 * chance.randrange(2, 2000), chance.randrange(1000, 99999)))
        )
    if name == "thousands":
        return f"{chance.randrange(1000, 5000000):,}"
    values: dict[str, Callable[[], object]] = {
        "small": lambda: chance.randrange(2, 10),
        "more": lambda: chance.randrange(10, 60),
        "two": lambda: f"{chance.randrange(100):02}",
        "hundred": lambda: chance.randrange(100, 1000),
        "hour": lambda: chance.randrange(8, 10),
        "year": lambda: chance.randrange(1950, 2027),
        "month": lambda: chance.choice(EN_MONTHS),
        "month_n": lambda: chance.randrange(1, 13),
        "day": lambda: chance.randrange(1, 29),
        "mm": lambda: f"{chance.randrange(1, 13):02}",
        "dd": lambda: f"{chance.randrange(1, 29):02}",
        "zh": lambda: ZH_DIGITS[chance.randrange(1, 10)],
    }
    return str(values[name]())
