"""English words without their endings, so lightly that what is left can still be told apart."""

from __future__ import annotations

import functools

_IRREGULAR = {
    word: stem
    for stem, words in {
        "send": "sent", "pay": "paid", "steal": "stole stolen", "lose": "lost", "get": "got gotten", "make": "made",
        "come": "came", "take": "took taken", "go": "went gone", "withdraw": "withdrew withdrawn", "buy": "bought",
        "forget": "forgot forgotten", "spend": "spent", "choose": "chose chosen", "break": "broke broken",
        "eat": "ate eaten", "give": "gave given", "keep": "kept", "leave": "left", "know": "knew known",
        "find": "found", "hold": "held", "say": "said", "tell": "told", "see": "saw seen", "bring": "brought",
        "understand": "understood", "write": "wrote written", "become": "became", "begin": "began begun",
        "child": "children", "person": "people", "freeze": "froze frozen", "need": "needed", "die": "dying died",
        "wrong": "wrongly", "fee": "fees", "use": "used using", "process": "processed processing", "access": "access",
        "business": "businesses", "address": "addresses addressed", "status": "status", "always": "always",
        "swallow": "swallowed", "cancel": "cancelled cancelling",
        "travel": "travelled travelling", "series": "series", "news": "news", "this": "this", "plus": "plus",
        "bus": "buses bus",
    }.items()
    for word in words.split()
}  # fmt: skip

_VOWELS = frozenset("aeiouy")


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of a lower-case English word; other words come back as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    return _final_e(_past(_plural(word)))


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _past(word: str) -> str:
    for ending in ("ing", "ied", "ed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if len(rest) < (2 if ending == "ing" else 3) or not _VOWELS & set(rest):
                return word
            if ending == "ied":
                return rest + "y"
            if len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz":
                return rest[:-1]
            return rest
    return word


def _final_e(word: str) -> str:
    """Endings that come and go with an e: *charge, charging, charged*."""
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
