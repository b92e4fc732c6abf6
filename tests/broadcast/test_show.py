import asyncio
from dataclasses import replace

import numpy as np
import pytest

from anchor.broadcast.conductor import STALL_SECONDS
from anchor.broadcast.script import Segment
from anchor.broadcast.show import Show, Slot
from anchor.clock import FreeClock, run_virtual
from anchor.errors import AnchorError, CapacityError, ConflictError, RundownError, ScriptError, VoiceError
from anchor.media import Beat
from anchor.onair import Breaking
from anchor.pipeline.performer import Performer
from anchor.pipeline.playout import Playout
from anchor.pipeline.utterance import Utterance
from anchor.testing import FakeDriver, FakeScene, FakeSink, FakeVoice, StillLife
from tests.broadcast.studio import VIDEO, Studio, rundown

LONG = ("A one two three. Four five six.", "B one. Two.", "C one. Two.", "D one.")


def states(studio: Studio) -> dict[str, str]:
    return {item.id: item.state for item in studio.show.order().items}


def test_a_show_says_its_rundowns_in_order_and_ends() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two."), rundown("C three.", name="late")], ends=True)
        async with studio.on_air() as show:
            await studio.after(20)
            assert studio.text == "A one.B two.C three."
            assert [aired.segment for aired in show.aired(10)] == ["C", "B", "A"]
            assert {aired.outcome for aired in show.aired(10)} == {"said"}
            assert {aired.avatar for aired in show.aired(10)} == {"lin"}
            assert {item.state for item in show.order().items} == {"aired"}

    run_virtual(main())


def test_a_looping_show_begins_anew_after_its_pause() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two.")], loop=True, pause=3.0)
        async with studio.on_air() as show:
            await studio.after(30)
            assert show.order().lap >= 2
            laps = [moment for moment, word in studio.heard if word.strip() == "A"]
            ends = [moment for moment, word in studio.heard if word.strip() == "two."]
            assert all(a - b > 3.0 for a, b in zip(laps[1:], ends, strict=False))
            assert studio.text.startswith("A one.B two.A one.B two.A one.")

    run_virtual(main())


def test_never_more_than_two_segments_are_prepared_ahead() -> None:
    async def main() -> None:
        studio = Studio([rundown(*(f"S{number} one two three." for number in range(30)))])
        most = 0
        async with studio.on_air() as show:
            for _ in range(200):
                await studio.after(0.1)
                waiting = [item for item in show.order().items if item.state in ("preparing", "ready")]
                most = max(most, len(waiting), len(studio.performer.waiting))
        assert most == 2

    run_virtual(main())


def test_there_is_no_gap_between_segments_that_are_ready() -> None:
    async def main() -> None:
        speaking: list[bool] = []
        studio = Studio([rundown("A one.", "B two.", "C three.")], on_beat=lambda beat: speaking.append(beat.speaking))
        async with studio.on_air():
            await studio.after(6)
        first, last = speaking.index(True), len(speaking) - speaking[::-1].index(True)
        gaps = "".join("x" if one else "." for one in speaking[first:last]).split("x")
        assert max(map(len, gaps)) <= 7, (
            "the pause after a sentence, the tail of one segment and the lead-in of the next"
        )

    run_virtual(main())


# Breaking news


def test_breaking_news_goes_in_at_the_next_sentence_end_and_the_rest_follows() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one two three. Four five.", "B six.")])
        async with studio.on_air() as show:
            await studio.after(0.5)
            name = await show.breaking(Breaking("Flash news."))
            assert show.order().next == name
            item = next(item for item in show.order().items if item.breaking)
            assert (item.id, item.text) == (name, "Flash news.")
            await studio.after(20)
            assert studio.text == "A one two three. Flash news.Four five.B six."
            assert [aired.segment for aired in show.aired(9)] == ["B", "A", name]

    run_virtual(main())


def test_several_breaking_news_go_out_in_the_order_they_came() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one two three. Four five.", "B six.")])
        async with studio.on_air() as show:
            await studio.after(0.5)
            for number in range(3):
                await show.breaking(Breaking(f"Flash{number}."))
            await studio.after(20)
            assert studio.text == "A one two three. Flash0.Flash1.Flash2.Four five.B six."

    run_virtual(main())


def test_breaking_news_needs_no_time_of_ours_and_does_not_wait_for_a_pause_to_end() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.")], loop=True, pause=600)
        async with studio.on_air() as show:
            await studio.after(100)
            asked = studio.now
            await show.breaking(Breaking("Flash."))
            await studio.after(5)
            moment = next(moment for moment, word in studio.heard if word == "Flash.")
            assert moment - asked < 0.6, "a word of 0.2 s, the lead-in, and the beats in which it is prepared"

    run_virtual(main())


def test_bad_breaking_news_is_refused_at_once_and_leaves_nothing() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        with pytest.raises(CapacityError, match="not on air"):
            await studio.show.breaking(Breaking("Flash."))
        async with studio.on_air() as show:
            await studio.after(0.5)
            with pytest.raises(ScriptError, match="nothing to say"):
                await show.breaking(Breaking("..."))
            with pytest.raises(VoiceError):
                await show.breaking(Breaking("REFUSE this."))
            assert not any(item.breaking for item in show.order().items)
            for _ in range(100):
                await show.breaking(Breaking("Flash."))
            with pytest.raises(CapacityError, match="waiting"):
                await show.breaking(Breaking("Flash."))

    run_virtual(main())


# What operators do


def test_hold_finishes_what_is_on_air_and_go_goes_on() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            await show.hold()
            await studio.after(60)
            assert studio.text == LONG[0]
            assert show.order().held and not studio.performer.waiting
            assert studio.scene.looks[-1].graphics.kicker == "standing"
            await show.go()
            await studio.after(20)
            assert studio.text == "".join(LONG)

    run_virtual(main())


def test_breaking_news_goes_out_while_the_show_is_held() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await show.hold()
            await studio.after(5)
            await show.breaking(Breaking("Flash."))
            await studio.after(5)
            assert studio.text == "Flash."

    run_virtual(main())


def test_skip_cuts_what_is_on_air_and_the_next_follows() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(1.0)
            await show.skip()
            await studio.after(20)
            assert LONG[0] not in studio.text and studio.text.endswith("".join(LONG[1:]))
            assert states(studio)["A"] == "skipped"
            cut = show.aired(10)[-1]
            assert (cut.segment, cut.outcome) == ("A", "cancelled") and 0.5 < cut.seconds < 1.2

    run_virtual(main())


def test_skipping_breaking_news_goes_back_to_what_it_interrupted() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one. Two three.", "B four.")])
        async with studio.on_air() as show:
            await studio.after(0.3)
            await show.breaking(Breaking("Flash flash flash flash flash flash."))
            await studio.after(1.5)
            assert show.order().on_air.startswith("breaking")
            await show.skip()
            await studio.after(10)
            assert studio.text.endswith("Two three.B four.")

    run_virtual(main())


def test_jump_cuts_to_a_segment_at_the_sentence_end_and_goes_on_behind_it() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            await show.jump("C")
            await studio.after(20)
            assert studio.text == "A one two three. C one. Two.D one."
            assert states(studio) == {"A": "skipped", "B": "skipped", "C": "aired", "D": "aired"}
            with pytest.raises(KeyError):
                await show.jump("X")

    run_virtual(main())


def test_jumping_back_says_again_what_follows() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B one. Two.", "C three.")])
        async with studio.on_air() as show:
            await studio.until(lambda: "one. B one. "[-7:] in studio.text)
            await show.jump("A")
            await studio.after(20)
            assert studio.text == "A one.B one. A one.B one. Two.C three."

    run_virtual(main())


def test_jumping_to_what_is_on_air_begins_it_anew() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one two three four five.", "B six.")])
        async with studio.on_air() as show:
            await studio.until(lambda: "two" in studio.text)
            await show.jump("A")
            heard = len(studio.text)
            await studio.after(20)
            assert studio.text[heard:] == "A one two three four five.B six."

    run_virtual(main())


def test_a_jump_goes_before_a_rundown_that_is_due() -> None:
    async def main() -> None:
        hourly = Slot("* * * * *", rundown("H one.", name="hourly"), cut_in=True)
        studio = Studio(
            [rundown("A one. " + "Two three four five six seven eight. " * 4, "B six.", "C one.")], slots=[hourly]
        )
        async with studio.on_air() as show:
            await studio.after(0.5)
            studio.step = 60.0
            await studio.after(0.8)
            await show.jump("C")
            await studio.after(4)
            assert studio.text == "A one. Two three four five six seven eight. C one.H one."

    run_virtual(main())


def test_operators_see_how_long_segments_took_and_will_take() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one two three.", "B two three four five six seven eight.")])
        async with studio.on_air() as show:
            await studio.until(lambda: "B" in studio.text)
            took, expected = (item.seconds for item in show.order().items)
            assert took == pytest.approx(4 * 0.2 + 0.08 + 0.35 + 0.24, abs=0.2)
            assert show.aired(1)[0].seconds == pytest.approx(took, abs=0.001)
            assert expected == pytest.approx(2.7, abs=0.3)

    run_virtual(main())


def test_what_a_show_renders_without_a_clock_is_what_its_segments_are() -> None:
    """So the archive of a show is what `render` writes of its rundown."""
    texts = ("A one. Two three.", "B two.", "C three. Four.", "D five.")

    async def shown(ahead: bool) -> list[tuple[bytes, tuple[str, ...]]]:
        clock, voice = FreeClock(), FakeVoice()
        performer = Performer(FakeDriver(), VIDEO, clock)
        sink = FakeSink()
        playout = Playout(performer, StillLife(), FakeScene(VIDEO), [sink], clock)

        async def utter(segment: Segment, pause: float) -> Utterance:
            return Utterance(segment.text, "en", voice, pause=pause)

        show = Show(performer, utter, clock, rundowns=[rundown(*texts)], loop=False, pause=1.0, ends=True)
        async with performer.open(), asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(playout.run())
            if ahead:
                for number, text in enumerate(texts):
                    performer.perform(Utterance(text, "en", voice, pause=float(number == len(texts) - 1)))
            else:
                await show.run()
            performer.finish()
            await playing
        return [(beat.audio.tobytes(), tuple(word.text for word in beat.words)) for beat in sink.beats]

    assert run_virtual(shown(ahead=False)) == run_virtual(shown(ahead=True))


def test_a_jump_while_held_begins_with_go() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await show.hold()
            await show.jump("C")
            await studio.after(5)
            assert studio.text == ""
            await show.go()
            await studio.after(20)
            assert studio.text == LONG[2] + LONG[3]

    run_virtual(main())


def test_kill_is_silent_with_a_card_within_200_ms_until_go_resumes_the_segment() -> None:
    async def main() -> None:
        beats: list[tuple[float, Beat]] = []
        studio = Studio([rundown(*LONG)], on_beat=lambda beat: beats.append((studio.now, beat)))
        async with studio.on_air() as show:
            await studio.after(1.0)
            await show.breaking(Breaking("Flash."))
            killed, drawn = studio.now, len(studio.scene.looks)
            await show.kill()
            await studio.after(10)
            late = [beat for moment, beat in beats if moment > killed + 0.2]
            assert late and not any(np.abs(beat.audio).max() > 0 for beat in late)
            assert [look.graphics.slate for look in studio.scene.looks[drawn + 2 :]] == ["Back soon"] * len(
                studio.scene.looks[drawn + 2 :]
            )
            assert show.order().killed and show.order().on_air == ""
            with pytest.raises(CapacityError, match="killed"):
                await show.breaking(Breaking("Flash."))
            heard = len(studio.text)
            await show.go()
            await studio.after(20)
            assert studio.text[heard:] == "".join(LONG)
            assert studio.scene.looks[-1].graphics.slate == ""

    run_virtual(main())


def test_kill_also_silences_what_must_not_be_interrupted() -> None:
    async def main() -> None:
        studio = Studio()
        async with studio.on_air() as show:
            await studio.after(0.1)
            show.say(Utterance("one two three four five six", "en", studio.voice, interruptible=False))
            await studio.after(0.7)
            await show.kill()
            await studio.after(3)
            assert 1 <= len(studio.heard) <= 3
            assert show.aired(1)[0].outcome == "cancelled"

    run_virtual(main())


def test_after_the_end_of_a_show_go_begins_it_anew() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two.")])
        async with studio.on_air() as show:
            await studio.after(10)
            await show.go()
            await studio.after(10)
            assert studio.text == "A one.B two." * 2

    run_virtual(main())


def test_a_person_takes_over_at_the_sentence_end_and_the_show_goes_on() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            show.takeover(Utterance("Me live.", "en", studio.voice))
            assert show.order().takeover
            await studio.after(20)
            assert studio.text == "A one two three. Me live.Four five six." + "".join(LONG[1:])
            assert not show.order().takeover

    run_virtual(main())


def test_what_a_person_cuts_at_once_is_said_again_from_its_beginning() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one. Two three four five six.", "B seven.")])
        async with studio.on_air() as show:
            await studio.until(lambda: "Two" in studio.text)
            cut = len(studio.text)
            show.takeover(Utterance("Me live.", "en", studio.voice), at_once=True)
            await studio.after(20)
            assert studio.text[cut:] == "Me live.A one. Two three four five six.B seven."

    run_virtual(main())


def test_what_is_said_besides_the_show_is_in_the_log() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            performance = show.say(Utterance("Hello.", "en", studio.voice, priority=10))
            assert await performance.wait() == "said"
            await studio.after(0.2)
            assert (show.aired(1)[0].segment, show.aired(1)[0].text) == (performance.id, "Hello.")

    run_virtual(main())


def test_stop_finishes_the_sentence() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            await show.stop(finish=True)
            await studio.after(20)
            assert studio.text == "A one two three. "

    run_virtual(main())


# Edits


def test_an_edit_replaces_what_is_not_on_air_yet() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            order = show.order()
            new = rundown("A changed.", "C better.", "B one. Two.", "E more.").document
            after = await show.edit(new, order.version)
            assert after.document == new and after.version > order.version
            await studio.after(20)
            assert studio.text == LONG[0] + "C better.B one. Two.E more."

    run_virtual(main())


def test_a_prepared_segment_that_is_edited_is_replaced_without_a_gap() -> None:
    async def main() -> None:
        speaking: list[bool] = []
        studio = Studio([rundown(*LONG)], on_beat=lambda beat: speaking.append(beat.speaking))
        async with studio.on_air() as show:
            await studio.after(0.5)
            assert states(studio)["B"] == "ready"
            await show.edit(rundown(LONG[0], "B new.", *LONG[2:]).document, show.order().version)
            await studio.after(20)
        assert studio.text == LONG[0] + "B new." + LONG[2] + LONG[3]
        first, last = speaking.index(True), len(speaking) - speaking[::-1].index(True)
        gaps = "".join("x" if one else "." for one in speaking[first:last]).split("x")
        assert max(map(len, gaps)) <= 7

    run_virtual(main())


def test_what_an_edit_leaves_as_it_was_stays_prepared() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            before = [performance.id for performance in studio.performer.waiting]
            await show.edit(rundown(*LONG[:3], "D changed.").document, show.order().version)
            assert [performance.id for performance in studio.performer.waiting] == before

    run_virtual(main())


def test_an_edited_rundown_is_what_the_next_lap_says() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two.")], loop=True)
        async with studio.on_air() as show:
            await studio.until(lambda: "B" in studio.text)
            await show.edit(rundown("A new.", "B new.").document, show.order().version)
            await studio.after(4)
            assert studio.text.startswith("A one.B two.A new.B new.A new.")

    run_virtual(main())


def test_a_bad_edit_or_one_of_an_old_version_changes_nothing() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            await studio.after(0.5)
            order = show.order()
            with pytest.raises(RundownError):
                await show.edit(rundown("A BAD.").document, order.version)
            assert show.order().document == order.document
            await show.edit(rundown(*LONG, "E more.").document, order.version)
            with pytest.raises(ConflictError):
                await show.edit(rundown("F other.").document, order.version)
            await studio.after(20)
            assert studio.text == "".join(LONG) + "E more."

    run_virtual(main())


def test_an_edit_is_of_all_languages_of_a_document() -> None:
    async def main() -> None:
        one = rundown("A one.", "B two.")
        english, chinese = replace(one, language="en"), replace(one, language="zh")
        studio = Studio([english, chinese])
        async with studio.on_air():
            await studio.after(0.3)
            await studio.desk.edit(rundown("A one.", "C new.").document, studio.desk.order().version)
            await studio.after(20)
            assert studio.text == "A one.C new.A one.C new."

    run_virtual(main())


def test_while_another_rundown_has_come_on_air_an_edit_of_the_one_before_is_refused() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one."), rundown("B one. Two. Three.", name="late")])
        async with studio.on_air() as show:
            await studio.until(lambda: "A" in studio.text)
            seen = show.order()
            await studio.until(lambda: "B" in studio.text)
            assert (seen.title, show.order().title) == ("news", "late")
            with pytest.raises(ConflictError):
                await show.edit(seen.document, seen.version)

    run_virtual(main())


def test_of_two_edits_at_once_one_is_refused() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)])
        async with studio.on_air() as show:
            version = show.order().version
            edits = [show.edit(rundown(*LONG, f"E{number}.").document, version) for number in range(2)]
            outcomes = await asyncio.gather(*edits, return_exceptions=True)
            assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]

    run_virtual(main())


# Failures


def test_a_segment_that_fails_is_marked_and_the_show_goes_on() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B REFUSE.", "C FAIL x", "D two.")])
        async with studio.on_air() as show:
            await studio.after(20)
            assert studio.text in ("A one.C D two.", "A one.D two."), "what was made before it failed may be heard"
            items = {item.id: item for item in show.order().items}
            assert items["B"].state == items["C"].state == "failed"
            assert items["B"].problem == "the voice is down" and "told to fail" in items["C"].problem
            assert {aired.segment for aired in show.aired(9) if aired.outcome == "failed"} == {"B", "C"}

    run_virtual(main())


def test_a_voice_that_is_down_brings_the_filler_and_loses_no_segment_when_it_is_back() -> None:
    async def main() -> None:
        filler = [Segment("Filler1.", "en"), Segment("Filler2.", "en")]
        studio = Studio([rundown(*(f"S{number} one." for number in range(12)))], filler=filler)
        fillers = FillerVoice(studio)
        async with studio.on_air() as show:
            await studio.until(lambda: "S1" in studio.text)
            studio.down = True
            await studio.after(120)
            assert fillers.said, "the filler is heard"
            assert show.failures >= 3
            studio.down = False
            await studio.after(240)
            for number in range(12):
                assert studio.text.count(f"S{number} ") == 1, f"segment {number}"
            assert show.failures == 0

    class FillerVoice:
        def __init__(self, studio: Studio) -> None:
            make = studio.utter

            async def utter(segment: Segment, pause: float) -> Utterance:
                if segment.text.startswith("Filler"):
                    return Utterance(segment.text, "en", studio.voice)
                return await make(segment, pause)

            studio.utter = utter
            self._studio = studio

        @property
        def said(self) -> bool:
            return "Filler1.Filler2.Filler1." in self._studio.text

    run_virtual(main())


def test_filler_gives_way_at_its_sentence_end_and_does_not_go_on_after() -> None:
    async def main() -> None:
        filler = [Segment("Wait one. Wait two. Wait three. Wait four.", "en")]
        studio = Studio([rundown("A one.")], filler=filler)
        async with studio.on_air() as show:
            await studio.until(lambda: "Wait" in studio.text)
            await show.go()
            await studio.until(lambda: studio.text.endswith("A one."))
            assert studio.text == "A one.Wait one. A one."
            await studio.after(3)
            assert studio.text.endswith("A one."), "what was left of the filler does not come"

    run_virtual(main())


def test_filler_bridges_a_voice_that_hangs() -> None:
    async def main() -> None:
        studio = Studio([rundown("A STALL x", "B two.")], filler=[Segment("Wait.", "en")])
        async with studio.on_air():
            await studio.after(STALL_SECONDS - 5)
            assert studio.text.startswith("Wait.Wait.")
            await studio.until(lambda: studio.text.endswith("B two."))

    run_virtual(main())


def test_there_is_no_filler_while_the_show_is_held() -> None:
    async def main() -> None:
        studio = Studio([rundown(*LONG)], filler=[Segment("Wait.", "en")])
        async with studio.on_air() as show:
            await show.hold()
            await studio.after(60)
            assert studio.text == ""

    run_virtual(main())


def test_without_filler_silence_is_the_standing_picture() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.")])
        async with studio.on_air():
            await studio.after(30)
            assert studio.scene.looks[-1].graphics.kicker == "standing"

    run_virtual(main())


def test_a_voice_that_hangs_fails_its_segment_and_the_show_goes_on() -> None:
    async def main() -> None:
        studio = Studio([rundown("A STALL x", "B two.", "C x STALL y.", "D four.")])
        async with studio.on_air() as show:
            await studio.after(4 * STALL_SECONDS)
            assert "B two." in studio.text and "D four." in studio.text
            assert states(studio) == {"A": "failed", "B": "aired", "C": "failed", "D": "aired"}
            assert "no sound" in show.order().items[0].problem

    run_virtual(main())


def test_a_defect_in_making_a_segment_does_not_end_the_show() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two.")])
        make = studio.utter

        async def utter(segment: Segment, pause: float) -> Utterance:
            if segment.text.startswith("A"):
                raise ZeroDivisionError
            return await make(segment, pause)

        studio.utter = utter
        async with studio.on_air():
            await studio.after(20)
            assert studio.text == "B two."
            assert "ZeroDivisionError" in studio.show.order().items[0].problem

    run_virtual(main())


def test_a_segment_that_is_never_made_fails_in_time() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one.", "B two.")])
        make = studio.utter

        async def utter(segment: Segment, pause: float) -> Utterance:
            if segment.text.startswith("A"):
                await asyncio.Event().wait()
            return await make(segment, pause)

        studio.utter = utter
        async with studio.on_air():
            await studio.after(100)
            assert studio.text == "B two."
            assert states(studio)["A"] == "failed"

    run_virtual(main())


def test_a_show_that_falls_over_goes_on_at_its_segment_when_it_is_run_again() -> None:
    async def main() -> None:
        studio = Studio([rundown("A one two three four five.", "B two.")])
        async with studio.on_air():
            await studio.after(0.7)
        heard = len(studio.text)
        async with studio.on_air():
            await studio.after(20)
        assert studio.text[heard:] == "A one two three four five.B two."

    run_virtual(main())


def test_an_empty_show_stays_alive_and_takes_breaking_news() -> None:
    async def main() -> None:
        studio = Studio()
        async with studio.on_air() as show:
            await studio.after(100)
            assert show.order().items == ()
            await show.breaking(Breaking("Flash."))
            await studio.after(5)
            assert studio.text == "Flash."
            for call in (show.skip, show.hold, show.go, show.kill, show.go):
                await call()
            with pytest.raises(AnchorError):
                await show.edit({}, 1)

    run_virtual(main())
