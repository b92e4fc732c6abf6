"""How espeak-ng would say words, in its own names of phones, for voices that are told sounds and not letters.

The embedded voice's worker is asked, so numbers, names of the lexicon and foreign words are said as that voice says
them; nothing of espeak-ng is linked.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import groupby

from anchor.voice import espeak_worker
from anchor.voice.espeak import text_of
from anchor.voice.languages import SPEAKING, resolve
from anchor.voice.phones import symbols
from anchor.voice.text import Token
from anchor.workers import WorkerPool

Word = tuple[str, ...]
"""The names of a word's phones, such as ``("h", "ə", "l", "ˈoʊ")``."""

_REMEMBERED = 4096


class Pronouncer:
    """Asks the workers of `pool`, which are started by `anchor.voice.espeak.command`. Blocks; for many threads."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._alone: dict[tuple[str, str], Word] = {}

    def pronounced(self, tokens: Sequence[Token], tag: str) -> list[list[Word]]:
        """The words of each token in the language `tag`; none for what is not said. Raises `VoiceError`."""
        run = text_of(tokens, range(len(tokens)), SPEAKING[resolve(tag)], dict.fromkeys(range(len(tokens)), ""))
        words = [list[Word]() for _ in tokens]
        if not run.tokens:
            return words
        found = self._ask(run.text, tag)
        places = [max(0, bisect.bisect_right(run.starts, character) - 1) for character, _ in found]
        for index, (place, (_, names)) in enumerate(zip(places, found, strict=True)):
            after = places[index + 1] if index + 1 < len(places) else len(run.tokens)
            together = run.tokens[place : max(place + 1, after)]
            for token, word in zip(together, self._parted(names, [tokens[one] for one in together], tag), strict=True):
                words[token].append(word)
        return words

    def _ask(self, text: str, tag: str) -> list[tuple[int, Word]]:
        """Words of a text by the character where they begin."""
        speaking = SPEAKING[resolve(tag)]
        answer, _ = self._pool.ask(
            {
                "text": text, "voice": speaking.voice, "timbre": "", "rate": 450, "pitch": 50, "range": 50,
                "phonemes": "[[" in text,
            }
        )  # fmt: skip
        named, character = list[tuple[int, str]](), 0
        for kind, place, _, name in answer["events"]:
            if kind == espeak_worker.EVENT_WORD:
                character = place
            elif name and not name.startswith("("):
                named.append((character, name))
        return [(place, tuple(name for _, name in group)) for place, group in groupby(named, lambda one: one[0])]

    def _parted(self, names: Word, tokens: Sequence[Token], tag: str) -> list[Word]:
        """What espeak-ng says in one ("in the") parted where the words begin, by how each is said alone."""
        if len(tokens) == 1:
            return [names]
        last = self._said_alone(tokens[-1], tag)
        first = symbols(last[0])[0] if last else ()
        cuts = range(min(1, len(names)), len(names) + 1)
        cut = min(
            cuts,
            key=lambda place: (
                abs(len(names) - place - len(last))
                + (0 if place < len(names) and symbols(names[place])[0] == first else 2)
            ),
        )
        return [*self._parted(names[:cut], tokens[:-1], tag), names[cut:]]

    def _said_alone(self, token: Token, tag: str) -> Word:
        key = (token.phonemes or token.spoken, tag)
        if key not in self._alone:
            text = text_of([token], range(1), SPEAKING[resolve(tag)], {0: ""}).text
            if len(self._alone) > _REMEMBERED:
                self._alone.clear()
            self._alone[key] = tuple(name for _, word in self._ask(text, tag) for name in word)
        return self._alone[key]
