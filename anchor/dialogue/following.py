"""Questions that only make sense after the last one, made whole again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anchor.dialogue.folding import folded, has_han
from anchor.dialogue.phrases import WHICH, small_talk
from anchor.talk import Message

_LONGEST_WORDS, _LONGEST_CHARACTERS = 9, 14
_REACH = 6
"""Messages that are looked back at."""

_LEANS_EN = re.compile(
    r"^(?:and|but|or|also|then|so)\b|^(?:what|how) about\b|^what if\b|^(?:for|with|at|on|in|from|to) (?!whom)\w+"
    r"|\b(?:it|that|this|they|them|those|these|there|one|ones|same)\b|^(?:why|when|where|how much|how long|how many|"
    r"how|which|who)(?: (?:not|is that|so))?$"
)
_LEANS_ZH = re.compile(
    r"^(?:那么?|还有|另外|如果|要是|然后|但是|而|再|以及)|呢$|^(?:它|这个?|那个?|这种|那种|其)|(?:它|这个|那个|这种|那种|这样|那样)"
    r"|^(?:为什么|多久|多少钱?|什么时候|在哪里?|怎么办|几点|要多久|多少费用)$"
)
_WHOLE_EN = re.compile(r"\b(?:that|this) (?:i|you|my|bank|branch|is my)\b|\bthis (?:card|branch|bank|account)\b")
_FIRST = re.compile(r"^(?:the )?(?:first|former|1st)(?: one)?$|^(?:第一|前一?|前面那?)(?:个|种)$|^前者$|^1$")
_SECOND = re.compile(
    r"^(?:the )?(?:second|latter|last|2nd|other)(?: one)?$|^(?:第二|后一?|后面那?)(?:个|种)$|^后者$|^2$"
)
_OUTER = re.compile(r"^[\W_]+|[\W_]+$")
_ASKED_BACK = tuple(
    re.compile(re.escape(text).replace(r"\{first\}", "(.+?)").replace(r"\{second\}", "(.+?)"))
    for text in WHICH.values()
)


def standalone(messages: Sequence[Message]) -> str:
    """What the last message asks, for a search: with the question it leans on, when it does not stand by itself.

    ``And for students?`` after a question for a fee asks for the fee for students; ``the second one`` after being asked
    back is what was offered second.
    """
    text = messages[-1].text.strip() if messages else ""
    earlier = [message for message in messages[:-1] if message.role != "tool"][-_REACH:]
    if not text or not earlier:
        return text
    plain = _OUTER.sub("", folded(text))
    offered = _offered(earlier)
    if offered is not None:
        if _FIRST.match(plain):
            return offered[0]
        if _SECOND.match(plain):
            return offered[1]
    if not _leans(plain):
        return text
    for number in range(len(earlier) - 1, -1, -1):
        message = earlier[number]
        if message.role == "user" and small_talk(message.text, "en") is None and message.text.strip():
            before = standalone([*earlier[:number], message])
            return f"{before} {text}"
    return text


def _offered(earlier: Sequence[Message]) -> tuple[str, str] | None:
    if earlier[-1].role != "assistant":
        return None
    for pattern in _ASKED_BACK:
        if (found := pattern.search(earlier[-1].text)) is not None:
            return found[1], found[2]
    return None


def _leans(plain: str) -> bool:
    if has_han(plain):
        return len(plain) <= _LONGEST_CHARACTERS and _LEANS_ZH.search(plain) is not None
    return (
        len(plain.split()) <= _LONGEST_WORDS and _LEANS_EN.search(plain) is not None and _WHOLE_EN.search(plain) is None
    )
