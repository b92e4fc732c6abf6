"""Where a line of text may break, and how good each place is.

Chinese and Japanese lines may break between any two characters, except that some may not begin a line and others may
not end one (kinsoku shori; JIS X 4051, and W3C "Requirements for Chinese Text Layout"). Other scripts break at
spaces. On top of what is allowed, readers want lines that end where the sense does: after punctuation, before a
conjunction, not between a number and its unit, nor inside a name.
"""

from __future__ import annotations

import re
import unicodedata
from math import inf

NEVER_FIRST = frozenset(
    "!%),.:;?]}¢°·’”†‡›»℃‰′″∶、。〃々〆〕〗〞﹚﹜！＂％＇），．：；？］｝～〜—…‥・ー」』】》〉〙〛"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
)
"""Characters that may not begin a line."""

NEVER_LAST = frozenset("([{£¥$€‘“‹«〈《「『【〔〖〘〚〝﹙﹛＄（［｛￡￥＃＠#@")
"""Characters that may not end a line."""

SENTENCE, CLAUSE, SPACE, IDEOGRAPH = 0.0, 1.0, 3.0, 5.0
"""Penalties of a break after a sentence, after a clause, at a space, and between two ideographs."""

AWKWARD = 7.0
"""Penalty of a break that readers stumble over: number|unit, first|last name, article|noun."""

_NEAR = 48
"""How many characters around a place decide how good a break there is."""

_SENTENCE_END = frozenset("。！？!?；;…")
_CLAUSE_END = frozenset("，、：,:）)」』》”—～·")
_CLOSERS = "”’」』）)】》〉\"'"
# Words that begin a new phrase: a line that starts with one reads well.
_OPENERS = frozenset((
    "and", "or", "but", "nor", "so", "yet", "because", "although", "though", "while", "when", "where", "which",
    "who", "that", "if", "unless", "until", "since", "than", "as", "with", "without", "for", "from", "to", "into",
    "over", "under", "between", "through", "about", "after", "before", "during", "at", "by", "on", "in", "y", "o",
    "pero", "que", "porque", "cuando", "et", "ou", "mais", "que", "parce", "und", "oder", "aber", "dass", "weil",
    "wenn",
))  # fmt: skip
# Words that lean on the next one: a line that ends with one reads badly.
_LEANING = frozenset((
    "a", "an", "the", "of", "my", "your", "his", "her", "its", "our", "their", "this", "these", "those", "no",
    "not", "very", "more", "most", "is", "are", "was", "were", "be", "been", "will", "would", "can", "could",
    "should", "may", "must", "has", "have", "had", "do", "does", "did", "I", "we", "you", "he", "she", "it", "they",
    "el", "la", "los", "las", "un", "una", "de", "del", "al", "le", "les", "des", "du", "der", "die", "das", "den",
    "dem", "ein", "eine", "einen", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "St.", "No.",
))  # fmt: skip
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿兆两几半")
_JOINING = frozenset("和与與及或跟")
_COUNTERS = frozenset("个個位名只隻条條张張本台部座项項种種件份家所艘架枚颗")
"""Measure words that lean on what is counted."""
_GOOD_LAST = frozenset("的了着过吗呢吧啊们里中后前时は がをにでともや")
_BAD_FIRST = frozenset("的了着过吗呢吧啊们")
_MEASURES = frozenset("年月日号时点分秒个位名人次元块角毫厘千百万亿兆倍项种条件台套座米克吨度层期届第帧行字％%")


def columns(text: str) -> int:
    """Width of `text` in half-width columns: an ideograph takes two, a combining mark none (Unicode UAX #11)."""
    return sum(map(_column, text))


def wide(character: str) -> bool:
    """Whether a character fills a full-width cell, as ideographs, kana and hangul do."""
    return unicodedata.east_asian_width(character) in "WF"


def penalties(text: str, cuts: frozenset[int] | None = None) -> list[float]:
    """What it costs to break `text` before each of its characters; infinite where no line may break.

    `cuts`: where a word segmenter says that words of an unspaced script begin. With them, a break inside such a word
    is awkward and one between words is good; without, every break between ideographs is the same.
    """
    found = [inf] * len(text)
    for place in range(1, len(text)):
        before, after = text[place - 1], text[place]
        if before.isspace() and not after.isspace():
            found[place] = _at_space(text, place)
        elif not after.isspace():
            found[place] = _inside(text, place, cuts)
    return found


def hard(before: str, after: str) -> bool:
    """Whether kinsoku forbids a line to break between two characters."""
    return after in NEVER_FIRST or before in NEVER_LAST or unicodedata.combining(after) != 0


def _column(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Cc"):
        return 0
    return 2 if wide(character) else 1


def _at_space(text: str, place: int) -> float:
    before = text[max(0, place - _NEAR) : place].rstrip()
    # A space after full-width text, or in front of closing punctuation, is decoration.
    if not before or hard(before[-1], text[place]):
        return inf
    last = _last_word(before)
    following = _first_word(text[place : place + _NEAR])
    if last in _LEANING or last.lower() in _LEANING:
        return AWKWARD
    closing = before.rstrip("\"'”’)")
    ending = closing[-1:] or before[-1]
    if ending in _SENTENCE_END or (ending == "." and not _initial(last)):
        return SENTENCE
    if ending in _CLAUSE_END:
        return CLAUSE
    if following.lower() in _OPENERS:
        return CLAUSE + 1
    # "8 minutes", "Doctor Li" and "July 20" belong together.
    if last[-1:].isdigit() or (last[:1].isupper() and (following[:1].isupper() or following[:1].isdigit())):
        return AWKWARD
    return SPACE


def _inside(text: str, place: int, cuts: frozenset[int] | None) -> float:
    before, after = text[place - 1], text[place]
    if hard(before, after):
        return inf
    if before in "-/–" and text[place - 2 : place - 1].isalpha() and after.isalpha():
        return AWKWARD
    if not (_unspaced(before) or _unspaced(after)):
        return inf
    ending = text[max(0, place - _NEAR) : place].rstrip(_CLOSERS)[-1:] if before in _CLOSERS else before
    if before in _SENTENCE_END or ending in _SENTENCE_END:
        return SENTENCE
    if before in _CLAUSE_END:
        return CLAUSE
    if (before.isdigit() and after in _MEASURES) or (before == "第" and after.isdigit()):
        return AWKWARD + 1
    counted = text[place - 2 : place - 1]
    if before in _COUNTERS and (counted.isdigit() or counted in _NUMERALS):
        return AWKWARD
    if before.isdigit() or after in _BAD_FIRST or (before in _NUMERALS and (after in _NUMERALS or after in _MEASURES)):
        return AWKWARD
    if cuts is not None and place in cuts:
        # A line may begin with "and", but not end with it.
        if after in _JOINING and place + 1 in cuts:
            return CLAUSE + 1
        if before in _JOINING and place - 1 in cuts:
            return AWKWARD
    if cuts is not None:
        return IDEOGRAPH - 2 + (before not in _GOOD_LAST) if place in cuts else AWKWARD + 1
    return IDEOGRAPH - 1.5 * (before in _GOOD_LAST)


def _unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces (hangul is written with them)."""
    return wide(character) and not "\uac00" <= character <= "\ud7a3"


def _last_word(text: str) -> str:
    return text[text.rfind(" ") + 1 :]


_WORD = re.compile(r"\S+")


def _first_word(text: str) -> str:
    found = _WORD.search(text)
    return found.group().rstrip(",.;:!?") if found else ""


def _initial(word: str) -> bool:
    """Whether a full stop belongs to an abbreviation such as "J." or "e.g."."""
    return len(word) == 2 or "." in word[:-1]
