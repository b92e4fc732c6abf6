import itertools
from collections.abc import AsyncIterator

import numpy as np
import pytest

from anchor.clock import run_virtual
from anchor.errors import VoiceError
from anchor.media import SAMPLE_RATE, Beat
from anchor.pipeline.performer import REPEATS
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.ports import SpeechChunk
from anchor.testing import FakeDriver, FakeVoice, StillLife
from tests.pipeline.stage import VIDEO, Stage, free_stage, heard

LONG = "one two three four five six seven eight nine ten eleven twelve."


def loud(beat: Beat) -> bool:
    return float(np.abs(beat.audio).max()) > 0.01


def test_utterances_are_said_one_after_another_in_order() -> None:
    async def main() -> str:
        stage = free_stage()
        async with stage.performer.open():
            stage.say("First one. ")
            stage.say("Second one.")
            return heard(await stage.play())

    assert run_virtual(main()) == "First one.Second one."


def test_beats_hold_exactly_the_sound_the_voice_made() -> None:
    async def main() -> None:
        stage = free_stage()
        async with stage.performer.open():
            stage.say("alpha beta gamma")
            beats = await stage.play()
        sound = np.concatenate([beat.audio for beat in beats])
        assert [beat.index for beat in beats] == list(range(len(beats)))
        assert {len(beat.audio) for beat in beats} == {VIDEO.samples_per_beat}
        assert np.count_nonzero(np.abs(sound) > 0) == pytest.approx(3 * SAMPLE_RATE // 5, abs=400)

    run_virtual(main())


def test_a_higher_priority_goes_in_at_the_sentence_end_and_the_rest_follows() -> None:
    async def main() -> str:
        stage = Stage()
        async with stage.running():
            long = stage.say("One two three four. Five six seven eight.")
            await stage.after(0.5)
            urgent = stage.say("BREAKING.", priority=5)
            assert await urgent.wait() == "said"
            assert await long.wait() == "said"
        return heard(stage.sink.beats)

    assert run_virtual(main()) == "One two three four. BREAKING.Five six seven eight."


def test_a_hushed_performer_is_silent_after_one_beat_and_loses_nothing() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say(LONG)
            await stage.after(1.0)
            before = len(stage.sink.beats)
            stage.performer.hush()
            await stage.after(1.0)
            quiet = stage.sink.beats[before + 1 :]
            assert quiet and not any(loud(beat) for beat in quiet)
            assert abs(float(stage.sink.beats[before].audio[-1])) < 1e-6, "the cut is a ramp, not a click"
            assert stage.performer.state == "hushed"
            stage.performer.resume()
            assert await performance.wait() == "said"
        assert heard(stage.sink.beats) == LONG

    run_virtual(main())


def test_resuming_starts_again_with_the_word_that_was_cut() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say(LONG)
            await stage.after(1.0)
            stage.performer.hush()
            await stage.after(0.2)
            known = len(performance.heard)
            before = len(stage.sink.beats)
            stage.performer.resume()
            await stage.after(0.26)
            spoken = [beat for beat in stage.sink.beats[before:] if loud(beat)]
            assert len(spoken) >= 5, "the whole word sounds again"
            assert len(performance.heard) == known + 1
            await performance.wait()

    run_virtual(main())


def test_a_cancelled_utterance_keeps_only_the_words_that_were_heard() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say(LONG)
            await stage.after(1.0)
            stage.performer.cancel()
            await stage.after(1.0)
            assert performance.outcome == "cancelled"
            assert performance.heard_text == heard(stage.sink.beats)
            assert LONG.startswith(performance.heard_text)
            assert 2 <= len(performance.heard) < 12
            after = stage.sink.beats[-20:]
            assert not any(loud(beat) for beat in after)

    run_virtual(main())


def test_cancelling_at_any_moment_of_a_sentence_never_counts_a_word_that_was_cut() -> None:
    async def main(delay: float) -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say(LONG)
            await stage.after(delay)
            stage.performer.cancel()
            await stage.after(0.5)
        heard_samples = sum(np.count_nonzero(np.abs(beat.audio) > 0) for beat in stage.sink.beats)
        assert len(performance.heard) <= heard_samples / (SAMPLE_RATE // 5) + 0.01

    for hundredths in range(10, 250, 7):
        run_virtual(main(hundredths / 100))


def test_what_must_not_be_interrupted_goes_on() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say("This is required by law.", interruptible=False)
            await stage.after(0.4)
            assert stage.performer.cancel() is None
            assert await performance.wait() == "said"

    run_virtual(main())


def test_cancelling_everything_empties_the_queue() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performances = [stage.say(LONG) for _ in range(4)]
            await stage.after(0.4)
            stage.performer.cancel(everything=True)
            assert [await performance.wait() for performance in performances] == ["cancelled"] * 4
            assert not stage.performer.waiting

    run_virtual(main())


def test_a_voice_that_fails_ends_its_utterance_and_not_the_show() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            broken = stage.say("one FAIL two")
            fine = stage.say("still here")
            assert await broken.wait() == "failed"
            assert "told to fail" in str(broken.error)
            assert await fine.wait() == "said"

    run_virtual(main())


def test_a_voice_that_stalls_leaves_a_living_silence_and_goes_on_later() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            performance = stage.say("one two STALL three", lead=1)
            await stage.after(5.0)
            beats = len(stage.sink.beats)
            assert beats == pytest.approx(125, abs=2), "the picture never stops"
            assert stage.performer.counters.starved > 80
            stage.voice.go_on.set()
            assert await performance.wait() == "said"
        assert heard(stage.sink.beats) == "one two STALL three"

    run_virtual(main())


def test_a_late_face_is_repeated_then_eased_and_sound_goes_on() -> None:
    class LateDriver(FakeDriver):
        async def drive(self, speech, fps):  # type: ignore[no-untyped-def]
            number = 0
            async for face in FakeDriver.drive(self, speech, fps):
                number += 1
                if number == 8:
                    await stage.after(0.6)
                yield face

    stage: Stage

    async def main() -> None:
        nonlocal stage
        stage = Stage(driver=LateDriver())
        async with stage.running():
            assert await stage.say(LONG, lead=3).wait() == "said"
        jaws = [look.face["jawOpen"] for look in stage.scene.looks]
        late = stage.performer.counters.late_faces
        assert late > REPEATS
        sounding = [index for index, beat in enumerate(stage.sink.beats) if loud(beat)]
        assert sounding[-1] - sounding[0] + 1 == len(sounding), "sound has no hole"
        first_late = sounding[0] + 5
        assert min(jaws[first_late : first_late + 14]) < 0.05, "the mouth came to rest meanwhile"

    run_virtual(main())


def test_the_mouth_eases_to_rest_when_speech_is_cut() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            stage.say(LONG)
            await stage.after(1.0)
            before = len(stage.scene.looks)
            stage.performer.cancel()
            await stage.after(1.0)
        jaws = [look.face["jawOpen"] for look in stage.scene.looks[before : before + 12]]
        assert jaws[0] > 0.2
        assert all(b <= a + 1e-6 for a, b in itertools.pairwise(jaws))
        assert jaws[-1] < 0.01

    run_virtual(main())


def test_two_performers_do_not_mix() -> None:
    async def main() -> None:
        a, b = Stage(voice=FakeVoice(frequency=200)), Stage(voice=FakeVoice(frequency=300))
        async with a.running(), b.running():
            first, second = a.say("canary alpha"), b.say("robin beta")
            await first.wait()
            await second.wait()
        assert heard(a.sink.beats) == "canary alpha"
        assert heard(b.sink.beats) == "robin beta"

    run_virtual(main())


def test_thousands_of_cancels_leave_no_task() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            import asyncio

            tasks = len(asyncio.all_tasks())
            for _ in range(200):
                stage.say(LONG)
                await stage.after(0.2)
                stage.performer.cancel(everything=True)
                await stage.after(0.2)
            assert len(asyncio.all_tasks()) == tasks

    run_virtual(main())


def test_one_utterance_is_dropped_and_the_others_go_on() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            first, second, third = stage.say(LONG), stage.say("second"), stage.say("third")
            stage.performer.drop(second)
            assert second.outcome == "cancelled"
            await stage.after(0.5)
            stage.performer.drop(first, VoiceError("it hangs"))
            assert (first.outcome, str(first.error)) == ("failed", "it hangs")
            assert await third.wait() == "said"
        assert heard(stage.sink.beats) == first.heard_text + "third"

    run_virtual(main())


def test_an_utterance_is_taken_on_before_another_one() -> None:
    async def main() -> str:
        stage = free_stage()
        async with stage.performer.open():
            stage.say("One. ")
            last = stage.say("Three.")
            stage.performer.perform(Utterance("Two.", "en", stage.voice), before=last)
            return heard(await stage.play())

    assert run_virtual(main()) == "One.Two.Three."


def test_what_is_more_urgent_goes_in_during_the_pause_after_a_sentence() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            slow = stage.performer.perform(Utterance("Done.", "en", stage.voice, pause=600))
            await stage.after(100)
            assert slow.outcome is None
            urgent = stage.say("BREAKING.", priority=5)
            await stage.after(1.5)
            assert urgent.outcome == "said"

    run_virtual(main())


def test_what_is_cut_at_a_sentence_end_is_cut_between_words() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            stage.say("One two three. Four five six.")
            await stage.after(0.5)
            await stage.performer.sentence_end()
            stage.performer.cancel()
            await stage.after(2)
            await stage.performer.sentence_end()
        assert heard(stage.sink.beats) == "One two three. "

    run_virtual(main())


def test_below_priority_zero_an_utterance_fills_the_gap_before_one_that_is_late() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            late = stage.say("STALL late", lead=10)
            stage.say("after")
            filler = stage.say("Gap one. Gap two. Gap three.", priority=-1)
            await stage.after(1.0)
            stage.voice.go_on.set()
            assert await late.wait() == "said"
            stage.performer.drop(filler)
            await stage.after(1.0)
        assert heard(stage.sink.beats) == "Gap one. Gap two. STALL lateafter"

    run_virtual(main())


def test_a_performer_that_was_closed_while_hushed_speaks_when_it_is_opened_again() -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running():
            stage.say(LONG)
            await stage.after(0.5)
            stage.performer.hush()
            await stage.after(0.5)
        stage.playout = Playout(stage.performer, StillLife(), stage.scene, [stage.sink], stage.clock)
        async with stage.running():
            assert await stage.say("again").wait() == "said"

    run_virtual(main())


def test_a_long_pause_is_made_in_pieces() -> None:
    async def main() -> int:
        pieces: list[int] = []

        class Watching(FakeDriver):
            async def drive(self, speech, fps):  # type: ignore[no-untyped-def]
                async def watched() -> AsyncIterator[SpeechChunk]:
                    async for chunk in speech:
                        pieces.append(len(chunk.audio))
                        yield chunk

                async for face in FakeDriver.drive(self, watched(), fps):
                    yield face

        stage = Stage(driver=Watching())
        async with stage.running():
            assert await stage.performer.perform(Utterance("Done.", "en", stage.voice, pause=60)).wait() == "said"
        return max(pieces)

    assert run_virtual(main()) <= SAMPLE_RATE
