"""Mandarin words and their sounds: segmentation (jieba) and pinyin (pypinyin) with tone sandhi.

espeak-ng's own reading of characters is not used: it spells some of them as English (兄, 穷), knows few phrases, and
says every character as a word of its own. Pinyin words with tone digits give it exact sounds and a flowing rhythm.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from anchor import chinese
from anchor.voice.text.scripts import HAN
from anchor.voice.text.tokens import Token

DIGITS = "零〇一二三四五六七八九幺两"
_NUMBER = re.compile(f"[{DIGITS}十百千万亿点负]+")
_HAN_RUN = re.compile(f"[{HAN}]+")
_MODIFIED = re.compile(r"^([a-zü]+?)([1-5])$")
_LONGEST_WORD = 4  # syllables espeak-ng is given as one word

# espeak-ng 1.52 has no rule for these syllables; the second spelling gives the same sound.
_RESPELLED = {
    "jiong": "jong", "qiong": "qong", "xiong": "xong", "wong": "weng", "m": "mu", "hm": "heng", "hng": "heng",
    "ê": "ei", "n": "en", "ng": "eng",
}  # fmt: skip

# Words that pypinyin's phrases do not have or read otherwise than newsreaders do.
_READINGS = {
    "还款": "huan2 kuan3", "还贷": "huan2 dai4", "还本": "huan2 ben3", "还息": "huan2 xi1", "还原": "huan2 yuan2",
    "难民": "nan4 min2", "夹克": "jia1 ke4", "内蒙古": "nei4 meng3 gu3", "蒙古": "meng3 gu3", "朝阳": "chao2 yang2",
    "会稽": "kuai4 ji1", "薄荷": "bo4 he5", "那曲": "na4 qu3", "两行": "liang3 hang2", "数一数": "shu3 yi1 shu3",
    "长": "chang2", "率": "shuai4", "血": "xue4", "谁": "shei2", "得了": "de2 le5", "炒作": "chao3 zuo4",
    "为了": "wei4 le5", "朝鲜": "chao2 xian3", "标识": "biao1 shi2", "给予": "ji3 yu3",
}  # fmt: skip


@functools.cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, character for character."""
    answer = str(_simplifier().convert(text))
    if len(answer) == len(text):
        return answer
    letters = (str(_simplifier().convert(letter)) for letter in text)
    return "".join(new if len(new) == 1 else old for old, new in zip(text, letters, strict=True))


def words(text: str, known: Sequence[str] = ()) -> list[str]:
    """Cut a run of Chinese characters into words; `known` ones, longest first, are kept whole."""
    for word in known:
        place = text.find(word)
        if word and place >= 0:
            before, after = text[:place], text[place + len(word) :]
            return [*(words(before, known) if before else ()), word, *(words(after, known) if after else ())]
    lengths = [len(word) for word in chinese.words(simplified(text), guess=True)]
    answer, start = [], 0
    for length in lengths:
        answer.append(text[start : start + length])
        start += length
    return answer


def said(text: str, known: Sequence[str] = ()) -> list[str]:
    """Words of spoken text: as `words`, with numbers kept apart in pieces of a few syllables."""
    answer: list[str] = []
    for run in _HAN_RUN.findall(text):
        for word in words(run, known):
            if len(word) > _LONGEST_WORD and _NUMBER.fullmatch(word):
                answer += [piece for piece in re.split(r"(?<=[千万亿点])", word) if piece]
            else:
                answer.append(word)
    return answer


@functools.lru_cache(20_000)
def syllables(word: str) -> tuple[str, ...]:
    """Pinyin of a word with tone digits (5 is neutral, ``v`` for ü), a syllable a character; sandhi not yet applied."""
    from pypinyin import Style, lazy_pinyin

    plain = simplified(word)
    if plain in _READINGS:
        return tuple(_READINGS[plain].split())
    answer = lazy_pinyin(plain, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="ignore")
    return tuple(one if one[-1:].isdigit() else one + "5" for one in answer)


def pronounced(words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Words of a sentence with their syllables; particles and counters get the reading their place calls for."""
    answer = []
    for index, word in enumerate(words):
        said, plain = list(syllables(word)), simplified(word)
        before = words[index - 1] if index else ""
        follows = index + 1 < len(words)
        if (plain == "地" and follows and len(before) > 1 and before[0] not in "这那每各一两三几") or (
            len(plain) > 2 and plain[-1] == "地" and plain[-2] == plain[-3]
        ):
            said[-1] = "de5"
        elif (plain == "得" and follows and before) or re.fullmatch(".得.", plain):
            said[plain.index("得")] = "de5"
        elif plain[-1:] == "只" and (before + plain)[-2:-1] in tuple(DIGITS + "十百千万几") and len(plain) < 4:
            said[-1] = "zhi1"
        answer.append((word, tuple(said)))
    return answer


def split_pinyin(text: str) -> tuple[str, ...]:
    """Syllables of pinyin with tone digits: ``hang2 zhang3`` or ``hang2zhang3``, ü as ``v`` or ``u:`` too."""
    text = text.replace("u:", "v").replace("ü", "v")
    return tuple(re.findall(r"[a-z]+[1-5]", text))


def sandhi(sentence: Sequence[tuple[str, Sequence[str]]]) -> list[list[str]]:
    """Apply tone sandhi to words (characters, syllables) that are said in one breath.

    The rules of 不, 一 and of the third tone (Chao, *A Grammar of Spoken Chinese*, 1.3.6): 不 rises before a fourth
    tone; 一 rises before a fourth and falls before any other tone unless it counts; a third tone rises before another
    in a word and at the end of a one-syllable word.
    """
    letters = [letter for word, said in sentence for letter in _letters(word, said)]
    firsts = [not index for _, said in sentence for index in range(len(said))]
    alone = [len(said) == 1 for _, said in sentence for _ in said]
    flat = [_MODIFIED.match(one) for _, said in sentence for one in said]
    names = [match[1] if match else "" for match in flat]
    tones = [int(match[2]) if match else 5 for match in flat]
    new = list(tones)
    for index, letter in enumerate(letters[:-1]):
        after, before = letters[index + 1], letters[index - 1] if index else ""
        if letter == "不" and tones[index + 1] == 4:
            new[index] = 2
        elif letter == "一" and before == "第":
            new[index] = 1
        elif letter == "一" and firsts[index] and tones[index] == 1 and not _counts(before, after):
            new[index] = 2 if tones[index + 1] in (4, 5) else 4
        elif tones[index] == 3 and tones[index + 1] == 3 and (alone[index] or not firsts[index + 1]):
            new[index] = 2
    spelled = iter(f"{name}{tone}" for name, tone in zip(names, new, strict=True))
    return [[next(spelled) for _ in said] for _, said in sentence]


def spoken(tokens: Iterable[Token], indexes: Iterable[int]) -> dict[int, list[list[str]]]:
    """The words of each token, by its index, as syllables with sandhi, as they are said in one breath."""
    told: list[tuple[int, str, tuple[str, ...]]] = []
    for index, token in zip(indexes, tokens, strict=True):
        if token.phonemes:
            told.append((index, token.spoken, split_pinyin(token.phonemes)))
        elif token.spoken:
            told += ((index, word, ()) for word in said(token.spoken))
    known = pronounced([word for _, word, _ in told])
    final = sandhi([(word, exact or own) for (_, _, exact), (word, own) in zip(told, known, strict=True)])
    answer: dict[int, list[list[str]]] = {}
    for (index, _, _), syllables in zip(told, final, strict=True):
        answer.setdefault(index, []).append(syllables)
    return answer


def _letters(word: str, said: Sequence[str]) -> str:
    return word if len(word) == len(said) else " " * len(said)


def _counts(before: str, after: str) -> bool:
    return before in ("第", "十", "初") or bool(before and before in DIGITS) or after in DIGITS + "点月号日楼等级"


def espeak_word(said: Sequence[str]) -> str:
    """Syllables as espeak-ng reads them: a word, or several where it is long."""
    spelled = []
    for one in said:
        match = _MODIFIED.match(one.replace("ü", "v"))
        if match:
            spelled.append(_RESPELLED.get(match[1], match[1]) + match[2])
    pieces = [spelled[start : start + _LONGEST_WORD] for start in range(0, len(spelled), _LONGEST_WORD)]
    return " ".join("".join(piece) for piece in pieces)


def warm() -> None:
    """Load the dictionaries: about a second, once a process."""
    syllables(words("银行行长说今天的新闻")[0])
