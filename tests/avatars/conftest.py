"""Avatars made once for all tests of filmed people."""

from pathlib import Path

import pytest

from avatars.footage import FootageAvatar
from avatars.maker import consent_of, make_avatar
from avatars.package import load_avatar
from tests.avatars import clips

CONSENT = consent_of("somebody", "tests", "unlimited")


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips of the bundled anchor: listening, talking, and in front of a green screen."""
    folder = tmp_path_factory.mktemp("reel")
    clips.write(folder / "listening.mp4", clips.filmed(clips.listening, clips.wall()))
    clips.write(folder / "talking.mp4", clips.filmed(clips.talking, clips.wall()))
    clips.write(folder / "green.mp4", clips.filmed(clips.listening, clips.screen()))
    return folder


@pytest.fixture(scope="session")
def package(reel: Path) -> Path:
    make_avatar(reel / "listening.mp4", reel / "kept", title="Lin, filmed", consent=CONSENT)
    return reel / "kept"


@pytest.fixture(scope="session")
def keyed_package(reel: Path) -> Path:
    make_avatar(reel / "green.mp4", reel / "keyed", background="key", consent=CONSENT)
    return reel / "keyed"


def loaded(folder: Path) -> FootageAvatar:
    found = load_avatar(folder)
    assert isinstance(found, FootageAvatar)
    return found


@pytest.fixture(scope="session")
def filmed(package: Path) -> FootageAvatar:
    return loaded(package)


@pytest.fixture(scope="session")
def keyed(keyed_package: Path) -> FootageAvatar:
    return loaded(keyed_package)
