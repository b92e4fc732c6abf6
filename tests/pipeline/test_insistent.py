"""A sentence is said again until all of it is heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from anchor.channel import closing
from anchor.clock import LoopClock, run_virtual
from anchor.errors import ConsentError, VoiceError
from anchor.events import Sentence, Word
from anchor.media import SAMPLE_RATE
from anchor.pipeline.insistent import LATEST, InsistentVoice
from anchor.pipeline.steadfast import Member, SteadfastVoice
from anchor.ports import Flaws, SpeechChunk, VoiceInfo
from anchor.testing import FakeVoice, check_voice

Take = tuple[float, Flaws | None]


class Takes:
    """Says every sentence otherwise: each take is how loud, and what is wrong with it; an error is raised."""

    def __init__(self, *takes: Take | Exception, seconds: float = 0.1) -> None:
        self.info = VoiceInfo("takes", "script", ("en",), "Apache-2.0", phone_timings=False)
        self.said = 0
        self._takes = takes
        self._seconds = seconds

    async def warm(self, languages: Sequence[str]) -> None:
        pass

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        take = self._takes[min(self.said, len(self._takes) - 1)]
        self.said += 1
        await LoopClock().sleep_until(LoopClock().now() + self._seconds)
        if isinstance(take, Exception):
            raise take
        sound = np.full(SAMPLE_RATE // 2, take[0], np.float32)
        yield SpeechChunk(sound, (Word(sentence.text, 0, len(sound)),))
        yield SpeechChunk(sound[:480], flaws=take[1])

    async def close(self) -> None:
        pass


def flawed(cost: float) -> Flaws:
    return Flaws(("two",), 0.0, cost)


def heard(voice: Takes, text: str = "one two") -> tuple[float, Flaws | None, int, float]:
    """How loud the take that is given is, what is wrong with it, how often it was said, and how long it took."""

    async def main() -> tuple[float, Flaws | None, int, float]:
        begun = LoopClock().now()
        async with closing(InsistentVoice(voice).speak(Sentence(text, "en"))) as speech:
            chunks = [chunk async for chunk in speech]
        flaws = [chunk.flaws for chunk in chunks if chunk.flaws is not None]
        assert sum(len(chunk.audio) for chunk in chunks) == SAMPLE_RATE // 2 + 480, "one take, whole"
        level = round(float(chunks[0].audio[0]), 3)
        return level, flaws[0] if flaws else None, voice.said, LoopClock().now() - begun

    return run_virtual(main())


def test_a_take_in_which_all_is_heard_is_given_at_once() -> None:
    level, flaws, said, _ = heard(Takes((0.1, None)))
    assert (level, flaws, said) == (0.1, None, 1)


def test_a_flawed_take_is_said_again_and_the_good_one_is_given() -> None:
    level, flaws, said, _ = heard(Takes((0.1, flawed(30)), (0.2, None)))
    assert (level, flaws, said) == (0.2, None, 2)


def test_of_three_flawed_takes_the_best_is_given_and_told() -> None:
    level, flaws, said, _ = heard(Takes((0.1, flawed(30)), (0.2, flawed(25)), (0.3, flawed(40))))
    assert (level, flaws, said) == (0.2, flawed(25), 3)


def test_a_voice_that_always_says_the_same_is_not_asked_a_third_time() -> None:
    level, flaws, said, _ = heard(Takes((0.1, flawed(30))))
    assert (level, flaws, said) == (0.1, flawed(30), 2)


def test_another_take_is_not_begun_when_somebody_has_waited_long() -> None:
    async def main() -> int:
        voice = Takes((0.1, flawed(30)), (0.2, None), seconds=LATEST + 1)
        chunks = [chunk async for chunk in InsistentVoice(voice, waits=(20.0, 20.0)).speak(Sentence("one", "en"))]
        assert chunks[-1].flaws == flawed(30)
        return voice.said

    assert run_virtual(main()) == 1


@pytest.mark.parametrize(
    ("voice", "kind", "match"),
    [
        (Takes((0.1, None), seconds=60.0), VoiceError, "no sound within 1 s"),
        (Takes(VoiceError("gone")), VoiceError, "gone"),
        (Takes(ConsentError("ended")), ConsentError, "ended"),
    ],
)
def test_a_voice_that_hangs_or_fails_is_told_as_what_it_is(voice: Takes, kind: type[VoiceError], match: str) -> None:
    with pytest.raises(kind, match=match):
        heard(voice)


def test_while_a_sentence_is_held_back_a_hanging_voice_is_still_replaced_within_a_second() -> None:
    async def main() -> tuple[str, float]:
        hangs = Member(InsistentVoice(Takes((0.1, None), seconds=60.0)), patience=30.0)
        begun, first, words = LoopClock().now(), -1.0, ""
        async for chunk in SteadfastVoice(hangs, FakeVoice()).speak(Sentence("one two", "en")):
            first = LoopClock().now() - begun if first < 0 else first
            words += "".join(word.text for word in chunk.words)
        return words, first

    words, first = run_virtual(main())
    assert words == "one two" and first <= 1.5


def test_it_keeps_the_promises_of_a_voice() -> None:
    run_virtual(check_voice(InsistentVoice(FakeVoice()), "one two three", "four five", "en"))
