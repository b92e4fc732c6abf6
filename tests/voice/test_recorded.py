"""A person's recordings as a voice: what they have read is said by them, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anchor.channel import closing
from anchor.errors import ConfigError, VoiceError
from anchor.events import Sentence
from anchor.loudness import loudness
from anchor.media import SAMPLE_RATE
from anchor.pipeline.aligned import AlignedVoice
from anchor.testing import check_voice, collect
from anchor.voice.espeak import EspeakVoice
from anchor.voice.maker import write_wav
from anchor.voice.reading import Reading, words_of
from anchor.voice.recorded import RecordedVoice
from drivers.speechnet.align import SpeechAligner
from tests.voice.people import likeness, said

BULLETIN = "Good evening, and welcome. Prices rose by 5 percent in March, the bank said. Rain is expected in the north."
SINGLE = "Thank you for watching."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bulletin in one file, whose text writes a number in words, and a sentence in a file of its own."""
    place = tmp_path_factory.mktemp("recordings")
    for name, text, gain in (("bulletin", BULLETIN, 0.25), ("thanks", SINGLE, 1.0)):
        write_wav(place / f"{name}.wav", said(text)[0] * np.float32(gain))
        (place / f"{name}.txt").write_text(text.replace("5 percent", "five per cent"), "utf-8")
    (place / "bulletin.txt").write_text(BULLETIN.replace("5 percent", "five percent"), "utf-8")
    return place


def run(folder: Path, work: Callable[[RecordedVoice], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def main() -> Any:
        voice = RecordedVoice(folder=folder, **options)
        try:
            return await work(voice)
        finally:
            await voice.close()

    return asyncio.run(main())


def test_recordings_keep_the_promises_of_a_voice(folder: Path) -> None:
    async def main(recorded: RecordedVoice) -> None:
        reader = EspeakVoice(workers=1)
        voice = AlignedVoice(recorded, reader, SpeechAligner())
        try:
            await check_voice(voice, SINGLE, "Rain is expected in the north.", "en")
        finally:
            await reader.close()

    run(folder, main)


def test_a_sentence_is_cut_out_of_a_longer_recording_at_its_pauses(folder: Path) -> None:
    """With the number written otherwise, in capitals, and without its marks."""
    sound, times = said(BULLETIN)
    text, start, end = times[1]
    assert text.strip() == "Prices rose by 5 percent in March, the bank said."

    async def main(voice: RecordedVoice) -> None:
        found = await collect(voice, "PRICES rose by 5 percent in March the bank said", "en")
        core = sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        assert found.audio.size == pytest.approx(core.size, abs=0.2 * SAMPLE_RATE)
        assert likeness(found.audio, core) > 0.99, "it is that very sound, whole"

    run(folder, main)


def test_clauses_are_found_as_well_as_sentences_for_speech_that_begins_early(folder: Path) -> None:
    async def main(voice: RecordedVoice) -> None:
        whole = await collect(voice, "Good evening, and welcome.", "en")
        first, second = await collect(voice, "Good evening,", "en"), await collect(voice, "and welcome.", "en")
        assert first.audio.size + second.audio.size == pytest.approx(whole.audio.size, abs=0.3 * SAMPLE_RATE)

    run(folder, main)


def test_quiet_and_loud_recordings_are_as_loud_as_any_voice(folder: Path) -> None:
    async def main(voice: RecordedVoice) -> None:
        for text in ("Rain is expected in the north.", SINGLE):
            assert loudness([(await collect(voice, text, "en")).audio]) == pytest.approx(-16, abs=2)

    run(folder, main)


@pytest.mark.parametrize("text", ["Good night.", "Good evening", "in March", "evening, and welcome.", "5"])
def test_what_is_not_recorded_is_refused_by_its_text(folder: Path, text: str) -> None:
    """A part is taken only from one mark to another: words out of a sentence sound torn out."""

    async def main(voice: RecordedVoice) -> None:
        if text == "Good evening":
            assert (await collect(voice, text, "en")).audio.size
            return
        with pytest.raises(VoiceError, match="is not recorded") as raised:
            await collect(voice, text, "en")
        assert text in str(raised.value)

    run(folder, main)


def test_another_language_and_nothing_to_say(folder: Path) -> None:
    async def main(voice: RecordedVoice) -> None:
        with pytest.raises(VoiceError, match="'fr'; it speaks en"):
            await collect(voice, "Bonjour.", "fr")
        assert (await collect(voice, "…", "en-GB")).audio.size == 0

    run(folder, main)


def test_cancelling_stops_at_once(folder: Path) -> None:
    async def main(voice: RecordedVoice) -> None:
        async with closing(voice.speak(Sentence(SINGLE, "en"))) as chunks:
            async for chunk in chunks:
                assert chunk.audio.size <= SAMPLE_RATE // 2
                break

    run(folder, main)


def test_lists_name_files_texts_and_languages(folder: Path, tmp_path: Path) -> None:
    for name in ("bulletin", "thanks"):
        (tmp_path / f"{name}.wav").write_bytes((folder / f"{name}.wav").read_bytes())
    toml = f'licence = "house"\n[[recording]]\nfile = "thanks.wav"\ntext = "{SINGLE}"\nlanguage = "en-GB"\n'
    (tmp_path / "recordings.toml").write_text(toml)
    (tmp_path / "recordings.csv").write_text(f'file,text,language\nbulletin.wav,"{BULLETIN}",en-US\n')

    async def main(voice: RecordedVoice) -> None:
        assert (voice.info.languages, voice.info.licence) == (("en-GB", "en-US"), "house")
        assert (await collect(voice, SINGLE, "en")).audio.size

    run(tmp_path, main)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("recordings.toml", "recording = 3", "recordings.toml: recording"),
        ("recordings.toml", '[[recording]]\nfile = "gone.wav"\ntext = "Hello."', "recording 1: there is no file"),
        ("recordings.toml", '[[recording]]\nfile = "../a.wav"\ntext = "Hello."', "lies outside the folder"),
        ("recordings.toml", '[[recording]]\nfile = "a.wav"', "recording 1: text"),
        ("recordings.toml", '[[recording]]\nfile = "a.wav"\ntext = "..."', "nothing to say"),
        ("recordings.toml", '[[recording]]\nfile = "a.wav"\ntext = "Hello."\nwho = "me"', "unknown key 'who'"),
        ("recordings.toml", "x", "not valid TOML"),
        ("recordings.csv", "a,b\n1,2\n", "recordings.csv:1"),
        ("recordings.csv", "file,text\na.wav,Hello.\na.wav,\n", "recordings.csv:3"),
        ("a.txt", "\xff", "not UTF-8"),
        ("b.txt", "no sound beside it", "nothing recorded"),
    ],
)  # fmt: skip
def test_a_folder_that_is_wrong_is_refused_by_file_and_place(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=reason):
        RecordedVoice(folder=tmp_path)


def test_a_folder_that_is_not_there_is_named_with_its_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"voice\.options\.folder.*nowhere"):
        RecordedVoice(folder=tmp_path / "nowhere")


def test_a_broken_file_fails_its_own_sentences_only(folder: Path, tmp_path: Path) -> None:
    for name in ("bulletin", "thanks"):
        (tmp_path / f"{name}.txt").write_bytes((folder / f"{name}.txt").read_bytes())
    (tmp_path / "thanks.wav").write_bytes((folder / "thanks.wav").read_bytes())
    (tmp_path / "bulletin.wav").write_bytes((folder / "bulletin.wav").read_bytes()[:100_000])

    async def main(voice: RecordedVoice) -> None:
        assert (await collect(voice, SINGLE, "en")).audio.size
        with pytest.raises(VoiceError, match=r"bulletin\.wav: is cut off"):
            await collect(voice, "Rain is expected in the north.", "en")

    run(tmp_path, main)


def test_words_are_compared_by_what_is_said() -> None:
    assert words_of("It’s 5%!", "en") == words_of("it's FIVE percent", "en")
    assert words_of("2024年，涨了5%。", "zh-CN") == words_of("二零二四年涨了百分之五", "zh")


def test_a_sentence_that_comes_twice_is_found_where_it_comes_next(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "a.wav", "Thank you. Not much. Thank you.", "en")
    first = reading.find(words_of("Thank you.", "en"))
    assert first is not None and (first.first, first.last) == (0, 2)
    again = reading.find(words_of("Thank you.", "en"), after=first.last)
    assert again is not None and (again.first, again.last) == (4, 6)


def test_a_recording_changed_is_another_version(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes((folder / "thanks.wav").read_bytes())
    (tmp_path / "a.txt").write_text(SINGLE)
    before = RecordedVoice(folder=tmp_path).info.version
    assert RecordedVoice(folder=tmp_path).info.version == before
    (tmp_path / "a.wav").write_bytes((folder / "bulletin.wav").read_bytes())
    assert RecordedVoice(folder=tmp_path).info.version != before
