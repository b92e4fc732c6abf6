"""What visitors say, evened out before it is searched: widths, cases, marks, traditional characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

_TRADITIONAL = str.maketrans(
    "點兩萬億週後號塊禮沒對錯時還確認這個間預約銀卡匯額餘掛開門鐘學機場濱電話嗎麼樣幫請問別換變參貳陸圓幣歐鎊處說聽",
    "点两万亿周后号块礼没对错时还确认这个间预约银卡汇额余挂开门钟学机场滨电话吗么样帮请问别换变叁贰陆元币欧镑处说听",
)
_MARKS = re.compile(r"[，。！？；：、,.!?;:\"'“”‘’()（）…~～-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text, from `start` to `end`; more than one of `values` when it can be read in several ways.

    No values: something of the kind was said, but `problem` is wrong with it: past, invalid, outside, incomplete,
    several or currency.
    """

    values: tuple[Any, ...]
    start: int
    end: int
    problem: str = ""


def normal(text: str) -> str:
    """Text with plain widths and quotes, lower case and simplified characters; marks stay."""
    plain = unicodedata.normalize("NFKC", text).translate(_TRADITIONAL).lower()
    return " ".join(plain.replace("’", "'").replace("‘", "'").split())


def bare(text: str) -> str:
    """Normal text without any marks, words parted by one space."""
    return " ".join(_MARKS.sub(" ", normal(text).replace("'", "")).split())


_CORRECTS = re.compile(
    r".*(?:\b(?:no|nope|sorry|i mean|i meant|rather|actually|make (?:it|that)|wait)\b[,\s.]*"
    r"|不对|不是|错了|应该是|说错了|改成|改为|改到|换成|换到)[，,。\s]*",
    re.DOTALL,
)


def corrected(text: str) -> str:
    """What is left of a normal text after the last word that takes back what came before it; "" when nothing is."""
    match = _CORRECTS.match(text)
    return text[match.end() :] if match else text


def corrects(text: str) -> bool:
    """Whether a normal text begins by taking something back."""
    return bool(
        re.match(
            r"(?:oh|um|uh|well|but|yes|yeah|ok|okay|嗯|呃|哦|那|但|好的?|等等)?[,，\s]*(?:no\b(?! one)|nope|not\b|"
            r"sorry|actually|wait|i mean|i meant|"
            r"change|make (?:it|that)|rather|instead|不对|不是|不要|不,|不，|不\s|错了|说错了|改|换|还是|应该是|变)",
            text,
        )
        or re.search(r"\b(?:instead|rather)$|(?:改成|改为|改到|换成|换到)", text)
    )
