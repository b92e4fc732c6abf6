"""The words by which a number tells what it is, and what is told by its form alone. In English and Chinese."""

from __future__ import annotations

import re
from typing import Literal

from anchor.trust.digits import Run

Told = Literal["account", "card", "code", "id", "passport", "password", "phone"]

_KEYS: dict[Told, str] = {
    "password": r"passwords?|passphrase|pass\s?word|\bpin\b(?:\s?code)?|密码|口令|パスワード|暗証番号|비밀번호",
    "code": r"(?<!zip )(?<!postal )(?<!post )(?<!area )(?<!country )(?<!dress )(?<!source )(?<!promo )(?<!discount )"
    r"(?<!swift )(?<!bar )(?<!qr )(?<!error )(?<!sort )(?<!branch )(?<!product )\b(?:code|passcode|otp|cvv2?|cvc|"
    r"csc)\b|\b(?:digits|numbers?)\s+on\s+the\s+back\b|"
    r"authentication|\bsecret\s+number|\btext(?:ed)?\b(?!\s+(?:me|us|him|her|back|at)\b)|\bsms\b|短信|六位数|"
    r"(?:背面|后面|背后)的?[三3]位(?:数字?|码)?|验证码|校验码|动态码|短信码|安全码|确认码|授权码|激活码|識別码|"
    r"認証コード|인증번호",
    "passport": r"passport|护照|護照|通行证|パスポート|여권",
    "id": r"\bid\b(?:\s?card)?|\bni\s+number\b|identity|identification|social\s+security|\bmy\s+social\b|\bssn\b|"
    r"national\s+insurance|"
    r"driver'?s?\s+licen[sc]e|tax\s+number|身份证|身分证|证件号?|社保号?|社会保障号|驾照|驾驶证",
    "card": r"\bcards?\b|\bvisa\b|mastercard|卡号|银行卡|信用卡|储蓄卡|借记卡|我的卡|这张卡|那张卡|卡片|银联卡",
    "phone": r"\b(?:phone|mobile|cell(?:phone)?|telephone|tel|whatsapp)\b|\b(?:call|reach|text|ring|"
    r"contact)\s+(?:me|us|him|her|back)|"
    r"\bmy\s+number\b|手机|电话|電話|座机|联系方式|打给我|联系我|전화|번호",
    "account": r"\baccounts?\b|\bacct\b|\biban\b|\brouting\b|sort\s+code|账号|帐号|账户|帐户|户头|存折|客户号|口座",
}
_ALL = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KEYS.items())
_KEY = re.compile(_ALL, re.IGNORECASE)

_LINK = (
    r"(?:[\s:：=,，.。'\"“”「」()\-]|\b(?:is|was|are|be|number|numbers|no|num|the|it|its|it's|that's|this|here|"
    r"reads?|says|"
    r"said|as|follows|with|ending|ends|end|in|last|first|four|six|digits?|starts?|starting|begins?|um+|uh+|er+m?|"
    r"well|so|"
    r"okay|ok|just|got|i|me|my|to|at|on|use|enter|entered|typed|would|should|sent|they|you|like|and|think|"
    r"believe|one|a|"
    r"security|verification|card|code|account|id|plus|s)\b|"
    r"是|为|號|号码|号|码|的|我|就|叫|尾数|尾号|后四位|末四位|前四位|最后四位|开头|结尾|嗯|呃|啊|那个|吧|呢|了|"
    r"收到|发的|"
    r"给我|输入|填|写|报一下|念一下|给你|这个|应该|您记一下|记一下|请记|です|は|가|는|이)*+"
)
_TAIL = re.compile(rf"(?:{_ALL}){_LINK}$", re.IGNORECASE)
_BACK = re.compile(
    r"[\s,，.。]*(?:(?:is|was|are|that's|that|this|it's|as|for|really|here|就是|这是|那是|是|为)[\s,，]*)*"
    rf"(?:(?:my|the|our|his|her|your|我的|我家的|我|您|你|发的|刚才|手机|bank|new|old|one-time|verification|"
    rf"security)\s*)*(?:{_ALL})",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?:\bend(?:s|ing)\s+(?:in|with|on)|\blast\s+(?:four|4|six|6)(?:\s+digits)?|尾号|尾数|后四位|末四位|"
    r"最后四位)\D{0,12}$",
    re.IGNORECASE,
)

_REACH_BEFORE, _REACH_AFTER = 60, 40


def strong(text: str, run: Run) -> Told | None:
    """What a word says that leads straight to the run, or stands right behind it ("is my card number")."""
    before = text[max(0, run.start - _REACH_BEFORE) : run.start]
    # The last word counts: "the card's PIN is".
    for match in reversed(list(_KEY.finditer(before))):
        if tail := _TAIL.match(before, match.start()):
            return _told(tail)
        break
    after = _BACK.match(text, run.end, run.end + 48)
    return _told(after) if after is not None else None


def near(text: str, run: Run) -> Told | None:
    """What the nearest telling word in the same breath says."""
    before = text[max(0, run.start - _REACH_BEFORE) : run.start]
    matches = list(_KEY.finditer(before))
    if matches:
        return _told(matches[-1])
    after = _KEY.search(text, run.end, run.end + _REACH_AFTER)
    return _told(after) if after is not None else None


def follows(text: str, run: Run) -> bool:
    """The run is said to be a part of a number: its last four digits."""
    return _PART.search(text, max(0, run.start - 24), run.start) is not None


def _told(match: re.Match[str]) -> Told:
    for kind in _KEYS:
        if match[kind] is not None:
            return kind
    raise AssertionError


EMAIL = re.compile(r"(?<![\w.+\-])[A-Za-z0-9][\w.+\-]*\s?@\s?[A-Za-z0-9][\w\-]*(?:\s?\.\s?[A-Za-z0-9\-]+)+", re.ASCII)
_TLD = r"(?:com|cn|net|org|edu|gov|io|de|fr|es|uk|co|jp|kr|me|info)"
SPOKEN_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.\-零一二三四五六七八九])(?:[A-Za-z0-9_.\-]+|[零〇一二三四五六七八九幺]+)(?:\s*(?:dot|"
    r"underscore|dash|hyphen|点|"
    r"下划线|杠)\s*[A-Za-z0-9_\-]+"
    r"|\s[A-Za-z]\b|\s\d+){0,24}\s*(?:\bat\b|艾特|圈a|"
    r"@)\s*[A-Za-z0-9\-零一二三四五六七八九]+(?:\s(?!dot\b)[a-z0-9]+){0,3}"
    rf"(?:\s*(?:\bdot\b|点|\.)\s*[A-Za-z0-9\-]+)*?\s*(?:\bdot\b|点|\.)\s*{_TLD}(?:\s*(?:\bdot\b|点|\.)\s*{_TLD})?\b",
    re.IGNORECASE | re.ASCII,
)
IBAN = re.compile(r"\b[A-Z]{2}\d{2}[ \-]?(?:[A-Z0-9]{4}[ \-]?){2,7}[A-Z0-9]{1,4}\b")
PASSPORT = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,2}|(?!ID|NO|IS|AT|TO|OF)[A-Z]{1,2}[ \-])\d{6,9}(?:\(\d\))?(?![A-Za-z0-9])"
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_ORDINAL = (
    r"(?:(?:twenty|thirty)[\s-])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    r"thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)"
)
_NUMBER_WORD = (
    r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|and)"
)
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{_ORDINAL}|{_NUMBER_WORD}(?:[\s-]{_NUMBER_WORD})?)"
_YEAR = rf"(?:(?:19|20)\d\d|'?\d\d|{_NUMBER_WORD}(?:[\s-]+{_NUMBER_WORD})*)"
_HAN = r"[零〇一二三四五六七八九十\d]"
_DATE = (
    rf"{_ORDINAL}\s+of\s+the\s+{_ORDINAL}[\s,]+{_YEAR}\b|"
    rf"(?:the\s+)?{_DAY}(?:\s+of)?[\s,]+{_MONTH}\b(?:[\s,]+(?:in\s+)?{_YEAR}\b)?|"
    rf"{_MONTH}\.?[\s,]+(?:the\s+)?{_DAY}\b(?:[\s,]+{_YEAR}\b)?|"
    r"\d{1,4}\s?[-/.]\s?\d{1,2}(?:\s?[-/.]\s?\d{1,4})?|"
    rf"{_HAN}{{2,4}}\s?年\s?(?:农历|阴历)?{_HAN}{{1,3}}\s?月\s?{_HAN}{{1,3}}\s?[日号]?|"
    rf"{_HAN}{{1,3}}\s?月\s?{_HAN}{{1,3}}\s?[日号]?|"
    r"(?:19|20)\d{6}|\d{6}|(?:19|20)\d\d\b"
)
_BIRTH = (
    r"(?:\b(?:date\s+of\s+birth|birth\s?date|d[. ]?o[. ]?b\b\.?|(?:my|her|his|wife's|husband's|son's|"
    r"daughter's)\s+birthday(?:'s)?|"
    r"i(?:'m|\s+was|\s+am)\s+born|born\s+(?:on\s+)?(?=.{0,60}\b(?:my|i)\b)))|"
    r"出生日期|出生年月日?|出生(?=[:：])|(?:我|老公|老婆|孩子|儿子|女儿|爱人|妈妈|爸爸|您|本人)的?(?:出生)?生日|"
    r"(?<![的 ])生日(?:是|(?=[:：\s]?[零〇一二三四五六七八九十\d]{2,4}年))|我(?:是|生于|出生)"
    r"(?=[^，。,]{0,16}(?:出生|生的|年|月))|本人生于|我生于"
)
BIRTHDAY = re.compile(
    rf"(?:{_BIRTH})(?:[\s:：,，=]|\b(?:is|was|on|the|it's|in|um+|uh+)\b|是|为|在|于|嗯|呃|农历|阴历|阳历|填|"
    rf"写){{0,8}}(?P<date>{_DATE})",
    re.IGNORECASE,
)
BORN = re.compile(
    rf"(?P<date>{_DATE})[\s,，]*(?:是我的?生日|.{0, 24}?\bmy\s+(?:birthday|date\s+of\s+birth))|"
    rf"我[^。！？]{{0,12}}?(?P<day>{_DATE})(?:生的|出生|生日)",
    re.IGNORECASE,
)
"""The same the other way round."""
PASSWORD = re.compile(
    r"(?:\b(?:password|passphrase|passcode|pass\s?word|pin(?:\s?code)?)\b|密码|口令)(?:\s*(?:for|to|of)\s+(?:my|"
    r"the)\s+[\w\s]{1,20}?)?"
    r"\s*(?:'s\b|is\b|was\b|[:：=]|是|为|叫)\s*(?:called\s+|set\s+to\s+|just\s+|still\s+|[:：\"“「]\s*)*"
    r"(?P<secret>(?!(?:not|wrong|incorrect|expired|too|the|locked|blocked|forgotten|required|what|invalid|never|always|"
    r"only|being|same|a|an|in|on|at|my|your|our|very|weak|strong|safe|secure|used|needed|for|to|it|this|that|still|no|"
    r"case|sent|asked|entered|set|changed|reset|correct|right|fine|good|important|optional|missing|gone|lost|"
    r"stored|one|"
    r"two|three|four|five|six|seven|eight|nine|zero|oh|double|triple|um|uh|well|so|and|or|please|working|rejected|"
    r"refused|accepted|printed|empty|short|long|hidden|visible|written|kept|known|unknown|different|new|old|private|"
    r"secret|there|here|ready|available|from|by|as|with|if|when|how|where|why|who|different|simple|easy|hard|just|"
    r"called|\w+ed|\w+ing|stolen|exposed|leaked|unsafe|temporary|personal)\b)(?!\[)[!-~]*[A-Za-z0-9][!-~]*)",
    re.IGNORECASE,
)
MIXED_PASSWORD = re.compile(
    r"(?:\bpass\s?(?:word|code|phrase)\b|密码|"
    r"口令).{0,40}?(?<![!-~])(?P<secret>(?=[!-~]{0,40}\d)(?=[!-~]{0,40}[A-Za-z])[!-~]{6,40})",
    re.IGNORECASE,
)
"""A word of letters and digits, in the same breath as the word password."""
PLACE = re.compile(
    r"(?:room|floor|flat|gate|bus|route|line|page|flight|since|year|counter|ticket|window|house)\s*$", re.IGNORECASE
)
"""What makes four digits, said one by one, the number of a place."""
