"""The recogniser that needs nothing: pocketsphinx and its English model from a pip wheel, in worker processes.

Alone it misunderstands nearly every second word. Where it is told what visitors may say (`expect`), it listens for
that: a language model of the expected phrases (`anchor.hearing.domain`), in which it mistakes some 3 words in 100. A
model that knows few words hears them in everything, so each result is judged, and what is no likely phrase becomes an
empty text: not understood.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import logging
import math
import re
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from anchor.errors import ConfigError, MissingError, RecognizerError
from anchor.hearing import domain, english, sphinx_worker
from anchor.tags import base
from anchor.talk import HEARING_RATE, Hearing, RecognizerInfo, Transcript
from anchor.workers import WorkerPool

log = logging.getLogger(__name__)

Mode = Literal["auto", "domain", "free"]
Word = tuple[str, float, float, float]
"""A word, the language model's chance of it (logarithm to base 10), its posterior in the lattice, and its seconds."""

CHUNK = HEARING_RATE // 10
"""Samples that are sent to the worker at once."""

# A logistic regression on mean and least language model chance and mean posterior of a result, over 426 sentences in
# domains of two sizes, of seven synthetic voices, clean, in an office and by telephone, against 533 of other things and
# mistaken ones, recordings in ten languages among them.
_BIAS, _MEAN_CHANCE, _LEAST_CHANCE, _POSTERIOR = -0.16, 2.39, 0.28, 7.01
SLOWEST, SHORT_SECONDS = 8.0, 0.8
"""Letters a loud second, in more than a short answer: people say 11 at least, and sound that no word fits is heard as
few and long ones."""
LONGEST_WORD = 1.2
ACCEPTED = 0.5
"""Confidence under which a result in a domain counts as not understood."""
LIKELY_PARTIAL = -2.2
"""Mean chance of a word under which a partial is not told: half of what people do not say in a domain is under it."""
ACCEPTED_FREE = 0.3

# A lone answer is rare in any domain, so the language model says little of it; that it is clearly heard does.
ANSWERS = frozenset(
    ("yes", "no", "okay", "stop", "cancel", "confirm", "correct", "help", "wait", "repeat", "zero", *english.ONES[1:11])
)
ANSWER_POSTERIOR = 0.8
ANSWER_SECONDS = (0.18, 0.9)
"""Of such a word; and what is loud lasts `ANSWER_LOUD` at least: a click is no "no"."""
ANSWER_LOUD = 0.12

INFO = RecognizerInfo("pocketsphinx", "pocketsphinx 5", ("en",), "BSD-2-Clause", partials=True)


def model_folder() -> Path:
    """Where the package keeps its model; the package is not imported here. Raises `MissingError`."""
    spec = importlib.util.find_spec("pocketsphinx")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(folder) / "model" / "en-us" / "en-us").is_dir():
            return Path(folder) / "model"
    raise MissingError("the recogniser pocketsphinx needs its engine and model: .venv/bin/pip install pocketsphinx")


class SphinxRecognizer:
    """`anchor.talk.Recognizer` on pocketsphinx. English only.

    `mode`: "domain" listens for what is expected, "free" for anything, and "auto" for what is expected where something
    is. `workers` is the number of processes; each decodes some fifteen streams of a domain in real time, or four of
    free speech. Raises `ConfigError`, and `MissingError` without the package.
    """

    def __init__(self, *, mode: Mode = "auto", workers: int = 2) -> None:
        if mode not in get_args(Mode):
            raise ConfigError(f"talk.recognizer.options.mode = {mode!r}: choose {', '.join(get_args(Mode))}")
        if not 1 <= workers <= 16:
            raise ConfigError(f"talk.recognizer.options.workers = {workers}: choose from 1 to 16")
        self._mode = mode
        self._folder = model_folder()
        command = [sys.executable, "-I", str(Path(sphinx_worker.__file__)), str(self._folder)]
        self._lanes = [
            _Lane(WorkerPool("pocketsphinx", lambda: command, 1, error=RecognizerError)) for _ in range(workers)
        ]
        self._expected: list[str] = []
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._model: dict[str, str | None] | None = None
        self._numbers = itertools.count()
        self._building = asyncio.Lock()
        self._closed = False

    @property
    def info(self) -> RecognizerInfo:
        return INFO

    @property
    def pids(self) -> tuple[int, ...]:
        """The worker processes that run now."""
        return tuple(pid for lane in self._lanes for pid in lane.pool.pids)

    @property
    def in_domain(self) -> bool:
        return self._mode == "domain" or (self._mode == "auto" and bool(self._expected))

    def expect(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self._expected = [phrase for tag, said in phrases.items() if _english(tag) for phrase in said]
        self._model = None

    async def warm(self, languages: Sequence[str] = ("en",)) -> None:
        if not any(_english(tag) for tag in languages):
            return
        model = await self._ready()
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(lane.load(model))

    async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncGenerator[Transcript, None]:
        if not _english(language):
            raise RecognizerError(
                f"pocketsphinx understands English only, not {language}; use another recogniser for it"
            )
        model, domain_only = await self._ready(), self.in_domain
        lane = min(self._lanes, key=lambda lane: lane.active)
        stream = _Stream(lane, next(self._numbers), model)
        lane.active += 1
        ended = False
        try:
            shown = ""
            async for sound in speech:
                words = await stream.add(sound)
                if words is None or (domain_only and mean_chance(words) < LIKELY_PARTIAL):
                    continue
                text = written(words)
                if text != shown:
                    shown = text
                    yield Transcript(text, False, language)
            words = await stream.end()
            ended = True
        finally:
            lane.active -= 1
            if not ended:
                lane.forgotten.append(stream.number)
        confidence = judged(words, stream.loud_seconds()) if domain_only else posterior(words)
        if confidence < (ACCEPTED if domain_only else ACCEPTED_FREE):
            words = []
        yield Transcript(written(words), True, language, round(confidence, 3))

    async def close(self) -> None:
        self._closed = True
        for lane in self._lanes:
            await lane.pool.close()
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    async def _ready(self) -> dict[str, str | None]:
        async with self._building:
            if self._closed:
                raise RecognizerError("pocketsphinx is closed: open a new one to go on")
            if self._model is not None:
                return self._model
            if not self.in_domain:
                return {"lm": None, "dict": None}
            made = self._model = await asyncio.to_thread(self._build)
            return made

    def _build(self) -> dict[str, str | None]:
        known = pronunciations(self._folder / "en-us" / "cmudict-en-us.dict", domain.words_of(self._expected))
        made = domain.build(self._expected, lambda word: known.get(word, ()))
        if made.guessed:
            log.info("pocketsphinx guesses how to say: %s", ", ".join(made.guessed))
        if made.left_out:
            log.warning("pocketsphinx cannot listen for: %s", "; ".join(made.left_out))
        if self._files is None:
            self._files = tempfile.TemporaryDirectory(prefix="anchor-domain-")
        number = next(self._numbers)
        model, dictionary = (Path(self._files.name) / f"{number}.{kind}" for kind in ("lm", "dict"))
        model.write_text(made.arpa, "utf-8")
        dictionary.write_text(made.dictionary, "utf-8")
        return {"lm": str(model), "dict": str(dictionary)}


class _Lane:
    """One process, and who uses it."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.active = 0
        self.forgotten: list[int] = []

    async def load(self, model: Mapping[str, str | None]) -> None:
        await self.pool.run(lambda: self.pool.ask({"load": model}))


class _Stream:
    """One stretch of speech in a lane; keeps its sound, in case the process dies."""

    def __init__(self, lane: _Lane, number: int, model: Mapping[str, str | None]) -> None:
        self.number = number
        self._lane = lane
        self._model = model
        self._sound = bytearray()
        self._sent = 0

    async def add(self, sound: Hearing) -> list[Word] | None:
        """What is heard so far, or None while it is too early to ask."""
        self._sound += (np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        if len(self._sound) // 2 - self._sent < CHUNK:
            return None
        return await self._ask(last=False)

    async def end(self) -> list[Word]:
        return await self._ask(last=True)

    def loud_seconds(self) -> float:
        """How much of the sound is within 15 dB of its loud parts."""
        size = HEARING_RATE // 100
        samples = np.frombuffer(self._sound, "<i2").astype(np.float32)
        power = samples[: len(samples) // size * size].reshape(-1, size).var(axis=1)
        return float((power > np.percentile(power, 95) / 31.6).sum()) / 100 if len(power) else 0.0

    async def _ask(self, *, last: bool) -> list[Word]:
        pool, sound = self._lane.pool, bytes(self._sound)
        drop, self._lane.forgotten = self._lane.forgotten, []

        def request(start: int) -> dict[str, object]:
            return {"stream": self.number, "model": self._model, "start": start, "last": last, "drop": drop}

        def work() -> dict[str, list[Word]]:
            answer, _ = pool.ask(request(self._sent), sound[2 * self._sent :])
            if answer.get("lost"):
                log.warning("pocketsphinx was replaced in the middle of speech, which is decoded again")
                answer, _ = pool.ask(request(0), sound)
            return answer

        answer = await pool.run(work)
        self._sent = len(sound) // 2
        if "words" not in answer:
            raise RecognizerError("pocketsphinx lost the same speech twice; see the log for what its process wrote")
        return [(str(word), *map(float, numbers)) for word, *numbers in answer["words"]]  # type: ignore[misc]


def pronunciations(dictionary: Path, words: set[str]) -> dict[str, list[str]]:
    """How words are said, from a dictionary of CMU's form, in which a second way is listed as ``word(2)``."""
    found: dict[str, list[str]] = {}
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            word = word.partition("(")[0]
            if word in words:
                found.setdefault(word, []).append(phones)
    return found


def mean_chance(words: Sequence[Word]) -> float:
    return sum(word[1] for word in words) / len(words) if words else 0.0


def posterior(words: Sequence[Word]) -> float:
    return sum(word[2] for word in words) / len(words) if words else 0.0


def judged(words: Sequence[Word], loud_seconds: float) -> float:
    """How sure it is that somebody said what is expected, 0..1, given for how long they spoke."""
    letters = sum(letter.isalpha() for word in words for letter in word[0])
    slow = loud_seconds > SHORT_SECONDS and letters < SLOWEST * loud_seconds
    if not words or slow or max(word[3] for word in words) > LONGEST_WORD:
        return 0.0
    least = min(word[1] for word in words)
    score = _BIAS + _MEAN_CHANCE * mean_chance(words) + _LEAST_CHANCE * least + _POSTERIOR * posterior(words)
    return max(1 / (1 + math.exp(-score)), _answered(words, loud_seconds))


def _answered(words: Sequence[Word], loud_seconds: float) -> float:
    """How sure it is that somebody gave an answer of one word; 0 for all else."""
    if len(words) != 1 or words[0][0] not in ANSWERS or loud_seconds < ANSWER_LOUD:
        return 0.0
    _, _, chance, seconds = words[0]
    if chance < ANSWER_POSTERIOR or not ANSWER_SECONDS[0] <= seconds <= ANSWER_SECONDS[1]:
        return 0.0
    return ACCEPTED + (chance - ANSWER_POSTERIOR) / (1 - ANSWER_POSTERIOR) * (1 - ACCEPTED) * 0.8


_LETTERS = re.compile(r"\b([a-z])\.(?: ([a-z])\.)+")


def written(words: Sequence[Word]) -> str:
    """Words as they are written: spelled letters together, and the first person as it should be."""
    text = " ".join(word[0] for word in words)
    text = _LETTERS.sub(lambda match: re.sub(r"[. ]", "", match[0]).upper(), text)
    return re.sub(r"\bi\b", "I", text)


def _english(tag: str) -> bool:
    return base(tag) == "en"
