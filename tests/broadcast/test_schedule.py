from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.broadcast.run import Rundown
from anchor.broadcast.schedule import Schedule, Slot
from anchor.broadcast.script import Script
from anchor.clock import run_virtual
from anchor.errors import ConfigError
from tests.broadcast.studio import Studio, rundown

NEWS = Rundown("news", Script("news", ()))
MINUTE, HOUR, DAY = 60, 3600, 86400


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def fired(slot: Slot, begin: str, seconds: int, *, every: int = 20) -> list[str]:
    """When a slot was due, by the wall clock of its zone."""
    start = moment(begin)
    schedule, found = Schedule([slot], start), []
    for second in range(0, seconds, every):
        coming = schedule.next_start()
        found += [coming for _ in schedule.due(start + second)]
    return found


def slot(at: str, zone: str = "UTC", *, cut_in: bool = False) -> Slot:
    return Slot(at, NEWS, zone, cut_in)


def test_a_rundown_is_due_at_its_times_in_its_zone() -> None:
    times = fired(slot("30 7,19 * * 1-5", "Asia/Shanghai"), "2026-02-27T00:00:00+08:00", 4 * DAY)
    assert times == [
        "2026-02-27T07:30:00+08:00",
        "2026-02-27T19:30:00+08:00",
        "2026-03-02T07:30:00+08:00",
        "2026-03-02T19:30:00+08:00",
    ]


def test_a_time_that_does_not_exist_is_made_up_for_once_after_the_gap() -> None:
    times = fired(slot("30 2 * * *", "Europe/Berlin"), "2026-03-28T12:00:00+01:00", 3 * DAY)
    assert times == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]


def test_a_time_that_comes_twice_counts_once() -> None:
    times = fired(slot("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00+02:00", 3 * DAY)
    assert times == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00", "2026-10-27T02:30:00+01:00"]


@pytest.mark.parametrize("begin", ["2026-03-28T20:00:00+01:00", "2026-10-24T20:00:00+02:00"])
def test_what_comes_every_hour_keeps_coming_on_the_days_clocks_change(begin: str) -> None:
    zone = "Europe/Berlin"
    assert len(fired(slot("0 * * * *", zone), begin, DAY + MINUTE)) == 24
    assert len(fired(slot("*/10 * * * *", zone), begin, DAY + MINUTE)) == 144


@given(
    steps=st.lists(st.tuples(st.integers(1, 5 * MINUTE), st.integers(-MINUTE, MINUTE)), min_size=1, max_size=300),
    at=st.sampled_from(["*/5 * * * *", "0 * * * *", "7,8 * * * *", "* * * * *"]),
)
@settings(max_examples=150, deadline=None)
def test_a_clock_that_is_set_back_and_forth_skips_and_repeats_nothing(steps: list[tuple[int, int]], at: str) -> None:
    start = moment("2026-06-01T00:00:00+00:00")
    schedule, found = Schedule([slot(at)], start), []
    now, latest = start, start
    for passed, offset in steps:
        now += passed
        wall = now + offset
        latest = max(latest, wall)
        coming = schedule.next_start()
        for _ in schedule.due(wall):
            found.append(coming)
            coming = schedule.next_start()
    due = schedule.due(latest)
    assert due == [], "all that the clock has shown is through"
    reference, expected = Schedule([slot(at)], start), []
    for second in range(0, int(latest - start) + 1, 30):
        expected += reference.due(start + second)
    expected += reference.due(latest)
    assert len(found) == len(expected)
    assert len(set(found)) <= len(found)


def test_a_step_of_a_minute_at_the_very_time_neither_skips_nor_repeats() -> None:
    start = moment("2026-06-01T09:59:30+00:00")
    schedule = Schedule([slot("0 10 * * *")], start)
    assert schedule.due(start + 29) == []
    assert schedule.due(start + 31) == [0]
    assert schedule.due(start + 31 - 60) == schedule.due(start + 60) == schedule.due(start) == []
    forward = Schedule([slot("0 10 * * *")], start)
    assert forward.due(start + 60 + 60) == [0]


def test_what_was_missed_for_long_is_left_out_and_the_next_comes(caplog: pytest.LogCaptureFixture) -> None:
    start = moment("2026-06-01T00:00:00+00:00")
    schedule = Schedule([slot("0 * * * *")], start)
    assert schedule.due(start + 300 * DAY + HOUR / 2) == []
    assert "left out" in caplog.text
    assert schedule.due(start + 300 * DAY + HOUR) == [0]


def test_after_a_clock_that_was_a_day_ahead_is_set_right_rundowns_come_again() -> None:
    start = moment("2026-06-01T00:00:00+00:00")
    schedule = Schedule([slot("0 * * * *")], start + DAY)
    assert schedule.due(start + DAY + HOUR) == [0]
    assert schedule.due(start + 10) == []
    assert schedule.due(start + HOUR) == [0]


def test_a_schedule_goes_on_where_it_was_left() -> None:
    start = moment("2026-06-01T09:55:00+00:00")
    schedule = Schedule([slot("0 10 * * *")], start)
    kept = schedule.snapshot()
    late = Schedule([slot("0 10 * * *")], start + 400)
    late.restore(kept)
    assert late.due(start + 400) == [0], "it was due while nothing ran"
    again = Schedule([slot("0 10 * * *")], start + 500)
    again.restore(late.snapshot())
    assert again.due(start + 500) == []


@pytest.mark.parametrize(
    ("at", "zone", "told"),
    [
        ("99 * * * *", "UTC", "bad minute"),
        ("* * * *", "UTC", "five fields"),
        ("* * * * * *", "UTC", "five fields"),
        ("0 0 31 2 *", "UTC", "day"),
        ("0 0 * * *", "Mars/Olympus", "time zone"),
        ("0 0 * * *", "../../etc/passwd", "time zone"),
        ("0 0 * * *", "", "time zone"),
        ("", "UTC", "five fields"),
    ],
)
def test_times_that_cannot_be_are_refused(at: str, zone: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Schedule([slot(at, zone)], 0)


def test_a_show_begins_its_scheduled_rundown_in_time_with_the_clock_set_meanwhile() -> None:
    hourly = rundown("H one. Two.", name="hourly")
    talk = rundown(*(f"T{number} one two three. Four five six." for number in range(20)), name="talk")

    async def main() -> None:
        studio = Studio([talk], loop=True, slots=[Slot("*/4 * * * *", hourly, cut_in=True)])
        async with studio.on_air() as show:
            assert show.order().next_start == "2026-03-01T09:04:00+00:00"
            await studio.after(237)
            studio.step = 60.0
            await studio.after(10)
            studio.step = 0.0
            await studio.after(70)
            assert studio.text.count("H one. Two.") == 1
            await studio.after(240)
            assert studio.text.count("H one. Two.") == 2
            studio.step = -60.0
            await studio.after(240)
            studio.step = 0.0
            await studio.after(30)
            assert studio.text.count("H one. Two.") == 3
            said = studio.text.replace("H one. Two.", "")
            segments = "".join(f"T{number} one two three. Four five six." for number in range(20))
            assert (segments * 100).startswith(said), "the show went on where it was interrupted"
            second = [at for at, word in studio.heard if word == "H "][1]
            assert second == pytest.approx(480, abs=5)

    run_virtual(main())
