"""A person's microphone in place of the show: evened, in time, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from anchor import registry
from anchor.clock import LoopClock, run_virtual
from anchor.errors import CapacityError
from anchor.loudness import VOICE_LUFS, loudness
from anchor.media import SAMPLE_RATE, Beat, Samples
from anchor.ports import Answer
from anchor.takeover import Evening, LiveTakeover, SpeakerState
from tests.pipeline.stage import Stage

TICK = SAMPLE_RATE // 50


def tone(samples: int, level: float = 0.3) -> Samples:
    return (level * np.sin(2 * np.pi * 440 * np.arange(samples) / SAMPLE_RATE)).astype(np.float32)


class Doorway:
    """Stands for the door that lets a speaker in by WebRTC: what they say is handed in by the test."""

    def __init__(self, begin: Callable[[], tuple[Callable[[Samples, float], None], Callable[[], None]]]) -> None:
        self._begin = begin
        self.left: Callable[[], None] | None = None
        self.hear: Callable[[Samples, float], None] = lambda sound, at: None

    @property
    def taken(self) -> bool:
        return self.left is not None

    async def join(self, offer: str) -> Answer:
        if self.left is not None:
            raise CapacityError("somebody speaks already")
        self.hear, self.left = self._begin()
        return Answer("s1", "v=0")

    async def leave(self, guest: str) -> None:
        if self.left is None:
            raise KeyError(guest)
        self.dismiss()

    def dismiss(self) -> None:
        if self.left is not None:
            left, self.left = self.left, None
            left()

    async def __aenter__(self) -> Doorway:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.dismiss()


@pytest.fixture
def doorways(monkeypatch: pytest.MonkeyPatch) -> list[Doorway]:
    made: list[Doorway] = []

    def make(begin: Callable[[], tuple[Callable[[Samples, float], None], Callable[[], None]]], **_: object) -> Doorway:
        made.append(Doorway(begin))
        return made[-1]

    find = registry.load
    monkeypatch.setattr(registry, "load", lambda group, name: make if name == "speaker" else find(group, name))
    return made


def loud(beat: Beat) -> bool:
    return bool(np.sqrt(np.mean(beat.audio**2)) > 0.1)


async def speak(stage: Stage, door: Doorway, seconds: float, *, level: float = 0.3) -> None:
    for _ in range(round(seconds * 50)):
        door.hear(tone(TICK, level), stage.clock.now())
        await stage.after(0.02)


def test_person_is_heard_at_the_next_sentence_end_and_the_show_goes_on_after(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        states: list[SpeakerState] = []
        async with stage.running():
            takeover = LiveTakeover(
                stage.performer, stage.clock, language="en", lookahead_seconds=0.0, changed=states.append
            )
            said = stage.say("One two three four. Five six seven eight.")
            await stage.after(0.6)
            async with takeover:
                name = (await takeover.join("v=0")).viewer
                await speak(stage, doorways[0], 4.0)
                assert takeover.state == "on air"
                assert said.heard_text == "One two three four. "
                await takeover.leave(name)
                await stage.after(3)
            assert said.heard_text == "One two three four. Five six seven eight."
            assert states == ["connecting", "waiting", "on air", ""]
        own = [beat for beat in stage.sink.beats if beat.utterance not in (None, said.id)]
        # What was said before the person's turn came is not played after it.
        assert 2.0 < len(own) / 25 < 4.2
        assert sum(map(loud, own)) > 0.8 * len(own)
        assert not any(beat.words or beat.caption for beat in own)

    run_virtual(main())


def test_what_is_heard_goes_out_a_fixed_moment_later_for_minutes(doorways: list[Doorway]) -> None:
    """Whatever happens to single beats, nothing piles up."""

    async def main() -> None:
        stage = Stage()
        async with stage.running(), LiveTakeover(
            stage.performer, LoopClock(), language="en", lookahead_seconds=0.2
        ) as takeover:  # fmt: skip
            await takeover.join("v=0")
            delays = []
            await speak(stage, doorways[0], 1, level=0)
            for _ in range(40):
                await speak(stage, doorways[0], 2, level=0)
                begun = len(stage.sink.beats)
                await speak(stage, doorways[0], 1)
                first = next(n for n, beat in enumerate(stage.sink.beats[begun:]) if loud(beat))
                delays.append(first / 25)
            assert max(delays) <= 0.6
            assert max(delays) - min(delays) <= 0.081

    run_virtual(main())


def test_speaker_who_is_cut_off_is_shown_out(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running(), LiveTakeover(
            stage.performer, stage.clock, language="en", lookahead_seconds=0.0
        ) as takeover:  # fmt: skip
            await takeover.join("v=0")
            await speak(stage, doorways[0], 1)
            stage.performer.cancel(everything=True)
            await speak(stage, doorways[0], 0.1)
            assert takeover.state == ""
            assert not doorways[0].taken

    run_virtual(main())


def test_speaker_who_leaves_before_their_turn_leaves_nothing_behind(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running(), LiveTakeover(
            stage.performer, stage.clock, language="en", lookahead_seconds=0.0
        ) as takeover:  # fmt: skip
            said = stage.say("One two three four five six seven eight. Nine.")
            await stage.after(0.6)
            name = (await takeover.join("v=0")).viewer
            await speak(stage, doorways[0], 0.4)
            assert takeover.state == "waiting"
            await takeover.leave(name)
            await stage.after(4)
            assert said.outcome == "said"
        assert {beat.utterance for beat in stage.sink.beats} == {None, said.id}

    run_virtual(main())


def test_nobody_is_let_in_before_the_channel_is_on_air(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        takeover = LiveTakeover(stage.performer, stage.clock, language="en", lookahead_seconds=0.0)
        with pytest.raises(CapacityError, match="not on air"):
            await takeover.join("v=0")

    run_virtual(main())


def test_sound_that_comes_in_bursts_goes_out_whole() -> None:
    evening = Evening()
    sound = tone(SAMPLE_RATE * 4)
    out: list[Samples] = []
    sent = 0
    for tick in range(200):
        if tick % 3 == 0:  # three packets at once, each 60 ms
            evening.put(sound[sent : sent + 3 * TICK])
            sent += 3 * TICK
        out.append(evening.take(TICK))
    heard = np.concatenate(out)
    begun = int(np.flatnonzero(heard)[0]) - 1
    assert evening.dropped == 0
    assert evening.silences == 0
    assert np.array_equal(heard[begun + TICK :], sound[TICK : TICK + len(heard) - begun - TICK])


def test_buffer_holds_a_fifth_of_a_second_at_most_and_waits_longer_after_a_gap() -> None:
    evening = Evening()
    for _ in range(100):
        evening.put(tone(TICK))
        assert evening.held <= round(0.2 * SAMPLE_RATE)
    assert evening.dropped > SAMPLE_RATE
    evening.put(tone(3 * TICK))
    for _ in range(6):
        evening.take(2 * TICK)
    assert evening.silences == 1
    evening.put(tone(4 * TICK))
    assert not evening.take(TICK).any(), "it has 80 ms, and now waits for as much and a beat"
    evening.put(tone(TICK))
    assert evening.take(TICK).any()


def test_what_ran_ahead_is_made_up_for_where_nobody_speaks() -> None:
    evening = Evening()
    evening.put(np.zeros(3 * TICK, np.float32))
    evening.put(np.zeros(3 * TICK, np.float32))
    evening.put(tone(3 * TICK))
    first = evening.take(2 * TICK)
    assert evening.dropped > 0
    assert evening.held < 8 * TICK
    assert not first.any()
    rest = np.concatenate([evening.take(TICK) for _ in range(8)])
    assert int(np.count_nonzero(np.abs(rest) > 0.01)) > 2 * TICK, "and no speech is lost"


def test_steps_without_a_voice_have_no_words() -> None:
    """`Beat.words` of a take-over stay empty; see `anchor.pipeline.pager`."""
    from anchor.events import Sentence
    from anchor.pipeline.captions import CaptionStyle
    from anchor.pipeline.pager import Pager

    pager = Pager(replace(Sentence("live", "en"), text=""), 0, CaptionStyle(lines=2, columns=40))
    assert pager.add(()) == ()
    assert pager.unheard(100) == ()


def speech(seconds: float, lufs: float) -> Samples:
    """Something as uneven as speech: syllables of a tone, and pauses, of a loudness."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, 1) * (np.sin(2 * np.pi * 0.3 * time) > -0.7)
    sound = syllables * np.sin(2 * np.pi * 300 * time)
    return (sound * 10 ** ((lufs - loudness([sound.astype(np.float32)])) / 20)).astype(np.float32)


@pytest.mark.parametrize("lufs", [-30.0, -22.0, -10.0])
def test_a_person_is_as_loud_as_the_show_however_their_microphone_is_set(doorways: list[Doorway], lufs: float) -> None:
    async def main() -> None:
        stage = Stage()
        said = speech(12, lufs)
        async with stage.running(), LiveTakeover(
            stage.performer, stage.clock, language="en", lookahead_seconds=0.0
        ) as takeover:  # fmt: skip
            await takeover.join("v=0")
            for at in range(0, said.size, TICK):
                doorways[0].hear(said[at : at + TICK], stage.clock.now())
                await stage.after(0.02)
        heard = np.concatenate([beat.audio for beat in stage.sink.beats])
        assert loudness([heard[4 * SAMPLE_RATE :]]) == pytest.approx(VOICE_LUFS, abs=1.5)
        assert np.abs(heard).max() < 1.0

    run_virtual(main())


def test_a_room_in_which_nobody_speaks_is_not_turned_up(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running(), LiveTakeover(
            stage.performer, stage.clock, language="en", lookahead_seconds=0.0
        ) as takeover:  # fmt: skip
            await takeover.join("v=0")
            room = np.random.default_rng(1).normal(0, 0.001, 10 * SAMPLE_RATE).astype(np.float32)
            for at in range(0, room.size, TICK):
                doorways[0].hear(room[at : at + TICK], stage.clock.now())
                await stage.after(0.02)
        heard = np.concatenate([beat.audio for beat in stage.sink.beats])
        assert 0.0 < float(np.abs(heard).max()) < 0.006

    run_virtual(main())


def test_a_person_who_is_cut_off_is_silent_within_a_beat(doorways: list[Doorway]) -> None:
    async def main() -> None:
        stage = Stage()
        async with stage.running(), LiveTakeover(
            stage.performer, stage.clock, language="en", lookahead_seconds=0.2
        ) as takeover:  # fmt: skip
            await takeover.join("v=0")
            await speak(stage, doorways[0], 2.0)
            assert loud(stage.sink.beats[-1])
            sent = len(stage.sink.beats)
            stage.performer.cancel()
            await speak(stage, doorways[0], 0.4)
        after = stage.sink.beats[sent:]
        assert np.abs(after[0].audio[-10:]).max() < 0.01, "the beat that was about to go out falls to silence"
        assert len(after) >= 8 and not any(np.abs(beat.audio).max() for beat in after[1:])

    run_virtual(main())
