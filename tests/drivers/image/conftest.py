"""A filmed avatar, and the sentence of the self-test said once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from anchor import selftest
from anchor.ports import Avatar, SpeechChunk
from avatars.footage import FootageAvatar
from avatars.maker import consent_of, make_avatar
from avatars.package import load_avatar
from tests.avatars import clips


@pytest.fixture(scope="session")
def clip_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("painted")
    clips.write(folder / "clip.mp4", clips.filmed(clips.listening, clips.wall()))
    make_avatar(folder / "clip.mp4", folder / "clip", consent=consent_of("somebody", "tests", "unlimited"))
    return folder / "clip"


@pytest.fixture(scope="session")
def clip(clip_package: Path) -> FootageAvatar:
    found = load_avatar(clip_package)
    assert isinstance(found, FootageAvatar)
    return found


@pytest.fixture(scope="session")
def lin() -> Avatar:
    return load_avatar("lin")


@pytest.fixture(scope="session")
def speech() -> SpeechChunk:
    return asyncio.run(selftest.say())
