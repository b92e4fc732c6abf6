"""A Japanese voice made of a woman's recordings: Open JTalk with the voice Mei, from a pip wheel.

The wheel (pyopenjtalk-plus, the extra ``ja``) carries its dictionary and its voice: nothing is downloaded. It reads
kanji, numbers and Latin letters itself; phones have the durations it synthesizes with.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import unicodedata
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path

from anchor.errors import MissingError, VoiceError
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk, VoiceInfo
from anchor.voice import sound
from anchor.voice.languages import resolve
from anchor.voice.text import Lexicon, Token, grouped
from anchor.voice.text.scripts import narrow
from anchor.workers import WorkerPool

INFO = VoiceInfo(
    "openjtalk", "Open JTalk 1.11, voice Mei", ("ja",), "MIT and BSD-3-Clause; voice Mei CC BY 3.0", phone_timings=True
)

GAIN = 2.5
"""Decibels that bring the voice to `anchor.voice.sound.LOUDNESS`, measured as for `anchor.voice.languages`."""

LEAD_SECONDS, TAIL_SECONDS = 0.03, 0.03

# Consonants of Open JTalk in IPA; palatalized ones are the consonant and a glide, as in espeak-ng's Japanese.
_CONSONANTS = {
    "ch": ("tɕ",), "sh": ("ɕ",), "j": ("dʑ",), "ts": ("ts",), "f": ("ɸ",), "r": ("ɽ",), "g": ("ɡ",), "y": ("j",),
    "N": ("ɴ",), "cl": ("ʔ",), "hy": ("ç",), "kw": ("k", "w"), "gw": ("ɡ", "w"), "v": ("v",), "dz": ("z",),
}  # fmt: skip
_VOWELS = {"a": "a", "i": "i", "u": "ɯ", "e": "e", "o": "o"}

_DIGIT = re.compile(r"[\d.,．，]")

# What the engine would spell or misread, written as it reads it.
_REWRITTEN = (
    (re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)"), r"\1年\2月\3日"),
    (re.compile(r"(?<!\d)(\d{1,2}):00(?!\d)"), r"\1時"),
    (re.compile(r"(?<!\d)(\d{1,2}):0?(\d{1,2})(?!\d)"), r"\1時\2分"),
    (re.compile(r"[¥￥](\d[\d,]*(?:\.\d+)?)"), r"\1円"),
    (re.compile(r"\$(\d[\d,]*(?:\.\d+)?)"), r"\1ドル"),
    (re.compile(r"(?:https?://|www\.)\S+"), "リンク"),
)


def available() -> bool:
    """Whether the extra ``ja`` is installed."""
    return importlib.util.find_spec("pyopenjtalk") is not None


def command() -> list[str]:
    """The command line of the worker process. Raises `MissingError` without pyopenjtalk-plus."""
    if not available():
        raise MissingError("the voice openjtalk needs its engine; run: .venv/bin/pip install -e '.[ja]'")
    root = str(Path(__file__).parents[2])
    program = f"import sys; sys.path.insert(0, {root!r}); from anchor.voice.openjtalk_worker import main; main()"
    return [sys.executable, "-P", "-c", program]


class OpenJtalkVoice:
    """`anchor.ports.Voice` for Japanese. `lexicon` is a pronunciation file, `workers` the number of processes.

    Raises `MissingError` without pyopenjtalk-plus.
    """

    def __init__(self, *, lexicon: str | Path | None = None, workers: int = 1) -> None:
        command()
        self._lexicon = Lexicon.read(Path(lexicon)) if lexicon is not None else Lexicon()
        self._pool = WorkerPool("Open JTalk", command, workers)

    @property
    def info(self) -> VoiceInfo:
        return INFO

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return self._pool.pids

    async def warm(self, languages: Sequence[str] = ("ja",)) -> None:
        """Start a worker, so that the first sentence does not wait for it (half a second)."""
        await self._pool.run(lambda: self._pool.ask({"text": "はい。", "part": 0}))

    async def speak(self, sentence: Sentence) -> AsyncGenerator[SpeechChunk, None]:
        if resolve(sentence.language) != "ja":
            raise VoiceError(f"the voice openjtalk speaks ja, not {sentence.language!r}")
        text, origin = _written(sentence.text, self._lexicon)
        if not any(letter.isalnum() for letter in text):
            return
        teller, part, parts = None, 0, 1
        while part < parts:
            request = {"text": text, "part": part}
            answer, pcm = await self._pool.run(lambda request=request: self._pool.ask(request))  # type: ignore[misc]
            part, parts = part + 1, answer["parts"]
            if teller is None:
                teller = _Teller(_tokens(sentence.text, origin, answer["items"]))
            yield teller.chunk(answer["phones"], pcm, first=part == 1, last=part >= parts)

    async def close(self) -> None:
        await self._pool.close()


def _written(text: str, lexicon: Lexicon) -> tuple[str, list[tuple[int, int]]]:
    """Text for the engine, and for each of its characters the display characters it stands for."""
    plain = "".join(
        " " if unicodedata.category(letter)[0] in "CS" and letter not in "$¥￥%+=<>" else letter for letter in text
    )
    plain = narrow(plain)
    rules = [(re.compile(re.escape(word)), lexicon.find(word, "ja")) for word in lexicon.words("ja")]
    written, origin, place = "", list[tuple[int, int]](), 0
    while place < len(plain):
        stretch = next(_replacements(plain, place, rules), None)
        new, length = stretch or (plain[place], 1)
        written += new
        origin += [(place, place + length)] * len(new)
        place += length
    return written, origin


def _replacements(text: str, place: int, rules: Sequence[tuple[re.Pattern[str], object]]) -> Iterator[tuple[str, int]]:
    for pattern, entry in rules:
        if match := pattern.match(text, place):
            yield getattr(entry, "spoken", match[0]), len(match[0])
    for pattern, form in _REWRITTEN:
        if match := pattern.match(text, place):
            yield match.expand(form), len(match[0])


def _tokens(
    text: str, origin: Sequence[tuple[int, int]], items: Sequence[Sequence[int]]
) -> list[tuple[Token, list[int]]]:
    """Tokens that cover the display text, each with the engine's words in it."""
    tokens: list[tuple[Token, list[int]]] = []
    place = 0
    for index, (first, past) in enumerate(items):
        if past <= first or past > len(origin):
            continue
        start, end = origin[first][0], origin[past - 1][1]
        number = start == place and tokens and _DIGIT.match(tokens[-1][0].text[-1:]) and _DIGIT.match(text, start)
        if tokens and (start < place or number):
            # Part of the same rewritten stretch, or of the same number: one word.
            last, inside = tokens.pop()
            merged = text[place - len(last.text) : max(place, end)]
            tokens.append((Token(merged, merged, "ja"), [*inside, index]))
        else:
            if start > place:
                tokens.append((Token(text[place:start]), []))
            said = any(letter.isalnum() for letter in text[start:end])
            tokens.append((Token(text[start:end], text[start:end] if said else "", "ja"), [index]))
        place = max(place, end)
    if place < len(text):
        tokens.append((Token(text[place:]), []))
    return tokens


class _Teller:
    """Makes chunks of parts: keeps the place in the sound and which words were told."""

    def __init__(self, tokens: Sequence[tuple[Token, Sequence[int]]]) -> None:
        owner = {item: index for index, (_, items) in enumerate(tokens) for item in items}
        words = grouped([token for token, _ in tokens])
        word_of = {index: number for number, (_, indexes) in enumerate(words) for index in indexes}
        self._texts = [text for text, _ in words]
        self._word_of = {item: word_of[index] for item, index in owner.items() if index in word_of}
        self._told = 0
        self._samples = 0
        self._place = 0

    def chunk(self, phones: Sequence[Sequence[object]], pcm: bytes, *, first: bool, last: bool) -> SpeechChunk:
        audio = sound.from_int16(pcm, SAMPLE_RATE, gain=GAIN)
        said = [one for one in phones if one[0] not in ("sil", "pau")]
        start = max(0, _int(said[0][1]) - round(LEAD_SECONDS * SAMPLE_RATE)) if first and said else 0
        end = min(len(audio), _int(said[-1][2]) + round(TAIL_SECONDS * SAMPLE_RATE)) if last and said else len(audio)
        spans: dict[int, tuple[int, int]] = {}
        spoken: list[Phone] = []
        for index, (name, begin, past, item, accented) in enumerate(said):
            shift = self._samples - start
            place = (_int(begin) + shift, _int(past) + shift)
            number = self._word_of.get(_int(item))
            if number is not None:
                spans[number] = (spans.get(number, place)[0], place[1])
            following = str(said[index + 1][0]) if index + 1 < len(said) else ""
            spoken += _phones(str(name), following, *place, stress=2 if accented else 0)
        words = tuple(self._words(spans, last=last))
        audio = audio[start:end]
        self._samples += len(audio)
        return SpeechChunk(sound.faded(audio) if first or last else audio, words, tuple(spoken))

    def _words(self, spans: dict[int, tuple[int, int]], *, last: bool) -> Iterator[Word]:
        """The next words, as far as they are spoken; one without sound stands between its neighbours."""
        until = len(self._texts) if last else max(spans, default=-1) + 1
        for number in range(self._told, until):
            start, end = spans.get(number, (self._place, self._place))
            start = max(start, self._place)
            self._place = max(start, end)
            yield Word(self._texts[number], start, self._place)
        self._told = max(self._told, until)


def _int(value: object) -> int:
    return int(value)  # type: ignore[call-overload, no-any-return]


def _phones(name: str, following: str, start: int, end: int, *, stress: int) -> Iterator[Phone]:
    if name.lower() in _VOWELS and name != "N":
        yield Phone(_VOWELS[name.lower()], start, end, stress)
        return
    if name == "cl":
        # The stop of a double consonant: the mouth is already where the next one holds it.
        parts = _consonant(following)[:1] if following and following.lower() not in _VOWELS else ("ʔ",)
    else:
        parts = _consonant(name)
    middle = start + (end - start) * 3 // 5 if len(parts) > 1 else end
    yield Phone(parts[0], start, middle)
    if len(parts) > 1:
        yield Phone(parts[1], middle, end)


def _consonant(name: str) -> tuple[str, ...]:
    if name in _CONSONANTS:
        return _CONSONANTS[name]
    if len(name) > 1 and name.endswith("y"):
        return (*_consonant(name[:-1]), "j")
    return (name,)
