"""What a short answer does: agrees, refuses, stops, asks to hear it again, or asks something else."""

from __future__ import annotations

import re
from typing import Literal

from anchor.dialogue.wording import bare, normal

Intent = Literal["yes", "no", "cancel", "repeat", "unsure", ""]

_FILLERS = r"(?:oh|um+|uh+|well|so|please|thanks?|thank you|then|now|嗯|呃|啊|哦|那|请|谢谢|吧|了|呢|的|呀|哈)"
_YES = (
    r"yes|yeah|yep|yup|ye[as]|sure|ok|okay|okey|right|correct|exactly|fine|absolutely|certainly|definitely|of course|"
    r"go ahead|do it|do that|please do|confirm|confirmed|i confirm|that's right|thats right|that is right|"
    r"thats correct|"
    r"that is correct|sounds good|that works|thats fine|all right|alright|perfect|great|good|yes i do|yes it is|"
    r"agreed?|"
    r"i agree|book it|its right|its correct|looks good|"
    r"是|是的|对|对的|对啊|好|好的|好啊|可以|行|没错|没问题|没有问题|确认|确定|正确|同意|当然|当然可以|是这样|"
    r"就这样|办吧|对对|要|要的|需要|可以的|行的|就是"
)
_NO = (
    r"no|nope|nah|not really|no thanks|no thank you|dont|do not|dont do it|dont do that|thats wrong|that is wrong|"
    r"wrong|"
    r"incorrect|not correct|thats not right|that is not right|not right|not yet|id rather not|no way|"
    r"不|不对|不是|不是的|不要|不行|不可以|不好|错|错了|不正确|没有|不同意|不用|不需要|别|先不要|有错|不确认|"
    r"还没有|不太对"
)
_CANCEL = (
    r"(?:i (?:want|would like|d like) to |id like to |lets |can (?:you|we) |just )?(?:cancel|stop|quit|abort|exit|"
    r"forget)"
    r"(?: (?:it|this|that|everything|all|the whole thing|all of it|about it|here|the booking|now))*|"
    r"never ?mind|leave it|i changed my mind|i dont want (?:it|to|this)(?: any ?more)?|drop it|"
    r"算了|算了吧|取消|取消吧|取消掉|不用了|不办了|不要了|不弄了|停|停止|停下|退出|我不想办了|不想办了|不做了|放弃|"
    r"我要取消|不预约了|不查了|别办了"
)
_REPEAT = (
    r"(?:can you |could you |would you )?(?:repeat|say)(?: (?:that|it|the question|this))?(?: again| once more)?|"
    r"again|once more|pardon|"
    r"pardon me|sorry|excuse me|what|what did you say|what was that|come again|i didnt (?:hear|catch|"
    r"get)(?: (?:that|it|you))?|"
    r"i didnt understand|i dont understand|"
    r"再说一遍|再说一次|重复|重复一遍|再重复一遍|什么|你说什么|您说什么|没听清|我没听清|没听清楚|我没听清楚|没听见|"
    r"听不清|没听懂|再讲一遍|请再说一遍|刚才说什么"
)
_UNSURE = (
    r"i dont know|no idea|not sure|im not sure|i have no idea|i forgot|i cant remember|不知道|不清楚|不确定|忘了|"
    r"忘记了|我忘了|不记得|不晓得"
)
_WORDS: dict[Intent, str] = {"cancel": _CANCEL, "unsure": _UNSURE, "repeat": _REPEAT, "no": _NO, "yes": _YES}
_PATTERNS = {
    name: re.compile(rf"(?:{_FILLERS}\s*)*(?:{words})(?:\s*(?:{words}|{_FILLERS}))*") for name, words in _WORDS.items()
}


def intent(text: str) -> Intent:
    """What the whole of an answer does, "" for anything else. A yes with a condition or a question mark is no yes."""
    plain = bare(text)
    if not plain:
        return ""
    asked = normal(text).rstrip().endswith("?") or plain.endswith(("吗", "么", "对不对", "是不是", "好不好"))
    for name, pattern in _PATTERNS.items():
        if pattern.fullmatch(plain) and not (name in ("yes", "no") and asked):
            return name
    return ""


def leading(text: str) -> tuple[Intent, str]:
    """A yes or no that an answer begins with before a mark, and the rest: "no, Thursday"."""
    plain = normal(text)
    match = re.match(r"([^,.;!，。；！]+)[,.;!，。；！]+\s*(.+)", plain)
    if match and (first := intent(match[1])) in ("yes", "no"):
        return first, match[2]
    match = re.match(r"(no|nope|不对|不是|不要|不)\s*(.+)", plain)
    if match and not intent(text):
        return "no", match[2]
    return "", plain


_QUESTION = re.compile(
    r"^(?:and |but |so |um |uh |well |hey |sorry |excuse me |wait )*(?:what|where|when|why|how|who|which|whose|"
    r"do you|does|is there|are there|are you|is it|"
    r"is the|are the|can i|could i|can you|could you|do i|did|should i|may i|will|would|tell me about)\b"
    r"|什么|怎么|如何|为什么|为何|多少|哪|几点(?:开|关|上班|下班)|多久|谁|吗$|呢$|是不是|能不能|可不可以|有没有|要不要"
)
_WONDER = re.compile(r"\b(?:what|where|when|why|how|who|which)\b|什么|怎么|如何|为什么|多少|哪|多久|谁|几点")


def asks(text: str) -> bool:
    """Whether a text reads as a question."""
    plain = normal(text).rstrip(" .!。！")
    return plain.endswith("?") or bool(_QUESTION.search(bare(text)))


_HOW = re.compile(
    r"\b(?:how (?:do|can|could|would|should|does|to)|why|what (?:is an? |do i need|documents|happens))\b"
    r"|怎么(?!样)|如何|为什么|什么是|需要什么|要带什么"
)


def asks_how(text: str) -> bool:
    """Whether a text asks how, or why, something is done, rather than for the thing itself."""
    return bool(_HOW.search(bare(text)))


def wonders(text: str) -> bool:
    """Whether a text holds a word that asks for something: what, where, 怎么."""
    return bool(_WONDER.search(bare(text)))


_STATUS = re.compile(
    r"\b(?:did (?:it|that) (?:work|go through)|is (?:it|that) (?:done|ready|booked|through)|(?:is it )?(?:done|"
    r"ready|finished)(?: yet)?$|"
    r"what happened|and now|are you (?:done|ready)|how did it go|still there)\b|好了吗|办好了|成功了|完成了|"
    r"怎么样了|好了没|可以了吗|结果"
)


def wants_news(text: str) -> bool:
    """Whether a text asks how something that was begun has gone."""
    return bool(_STATUS.search(bare(text)))
