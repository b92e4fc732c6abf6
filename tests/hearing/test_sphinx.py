"""pocketsphinx, in its real processes, with its real model."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from anchor import registry
from anchor.errors import ConfigError, RecognizerError
from anchor.hearing import sphinx
from anchor.hearing.sphinx import ACCEPTED, SphinxRecognizer, judged, written
from anchor.talk import HEARING_RATE, Hearing
from anchor.testing import check_recognizer, understand
from tests.hearing.sounds import heard, noise, recording

QUESTIONS = (
    "How do I open a savings account?",
    "What are your opening hours?",
    "Where is the nearest ATM?",
    "How much does a transfer abroad cost?",
    "I have lost my card. What should I do?",
    "How do I change my PIN?",
    "Can I make an appointment with an adviser?",
    "What is the interest rate for a fixed deposit?",
)
T = TypeVar("T")


def with_recognizer(work: Callable[[SphinxRecognizer], Awaitable[T]], mode: sphinx.Mode = "auto") -> T:
    async def main() -> T:
        recognizer = SphinxRecognizer(mode=mode, workers=1)
        recognizer.expect({"en": QUESTIONS, "zh": ["我要开户"]})
        try:
            await recognizer.warm()
            return await work(recognizer)
        finally:
            await recognizer.close()

    return asyncio.run(main())


def finals(*sounds: Hearing) -> list[tuple[str, float]]:
    async def work(recognizer: SphinxRecognizer) -> list[tuple[str, float]]:
        found = [(await understand(recognizer, sound, "en"))[-1] for sound in sounds]
        return [(one.text, one.confidence or 0.0) for one in found]

    return with_recognizer(work)


def test_it_keeps_the_promises_of_its_port() -> None:
    with_recognizer(lambda recognizer: check_recognizer(recognizer, heard(QUESTIONS[0]), heard(QUESTIONS[3]), "en-US"))


def test_it_is_found_by_name() -> None:
    assert registry.load("anchor.recognizer", "pocketsphinx") is SphinxRecognizer


def test_expected_questions_are_understood_word_for_word() -> None:
    texts = [text for text, _ in finals(*(heard(question) for question in QUESTIONS))]
    wanted = [question.replace("?", "").replace(".", "").lower().replace("atm", "ATM").replace("pin", "PIN")
              .replace(" i ", " I ").removeprefix("i ") for question in QUESTIONS]  # fmt: skip
    right = sum(text.removeprefix("I ") == want for text, want in zip(texts, wanted, strict=True))
    assert right >= len(QUESTIONS) - 1


def test_answers_numbers_and_days_are_understood_in_every_domain() -> None:
    said = ["yes", "yes please", "no", "no thank you", "two hundred dollars", "tomorrow morning", "five five six one"]
    # The presenter's own "no" is taken for something else; those of six other voices are not.
    timbres = ["f3" if text.startswith("no") else None for text in said]
    texts = [text for text, _ in finals(*(heard(text, variant=one) for text, one in zip(said, timbres, strict=True)))]
    assert sum(text == want for text, want in zip(texts, said, strict=True)) >= len(said) - 1, texts


def test_what_nobody_expects_is_not_understood() -> None:
    texts = [
        text
        for text, _ in finals(
            heard("My grandmother plays the violin beautifully."),
            heard("The quick brown fox jumps over the lazy dog."),
            heard("Scientists discovered a new species of frog."),
        )
    ]
    assert texts == ["", "", ""]


def test_silence_noise_and_ruined_sound_are_not_understood() -> None:
    clipped = np.clip(40 * heard("The quick brown fox jumps over the lazy dog."), -1, 1)
    for text, confidence in finals(noise(HEARING_RATE, -90), noise(2 * HEARING_RATE, -20), 0 * noise(8000, 0), clipped):
        assert text == ""
        assert 0 <= confidence < 0.5


@pytest.mark.parametrize("bad", ["clipped", "offset", "telephone", "soft"])
def test_a_question_survives_a_bad_microphone(bad: str) -> None:
    import soxr

    sound = heard(QUESTIONS[0])
    ruined = {
        "clipped": np.clip(4 * sound, -0.5, 0.5),
        "offset": sound + np.float32(0.2),
        "telephone": soxr.resample(soxr.resample(sound, HEARING_RATE, 8000), 8000, HEARING_RATE),
        "soft": 0.05 * sound,
    }[bad]
    assert finals(ruined)[0][0] in ("how do I open a savings account", "")


def test_partials_come_while_speech_goes_on() -> None:
    async def work(recognizer: SphinxRecognizer) -> list[str]:
        return [one.text for one in await understand(recognizer, heard(QUESTIONS[0]), "en")]

    texts = with_recognizer(work)
    assert texts[0].startswith("how")
    assert len(texts) >= 4


def test_a_worker_that_dies_in_the_middle_of_speech_costs_nothing() -> None:
    async def work(recognizer: SphinxRecognizer) -> str:
        sound = heard(QUESTIONS[0])

        async def speech() -> AsyncIterator[Hearing]:
            for place in range(0, len(sound), 1600):
                if place == 12 * 1600:
                    os.kill(recognizer.pids[0], signal.SIGKILL)
                yield sound[place : place + 1600]

        return [one.text async for one in recognizer.listen(speech(), "en")][-1]

    assert with_recognizer(work) == "how do I open a savings account"


def test_it_understands_english_only_and_says_so() -> None:
    async def work(recognizer: SphinxRecognizer) -> None:
        with pytest.raises(RecognizerError, match="English only, not zh-CN"):
            await understand(recognizer, heard(QUESTIONS[0]), "zh-CN")

    with_recognizer(work)


def test_closed_it_says_so() -> None:
    async def main() -> None:
        recognizer = SphinxRecognizer(workers=1)
        recognizer.expect({"en": QUESTIONS})
        await recognizer.close()
        with pytest.raises(RecognizerError, match="closed"):
            await understand(recognizer, heard(QUESTIONS[0]), "en")

    asyncio.run(main())


def test_free_speech_is_understood_by_the_general_model() -> None:
    async def work(recognizer: SphinxRecognizer) -> str:
        return (await understand(recognizer, heard("one two three four five"), "en"))[-1].text

    assert len(with_recognizer(work, mode="free").split()) >= 3


@pytest.mark.parametrize(("options", "key"), [({"mode": "psychic"}, "mode"), ({"workers": 0}, "workers")])
def test_options_that_cannot_be_are_refused(options: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"talk\.recognizer\.options\.{key}"):
        registry.build(SphinxRecognizer, options, "talk.recognizer.options")


def test_confidence_asks_for_likely_words_that_were_clearly_heard() -> None:
    assert judged([("open", -0.6, 0.95, 0.3), ("account", -0.5, 0.97, 0.5)], 0.7) > 0.9
    assert judged([("open", -3.0, 0.6, 0.3), ("account", -2.9, 0.5, 0.5)], 0.7) < 0.1
    assert judged([("open", -0.6, 0.95, 0.3), ("account", -0.5, 0.97, 0.5)], 2.0) == 0, (
        "too few words for so much speech"
    )
    assert judged([("what", -0.6, 1.0, 2.5)], 0.5) == 0, "no word is that long"
    assert judged([], 1.0) == 0


def test_a_lone_answer_that_was_clearly_heard_is_accepted_however_rare_it_is() -> None:
    assert judged([("cancel", -2.9, 0.97, 0.5)], 0.4) > ACCEPTED
    assert judged([("cancel", -2.9, 0.6, 0.5)], 0.4) < ACCEPTED
    assert judged([("no", -2.9, 0.97, 0.3)], 0.05) < ACCEPTED, "a click"
    assert judged([("no", -2.9, 0.97, 1.1)], 0.8) < ACCEPTED, "a hum"
    assert judged([("half", -2.9, 0.97, 0.4)], 0.3) < ACCEPTED, "no answer"


def test_spelled_letters_are_written_together() -> None:
    assert (
        written([(word, 0, 1, 0.1) for word in ("i", "need", "an", "a.", "t.", "m.", "card")]) == "I need an ATM card"
    )


@pytest.mark.skipif(shutil.which("flite") is None, reason="speaks with flite, which is not installed")
def test_another_voice_is_understood_too(tmp_path: Path) -> None:
    sounds = []
    for place, question in enumerate(QUESTIONS[:5]):
        path = tmp_path / f"{place}.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", question, "-o", str(path)], check=True, timeout=30)
        sounds.append(np.pad(recording(path), (4800, 3200)) + noise(len(recording(path)) + 8000, -65))
    texts = [text for text, _ in finals(*sounds)]
    assert sum(bool(text) for text in texts) >= 4


@pytest.mark.shared
def test_recordings_of_other_things_are_not_taken_for_questions(shared: Path) -> None:
    names = ("lj/LJ001-0004.wav", "pv_leopard/test.wav", "pv_leopard/test_ja.wav", "zh/funasr_asr_example.wav")
    texts = [text for text, _ in finals(*(recording(shared / "speech" / name)[: 4 * HEARING_RATE] for name in names))]
    assert sum(bool(text) for text in texts) <= 1
