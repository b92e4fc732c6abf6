from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.tracks import BeatTrack, Pleas, Recent, Shot, Spread

TICKS = 3600


def shot(index: int, *, keyframe: bool = False) -> Shot:
    return Shot(index, index * TICKS, ((index * TICKS, b"%d" % index, True),), keyframe)


def names(shots: list[Shot]) -> list[int]:
    return [int(one.packets[0][1]) for one in shots]


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=40), st.integers(0, 20))
def test_what_a_late_viewer_is_given_begins_with_a_keyframe_and_misses_nothing(
    steps: list[tuple[int, bool]], later: int
) -> None:
    recent, index, sent = Recent(13 * TICKS), 0, []
    for step, keyframe in steps:
        index += step
        sent.append((index, keyframe))
        recent.add(shot(index, keyframe=keyframe))
    given_ = recent.squeezed((index + later) * TICKS)
    if given_:
        keyframes = [place for place, keyframe in sent if keyframe]
        assert names(given_) == [place for place, _ in sent if place >= keyframes[-1]]
        assert index + later - keyframes[-1] < 13
        times = [one.packets[0][0] for one in given_]
        assert times == [index * TICKS - 90 * ago for ago in reversed(range(len(times)))]
    else:
        assert not any(keyframe and index + later - place < 13 for place, keyframe in sent[-1:])


def test_lagging_viewer_loses_what_waits_and_starts_again_at_a_keyframe() -> None:
    async def main() -> None:
        asked: list[bool] = []
        track = BeatTrack("video", 3, ask_keyframe=lambda: asked.append(True))
        track.put(shot(0, keyframe=True))
        track.begin()
        track.put(shot(1))
        for index in range(2, 6):
            track.put(shot(index, keyframe=index == 2))
        assert (asked, track.dropped) == ([True], 4)
        track.put(shot(6))
        track.put(shot(7, keyframe=True))
        track.put(shot(8))
        assert names([await track.recv(), await track.recv()]) == [7, 8]

    asyncio.run(main())


def test_sound_is_let_out_at_its_pace_and_never_out_of_order() -> None:
    async def main() -> list[int]:
        out: list[int] = []
        done = asyncio.Event()

        def send(one: Shot) -> None:
            out.extend(names([one]))
            if len(out) == 6:
                done.set()

        spread = Spread(0.005, send)
        spread.put([shot(0), shot(1)])
        assert out == [0]
        spread.put([shot(2), shot(3)])  # the beat before was late: what is left of it goes first
        assert out == [0, 1, 2]
        spread.put([shot(4), shot(5)])
        await asyncio.wait_for(done.wait(), 5)
        spread.close()
        return out

    assert asyncio.run(main()) == [0, 1, 2, 3, 4, 5]


def test_beat_without_a_whole_packet_sends_none() -> None:
    async def main() -> list[int]:
        out: list[int] = []
        spread = Spread(0.02, lambda one: out.extend(names([one])))
        spread.put([])
        spread.close()
        return out

    assert asyncio.run(main()) == []


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
