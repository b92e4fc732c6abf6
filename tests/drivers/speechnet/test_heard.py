"""Words that a voice has swallowed, said twice or made up are noticed, and those it has said are not missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from anchor.events import Sentence, Word
from anchor.media import SAMPLE_RATE, Samples
from anchor.ports import Flaws, SpeechChunk, SpelledWord
from anchor.voice.espeak import EspeakVoice
from anchor.voice.spelling import spell
from drivers.speechnet.align import SpeechAligner
from drivers.speechnet.heard import NEVER, Chain, forward
from drivers.speechnet.lattice import Lattice, Unit, silence

TEXTS = {
    "en": "The minister promised to answer all questions from reporters next Monday.",
    "zh": "北部沿海地区预计将有大雨和大风。",
    "de": "Im Norden wird vor dem Wochenende starker Regen erwartet.",
}


@dataclass(frozen=True)
class Said:
    words: list[SpelledWord]
    places: list[Word]
    sound: Samples

    def without(self, number: int) -> Samples:
        place = self.places[number]
        return np.concatenate([self.sound[: place.start], self.sound[place.end :]])


async def heard(
    words: Sequence[SpelledWord], sound: Samples, *, checked: bool = True
) -> tuple[list[Word], Flaws | None, int]:
    async def speech() -> AsyncIterator[SpeechChunk]:
        for start in range(0, len(sound), 1920):
            yield SpeechChunk(sound[start : start + 1920])

    found, flaws, samples = list[Word](), list[Flaws](), 0
    async for chunk in SpeechAligner().align(speech(), words, checked=checked):
        assert not flaws, "the last chunk tells them"
        found += chunk.words
        flaws += [chunk.flaws] if chunk.flaws is not None else []
        samples += len(chunk.audio)
    return found, flaws[0] if flaws else None, samples


def say(language: str) -> Said:
    async def main() -> Said:
        voice = EspeakVoice(workers=1)
        try:
            sentence = Sentence(TEXTS[language], language)
            words = await spell(voice, sentence)
            sound = np.concatenate([chunk.audio async for chunk in voice.speak(sentence)])
        finally:
            await voice.close()
        return Said(words, (await heard(words, sound))[0], sound)

    return asyncio.run(main())


def judged(words: Sequence[SpelledWord], sound: Samples) -> Flaws | None:
    return asyncio.run(heard(words, sound))[1]


@pytest.fixture(scope="module", params=TEXTS)
def said(request: pytest.FixtureRequest) -> Said:
    return say(request.param)


def test_a_sentence_that_is_said_has_no_flaws(said: Said) -> None:
    assert judged(said.words, said.sound) is None


def test_silence_around_and_within_it_is_no_flaw(said: Said) -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    middle = said.places[len(said.places) // 2].start
    assert judged(said.words, np.concatenate([pause, said.sound[:middle], pause, said.sound[middle:], pause])) is None


def test_each_word_of_some_length_that_is_cut_out_is_named(said: Said) -> None:
    for number, word in enumerate(said.words):
        if len(word.phones) >= 3:
            flaws = judged(said.words, said.without(number))
            assert flaws is not None and word.text in flaws.missing


def test_an_end_that_is_missing_is_noticed(said: Said) -> None:
    flaws = judged(said.words, said.sound[: said.places[-3].start])
    assert flaws is not None
    assert said.words[-1].text in flaws.missing or said.words[-2].text in flaws.missing


def test_what_is_said_besides_the_text_is_noticed(said: Said) -> None:
    half = len(said.words) // 2
    flaws = judged(said.words, np.concatenate([said.sound, said.sound[: said.places[half].start]]))
    assert flaws is not None and not flaws.missing
    spoken = said.places[half].start / SAMPLE_RATE
    assert flaws.extra_seconds == pytest.approx(spoken, abs=0.4 * spoken)


def test_a_take_with_less_wrong_costs_less(said: Said) -> None:
    longest = sorted(range(len(said.words) - 1), key=lambda number: -len(said.words[number].phones))[:2]
    one = judged(said.words, said.without(longest[0]))
    both = np.concatenate([said.sound[: said.places[min(longest)].start], said.sound[said.places[max(longest)].end :]])
    two = judged(said.words, both)
    assert one is not None and two is not None and one.cost < two.cost


def test_sound_too_short_for_its_text_and_another_text_are_none_of_it(said: Said) -> None:
    everything = tuple(word.text for word in said.words if word.phones)
    short = judged(said.words, said.sound[: SAMPLE_RATE // 4])
    assert short is not None and short.missing == everything


def test_unchecked_sound_tells_nothing_and_goes_on_as_it_is() -> None:
    said = say("en")
    last = len(said.words) - 2
    words, flaws, samples = asyncio.run(heard(said.words, said.without(last), checked=False))
    assert (flaws, samples, len(words)) == (None, len(said.without(last)), len(said.words))


def test_no_sound_at_all_is_left_to_whoever_watches_the_voice() -> None:
    assert judged(say("en").words, np.zeros(0, np.float32)) is None


def test_both_passes_agree_with_the_lattice_that_aligns() -> None:
    rng = np.random.default_rng(3)
    scores = np.log(rng.dirichlet(np.ones(43), 40)).astype(np.float32)
    units = [silence(), Unit(5, 2), Unit(9, 3), silence(), Unit(7, 2), silence()]
    lattice = Lattice(units)
    lattice.push(scores)
    chain = Chain.of(units)
    ahead = forward(scores, chain)
    behind = forward(scores[::-1], chain.reversed())[::-1, ::-1]
    best = max(ahead[-1, chain.lasts[-1]], ahead[-1, chain.lasts[-2]])
    assert best == pytest.approx(max(lattice._score[last] for last in lattice._lasts), rel=1e-5)
    assert max(behind[0, chain.firsts[0]], behind[0, chain.firsts[1]]) == pytest.approx(best, rel=1e-5)
    assert ahead[0, chain.firsts[2]] <= NEVER / 2
