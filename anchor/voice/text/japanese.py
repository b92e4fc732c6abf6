"""Reading Japanese text: kanji and numbers as kana, for espeak-ng knows kana only (dictionary: janome's IPADIC)."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from typing import Any

from anchor.voice.text.lexicon import Lexicon
from anchor.voice.text.rules import Reading, Rules
from anchor.voice.text.tokens import Token

RULES = Rules("ja", r"[\d¥￥$€£-]")

_DIGITS = ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュウ")
_HUNDREDS = (
    "", "ヒャク", "ニヒャク", "サンビャク", "ヨンヒャク", "ゴヒャク", "ロッピャク", "ナナヒャク", "ハッピャク",
    "キュウヒャク",
)  # fmt: skip
_THOUSANDS = ("", "セン", "ニセン", "サンゼン", "ヨンセン", "ゴセン", "ロクセン", "ナナセン", "ハッセン", "キュウセン")
_SECTIONS = ("", "マン", "オク", "チョウ")
_DAYS = {
    1: "ツイタチ", 2: "フツカ", 3: "ミッカ", 4: "ヨッカ", 5: "イツカ", 6: "ムイカ", 7: "ナノカ", 8: "ヨウカ",
    9: "ココノカ", 10: "トオカ", 14: "ジュウヨッカ", 20: "ハツカ", 24: "ニジュウヨッカ",
}  # fmt: skip
_UNITS = {
    "年": "ネン", "円": "エン", "時間": "ジカン", "%": "パーセント", "％": "パーセント", "km": "キロメートル",
    "kg": "キログラム", "cm": "センチ", "mm": "ミリ", "m": "メートル", "g": "グラム", "℃": "ド", "°C": "ド",
    "度": "ド", "人": "ニン", "歳": "サイ", "才": "サイ", "個": "コ", "回": "カイ", "階": "カイ", "台": "ダイ",
    "枚": "マイ", "番": "バン", "号": "ゴウ", "位": "イ", "倍": "バイ", "秒": "ビョウ", "か月": "カゲツ",
    "ヶ月": "カゲツ", "カ月": "カゲツ", "週間": "シュウカン", "ドル": "ドル", "ユーロ": "ユーロ", "万": "マン",
    "億": "オク", "兆": "チョウ", "点": "テン", "件": "ケン", "社": "シャ", "国": "コク", "分": "フン", "本": "ホン",
    "杯": "ハイ", "匹": "ヒキ", "百": "ヒャク", "千": "セン",
}  # fmt: skip
_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_SOFTENED = {"フン": "プン", "ホン": "ポン", "ハイ": "パイ", "ヒキ": "ピキ"}
_SHORTENED = ("コ", "カイ", "サイ", "ケン", "シャ", "コク", "カゲツ", "シュウカン", "テン", "チョウ", *_SOFTENED)
_NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"

_ATTACHED = ("助詞", "助動詞", "動詞,接尾", "動詞,非自立", "名詞,接尾")
"""Parts of speech that lean on the word before: one phrase has one accent."""

_lock = threading.Lock()


@functools.cache
def _tokenizer() -> Any:
    from janome.tokenizer import Tokenizer

    return Tokenizer(mmap=True)


def tokens(run: str, lexicon: Lexicon) -> Iterator[Token]:
    """Words of a run of kanji and kana, each with its reading in katakana."""
    known = next((word for word in lexicon.words("ja") if word in run), None)
    if known is not None:
        before, _, after = run.partition(known)
        entry = lexicon.find(known, "ja")
        assert entry is not None
        yield from tokens(before, lexicon) if before else ()
        yield Token(known, entry.spoken, "ja", entry.phonemes)
        yield from tokens(after, lexicon) if after else ()
        return
    with _lock:
        found = [(str(one.surface), str(one.phonetic), str(one.part_of_speech)) for one in _tokenizer().tokenize(run)]
    for surface, reading, kind in found:
        # What the dictionary does not know has "*"; kana read themselves, an unknown kanji stays silent.
        spoken = surface if reading == "*" else reading
        spoken = "".join(letter for letter in spoken if letter == "ー" or _is_kana(letter))
        yield Token(surface, spoken, "ja", joined=kind.startswith(_ATTACHED))


def _is_kana(letter: str) -> bool:
    return "\u3041" <= letter <= "\u3096" or "\u30a1" <= letter <= "\u30fa"


def cardinal(digits: str) -> str:
    """Say a whole number in katakana; one too long for words is said digit by digit."""
    digits = digits.replace(",", "").lstrip("0") or "0"
    if digits == "0":
        return "ゼロ"
    if len(digits) > 16:
        return single(digits)
    said = ""
    for power in range((len(digits) - 1) // 4, -1, -1):
        section = digits[max(0, len(digits) - 4 * (power + 1)) : len(digits) - 4 * power]
        if int(section):
            joint = _section(section.zfill(4))
            if _SECTIONS[power] == "チョウ":
                joint = re.sub("イチ$", "イッ", joint)
            said += joint + _SECTIONS[power]
    return said


def _section(digits: str) -> str:
    thousand, hundred, ten, one = (int(digit) for digit in digits)
    said = _THOUSANDS[thousand] + _HUNDREDS[hundred]
    if ten:
        said += ("" if ten == 1 else _DIGITS[ten]) + "ジュウ"
    return said + (_DIGITS[one] if one else "")


def single(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits if digit.isdigit())


def number(digits: str) -> str:
    sign, digits = ("マイナス", digits[1:]) if digits[0] == "-" else ("", digits)
    whole, _, part = digits.partition(".")
    said = cardinal(whole)
    if part:
        said = re.sub("イチ$", "イッ", re.sub("ジュウ$", "ジュッ", said))
    return sign + said + (f"テン{single(part)}" if part else "")


@RULES.rule(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
def _date(match: re.Match[str]) -> Reading:
    if not 1 <= int(match[2]) <= 12 or not 1 <= int(match[3]) <= 31:
        return None
    return f"{cardinal(match[1])}ネン {_month(match[2])} {_day(match[3])}"


@RULES.rule(r"(\d{1,2})月(\d{1,2})日")
def _month_day(match: re.Match[str]) -> Reading:
    first = match[0].index("月") + 1
    return [Token(match[0][:first], _month(match[1]), "ja"), Token(match[0][first:], _day(match[2]), "ja")]


@RULES.rule(r"(\d{1,2})月")
def _only_month(match: re.Match[str]) -> Reading:
    return _month(match[1])


@RULES.rule(r"(\d{1,2})日(?!間)")
def _only_day(match: re.Match[str]) -> Reading:
    return _day(match[1])


def _month(digits: str) -> str:
    return {4: "シ", 7: "シチ", 9: "ク"}.get(int(digits), cardinal(digits)) + "ガツ"


def _day(digits: str) -> str:
    return _DAYS.get(int(digits)) or cardinal(digits) + "ニチ"


@RULES.rule(r"(\d{1,2})(?::(\d\d)(?!\d)|時(?!間)(?:(\d{1,2})分)?)")
def _time(match: re.Match[str]) -> Reading:
    hour = {4: "ヨ", 7: "シチ", 9: "ク", 14: "ジュウヨ", 19: "ジュウク"}.get(int(match[1]), cardinal(match[1]))
    minute = match[2] or match[3]
    return f"{hour}ジ" + (f" {_counted(minute, '分')}" if minute and int(minute) else "")


@RULES.rule(rf"[¥￥]({_NUM})")
def _yen(match: re.Match[str]) -> Reading:
    return number(match[1]) + "エン"


@RULES.rule(rf"\$({_NUM})")
def _dollars(match: re.Match[str]) -> Reading:
    return number(match[1]) + "ドル"


@RULES.rule(rf"(-?{_NUM})({_UNIT})(?![A-Za-z])")
def _measure(match: re.Match[str]) -> Reading:
    if match[2] == "人" and match[1] in ("1", "2"):
        return {"1": "ヒトリ", "2": "フタリ"}[match[1]]
    if match[2] in ("歳", "才") and match[1] == "20":
        return "ハタチ"
    return _counted(match[1], match[2])


def _counted(digits: str, unit: str) -> str:
    said, name = number(digits), _UNITS[unit]
    if name == "ネン" and said.endswith("ヨン"):
        return said[:-2] + "ヨネン"
    short = re.search("(?:イチ|ロク|ハチ|ジュウ)$", said) if name in _SHORTENED and "." not in digits else None
    if short and not (short[0] == "ロク" and name in ("サイ", "シャ", "シュウカン", "テン", "チョウ")):
        said = said[:-1] + "ッ"
        name = _SOFTENED.get(name, name)
    elif said.endswith("サン") and name in _SOFTENED:
        name = {"フン": "プン", "ホン": "ボン", "ハイ": "バイ", "ヒキ": "ビキ"}[name]
    return said + name


@RULES.rule(r"0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)", r"0\d{5,}(?!\d)")
def _telephone(match: re.Match[str]) -> Reading:
    return " ".join(single(part) for part in match[0].split("-"))


@RULES.rule(rf"-?{_NUM}")
def _number(match: re.Match[str]) -> Reading:
    return number(match[0])
