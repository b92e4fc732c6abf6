from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from anchor.voice.espeak import EspeakVoice


@pytest.fixture(scope="session")
def voice() -> Iterator[EspeakVoice]:
    """One voice with one worker for all who only listen."""
    voice = EspeakVoice(workers=1)
    yield voice
    asyncio.run(voice.close())
