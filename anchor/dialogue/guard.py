"""What passes before the voice, and what visitors say that is meant for a model instead of an anchor."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anchor.dialogue.folding import folded, has_han, visible

__all__ = ["Guard", "suspicious", "visible"]

_BETWEEN = re.compile(r"[\W_]+")
_LOOKALIKE = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})


class Guard:
    """Knows words that may not be said.

    Width, case, zero-width signs, Traditional characters and signs between letters make no difference. A word without
    Chinese characters counts only as a whole word, or spelled out letter by letter.
    """

    def __init__(self, banned: Sequence[str]) -> None:
        words = dict.fromkeys(word for word in map(_plain, banned) if word)
        chinese = [word.replace(" ", "") for word in words if has_han(word)]
        latin = [word for word in words if not has_han(word)]
        self._chinese = re.compile("|".join(map(re.escape, chinese))) if chinese else None
        self._latin = re.compile(rf"\b(?:{'|'.join(map(_spread, latin))})\b") if latin else None

    def allows(self, sentence: str) -> bool:
        return self.reason(sentence) is None

    def reason(self, sentence: str) -> str | None:
        """The banned word that a sentence holds, or None."""
        plain = _plain(sentence)
        found = self._chinese.search(plain.replace(" ", "")) if self._chinese else None
        if found is None and self._latin is not None:
            found = self._latin.search(plain) or self._latin.search(_plain(folded(sentence).translate(_LOOKALIKE)))
        return found[0] if found is not None else None


def _plain(text: str) -> str:
    return _BETWEEN.sub(" ", folded(text)).strip()


def _spread(word: str) -> str:
    """A pattern of a word, as it is or with a space between all its letters."""
    whole = re.escape(word)
    letters = " ".join(word.replace(" ", ""))
    return f"{whole}|{letters}" if len(letters) > 3 else whole


_ENGLISH = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|bypass|skip|drop)\b .{0,30}
        \b(?:previous|prior|above|earlier|preceding|your|all|any|the|these|system)\b .{0,30}
        \b(?:instruction|prompt|rule|direction|guideline|command|restriction|context|constraint|filter|training)s?\b
    | \b(?:reveal|show|print|repeat|output|display|tell\ me|give\ me|what(?:'s|\ is|\ are)|leak|dump)\b .{0,40}
        \b(?:system\ prompt|(?:your|the|initial|hidden|original|secret)\ (?:instruction|prompt|system\ message)s?)\b
    | \brepeat\b .{0,20} \b(?:everything|the\ (?:text|words)|all)\b .{0,20} \b(?:above|before)\b
    | \b(?:you\ are|act\ as|pretend\ (?:to\ be|you\ are)|behave\ as|roleplay\ as|simulate)\b .{0,30}
        \b(?:now\ (?:a|an|in|no)|dan\b|unrestricted|jailbr\w+|without\ (?:any\ )?(?:rules|restrictions|limits)|
        developer\ mode|evil|no\ longer|the\ system|root|admin\w*|another\ ai|different\ ai)
    | \b(?:jailbreak|developer\ mode|do\ anything\ now|dan\ mode|god\ mode|sudo\ mode)\b
    | \b(?:new|updated|real|actual|following)\ (?:system\ )?(?:instructions|prompt|rules)\ ?(?::|are\b|is\b|begin|from)
    | \bfrom\ now\ on\b .{0,40} \b(?:you|answer|respond|reply|always|only|ignore|act|speak)\b
    | \byour\ (?:new\ )?(?:instructions|rules)\ (?:are|is|have)\b
    """,
    re.VERBOSE,
)
_CHINESE = re.compile(
    r"(?:忽略|无视|忘记|忘掉|不要?理会|不用管|抛开|绕过|跳过|推翻|取消|清除).{0,12}"
    r"(?:指令|指示|提示词?|规则|设定|要求|限制|命令|约束|规定|上下文|设置)"
    r"|(?:显示|告诉|输出|重复|复述|打印|泄露|说出|展示|透露|背诵?|列出|公开).{0,12}"
    r"(?:系统提示|提示词|系统指令|初始指令|你的指令|你的设定|系统设定|内部指令|隐藏指令|prompt)"
    r"|(?:系统提示词?|提示词|初始指令|系统指令|system ?prompt)(?:是|有|内容|给|发)"
    r"|(?:系统提示词?|提示词|系统指令|初始指令|隐藏指令|你的指令|系统设定).{0,6}(?:告诉|给我|发|念|写|说|展示|显示)"
    r"|(?:现在|从现在(?:开始|起)|接下来|今后).{0,6}(?:你|您)(?:就|要|必须|只能|不再|将)?(?:是|扮演|充当|变成|叫|听我的|不再|只)"
    r"|(?:扮演|假装|假设你|充当|模拟|进入).{0,14}(?:没有(?:任何)?限制|不受限|越狱|开发者模式|管理员|黑客|dan|无限制|系统)"
    r"|越狱模式|开发者模式|(?:新的?|真正的|以下)(?:系统)?(?:指令|规则)(?:是|:|如下)"
)
_MARKUP = re.compile(
    r"<\|[^|>]{1,40}\|>|</?(?:system|assistant|user|instructions?|s|sys|tool|im_start|im_end|prompt)\b[^>]{0,20}>"
    r"|\[/?(?:inst|sys|system|assistant)\]|<<\s*/?sys\s*>>|(?:^|\n)\s*#{1,6}\s*(?:system|instructions?|assistant)\b"
    r"|(?:^|\n)\s*[\[{(]?\"?(?:system|assistant|developer|role|系统|助手)\"?[\])}]?\s*[:：]\s*\S"
)


def suspicious(text: str) -> bool:
    """Whether a visitor seems to speak to a model: to change its instructions, to see them, or in its markup."""
    plain = folded(text)
    if _MARKUP.search(plain):
        return True
    spaced = re.sub(r"[^\S\n]*\n[^\S\n]*|\s+", " ", plain)
    if _ENGLISH.search(spaced) or _ENGLISH.search(_plain(plain)):
        return True
    return has_han(plain) and _CHINESE.search(re.sub(r"[^\w:]", "", plain.replace("：", ":"))) is not None
