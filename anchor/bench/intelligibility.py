"""How well English voices are understood: word errors of pocketsphinx over fifty sentences of a bulletin.

The recogniser is a weak listener, which is what makes it a measure: it mistakes a tenth of what a clear voice says. The
embedded voice is compared with espeak-ng as it comes, and with every other English voice that can speak here.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import re
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import aclosing
from typing import Any, cast

import numpy as np
import soxr

from anchor import registry
from anchor.bench.bulletin import BULLETIN, words
from anchor.bench.hearing import distance
from anchor.bench.measure import Figure, Tell
from anchor.errors import AnchorError
from anchor.events import Sentence
from anchor.hearing.sphinx import model_folder
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk, Voice
from anchor.talk import HEARING_RATE
from anchor.voice import choice, espeak, sound
from anchor.workers import WorkerPool

KINDS = {"news": slice(0, 30), "numbers": slice(30, 42), "names": slice(42, None)}
EMBEDDED = "espeak"
ROOM = -60.0
"""Noise under what is spoken, in dB of full scale."""
PLAIN = {"voice": "gmw/en-US", "timbre": "", "rate": 175, "pitch": 50, "range": 50, "phonemes": False}
"""espeak-ng as it comes."""
GAIN = 6.0
"""Decibels that bring it to the loudness of the others."""

_SPELT = {"doctor": "dr", "mister": "mr", "okay": "ok"}


async def measure(tell: Tell) -> list[Figure]:
    """Figures of all English voices here. Raises `MissingError` without pocketsphinx."""
    model_folder()
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as listeners:
        tell("espeak-ng as it comes")
        plain = await errors(listeners, await _plain())
        figures = _figures("plain_espeak", plain)
        for engine in reversed(choice.preferred("en")):
            tell(f"the voice {engine}")
            try:
                spoken = await _spoken(engine)
            except AnchorError as error:
                tell(f"{engine} is left out: {error}")
                continue
            found = await errors(listeners, spoken)
            if engine == EMBEDDED:
                figures.append(Figure("embedded_to_plain_max", _share(found) / max(1e-9, _share(plain)), "ratio", 1.0))
            figures += _figures("embedded" if engine == EMBEDDED else engine, found)
    return figures


async def errors(listeners: Executor, sounds: Sequence[Samples]) -> list[tuple[int, int]]:
    """For each sentence of `BULLETIN`, words to mend in what is heard, and words said."""
    loop = asyncio.get_running_loop()
    texts = await asyncio.gather(*(loop.run_in_executor(listeners, heard, audio) for audio in sounds))
    pairs = [(_written(words(*said)), _written(text.split())) for said, text in zip(BULLETIN, texts, strict=True)]
    return [(distance(wanted, got), len(wanted)) for wanted, got in pairs]


def _written(heard: Sequence[str]) -> list[str]:
    """Without the "and" of hundreds, and as the recogniser spells."""
    kept = [word for place, word in enumerate(heard) if not (word == "and" and place and heard[place - 1] == "hundred")]
    return [_SPELT.get(word, word) for word in kept]


def heard(audio: Samples) -> str:
    """What pocketsphinx makes of a whole sentence in a quiet room, with its own US English models."""
    rng = np.random.default_rng(len(audio))
    padded = np.pad(audio, SAMPLE_RATE // 2)
    noisy = padded + rng.standard_normal(len(padded)) * 10 ** (ROOM / 20)
    sound_16k = soxr.resample(noisy.astype(np.float32), SAMPLE_RATE, HEARING_RATE)
    decoder = _decoder()
    decoder.reinit_feat()
    decoder.start_utt()
    # As a whole, so that the means it levels by are of this sentence alone.
    decoder.process_raw((np.clip(sound_16k, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return re.sub(r"\(\d+\)", "", found.hypstr).lower() if found is not None else ""


@functools.cache
def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(samprate=HEARING_RATE, loglevel="FATAL")


async def _plain() -> list[Samples]:
    pool = WorkerPool("espeak-ng", espeak.command, 1)
    found = []
    try:
        for text, _ in BULLETIN:
            answer, pcm = await pool.run(lambda text=text: pool.ask({**PLAIN, "text": text}))  # type: ignore[misc]
            found.append(sound.from_int16(pcm, answer["rate"], gain=GAIN))
    finally:
        await pool.close()
    return found


async def _spoken(engine: str) -> list[Samples]:
    factory = registry.load("anchor.voice", engine)
    voice: Voice = factory(**choice.options_for(engine, "en"))
    try:
        return [await _said(voice, text) for text, _ in BULLETIN]
    finally:
        await voice.close()


async def _said(voice: Voice, text: str) -> Samples:
    async with aclosing(cast("AsyncGenerator[SpeechChunk, None]", voice.speak(Sentence(text, "en")))) as speech:
        return np.concatenate([chunk.audio async for chunk in speech])


def _share(found: Sequence[tuple[int, int]]) -> float:
    return 100 * sum(wrong for wrong, _ in found) / sum(said for _, said in found)


def _figures(name: str, found: Sequence[tuple[int, int]]) -> list[Figure]:
    return [
        Figure(f"{name}_word_errors", _share(found), "%"),
        *(Figure(f"{name}_word_errors_{kind}", _share(found[part]), "%") for kind, part in KINDS.items()),
    ]
