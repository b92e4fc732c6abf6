"""Reading English text: numbers, dates, times, money, units, abbreviations, acronyms, addresses."""

from __future__ import annotations

import re

from anchor.voice.text.english_numbers import cardinal, fraction, number, ordinal, pairs, plural, single, year
from anchor.voice.text.rules import Reading, Rules
from anchor.voice.text.tokens import Token

RULES = Rules("en", r"(?<![A-Za-z0-9])[^\s]|(?<=[A-Za-z])(?<!\d)\d|[×÷=+±≈≤≥<>°&@~→/]")

_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_NUM = rf"{_N}(?:\.\d+)?"
_SIGNED = rf"(?:(?<![\w.])[-−–])?{_NUM}"
_SCALE = r"(?:thousand|million|billion|trillion|bn|mn|tn|m|k|b)(?![A-Za-z])"
_SCALES = {"bn": "billion", "b": "billion", "mn": "million", "m": "million", "tn": "trillion", "k": "thousand"}
_END = r"(?![A-Za-z\d])"

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)(?:\.|(?<=[a-z])(?:uary|ruary|ch|il|e|y|ust|tember|ober|ember)\b)?(?![a-z])"  # noqa: E501
_CLOCK_ZONE = r"(?:\s(?:GMT|UTC|EST|EDT|CST|CDT|PST|PDT|MST|CET|BST|ET|PT)\b)"

_UNITS = {
    "km/h": "kilometer per hour", "kmh": "kilometer per hour", "kph": "kilometer per hour", "mph": "mile per hour",
    "m/s": "meter per second", "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter",
    "nm": "nanometer", "μm": "micrometer", "µm": "micrometer", "ft": "foot", "mi": "mile", "yd": "yard",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "μg": "microgram", "µg": "microgram", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "t": "ton", "l": "liter", "ml": "milliliter", "km²": "square kilometer",
    "km2": "square kilometer", "m²": "square meter", "m2": "square meter", "㎡": "square meter",
    "cm²": "square centimeter", "m³": "cubic meter", "m3": "cubic meter", "sq ft": "square foot",
    "sq km": "square kilometer", "sq m": "square meter", "sq mi": "square mile", "ha": "hectare",
    "GB": "gigabyte", "MB": "megabyte", "KB": "kilobyte", "TB": "terabyte", "PB": "petabyte",
    "Gbps": "gigabit per second", "Mbps": "megabit per second", "kbps": "kilobit per second", "GHz": "gigahertz",
    "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt",
    "W": "watt", "kWh": "kilowatt hour", "MWh": "megawatt hour", "mAh": "milliamp hour", "V": "volt", "A": "amp",
    "dB": "decibel", "hPa": "hectopascal", "Pa": "pascal", "ms": "millisecond", "sec": "second", "min": "minute",
    "hr": "hour", "hrs": "hour", "°C": "degree Celsius", "°F": "degree Fahrenheit", "℃": "degree Celsius",
    "℉": "degree Fahrenheit", "°": "degree", "px": "pixel", "fps": "frame per second", "rpm": "revolution per minute",
    "bps": "basis point", "cal": "calorie", "kcal": "kilocalorie", "ppm": "part per million", "in": "inch",
}  # fmt: skip
_CASELESS_UNITS = {name.lower(): said for name, said in _UNITS.items()}
_INVARIABLE = ("hertz", "kilohertz", "megahertz", "gigahertz")
# Names that are words or letters elsewhere count only when written against the number: "5m", not "5 A".
_UNIT_NAMES = [name for name in sorted(_UNITS, key=len, reverse=True) if name not in ("in", "t")]
_UNIT_CLOSE = "|".join(map(re.escape, _UNIT_NAMES))
_UNIT_APART = "|".join(re.escape(name) for name in _UNIT_NAMES if name != "A")

_CURRENCIES = {
    "US$": ("dollar", "cent"), "HK$": ("Hong Kong dollar", "cent"), "A$": ("Australian dollar", "cent"),
    "C$": ("Canadian dollar", "cent"), "NT$": ("Taiwan dollar", "cent"), "S$": ("Singapore dollar", "cent"),
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yuan", "fen"), "₩": ("won", ""),
    "₹": ("rupee", "paisa"), "₽": ("ruble", "kopek"), "USD": ("dollar", "cent"), "EUR": ("euro", "cent"),
    "GBP": ("pound", "penny"), "CNY": ("yuan", "fen"), "RMB": ("yuan", "fen"), "JPY": ("yen", ""), "HKD":
    ("Hong Kong dollar", "cent"), "CHF": ("Swiss franc", "centime"), "KRW": ("won", ""),
}  # fmt: skip
_INVARIABLE_MONEY = ("yuan", "fen", "yen", "won")
_CURRENCY = "|".join(re.escape(name) for name in sorted(_CURRENCIES, key=len, reverse=True))
_CURRENCY_CODE = "|".join(name for name in _CURRENCIES if name.isalpha())

_ABBREVIATIONS = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "jr": "junior", "sr": "senior",
    "gen": "general", "sen": "senator", "rep": "representative", "gov": "governor", "lt": "lieutenant",
    "col": "colonel", "capt": "captain", "sgt": "sergeant", "rev": "reverend", "hon": "honorable", "vs": "versus",
    "etc": "et cetera", "inc": "incorporated", "ltd": "limited", "co": "company", "corp": "corporation",
    "dept": "department", "approx": "approximately", "est": "established", "fig": "figure", "vol": "volume",
    "ave": "avenue", "blvd": "boulevard", "rd": "road", "mt": "mount", "ft": "fort", "no": "number", "nos": "numbers",
    "ed": "edition", "pp": "pages", "pres": "president", "maj": "major", "adm": "admiral", "atty": "attorney",
    "tel": "telephone", "cf": "compare", "al": "al",
}  # fmt: skip
_DOTTED = {
    "e.g.": "for example", "i.e.": "that is", "a.m.": "AM", "p.m.": "PM", "ph.d.": "P H D", "a.k.a.": "A K A",
    "p.s.": "P S", "et al.": "et al",
}  # fmt: skip
_SPELLED_WORDS = {
    "w/": "with", "w/o": "without", "wifi": "why fie",
}  # fmt: skip

_SAID_AS_WORDS = frozenset(
    """NASA NATO UNESCO UNICEF OPEC AIDS COVID LASER RADAR SONAR ASEAN FIFA UEFA NAFTA DARPA RAM ROM PIN SIM SARS MERS
    SWAT FEMA OSHA NASDAQ IKEA LEGO TASS APEC OPEK INTERPOL POTUS SCOTUS FLOTUS NASCAR LIDAR GIF CAPTCHA ASCII BIOS
    YOLO FAQ ZIP WASP MENSA EURO AWOL CERN ESPRIT SAARC BRICS BRIC ICANN JPEG MIDI SAP SALT START SOHO TEFL TESOL
    WHOIS HUD NOAA SETI ELISA HEPA LAN WAN VAT OR AND THE OF IN ON TO FOR BUT NOT ALL NEW NEWS BY AS AT IS IT WE HE ARE
    YOU CAN NOW ONE TWO BIG END VERY MUST STOP GO NO YES SO UP DOWN OUT OFF OVER ONLY JUST REAL TRUE FREE SALE LIVE BEST
    GOOD BAD HOT WOW MY ME DO DID HAS HAD WAS WILL WHO WHAT WHY HOW HER HIS HIM OUR THEY THIS THAT""".split()  # noqa: SIM905 - a list of 90 quoted words cannot be read
)
_INITIALS = frozenset(
    """US UK EU UN UAE USA GDP CPI PMI IMF WTO WHO CEO CFO FBI CIA NSA SEC FDA CDC GOP NBA NFL MLB NHL TV IPO AI EV BBC
    CNN ABC CBS NBC PM MP DNA HIV""".split()  # noqa: SIM905
)

NUMERALS = {
    "II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9", "XI": "11", "XII": "12",
    "XIII": "13", "XIV": "14", "XV": "15", "XVI": "16", "XVII": "17", "XVIII": "18", "XIX": "19", "XX": "20",
    "XXI": "21", "XXII": "22", "XXIII": "23", "XXIV": "24", "XXV": "25", "V": "5", "X": "10", "I": "1",
}  # fmt: skip
_COUNTED = (
    "war|chapter|part|act|section|volume|vol|phase|type|title|class|bowl|apollo|episode|article|stage|level|grade|"
    "category|appendix|book|scene|mark|tier|henley|schedule|figure|table"
)


def letters(text: str) -> str:
    """Say letters one by one."""
    return " ".join(letter.upper() for letter in text if letter.isalpha())


def letter_a() -> Token:
    """The letter A, which espeak-ng would take for the article."""
    return Token("A", "A", "en", "'eI")


def word(text: str, *, shouted: bool = False) -> str:
    """How a word in Latin letters is said: an acronym letter by letter, a brand in its parts, others as they are.

    In `shouted` text, which is all in capitals, only well-known initials are letters.
    """
    plain = text.replace("’", "'")
    if plain.lower() in _SPELLED_WORDS:
        return _SPELLED_WORDS[plain.lower()]
    if match := re.fullmatch(r"([A-Z]{2,})('?s)", plain):
        said = _acronym(match[1])
        return said + (match[2] if len(said) == 1 or said[-2] != " " else "'s")
    if plain.isupper() and len(plain) > 1 and plain.isalpha():
        return plain.capitalize() if shouted and plain not in _INITIALS else _acronym(plain)
    if re.search(r"[a-z][A-Z]", plain) and plain.isalpha() and not re.match(r"(?:Mc|Mac|De|Di|La|Le)[A-Z]", plain):
        parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", plain)
        return " ".join(_acronym(part) if part.isupper() and len(part) > 1 else part for part in parts)
    return plain


def _acronym(text: str) -> str:
    return text.capitalize() if text in _SAID_AS_WORDS or len(text) > 5 else letters(text)


def _month(name: str) -> str:
    return next(month for month in MONTHS if month.lower().startswith(name.lower()[:3]))


def _day(digits: str) -> str | None:
    return ordinal(digits) if 1 <= int(digits) <= 31 else None


def _scaled(scale: str | None) -> str:
    return " " + _SCALES.get(scale.lower(), scale.lower()) if scale else ""


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1100 <= int(digits) <= 2099


def _count(text: str) -> str:
    """A bare number: a year where it looks like one."""
    return year(text) if text.isdigit() and _is_year(text) else number(text)


@RULES.rule(r"(?:https?://|www\.)[^\s<>\"“”，。、）)]*[^\s<>\"“”，。、）).,;:!?'’]")
def _address(match: re.Match[str]) -> Reading:
    return _spelled_address(re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0], flags=re.IGNORECASE).rstrip("/"))


@RULES.rule(
    r"[\w.+-]+@[\w-]+(?:\.[A-Za-z][\w-]*)+",
    r"(?:[a-z\d-]+\.)+(?:com|org|net|cn|io|gov|edu|info|app|dev|ai|tv|me|co\.uk|uk|eu|de|fr|jp)(?:/[\w./-]*\w)?(?![\w-])",
)
def _mail(match: re.Match[str]) -> Reading:
    return None if match[0][0].isdigit() and "@" not in match[0] else _spelled_address(match[0])


_ADDRESS_SIGNS = {
    ".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", ":": "colon", "~": "tilde", "+": "plus",
}  # fmt: skip


_SHORT_NAMES = ("co", "me", "go", "my", "be", "to", "so", "hi", "in", "on", "we", "up")


def _spelled_address(text: str) -> str:
    said = []
    for part in re.findall(r"[^\W\d_]+|\d+|[\W_]", text):
        if part in _ADDRESS_SIGNS:
            said.append(_ADDRESS_SIGNS[part])
        elif part.isdigit():
            said.append(cardinal(part) if len(part) < 3 else single(part))
        elif part.isalpha():
            spelled = not re.search("[aeiouyAEIOUY]", part) or (len(part) == 2 and part.lower() not in _SHORT_NAMES)
            said.append(letters(part) if spelled else word(part))
    return " ".join(said)


def _amount(digits: str, scale: str | None, unit: str, cent: str) -> str:
    name = unit if unit in _INVARIABLE_MONEY or unit.split()[-1] in _INVARIABLE_MONEY else plural(unit)
    whole, _, part = digits.lstrip("-−–").partition(".")
    sign = "minus " if digits[0] in "-−–" else ""
    if len(part) == 2 and not scale and cent and cent not in _INVARIABLE_MONEY:
        said = (
            [f"{cardinal(whole)} {unit if whole == '1' else name}"]
            if int(whole.replace(",", "")) or not int(part)
            else []
        )
        if int(part):
            said.append(f"{cardinal(part)} {cent if int(part) == 1 else 'pence' if cent == 'penny' else plural(cent)}")
        return sign + " and ".join(said)
    single_one = digits.lstrip("-−–") == "1" and not scale
    return f"{sign}{number(digits.lstrip('-−–'))}{_scaled(scale)} {unit if single_one else name}"


@RULES.rule(
    rf"(?P<sign>[-−–])?(?P<unit>{_CURRENCY})\s?(?P<first>{_NUM})\s?(?P<one>{_SCALE})?\s?(?:-|–|—|to)\s?"
    rf"(?:(?:{_CURRENCY})\s?)?(?P<last>{_NUM})\s?(?P<scale>{_SCALE})?{_END}"
)
def _money_range(match: re.Match[str]) -> Reading:
    first = number(match["first"]) + _scaled(match["one"])
    unit, _ = _CURRENCIES[_currency(match["unit"])]
    return f"{first} to {_amount(match['last'], match['scale'], unit, '')}"


def _currency(name: str) -> str:
    return name.upper()


@RULES.rule(
    rf"(?P<sign>[-−–])?(?P<unit>{_CURRENCY})\s?(?P<number>[-−–]?{_NUM})(?:(?P<gap>\s?)(?P<scale>{_SCALE}))?{_END}"
)
def _money(match: re.Match[str]) -> Reading:
    unit, cent = _CURRENCIES[_currency(match["unit"])]
    said = _amount(match["number"], match["scale"], unit, cent)
    return f"minus {said}" if match["sign"] else said


@RULES.rule(rf"(?P<number>{_NUM})(?:\s?(?P<scale>{_SCALE}))?\s?(?P<unit>{_CURRENCY_CODE}|[€£¥₩])(?![A-Za-z])")
def _money_after(match: re.Match[str]) -> Reading:
    unit, cent = _CURRENCIES[_currency(match["unit"])]
    return _amount(match["number"], match["scale"], unit, cent)


@RULES.rule(rf"(?P<first>{_SIGNED})\s?%?\s?[-–—~]\s?(?P<last>{_NUM})\s?%")
def _percent_range(match: re.Match[str]) -> Reading:
    return f"{number(match['first'])} to {number(match['last'])} percent"


@RULES.rule(rf"([+＋]?)({_SIGNED})\s?([%％‰])")
def _percent(match: re.Match[str]) -> Reading:
    return f"{'plus ' if match[1] else ''}{number(match[2])} {'percent' if match[3] != '‰' else 'per mille'}"


@RULES.rule(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d])")
def _date_iso(match: re.Match[str]) -> Reading:
    return _written_date(match[3], match[4], match[1])


@RULES.rule(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?!\d)")
def _date_american(match: re.Match[str]) -> Reading:
    month, day = (match[1], match[3]) if int(match[1]) <= 12 else (match[3], match[1])
    return _written_date(month, day, match[4])


def _written_date(month: str, day: str, of_year: str) -> str | None:
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31:
        return None
    return f"{MONTHS[int(month) - 1]} {ordinal(day)}, {year(of_year)}"


@RULES.rule(rf"({_MONTH})(\s+)(\d{{1,2}})\s?[-–—]\s?(\d{{1,2}})\b(?![:.]\d|\s?[%$€£])")
def _month_days(match: re.Match[str]) -> Reading:
    first, last = _day(match[3]), _day(match[4])
    if first is None or last is None:
        return None
    days = match[0][match.end(2) - match.start() :]
    return [Token(match[1], _month(match[1]), "en"), Token(match[2]), Token(days, f"{first} to {last}", "en")]


@RULES.rule(rf"({_MONTH})(\s+)(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d|\s?[%$€£])(?:(,?\s+)(\d{{4}})\b)?")
def _month_day(match: re.Match[str]) -> Reading:
    day = _day(match[3])
    if day is None:
        return None
    between = match[0][match.end(2) - match.start() : match.start(4) - match.start() if match[4] else None]
    tokens = [Token(match[1], _month(match[1]), "en"), Token(match[2]), Token(between, day, "en")]
    if match[4]:
        tokens += [Token(match[4], mark=","), Token(match[5], year(match[5]), "en")]
    return tokens


@RULES.rule(rf"(\d{{1,2}})(?:st|nd|rd|th)?(\s+)(?:of\s+)?({_MONTH})(?:(,?\s+)(\d{{4}})\b)?")
def _day_month(match: re.Match[str]) -> Reading:
    day = _day(match[1])
    if day is None:
        return None
    article = "" if re.search(r"\bthe\s$", match.string[: match.start()], re.IGNORECASE) else "the "
    said = f"{article}{day} of {_month(match[3])}"
    if not match[4]:
        return said
    before = match[0][: match.start(4) - match.start()]
    return [Token(before, said, "en"), Token(match[4]), Token(match[5], year(match[5]), "en")]


@RULES.rule(rf"({_MONTH})(\s+)(\d{{4}})\b")
def _month_year(match: re.Match[str]) -> Reading:
    return [Token(match[1], _month(match[1]), "en"), Token(match[2]), Token(match[3], year(match[3]), "en")]


_HALF_DAY = r"(?P<half>a\.m\.?|p\.m\.?|am|pm)(?![A-Za-z])"


@RULES.rule(r"(\d{1,2}):(\d\d)(\s?)[-–—]\s?(\d{1,2}):(\d\d)(?![\d:])")
def _hours(match: re.Match[str]) -> Reading:
    if int(match[1]) > 24 or int(match[4]) > 24:
        return None
    return f"{_clock(match[1], match[2])} to {_clock(match[4], match[5])}"


def _clock(hour: str, minute: str) -> str:
    if not int(minute):
        return cardinal(hour) + (" o'clock" if int(hour) <= 12 else " hundred hours")
    return f"{cardinal(hour)} {'oh ' if int(minute) < 10 else ''}{cardinal(minute)}"


@RULES.rule(
    rf"(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?!\d)(?:\s?{_HALF_DAY})?(?P<zone>{_CLOCK_ZONE})?",
    rf"(?P<hour>\d{{1,2}})\.(?P<minute>\d\d)(?P<second>)\s?{_HALF_DAY}(?P<zone>{_CLOCK_ZONE})?",
    rf"(?P<hour>\d{{1,2}})(?P<minute>)(?P<second>)\s?{_HALF_DAY}(?P<zone>{_CLOCK_ZONE})?",
)
def _time(match: re.Match[str]) -> Reading:
    hour, minute, second = match["hour"], match["minute"], match["second"]
    if int(hour) > 24 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    half = f" {letters(match['half'])}".replace(" A M", " AM").replace(" P M", " PM") if match["half"] else ""
    zone = f" {letters(match['zone'])}" if match["zone"] else ""
    if second:
        return f"{_several(hour, 'hour')} {_several(minute, 'minute')} and {_several(second, 'second')}{half}{zone}"
    if half and not int(minute or 0):
        return cardinal(hour) + half + zone
    return _clock(hour, minute or "0") + half + zone


def _several(digits: str, unit: str) -> str:
    return f"{cardinal(digits)} {unit if int(digits) == 1 else plural(unit)}"


@RULES.rule(r"(\d)([HQ])(\d\d(?:\d\d)?)(?!\d)", r"(?P<name>[HQ])(?P<part>[1-4])(?:\s(?P<year>\d{4}))?(?![\w])", flags=0)
def _quarter(match: re.Match[str]) -> Reading:
    if "part" in match.re.groupindex:
        part, name, of_year = match["part"], match["name"], match["year"]
        return f"{name} {cardinal(part)}" + (f" {year(of_year)}" if of_year else "")
    said = f"the {ordinal(match[1])} {'quarter' if match[2] == 'Q' else 'half'} of "
    return said + (year(match[3]) if len(match[3]) == 4 else cardinal(match[3]))


@RULES.rule(r"['’](\d0)s(?![a-z])", r"(?P<year>\d{2}|1[1-9]\d|[12]\d)?(?P<decade>\d0)s(?![a-z])")
def _decade(match: re.Match[str]) -> Reading:
    if "decade" not in match.re.groupindex:
        return plural(cardinal(match[1]))
    decade, century = match["decade"], match["year"] or ""
    if decade == "00":
        return plural(year(century + decade)) if century else None
    return f"{cardinal(century)} {plural(cardinal(decade))}" if century else plural(cardinal(decade))


@RULES.rule(r"(\d{1,4})\s?(B\.?C\.?E?\.?|A\.?D\.?|C\.?E\.?)(?![A-Za-z])", flags=0)
def _era(match: re.Match[str]) -> Reading:
    return f"{year(match[1])} {letters(match[2])}"


@RULES.rule(rf"({_N})\s?(st|nd|rd|th)(?![A-Za-z])")
def _ordinal(match: re.Match[str]) -> Reading:
    return ordinal(match[1])


_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8), "⅜": (3, 8)}
_NAMED_FRACTIONS = {"24/7": "twenty four seven", "9/11": "nine eleven", "50/50": "fifty fifty"}


@RULES.rule(rf"(?:({_N})\s?)?([{''.join(_VULGAR)}])")
def _vulgar(match: re.Match[str]) -> Reading:
    above, below = _VULGAR[match[2]]
    said = fraction(str(above), str(below))
    return f"{cardinal(match[1])} and {said.replace('one half', 'a half')}" if match[1] else said


@RULES.rule(r"(?:(\d+)\s)?(\d{1,3})\s?/\s?(\d{1,3})(?:ths?|rds?)?(?![\d/A-Za-z])")
def _fraction(match: re.Match[str]) -> Reading:
    if match[0] in _NAMED_FRACTIONS:
        return _NAMED_FRACTIONS[match[0]]
    said = fraction(match[2], match[3])
    return f"{cardinal(match[1])} and {said}" if match[1] else said


@RULES.rule(
    r"\+\d{1,3}[ -.]?\(?\d{1,4}\)?(?:[ -.]\d{2,5}){1,4}(?:-\d)?(?!\d)",
    r"1-\d{3}-[\dA-Z]+(?:-[\dA-Z]+)+(?![\w])",
    r"\(\d{3}\) ?\d{3}-\d{4}(?!\d)",
    r"\d{3}[-.]\d{3}[-.]\d{4}(?!\d)",
    r"\d{3}-\d{4}(?!\d)",
    r"\d{3,4}-\d{7,8}(?!\d)",
    flags=0,
)
def _telephone(match: re.Match[str]) -> Reading:
    groups = re.findall(r"\d+|[A-Z]+", match[0])
    said = [_telephone_group(group) for group in groups]
    plus = "plus " if match[0][0] == "+" else ""
    return plus + ", ".join(said)


_DIALLED = re.compile(
    r"\b(?:call|dial|phone|telephone|ring|text|hotline|helpline|tel\.?|fax)\s(?:us\s(?:on|at)\s)?$", re.IGNORECASE
)


@RULES.rule(r"\d{3,}(?: \d{3,})*(?=\s?(?:$|[,;!?)]|\.(?!\d)|(?:now|or|for|to|if|and|at|on|today|immediately)\b))")
def _dialled(match: re.Match[str]) -> Reading:
    """Digits after a word that tells of a telephone, when they count nothing."""
    if not _DIALLED.search(match.string[: match.start()]):
        return None
    return ", ".join(_telephone_group(group) for group in match[0].split())


def _telephone_group(group: str) -> str:
    if group.isalpha():
        return word(group) if len(group) > 2 else group
    return f"{cardinal(group[0])} hundred" if group in ("800", "900", "400") else single(group)


@RULES.rule(r"(?:\d+\.){2,}\d+(?!\d)")
def _version(match: re.Match[str]) -> Reading:
    return " point ".join(cardinal(part) if len(part) < 3 else single(part) for part in match[0].split("."))


@RULES.rule(rf"({_SIGNED})\s?[-–—~]\s?({_NUM})(?:\s?({_UNIT_APART}))?{_END}", flags=0)
def _range(match: re.Match[str]) -> Reading:
    first, last = match[1], match[2]
    if len(last) < len(first) and first.isdigit() and _is_year(first) and len(last) == 2:
        return f"{year(first)} to {cardinal(last)}"
    unit = f" {_unit(match[3], last)}" if match[3] else ""
    if unit:
        return f"{number(first)} to {number(last)}{unit}"
    return f"{_count(first)} to {_count(last)}"


@RULES.rule(
    rf"({_SIGNED})(?:[\s-]?({_SCALE}))?\s?({_UNIT_APART})(?:²|³)?{_END}(?!['’])",
    rf"({_SIGNED})()({_UNIT_CLOSE}){_END}(?!['’])",
    flags=0,
)
def _measure(match: re.Match[str]) -> Reading:
    if match[3] == "m" and match.string[match.end() :].startswith("."):
        return None
    return f"{number(match[1])}{_scaled(match[2] or None)} {_unit(match[3], match[1] if not match[2] else '2')}"


def measure(digits: str, name: str) -> str | None:
    """Say a number with its unit, also one whose name is a word elsewhere ("5 in"); None for a unit unknown."""
    if name not in _UNITS and name.lower() not in _CASELESS_UNITS:
        return None
    return f"{number(digits)} {_unit(name, digits)}"


def _unit(name: str, digits: str) -> str:
    said = _UNITS.get(name) or _CASELESS_UNITS[name.lower()]
    if digits.lstrip("-−–") == "1" or said in _INVARIABLE:
        return said
    if said == "foot":
        return "feet"
    if said == "inch":
        return "inches"
    head, per, tail = said.partition(" per ")
    first, space, rest = head.partition(" ")
    if first == "degree":
        return f"degrees{space}{rest}"
    return plural(head) + per + tail


@RULES.rule(r"(?:No|Nos)\.\s?(\d+)(?!\d)", r"#(\d+)(?!\d)")
def _numbered(match: re.Match[str]) -> Reading:
    return f"number {cardinal(match[1])}"


@RULES.rule(rf"((?:{_COUNTED})\s+)([IVX]{{1,5}})(?![\w'’])")
def _counted(match: re.Match[str]) -> Reading:
    if match[2] not in NUMERALS:
        return None
    name = match[1].rstrip()
    return [
        Token(name, word(name), "en"),
        Token(match[1][len(name) :]),
        Token(match[2], cardinal(NUMERALS[match[2]]), "en"),
    ]


@RULES.rule(r"(?<=[a-z]\s)(?:II|III|IV|VI|VII|VIII|IX|XI|XII|XIII|XIV|XV|XVI|XVIII|XX|XXIII)(?![\w.])", flags=0)
def _reign(match: re.Match[str]) -> Reading:
    before = re.search(r"([A-Z][a-zé]+)\s$", match.string[: match.start()])
    return f"the {ordinal(NUMERALS[match[0]])}" if before else None


@RULES.rule(r"(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z]))?(?:'s)?", r"ph\.d\.?", r"et al\.", flags=re.IGNORECASE)
def _dotted(match: re.Match[str]) -> Reading:
    known = _DOTTED.get(match[0].lower())
    if known:
        return known
    possessive = "'s" if match[0].endswith("'s") else ""
    said = letters(match[0].removesuffix("'s")) + possessive
    # A full stop that ends the sentence as well is said as one.
    ends = re.match(r"[\"”’')]*\s*$", match.string[match.end() :])
    return [Token(match[0], said, "en", mark="." if ends else "")]


_TITLES = "|".join(sorted(_ABBREVIATIONS, key=len, reverse=True))


@RULES.rule(rf"({_TITLES})\.(?=\s|,|$|\))")
def _abbreviation(match: re.Match[str]) -> Reading:
    name = match[1].lower()
    rest = match.string[match.end() :]
    if name in ("no", "nos", "fig", "al", "ed", "est", "co", "ave", "hon", "rep", "col", "gen", "sen", "fig") and (
        not match[1][0].isupper() or not re.match(r"\s+[\w“\"]", rest)
    ):
        return None if name not in ("co",) else "company"
    if name in ("no", "ed", "est") and not re.match(r"\s+\d", rest):
        return None
    ends = not rest.strip("\"”’') ")
    return [Token(match[0], _ABBREVIATIONS[name], "en", mark="." if ends else "")]


@RULES.rule(r"St\.(?=[\s,;]|$)", flags=0)
def _saint(match: re.Match[str]) -> Reading:
    return "Saint" if re.match(r"\s+[A-Z]", match.string[match.end() :]) else "Street"


@RULES.rule(r"Wi-?Fi(?![A-Za-z])")
def _wireless(match: re.Match[str]) -> Reading:
    return "why fie"


@RULES.rule(r"([3-8])\s?['’′]\s?(\d{1,2})\s?[\"”″]")
def _height(match: re.Match[str]) -> Reading:
    return f"{cardinal(match[1])} foot {cardinal(match[2])}"


@RULES.rule(r"([A-Za-z])&([A-Za-z])(?![A-Za-z])", r"([A-Z]{2,})&([A-Z]+)(?![A-Za-z])", flags=0)
def _ampersand(match: re.Match[str]) -> Reading:
    return f"{letters(match[1])} and {letters(match[2])}"


@RULES.rule(r"([A-Z]{1,4})-?(\d{1,4})([A-Za-z]?)(?![\w])", r"([A-Z][A-Za-z]+)-(\d{1,4})()(?![\w-])", flags=0)
def _model(match: re.Match[str]) -> Reading:
    tail = f" {match[3].upper()}" if match[3] else ""
    if match[1] == "A":
        rest = match[0][1:]
        return [letter_a(), Token(rest, f"{pairs(match[2])}{tail}", "en")]
    name = word(match[1]) if len(match[1]) > 1 else match[1]
    return f"{name} {pairs(match[2])}{tail}"


@RULES.rule(r"((?:Boeing|Airbus|Flight|Route|Highway|Interstate)\s)(\d{3})(?![\w.,])", flags=0)
def _named(match: re.Match[str]) -> Reading:
    name = match[1].rstrip()
    return [Token(name, name, "en"), Token(match[1][len(name) :]), Token(match[2], pairs(match[2]), "en")]


@RULES.rule(r"(?<=[a-z,] )A(?![\w'’.&])(?! [A-Z])", flags=0)
def _grade(match: re.Match[str]) -> Reading:
    return [letter_a()]


@RULES.rule(r"(\d+)-(?=[A-Za-z])", flags=0)
def _compound(match: re.Match[str]) -> Reading:
    return [Token(match[1], _count(match[1]), "en"), Token("-")]


@RULES.rule(rf"({_SIGNED})\s?[x×]\s?({_NUM})(?![A-Za-z\d])", rf"(?P<times>{_NUM})[x×](?![A-Za-z\d])")
def _by(match: re.Match[str]) -> Reading:
    if "times" in match.re.groupindex:
        return f"{number(match['times'])} times"
    return f"{number(match[1])} by {number(match[2])}"


@RULES.rule(rf"({_NUM})(\s?)({_SCALE})", rf"({_SIGNED})(\s)(thousand|million|billion|trillion)(?![A-Za-z])")
def _large(match: re.Match[str]) -> Reading:
    if not match[2]:
        return number(match[1]) + _scaled(match[3]) if match[3] not in ("m", "b", "K") else None
    if match[3].lower() not in ("thousand", "million", "billion", "trillion"):
        return None
    return [Token(match[1], number(match[1]), "en"), Token(match[2]), Token(match[3], match[3], "en")]


@RULES.rule(r"\d{5,}(?!\d|[,.]\d)", r"0\d+(?!\d|[,.]\d)")
def _long(match: re.Match[str]) -> Reading:
    return single(match[0]) if match[0][0] == "0" or len(match[0]) > 9 else cardinal(match[0])


@RULES.rule(rf"(?:(?<![\w.)\]])[-−–+])?{_NUM}|(?:(?<![\w.])[-−–+])?\.\d+")
def _number(match: re.Match[str]) -> Reading:
    text = match[0]
    if text[0] == "+":
        return f"plus {number(text[1:])}"
    return number(text) if text[0] in "-−–" else _count(text)


_SIGNS = {
    "&": "and", "+": "plus", "=": "equals", "±": "plus or minus", "×": "times", "÷": "divided by", "≈": "about",
    "≤": "at most", "≥": "at least", "<": "less than", ">": "greater than", "°": "degrees", "@": "at", "%": "percent",
    "~": "about", "→": "to", "−": "minus", "§": "section", "$": "dollars", "€": "euros", "£": "pounds", "№": "number",
}  # fmt: skip


@RULES.rule(r"[&+=±×÷≈≤≥<>°@%~→−§€£№]")
def _sign(match: re.Match[str]) -> Reading:
    before, after = match.string[: match.start()], match.string[match.end() :]
    # Between words or numbers it is said; in an emoticon or a rule of signs it is not.
    sided = re.search(r"[\w)]\s?$", before) and re.match(r"\s?[\w(]", after)
    leading = match[0] in "~≈≤≥<>±§№" and re.match(r"\s?\d", after)
    return _SIGNS[match[0]] if sided or leading else None
