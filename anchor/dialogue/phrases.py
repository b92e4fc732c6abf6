"""What an anchor says by itself, in the languages it converses in; others are answered in English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from anchor.dialogue.folding import folded
from anchor.tags import base

UNKNOWN = {
    "en": "I am sorry, I do not know that. You can ask in other words, or I can call a member of staff for you.",
    "zh": "抱歉，这个问题我不清楚。您可以换个说法再问一次，也可以让我为您叫工作人员。",
}
WHICH = {"en": "Do you mean {first}, or {second}?", "zh": "您是想问“{first}”，还是“{second}”？"}

_SMALL_TALK: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "en": tuple(
        (re.compile(pattern), answer)
        for pattern, answer in (
            (
                r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings)(?: there| everyone| again)?",
                "Hello! I am the digital assistant of this branch, an AI. What can I do for you?",
            ),
            (
                r"(?:thanks?|thank you|cheers|many thanks)(?: (?:a lot|so much|very much|for (?:your|the) help))?"
                r"|(?:great|perfect|ok(?:ay)?|that(?:'?s| is) (?:all|great|perfect|it)),? ?(?:thanks?|thank you)?",
                "You are welcome. Is there anything else?",
            ),
            (r"(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|have a nice day)", "Goodbye, and have a good day!"),
            (
                r"(?:who|what) are you|what(?:'?s| is) your name|introduce yourself|tell me about yourself",
                "I am the digital assistant of this branch. I am an AI: a computer makes my voice and my picture. "
                "I answer from what the bank has approved.",
            ),
            (
                r"are you (?:(?:a |an )?(?:real|human|robot|machine|ai|bot|computer|alive)(?: (?:human|person|being))*"
                r"|a (?:real )?person)|am i (?:talking|speaking) (?:to|with) (?:a |an )?(?:real )?"
                r"(?:human|person|robot|machine|ai|bot|computer)|is this (?:a )?(?:real person|recording|robot|ai)",
                "No, I am not a person: I am an AI. If you would rather speak with a person, I can call one.",
            ),
            (
                r"how are you(?: doing)?(?: today)?|how(?:'?s| is) it going",
                "Thank you for asking. I am an AI, and I am ready to help. What can I do for you?",
            ),
            (
                r"what can you do|what can i ask(?: you)?|how can you help(?: me)?|what do you know|help(?: me)?",
                "I can tell you about accounts, cards, transfers, fees, loans, exchanging money and this branch. "
                "For everything else I can call a member of staff.",
            ),
            (r"(?:i(?:'m| am) )?sorry|never ?mind|forget it|no,? thanks?|no,? thank you", "That is quite all right."),
        )
    ),
    "zh": tuple(
        (re.compile(pattern), answer)
        for pattern, answer in (
            (
                r"(?:你|您)好|哈[喽啰]|嗨|(?:早上|上午|中午|下午|晚上)好|早安?|晚安|在吗|有人吗",
                "您好！我是本网点的数字人助手，由人工智能驱动。请问您想办理什么业务？",
            ),
            (
                r"(?:非常|太|十分|多)?(?:谢谢|感谢|多谢|谢了|谢啦|辛苦)(?:你|您|了|啦|你了|您了|你的帮助|您的帮助)?"
                r"|(?:好的?|行|可以|没事了?|没了|知道了|明白了?|就这样)(?:谢谢(?:你|您)?)?",
                "不客气。请问还有什么可以帮您？",
            ),
            (r"再见|拜拜|回头见|我走了|先走了|下次见", "再见，祝您生活愉快！"),
            (
                r"(?:你|您)(?:是|叫)(?:谁|什么|什么名字|做什么的|干什么的)|(?:请|你)?(?:自我介绍一下|介绍一下(?:你)?自己)"
                r"|(?:你|您)(?:到底)?是什么(?:人|东西)?|你的名字(?:是什么)?",
                "我是本网点的数字人助手。我是人工智能，声音和形象都由电脑合成，我的回答都来自银行审核过的资料。",
            ),
            (
                r"(?:你|您|这)(?:到底)?(?:是不是|是)(?:一个|个)?(?:真的?)?(?:人类?|真人|活人|机器人|机器|人工智能|ai|电脑|录音)"
                r"|(?:我)?(?:是|在)(?:不是)?(?:和|跟)(?:真人|机器人?|人工智能|ai|人)(?:说话|聊天|对话)",
                "我不是真人，我是人工智能。如果您想和工作人员交谈，我可以为您转接。",
            ),
            (
                r"(?:你|您)?(?:最近|今天)?(?:怎么样|好吗|还好吗)",
                "谢谢关心。我是人工智能，随时可以为您服务。",
            ),
            (
                r"(?:你|您)(?:都)?(?:能|会|可以)(?:做|干|帮我做|回答|办)?(?:些)?(?:什么|啥|哪些)(?:业务|问题|事情?)?"
                r"|我(?:可以|能)问(?:你)?(?:些)?什么|(?:帮帮我|帮助|求助)",
                "我可以介绍账户、银行卡、转账、收费、贷款、外币兑换和本网点的服务。其他问题我可以为您叫工作人员。",
            ),
            (r"对不起|不好意思|抱歉|算了|没关系|不用了?(?:谢谢)?|不需要", "没关系。"),
        )
    ),
}  # fmt: skip
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|ok(?:ay)?|so|please|well)\b ?)+(?=\w)|^(?:你好|您好|请问|那个?|嗯|喂)+(?=\w)"
)
_OUTER = re.compile(r"^[\W_]+|[\W_]+$")
_PARTICLES = re.compile(r"(?:吗|呢|啊|呀|哦|吧|嘛|了|啦|哈|[\W_])+$")
_INNER = re.compile(r"[^\w']+")


def small_talk(text: str, language: str) -> str | None:
    """What to say to a greeting, to thanks and the like; None when it is not only that."""
    plain = _INNER.sub(" ", _OUTER.sub("", folded(text)))
    for tongue in dict.fromkeys((base(language), "zh", "en")):
        if tongue not in _SMALL_TALK:
            continue
        told = plain.replace(" ", "") if tongue == "zh" else plain
        for form in dict.fromkeys((told, _PARTICLES.sub("", told), _POLITE.sub("", told, count=1))):
            for pattern, answer in _SMALL_TALK[tongue]:
                if pattern.fullmatch(form):
                    return answer
    return None
