"""An anchor that hears itself: conversations in virtual time, with the loudspeaker in the microphone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from anchor.bench.echo import Loop, hushes, onsets, spoken
from anchor.bench.virtual import after
from anchor.clock import run_virtual
from anchor.config import VoiceConfig
from anchor.events import Word
from anchor.interactive.own_words import OwnWords
from anchor.parts import open_voice
from anchor.ports import Voice
from anchor.testing import FakeRecognizer


async def _voice() -> AsyncIterator[Voice]:
    voice = open_voice(VoiceConfig())
    try:
        yield voice
    finally:
        await voice.close()


@pytest.mark.parametrize(("gain", "delay", "tail"), [(-20, 0.12, 0.0), (-20, 0.5, 0.3), (-30, 0.3, 0.3), (-40, 0.3, 0)])
def test_an_anchor_is_not_hushed_by_what_echo_cancelling_leaves(gain: float, delay: float, tail: float) -> None:
    async def main() -> None:
        async for voice in _voice():
            early, late, cancelled = await hushes(Loop(delay, gain, tail), voice)
            assert early <= 1
            assert (late, cancelled) == (0, 0)

    run_virtual(main())


def test_an_anchor_that_hears_itself_loudly_does_not_take_its_words_for_a_visitors() -> None:
    async def main() -> None:
        async for voice in _voice():
            ears = FakeRecognizer(["a transfer inside the country is free of charge"] * 20)
            _, _, cancelled = await hushes(Loop(0.3, -10, 0.3), voice, ears)
            assert cancelled == 0

    run_virtual(main())


def test_a_visitor_ten_decibels_over_the_echo_is_noticed_within_two_hundred_milliseconds() -> None:
    async def main() -> None:
        async for voice in _voice():
            visitor = [await spoken(voice, text) for text in ("I lost my card", "can I ask you something", "what now")]
            waits = await onsets(Loop(0.3, -20, 0.3), voice, visitor)
            assert np.median(waits) <= 0.2
            assert max(waits) <= 0.4
            await after(0)

    run_virtual(main())


def _said(text: str, *, until: float, pace: float = 0.3) -> OwnWords:
    own = OwnWords()
    words = text.split()
    for place, word in enumerate(words):
        at = until - pace * (len(words) - 1 - place)
        own.said((Word(f"{word} ", 0, 1),), at, speaking=True)
    return own


@pytest.mark.parametrize(
    ("heard", "began", "delay", "echo"),
    [
        ("free of charge", 9.0, 0.3, True),
        ("the county is free of charge", 8.0, 0.3, True),
        ("charge", 9.9, 0.3, True),
        ("charge", 9.9, None, False),
        ("what is the charge", 9.0, 0.3, False),
        ("a transfer inside", 9.8, 0.3, False),
        ("free of charge", 10.8, 0.3, False),
        ("", 9.0, 0.3, False),
    ],
    ids=["a run", "a mistake", "a word", "unknown echo", "a question", "said long before", "said after", "nothing"],
)
def test_a_run_of_the_words_that_have_just_gone_out_is_the_anchors_own(
    heard: str, began: float, delay: float | None, echo: bool
) -> None:
    own = _said("A transfer inside the country is free of charge.", until=10.0)
    assert own.has(heard, began, delay) is echo


def test_an_answer_is_the_visitors_although_the_anchor_has_just_said_it() -> None:
    assert not _said("Yes or no?", until=10.0).has("yes", 10.1, 0.3)


def test_chinese_is_compared_by_characters() -> None:
    own = OwnWords()
    for place, letter in enumerate("我们九点到五点营业"):
        own.said((Word(letter, 0, 1),), 10 + place * 0.2, speaking=True)
    assert own.has("九点到五点营业", 10.8, 0.3)
    assert not own.has("我要开户", 10.8, 0.3)
