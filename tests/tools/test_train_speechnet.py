"""The parts of the network's recipe that need no network to be trained."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anchor.media import SAMPLE_RATE
from anchor.testing import collect
from anchor.voice.espeak import EspeakVoice
from drivers.speechnet.inventory import INDEX
from tools.train_speechnet.corpus import labels
from tools.train_speechnet.kokoro import timed
from tools.train_speechnet.refine import refined
from tools.train_speechnet.spoken import Segment, Spoken, load, resampled, save


async def _say(text: str) -> Spoken:
    voice = EspeakVoice()
    try:
        speech = await collect(voice, text, "en")
    finally:
        await voice.close()
    segments = tuple(
        Segment(phone.symbol, phone.start / SAMPLE_RATE, phone.end / SAMPLE_RATE) for phone in speech.phones
    )
    return Spoken(resampled(speech.audio, SAMPLE_RATE), segments, "en", "espeak", text)


@pytest.fixture(scope="module")
def said() -> Spoken:
    return asyncio.run(_say("Papa bought a big map of Bohemia, and five very fine views."))


def test_speech_is_kept_with_its_times(said: Spoken, tmp_path: Path) -> None:
    save(tmp_path / "one.npz", [said, replace(said, text="again", exact=False)])
    first, second = load(tmp_path / "one.npz")
    assert first.segments == said.segments and first.exact and not second.exact and second.text == "again"
    np.testing.assert_allclose(first.audio, said.audio, atol=1e-4)


def test_labels_are_the_sound_in_the_middle_of_each_ten_milliseconds() -> None:
    found = labels([Segment("p", 0.02, 0.1), Segment("aɪ", 0.1, 0.3), Segment("", 0.3, 0.4)], 40)
    assert found[:2].tolist() == [0, 0] and set(found[2:10]) == {INDEX["p"]}
    assert found[10] == INDEX["a"] and found[29] == INDEX["ɪ"] and not found[30:].any()
    faster = labels([Segment("p", 0.02, 0.1)], 40, 2.0)
    assert set(faster[1:5]) == {INDEX["p"]} and not faster[5:].any()


def test_marks_of_kokoro_belong_to_sounds_and_short_gaps_to_closures() -> None:
    symbols = "hˈI bɪɡ."
    times = np.arange(len(symbols) + 3, dtype=np.float64) * 0.05
    found = timed(symbols, times)
    assert [one.symbol for one in found] == ["", "h", "aɪ", "b", "ɪ", "ɡ", "", ""]
    assert found[2].start == pytest.approx(0.10) and found[3].start == pytest.approx(0.20)


def test_rough_times_are_mended_by_what_the_network_hears(said: Spoken) -> None:
    rng = np.random.default_rng(5)
    edges = [said.segments[0].start, *(one.end for one in said.segments)]
    moved = [edge + rng.normal(0, 0.02) for edge in edges]
    moved = np.maximum.accumulate(moved).tolist()
    rough = tuple(
        Segment(one.symbol, start, end) for one, start, end in zip(said.segments, moved, moved[1:], strict=False)
    )
    mended = refined(replace(said, segments=rough, exact=False))
    wanted = labels(said.segments, len(said.audio) // 160)
    before = (labels(rough, len(wanted)) == wanted).mean()
    after = (labels(mended.segments, len(wanted)) == wanted).mean()
    assert mended.exact and after > before
