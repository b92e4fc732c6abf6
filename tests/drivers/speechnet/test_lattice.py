"""The best way through the sounds of a text is found, whole or piece by piece."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.speechnet.inventory import SILENCE, SOUNDS
from drivers.speechnet.lattice import Lattice, Unit, silence


def _scores(sounds: list[int], rng: np.random.Generator, noise: float = 0.0) -> np.ndarray:
    scores = np.full((len(sounds), len(SOUNDS)), -6.0, np.float32)
    scores[np.arange(len(sounds)), sounds] = -0.1
    return scores + rng.normal(0, noise, scores.shape).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(1, len(SOUNDS) - 1), st.integers(2, 9)), min_size=1, max_size=12),
    pauses=st.lists(st.integers(0, 6), min_size=13, max_size=13),
    seed=st.integers(0, 99),
)
def test_known_times_are_found_again(lengths: list[tuple[int, int]], pauses: list[int], seed: int) -> None:
    units, heard, wanted = [silence()], [SILENCE] * pauses[0], [0] * pauses[0]
    for index, (sound, length) in enumerate(lengths):
        if heard and heard[-1] == sound:
            continue  # The same sound twice without a pause has no border.
        units += [Unit(sound), silence()]
        heard += [sound] * length + [SILENCE] * pauses[index + 1]
        wanted += [len(units) - 2] * length + [len(units) - 1] * pauses[index + 1]
    lattice = Lattice(units)
    lattice.push(_scores(heard, np.random.default_rng(seed), 0.2))
    assert lattice.complete
    assert lattice.path(ended=True).tolist() == wanted


def test_pushing_in_pieces_gives_the_same_path() -> None:
    rng = np.random.default_rng(4)
    sounds = [int(rng.integers(1, len(SOUNDS))) for _ in range(30)]
    scores = _scores([sound for sound in sounds for _ in range(5)], rng, 1.0)
    units = [unit for sound in sounds for unit in (Unit(sound), silence())]
    whole, pieces = Lattice(units), Lattice(units)
    whole.push(scores)
    for at in range(0, len(scores), 7):
        pieces.push(scores[at : at + 7])
    np.testing.assert_array_equal(whole.path(ended=True), pieces.path(ended=True))
    np.testing.assert_array_equal(whole.path(40, ended=True), whole.path(ended=True)[40:])


def test_a_sound_too_short_for_its_text_is_not_complete() -> None:
    lattice = Lattice([Unit(3, 4), Unit(5, 4)])
    lattice.push(_scores([3, 3, 3], np.random.default_rng(0)))
    assert not lattice.complete
