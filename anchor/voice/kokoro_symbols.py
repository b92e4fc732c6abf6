"""The symbols Kokoro-82M was trained on, and how speech is written in them.

The model's card (hexgrad/Kokoro-82M, ``config.json``) numbers the symbols. English has capitals for its diphthongs,
stress stands before the vowel, and a Chinese syllable has its tone as an arrow behind its vowel.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

VOCABULARY = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, "—": 9, "…": 10, '"': 11, "(": 12, ")": 13, "“": 14, "”": 15,
    " ": 16, "\u0303": 17, "ʣ": 18, "ʥ": 19, "ʦ": 20, "ʨ": 21, "ᵝ": 22, "ꭧ": 23, "A": 24, "I": 25, "O": 31, "Q": 33,
    "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "c": 45, "d": 46, "e": 47, "f": 48, "h": 50,
    "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "q": 59, "r": 60, "s": 61, "t": 62,
    "u": 63, "v": 64, "w": 65, "x": 66, "y": 67, "z": 68, "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "β": 75, "ɔ": 76,
    "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92, "ɥ": 99,
    "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111, "ŋ": 112, "ɳ": 113, "ɲ": 114, "ɴ": 115, "ø": 116, "ɸ": 118,
    "θ": 119, "œ": 120, "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133,
    "ʊ": 135, "ʋ": 136, "ʌ": 138, "ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157,
    "ː": 158, "ʰ": 162, "ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177,
}  # fmt: skip
MARKS = frozenset(",.;:?!")
RATE, FRAME = 24_000, 600
"""Samples a second, and samples of a frame, of which the network predicts how many each symbol takes."""
LATE_SECONDS = 0.060
"""By how much the network's sound comes before the frames it predicts for it (against `drivers.speechnet.align`)."""
LEAD_SECONDS, TAIL_SECONDS = 0.04, 0.08
"""Sound kept before the first and after the last symbol."""
MOST = 510
"""Symbols that the network takes at once, and rows of a speaker's file: one for each length of text."""

_ENGLISH = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ", "əl": "ᵊl", "ɚ": "əɹ", "r": "ɹ", "x": "k",
    "ç": "k", "ɐ": "ə", "ɬ": "l", "e": "A", "ʔ": "t", "ʲ": "",
}  # fmt: skip
_AMERICAN = {**_ENGLISH, "oʊ": "O", "ɜː": "ɜɹ", "ɜːɹ": "ɜɹ", "ɪə": "iə", "ɾ": "T", "ː": "", "o": "ɔ"}
_BRITISH = {**_ENGLISH, "eə": "ɛː", "iə": "ɪə", "əʊ": "Q", "o": "ɔ"}
_OTHER = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "oʊ": "O", "əʊ": "Q", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ",
    "g": "ɡ",
}  # fmt: skip
_TABLES = {"en-US": _AMERICAN, "en-GB": _BRITISH}

_SPLIT_CAPITALS = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ"}
_SOUNDS = {
    "T": "ɾ", "S": "ʃ", "ꭧ": "tʂ", "ʨ": "tɕ", "ʦ": "ts", "ʣ": "dz", "ʥ": "dʑ", "ʧ": "tʃ", "ʤ": "dʒ", "ᵊ": "ə",
    "ᵻ": "ɪ", "ɻ": "ʐ", "ɰ": "w", "ɥ": "y", "ʈ": "t", "ɖ": "d", "ɳ": "n", "ʋ": "v", "χ": "x", "ɟ": "j", "c": "k",
    "q": "k",
}  # fmt: skip


SMALL_WORDS = {
    "a": "ɐ", "an": "ɐn", "and": "ænd", "as": "æz", "at": "æt", "but": "bʌt", "for": "fɔɹ", "from": "fɹʌm",
    "had": "hæd", "has": "hæz", "have": "hæv", "he": "hi", "her": "hɜɹ", "his": "hɪz", "in": "ɪn", "is": "ɪz",
    "it": "ɪt", "of": "ʌv", "on": "ɔn", "or": "ɔɹ", "she": "ʃi", "that": "ðæt", "they": "ðA", "to": "tə",
    "was": "wʌz", "we": "wi", "were": "wɜɹ", "with": "wɪð", "you": "ju",
}  # fmt: skip
"""American words that espeak-ng draws into those around them ("ðˌəɾɪt", that it) and that the network was taught as
words of their own; it halts at what it does not know."""


def from_espeak(name: str, language: str) -> str:
    """Kokoro's symbols for one of espeak-ng's phone names; `language` is a tag such as ``en-GB`` or ``es``."""
    stress = "ˈ" if "ˈ" in name else "ˌ" if "ˌ" in name else ""
    bare = unicodedata.normalize("NFD", name.translate(_UNWRITTEN)).replace("c\u0327", "ç")
    table = _TABLES.get(language, _OTHER)
    said, place = "", 0
    while place < len(bare):
        length = next((size for size in (3, 2, 1) if bare[place : place + size] in table), 0)
        piece = bare[place : place + max(1, length)]
        said += table[piece] if length else piece
        place += len(piece)
    said = "".join(letter for letter in said if letter in VOCABULARY and letter not in MARKS)
    return stress + said if said else ""


_UNWRITTEN = dict.fromkeys(map(ord, "ˈˌ\u0361\u035c-^0123456789."))

_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘"}
_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip
# A final before and after its tone.
_FINALS = {
    "a": ("a", ""), "o": ("wo", ""), "e": ("ɤ", ""), "ê": ("ɛ", ""), "i": ("i", ""), "u": ("u", ""), "v": ("y", ""),
    "ai": ("ai", ""), "ei": ("ei", ""), "ao": ("au", ""), "ou": ("ou", ""), "an": ("a", "n"), "en": ("ə", "n"),
    "ang": ("a", "ŋ"), "eng": ("ə", "ŋ"), "ong": ("ʊ", "ŋ"), "er": ("ɚ", ""), "ia": ("ja", ""), "io": ("jo", ""),
    "ie": ("je", ""), "iao": ("jau", ""), "iu": ("jou", ""), "ian": ("jɛ", "n"), "in": ("i", "n"),
    "iang": ("ja", "ŋ"), "ing": ("i", "ŋ"), "iong": ("jʊ", "ŋ"), "ua": ("wa", ""), "uo": ("wo", ""),
    "uai": ("wai", ""), "ui": ("wei", ""), "uan": ("wa", "n"), "un": ("wə", "n"), "uang": ("wa", "ŋ"),
    "ueng": ("wə", "ŋ"), "ve": ("ɥe", ""), "van": ("ɥɛ", "n"), "vn": ("y", "n"),
    "m": ("m", ""), "n": ("n", ""), "ng": ("ŋ", ""), "hm": ("hm", ""), "hng": ("hŋ", ""),
}  # fmt: skip
# Syllables that are written with y and w for want of an initial.
_WRITTEN = {
    "yi": "i", "wu": "u", "yu": "v", "yue": "ve", "yuan": "van", "yun": "vn", "you": "iu", "wei": "ui", "wen": "un",
    "weng": "ueng", "yong": "iong", "yin": "in", "ying": "ing", "yo": "uo", "o": "",
}  # fmt: skip


def from_pinyin(syllable: str) -> str:
    """Kokoro's symbols for a syllable such as ``zhong1``, ``lv4`` or ``er2``; nothing for what is none."""
    bare, tone = syllable[:-1].replace("ü", "v").replace("u:", "v"), _TONES.get(syllable[-1:], "")
    if bare == "o":
        return f"ɔ{tone}"
    initial, final = "", _WRITTEN.get(bare, "")
    if not final and bare[:1] in "yw" and len(bare) > 1:
        final = {"y": "i", "w": "u"}[bare[0]] + bare[1:]
    elif not final and bare not in _FINALS:
        initial = bare[:2] if bare[:2] in _INITIALS else bare[:1]
        final = bare[len(initial) :]
        if initial in ("j", "q", "x") and final.startswith("u"):
            final = "v" + final[1:]
        if initial in ("zh", "ch", "sh", "r", "z", "c", "s") and final == "i":
            return f"{_INITIALS[initial]}ɨ{tone}"
    final = final or bare
    before, after = _FINALS.get(final, ("", ""))
    return f"{_INITIALS.get(initial, '')}{before}{tone}{after}" if before else ""


# Rows of the syllabary: what its five vowels are led by.
_ROWS = {
    "アイウエオ": "", "カキクケコ": "k", "ガギグゲゴ": "ɡ", "ナニヌネノ": "n", "ハヒフヘホ": "h", "バビブベボ": "b",
    "パピプペポ": "p", "マミムメモ": "m", "ラリルレロ": "ɾ",
}  # fmt: skip
_SMALL = {"ァ": "a", "ィ": "i", "ゥ": "ɯ", "ェ": "e", "ォ": "o", "ャ": "a", "ュ": "ɨ", "ョ": "o", "ヮ": "a"}
_KANA = {
    **{kana: lead + vowel for row, lead in _ROWS.items() for kana, vowel in zip(row, "aiɯeo", strict=True)},
    "キ": "kʲi", "ギ": "ɡʲi", "ニ": "ɲi", "ヒ": "çi", "フ": "ɸɯ", "ビ": "bʲi", "ピ": "pʲi", "ミ": "mʲi", "リ": "ɾʲi",
    "サ": "sa", "シ": "ɕi", "ス": "sɨ", "セ": "se", "ソ": "so", "ザ": "ʣa", "ジ": "ʥi", "ズ": "zɨ", "ゼ": "ʣe",
    "ゾ": "ʣo", "タ": "ta", "チ": "ʨi", "ツ": "ʦɨ", "テ": "te", "ト": "to", "ダ": "da", "ヂ": "ʥi", "ヅ": "zɨ",
    "デ": "de", "ド": "do", "ヤ": "ja", "ユ": "jɯ", "ヨ": "jo", "ワ": "βa", "ヰ": "i", "ヱ": "e", "ヲ": "o",
    "ヴ": "vɯ", "ヵ": "ka", "ヶ": "ke", "ー": "ː", "ッ": "ʔ",
}  # fmt: skip
_PALATAL = {
    "キ": "kʲ", "ギ": "ɡʲ", "シ": "ɕ", "ジ": "ʥ", "チ": "ʨ", "ヂ": "ʥ", "ニ": "ɲ", "ヒ": "ç", "ビ": "bʲ", "ピ": "pʲ",
    "ミ": "mʲ", "リ": "ɾʲ", "テ": "tʲ", "デ": "dʲ", "フ": "ɸʲ", "ヴ": "vʲ", "ツ": "ʦ", "ク": "kᵝ", "グ": "ɡᵝ",
    "ト": "t", "ド": "d", "ウ": "β", "イ": "j", "ス": "s", "ズ": "z",
}  # fmt: skip
_NASALS = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾzʣ", "n"))


def from_kana(text: str) -> str:
    """Kokoro's symbols for katakana or hiragana."""
    kana = "".join(chr(ord(one) + 0x60) if "\u3041" <= one <= "\u3096" else one for one in text)
    morae = list[str]()
    for index, one in enumerate(kana):
        if one in _SMALL:
            before = kana[index - 1] if index else ""
            if morae and before in _PALATAL:
                morae[-1] = _glided(before, one)
            else:
                morae.append(_SMALL[one])
        elif one == "ン" or one in _KANA:
            morae.append(_KANA.get(one, "ン"))
    for index, mora in enumerate(morae):
        if mora == "ン":
            after = morae[index + 1][:1] if index + 1 < len(morae) else ""
            morae[index] = next((sound for before, sound in _NASALS if after and after in before), "ɴ")
    return "".join(morae)


def _glided(kana: str, small: str) -> str:
    lead = _PALATAL[kana]
    if kana in "フヴ" and small in "ァェォ":
        lead = lead[:-1]
    return lead + _SMALL[small]


def phones_of(symbol: str) -> tuple[str, ...]:
    """The plain IPA sounds of a symbol, as `anchor.events.Phone` has them; none for marks, stress and modifiers."""
    if symbol in _SPLIT_CAPITALS:
        return tuple(_SPLIT_CAPITALS[symbol])
    if symbol in _SOUNDS:
        return (_SOUNDS[symbol],)
    return (symbol,) if symbol.isalpha() and symbol not in _MODIFIERS else ()


_MODIFIERS = frozenset("ːʰʲᵝˈˌ\u0303→↗↓↘")


def ids(symbols: Sequence[str]) -> Iterator[int]:
    """The numbers of symbols, between the two ends that the network wants."""
    yield 0
    yield from (VOCABULARY[symbol] for symbol in symbols)
    yield 0
