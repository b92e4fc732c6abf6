import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from anchor import parts
from anchor.channel import closing
from anchor.clock import LoopClock, run_virtual
from anchor.config import VoiceConfig
from anchor.errors import ConsentError, UnsaidError, VoiceError
from anchor.events import Sentence, Span, Word
from anchor.media import SAMPLE_RATE
from anchor.pipeline.delivery import CLOSING
from anchor.pipeline.steadfast import REST, Member, SteadfastVoice
from anchor.ports import Flaws, SpeechChunk, Voice, VoiceInfo
from anchor.testing import FakeVoice, check_voice

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    return run_virtual(main)


class Scripted:
    """Yields what it is given: chunks, seconds to wait, or errors to raise."""

    def __init__(self, *steps: SpeechChunk | float | Exception, name: str = "scripted", warms: bool = True) -> None:
        self.info = VoiceInfo(name, "script", ("en",), "Apache-2.0", phone_timings=False)
        self.asked = 0
        self.closed = False
        self._steps = steps
        self._warms = warms

    async def warm(self, languages: Sequence[str]) -> None:
        if not self._warms:
            raise VoiceError("the server is away")

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        self.asked += 1
        for step in self._steps:
            if isinstance(step, SpeechChunk):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                await LoopClock().sleep_until(LoopClock().now() + step)

    async def close(self) -> None:
        self.closed = True


class Stubborn(Scripted):
    """Will not be cancelled until `release` is set."""

    def __init__(self) -> None:
        super().__init__(name="stubborn")
        self.release = asyncio.Event()

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue
        yield sound(0.1)


def sound(seconds: float, *words: Word) -> SpeechChunk:
    return SpeechChunk(np.full(round(seconds * SAMPLE_RATE), 0.1, np.float32), words)


def word(text: str, start: float, end: float) -> Word:
    return Word(text, round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))


async def said(voice: Voice, text: str, language: str = "en") -> tuple[str, float, float]:
    """The words, the seconds of sound, and the time until the first of it."""
    begun, first, words, samples = LoopClock().now(), -1.0, "", 0
    async with closing(voice.speak(Sentence(text, language))) as chunks:
        async for chunk in chunks:
            first = LoopClock().now() - begun if first < 0 else first
            for each in chunk.words:
                assert samples <= each.start <= each.end
                words += each.text
            samples += len(chunk.audio)
    return words, round(samples / SAMPLE_RATE, 3), first


def test_a_steadfast_voice_keeps_the_promises_of_a_voice() -> None:
    run(check_voice(SteadfastVoice(FakeVoice(), FakeVoice()), "one two three", "four five", "en"))


def test_the_embedded_voice_behind_one_that_is_away_keeps_the_promises() -> None:
    async def main() -> None:
        voice = SteadfastVoice(Scripted(VoiceError("away")), parts.open_voice(VoiceConfig()))
        try:
            await check_voice(voice, "The price is $1,299 today.", "Papa bought a map.", "en")
        finally:
            await voice.close()

    asyncio.run(main())


def test_a_voice_that_took_over_keeps_them_too() -> None:
    async def main() -> None:
        await check_voice(SteadfastVoice(Scripted(VoiceError("no")), FakeVoice()), "one two three", "four five", "en")

    # The info promises phones only when every voice gives them.
    run(main())


def test_a_voice_without_a_first_sound_is_replaced_when_patience_ends() -> None:
    async def main() -> tuple[str, float, float]:
        return await said(SteadfastVoice(FakeVoice(), FakeVoice()), "STALL")

    with pytest.raises(VoiceError, match="no sound within 1 s"):
        run(main())

    async def replaced() -> tuple[str, float, float]:
        return await said(SteadfastVoice(Scripted(60.0), FakeVoice(), waits=(0.7, 1.0)), "one two")

    words, seconds, first = run(replaced())
    assert (words, round(seconds, 3)) == ("one two", 0.4)
    assert first == pytest.approx(0.7, abs=0.05)


def test_silence_is_no_first_sound() -> None:
    quiet = SpeechChunk.silence(SAMPLE_RATE // 2)

    async def main() -> tuple[str, float, float]:
        return await said(SteadfastVoice(Scripted(quiet, 0.5, quiet, 60.0), FakeVoice()), "one two")

    words, _, first = run(main())
    assert words == "one two"
    assert first == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    "steps",
    [(), (SpeechChunk.silence(SAMPLE_RATE),), (SpeechChunk.silence(0),), (VoiceError("broken"),), (OSError("reset"),),
     (SpeechChunk(np.full(480, np.nan, np.float32)),)],
    ids=["nothing", "silence", "no samples", "error", "defect", "not numbers"],
)  # fmt: skip
def test_an_empty_success_or_an_error_is_made_good_by_the_next_voice(steps: tuple[SpeechChunk | Exception]) -> None:
    switches = list[tuple[str, str]]()

    async def main() -> tuple[str, float, float]:
        voice = SteadfastVoice(Scripted(*steps), FakeVoice(), on_switch=lambda *told: switches.append(told))
        return await said(voice, "one two three")

    assert run(main())[:2] == ("one two three", 0.6)
    assert [name for name, _ in switches] == ["scripted"]


def test_after_a_stall_the_next_voice_goes_on_with_the_words_that_were_not_spoken() -> None:
    async def main() -> tuple[tuple[str, float, float], list[str]]:
        second = FakeVoice()
        first = Scripted(sound(0.5, word("one ", 0.0, 0.5)), sound(0.2, word("two ", 0.5, 0.9)), 60.0)
        return await said(SteadfastVoice(first, second), "one two three"), second.spoken

    (words, seconds, _), spoken = run(main())
    assert words == "one two three"
    assert spoken == ["two ", "three"], "the word that was cut is said whole"
    assert seconds == pytest.approx(0.5 + 0.4)


def test_a_stall_lasts_no_longer_than_the_sound_given_and_a_second() -> None:
    async def main() -> float:
        first = Scripted(sound(0.5, word("one ", 0.0, 0.5)), 60.0)
        begun = LoopClock().now()
        await said(SteadfastVoice(first, FakeVoice()), "one two")
        return LoopClock().now() - begun

    assert run(main()) == pytest.approx(1.5, abs=0.05)


def test_a_voice_that_drips_is_late_although_something_always_comes() -> None:
    drops = list[SpeechChunk | float]()
    for number in range(100):
        drops += [sound(0.01, word(f"{number} ", number / 100, number / 100)), 0.5]

    async def main() -> tuple[str, float]:
        begun = LoopClock().now()
        words, _, _ = await said(SteadfastVoice(Scripted(*drops), FakeVoice()), "0 1 2 3 4 5")
        return words, LoopClock().now() - begun

    words, seconds = run(main())
    assert words == "0 1 2 3 4 5"
    assert seconds < 2


def test_time_that_the_listener_takes_is_not_held_against_the_voice() -> None:
    async def main() -> list[float]:
        pauses = (sound(0.2, word("one ", 0, 0.2)), 0.5, sound(0.2, word("two", 0.2, 0.4)))
        voice = SteadfastVoice(Scripted(*pauses), FakeVoice())
        lengths = []
        async for chunk in voice.speak(Sentence("one two", "en")):
            lengths.append(len(chunk.audio) / SAMPLE_RATE)
            await LoopClock().sleep_until(LoopClock().now() + 30)
        assert voice.resting == ()
        return lengths

    assert run(main()) == [0.2, 0.2]


def test_a_sentence_that_ends_too_early_is_finished() -> None:
    async def main() -> tuple[str, float, float]:
        return await said(SteadfastVoice(Scripted(sound(0.5, word("one ", 0.0, 0.5))), FakeVoice()), "one two three")

    assert run(main())[:2] == ("one two three", 0.9)


def test_without_word_times_a_broken_sentence_is_said_again_unless_it_was_nearly_over() -> None:
    text = "Your balance is five thousand yuan today."

    async def main(seconds: float) -> tuple[str, float, float]:
        return await said(SteadfastVoice(Scripted(sound(seconds), VoiceError("reset")), FakeVoice()), text)

    assert run(main(1.0))[0] == text
    assert run(main(3.0))[:2] == ("", 3.0)


class Mended(Scripted):
    """Fails for as long as it is `broken`."""

    broken = True

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        self.asked += 1
        if self.broken:
            raise VoiceError("away")
        yield sound(0.5, word(sentence.text, 0.0, 0.5))


async def wait(seconds: float) -> None:
    await LoopClock().sleep_until(LoopClock().now() + seconds)


def test_a_voice_that_failed_rests_and_is_tried_where_nobody_listens_before_it_is_asked_again() -> None:
    async def main() -> None:
        first, second = Mended(), FakeVoice()
        voice = SteadfastVoice(first, second)
        for _ in range(2):
            await said(voice, "one")
        assert (first.asked, voice.resting) == (1, ("scripted",))
        await wait(REST + 1)
        assert (first.asked, voice.resting) == (2, ("scripted",)), "tried in vain"
        await said(voice, "one")
        assert first.asked == 2, "nobody hears a trial that fails"
        first.broken = False
        await wait(2 * REST + 1)
        assert (first.asked, voice.resting) == (3, ())
        await said(voice, "one")
        assert (first.asked, second.spoken) == (4, ["one", "one", "one"])
        await voice.close()

    run(main())


def test_each_trial_that_fails_makes_the_rest_longer_up_to_five_minutes() -> None:
    async def main() -> int:
        first = Mended()
        voice = SteadfastVoice(first, FakeVoice())
        await said(voice, "one")
        await wait(3600)
        await voice.close()
        return first.asked

    assert run(main()) == 1 + 4 + 10  # after 30, 60, 120 and 240 s, then every 300


def test_a_trial_asks_the_voice_itself_and_not_what_is_kept_of_it() -> None:
    async def main() -> None:
        kept, itself = Scripted(VoiceError("away")), Mended()
        itself.broken = False
        voice = SteadfastVoice(Member(kept, source=itself), FakeVoice())
        await said(voice, "one")
        await wait(REST + 1)
        assert (kept.asked, itself.asked, voice.resting) == (1, 1, ())
        await voice.close()

    run(main())


def test_a_text_that_a_voice_cannot_say_is_no_failure_of_it() -> None:
    async def main() -> None:
        first = Scripted(UnsaidError("is not recorded"))
        switches = list[tuple[str, str]]()
        voice = SteadfastVoice(first, FakeVoice(), on_switch=lambda *told: switches.append(told))
        for _ in range(2):
            assert (await said(voice, "one two"))[0] == "one two"
        assert (first.asked, voice.resting, switches) == (2, (), [])

    run(main())


def test_a_voice_without_consent_is_never_asked_again_and_its_words_are_said_by_the_next() -> None:
    async def main() -> None:
        first = Scripted(sound(0.4, word("one ", 0, 0.4)), ConsentError("consent ended on 2026-01-01"))
        voice = SteadfastVoice(first, FakeVoice())
        assert (await said(voice, "one two"))[0] == "one two"
        await wait(24 * 3600)
        await said(voice, "three")
        (state, _) = voice.states()
        assert (first.asked, state.state, state.problem) == (1, "silenced", "consent ended on 2026-01-01")
        alone = SteadfastVoice(Scripted(ConsentError("ended")))
        for why in ("ended", "no voice here speaks en"):
            with pytest.raises(VoiceError, match=why):
                await said(alone, "one")

    run(main())


class Loading(Scripted):
    """Takes `seconds` to load."""

    def __init__(self, seconds: float, name: str = "loading") -> None:
        super().__init__(sound(0.2), name=name)
        self.seconds = seconds

    async def warm(self, languages: Sequence[str]) -> None:
        await wait(self.seconds)


def test_a_show_waits_for_a_voice_that_loads_but_not_for_ever_and_others_speak_meanwhile() -> None:
    async def main() -> None:
        first, second = Loading(60.0), FakeVoice()
        voice = SteadfastVoice(first, second)
        begun = LoopClock().now()
        await voice.warm(["en"])
        assert LoopClock().now() - begun == pytest.approx(20, abs=0.1)
        (state, _) = voice.states()
        assert (state.state, state.problem) == ("warming", "is still loading after 20 s")
        await said(voice, "one")
        assert (first.asked, second.spoken) == (0, ["one"])
        await wait(41)
        await said(voice, "two")
        assert (first.asked, voice.states()[0].speaking) == (1, True)
        await voice.close()

    run(main())


def test_voices_load_side_by_side() -> None:
    async def main() -> float:
        voice = SteadfastVoice(Loading(8.0), Loading(8.0, "other"), FakeVoice())
        begun = LoopClock().now()
        await voice.warm(["en"])
        return LoopClock().now() - begun

    assert run(main()) == pytest.approx(8, abs=0.1)


def test_a_voice_that_is_found_unfit_once_it_is_warm_is_not_asked_while_others_speak() -> None:
    async def slow(voice: Voice, language: str) -> str:
        return f"is too slow for {language}"

    async def main() -> None:
        first = Scripted(sound(0.2))
        voice = SteadfastVoice(Member(first, unfit=slow), FakeVoice())
        await voice.warm(["en"])
        await said(voice, "one")
        assert (first.asked, voice.states()[0].problem) == (0, "is too slow for en")

    run(main())


def test_each_language_has_an_order_of_its_own() -> None:
    async def main() -> None:
        first, second, third = (FakeVoice() for _ in range(3))
        voice = SteadfastVoice(first, second, third, order={"zh": (1, 0, 2), "": (0, 2)})
        await said(voice, "一", "zh-CN")
        await said(voice, "one", "en-GB")
        assert (first.spoken, second.spoken, third.spoken) == (["one"], ["一"], [])

    run(main())


def test_a_voice_that_somebody_else_owns_is_neither_warmed_nor_closed() -> None:
    async def main() -> None:
        house = Loading(1000.0)
        voice = SteadfastVoice(FakeVoice(), Member(house, owned=False), own_languages=True)
        begun = LoopClock().now()
        await voice.warm(["en"])
        await voice.close()
        assert (LoopClock().now() - begun < 1, house.closed) == (True, False)
        assert [state.name for state in voice.states()] == ["fake"]

    run(main())


def test_words_that_were_not_heard_are_counted_and_told_without_saying_which(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        flawed = replace(sound(0.5, word("one two", 0, 0.5)), flaws=Flaws(("two",), 0.0, 20.0))
        voice = SteadfastVoice(Scripted(flawed), FakeVoice())
        await said(voice, "one two")
        (state, _) = voice.states()
        assert (state.swallowed, state.switches, state.sentences, state.state) == (1, 0, 1, "ready")
        assert "1 words not heard" in state.problem

    run(main())
    assert "two" not in caplog.text


def test_when_all_rest_they_are_asked_all_the_same() -> None:
    async def main() -> int:
        only = Scripted(VoiceError("away"))
        voice = SteadfastVoice(only)
        for _ in range(2):
            with pytest.raises(VoiceError, match="away"):
                await said(voice, "one")
        return only.asked

    assert run(main()) == 2


def test_a_voice_that_does_not_speak_the_language_is_skipped() -> None:
    async def main() -> str:
        first = Scripted(sound(1.0))
        words, _, _ = await said(SteadfastVoice(first, FakeVoice()), "一二", "zh-CN")
        assert first.asked == 0
        with pytest.raises(VoiceError, match="no voice here speaks fr"):
            await said(SteadfastVoice(first, FakeVoice()), "un", "fr")
        return words

    assert run(main()) == "一二"


def test_languages_are_those_of_all_voices() -> None:
    voice = SteadfastVoice(Scripted(), FakeVoice())
    assert voice.info.languages == ("en", "zh")
    assert not voice.info.phone_timings


def test_text_without_words_asks_nobody() -> None:
    async def main() -> int:
        first = Scripted(sound(1.0))
        assert await said(SteadfastVoice(first), " ... ") == ("", 0.0, -1.0)
        return first.asked

    assert run(main()) == 0


def test_a_voice_that_will_not_stop_holds_nobody_up() -> None:
    async def main() -> tuple[str, float]:
        stubborn = Stubborn()
        voice = SteadfastVoice(stubborn, FakeVoice())
        words, _, first = await said(voice, "one two")
        before = asyncio.all_tasks()
        stubborn.release.set()
        await voice.close()
        assert len(asyncio.all_tasks()) == len(before) - 1, "it is seen to its end"
        return words, first

    words, first = run(main())
    assert words == "one two"
    assert first == pytest.approx(1.0 + CLOSING, abs=0.05)


def test_cancelling_closes_the_voice_and_leaves_no_task() -> None:
    async def main() -> None:
        fake = FakeVoice()
        voice = SteadfastVoice(fake, FakeVoice())
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await said(voice, "one STALL two")
        assert asyncio.all_tasks() <= before
        assert voice.resting == (), "who is cut off has not failed"

    run(main())


def test_a_voice_that_cannot_be_warmed_is_left_for_later_but_a_missing_one_is_told() -> None:
    async def main() -> None:
        away = Scripted(name="away", warms=False)
        voice = SteadfastVoice(away, FakeVoice())
        await voice.warm(["en"])
        assert voice.resting == ("away",)
        with pytest.raises(VoiceError, match="the server is away"):
            await SteadfastVoice(away).warm(["en"])

    run(main())


def test_closing_closes_every_voice() -> None:
    async def main() -> list[bool]:
        voices = Scripted(), FakeVoice()
        await SteadfastVoice(*voices).close()
        return [voice.closed for voice in voices]

    assert run(main()) == [True, True]


class Spanned(FakeVoice):
    """Heeds emphasis, and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.info = replace(self.info, heeds=("emphasis", "sub"))
        self.given: list[Sentence] = []

    async def speak(self, sentence: Sentence) -> AsyncIterator[SpeechChunk]:
        self.given.append(sentence)
        async for chunk in super().speak(sentence):
            yield chunk


def test_what_text_is_marked_as_goes_on_to_the_voice_that_takes_over() -> None:
    async def main() -> None:
        first, second = (
            Scripted(sound(0.5, word("One ", 0, 0.2), word("two ", 0.2, 0.4)), VoiceError("gone")),
            Spanned(),
        )
        voice = SteadfastVoice(first, second)
        assert set(voice.info.heeds) == {"emphasis", "sub"}
        spans = (Span(0, 3, "emphasis", "strong"), Span(8, 13, "emphasis", "reduced"), Span(14, 17, "sub", "for"))
        speech = voice.speak(Sentence("One two three 444", "en", spans=spans))
        assert "".join([one.text async for chunk in speech for one in chunk.words]) == "One two three 444"
        (rest,) = second.given
        assert rest.text == "three 444"
        assert rest.spans == (Span(0, 5, "emphasis", "reduced"), Span(6, 9, "sub", "for"))

    run(main())


def test_a_voice_that_heeds_no_alias_is_given_the_alias() -> None:
    async def main() -> None:
        voice = FakeVoice()
        sentence = Sentence("The WHO said", "en", spans=(Span(4, 7, "sub", "World Body"),))
        words = [one.text async for chunk in SteadfastVoice(voice, Spanned()).speak(sentence) for one in chunk.words]
        assert voice.spoken == ["The ", "World ", "Body ", "said"]
        assert words == ["The ", "WHO ", "said"]

    run(main())
