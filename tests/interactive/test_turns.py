"""Turn taking: facts in, actions out."""

from __future__ import annotations

import math

import pytest

from anchor.interactive.facts import (
    Fact,
    Heard,
    HearingFailed,
    ReplyBegan,
    ReplyEnded,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Touched,
    Typed,
)
from anchor.interactive.turns import (
    Action,
    Cancel,
    CloseTurn,
    GoAway,
    Hush,
    Invite,
    NotUnderstood,
    Resume,
    Speculate,
    TurnRules,
    Turns,
)


class Table:
    """A conversation at a table with a clock: facts at their times, with all ticks that are asked for in between."""

    def __init__(self, language: str = "en", rules: TurnRules | None = None) -> None:
        self.turns = Turns(rules or TurnRules(), language)
        self.language = language
        self.now = 0.0
        self.log: list[tuple[float, Action]] = []

    def at(self, time: float, fact: Fact) -> list[Action]:
        before = len(self.log)
        self.wait(time)
        self._take(fact)
        return [action for _, action in self.log[before:]]

    def wait(self, until: float) -> list[Action]:
        before = len(self.log)
        while (due := self.turns.next_due(self.now)) <= until:
            self.now = due
            self._take(Tick())
        self.now = until
        return [action for _, action in self.log[before:]]

    def _take(self, fact: Fact) -> None:
        self.log += [(self.now, action) for action in self.turns.take(fact, self.now)]

    def hears(self, text: str, *, final: bool = False) -> Heard:
        return Heard(text, final, self.language)

    def speaks(self, begun: float, text: str, seconds: float = 1.0) -> list[Action]:
        """The visitor says something: started, a partial in its middle, stopped, and understood 0.3 s later."""
        before = len(self.log)
        self.at(begun + 0.1, SpeechStarted(begun))
        self.at(begun + seconds / 2 + 0.1, self.hears(text))
        self.at(begun + seconds + 0.2, SpeechStopped(begun + seconds))
        self.at(begun + seconds + 0.3, self.hears(text, final=True))
        return [action for _, action in self.log[before:]]

    def replies(self, at: float) -> None:
        self.at(at, ReplyBegan())

    def turn(self) -> tuple[float, CloseTurn]:
        return next((time, action) for time, action in reversed(self.log) if isinstance(action, CloseTurn))


def without_thoughts(actions: list[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, Speculate)]


def test_a_complete_question_is_a_turn_soon_after_it() -> None:
    table = Table()
    table.speaks(1.0, "what are your opening hours")
    table.wait(4)
    time, turn = table.turn()
    assert turn.text == "what are your opening hours"
    assert turn.ended_at == 2.0
    assert 0.3 <= time - 2.0 <= 0.55


def test_somebody_who_is_not_done_is_waited_for() -> None:
    table = Table()
    table.speaks(1.0, "I would like to")
    assert without_thoughts(table.wait(2.9)) == []
    table.speaks(3.0, "book an appointment")
    table.wait(6)
    time, turn = table.turn()
    assert turn.text == "I would like to book an appointment"
    assert time - 4.0 <= 0.6
    assert sum(isinstance(action, CloseTurn) for _, action in table.log) == 1


def test_chinese_stretches_are_joined_without_spaces() -> None:
    table = Table("zh-CN")
    table.speaks(1.0, "我想")
    table.speaks(2.5, "预约办理贷款")
    table.wait(6)
    assert table.turn()[1].text == "我想预约办理贷款"


def test_nothing_is_closed_before_it_is_understood() -> None:
    table = Table()
    table.at(1.1, SpeechStarted(1.0))
    table.at(2.2, SpeechStopped(2.0))
    assert without_thoughts(table.wait(2.9)) == []
    assert table.at(3.0, table.hears("where is the toilet", final=True)) == [
        CloseTurn("where is the toilet", "en", 2.0)
    ]


def test_a_visitor_who_speaks_into_the_anchors_words_is_heard_at_once() -> None:
    table = Table()
    table.replies(1.0)
    assert table.at(2.1, SpeechStarted(2.0)) == [Hush()]


def test_two_words_that_mean_something_stop_the_anchor_after_a_second() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    assert table.at(2.3, table.hears("what about")) == []
    assert without_thoughts(table.wait(2.95)) == []
    assert without_thoughts(table.wait(3.05)) == [Cancel()]


def test_stop_is_one_word_that_is_enough() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    assert table.at(2.3, table.hears("stop")) == [Cancel()]


def test_one_word_stops_the_anchor_only_when_speech_goes_on() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    table.at(2.35, table.hears("fees"))
    assert without_thoughts(table.wait(3.45)) == []
    assert without_thoughts(table.wait(3.55)) == [Cancel()]


def test_one_word_that_is_over_stops_the_anchor_when_it_is_understood() -> None:
    table = Table()
    table.replies(1.0)
    assert without_thoughts(table.speaks(2.0, "fees", seconds=0.5)) == [Hush(), Cancel()]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "at"),
        ("en", "oh I"),
        ("zh-CN", "那"),
        ("en", "uh-huh"),
        ("en", "okay"),
        ("zh-CN", "嗯"),
        ("zh-CN", "对"),
        ("zh-CN", "好的"),
    ],
)
def test_a_back_channel_or_what_is_heard_in_a_hum_lets_the_anchor_go_on(language: str, said: str) -> None:
    table = Table(language)
    table.replies(1.0)
    assert table.speaks(2.0, said, seconds=0.6) == [Hush(), Resume()]
    assert without_thoughts(table.wait(5)) == []


def test_a_cough_of_which_nothing_is_understood_lets_the_anchor_go_on() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    table.at(2.6, SpeechStopped(2.4))
    assert table.at(2.7, table.hears("", final=True)) == [Resume()]


def test_noise_that_goes_on_without_a_word_is_not_waited_for() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    assert table.wait(3.4) == []
    assert table.wait(3.6) == [Resume()]
    table.at(9.0, SpeechStopped(8.9))
    assert table.at(9.1, table.hears("", final=True)) == []


def test_without_partials_speech_alone_decides() -> None:
    table = Table(rules=TurnRules(partials=False))
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    assert table.wait(2.7) == []
    assert table.wait(2.9) == [Cancel()]


def test_what_was_said_into_the_anchors_words_is_a_turn() -> None:
    table = Table()
    table.replies(1.0)
    table.speaks(2.0, "no I mean the airport branch")
    table.wait(5)
    assert table.turn()[1].text == "no I mean the airport branch"


def test_with_barge_in_off_the_anchor_speaks_on_and_what_is_said_meanwhile_is_no_turn() -> None:
    table = Table(rules=TurnRules(barge_in=False))
    table.replies(1.0)
    table.speaks(2.0, "what about the fees")
    assert without_thoughts(table.wait(5)) == []
    assert table.log == []


def test_a_visitor_who_goes_on_before_the_answer_has_begun_has_not_finished() -> None:
    table = Table()
    table.speaks(1.0, "I lost my card")
    table.wait(2.6)
    assert table.turn()[1].text == "I lost my card"
    table.speaks(3.0, "and I need a new one")
    assert Cancel() in [action for _, action in table.log]
    table.wait(6)
    assert table.turn()[1] == CloseTurn("I lost my card and I need a new one", "en", 4.0, joined=True)


def test_a_turn_of_long_ago_is_not_joined() -> None:
    table = Table()
    table.speaks(1.0, "I lost my card")
    table.wait(9)
    table.speaks(9.0, "hello is anybody there")
    table.wait(12)
    assert table.turn()[1].text == "hello is anybody there"


def test_a_back_channel_while_the_anchor_thinks_changes_nothing() -> None:
    table = Table()
    table.speaks(1.0, "what are your opening hours")
    table.wait(2.6)
    assert without_thoughts(table.speaks(3.0, "okay", seconds=0.5)) == []
    assert without_thoughts(table.wait(6)) == []


def test_yes_is_a_turn_when_the_anchor_is_silent() -> None:
    table = Table()
    table.replies(1.0)
    table.at(3.0, ReplyEnded())
    table.speaks(3.5, "yes", seconds=0.5)
    table.wait(6)
    assert table.turn()[1].text == "yes"


def test_an_answer_that_begins_while_the_visitor_speaks_is_hushed_at_once() -> None:
    table = Table()
    table.speaks(1.0, "what are your opening hours")
    table.wait(2.6)
    table.at(2.7, SpeechStarted(2.6))
    assert table.at(2.8, ReplyBegan()) == [Hush()]


def test_typing_stops_the_anchor_and_is_a_turn_at_once() -> None:
    table = Table()
    table.replies(1.0)
    assert table.at(2.0, Typed("hello")) == [Cancel(), CloseTurn("hello", "en", 2.0, typed=True)]


def test_a_stable_partial_that_sounds_complete_is_thought_about_once() -> None:
    table = Table()
    table.at(1.1, SpeechStarted(1.0))
    table.at(1.8, table.hears("what are your"))
    table.at(2.0, table.hears("what are your opening hours"))
    assert table.wait(2.4) == [Speculate("what are your opening hours", "en")]
    table.at(2.5, SpeechStopped(2.2))
    table.at(2.52, table.hears("what are your opening hours", final=True))
    assert not any(isinstance(action, Speculate) for action in table.wait(5))


def test_speech_that_cannot_be_told_is_answered_by_saying_so() -> None:
    table = Table()
    table.at(1.1, SpeechStarted(1.0))
    table.at(3.2, SpeechStopped(3.0))
    assert table.at(3.3, table.hears("", final=True)) == [NotUnderstood()]
    table.at(5.1, SpeechStarted(5.0))
    table.at(7.2, SpeechStopped(7.0))
    assert table.at(8.2, HearingFailed("hung")) == [NotUnderstood(failed=True)]


def test_a_knock_passes_without_a_word() -> None:
    table = Table()
    table.at(1.1, SpeechStarted(1.0))
    table.at(1.5, SpeechStopped(1.3))
    assert table.at(1.6, table.hears("", final=True)) == []


def test_a_recogniser_that_fails_over_a_short_sound_does_not_cost_the_answer() -> None:
    table = Table()
    table.replies(1.0)
    table.at(2.1, SpeechStarted(2.0))
    table.at(2.6, SpeechStopped(2.4))
    assert table.at(3.4, HearingFailed("hung")) == [Resume()]


def test_silence_is_ended_by_an_invitation_and_then_by_leaving() -> None:
    table = Table(rules=TurnRules(invite_after=20, absence=60))
    assert table.wait(19.9) == []
    assert table.wait(20.1) == [Invite()]
    table.replies(20.3)
    table.at(22.0, ReplyEnded())
    assert table.wait(59.9) == []
    assert table.wait(60.1) == [GoAway()]
    assert table.turns.next_due(table.now) == math.inf


def test_whoever_touches_the_page_is_there() -> None:
    table = Table(rules=TurnRules(invite_after=20, absence=60))
    table.at(25, Touched())
    assert [type(action) for _, action in table.log] == [Invite]
    assert table.wait(44.9) == []
    assert table.wait(45.1) == [Invite()]


def test_nobody_is_asked_whether_they_are_there_while_they_speak_or_are_answered() -> None:
    table = Table(rules=TurnRules(invite_after=5, absence=10))
    table.at(4.0, SpeechStarted(3.9))
    assert table.wait(30) == []
    table.at(30.2, SpeechStopped(30.0))
    table.at(30.3, table.hears("this took me a while", final=True))
    table.replies(31.5)
    assert Invite() not in table.wait(60)
