"""A filmed avatar, and the sentence of the self-test said once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from anchor import selftest
from anchor.ports import Avatar, SpeechChunk
from avatars.footage import FootageAvatar
from avatars.package import load_avatar


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
