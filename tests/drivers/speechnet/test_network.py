"""The network that is shipped: what it answers, and that streams do not mix."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from anchor.media import OCULUS, SAMPLE_RATE, Samples
from anchor.ports import SpeechChunk
from anchor.testing import collect
from anchor.voice.espeak import EspeakVoice
from drivers.speechnet.inventory import COLLAPSE, SOUNDS
from drivers.speechnet.network import DELAY, NETWORK, STEP, Listening
from drivers.visemes import visemes_of

TEXTS = {
    "en": "Papa bought a big map of Bohemia, and five very fine views of my brother's farm.",
    "zh": "爸爸妈妈买面包，明天北部平原有暴风雨，风力非常大，夫妇发现房子附近起风，十分不方便。",
}


async def _speak() -> dict[str, SpeechChunk]:
    voice = EspeakVoice()
    try:
        return {tag: await collect(voice, text, tag) for tag, text in TEXTS.items()}
    finally:
        await voice.close()


@pytest.fixture(scope="module")
def spoken() -> dict[str, SpeechChunk]:
    return asyncio.run(_speak())


def heard(sound: Samples, size: int = 1920) -> np.ndarray:
    listening = Listening()
    found = [listening.push(sound[at : at + size]) for at in range(0, len(sound), size)]
    return np.concatenate([*found, listening.finish()])


def test_one_row_of_chances_for_every_ten_milliseconds(spoken: dict[str, SpeechChunk]) -> None:
    sound = spoken["en"].audio
    scores = heard(sound)
    assert scores.shape == (-(-len(sound) // STEP), len(SOUNDS))
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1, atol=1e-4)


def test_chances_do_not_depend_on_how_sound_is_cut(spoken: dict[str, SpeechChunk]) -> None:
    sound = spoken["zh"].audio
    np.testing.assert_allclose(heard(sound, 1920), heard(sound, 31_111), atol=1e-2)


def test_two_streams_do_not_mix(spoken: dict[str, SpeechChunk]) -> None:
    one, other = spoken["en"].audio, spoken["zh"].audio
    first, second = Listening(), Listening()
    length = min(len(one), len(other)) // 1920 * 1920
    together = [(first.push(one[at : at + 1920]), second.push(other[at : at + 1920])) for at in range(0, length, 1920)]
    np.testing.assert_array_equal(np.concatenate([each for each, _ in together]), heard(one)[: len(one)][
        : sum(len(each) for each, _ in together)
    ])  # fmt: skip


def test_the_look_ahead_is_a_tenth_of_a_second(spoken: dict[str, SpeechChunk]) -> None:
    """What comes later than the network's delay and one window changes no answer that was given."""
    sound = spoken["en"].audio[: 2 * SAMPLE_RATE].copy()
    listening = Listening()
    early = listening.push(sound[:SAMPLE_RATE])
    assert len(early) >= 100 - DELAY - 8
    changed = sound.copy()
    changed[SAMPLE_RATE:] = np.random.default_rng(1).normal(0, 0.2, len(changed) - SAMPLE_RATE)
    np.testing.assert_allclose(heard(changed)[: len(early)], early, atol=1e-2)


@pytest.mark.parametrize("tag", TEXTS)
def test_lips_and_teeth_are_heard_in_the_built_in_voice(spoken: dict[str, SpeechChunk], tag: str) -> None:
    speech = spoken[tag]
    visemes = np.exp(heard(speech.audio)) @ COLLAPSE
    for viseme, least, chance in (("PP", 0.8, 0.35), ("FF", 0.7, 0.25)):
        found = [
            bool((visemes[phone.start // STEP - 2 : phone.end // STEP + 3, OCULUS.index(viseme)] > chance).any())
            for phone in speech.phones
            if visemes_of(phone.symbol)[0][0] == viseme
        ]
        assert len(found) >= 2 and np.mean(found) >= least, (viseme, found)


def test_silence_is_heard_as_silence() -> None:
    scores = heard(np.random.default_rng(0).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32))
    assert (scores[20:].argmax(axis=1) == 0).mean() > 0.95


def test_the_network_is_small_enough_to_ship() -> None:
    assert NETWORK.stat().st_size < 4_000_000
