"""Whisper: the whole path, on a network of random weights, and the guards against what it makes up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from anchor import registry
from anchor.clock import LoopClock
from anchor.errors import ConfigError, MissingError, RecognizerError
from anchor.hearing import whisper
from anchor.hearing.whisper import WhisperRecognizer, believable, quietest
from anchor.hearing.whisper_model import Reading
from anchor.talk import HEARING_RATE, Hearing
from anchor.testing import check_recognizer, understand
from tests.hearing import tiny_whisper
from tests.hearing.sounds import heard, noise

T = TypeVar("T")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("faster_whisper", reason="needs the extra [asr]")
    return tiny_whisper.make(tmp_path_factory.mktemp("whisper"))


def with_recognizer(model: Path, work: Callable[[WhisperRecognizer], Awaitable[T]], **options: float) -> T:
    """Random weights are never sure of anything, so by default all is believed."""

    async def main() -> T:
        believing = {"least_logprob": -99.0, "most_silent": 1.1, "most_repeated": 99.0, **options}
        recognizer = registry.build(
            WhisperRecognizer, {"model": str(model), "device": "cpu", "threads": 1, **believing}, "talk.recognizer"
        )
        recognizer.expect({"en": ["How do I open an account?"], "zh-CN": ["我要开户"]})
        try:
            await recognizer.warm(["en"])
            return await work(recognizer)
        finally:
            await recognizer.close()

    return asyncio.run(main())


def test_it_keeps_the_promises_of_its_port(model: Path) -> None:
    one, other = heard("How do I open an account?"), heard("Where is the nearest cash machine?")
    with_recognizer(model, lambda recognizer: check_recognizer(recognizer, one, other, "zh-CN"))


def test_a_model_that_was_pulled_is_used_by_its_short_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    (tmp_path / "whisper-trial").symlink_to(model)

    async def main() -> None:
        recognizer = WhisperRecognizer(model="trial", device="cpu", threads=1)
        await recognizer.warm(["en"])
        await recognizer.close()

    asyncio.run(main())


def test_nothing_is_fetched_offline_and_the_error_names_what_to_pull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faster_whisper", reason="needs the extra [asr]")
    monkeypatch.setenv("ANCHOR_OFFLINE", "1")
    monkeypatch.setenv("ANCHOR_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    async def main() -> None:
        recognizer = WhisperRecognizer(model="small", device="cpu", threads=1)
        with pytest.raises(MissingError, match="anchor models pull whisper-small"):
            await recognizer.warm(["en"])
        await recognizer.close()

    asyncio.run(main())


def test_what_waits_is_read_in_one_batch(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> tuple[int, ...]:
        await asyncio.gather(*(understand(recognizer, heard("Hello."), "en") for _ in range(6)))
        return tuple(recognizer.batches)

    assert max(with_recognizer(model, work)) >= 4


def test_partials_come_while_speech_goes_on(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> list[bool]:
        sound, clock = heard("How do I open a savings account, and what does it cost?"), LoopClock()

        async def speech() -> AsyncIterator[Hearing]:
            for place in range(0, len(sound), 1600):
                yield sound[place : place + 1600]
                while not recognizer.idle:
                    await clock.sleep_until(clock.now() + 0.005)

        return [one.final async for one in recognizer.listen(speech(), "en")]

    finals = with_recognizer(model, work)
    assert finals[-1]
    assert finals.count(False) >= 1


def test_long_speech_is_read_in_windows_that_lose_nothing(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> tuple[int, int]:
        before = len(recognizer.batches)
        transcripts = await understand(recognizer, np.tile(heard("Tell me about fees."), 40), "en", chunk=16000)
        return len(recognizer.batches) - before, len(transcripts)

    seconds = 40 * len(heard("Tell me about fees.")) / HEARING_RATE
    readings, _ = with_recognizer(model, work)
    assert readings >= seconds / whisper.LONGEST_SECONDS


def test_silence_is_not_read_at_all(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> tuple[str, int]:
        before = len(recognizer.batches)
        text = (await understand(recognizer, noise(3 * HEARING_RATE, -75) + np.float32(0.1), "en"))[-1].text
        return text, len(recognizer.batches) - before

    assert with_recognizer(model, work) == ("", 0)


def test_what_it_is_not_sure_of_is_not_told(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> str:
        return (await understand(recognizer, heard("Hello there."), "en"))[-1].text

    assert with_recognizer(model, work) != ""
    assert with_recognizer(model, work, least_logprob=-1.0) == ""


def test_a_language_it_has_no_word_for_is_refused(model: Path) -> None:
    async def work(recognizer: WhisperRecognizer) -> None:
        with pytest.raises(RecognizerError, match="does not understand tlh"):
            await understand(recognizer, heard("Hello."), "tlh")

    with_recognizer(model, work)


def test_a_model_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="needs the extra [asr]")
    (tmp_path / "model.bin").write_bytes(b"no model")

    async def main() -> None:
        recognizer = WhisperRecognizer(model=str(tmp_path))
        with pytest.raises(MissingError, match=r"talk\.recognizer\.options\.model") as caught:
            await recognizer.warm(["en"])
        assert str(tmp_path) in str(caught.value)
        await recognizer.close()

    asyncio.run(main())


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install -e '\.\[asr\]'"):
        WhisperRecognizer()


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="beam_size"):
        WhisperRecognizer(beam_size=0)


@pytest.mark.parametrize(
    ("reading", "believed"),
    [
        (Reading("How do I open an account?", -0.3, 0.05), True),
        (Reading("How do I open an account?", -1.4, 0.05), False),
        (Reading("How do I open an account?", -0.3, 0.95), False),
        (Reading("How do I open an account?", -0.7, 0.7), False),
        (Reading("", -0.1, 0.0), False),
        (Reading("no no no no no no no no no no no no no no no no no no no", -0.2, 0.1), False),
        (Reading("Thank you for watching!", -0.2, 0.1), False),
        (Reading("请不吝点赞 订阅 转发", -0.2, 0.1), False),
        (Reading("字幕由Amara.org社区提供", -0.2, 0.1), False),
        (Reading("谢谢", -0.2, 0.1), True),
    ],
)
def test_what_it_makes_up_is_not_believed(reading: Reading, believed: bool) -> None:
    assert believable(reading, -1.0, 0.8, 2.4) is believed


def test_a_window_is_cut_at_the_quietest_place() -> None:
    sound = noise(30 * HEARING_RATE, -20)
    sound[24 * HEARING_RATE : 24 * HEARING_RATE + 8000] *= 0.01
    assert quietest(sound, 18, 28) / HEARING_RATE == pytest.approx(24.25, abs=0.2)


@pytest.mark.parametrize(
    ("language", "written"),
    [("zh-CN", "我要开户"), ("zh", "我要开户"), ("zh-TW", "我要開戶"), ("zh-Hant", "我要開戶"), ("ja", "我要開戶")],
)
def test_chinese_is_written_in_the_script_of_its_readers(language: str, written: str) -> None:
    assert whisper._script("我要開戶", language) == written
