"""English as a recogniser of words needs it: text to the words that are said, and words to ARPAbet phones."""

from __future__ import annotations

import re
from collections.abc import Iterator

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"), (100, "hundred"))
_SIGNS = {
    "$": "dollars", "€": "euros", "£": "pounds", "¥": "yuan", "%": "percent", "&": "and", "@": "at", "+": "plus",
    "=": "equals",
}  # fmt: skip
_SHORT = {
    "mr": "mister", "mrs": "missus", "dr": "doctor", "no": "no", "vs": "versus", "etc": "et cetera", "max": "maximum",
    "e.g": "for example", "i.e": "that is", "approx": "approximately", "ok": "okay",
}  # fmt: skip
_TOKEN = re.compile(
    r"[$€£¥]\s?\d[\d,]*(?:\.\d+)?|\d{1,2}:\d{2}|\d[\d,]*(?:\.\d+)?(?:st|nd|rd|th)?\b|\d+|[%&@+=]|(?:[A-Za-z]\.){2,}|[^\W\d_]+(?:['’][^\W\d_]+)*"
)


def cardinal(number: int) -> list[str]:
    """The words of a whole number, 0 or more."""
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10], *([ONES[number % 10]] if number % 10 else [])]
    for size, name in _SCALES:
        if number >= size:
            rest = number % size
            return [*cardinal(number // size), name, *(cardinal(rest) if rest else [])]
    raise AssertionError


def ordinal(number: int) -> list[str]:
    *before, last = cardinal(number)
    if last in ORDINALS:
        return [*before, ORDINALS[last]]
    return [*before, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"]


def said(text: str) -> list[str]:
    """The words in which a text is said, in lower case: "$50" is fifty dollars, "9:30" nine thirty, "ATM" a t m."""
    return [word for token in _TOKEN.findall(text) for word in _token(token.replace("’", "'"))]


def _token(token: str) -> Iterator[str]:
    if token in _SIGNS:
        yield _SIGNS[token]
    elif token[0] in _SIGNS:
        yield from _number(token[1:].strip())
        yield _SIGNS[token[0]]
    elif token[0].isdigit():
        yield from _number(token)
    elif re.fullmatch(r"(?:[A-Za-z]\.){2,}", token) or (token.isupper() and 2 <= len(token) <= 5 and token != "OK"):
        short = token.lower().rstrip(".")
        yield from [_SHORT[short]] if short in _SHORT else (f"{letter}." for letter in token.lower().replace(".", ""))
    else:
        yield _SHORT.get(token.lower(), token.lower())


def _number(text: str) -> list[str]:
    hours, colon, minutes = text.partition(":")
    if colon:
        tail = [] if minutes == "00" else ["oh", ONES[int(minutes)]] if minutes[0] == "0" else cardinal(int(minutes))
        return cardinal(int(hours)) + tail
    if text[-1].isalpha():
        return ordinal(int(text[:-2].replace(",", "")))
    whole, point, fraction = text.replace(",", "").partition(".")
    if len(whole) > 9 or (len(whole) > 4 and "," not in text) or (whole[0] == "0" and len(whole) > 1):
        words = [ONES[int(digit)] for digit in whole]
    else:
        words = cardinal(int(whole))
    return words + (["point", *(ONES[int(digit)] for digit in fraction)] if point and fraction else [])


# Letters to phones, the longest spelling first; for names and terms that no dictionary has. About two in three phones
# come out right, which is enough to tell a word from the others that are expected.
_SPELLINGS = {
    "tion": "SH AH N", "sion": "ZH AH N", "ture": "CH ER", "ough": "AO", "augh": "AO", "eigh": "EY", "tch": "CH",
    "dge": "JH", "igh": "AY", "sch": "SH", "que": "K", "ing": "IH NG", "air": "EH R", "ear": "IH R", "eer": "IH R",
    "our": "AO R", "oor": "AO R", "ire": "AY ER", "are": "EH R", "ore": "AO R", "ch": "CH", "sh": "SH", "th": "TH",
    "ph": "F", "gh": "G", "wh": "W", "ck": "K", "ng": "NG", "qu": "K W", "kn": "N", "wr": "R", "ee": "IY", "ea": "IY",
    "ai": "EY", "ay": "EY", "ei": "EY", "ey": "IY", "ie": "IY", "oa": "OW", "oo": "UW", "ou": "AW", "ow": "OW",
    "oi": "OY", "oy": "OY", "au": "AO", "aw": "AO", "ew": "Y UW", "ue": "UW", "ui": "UW", "ar": "AA R", "er": "ER",
    "ir": "ER", "or": "AO R", "ur": "ER", "bb": "B", "cc": "K", "dd": "D", "ff": "F", "gg": "G", "ll": "L", "mm": "M",
    "nn": "N", "pp": "P", "rr": "R", "ss": "S", "tt": "T", "zz": "Z", "ce": "S EH", "ci": "S IH", "cy": "S IY",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V",
    "w": "W", "x": "K S", "y": "Y", "z": "Z",
}  # fmt: skip
_LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
_FINALS = {"a": "AH", "i": "IY", "o": "OW", "u": "UW", "y": "IY", "ce": "S", "ge": "JH", "le": "AH L", "es": "Z"}
_VOWELS = "aeiouy"


def pronounced(word: str) -> str:
    """Phones, in ARPAbet, by rule. Empty for what has no Latin letters."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    phones: list[str] = []
    place = 0
    while place < len(letters):
        rest = letters[place:]
        if place and rest in _FINALS:
            phones.append(_FINALS[rest])
            break
        if place and rest == "e":
            break
        # A vowel before one consonant and a last e is long: "crane".
        if len(rest) == 3 and rest[0] in _LONG and rest[1] not in _VOWELS + "rwx" and rest[2] == "e":
            phones.append(_LONG[rest[0]])
            place += 1
            continue
        size = next(size for size in (4, 3, 2, 1) if rest[:size] in _SPELLINGS)
        phones.append(_SPELLINGS[rest[:size]])
        place += size
    return " ".join(phones)
