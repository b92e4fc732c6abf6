"""Things to say: sentences of frequent words, so that the recipe needs no corpus of anyone's text.

Word lists come from `wordfreq` (Speer 2022, data CC BY-SA 4.0 and others); a sentence is four to ten words drawn by a
flattened frequency, which covers sounds and their neighbours better than running text does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

CHINESE = ("zh", "ja")
_WORDS = 6000
_FLATTENED = 0.6


@lru_cache
def _words(language: str) -> tuple[list[str], np.ndarray]:
    from wordfreq import top_n_list

    words = [
        word for word in top_n_list(language, 2 * _WORDS) if word.isalpha() and (len(word) > 1 or language in CHINESE)
    ]
    if language == "zh":
        words = [word for word in words if all("一" <= char <= "鿿" for char in word)]
    words = words[:_WORDS]
    # Zipf's law stands in for the frequencies themselves, which some languages need a dictionary more for.
    weights = (np.arange(len(words)) + 10.0) ** -_FLATTENED
    return words, weights / weights.sum()


def sentence(language: str, rng: np.random.Generator, shortest: int = 4, longest: int = 10) -> str:
    """One sentence in `language` (ISO 639-1)."""
    words, weights = _words(language)
    count = int(rng.integers(shortest, longest + 1))
    chosen = [words[index] for index in rng.choice(len(words), count, p=weights)]
    pause = int(rng.integers(2, count)) if count > 5 and rng.random() < 0.4 else 0
    if language in CHINESE:
        if pause:
            chosen.insert(pause, "，" if language == "zh" else "、")
        return "".join(chosen) + "。"
    if pause:
        chosen[pause - 1] += ","
    text = " ".join(chosen) + ("?" if rng.random() < 0.15 else ".")
    return text[0].upper() + text[1:]
