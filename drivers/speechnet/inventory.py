"""The sounds that the network tells apart: finer than visemes, coarser than the phone sets of languages."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np

from anchor.media import OCULUS, Floats
from drivers.visemes import FOLDED, shares, visemes_of

SOUNDS = (
    "sil", "p", "b", "m", "f", "v", "θ", "t", "d", "ɾ", "n", "l", "k", "ɡ", "ŋ", "x", "h", "ʃ", "tʃ", "s", "z", "ts",
    "ɕ", "tɕ", "ɹ", "w", "j", "i", "ɪ", "e", "ɛ", "æ", "a", "ɑ", "ʌ", "ɔ", "o", "ʊ", "u", "ə", "y", "ø", "ɨ",
)  # fmt: skip
"""IPA; each stands for itself and for those of `_ALIKE` that follow it there."""
INDEX = {sound: index for index, sound in enumerate(SOUNDS)}
SILENCE = 0

_ALIKE = {
    "p": "ƥ", "b": "ɓʙβɸ", "v": "ʋⱱ", "θ": "ðϑ", "t": "ʈ", "d": "ɖɗ", "ɾ": "rɽɺʀ", "n": "ɳɲȵɴɱ", "l": "ɫɭʎɬɮʟȴ",
    "k": "qcƙ", "ɡ": "gɢɟʛɠ", "x": "χɣħʕʁ", "h": "ɦʔ", "ʃ": "ʒʂʐɧ", "s": "", "ɕ": "ʑ", "ɹ": "ɻ", "w": "wʍɥ", "j": "ʝç",
    "e": "ᴇ", "a": "", "ʌ": "ɐ", "ɔ": "ɒ", "o": "ɵ", "ʊ": "ᵿ", "u": "ʉω", "ɪ": "ᵻ", "ə": "ɘɤɞɜ", "y": "ʏ",
    "ø": "œɶ", "ɨ": "ɯɿʅ",
}  # fmt: skip
_OF_LETTER = {letter: sound for sound, letters in _ALIKE.items() for letter in letters}
_OF_LETTER |= {sound: sound for sound in SOUNDS if len(sound) == 1}
_AFFRICATES = {"s": "ts", "z": "ts", "ʃ": "tʃ", "ʒ": "tʃ", "ʂ": "tʃ", "ʐ": "tʃ", "ɕ": "tɕ", "ʑ": "tɕ"}
_STOPS = frozenset("tdʈɖȶ")


@lru_cache(maxsize=4096)
def sounds_of(symbol: str) -> tuple[tuple[int, float], ...]:
    """Indices into `SOUNDS` that an IPA symbol passes through, and the part of its time each takes.

    Never fails; what it does not know is read as the nearest of its viseme, and no letter at all is silence.
    """
    spelt = unicodedata.normalize("NFC", symbol).replace("ɚ", "əɹ").replace("ɝ", "əɹ")
    letters = [letter for letter in spelt if letter in _OF_LETTER]
    found: list[str] = []
    index = 0
    while index < len(letters):
        pair = letters[index : index + 2]
        if len(pair) == 2 and pair[0] in _STOPS and pair[1] in _AFFRICATES:
            found.append(_AFFRICATES[pair[1]])
            index += 1
        elif not (found and letters[index] in "hɦ"):
            found.append(_OF_LETTER[letters[index]])
        index += 1
    if not found:
        viseme = visemes_of(symbol)[0][0]
        return ((next(i for i, sound in enumerate(SOUNDS) if visemes_of(sound)[0][0] == viseme), 1.0),)
    squeezed = [sound for index, sound in enumerate(found) if index == 0 or sound != found[index - 1]]
    parts = shares([visemes_of(sound)[0][0] for sound in squeezed])
    return tuple((INDEX[sound], share) for sound, share in zip(squeezed, parts, strict=True))


def _collapse() -> Floats:
    """A matrix, float32 of shape (sounds, 15): which viseme each sound shows, as far as sounds alone can tell."""
    matrix = np.zeros((len(SOUNDS), len(OCULUS)), np.float32)
    for row, sound in enumerate(SOUNDS):
        for viseme, share in visemes_of(sound):
            matrix[row, OCULUS.index(FOLDED.get(viseme, viseme))] += share
    return matrix


COLLAPSE: Floats = _collapse()
