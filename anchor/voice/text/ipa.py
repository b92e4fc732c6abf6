"""IPA as espeak-ng's phoneme mnemonics, for words whose sounds an editor has written down.

espeak-ng 1.52 names phonemes after Kirshenbaum, with names of its own for each language; the tables hold those of its
files ``ph_english``, ``ph_german``, ``ph_french`` and ``ph_spanish``, tested by what it then sounds.
"""

from __future__ import annotations

import unicodedata

_COMMON = {
    "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "ɡ": "g", "g": "g", "f": "f", "v": "v", "θ": "T", "ð": "D",
    "s": "s", "z": "z", "ʃ": "S", "ʒ": "Z", "h": "h", "m": "m", "n": "n", "ŋ": "N", "l": "l", "ɹ": "r", "r": "r",
    "w": "w", "j": "j", "tʃ": "tS", "dʒ": "dZ", "x": "x", "ʔ": "?", "ɲ": "n^", "ts": "ts", "ɾ": "t", "ɫ": "l",
    "ʍ": "w", "ɱ": "m", "ç": "C", "ɻ": "r", "ʁ": "r", "ʀ": "r", "β": "b", "ɣ": "g", "χ": "x", "c": "k", "ɟ": "g",
    "ʎ": "lj", "ɦ": "h",
    "i": "i", "e": "e", "ɛ": "E", "a": "a", "ə": "@", "o": "o", "ɔ": "O", "u": "u", "y": "y", "ø": "Y", "œ": "W",
    "ɪ": "I", "ʊ": "U", "ɑ": "A", "ɒ": "0", "ʌ": "V", "æ": "a", "ɐ": "a", "ʏ": "Y", "ɨ": "i", "ɜ": "3:", "ɚ": "3",
    "ɯ": "u", "ɤ": "@",
}  # fmt: skip

_LANGUAGES = {
    "en": {
        "iː": "i:", "uː": "u:", "ɑː": "A:", "ɔː": "O:", "ɜː": "3:", "ɝ": "3:", "ɝː": "3:", "ɜːɹ": "3:", "ɚ": "3",
        "əɹ": "3", "aɪ": "aI", "eɪ": "eI", "ɔɪ": "OI", "aʊ": "aU", "oʊ": "oU", "əʊ": "oU", "ɪə": "i@", "eə": "e@",
        "ɛə": "e@", "ʊə": "U@", "ɔːɹ": "O:r", "ɑːɹ": "A@", "ɛɹ": "e@", "ɪɹ": "i@3", "ʊɹ": "U@", "aː": "A:",
        "a": "a", "e": "E", "ɛ": "E", "o": "oU", "ɔ": "O:", "ɑ": "A:", "u": "u:", "i": "i", "y": "u:", "ø": "3:",
        "œ": "3:", "ʏ": "U", "ç": "S", "ɲ": "nj", "ɐ": "V", "ɨ": "I", "ɜ": "3:", "ɯ": "u:", "ɤ": "V", "əl": "@L",
    },
    "de": {
        "iː": "i:", "uː": "u:", "aː": "A:", "eː": "e:", "oː": "o:", "ɛː": "E:", "yː": "y:", "øː": "Y:", "œ": "W",
        "ʏ": "y", "ɐ": "3", "aɪ": "aI", "aʊ": "aU", "ɔʏ": "OY", "ɔɪ": "OY", "ɔø": "OY", "pf": "pF", "ʁ": "r", "ʀ": "r",
        "i": "i", "a": "a", "e": "e", "o": "o", "u": "u", "y": "y", "ə": "@",
    },
    "fr": {
        "ɑ̃": "A~", "ɛ̃": "E~", "ɔ̃": "O~", "œ̃": "W~", "ø": "Y", "œ": "W", "y": "y", "ɥ": "y", "ɑ": "a", "ə": "@",
    },
    "es": {"tʃ": "tS", "ʝ": "j^", "ʎ": "l^", "ɾ": "*", "r": "R", "rr": "R", "β": "B", "ɣ": "Q", "ɛ": "e", "ɔ": "o"},
}  # fmt: skip

_VOWELS = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝ")
_TIES = dict.fromkeys(map(ord, "͜͡‿.|‖ ()̯̩ʰ-"))
_LONGEST = 3


def mnemonics(ipa: str, language: str) -> str:
    """espeak-ng's mnemonics for IPA; what a language has no sound for is said with the nearest, or left out.

    IPA has stress before the syllable, espeak-ng before its vowel. Words are parted by two bars.
    """
    text = unicodedata.normalize("NFD", ipa).replace("c\u0327", "ç")
    return "||".join(filter(None, (_word(word.translate(_TIES), language) for word in text.split())))


def _word(text: str, language: str) -> str:
    table = {**_COMMON, **_LANGUAGES.get(language, {})}
    said, stress, place = "", "", 0
    while place < len(text):
        if text[place] in "ˈˌ'":
            stress = "," if text[place] == "ˌ" else "'"
            place += 1
            continue
        length = next((size for size in range(_LONGEST, 0, -1) if text[place : place + size] in table), 0)
        if length:
            sound = text[place : place + length]
            if sound[0] in _VOWELS:
                said, stress = said + stress, ""
            said += table[sound]
        place += max(1, length)
    return said
