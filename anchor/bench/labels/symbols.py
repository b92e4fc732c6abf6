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


def is_silence(symbol: str) -> bool:
    return symbol.lower() in _SILENT


def alphabet(symbols: Sequence[str]) -> str:
    """Which alphabet all of `symbols` belong to: ``arpabet``, ``pinyin`` or else ``ipa``."""
    bases = [(re.sub(r"[0-9]$", "", symbol), symbol) for symbol in symbols if not is_silence(symbol)]
    if all(base.upper() in ARPABET and symbol[-1] not in "3456789" for base, symbol in bases):
        return "arpabet"
    return "pinyin" if all(base.lower() in PINYIN for base, _ in bases) else "ipa"


def to_phones(labels: Sequence[Label]) -> tuple[tuple[Phone, ...], str]:
    """The labels that are heard, as timed IPA, and the alphabet they were written in."""
    written = alphabet([label.symbol for label in labels])
    phones = []
    for label in labels:
        if is_silence(label.symbol) or label.end <= label.start:
            continue
        base = re.sub(r"[0-9]$", "", label.symbol)
        symbol = {"arpabet": ARPABET.get(base.upper()), "pinyin": PINYIN.get(base.lower())}.get(written) or base
        stress = {"1": 2, "2": 1}.get(label.symbol[-1], 0) if written == "arpabet" else 0
        phones.append(Phone(symbol, round(label.start * SAMPLE_RATE), round(label.end * SAMPLE_RATE), stress))
    return tuple(phones), written
