"""The bundled anchors: whole, small, and seen by others as faces that do what they are told."""

from __future__ import annotations

import pytest

from anchor.media import VideoFormat
from anchor.ports import Avatar
from avatars.package import check, library, load_avatar
from avatars.probe import Seen, look
from avatars.sheet import SHEET

VIDEO = VideoFormat(1280, 720, 25)
_MOST_MB = 8
_SETTLING = 8
"""Pictures over which landmarks settle on a face that changed at once."""


@pytest.fixture(params=sorted(library()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def seen(avatar: Avatar, shape: str) -> Seen:
    found = list(look(avatar, [SHEET[shape]] * _SETTLING, VIDEO))[-1]
    assert found is not None, f"no face is seen at {shape!r}"
    return found


def test_people_who_do_not_exist_are_bundled_beside_the_drawing() -> None:
    assert {"lin", "yue", "leo"} <= set(library())


def test_a_bundled_anchor_is_a_good_package_under_eight_megabytes(name: str) -> None:
    assert check(name) == []
    assert sum(file.stat().st_size for file in library()[name].iterdir()) < _MOST_MB << 20


def test_a_bundled_anchor_shows_mouths_and_lids_as_told(name: str) -> None:
    avatar = load_avatar(name)
    rest, shut, wide = (seen(avatar, shape) for shape in ("rest", "p b m", "a"))
    assert shut.lips < 0.04, "p, b and m close the lips"
    assert wide.lips > 0.15, "a opens them"
    assert seen(avatar, "u").lips < wide.lips
    assert seen(avatar, "blink").eyes < 0.5 * rest.eyes
