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


@pytest.fixture
def clone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-ends named ``clone`` and ``readings`` are installed, by a distribution of their own."""
    place = tmp_path_factory.mktemp("installed")
    installed = place / "clone-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: clone\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(
        "[anchor.voice]\nclone = tests.voice.people:Clone\nreadings = anchor.voice.recorded:RecordedVoice\n"
    )
    monkeypatch.syspath_prepend(place)
