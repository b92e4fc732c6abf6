"""Reading text aloud: display text to tokens that say how it is spoken.

`read` is the whole of it. Numbers, dates, money, units and the like are read by the module of the language. Whatever
the language of the sentence, Chinese characters in a Latin sentence and Latin words in a Chinese one are read in their
own language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from anchor.voice.text import chinese, english, japanese, mandarin, others
from anchor.voice.text.lexicon import Entry, Lexicon
from anchor.voice.text.scripts import HAN, HANGUL, KANA, LATIN, is_cjk, narrow, script
from anchor.voice.text.tokens import Token, grouped

__all__ = ["Entry", "Lexicon", "Token", "grouped", "read"]

_MARKS = {
    **dict.fromkeys("，、,", ","), **dict.fromkeys("。.．｡", "."), **dict.fromkeys("；;", ";"),
    **dict.fromkeys("：:", ":"), **dict.fromkeys("？?؟", "?"), **dict.fromkeys("！!", "!"),
    **dict.fromkeys("…—–―", ","), **dict.fromkeys("()（）", ","),
}  # fmt: skip

_PIECE = re.compile(
    f"(?P<han>[{HAN}]+)|(?P<kana>[{KANA}]+)|(?P<hangul>[{HANGUL}]+)"
    f"|(?P<latin>[{LATIN}]+(?:['’][{LATIN}]+)*)|(?P<word>\\w+)|(?P<space>\\s+)|(?P<sign>.)",
    re.DOTALL,
)
_ALONE = f"(?<![{LATIN}0-9]){{}}(?![{LATIN}0-9])"
_JAPANESE = re.compile(f"[{HAN}{KANA}]+")
_RULES = {"en": english.RULES, "zh": chinese.RULES, "ja": japanese.RULES, **others.RULES}


def read(text: str, language: str, lexicon: Lexicon | None = None) -> list[Token]:
    """Tokens of display text, which joined give the text back; `language` is a bare tag such as ``en`` or ``zh``."""
    return list(_Reader(text, language, lexicon or Lexicon()))


class _Reader:
    def __init__(self, text: str, language: str, lexicon: Lexicon) -> None:
        self._text = text
        self._plain = narrow(text)
        self._language = language
        self._lexicon = lexicon
        # Words without spaces are found where a run of them is cut; here are those of whole words and phrases.
        latin = language if language not in ("zh", "ja", "ko") else "en"
        listed = [word for word in lexicon.words(latin) if not is_cjk(word[0])]
        self._latin = latin
        self._listed = re.compile("|".join(_ALONE.format(re.escape(word)) for word in listed)) if listed else None
        letters = [letter for letter in self._plain if script(letter) == "latin"]
        self._shouted = sum(letter.isupper() for letter in letters) > 0.8 * len(letters) and self._plain.count(" ") > 1

    def __iter__(self) -> Iterator[Token]:
        place = 0
        rules = _RULES.get(self._language)
        while place < len(self._text):
            tokens = self._listed_word(place)
            if tokens is None and rules is not None:
                tokens = rules.apply(self._plain, place)
            if tokens is None:
                tokens = list(self._piece(place))
            for token in tokens:
                text = self._text[place : place + len(token.text)]
                yield replace(token, text=text)
                place += len(text)

    def _listed_word(self, place: int) -> list[Token] | None:
        match = self._listed.match(self._plain, place) if self._listed is not None else None
        return [self._word(match[0], self._latin)] if match and match[0] else None

    def _piece(self, place: int) -> Iterator[Token]:
        plain, language = self._plain, self._language
        if language == "ja" and (match := _JAPANESE.match(plain, place)):
            yield from japanese.tokens(match[0], self._lexicon)
            return
        match = _PIECE.match(plain, place)
        assert match is not None
        kind, piece = match.lastgroup, match[0]
        if kind == "han":
            yield from self._chinese(piece)
        elif kind == "kana":
            yield from japanese.tokens(piece, self._lexicon)
        elif kind == "hangul":
            yield self._word(piece, "ko")
        elif kind in ("latin", "word"):
            if language in ("en", "zh", "ja", "ko"):
                yield self._english(piece)
            else:
                yield self._word(piece, language)
        elif kind == "sign":
            yield Token(piece, mark=_mark(plain, match.start()))
        else:
            yield Token(piece)

    def _chinese(self, run: str) -> Iterator[Token]:
        for word in mandarin.words(run, self._lexicon.words("zh")):
            yield self._word(word, "zh")

    def _english(self, word: str) -> Token:
        entry = self._lexicon.find(word, "en")
        if entry is not None:
            return self._said(word, "en", entry)
        if word == "A" and self._language != "en":
            return english.letter_a()
        return Token(word, english.word(word, shouted=self._shouted), "en")

    def _word(self, word: str, language: str) -> Token:
        return self._said(word, language, self._lexicon.find(word, language))

    @staticmethod
    def _said(word: str, language: str, entry: Entry | None) -> Token:
        return Token(word, entry.spoken if entry else word, language, entry.phonemes if entry else "")


def _mark(text: str, place: int) -> str:
    """What a punctuation mark tells the voice; a full stop inside of a word or a comma in a number tells it nothing."""
    mark = _MARKS.get(text[place], "")
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    if text[place] == ".":
        inside = after.isalnum() and not is_cjk(after)
    else:
        inside = text[place] in ",:" and before.isdigit() and after.isdigit()
    return "" if inside else mark
