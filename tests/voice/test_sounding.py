"""What every raw sound goes through."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anchor.voice.sound import CEILING, limited
from anchor.voice.sounding import Limiter


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([1, 7, 48, 500, 1920, 5000, 24_000]), min_size=1, max_size=12), st.integers(0, 9))
def test_sound_limited_in_pieces_is_the_sound_limited_as_a_whole(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = sum(sizes)
    swell = np.interp(np.arange(size), np.linspace(0, size, 9), rng.uniform(0, 3, 9))
    sound = (rng.normal(0, 0.4, size) * swell).astype(np.float32)
    limiter = Limiter()
    pieces = [limiter.push(piece) for piece in np.split(sound, np.cumsum(sizes)[:-1])]
    pieces.append(limiter.push(np.zeros(0, np.float32), last=True))
    assert np.array_equal(np.concatenate(pieces), limited(sound))


def test_sound_is_held_back_for_twice_the_reach_of_the_limiter_at_most() -> None:
    limiter = Limiter()
    loud = np.full(4_800, 2.0, np.float32)
    first = limiter.push(loud)
    assert 4_800 - len(first) <= 1_008
    assert np.abs(first).max() <= CEILING + 1e-6
