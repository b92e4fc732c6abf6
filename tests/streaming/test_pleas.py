"""Keyframes on request: at once for who needs one, seldom for who asks on and on."""

from __future__ import annotations

import itertools

import pytest

from streaming.pleas import Pleas


def test_viewers_who_ask_on_and_on_are_granted_a_keyframe_less_and_less_often() -> None:
    """Ten of them, each at times of its own; a keyframe is made 40 ms after the first has asked."""
    viewers = [Pleas(0.5) for _ in range(10)]
    made: list[float] = []
    asked = -1.0
    for place in range(200 * 80):
        now = place / 200
        if asked >= 0 and now >= asked + 0.04:
            for viewer in viewers:
                viewer.served(now)
            made.append(now)
            asked = -1.0
        for number, viewer in enumerate(viewers):
            if (place + number) % 4 == 0 and viewer.grants(now) and asked < 0:
                asked = now
    waits = [after - before for before, after in itertools.pairwise(made)]
    assert waits == pytest.approx([0.54, 1.54, 4.54, 13.54, 27.04, 27.04], abs=0.03)


def test_viewer_who_was_content_for_a_while_is_believed_again() -> None:
    pleas = Pleas(0.5)
    for place in range(1000):
        if pleas.grants(place / 100):
            pleas.served(place / 100)
    assert not pleas.grants(10.5)
    assert pleas.grants(13)
    pleas.served(13)
    assert not pleas.grants(13.4)
    assert pleas.grants(13.6)
