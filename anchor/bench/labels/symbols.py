"""From the alphabets that labels are written in to the IPA that the project speaks: ARPAbet and Mandarin pinyin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anchor.bench.labels.label import Label
from anchor.events import Phone
from anchor.media import SAMPLE_RATE

ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "ɚ", "AY": "aɪ", "B": "b", "CH": "tʃ",
    "D": "d", "DH": "ð", "DX": "ɾ", "EH": "ɛ", "EL": "l", "EM": "m", "EN": "n", "ENG": "ŋ", "ER": "ɝ", "EY": "eɪ",
    "F": "f", "G": "ɡ", "HH": "h", "HV": "ɦ", "IH": "ɪ", "IX": "ɪ", "IY": "i", "JH": "dʒ", "K": "k", "L": "l", "M": "m",
    "N": "n", "NG": "ŋ", "NX": "ɾ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "Q": "ʔ", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t",
    "TH": "θ", "UH": "ʊ", "UW": "u", "UX": "ʉ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
"""The American English alphabet of CMUdict, with TIMIT's additions (Garofolo et al. 1993)."""

PINYIN = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "tɕ", "q": "tɕʰ", "x": "ɕ", "zh": "tʂ", "ch": "tʂʰ", "sh": "ʂ", "r": "ɻ", "z": "ts", "c": "tsʰ", "s": "s",
    "w": "w", "y": "j", "ng": "ŋ",
    "a": "a", "o": "ɔ", "e": "ɤ", "ê": "ɛ", "ai": "ai", "ei": "ei", "ao": "ɑu", "ou": "ou", "an": "an", "en": "ən",
    "ang": "ɑŋ", "eng": "əŋ", "er": "ɑɻ", "i": "i", "ii": "ɨ", "iii": "ɨ", "ia": "ia", "io": "iɔ", "ie": "iɛ",
    "iao": "iɑu", "iu": "iou", "iou": "iou", "ian": "iɛn", "in": "in", "iang": "iɑŋ", "ing": "iŋ", "iong": "yʊŋ",
    "u": "u", "ua": "ua", "uo": "uɔ", "uai": "uai", "ui": "uei", "uei": "uei", "uan": "uan", "un": "uən", "uen": "uən",
    "uang": "uɑŋ", "ueng": "uəŋ", "ong": "ʊŋ", "v": "y", "ü": "y", "ve": "yɛ", "üe": "yɛ", "ue": "yɛ", "van": "yɛn",
    "üan": "yɛn", "vn": "yn", "ün": "yn",
}  # fmt: skip
"""Initials and finals of Standard Mandarin; ``ii`` and ``iii`` are the vowels of zi and zhi."""

_SILENT = frozenset(
    {"", "sil", "pau", "sp", "spn", "nsn", "#", "x", "h#", "epi", "<sil>", "[sil]", "<p:>", "++noise++"}
)


_NEARLY = 0.8
"""Part of a file's symbols that decides on its alphabet; people also write noises and doubtful sounds."""
_LONGEST = 8


def is_silence(symbol: str) -> bool:
    return symbol.lower() in _SILENT


def _base(symbol: str) -> str:
    """A symbol without its stress or tone."""
    return re.sub(r"[0-9]$", "", symbol)


def alphabet(symbols: Sequence[str]) -> str:
    """Which alphabet nearly all of `symbols` belong to: ``pinyin`` (with tones), ``arpabet`` or else ``ipa``."""
    heard = [symbol for symbol in symbols if not is_silence(symbol)]
    most = _NEARLY * len(heard)
    toned = any(symbol[-1] in "12345" for symbol in heard)
    if toned and sum(_base(symbol) in PINYIN for symbol in heard) >= most:
        return "pinyin"
    return "arpabet" if sum(_base(symbol).upper() in ARPABET for symbol in heard) >= most else "ipa"


def _ipa_of_arpabet(base: str) -> str | None:
    """IPA of a symbol, or of several that were written as one because no border was heard between them: ``PT``."""
    for length in range(len(base), 0, -1):
        if (first := ARPABET.get(base[:length])) is not None:
            rest = _ipa_of_arpabet(base[length:]) if base[length:] else ""
            if rest is not None:
                return first + rest
    return None


def to_phones(labels: Sequence[Label]) -> tuple[tuple[Phone, ...], str]:
    """The labels that are heard, as timed IPA, and the alphabet they were written in."""
    written = alphabet([label.symbol for label in labels])
    phones = []
    for label in labels:
        if is_silence(label.symbol) or label.end <= label.start:
            continue
        base, symbol = _base(label.symbol), None
        if written == "arpabet":
            symbol = _ipa_of_arpabet(base.upper()) if len(base) <= _LONGEST else None
        elif written == "pinyin":
            symbol = PINYIN.get(base)
        stress = {"1": 2, "2": 1}.get(label.symbol[-1], 0) if written == "arpabet" else 0
        place = round(label.start * SAMPLE_RATE), round(label.end * SAMPLE_RATE)
        phones.append(Phone(symbol or base, *place, stress))
    return tuple(phones), written
