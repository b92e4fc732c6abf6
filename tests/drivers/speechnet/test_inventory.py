"""Every sound that a voice can name is one that the network tells apart, and looks the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from anchor.media import OCULUS
from drivers.speechnet.inventory import COLLAPSE, INDEX, SOUNDS, sounds_of
from drivers.visemes import FOLDED, visemes_of

INVENTORY: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[2] / "voice" / "phone_inventory.json").read_text("utf-8")
)


@pytest.mark.parametrize("language", INVENTORY)
def test_sounds_look_as_their_symbols_do(language: str) -> None:
    for symbol in INVENTORY[language]:
        parts = sounds_of(symbol)
        assert sum(share for _, share in parts) == pytest.approx(1)
        mine = [FOLDED.get(v, v) for sound, _ in parts for v, _ in visemes_of(SOUNDS[sound])]
        meant = [FOLDED.get(v, v) for v, _ in visemes_of(symbol)]
        assert mine == meant, symbol


def test_affricates_are_one_sound_and_diphthongs_two() -> None:
    assert [SOUNDS[sound] for sound, _ in sounds_of("tʂʰ")] == ["tʃ"]
    assert [SOUNDS[sound] for sound, _ in sounds_of("dʒ")] == ["tʃ"]
    assert [SOUNDS[sound] for sound, _ in sounds_of("aɪ")] == ["a", "ɪ"]
    assert [SOUNDS[sound] for sound, _ in sounds_of("kʰ")] == ["k"]
    assert [SOUNDS[sound] for sound, _ in sounds_of("")] == ["sil"]


def test_each_sound_shows_a_whole_viseme() -> None:
    np.testing.assert_allclose(COLLAPSE.sum(axis=1), 1)
    for sound in "pbm":
        assert COLLAPSE[INDEX[sound], OCULUS.index("PP")] == 1
    for sound in "fv":
        assert COLLAPSE[INDEX[sound], OCULUS.index("FF")] == 1
