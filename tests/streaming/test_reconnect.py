from __future__ import annotations

import pytest

from streaming.reconnect import BACKOFF_SECONDS, REFUSED_SECONDS, STEADY_SECONDS, Reconnector


def started() -> Reconnector:
    machine = Reconnector(0.0)
    machine.start(0.0)
    return machine


def failed_waits(machine: Reconnector, now: float, count: int, *, refused: bool = False) -> list[float]:
    """How long it waits after each of `count` failures in a row."""
    waits = []
    for _ in range(count):
        machine.connecting(now)
        machine.lost(now, "gone", refused=refused)
        assert machine.due is not None
        waits.append(round(machine.due - now, 6))
        now = machine.due
    return waits


def test_it_connects_at_once_and_is_live_when_connected() -> None:
    machine = started()
    assert (machine.state, machine.due) == ("waiting", 0.0)
    machine.connecting(0.0)
    assert (machine.state, machine.due, machine.attempts) == ("connecting", None, 1)
    machine.connected(0.5)
    assert (machine.state, machine.since) == ("live", 0.5)


def test_waits_grow_to_one_second_and_no_further() -> None:
    assert failed_waits(started(), 0.0, 6) == [0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert max(BACKOFF_SECONDS) + 1.0 <= 2.0


def test_who_refuses_is_asked_ever_more_seldom_but_for_ever() -> None:
    machine = started()
    assert failed_waits(machine, 0.0, 7, refused=True) == [*REFUSED_SECONDS, 30.0, 30.0]
    assert (machine.state, machine.problem) == ("failed", "gone")


def test_a_connection_that_held_makes_the_next_failure_the_first() -> None:
    machine = started()
    failed_waits(machine, 0.0, 4)
    machine.connecting(10.0)
    machine.connected(10.0)
    machine.lost(10.0 + STEADY_SECONDS, "gone")
    assert machine.due == pytest.approx(10.0 + STEADY_SECONDS + BACKOFF_SECONDS[0])


def test_a_server_that_takes_and_drops_every_connection_is_not_hammered() -> None:
    machine = started()
    now = 0.0
    for _ in range(6):
        machine.connecting(now)
        machine.connected(now)
        machine.lost(now + 0.01, "dropped")
        assert machine.due is not None
        now = machine.due
    assert machine.due == pytest.approx(now)
    assert machine.state == "waiting"
    assert machine.attempts == 6
    assert now > sum(BACKOFF_SECONDS)


def test_stopped_it_waits_for_nothing_whatever_comes_late() -> None:
    machine = started()
    machine.connecting(0.0)
    machine.stop(1.0)
    machine.lost(1.1, "late news")
    machine.connected(1.2)
    assert (machine.state, machine.due, machine.problem) == ("stopped", None, "")


def test_a_problem_is_told_until_it_is_live_again() -> None:
    machine = started()
    failed_waits(machine, 0.0, 1)
    machine.connecting(5.0)
    assert machine.problem == "gone"
    machine.connected(5.0)
    assert machine.problem == ""
