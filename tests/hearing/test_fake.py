"""The fake recogniser keeps the promises of its port."""

import asyncio

from anchor.testing import FakeRecognizer, check_recognizer
from tests.hearing.sounds import noise


def test_the_fake_recogniser_keeps_its_promises() -> None:
    script = ["open an account", "close it"] * 10
    script[2:4] = ["open an account", "close it"]
    asyncio.run(check_recognizer(FakeRecognizer([*script[:4], ""]), noise(32000, -20), noise(16000, -20), "en"))
