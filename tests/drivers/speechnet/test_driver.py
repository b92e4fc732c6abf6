"""Faces from sound alone, and which of the sources of lips is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from anchor.bench.lips import opening
from anchor.media import SAMPLE_RATE, Blendshapes
from anchor.ports import Driver, SpeechChunk
from anchor.testing import check_driver
from drivers.phones import EnergyDriver, PhoneDriver
from drivers.speechnet import network
from drivers.speechnet.driver import AutoDriver, SpeechnetDriver, settled
from drivers.speechnet.face import AHEAD
from drivers.visemes import visemes_of
from tests.drivers.speech import cut
from tests.drivers.speechnet.test_network import spoken

__all__ = ["spoken"]


def _drive(driver: Driver, chunks: list[SpeechChunk], fps: int = 25) -> list[Blendshapes]:
    async def speech() -> AsyncIterator[SpeechChunk]:
        for chunk in chunks:
            yield chunk

    async def collect() -> list[Blendshapes]:
        return [face async for face in driver.drive(speech(), fps)]

    return asyncio.run(collect())


def _bare(speech: SpeechChunk) -> SpeechChunk:
    return replace(speech, words=(), phones=())


@pytest.mark.parametrize("factory", [AutoDriver, SpeechnetDriver, EnergyDriver])
@pytest.mark.parametrize("timed", [True, False])
def test_drivers_keep_the_promises_of_their_port(
    spoken: dict[str, SpeechChunk], factory: type[PhoneDriver], timed: bool
) -> None:
    speech = spoken["en"] if timed else _bare(spoken["en"])
    asyncio.run(check_driver(factory(), cut(speech, list(range(1920, len(speech.audio), 1920))), 25))


@pytest.mark.parametrize("tag", ["en", "zh"])
def test_lips_close_and_part_on_sound_alone(spoken: dict[str, SpeechChunk], tag: str) -> None:
    speech = spoken[tag]
    faces = _drive(AutoDriver(), [_bare(speech)], fps=50)
    gap = opening(np.stack([face.weights for face in faces]))
    middles = (np.arange(gap.size) + 0.5) / 50
    shut = []
    for phone in speech.phones:
        if visemes_of(phone.symbol)[0][0] == "PP":
            near = (middles > phone.start / SAMPLE_RATE - 0.02) & (middles < phone.end / SAMPLE_RATE + 0.02)
            shut.append(gap[near].min() < 0.12 * np.percentile(gap, 97))
    assert np.mean(shut) >= 0.8
    vowels = [phone for phone in speech.phones if visemes_of(phone.symbol)[0][0] in ("aa", "ae", "ao")]
    opened = [gap[round((one.start + one.end) / 2 / SAMPLE_RATE * 50)] for one in vowels if one.end - one.start > 3000]
    assert np.median(opened) > 0.5 * np.percentile(gap, 97)


def test_the_best_source_is_taken_and_told(spoken: dict[str, SpeechChunk]) -> None:
    speech = spoken["en"]

    def sources(driver: Driver, chunk: SpeechChunk) -> set[str]:
        return {str(face.lips) for face in _drive(driver, [chunk])} - {""}

    assert sources(AutoDriver(), speech) == {"voice"}
    assert sources(AutoDriver(), replace(speech, source="aligned")) == {"aligned"}
    assert sources(AutoDriver(), _bare(speech)) == {"network"}
    assert sources(SpeechnetDriver(), speech) == {"network"}
    assert sources(EnergyDriver(), speech) == {"energy"}


def test_a_voice_that_times_its_phones_costs_no_network(spoken: dict[str, SpeechChunk]) -> None:
    opened = []

    class Watched(AutoDriver):
        def __init__(self) -> None:
            super().__init__()
            listen, self._listen = self._listen, lambda origin: opened.append(origin) or listen(origin)  # type: ignore

    for tag in ("en", "zh"):
        _drive(Watched(), [spoken[tag]])
    assert not opened
    _drive(Watched(), [_bare(spoken["en"])])
    assert len(opened) == 1


def test_without_its_network_the_anchor_still_speaks(
    spoken: dict[str, SpeechChunk], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    network._session.cache_clear()
    monkeypatch.setattr(network, "NETWORK", network.NETWORK.with_name("gone.onnx"))
    driver = AutoDriver()
    faces = _drive(driver, [_bare(spoken["en"])])
    network._session.cache_clear()
    assert {face.lips for face in faces} == {"", "energy"}
    assert max(face["jawOpen"] for face in faces) > 0.2


def test_silence_leaves_the_mouth_alone() -> None:
    faces = _drive(AutoDriver(), [SpeechChunk.silence(2 * SAMPLE_RATE)])
    assert max(float(face.weights.max()) for face in faces) < 0.02


def test_a_settled_course_of_visemes_does_not_flicker_and_looks_no_further_than_it_may() -> None:
    rng = np.random.default_rng(8)
    meant = np.repeat(rng.integers(0, 15, 40), 8)
    chances = np.full((len(meant), 15), 0.3 / 14, np.float32)
    chances[np.arange(len(meant)), meant] = 0.7
    wrong = rng.random(len(meant)) < 0.1
    chances[wrong] = np.roll(chances[wrong], 3, axis=1)
    found = settled(chances)
    assert (found == meant).mean() > (chances.argmax(axis=1) == meant).mean() + 0.05
    changed = chances.copy()
    changed[200:] = np.roll(changed[200:], 5, axis=1)
    np.testing.assert_array_equal(settled(changed)[: 200 - AHEAD], found[: 200 - AHEAD])
