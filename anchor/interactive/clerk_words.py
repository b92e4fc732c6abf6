"""What the clerk says of its own: short sentences of spoken language, by language."""

from __future__ import annotations

from collections.abc import Mapping

from anchor.tags import said

_WORDS: Mapping[str, Mapping[str, str]] = {
    "moment": {"en": "One moment, please.", "zh": "请稍等。"},
    "still": {"en": "One moment, I am still on it.", "zh": "请稍等，还在办理。"},
    "under_way": {
        "en": "That is already under way, I can no longer stop it. One moment.",
        "zh": "已经在办理了，没办法停下来。请稍等。",
    },
    "stopped": {"en": "All right, I have stopped. Nothing was done.", "zh": "好的，已经取消，什么都没有办理。"},
    "nothing_to_do": {"en": "There is nothing to confirm at the moment.", "zh": "现在没有需要确认的事情。"},
    "unknown_action": {"en": "I am sorry, I cannot do that here.", "zh": "抱歉，这个我在这里办不了。"},
    "done": {"en": "That is done.", "zh": "已经办好了。"},
    "done_unread": {
        "en": "That went through, but I cannot read the answer.",
        "zh": "已经办理，但是我读不出结果。",
    },
    "empty": {"en": "I found nothing.", "zh": "没有找到。"},
    "failed": {"en": "I am sorry, that did not work.", "zh": "抱歉，没有办成。"},
    "nothing_done": {"en": "Nothing was done.", "zh": "什么都没有办理。"},
    "not_known": {
        "en": "I could not find out whether it was done. Please ask a colleague before you try again.",
        "zh": "我没法确认是否已经办理。请先问一下工作人员，再重新办理。",
    },
    "tried": {
        "en": "I have tried that already and do not know whether it was done. Please ask a colleague.",
        "zh": "这件事我已经试过，不知道是否办成。请问一下工作人员。",
    },
    "not_verified": {"en": "That does not match. Let us try again.", "zh": "信息不符，我们再试一次。"},
    "not_identified": {
        "en": "I could not verify who you are. A colleague will gladly help you.",
        "zh": "我没能核实您的身份，请找工作人员帮您办理。",
    },
    "missed": {"en": "Sorry, I did not get that.", "zh": "抱歉，我没听明白。"},
    "offer": {
        "en": "I am sorry, I do not understand. Shall I stop here? You can also ask for a person.",
        "zh": "抱歉，我还是没听明白。要不要先停下来？您也可以说“转人工”。",
    },
    "change_what": {"en": "What would you like to change?", "zh": "您想改哪一项？"},
    "say_yes": {"en": "Please say yes or no.", "zh": "请说“是”或者“不是”。"},
    "back": {"en": "Back to your request: {title}.", "zh": "我们继续：{title}。"},
    "right": {"en": "Is that right?", "zh": "对吗？"},
    "shall_i": {"en": "Shall I do that?", "zh": "要办理吗？"},
    "which": {"en": "Do you mean {options}?", "zh": "您是说{options}？"},
    "free": {"en": "I can offer {options}.", "zh": "可以选{options}。"},
    "choose": {"en": "You can say {options}.", "zh": "您可以说{options}。"},
    "several": {"en": "I can take only one.", "zh": "只能选一个。"},
    "past": {"en": "That day is over.", "zh": "这一天已经过去了。"},
    "future": {"en": "That day is still to come.", "zh": "这一天还没到。"},
    "outside": {"en": "That is not possible.", "zh": "这个不行。"},
    "taken": {"en": "That is not free.", "zh": "这个不可以选了。"},
    "outside_time": {
        "en": "That is outside our hours, {open} to {close}.",
        "zh": "这不在营业时间内，营业时间是{open}到{close}。",
    },
    "outside_day": {"en": "We are closed on that day.", "zh": "那天不营业。"},
    "incomplete_date": {"en": "Which day exactly?", "zh": "具体是哪一天？"},
    "incomplete_birthday": {"en": "Please say day, month and year.", "zh": "请说出年、月、日。"},
    "incomplete_time": {"en": "At what time exactly?", "zh": "具体几点？"},
    "invalid": {"en": "That does not look right.", "zh": "这个好像不对。"},
    "currency": {"en": "I can take only {currency} here.", "zh": "这里只能用{currency}。"},
}


def word(key: str, language: str, **fields: str) -> str:
    """A sentence of the clerk's, with its fields filled in."""
    return said(_WORDS[key], language).format(**fields)


def joined(language: str, *sentences: str) -> str:
    """Sentences one after another; none for those that are empty."""
    return ("" if language.lower().startswith("zh") else " ").join(sentence for sentence in sentences if sentence)
