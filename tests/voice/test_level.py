"""How loud a voice is made of which nothing is known yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from anchor.events import Sentence
from anchor.loudness import Meter
from anchor.media import SAMPLE_RATE, Samples
from anchor.voice.sounding import Level, sounding
from tests.voice.speaker import RATE, TEXT, tone


def said(voice: Samples, piece: int, level: Level) -> Samples:
    async def pieces() -> AsyncIterator[Samples]:
        for start in range(0, len(voice), piece):
            yield voice[start : start + piece]

    async def main() -> Samples:
        chunks = sounding(pieces(), RATE, Sentence(TEXT, "en"), level, name="test")
        return np.concatenate([chunk.audio async for chunk in chunks])

    return asyncio.run(main())


def lufs(sound: Samples) -> float:
    meter = Meter()
    meter.add(sound)
    return meter.lufs()


@pytest.mark.parametrize("own", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("piece", [240, 480, 2400, 12_000, 96_000])
def test_a_voice_that_begins_softly_is_not_too_loud_however_small_its_pieces(piece: int, own: float) -> None:
    rising = np.clip(np.arange(4 * RATE) / (0.1 * RATE), 0, 1).astype(np.float32) ** 2
    voice = tone(4) * np.float32(own / 0.2) * rising
    level = Level()
    first = said(voice, piece, level)
    for second in range(1, 3):
        assert lufs(first[second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE]) == pytest.approx(-16, abs=1.5)
    again = said(voice, piece, level)
    assert lufs(again) == pytest.approx(-16, abs=0.5), "and from then on it is known"


def test_what_is_too_short_to_tell_from_is_told_from_all_the_same() -> None:
    level = Level()
    said(tone(0.2), 480, level)
    assert level.known
