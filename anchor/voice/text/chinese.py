"""Reading Chinese text: numbers, dates, times, money, units, telephone and other code numbers, signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from anchor.voice.text import english
from anchor.voice.text.chinese_numbers import cardinal, dialled, number, single
from anchor.voice.text.rules import Reading, Rules
from anchor.voice.text.scripts import HAN
from anchor.voice.text.tokens import Token

RULES = Rules("zh", r"[^\s\u2e80-\ufaff]")

_N = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_NUM = rf"{_N}(?:\.\d+)?"
_MINUS = r"(?:(?<![A-Za-z0-9_.)）%])[-−–](?=\d))"
_SIGNED = rf"{_MINUS}?{_NUM}"
_UNIT_BEFORE = "年月日号號时時点點分秒万亿萬億元角块个名人岁歲级級度米里克吨％%℃"
_TO = r"\s?(?:-|–|—|~|～|至|到)\s?"
_SCALE = r"(?:万亿|[百千万亿萬億])"

_MEASURES = (
    "个位名只条张本次年天周家辆台部座所项件种类场岁块元人倍点分秒层米吨升国地省市县队方者起支把颗株头口户套款批轮步架艘篇首幅"
    "句段票杯瓶箱袋份成双对亩大小万亿千百公平立美欧英港摄頭個條張輛臺項種類場歲塊層噸國縣隊雙對畝萬億"
)

_UNITS = {
    "km/h": "公里每小时", "km/H": "公里每小时", "m/s": "米每秒", "km": "公里", "m": "米", "cm": "厘米", "mm": "毫米",
    "nm": "纳米", "μm": "微米", "µm": "微米", "kg": "公斤", "KG": "公斤", "g": "克", "mg": "毫克", "μg": "微克",
    "µg": "微克", "t": "吨", "L": "升", "l": "升", "ml": "毫升", "mL": "毫升", "ML": "毫升", "km²": "平方公里",
    "km2": "平方公里", "㎞": "公里", "m²": "平方米", "m2": "平方米", "㎡": "平方米", "cm²": "平方厘米",
    "m³": "立方米", "m3": "立方米", "㎏": "公斤", "㎝": "厘米", "㎜": "毫米", "ha": "公顷", "kW": "千瓦",
    "KW": "千瓦", "MW": "兆瓦", "GW": "吉瓦", "W": "瓦", "kWh": "千瓦时", "KWH": "千瓦时", "mAh": "毫安时", "V": "伏",
    "A": "安", "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "dB": "分贝", "hPa": "百帕", "Pa": "帕",
    "kPa": "千帕", "MPa": "兆帕", "°C": "摄氏度", "℃": "摄氏度", "°F": "华氏度", "℉": "华氏度", "°": "度",
    "ms": "毫秒", "s": "秒", "min": "分钟", "h": "小时", "rpm": "转每分钟", "kcal": "千卡", "fps": "帧每秒",
    "μg/m³": "微克每立方米", "µg/m³": "微克每立方米", "mg/m³": "毫克每立方米", "mg/L": "毫克每升",
    "px": "像素", "ft": "英尺", "mph": "英里每小时", "kn": "节", "mmHg": "毫米汞柱",
}  # fmt: skip
_UNIT = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))
_UNIT_END = r"(?![A-Za-z0-9²³])"
_DEGREES = ("摄氏度", "华氏度")

_CURRENCIES = {
    "人民币": "元", "RMB": "元", "CNY": "元", "CN¥": "元", "￥": "元", "¥": "元", "US$": "美元", "USD": "美元",
    "$": "美元", "€": "欧元", "EUR": "欧元", "£": "英镑", "GBP": "英镑", "HK$": "港元", "HKD": "港元",
    "NT$": "新台币", "JP¥": "日元", "JPY": "日元", "₩": "韩元", "KRW": "韩元", "A$": "澳元", "C$": "加元",
    "S$": "新加坡元", "₽": "卢布", "₹": "卢比",
}  # fmt: skip
_CURRENCY = "|".join(re.escape(name) for name in sorted(_CURRENCIES, key=len, reverse=True))
_CURRENCY_CODE = "|".join(name for name in _CURRENCIES if name.isascii() and name.isalpha())
_ENGLISH_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9, "trillion": 12}
_ENGLISH_SCALE = r"(?:thousand|million|billion|trillion|bn|mn|k|m|b)(?![A-Za-z])"

_CODE_BEFORE = re.compile(
    r"(?:尾号|编号|代码|号码|卡号|账号|帐号|电话|热线|专线|手机|邮编|密码|验证码|校验码|工号|学号|车牌|证号|拨打|致电|单号|微信|房号|"
    r"房间|拨|尾號|編號|電話|號碼|熱線|帳號|QQ|ISBN)(?:号|號)?(?:是|为|為|：|:|\s|“|\")*$"
)
_CALLED = frozenset("110 119 120 122 114 999 911 12306 12315 12345 12348 12366 10086 10010 95588".split())  # noqa: SIM905
_SCORE_BEFORE = re.compile(
    r"(?:比分|大比分|比數|以|打成|战成|戰成|领先|領先|战平|落后|落後|扳成|改写为)(?:为|為|是|了|：|:|\s)*$"
)


def _range_joint(match: re.Match[str]) -> str:
    return "比" if _SCORE_BEFORE.search(match.string[: match.start()]) else _to(match)


def _to(match: re.Match[str]) -> str:
    """What is said between the ends of a range: the word that is written, 到 for a dash."""
    return "至" if "至" in match[0] else "到"


@RULES.rule(r"[-–—~～](?=\d)")
def _between_units(match: re.Match[str]) -> Reading:
    """A dash after a number with its unit goes to another one: 1日-7日."""
    return "到" if re.search(rf"\d[{_UNIT_BEFORE}]+$", match.string[: match.start()]) else None


@RULES.rule(
    r"(?:https?://|www\.)[^\s<>\"“”‘’，。、；！？（）\u2e80-\u9fff]*[\w/]",
    r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z][A-Za-z0-9-]*)+",
    r"(?:[a-z\d-]+\.)+(?:com|org|net|cn|io|gov|edu|info|app|dev|ai|tv|me)(?:\.cn)?(?:/[A-Za-z0-9./_-]*\w)?(?![A-Za-z0-9-])",
    r"(?:No|NO)\.\s?\d+(?!\d)",
    r"[A-Za-z]+&[A-Za-z]+(?![A-Za-z])",
    r"Wi-Fi(?![A-Za-z])",
)
def _address(match: re.Match[str]) -> Reading:
    tokens = english.RULES.apply(match[0], 0)
    said = " ".join(token.spoken for token in tokens or () if token.spoken)
    return [Token(match[0], said, "en")] if said and tokens and tokens[0].text == match[0] else None


@RULES.rule(
    r"(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\d)",
    r"(?:\+?86[- ]?)?0\d{2,3}[- ]\d{7,8}(?:-\d{1,4})?(?!\d)",
    r"\(0\d{2,3}\)\s?\d{7,8}(?!\d)",
    r"(?:400|800)[- ]\d{3,4}[- ]\d{3,4}(?!\d)",
    r"\+\d{1,3}[ -]\d[\d -]{5,}\d(?!\d)",
)
def _telephone(match: re.Match[str]) -> Reading:
    return ("加" if match[0][0] == "+" else "") + dialled(match[0])


@RULES.rule(r"\d{2,}(?:[- ]\d+)*(?![\d.])")
def _code(match: re.Match[str]) -> Reading:
    told = re.match(r"\s?(?:热线|熱線|专线|專線|电话|電話)", match.string[match.end() :])
    if _CODE_BEFORE.search(match.string[: match.start()]) or (told and len(match[0]) > 2):
        return dialled(match[0])
    return dialled(match[0]) if match[0] in _CALLED and match[0] == match.string.strip() else None


@RULES.rule(r"(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})日?(?!\d)")
def _date(match: re.Match[str]) -> Reading:
    return _written_date(match[1], match[3], match[4])


@RULES.rule(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
def _date_reversed(match: re.Match[str]) -> Reading:
    month, day = (match[1], match[3]) if int(match[1]) <= 12 else (match[3], match[1])
    return _written_date(match[4], month, day)


@RULES.rule(
    r"(?P<year>(?:19|20)\d\d)[-/.](?P<month>0[1-9]|1[0-2])(?![\d年万亿元%倍-])",
    r"(?P<month>0[1-9]|1[0-2])[-/.](?P<year>(?:19|20)\d\d)(?![\d年万亿元%倍-])",
)
def _date_month(match: re.Match[str]) -> Reading:
    return f"{single(match['year'])}年{cardinal(match['month'])}月"


@RULES.rule(r"(0[1-9]|1[0-2])[-/.](0[1-9]|[12]\d|3[01])(?![\d%年月万亿元倍./-])")
def _date_day(match: re.Match[str]) -> Reading:
    if match[1][0] != "0" or f"{match[1]}.{match[2]}" == "00.00":
        return None
    return f"{cardinal(match[1])}月{cardinal(match[2])}日"


def _written_date(year: str, month: str, day: str) -> str | None:
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31:
        return None
    return f"{single(year)}年{cardinal(month)}月{cardinal(day)}日"


@RULES.rule(r"(?P<first>(?:19|20)\d\d)[-–—~～](?P<last>(?:19|20)\d\d)(?=\s?(?:年|赛季|學年|学年|财年|$|[）)，。]))")
def _seasons(match: re.Match[str]) -> Reading:
    return f"{single(match['first'])}到{single(match['last'])}"


@RULES.rule(rf"(\d{{4}}){_TO}(\d{{4}}|\d{{2}})(?=\s?年)")
def _years(match: re.Match[str]) -> Reading:
    return f"{single(match[1])}{_to(match)}{single(match[2])}"


@RULES.rule(r"((?:19|20)?(\d0))\s?年代")
def _decade(match: re.Match[str]) -> Reading:
    return f"{single(match[1]) if len(match[1]) == 4 else cardinal(match[1])}年代"


@RULES.rule(
    r"(?P<year>\d{4}|0\d|[6-9][1-9])(?P<sign>\s?年)(?!级|級|后|後|前|来|來|间|間|内|內|之|历|歷)",
    r"(?P<year>\d{4})(?P<sign>\s?年)",
)
def _year(match: re.Match[str]) -> Reading:
    return single(match["year"]) + "年"


@RULES.rule(rf"(\d{{1,2}})(?:{_TO}(\d{{1,2}}))?(\s?)([月日号號])")
def _day(match: re.Match[str]) -> Reading:
    said = cardinal(match[1]) + (f"{_to(match)}{cardinal(match[2])}" if match[2] else "")
    return said + match[4]


_CLOCK = r"(\d{1,2})[:：](\d\d)(?:[:：](\d\d))?(?![\d:：])"


@RULES.rule(rf"{_CLOCK}\s?(a\.?m\.?|p\.?m\.?)?(?![A-Za-z])(?:{_TO}{_CLOCK})?")
def _time(match: re.Match[str]) -> Reading:
    hour, minute, second, half = match[1], match[2], match[3], match[4]
    if _SCORE_BEFORE.search(match.string[: match.start()]) or int(hour) > 24 or int(minute) > 59:
        return None
    said = {"a": "上午", "p": "下午"}.get((half or " ")[0].lower(), "") + _clock(hour, minute, second)
    return said + (f"{_to(match)}{_clock(match[5], match[6], match[7])}" if match[5] else "")


def _clock(hour: str, minute: str, second: str | None) -> str:
    said = ("两" if int(hour) == 2 else cardinal(hour)) + "点"
    if int(minute) or second:
        said += f"{'零' if int(minute) < 10 and int(minute) else ''}{cardinal(minute)}分"
    if second:
        said += f"{'零' if 0 < int(second) < 10 else ''}{cardinal(second)}秒"
    return said


@RULES.rule(r"(\d{1,3})\s?[:：比]\s?(\d{1,3})(?![\d:：])")
def _ratio(match: re.Match[str]) -> Reading:
    return f"{cardinal(match[1])}比{cardinal(match[2])}"


@RULES.rule(
    rf"(?P<sign>[-−–])?(?P<unit>{_CURRENCY})\s?(?P<number>[-−–]?{_NUM})(?:{_TO}(?:{_CURRENCY})?(?P<last>{_NUM}))?"
    rf"(?:\s?(?P<scale>{_SCALE}|{_ENGLISH_SCALE}))?元?",
    rf"(?P<sign>)(?P<number>{_SIGNED})(?:{_TO}(?P<last>{_NUM}))?(?:\s?(?P<scale>{_SCALE}|{_ENGLISH_SCALE}))?\s?"
    rf"(?P<unit>{_CURRENCY_CODE}|[€£₩])(?![A-Za-z])",
)
def _money(match: re.Match[str]) -> Reading:
    unit = _CURRENCIES.get(match["unit"]) or _CURRENCIES[match["unit"].upper()]
    said = _scaled(match["number"], match["scale"])
    if match["last"]:
        said = f"{_money_number(match['number'])}{_to(match)}{_scaled(match['last'], match['scale'])}"
    return ("负" if match["sign"] else "") + _two(said) + unit


def _money_number(digits: str) -> str:
    return number(re.sub(r"\.0+$|(\.\d*?)0+$", r"\1", digits))


def _scaled(digits: str, scale: str | None) -> str:
    power = _ENGLISH_SCALES.get((scale or "").lower())
    if power is None:
        return _money_number(digits) + (scale or "")
    value = Decimal(digits.replace(",", "")) * 10**power
    for name, size in (("亿", 10**8), ("万", 10**4)):
        if abs(value) >= size:
            return number(f"{(value / size).normalize():f}") + name
    return number(f"{value.normalize():f}")


def _two(said: str) -> str:
    """二 alone before a unit or a measure word is 两."""
    return re.sub(rf"^二(?=$|{_SCALE})", "两", said)


@RULES.rule(rf"({_SIGNED})\s?[%％]?{_TO}({_NUM})\s?[%％]")
def _percent_range(match: re.Match[str]) -> Reading:
    return f"百分之{number(match[1])}{_to(match)}{'百分之' if '%' in match[0][:-1] else ''}{number(match[2])}"


@RULES.rule(rf"({_SIGNED}|\+{_NUM})\s?([%％‰])")
def _percent(match: re.Match[str]) -> Reading:
    whole = "千分之" if match[2] == "‰" else "百分之"
    said = number(match[1])
    return f"负{whole}{said[1:]}" if said[0] == "负" else whole + said


_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8), "⅜": (3, 8)}


@RULES.rule(rf"(\d+)?\s?([{''.join(_VULGAR)}])")
def _vulgar(match: re.Match[str]) -> Reading:
    above, below = _VULGAR[match[2]]
    return (f"{cardinal(match[1])}又" if match[1] else "") + f"{cardinal(str(below))}分之{cardinal(str(above))}"


@RULES.rule(r"(?:(\d+)\s+)?(\d{1,4})\s?/\s?(\d{1,4})(?![\d/])")
def _fraction(match: re.Match[str]) -> Reading:
    return (f"{cardinal(match[1])}又" if match[1] else "") + f"{cardinal(match[3])}分之{cardinal(match[2])}"


@RULES.rule(rf"({_SIGNED})(?:{_TO}([-−–]?{_NUM}))?\s?({_SCALE})?\s?({_UNIT}){_UNIT_END}", flags=0)
def _measure(match: re.Match[str]) -> Reading:
    unit = _UNITS[match[4]]
    first, last, scale = match[1], match[2], match[3] or ""
    if unit in _DEGREES:
        said = _temperature(first) + (f"{_to(match)}{_temperature(last)}" if last else "")
    else:
        said = number(first) + (f"{_to(match)}{number(last)}" if last else "")
    if said == "二" and unit not in _DEGREES:
        said = "两"
    return said + scale + unit


def measure(digits: str, name: str) -> str | None:
    """Say a number with its unit; None for a unit unknown."""
    unit = _UNITS.get(name)
    if unit is None:
        return None
    if unit in _DEGREES:
        return _temperature(digits) + unit
    return ("两" if number(digits) == "二" else number(digits)) + unit


def _temperature(digits: str) -> str:
    said = number(digits)
    return f"零下{said[1:]}" if said[0] == "负" else said


@RULES.rule(r"(?:\d+\.){2,}\d+(?!\d)")
def _version(match: re.Match[str]) -> Reading:
    return "点".join(single(part) for part in match[0].split("."))


@RULES.rule(r"(\d+)\s?[xX×*]\s?(\d+)(?:\s?[xX×*]\s?(\d+))?(?![A-Za-z\d])")
def _by(match: re.Match[str]) -> Reading:
    return "乘".join(cardinal(part) for part in match.groups() if part)


@RULES.rule(rf"({_SIGNED}){_TO}({_NUM})(?![\d-])")
def _range(match: re.Match[str]) -> Reading:
    if re.search(r"[-—–]$", match.string[: match.start()]):
        return None
    if re.match(r"0\d", match[1]) or re.match(r"0\d", match[2]):
        return f"{single(match[1])}{_to(match)}{single(match[2])}"
    scale = re.match(rf"\s?({_SCALE})", match.string[match.end() :])
    first = _two(number(match[1])) if scale else number(match[1])
    return first + _range_joint(match) + _counted(match[2], match.string[match.end() :])


@RULES.rule(r"([A-Za-z]{1,10})(-?)(\d+(?:\.\d+)?)(?![\d:：])(?!\s?%)", r"(\d+)()([A-Za-z])(?![A-Za-z])", flags=0)
def _model(match: re.Match[str]) -> Reading:
    return list(_parts(match[0]))


def _parts(text: str) -> Iterator[Token]:
    """Letters in English, numbers in Chinese: short ones as numbers, long ones digit by digit."""
    for part in re.findall(r"[A-Za-z]+|\d+(?:\.\d+)?|.", text):
        if part == "A":
            yield english.letter_a()
        elif part[0].isalpha():
            yield Token(part, english.word(part) if len(part) > 1 else part.upper(), "en")
        elif part[0].isdigit():
            yield Token(part, dialled(part) if len(part) > 2 and "." not in part else number(part), "zh")
        else:
            yield Token(part)


@RULES.rule(r"\d{9,}(?![\d.,])", r"0\d+(?![\d.,])")
def _digits(match: re.Match[str]) -> Reading:
    rest = match.string[match.end() :]
    if match[0][0] != "0" and re.match(rf"\s?[{_MEASURES}]", rest):
        return cardinal(match[0])
    return single(match[0])


@RULES.rule(rf"{_SIGNED}")
def _number(match: re.Match[str]) -> Reading:
    if match.string[: match.start()].endswith("第"):
        return number(match[0])
    return _counted(match[0], match.string[match.end() :])


def _counted(digits: str, rest: str) -> str:
    said = number(digits)
    rest = rest.lstrip(" ")
    counts = (
        rest[:1] in _MEASURES
        and rest[:1] != ""
        and not re.match(r"年级|年級|月|号楼|分之|点[零一二三四五六七八九]", rest)
    )
    return "两" + said[1:] if said == "二" and counts else said


_SIGNS = {
    "&": "和", "+": "加", "=": "等于", "±": "正负", "×": "乘", "÷": "除以", "≈": "约等于", "≤": "小于等于",
    "≥": "大于等于", "<": "小于", ">": "大于", "°": "度", "~": "到", "→": "到", "−": "减", "％": "百分号",
    "%": "百分号", "$": "美元", "€": "欧元",
}  # fmt: skip
_SIDE = rf"[\w{HAN})）]"


@RULES.rule(r"[&+=±×÷≈≤≥<>°~→−€]")
def _sign(match: re.Match[str]) -> Reading:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if match[0] == "+" and re.match(r"\d", after) and not re.search(r"\w\s?$", before):
        return "正"
    sided = re.search(rf"{_SIDE}\s?$", before) and re.match(rf"\s?{_SIDE}", after)
    leading = match[0] in "≈≤≥±<>" and re.match(r"\s?\d", after)
    return _SIGNS[match[0]] if sided or leading else None
