"""Voices of every kind through the whole pipeline: to a film and to Chromium, with real servers and real engines."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from anchor.bench import voiced
from anchor.bench.voices import Subject, subjects
from tests.browser.stage import chromium


@asynccontextmanager
async def _all(folder: Path) -> AsyncIterator[list[Subject]]:
    """A Piper-shaped and a Coqui model of random weights, and the embedded voice on a server of both protocols."""
    for name, package in (("onnx", "onnx"), ("TTS", "coqui-tts")):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{package} is not installed")
    async with subjects(folder, lambda _: None, real=False) as found:
        assert {one.name for one in found} == {"espeak", "piper", "coqui", "openai", "websocket"}
        yield found


def test_in_a_film_each_kind_of_voice_is_where_its_pictures_are(tmp_path: Path) -> None:
    async def main() -> dict[str, tuple[float, str]]:
        async with _all(tmp_path) as found:
            return {one.name: await voiced.film_offset(one.config, tmp_path / f"{one.name}.mp4") for one in found}

    films = asyncio.run(main())
    assert {name: offset for name, (offset, _) in films.items() if abs(offset) > 20} == {}
    # What tells its phones moves the lips by them; a server that tells none, by its text.
    assert {name: films[name][1] for name in ("espeak", "piper", "websocket", "openai")} == {
        "espeak": "voice", "piper": "voice", "websocket": "voice", "openai": "aligned",
    }  # fmt: skip


@pytest.mark.alone
@pytest.mark.browser
def test_in_a_browser_each_kind_of_voice_is_heard_with_its_pictures(tmp_path: Path) -> None:
    program = chromium()

    async def main() -> dict[str, float]:
        async with _all(tmp_path) as found:
            return await voiced.watched({one.name: one.config for one in found}, tmp_path, program)

    skews = asyncio.run(main())
    assert len(skews) == 5
    assert {name: skew for name, skew in skews.items() if skew > 40} == {}
