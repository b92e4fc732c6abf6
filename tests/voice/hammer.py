"""A process that says sentences through a folder of kept ones, on and on: FOLDER MEGABYTES SEED SENTENCES.

Prints ``damaged`` and ends with 1 when it is ever given anything but what the voice says.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from anchor.channel import closing
from anchor.events import Phone, Sentence, Word
from anchor.media import SAMPLE_RATE
from anchor.ports import SpeechChunk
from anchor.testing import FakeVoice
from anchor.voice.cache import CachedVoice

DIFFERENT = 12


class Noisy(FakeVoice):
    """What it says of a text is noise whose seed is the text, so that no two sentences are alike."""

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        for chunk in spoken(sentence.text):
            yield chunk


def spoken(text: str) -> list[SpeechChunk]:
    rng = np.random.default_rng(int(text))
    size = SAMPLE_RATE // 2 + int(text) * 100
    return [
        SpeechChunk(
            rng.standard_normal(size).astype(np.float32), (Word(f"{text}-{part} ", part * size, (part + 1) * size),),
            (Phone("a", part * size, (part + 1) * size, 2),),
        )
        for part in range(2)
    ]  # fmt: skip


def same(heard: list[SpeechChunk], text: str) -> bool:
    wanted = spoken(text)
    return len(heard) == len(wanted) and all(
        np.array_equal(a.audio, b.audio) and (a.words, a.phones) == (b.words, b.phones)
        for a, b in zip(heard, wanted, strict=True)
    )


async def main(folder: Path, megabytes: int, seed: int, sentences: int) -> int:
    voice, rng = CachedVoice(Noisy(), folder, megabytes=megabytes), random.Random(seed)
    print("begun", flush=True)
    for _ in range(sentences):
        text = str(rng.randrange(DIFFERENT))
        async with closing(voice.speak(Sentence(text, "en"))) as chunks:
            if not same([chunk async for chunk in chunks], text):
                print("damaged", flush=True)
                return 1
    print(voice.hits, voice.misses, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:5]))))
