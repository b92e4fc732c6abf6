"""Visemes: what each speech sound looks like, as ARKit weights, and how strongly it asks for each articulator.

The fifteen classes are those of Oculus / OpenXR face tracking (MPEG-4 part 2 visemes regrouped); the finer ones are
ours, where lips differ and the fifteen do not tell: front rounded vowels, glides, reduced vowels, bilabial fricatives.

Source of the numbers in `SHAPES`: our own. Relative openings follow the inner-lip distances measured on eleven read
sentences of the GRID corpus (Cooke et al. 2006), in parts of each speaker's range: sil .24, PP .08, FF 0, TH .26,
DD .45, CH .38, nn .52, RR .18, aa .75, E .79, O .39, U .09; then lowered for consonants, which there borrow the
opening of their vowels (the blend does that here), and set by eye on the bundled face. Closed lips close whatever the
jaw does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from anchor.media import ARKIT, ARKIT_INDEX, Floats

_PAIRS = {
    "stretch": "mouthStretch",
    "smile": "mouthSmile",
    "lowerDown": "mouthLowerDown",
    "upperUp": "mouthUpperUp",
    "press": "mouthPress",
}
_SINGLES = {
    "jaw": "jawOpen",
    "close": "mouthClose",
    "pucker": "mouthPucker",
    "funnel": "mouthFunnel",
    "rollLower": "mouthRollLower",
    "rollUpper": "mouthRollUpper",
    "shrugUpper": "mouthShrugUpper",
    "tongue": "tongueOut",
}

SHAPES: Mapping[str, Mapping[str, float]] = {
    "sil": {},
    "PP": {"jaw": 0.06, "close": 0.06, "press": 0.40, "rollLower": 0.14, "rollUpper": 0.14},
    "FF": {"jaw": 0.07, "rollLower": 0.65, "upperUp": 0.42},
    "TH": {"jaw": 0.20, "tongue": 0.35, "lowerDown": 0.16, "upperUp": 0.12, "stretch": 0.06},
    "DD": {"jaw": 0.18, "lowerDown": 0.18, "upperUp": 0.08, "stretch": 0.10},
    "kk": {"jaw": 0.26, "lowerDown": 0.12, "upperUp": 0.05},
    "CH": {"jaw": 0.12, "funnel": 0.46, "pucker": 0.26, "lowerDown": 0.10, "upperUp": 0.06},
    "SS": {"jaw": 0.07, "stretch": 0.25, "smile": 0.05, "lowerDown": 0.34, "upperUp": 0.20},
    "nn": {"jaw": 0.19, "lowerDown": 0.14, "upperUp": 0.05, "stretch": 0.08},
    "RR": {"jaw": 0.15, "funnel": 0.22, "pucker": 0.30},
    "aa": {"jaw": 0.58, "lowerDown": 0.14, "upperUp": 0.06},
    "E": {"jaw": 0.38, "stretch": 0.22, "smile": 0.08, "lowerDown": 0.20, "upperUp": 0.12},
    "I": {"jaw": 0.17, "stretch": 0.38, "smile": 0.16, "lowerDown": 0.26, "upperUp": 0.14},
    "O": {"jaw": 0.36, "pucker": 0.50, "funnel": 0.25},
    "U": {"jaw": 0.10, "pucker": 0.84, "funnel": 0.08},
    # Finer than the fifteen.
    "ae": {"jaw": 0.50, "stretch": 0.20, "smile": 0.06, "lowerDown": 0.22, "upperUp": 0.12},
    "ao": {"jaw": 0.48, "pucker": 0.26, "funnel": 0.28},
    "uh": {"jaw": 0.42, "lowerDown": 0.14, "upperUp": 0.06},
    "ax": {"jaw": 0.30, "lowerDown": 0.15, "upperUp": 0.06, "stretch": 0.03},
    "im": {"jaw": 0.15, "stretch": 0.16, "lowerDown": 0.14, "upperUp": 0.06},
    "yy": {"jaw": 0.11, "pucker": 0.70, "funnel": 0.16},
    "oe": {"jaw": 0.28, "pucker": 0.46, "funnel": 0.28},
    "ww": {"jaw": 0.06, "pucker": 0.88, "funnel": 0.05},
    "jj": {"jaw": 0.15, "stretch": 0.28, "smile": 0.14, "lowerDown": 0.16, "upperUp": 0.06},
    "ll": {"jaw": 0.25, "lowerDown": 0.14, "upperUp": 0.06, "stretch": 0.06},
    "bf": {"jaw": 0.09, "pucker": 0.10, "rollLower": 0.05},
    "hh": {},
}
"""The one viseme-to-ARKit table; a name without a side stands for both sides of the face."""

VISEMES = tuple(SHAPES)
FOLDED = {
    "ae": "aa", "uh": "aa", "ax": "aa", "ao": "O", "oe": "O", "im": "I", "jj": "I", "yy": "U", "ww": "U", "ll": "nn",
    "bf": "PP", "hh": "sil",
}  # fmt: skip
"""How the finer visemes fold into `OCULUS`. Reduced, low front and low central vowels are ``aa``, as ARPAbet writes
schwa and the vowel of "but" alike; glides are the vowels they glide from; an h has the mouth of the vowel after it."""
VISEME_INDEX = {name: index for index, name in enumerate(VISEMES)}
CHANNELS = ("jaw", "wide", "round", "lips", "tongue")

VOWELS = frozenset({"aa", "E", "I", "O", "U", "ae", "ao", "uh", "ax", "im", "yy", "oe"})
OPEN_VOWELS = frozenset({"aa", "ae", "ao", "E"})
_GLIDES = frozenset({"ww", "jj"})
_ROUNDED = frozenset({"O", "U", "ao", "yy", "oe", "ww", "CH", "RR"})


def _columns(short: str) -> tuple[int, ...]:
    if short in _PAIRS:
        return tuple(ARKIT_INDEX[_PAIRS[short] + side] for side in ("Left", "Right"))
    return (ARKIT_INDEX[_SINGLES[short]],)


def columns(*shorts: str) -> list[int]:
    """Indices in `anchor.media.ARKIT` of entries named as in `SHAPES`."""
    return [index for short in shorts for index in _columns(short)]


def _shape_matrix() -> Floats:
    matrix = np.zeros((len(VISEMES), len(ARKIT)), np.float32)
    for row, shape in enumerate(SHAPES.values()):
        for short, weight in shape.items():
            matrix[row, list(_columns(short))] = weight
    return matrix


MATRIX: Floats = _shape_matrix()
"""`SHAPES` as float32, shape (visemes, 52)."""

CHANNEL_COLUMNS: tuple[list[int], ...] = (
    columns("jaw"),
    columns("stretch", "smile"),
    columns("pucker", "funnel"),
    columns("lowerDown", "upperUp", "rollLower"),
    columns("tongue"),
)


@dataclass(frozen=True, slots=True)
class Pull:
    """How a class of sounds asks for the articulators: one number for each of `CHANNELS`.

    `dominance` is the alpha of Cohen and Massaro (1993); `attack` and `release` are the seconds over which the pull
    grows before the sound and fades after it.
    """

    dominance: tuple[float, float, float, float, float]
    attack: tuple[float, float, float, float, float]
    release: tuple[float, float, float, float, float]


_SHORT = (0.07, 0.09, 0.08, 0.07, 0.05)
_MEDIUM = (0.095, 0.11, 0.10, 0.09, 0.06)
_ROUND_IN = (0.095, 0.12, 0.18, 0.10, 0.06)
_PURSING = (0.07, 0.09, 0.16, 0.07, 0.05)
_UNPURSING = (0.07, 0.09, 0.10, 0.07, 0.05)
_ROUND_OUT = (0.095, 0.11, 0.13, 0.09, 0.06)


def _pull(viseme: str) -> Pull:
    if viseme in ("hh", "sil"):
        return Pull((0.0,) * 5, _SHORT, _SHORT)
    if viseme in VOWELS and viseme in _ROUNDED:
        return Pull((1.0, 0.7, 1.1, 0.9, 0.4), _ROUND_IN, _ROUND_OUT)
    if viseme in VOWELS:
        reduced = 0.65 if viseme in ("ax", "im") else 1.0
        return Pull((reduced, 0.9 * reduced, 0.7 * reduced, reduced, 0.4), _MEDIUM, _MEDIUM)
    # Consonants: what the tongue alone makes leaves jaw and lips to the vowels around it.
    dominance = {
        "PP": (0.6, 0.25, 0.15, 0.8, 0.6),
        "FF": (0.9, 0.4, 0.5, 1.3, 0.6),
        "TH": (0.8, 0.4, 0.25, 0.8, 1.5),
        "DD": (0.5, 0.3, 0.15, 0.5, 0.8),
        "kk": (0.35, 0.2, 0.12, 0.3, 0.8),
        "CH": (1.6, 0.7, 1.0, 1.0, 0.8),
        "SS": (1.8, 0.7, 0.3, 1.2, 0.8),
        "nn": (0.45, 0.3, 0.15, 0.45, 0.8),
        "ll": (0.45, 0.3, 0.15, 0.45, 0.8),
        "RR": (0.6, 0.4, 0.7, 0.5, 0.8),
        "ww": (1.0, 0.7, 1.4, 0.9, 0.6),
        "jj": (0.8, 0.9, 0.5, 0.7, 0.6),
        "bf": (1.4, 0.4, 0.6, 1.2, 0.6),
    }[viseme]
    if viseme in _ROUNDED:
        return Pull(dominance, _PURSING, _UNPURSING)
    return Pull(dominance, _SHORT, _SHORT)


PULLS: tuple[Pull, ...] = tuple(_pull(name) for name in VISEMES)

# International Phonetic Alphabet, 2020 chart, and the letters espeak-ng adds to it.
_LETTERS = {
    "PP": "pbmɓʙƥ",
    "bf": "ɸβ",
    "FF": "fvɱʋⱱ",
    "TH": "θðϑ",
    "DD": "tdʈɖɗɾɽrᶑƭɺ",
    "nn": "nɳɲȵɴ",
    "ll": "lɫɭʎɬɮʟȴ",
    "kk": "kgɡqɢxɣχʁʀħʕʡŋɠʛɰɟcʜʢƙ",
    "CH": "ʃʒʂʐɧʆʓ",
    "SS": "szɕʑʦʣ",
    "RR": "ɹɻɚɝ",
    "ww": "wʍ",
    "jj": "jçʝ",
    "hh": "hɦʔ",
    "aa": "aɑ",
    "ae": "æ",
    "E": "eɛᴇ",
    "I": "iɪᵻ",
    "im": "ɯɨɿʅ",
    "uh": "ʌɐ",
    "ax": "əɘɜɤɞ",
    "ao": "ɔɒ",
    "O": "oɵ",
    "U": "uʊʉᵿω",
    "yy": "yʏɥʮʯ",
    "oe": "øœɶ",
}
_BY_LETTER = {letter: viseme for viseme, letters in _LETTERS.items() for letter in letters} | {"ʧ": "CH", "ʤ": "CH"}
# Plain letters that are no IPA vowel or consonant of their own, and what most spellings mean by them.
_BY_PLAIN_NAME = dict(zip("abcdefghijklmnopqrstuvwxyz", (
    "aa", "PP", "DD", "DD", "E", "FF", "kk", "hh", "I", "jj", "kk", "ll", "PP", "nn", "O", "PP", "kk", "RR", "SS", "DD",
    "U", "FF", "ww", "kk", "yy", "SS",
), strict=True))  # fmt: skip
_FRICATIVES = frozenset({"SS", "CH", "TH"})
_STOP_LETTERS = frozenset("tdʈɖkɡgcɟ")
_SILENT = frozenset({"sil", "pau", "sp", "spn", "nsn", "#"})


def _read_letter(letter: str) -> str | None:
    """Give the viseme of one letter, by its place in the chart or else by the plain letter its Unicode name holds."""
    if (known := _BY_LETTER.get(letter) or _BY_LETTER.get(letter.lower())) is not None:
        return known
    if unicodedata.category(letter)[0] != "L" or unicodedata.category(letter) == "Lm":
        return None
    named = re.search(r"\bLETTER (?:SMALL CAPITAL )?([A-Z])\b", unicodedata.name(letter, ""))
    return _BY_PLAIN_NAME[named.group(1).lower()] if named else "ax"


def _decompose(symbol: str) -> str:
    """Part letters from their marks, but not the cedilla of ç, which is a letter of the chart."""
    composed = unicodedata.normalize("NFC", symbol)
    return "".join(char if char in _BY_LETTER else unicodedata.normalize("NFD", char) for char in composed)


def _spell(symbol: str) -> list[tuple[str, str]]:
    """Split an IPA symbol into (letter, viseme); marks change the letter before them or are dropped."""
    parts: list[tuple[str, str]] = []
    for mark in _decompose(symbol):
        if mark == "." and parts and parts[-1][1] == "SS":
            parts[-1] = (parts[-1][0], "CH")  # espeak-ng writes Mandarin retroflexes s. z. ts.
        elif mark == "." and parts and parts[-1][1] == "I":
            parts[-1] = (parts[-1][0], "im")  # and the vowel of shi, zi as i.
        elif mark == "ʷ" and parts and parts[-1][1] not in VOWELS:
            parts.append(("w", "ww"))
        elif mark in "ɚɝ":
            parts += [("ə", "ax"), ("ɹ", "RR")]
        elif mark == "h" and parts and parts[-1][1] not in VOWELS:
            continue  # Aspiration written as a letter: ph, ts.h.
        elif (viseme := _read_letter(mark)) is not None:
            parts.append((mark, viseme))
    return parts


def _merge_affricates(parts: list[tuple[str, str]]) -> list[str]:
    merged: list[str] = []
    for index, (letter, viseme) in enumerate(parts):
        following = parts[index + 1][1] if index + 1 < len(parts) else ""
        if not (letter in _STOP_LETTERS and following in _FRICATIVES):
            merged.append(viseme)
    return merged


def shares(parts: list[str]) -> tuple[float, ...]:
    """Say what part of the time each piece of a diphthong, affricate or whole final takes."""
    weights = []
    for index, viseme in enumerate(parts):
        leads = index + 1 < len(parts) and parts[index + 1] in VOWELS
        if viseme not in VOWELS:
            weights.append(0.55)
        elif leads and viseme in ("I", "U", "yy", "im"):
            weights.append(0.5)
        else:
            weights.append(1.0 if leads or len(parts) == 1 else 0.75)
    return tuple(weight / sum(weights) for weight in weights)


@lru_cache(maxsize=4096)
def visemes_of(symbol: str) -> tuple[tuple[str, float], ...]:
    """Give the visemes of an IPA symbol and the part of its time each takes; the parts add up to 1.

    Never fails: stress, length, tone and other marks are dropped, an affricate is its fricative, a diphthong or a
    Mandarin final is a sequence, and a letter outside the chart is read by its plain relative. A symbol without any
    letter is silence.
    """
    if symbol.lower() in _SILENT:
        return (("sil", 1.0),)
    parts = _merge_affricates(_spell(symbol))
    if not parts:
        return (("sil", 1.0),)
    squeezed = [part for index, part in enumerate(parts) if index == 0 or part != parts[index - 1]]
    return tuple(zip(squeezed, shares(squeezed), strict=True))
