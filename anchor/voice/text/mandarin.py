"""Mandarin words and their sounds: segmentation (jieba) and pinyin (pypinyin) with tone sandhi.

espeak-ng's own reading of characters is not used: it spells some of them as English (兄, 穷), knows few phrases, and
says every character as a word of its own. Pinyin words with tone digits give it exact sounds and a flowing rhythm.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anchor.voice.text.scripts import HAN

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

_lock = threading.Lock()


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anchor"


@functools.cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba imports pkg_resources and has old escapes in its regular expressions; neither is of use to a user.
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    folder = _cache_folder()
    try:
        # Its dictionary is cached as marshalled code: never in a folder that others can write to, such as /tmp.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tokenizer.tmp_dir = str(folder)
    except OSError:
        tokenizer.tmp_dir = None
    tokenizer.initialize()
    return tokenizer


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
    with _lock:
        lengths = [len(word) for word in _segmenter().cut(simplified(text), HMM=True)]
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

    answer = lazy_pinyin(
        simplified(word), style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors="ignore"
    )
    return tuple(one if one[-1:].isdigit() else one + "5" for one in answer)


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
        elif letter == "一" and firsts[index] and tones[index] == 1 and not _counts(before, after):
            new[index] = 2 if tones[index + 1] in (4, 5) else 4
        elif tones[index] == 3 and tones[index + 1] == 3 and (alone[index] or not firsts[index + 1]):
            new[index] = 2
    spelled = iter(f"{name}{tone}" for name, tone in zip(names, new, strict=True))
    return [[next(spelled) for _ in said] for _, said in sentence]


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
